// ufdr: the messages, calls, contacts and places that a Cellebrite report (report.xml of a UFDR) lists, as
// records that say that another tool parsed them. The files of a UFDR are the archive's own members.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>

#include "model_reader.hpp"
#include "records.hpp"

namespace touchstone::ufdr {
namespace {

constexpr const char* kNames[] = {"report.xml", "Report.xml", "REPORT.XML", nullptr};
/// The start of the report, by which it is known.
constexpr std::size_t kHead = 4096;

class Ufdr final : public Plugin {
 public:
  static constexpr Manifest kManifest{
      .name = "ufdr",
      .version = "1.0",
      .summary = "Records that a Cellebrite report lists, marked as parsed by that tool",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_ITEM,
      .inputs = TS_INPUT_DATA,
      .name_globs = kNames};

  explicit Ufdr(Setup& setup) { setup.declare_rule("report", "1", "Records of a Cellebrite report"); }

  ts_status begin(Job& job) override {
    reading_.reset();
    if (!is_report(job)) return TS_DONE;
    reading_ = std::make_unique<Reading>();
    return TS_OK;
  }

  ts_status data(Job& job, std::uint64_t, std::span<const std::uint8_t> bytes) override {
    if (!reading_ || job.cancelled()) return TS_DONE;
    return feed(job, bytes, false) ? TS_OK : TS_DONE;
  }

  ts_status finish(Job& job) override {
    if (!reading_) return TS_OK;
    if (!reading_->broken) feed(job, {}, true);
    reading_->maker.use(job);
    reading_->maker.tell();
    reading_.reset();
    return TS_OK;
  }

 private:
  static bool is_report(Job& job) {
    std::array<std::uint8_t, kHead> bytes{};
    const std::int64_t got = job.read_at(0, bytes);
    if (got <= 0) return false;
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(got));
    const std::size_t at = head.find("<project");
    return at != std::string_view::npos && (head.find("pa.cellebrite.com", at) != std::string_view::npos ||
                                            head.find("extractionType=", at) != std::string_view::npos);
  }

  /// One report on its way through.
  struct Reading {
    ModelReader reader{[this](const Model& model) { maker.take(model); }};
    RecordMaker maker{reader};
    bool broken = false;
  };

  bool feed(Job& job, std::span<const std::uint8_t> bytes, bool last) {
    if (reading_->broken) return false;
    reading_->maker.use(job);
    if (reading_->reader.feed(bytes, last)) return true;
    reading_->broken = true;
    job.emit_problem("corrupt", "the Cellebrite report is read no further: " + reading_->reader.error());
    return false;
  }

  std::unique_ptr<Reading> reading_;
};

}  // namespace
}  // namespace touchstone::ufdr

TOUCHSTONE_PLUGIN(touchstone::ufdr::Ufdr)

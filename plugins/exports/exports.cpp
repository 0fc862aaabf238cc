// exports: messages, calls, contacts and places in what people have exported from an app as JSON (Telegram
// Desktop's result.json), and in JSON that apps keep as files (Discord's cache).
#include <array>
#include <string_view>
#include <touchstone/plugin.hpp>

#include "discord_pages.hpp"
#include "telegram_export.hpp"
#include "telegram_records.hpp"

namespace touchstone::exports {
namespace {

constexpr const char* kNames[] = {"result.json", "result*.json",
                                  "**/com.hammerandchisel.discord/fsCachedData/*", nullptr};
/// The start of a file, by which an export is known.
constexpr std::size_t kHead = std::size_t{32} * 1024;

class Exports final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "exports",
                                      .version = "1.0",
                                      .summary = "Messages, calls and contacts in chat exports (JSON)",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_EXTRACTOR,
                                      .scope = TS_SCOPE_ITEM,
                                      .name_globs = kNames};

  explicit Exports(Setup& setup) {
    setup.declare_rule("telegram", "1", "Export of Telegram Desktop");
    setup.declare_rule("discord", "1", "Messages that Discord has cached as files");
  }

  ts_status begin(Job& job) override {
    std::vector<std::uint8_t> head(kHead);
    const std::int64_t got = job.read_at(0, head);
    if (got <= 0) return TS_DONE;
    const std::string_view text(reinterpret_cast<const char*>(head.data()), static_cast<std::size_t>(got));
    if (job.path().find("/com.hammerandchisel.discord/fsCachedData/") != std::string_view::npos) {
      if (is_discord_page(text)) read_discord_page(job);
      return TS_DONE;
    }
    if (!TelegramExport::is_one(text)) return TS_DONE;
    TelegramRecords records(job);
    TelegramExport(job, records).read();
    records.tell();
    return TS_DONE;
  }
};

}  // namespace
}  // namespace touchstone::exports

TOUCHSTONE_PLUGIN(touchstone::exports::Exports)

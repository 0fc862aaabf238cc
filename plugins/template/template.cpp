// A plugin to copy: notes files that begin with "TEMPLATE", and says so. docs/plugins.md explains each step.
#include <array>
#include <string_view>
#include <touchstone/plugin.hpp>

namespace {

using namespace std::string_view_literals;

constexpr auto kMark = "TEMPLATE"sv;

// When the plugin is called at all. Lists end with nullptr; the star matches the rest. An empty or absent
// list matches everything, which for a costly plugin is a waste: a second on each of a million files is
// eleven days.
constexpr const char* kTypes[] = {"text/*", "application/octet-stream", nullptr};

class Template final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{
      .name = "template",  // the file's name: template.tsp
      .version = "1.0",    // stored with each finding: raise it when results change
      .summary = "Notes files that begin with the word TEMPLATE",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_CLASSIFIER,
      .scope = TS_SCOPE_CONTENT,  // once for equal bytes; TS_SCOPE_ITEM may ask for path and neighbours
      .inputs = TS_INPUT_NONE,    // begin() reads what it needs; TS_INPUT_DATA streams all bytes to data()
      .media_types = kTypes,
      .min_size = kMark.size()};

  // Once a worker, before the sandbox closes: load rules and models here. A rule is declared so that the
  // report lists it even when nothing matches.
  explicit Template(touchstone::Setup& setup) {
    setup.declare_rule("begins-with-mark", "1", "Begins with TEMPLATE");
  }

  // Once an item. Evidence is hostile: check every length, keep nothing between items.
  ts_status begin(touchstone::Job& job) override {
    std::array<std::uint8_t, kMark.size()> head{};
    const auto got = job.read_at(0, head);
    if (got < 0) return TS_ERROR;  // becomes a problem of the item
    if (std::string_view(reinterpret_cast<const char*>(head.data()), static_cast<std::size_t>(got)) ==
        kMark) {
      job.emit_finding(1000, {.rule = "begins-with-mark",
                              .category = "example",
                              .title = "Begins with TEMPLATE",
                              .detail = {},
                              .position = "offset 0 length 8",
                              .record_kind = {},
                              .record_key = {}});
    }
    return TS_DONE;  // no data, text or records wanted
  }
};

}  // namespace

TOUCHSTONE_PLUGIN(Template)

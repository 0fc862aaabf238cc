// appdata: messages, calls, contacts, accounts, locations and visits from the databases of apps, as
// rules/apps/*.toml describe them (docs/apps.md). Knows no app itself.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "extraction.hpp"
#include "rules/app_definition.hpp"

namespace touchstone::appdata {
namespace {

constexpr const char* kMediaTypes[] = {"application/vnd.sqlite3", "application/x-sqlite3", nullptr};

class AppData final : public Plugin {
 public:
  static constexpr Manifest kManifest{
      .name = "appdata",
      .version = "1.0",
      .summary = "Messages, calls and contacts from the databases of known apps",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_ITEM,
      .media_types = kMediaTypes};

  explicit AppData(Setup& setup) {
    const auto settings = nlohmann::json::parse(setup.settings(), nullptr, false);
    const auto files =
        settings.is_object() ? settings.value("files", nlohmann::json::array()) : nlohmann::json();
    for (const auto& file : files) {
      if (!file.is_string()) continue;
      auto app = load_app_definition(file.get<std::string>());
      if (!app) throw Failure(TS_ERROR, app.error().message);
      setup.declare_rule(app->info.id, app->info.version, app->info.title);
      apps_.push_back(app.take());
    }
  }

  ts_status begin(Job& job) override {
    const std::string_view path = job.path();
    for (const AppDefinition& app : apps_) {
      const auto source = std::find_if(app.sources.begin(), app.sources.end(),
                                       [&](const AppSource& s) { return any_matches(s.paths, path); });
      if (source != app.sources.end()) Extraction(job, app, *source).run();
    }
    return TS_DONE;
  }

 private:
  std::vector<AppDefinition> apps_;
};

}  // namespace
}  // namespace touchstone::appdata

TOUCHSTONE_PLUGIN(touchstone::appdata::AppData)

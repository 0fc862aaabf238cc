// appdata: messages, calls, contacts, accounts, locations and visits from the databases of apps, as
// rules/apps/*.toml describe them (docs/apps.md), and from pages that are left of such. Knows no app itself.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "extraction.hpp"
#include "rules/app_definition.hpp"

namespace touchstone::appdata {
namespace {

/// The last: a database that is encrypted has no form at all.
constexpr const char* kMediaTypes[] = {"application/vnd.sqlite3", "application/x-sqlite3",
                                       "application/octet-stream", "application/x-sqlite3-pages", nullptr};

/// Bytes of the file's start that are looked at. Those of a cipher are spread evenly: for 16 KiB the entropy
/// is above 7.98 bits a byte; of compressed data it is no less, but that has a form, which gives it a type.
constexpr std::size_t kSample = std::size_t{16} * 1024;
constexpr double kMinEntropy = 7.6;
/// Without a path, fewer columns are no sign of an app: others may have the same.
constexpr std::size_t kLeastAsked = 5;
/// Of SQLCipher's pages, and of what SQLite makes at least.
constexpr std::uint64_t kSmallestPage = 512;

bool looks_encrypted(Job& job) {
  if (job.size() < 2 * kSmallestPage || job.size() % kSmallestPage != 0) return false;
  std::vector<std::uint8_t> bytes(kSample);
  const std::int64_t got = job.read_at(0, bytes);
  if (got < static_cast<std::int64_t>(2 * kSmallestPage)) return false;
  bytes.resize(static_cast<std::size_t>(got));
  std::array<std::size_t, 256> counts{};
  for (const std::uint8_t byte : bytes) ++counts[byte];
  double entropy = 0;
  for (const std::size_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(bytes.size());
    entropy -= share * std::log2(share);
  }
  return entropy >= kMinEntropy;
}

class AppData final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "appdata",
                                      .version = "1.1",
                                      .summary = "Messages, calls and contacts from the databases of apps",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_EXTRACTOR,
                                      .scope = TS_SCOPE_ITEM,
                                      .media_types = kMediaTypes};

  explicit AppData(Setup& setup) {
    const auto settings = nlohmann::json::parse(setup.settings(), nullptr, false);
    const auto files =
        settings.is_object() ? settings.value("files", nlohmann::json::array()) : nlohmann::json();
    any_path_ = settings.is_object() && settings.value("any_path", false);
    for (const auto& file : files) {
      if (!file.is_string()) continue;
      auto app = load_app_definition(file.get<std::string>());
      if (!app) throw Failure(TS_ERROR, app.error().message);
      setup.declare_rule(app->info.id, app->info.version, app->info.title);
      apps_.push_back(app.take());
    }
    setup.declare_rule(kGuessed, "1", "What looks like messages in databases that no definition reads");
  }

  ts_status begin(Job& job) override {
    if (job.media_type() == "application/x-sqlite3-pages") {
      read_pages(job);
      return TS_DONE;
    }
    const std::string_view path = job.path();
    bool claimed = any_path_;
    for (const AppDefinition& app : apps_) {
      const auto source = std::find_if(app.sources.begin(), app.sources.end(),
                                       [&](const AppSource& s) { return any_matches(s.paths, path); });
      if (source == app.sources.end()) {
        if (any_path_) try_sources(job, app);
        continue;
      }
      claimed = true;
      if (job.media_type() != "application/octet-stream") {
        Extraction(job, app, *source).run();
      } else if (!source->encrypted.empty() && looks_encrypted(job)) {
        job.emit_problem(
            "encrypted",
            app.info.title + ": the database is encrypted and was not read; it takes " + source->encrypted);
      }
    }
    if (!claimed && job.media_type() != "application/octet-stream" && !take_by_tables(job)) guess(job);
    return TS_DONE;
  }

 private:
  /// Pages of tables without their database: by the definitions of the databases that they may be of.
  void read_pages(Job& job) {
    const std::uint32_t count = job.page_databases();
    for (std::uint32_t i = 0; i < count && !job.cancelled(); ++i) {
      const std::string path = job.use_page_database(i);
      if (path.empty()) {
        if (const Choice best = best_fit(job); best.app) Extraction(job, *best.app, *best.source).run_pages();
        continue;
      }
      for (const AppDefinition& app : apps_) {
        const auto source = std::find_if(app.sources.begin(), app.sources.end(),
                                         [&](const AppSource& s) { return any_matches(s.paths, path); });
        if (source == app.sources.end()) continue;
        Extraction extraction(job, app, *source);
        extraction.set_path(path);
        extraction.run_pages();
      }
    }
  }

  struct Choice {
    const AppDefinition* app = nullptr;
    const AppSource* source = nullptr;
  };
  /// Of tables that pages define themselves: the definition that asks most of those that fit; null if none
  /// does.
  Choice best_fit(Job& job) const {
    Choice best;
    std::size_t most = 0;
    for (const AppDefinition& app : apps_) {
      for (const AppSource& source : app.sources) {
        const std::size_t asked = Extraction(job, app, source).required_columns();
        if (asked <= most) continue;
        most = asked;
        best = {&app, &source};
      }
    }
    return most < kLeastAsked ? Choice{} : best;
  }

  /// A copy, a backup or a carved database lies anywhere: whose tables these are, if they are anybody's.
  bool take_by_tables(Job& job) const {
    const AppDefinition* best_app = nullptr;
    const AppSource* best_source = nullptr;
    std::size_t most = 0;
    Schema schema;
    if (apps_.empty() || !schema.read(job)) return false;
    for (const AppDefinition& app : apps_) {
      for (const AppSource& source : app.sources) {
        if (!may_fit(schema, source)) continue;
        const std::size_t likeness = Extraction(job, app, source).likeness();
        if (likeness <= most) continue;
        most = likeness;
        best_app = &app;
        best_source = &source;
      }
    }
    if (most == 0) return false;
    Extraction(job, *best_app, *best_source).run_elsewhere();
    return true;
  }

  /// Whether a version has all its tables: most databases have none of any.
  static bool may_fit(const Schema& schema, const AppSource& source) {
    return std::any_of(source.versions.begin(), source.versions.end(), [&](const AppVersion& version) {
      return std::all_of(version.required.begin(), version.required.end(),
                         [&](const AppRequiredTable& table) { return schema.has(table.table); });
    });
  }

  static void guess(Job& job) {
    AppDefinition app;
    app.info.id = app_of_path(job.path());
    app.info.title = app.info.id;
    const AppSource source;
    Extraction(job, app, source).run_unclaimed();
  }

  /// A database that lies nowhere: the first source that it fits, or why it fits none.
  static void try_sources(Job& job, const AppDefinition& app) {
    for (const AppSource& source : app.sources)
      if (Extraction(job, app, source).fits()) return Extraction(job, app, source).run();
    std::vector<std::size_t> distances;
    distances.reserve(app.sources.size());
    for (const AppSource& source : app.sources) distances.push_back(Extraction(job, app, source).distance());
    const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
    std::string others;
    for (const AppSource& source : app.sources)
      if (&source != &app.sources[static_cast<std::size_t>(nearest)])
        others += Extraction(job, app, source).misfits();
    Extraction told(job, app, app.sources[static_cast<std::size_t>(nearest)]);
    told.set_other_misfits(std::move(others));
    told.run();
  }

  std::vector<AppDefinition> apps_;
  bool any_path_ = false;  ///< setting of `rules try`
};

}  // namespace
}  // namespace touchstone::appdata

TOUCHSTONE_PLUGIN(touchstone::appdata::AppData)

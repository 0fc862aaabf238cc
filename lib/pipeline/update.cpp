// --update: what has to be done again when something that decides results has changed.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "pipeline/triage_state.hpp"

namespace touchstone {
namespace {

using nlohmann::json;

// Everything that a run writes, in an order that needs no foreign keys.
constexpr const char* kResults[] = {
    "volume",       "content",      "item_row", "message", "attachment", "conversation", "call",
    "contact",      "account",      "location", "visit",   "event",      "note",         "picture_row",
    "video_row",    "document_row", "finding",  "lead",    "search",     "problem",      "damage",
    "out_of_scope", "timing",       "unit",     "exhibit", "plugin_run", "declared_rule"};
constexpr const char* kPluginTables[] = {"message",   "attachment",   "call",    "contact", "account",
                                         "location",  "visit",        "event",   "note",    "picture_row",
                                         "video_row", "document_row", "finding", "problem"};

/// First two components of the paths in which two fingerprints differ.
std::set<std::pair<std::string, std::string>> changes(const json& before, const json& after) {
  std::set<std::pair<std::string, std::string>> changed;
  for (const json& step : json::diff(before, after)) {
    const json::json_pointer pointer(step["path"].get<std::string>());
    std::string text = pointer.to_string().substr(1);
    const std::size_t slash = text.find('/');
    std::string second = slash == std::string::npos ? "" : text.substr(slash + 1);
    changed.emplace(text.substr(0, slash), second.substr(0, second.find('/')));
  }
  return changed;
}

/// Whether two case files agree in all that decides what is read: exhibits, zones, scopes.
bool same_reading(const std::string& before, const CaseFile* after) {
  if (before.empty() || !after) return before.empty() && !after;
  const auto old = parse_case_file(before, "the case file of the last run");
  if (!old || old->time_zone != after->time_zone || old->country != after->country ||
      old->exhibits.size() != after->exhibits.size())
    return false;
  for (std::size_t i = 0; i < old->exhibits.size(); ++i) {
    const CaseExhibit &a = old->exhibits[i], &b = after->exhibits[i];
    if (a.ref != b.ref || a.role != b.role || a.time_zone != b.time_zone ||
        a.scope.has_value() != b.scope.has_value())
      return false;
    if (a.scope) return false;  // a scope's parties are persons of the case file: read it all again
  }
  return true;
}

/// The plugins whose results follow from what changed.
std::set<std::string> closure(const Triage::State& state, std::set<std::string> changed) {
  bool extractors = changed.contains("") || changed.contains("appdata") || changed.contains("pictures");
  for (const PluginFile& file : state.plugin_files) {
    if (file.usable() && changed.contains(file.name) &&
        (file.table->roles & (TS_ROLE_EXTRACTOR | TS_ROLE_PROVIDER)))
      extractors = true;
  }
  for (const PluginFile* plugin : state.plugins) {
    const ts_plugin_v1& table = *plugin->table;
    if (extractors && (table.inputs & (TS_INPUT_RECORDS | TS_INPUT_TEXT))) changed.insert(plugin->name);
    // Known files are spared costly plugins.
    if (changed.contains("hashes") && table.costly) changed.insert(plugin->name);
  }
  return changed;
}

void start_over(Database& db) {
  for (const char* table : kResults) db.execute(fmt::format("DELETE FROM {}", table));
  db.execute("DELETE FROM setting WHERE name IN ('ready', 'finalised') OR name GLOB 'partial:*'");
}

/// Takes back what the plugins gave and lets the units run again with those of them that are still chosen.
void run_again(Triage::State& state, const std::set<std::string>& plugins) {
  Database& db = state.writer->database();
  for (const std::string& name : plugins) {
    for (const char* table : kPluginTables)
      db.prepare(fmt::format("DELETE FROM {} WHERE plugin = ?1", table)).bind(1, name).run();
    for (const char* table : {"plugin_run", "declared_rule"})
      db.prepare(fmt::format("DELETE FROM {} WHERE plugin = ?1", table)).bind(1, name).run();
  }
  db.execute("DELETE FROM setting WHERE name IN ('ready', 'finalised')");
  // States are worked out anew from the problems that are left.
  db.execute("UPDATE content SET state = NULL, reason = NULL");
  db.execute(
      "UPDATE item_row SET state = 'examined', reason = NULL WHERE state IN ('partly_examined', 'encrypted') "
      "AND content_id IS NOT NULL");
  std::vector<std::string> still;
  for (const PluginFile* plugin : state.plugins) {
    if (plugins.contains(plugin->name)) still.push_back(plugin->name);
  }
  if (still.empty()) return;
  auto units = db.prepare("SELECT id, spec FROM unit WHERE kind IN (?1, ?2)");
  units.bind(1, static_cast<int>(wire::UNIT_ITEM)).bind(2, static_cast<int>(wire::UNIT_MEMBERS));
  auto update = db.prepare("UPDATE unit SET state = 0, spec = ?2 WHERE id = ?1");
  while (units.step()) {
    wire::Unit spec;
    if (!spec.ParseFromString(units.blob(1))) continue;
    // A unit that never ran runs whole.
    auto open = db.prepare("SELECT state FROM unit WHERE id = ?1");
    open.bind(1, units.integer(0));
    if (!open.step() || open.integer(0) != static_cast<int>(UnitState::done)) continue;
    spec.clear_only();
    for (const std::string& name : still) spec.add_only(name);
    update.bind(1, units.integer(0)).bind_blob(2, spec.SerializeAsString()).run();
  }
}

}  // namespace

Status update_folder(Triage::State& state, const std::string& before) {
  const json old = json::parse(before, nullptr, false), now = json::parse(state.fingerprint);
  std::set<std::string> plugins;
  bool everything = !old.is_object();
  for (const auto& [part, name] :
       everything ? std::set<std::pair<std::string, std::string>>{} : changes(old, now)) {
    if (part == "exhibits") {
      return Error{
          ErrorCode::invalid,
          fmt::format("{}: the exhibits are not those this folder was made from; choose another folder",
                      state.options.out)};
    }
    if (part == "plugins") plugins.insert(name);
    if (part == "rules" && name.starts_with("scope")) everything = true;
    if (part == "case")
      everything =
          everything || !same_reading(state.writer->setting("case_file").value_or(""), state.case_file.get());
    if (part == "version" || part == "processor" || part == "libraries" || part == "free_space" ||
        part == "secrets")
      everything = true;
  }
  const std::set<std::string> affected = closure(state, plugins);
  // Another reader of containers, another set of members.
  for (const PluginFile& file : state.plugin_files) {
    everything = everything || (affected.contains(file.name) &&
                                (!file.usable() || (file.table->inputs & TS_INPUT_MEMBERS)));
  }
  if (everything) {
    start_over(state.writer->database());
  } else if (!affected.empty()) {
    run_again(state, affected);
  } else {
    state.writer->database().execute("DELETE FROM setting WHERE name = 'finalised'");
  }
  state.writer->reload();
  state.notes.push_back(everything ? "everything is examined again"
                        : affected.empty()
                            ? "only ranking and reports are made again"
                            : fmt::format("examined again: what {} plugins found", affected.size()));
  return {};
}

}  // namespace touchstone

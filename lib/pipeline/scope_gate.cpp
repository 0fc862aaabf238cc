#include "pipeline/scope_gate.hpp"

#include <nlohmann/json.hpp>

namespace touchstone {
namespace {

const std::string* text_field(const Record& record, std::string_view column) {
  const Value* value = record.find(column);
  return value ? std::get_if<std::string>(value) : nullptr;
}

std::optional<TimeUs> time_field(const Record& record, std::string_view column) {
  const Value* value = record.find(column);
  const auto* time = value ? std::get_if<std::int64_t>(value) : nullptr;
  return time ? std::optional<TimeUs>(*time) : std::nullopt;
}

/// The strings of a JSON array; of an array of {kind, value} the values.
std::vector<std::string> strings_of(const std::string& json) {
  std::vector<std::string> strings;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_array()) return strings;
  for (const auto& entry : parsed) {
    if (entry.is_string()) strings.push_back(entry.get<std::string>());
    if (entry.is_object() && entry.contains("value") && entry["value"].is_string())
      strings.push_back(entry["value"].get<std::string>());
  }
  return strings;
}

}  // namespace

Result<ScopeGate> ScopeGate::make(const CaseFile* case_file, const std::string& ref, Role role,
                                  const std::string& rules_dir,
                                  std::shared_ptr<const std::vector<AppDefinition>> apps) {
  auto defaults = load_scope_defaults(rules_dir);
  if (!defaults) return defaults.error();
  auto rules = ScopeRules::make(case_file, case_file ? case_file->exhibit(ref) : nullptr, role, *defaults);
  if (!rules) return rules.error();
  ScopeGate gate(rules.take(), std::move(apps));
  for (const AppDefinition& app : *gate.apps_) {
    for (const AppSource& source : app.sources)
      gate.app_globs_.insert(gate.app_globs_.end(), source.paths.begin(), source.paths.end());
  }
  return gate;
}

ScopeVerdict ScopeGate::decide(std::string_view path, std::optional<TimeUs> modified, ItemKind kind) const {
  std::vector<std::string> apps;
  if (rules_.limited()) apps = matching_apps(*apps_, path);
  return rules_.decide({path, modified, kind, apps});
}

bool ScopeGate::may_descend(std::string_view path) const {
  return !rules_.limited() || rules_.may_descend(path, app_globs_);
}

bool ScopeGate::passes(const Record& record) const {
  if (!rules_.limited()) return true;
  ScopeRecord view;
  view.kind = record.kind;
  if (const auto* app = text_field(record, "app")) view.app = *app;
  for (const char* column : {"sent", "received", "started", "taken", "visited", "starts", "ends"}) {
    const auto time = time_field(record, column);
    if (time && !view.time) view.time = *time;
  }
  std::vector<std::string> listed;
  for (const char* column : {"recipients", "identifiers", "participants"}) {
    if (const auto* json = text_field(record, column)) {
      for (auto& each : strings_of(*json)) listed.push_back(std::move(each));
    }
  }
  for (const char* column : {"sender", "party", "conversation", "organiser"}) {
    if (const auto* party = text_field(record, column)) listed.push_back(*party);
  }
  for (const std::string& party : listed) view.parties.emplace_back(party);
  if (record.kind != "note") return rules_.passes(view);
  // What a note says may be as old as the note, and as new as its last change.
  view.time = time_field(record, "created");
  if (const auto modified = time_field(record, "modified")) {
    if (view.time && !rules_.passes(view)) return false;
    view.time = modified;
  }
  return rules_.passes(view);
}

}  // namespace touchstone

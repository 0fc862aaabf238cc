#include "report/page_parts.hpp"

#include "report/text.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

// Longer texts are shortened on the page, with a note; the JSON Lines hold all of them.
constexpr std::size_t kPageTextLimit = 16 * 1024;
constexpr std::size_t kParsedLimit = 1 << 20;

json first_of(const json& settings, std::initializer_list<const char*> pointers) {
  for (const char* pointer : pointers) {
    const auto* value =
        settings.contains(json::json_pointer(pointer)) ? &settings.at(json::json_pointer(pointer)) : nullptr;
    if (value && value->is_string() && !value->get_ref<const std::string&>().empty()) return *value;
  }
  return nullptr;
}

}  // namespace

std::string page_text(const std::string& text) {
  bool cut = false;
  std::string shown = shortened(text, kPageTextLimit, &cut);
  if (cut)
    shown +=
        " … [shortened here: " + std::to_string(text.size()) + " bytes in all, whole in the .jsonl file]";
  return shown;
}

json cell(const Statement& statement, int column) {
  const Value value = statement.value(column);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return page_text(*text);
  return nullptr;
}

json parsed(const std::string& text) {
  std::string canonical;
  if (text.size() > kParsedLimit || !append_canonical_json(canonical, text)) return page_text(text);
  return json::parse(canonical, nullptr, false);
}

json row_object(const Statement& statement) {
  json row = json::object();
  for (int i = 0; i < statement.columns(); ++i) {
    if (!statement.is_null(i)) row[statement.column_name(i)] = cell(statement, i);
  }
  return row;
}

json party(PageContext& page, std::int64_t exhibit, const std::string& identifier, const std::string& app) {
  json out = json::object();
  const PartyName& name = page.names.of(exhibit, identifier, app);
  if (!name.shown().empty()) out["name"] = page_text(name.shown());
  if (!name.role.empty() && name.role != "other") out["role"] = name.role;
  return out;
}

std::int64_t count(const Database& db, const std::string& sql) {
  Statement statement = db.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

json read_case_facts(const Database& db) {
  json settings = json::object();
  Statement run = db.prepare("SELECT settings, fingerprint FROM run ORDER BY id DESC LIMIT 1");
  std::string fingerprint;
  if (run.step()) {
    if (json value = parsed(run.text(0)); value.is_object()) settings = std::move(value);
    fingerprint = run.text(1);
  }
  Statement setting = db.prepare("SELECT name, value FROM setting");
  while (setting.step()) {
    const json value = parsed(setting.text(1));
    const std::string name = setting.text(0);
    if (name == "case" && value.is_object()) settings["case"] = value;
    if (!settings.contains(name) &&
        (name == "reference" || name == "case_reference" || name == "title" || name == "time_zone")) {
      settings[name] = setting.text(1);
    }
  }
  return {{"reference", first_of(settings, {"/case/reference", "/reference", "/case_reference"})},
          {"title", first_of(settings, {"/case/title", "/title"})},
          {"time_zone", first_of(settings, {"/case/time_zone", "/time_zone"})},
          {"fingerprint", fingerprint},
          {"previews", first_of(settings, {"/previews"})}};
}

}  // namespace touchstone::report

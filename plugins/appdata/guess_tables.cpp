#include "guess_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "schema.hpp"

namespace touchstone::appdata {
namespace {

constexpr std::size_t kMaxTables = 2000, kMaxColumns = 40;
/// Of JSON: columns looked into for each table, rows of each, bytes of a value, members with a role.
constexpr std::size_t kMaxJsonColumns = 4, kJsonRows = 100, kMaxJson = 65536, kMaxMembers = 60;
constexpr double kMostlyJson = 0.9;

/// Whether a name can stand in SQL of ours, quoted.
bool is_plain(std::string_view name) {
  return name.find('\0') == std::string_view::npos && name.find("{file_name}") == std::string_view::npos;
}

/// Whether a member's name can stand in a path of JSON without quotes.
bool is_plain_member(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// FTS names the columns of its shadow table docid, c0…, c1…:
/// https://www.sqlite.org/fts3.html#_shadow_tables_
bool is_shadow(const std::vector<std::string>& columns) {
  for (std::size_t i = 1; i < columns.size(); ++i)
    if (!columns[i].starts_with("c" + std::to_string(i - 1))) return false;
  return columns.size() > 1;
}

std::vector<std::string> names_of(const sqlite::TableShape& shape) {
  std::vector<std::string> names;
  names.reserve(shape.columns.size());
  for (const sqlite::Column& column : shape.columns) names.push_back(column.name);
  return names;
}

std::optional<std::string> column_named(const sqlite::TableShape& shape, std::string_view folded) {
  for (const sqlite::Column& column : shape.columns)
    if (fold(column.name) == folded) return column.name;
  return std::nullopt;
}

/// Whether JSON of an app may stand in a column of this name.
bool may_hold_json(std::string_view name) {
  static constexpr std::array kNames{"data", "json",   "payload",  "content", "body",  "message", "msg",
                                     "text", "value",  "object",   "raw",     "extra", "info",    "doc",
                                     "blob", "entity", "document", "record",  "event"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
  });
}

class TableFinder {
 public:
  TableFinder(Job& job, const std::set<std::string>& skip, const std::set<std::string>* only)
      : job_(&job), skip_(&skip), only_(only) {}

  GuessTables run() {
    read_tables();
    for (const GuessTable& table : bare_) {
      if (table.may_hold_messages()) found_.plain.push_back(table);
      if (job_->cancelled()) return std::move(found_);
      add_joined(table);
      add_json(table);
    }
    return std::move(found_);
  }

 private:
  /// Names of the schema are read by a query of its own kind: nothing of the evidence is asked yet.
  void read_tables() {
    Query query = job_->query(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' AND "
        "length(sql) < 1000000");
    if (!query) return;
    while (query.step() && found_.all.size() < kMaxTables) {
      const ts_value name = query.value(0), sql = query.value(1);
      if (name.kind != TS_TEXT || sql.kind != TS_TEXT) continue;
      add_table(std::string(from_abi(name.text)), std::string(from_abi(sql.text)));
    }
  }

  void add_table(const std::string& name, std::string sql) {
    auto shape = sqlite::parse_create_table(sql);
    // What SQLite itself would call it is what counts; where the two differ the schema lies.
    if (!shape || fold(shape->name) != fold(name) || !is_plain(name)) return;
    const std::string folded = fold(name);
    found_.all.emplace(folded, *shape);
    auto ddl = std::make_shared<const std::string>(std::move(sql));
    ddl_.emplace(folded, ddl);
    if (folded.starts_with("sqlite_") || skip_->contains(folded)) return;
    if (only_ && !only_->contains(folded)) return;
    const std::vector<std::string> names = names_of(*shape);
    if (speaks_of_other_things(name, names)) return;
    GuessTable table{std::move(*shape),           std::move(ddl),   {}, {},
                     is_named_for_messages(name), is_shadow(names), {}};
    add_columns(table, names, "m", {});
    bare_.push_back(std::move(table));
  }

  void add_columns(GuessTable& table, const std::vector<std::string>& names, std::string_view alias,
                   const std::string& of) {
    const auto& ddl = of.empty() ? table.ddl : ddl_.at(fold(of));
    for (const std::string& name : names) {
      if (table.places.size() >= kMaxColumns || !is_plain(name)) continue;
      const ColumnGuess guess = guess_column(name);
      // The text is the row's own: what another table says is said there.
      if (guess.role == ColumnRole::none || (guess.role == ColumnRole::text && !of.empty())) continue;
      table.places.push_back({of.empty() ? name : fmt::format("{}.{}", of, name), name,
                              fmt::format("{}.{}", alias, appdata::quoted(name)), ddl, guess});
    }
  }

  /// A table with texts whose rows refer to those of another, which has the times and parties.
  void add_joined(const GuessTable& table) {
    if (table.shadow || !table.has(ColumnRole::text) || table.has(ColumnRole::time)) return;
    for (std::size_t i = 0; i < table.shape.columns.size() && i < kMaxColumns; ++i) {
      const std::string& column = table.shape.columns[i].name;
      if (!is_plain(column)) continue;
      for (const std::string& folded : tables_that_may_be_meant(fold(column)))
        if (add_joined(table, column, folded)) return;
    }
  }

  /// By "message_id": message and messages; by Core Data's ZMESSAGE: the table of that name.
  static std::vector<std::string> tables_that_may_be_meant(const std::string& name) {
    std::vector<std::string> result{name};
    for (const char* end : {"_row_id", "_id", "id"}) {
      if (!name.ends_with(end)) continue;
      const std::string stem = name.substr(0, name.size() - std::string_view(end).size());
      if (stem.empty()) continue;
      result.push_back(stem);
      result.push_back(stem + "s");
    }
    return result;
  }

  bool add_joined(const GuessTable& table, const std::string& column, const std::string& folded) {
    const auto found = found_.all.find(folded);
    if (found == found_.all.end() || folded == fold(table.shape.name) || folded.starts_with("sqlite_"))
      return false;
    const sqlite::TableShape& other = found->second;
    if (!is_plain(other.name) || speaks_of_other_things(other.name, names_of(other))) return false;
    // Its own column of that name, else its number.
    std::optional<std::string> key =
        folded == fold(column) ? std::nullopt : column_named(other, fold(column));
    if (!key && other.row_id_column) key = other.columns[*other.row_id_column].name;
    if (!key) return false;
    GuessTable joined = table;
    joined.joined = folded;
    joined.named = table.named || is_named_for_messages(other.name);
    joined.joins = fmt::format(" LEFT JOIN {} j ON j.{} = m.{}", appdata::quoted(other.name),
                               appdata::quoted(*key), appdata::quoted(column));
    add_columns(joined, names_of(other), "j", other.name);
    if (!joined.named || !joined.may_hold_messages()) return false;
    found_.joined.push_back(std::move(joined));
    return true;
  }

  void add_json(const GuessTable& table) {
    if (table.shadow) return;
    std::size_t columns = 0;
    for (const sqlite::Column& column : table.shape.columns) {
      if (columns >= kMaxJsonColumns || !is_plain(column.name) || !may_hold_json(column.name)) continue;
      ++columns;
      GuessTable with_json = table;
      std::erase_if(with_json.places,
                    [](const GuessPlace& place) { return place.guess.role == ColumnRole::text; });
      add_members(with_json, column.name);
      if (with_json.may_hold_messages()) found_.json.push_back(std::move(with_json));
    }
  }

  void add_members(GuessTable& table, const std::string& column) {
    const std::string name = appdata::quoted(column);
    Query rows = job_->query(fmt::format(
        "SELECT CAST({0} AS TEXT) FROM {1} WHERE {0} IS NOT NULL AND length({0}) BETWEEN 2 AND {2} "
        "LIMIT {3}",
        name, appdata::quoted(table.shape.name), kMaxJson, kJsonRows));
    if (!rows) return;
    std::size_t seen = 0, objects = 0;
    std::map<std::string, std::size_t> members;
    while (rows.step()) {
      ++seen;
      const ts_value value = rows.value(0);
      if (value.kind != TS_TEXT || !from_abi(value.text).starts_with('{')) {
        if (seen >= 20 && objects == 0) return;  // a column of something else
        continue;
      }
      const auto json = nlohmann::json::parse(from_abi(value.text), nullptr, false);
      if (!json.is_object()) continue;
      ++objects;
      note_members(json, members);
    }
    if (objects == 0 || static_cast<double>(objects) < kMostlyJson * static_cast<double>(seen)) return;
    for (const auto& [path, count] : members) {
      if (table.places.size() >= kMaxColumns + kMaxMembers) return;
      const ColumnGuess guess = guess_column(path);
      if (guess.role == ColumnRole::none) continue;
      table.places.push_back({fmt::format("{} $.{}", column, path), path,
                              fmt::format("json_get(m.{}, '$.{}')", name, path), table.ddl, guess});
    }
  }

  /// Paths of the members that are no objects or arrays, one within another at most.
  static void note_members(const nlohmann::json& json, std::map<std::string, std::size_t>& members) {
    const auto note = [&](const std::string& path, const nlohmann::json& value) {
      if (value.is_primitive() && !value.is_null() && (members.size() < 1000 || members.contains(path)))
        ++members[path];
    };
    for (const auto& [name, value] : json.items()) {
      if (!is_plain_member(name)) continue;
      note(name, value);
      if (!value.is_object()) continue;
      for (const auto& [inner, inner_value] : value.items())
        if (is_plain_member(inner)) note(fmt::format("{}.{}", name, inner), inner_value);
    }
  }

  Job* job_;
  const std::set<std::string>* skip_;
  const std::set<std::string>* only_;
  std::vector<GuessTable> bare_;
  std::map<std::string, std::shared_ptr<const std::string>> ddl_;  ///< by folded name
  GuessTables found_;
};

}  // namespace

bool GuessTable::has(ColumnRole role) const {
  return std::any_of(places.begin(), places.end(),
                     [&](const GuessPlace& place) { return place.guess.role == role; });
}

bool GuessTable::may_hold_messages() const {
  return has(ColumnRole::text) && has(ColumnRole::time) &&
         (has(ColumnRole::sender) || has(ColumnRole::other_party) || has(ColumnRole::conversation));
}

GuessTables find_guess_tables(Job& job, const std::set<std::string>& skip,
                              const std::set<std::string>* only) {
  return TableFinder(job, skip, only).run();
}

}  // namespace touchstone::appdata

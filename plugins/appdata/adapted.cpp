#include "adapted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fields.hpp"

namespace touchstone::appdata {
namespace {

/// Fewer columns are in too many tables to tell one by.
constexpr std::size_t kMinOptionalColumns = 2, kMinColumnsOfStranger = 4, kMinRelatedName = 3;

bool is_main_kind(const AppQuery& query) {
  return query.kind == "message" || query.kind == "call" || query.kind == "event" || query.kind == "note" ||
         query.kind == "visit";
}

bool is_among(const std::vector<AppRequiredTable>& tables, std::string_view folded) {
  return std::any_of(tables.begin(), tables.end(),
                     [&](const AppRequiredTable& table) { return fold(table.table) == folded; });
}

/// A name without what updates add to it or change of it: separators and digits.
std::string bare(std::string_view name) {
  std::string result;
  for (const char c : fold(name))
    if (c >= 'a' && c <= 'z') result += c;
  return result;
}

bool are_related(std::string_view a, std::string_view b) {
  const std::string first = bare(a), second = bare(b);
  if (std::min(first.size(), second.size()) < kMinRelatedName) return false;
  return first.find(second) != std::string::npos || second.find(first) != std::string::npos;
}

class Adapter {
 public:
  Adapter(Job& job, Schema& schema, const AppVersion& version)
      : job_(&job), schema_(&schema), source_(&version) {}

  std::optional<AdaptedVersion> run() {
    find_main_tables();
    for (const std::string& table : source_->absent)
      if (schema_->has(table)) return std::nullopt;
    result_.version = *source_;
    for (const AppRequiredTable& required : source_->required)
      if (!take(required)) return std::nullopt;
    for (const AppRequiredTable& optional : source_->optional) take_optional(optional);
    if (result_.notes.empty() || !holds()) return std::nullopt;
    std::erase_if(result_.version.queries,
                  [&](const AppQuery& query) { return unreadable_.contains(fold(query.table)); });
    for (AppQuery& query : result_.version.queries) query.table = result_.name_of(query.table);
    return std::move(result_);
  }

 private:
  /// The tables that what people said stands in; without any, all that records come from.
  void find_main_tables() {
    const bool has_main = std::any_of(source_->queries.begin(), source_->queries.end(),
                                      [](const AppQuery& query) { return is_main_kind(query); });
    for (const AppQuery& query : source_->queries)
      if (!has_main || is_main_kind(query)) main_.insert(fold(query.table));
  }

  bool is_named(std::string_view folded) const {
    return is_among(source_->required, folded) || is_among(source_->optional, folded) ||
           is_among(source_->known, folded);
  }

  bool has_all(std::string_view table, const AppRequiredTable& wanted) {
    const std::set<std::string>& have = schema_->columns(*job_, table);
    return std::all_of(wanted.columns.begin(), wanted.columns.end(),
                       [&](const std::string& column) { return have.contains(fold(column)); });
  }

  /// The one table of the database that the definition does not name and that has these columns.
  std::string other_name(const AppRequiredTable& wanted, bool related_only) {
    std::vector<std::string> related, strangers;
    for (const auto& [folded, name] : schema_->tables()) {
      const bool is_related = are_related(name, wanted.table);
      if ((related_only && !is_related) || folded.starts_with("sqlite_") ||
          name.find('\0') != std::string::npos || is_named(folded) || taken_.contains(folded) ||
          !has_all(folded, wanted))
        continue;
      (is_related ? related : strangers).push_back(name);
    }
    if (related.size() == 1) return related.front();
    if (!related.empty() || related_only || wanted.columns.size() < kMinColumnsOfStranger ||
        strangers.size() != 1)
      return {};
    return strangers.front();
  }

  void rename(const AppRequiredTable& table, const std::string& name) {
    taken_.insert(fold(name));
    result_.version.known.push_back({name, {}});  // read, though by no name of the definition
    result_.renamed.emplace(fold(table.table), name);
    add(table.table, fmt::format("SELECT * FROM {}", appdata::quoted(name)));
    note(fmt::format("table {} is missing, {} has its columns and is read in its place", table.table,
                     valid_utf8(std::string_view(name).substr(0, 80))));
  }

  bool take(const AppRequiredTable& required) {
    const std::string folded = fold(required.table);
    const bool is_main = main_.contains(folded);
    if (!schema_->has(required.table)) {
      if (const std::string name = other_name(required, false); !name.empty())
        return rename(required, name), true;
      if (is_main) return false;
      add(required.table, "SELECT " + nulls(required.columns) + " WHERE 0");
      unreadable_.insert(folded);
      note(fmt::format("table {} is missing: what it tells of messages is left empty", required.table));
      return true;
    }
    std::vector<std::string> missing;
    const std::set<std::string>& have = schema_->columns(*job_, required.table);
    for (const std::string& column : required.columns)
      if (!have.contains(fold(column))) missing.push_back(column);
    if (missing.empty()) return true;
    if (is_main || missing.size() == required.columns.size()) return false;
    add(required.table,
        fmt::format("SELECT *, {} FROM main.{}", nulls(missing), appdata::quoted(required.table)));
    unreadable_.insert(folded);
    std::string names;
    for (const std::string& column : missing) names.append(names.empty() ? "" : ", ").append(column);
    note(fmt::format("table {} lacks {}: what it tells of messages is left empty", required.table, names));
    return true;
  }

  /// What may be missing is no note; under another name it is.
  void take_optional(const AppRequiredTable& optional) {
    if (schema_->has(optional.table) || optional.columns.size() < kMinOptionalColumns) return;
    if (const std::string name = other_name(optional, true); !name.empty()) rename(optional, name);
  }

  bool holds() {
    if (source_->when.empty()) return true;
    Query query = job_->query(with_tables(result_.tables, source_->when));
    if (!query || !query.step()) return false;
    const ts_value value = query.value(0);
    return value.kind == TS_INTEGER && value.integer != 0;
  }

  static std::string nulls(const std::vector<std::string>& columns) {
    std::string text;
    for (const std::string& column : columns)
      text.append(text.empty() ? "" : ", ").append("NULL AS ").append(appdata::quoted(column));
    return text;
  }
  void add(const std::string& table, const std::string& select) {
    if (!result_.tables.empty()) result_.tables += ",\n";
    result_.tables.append(appdata::quoted(table)).append(" AS NOT MATERIALIZED (").append(select).append(")");
  }
  void note(std::string text) { result_.notes.push_back(std::move(text)); }

  Job* job_;
  Schema* schema_;
  const AppVersion* source_;
  AdaptedVersion result_;
  std::set<std::string> main_, taken_, unreadable_;  ///< folded
};

}  // namespace

std::string_view AdaptedVersion::name_of(std::string_view table) const {
  const auto found = renamed.find(fold(table));
  return found == renamed.end() ? table : std::string_view(found->second);
}

std::optional<AdaptedVersion> adapted(Job& job, Schema& schema, const AppVersion& version) {
  return Adapter(job, schema, version).run();
}

std::string with_tables(const std::string& tables, const std::string& sql) {
  return tables.empty() ? sql : fmt::format("WITH {}\nSELECT * FROM (\n{}\n)", tables, sql);
}

}  // namespace touchstone::appdata

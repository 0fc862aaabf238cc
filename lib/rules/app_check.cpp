// The slow part of checking an app definition: SQLite prepares each query over empty tables.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <set>

#include "content/functions/sql_functions.hpp"
#include "rules/app_definition.hpp"
#include "rules/sql_text.hpp"

namespace touchstone {
namespace {

struct Closer {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

class AppChecker {
 public:
  explicit AppChecker(const AppDefinition& app) : app_(app) {}

  Status run() {
    for (const AppSource& source : app_.sources) {
      for (const AppVersion& version : source.versions) check(version);
    }
    if (errors_.empty()) return {};
    std::string message;
    for (std::size_t i = 0; i < errors_.size() && i < kMaxRuleErrors; ++i)
      message += (i ? "\n" : "") + errors_[i];
    return Error{ErrorCode::invalid, message};
  }

 private:
  void error(SourcePlace place, std::string_view message) {
    errors_.push_back(at_place(app_.info.path, place, message));
  }

  bool create_tables(sqlite3* db, const AppVersion& version) {
    for (const AppRequiredTable& table : version.required) {
      std::string columns;
      for (const std::string& column : table.columns)
        columns += (columns.empty() ? "" : ", ") + quoted(column);
      const std::string sql = fmt::format("CREATE TABLE {}({})", quoted(table.table), columns);
      if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) continue;
      error(version.place, fmt::format("requires: {}", sqlite3_errmsg(db)));
      return false;
    }
    return true;
  }

  std::unique_ptr<sqlite3_stmt, Finalizer> prepare(sqlite3* db, const std::string& sql, SourcePlace place) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) {
      error(place, fmt::format("SQL: {} (only what \"requires\" names can be read)", sqlite3_errmsg(db)));
    }
    return std::unique_ptr<sqlite3_stmt, Finalizer>(raw);
  }

  /// With all of what is optional, then with none of it.
  void check(const AppVersion& version) {
    AppVersion whole = version;
    for (const AppRequiredTable& more : version.optional) {
      auto have = std::find_if(whole.required.begin(), whole.required.end(), [&](const AppRequiredTable& t) {
        return lower_ascii(t.table) == lower_ascii(more.table);
      });
      if (have == whole.required.end()) have = whole.required.insert(have, {more.table, {}});
      have->columns.insert(have->columns.end(), more.columns.begin(), more.columns.end());
    }
    check_over(version, whole);
    if (!version.optional.empty() && errors_.empty()) check_over(version, version);
  }

  void check_over(const AppVersion& version, const AppVersion& tables) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr);
    const std::unique_ptr<sqlite3, Closer> db(raw);
    if (opened != SQLITE_OK || !register_sql_functions(raw, "GB"))
      return error(version.place, "SQLite cannot be started");
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0,
                      nullptr);  // "name" that is no column is an error, not a string
    if (!create_tables(raw, tables)) return;
    const auto has = [&](std::string_view table, std::string_view column) {
      return std::any_of(tables.required.begin(), tables.required.end(), [&](const AppRequiredTable& t) {
        return lower_ascii(t.table) == lower_ascii(table) &&
               (column.empty() || std::find(t.columns.begin(), t.columns.end(), column) != t.columns.end());
      });
    };
    if (!version.when.empty()) prepare(raw, version.when, version.place);
    for (const AppQuery& query : version.queries) {
      const auto statement = prepare(raw, runnable_sql(query.sql, version, has), query.place);
      if (statement) check_columns(query, statement.get());
    }
  }

  void check_columns(const AppQuery& query, sqlite3_stmt* statement) {
    const auto& known = record_columns(query.kind);
    std::set<std::string> seen;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const std::string name = sqlite3_column_name(statement, i);
      if (!seen.insert(name).second)
        error(query.place, fmt::format("the column \"{}\" is there twice", name));
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string near = nearest_word(name, known);
      error(query.place, fmt::format("a {} has no column \"{}\"{}", query.kind, name,
                                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
    }
    for (const auto& [name, value] : query.constants) {
      if (!seen.insert(name).second) {
        error(query.place, fmt::format("\"{}\" is both a constant and a column of the SQL", name));
      }
    }
    for (const std::string_view needed : {"source_row", "message_row"}) {
      const bool here = needed == "source_row" || query.kind == "attachment";
      if (here && !seen.count(std::string(needed))) {
        error(query.place, fmt::format("the SQL yields no column \"{}\"", needed));
      }
    }
  }

  const AppDefinition& app_;
  std::vector<std::string> errors_;
};

}  // namespace

Status check_app_queries(const AppDefinition& app) {
  return AppChecker(app).run();
}

}  // namespace touchstone

#include "content/database_stand_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace touchstone::detail {
namespace {

struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    if (c == '\0') continue;
    result += c;
    if (c == '"') result += c;
  }
  return result + '"';
}

int run(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

/// Prepares the statement; null and `rc` where that fails.
Statement prepare(sqlite3* db, const std::string& sql, int& rc) {
  sqlite3_stmt* raw = nullptr;
  rc = sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  return Statement(raw);
}

/// Allows writing to the temporary schema for its lifetime; the evidence is behind an overlay anyway.
class Writable {
 public:
  explicit Writable(sqlite3* db) : db_(db) { run(db_, "PRAGMA query_only=OFF"); }
  ~Writable() { run(db_, "PRAGMA query_only=ON"); }
  Writable(const Writable&) = delete;
  Writable& operator=(const Writable&) = delete;

 private:
  sqlite3* db_;
};

const char* type_name(sqlite::Affinity affinity) {
  switch (affinity) {
    case sqlite::Affinity::text:
      return "TEXT";
    case sqlite::Affinity::numeric:
      return "NUMERIC";
    case sqlite::Affinity::integer:
      return "INTEGER";
    case sqlite::Affinity::real:
      return "REAL";
    case sqlite::Affinity::blob:
      return "BLOB";
  }
  return "BLOB";
}

std::string fold(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

struct StandInColumn {
  std::string name;
  const char* type = "BLOB";
  std::size_t value = SIZE_MAX;  ///< index into the rows' values
};

/// The columns of the table as it is, or those of the rows where it is gone.
std::vector<StandInColumn> columns_of(sqlite3* db, std::string_view table, const StandInRows& rows) {
  std::vector<StandInColumn> columns;
  int rc = SQLITE_OK;
  if (const Statement as_it_is = prepare(db, fmt::format("SELECT * FROM main.{}", quoted(table)), rc)) {
    for (int i = 0; i < sqlite3_column_count(as_it_is.get()); ++i)
      columns.push_back({sqlite3_column_name(as_it_is.get(), i), "BLOB", SIZE_MAX});
  } else {
    for (const sqlite::Column& column : rows.columns) columns.push_back({column.name, "BLOB", SIZE_MAX});
  }
  for (StandInColumn& column : columns) {
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      if (fold(rows.columns[i].name) != fold(column.name)) continue;
      column.value = i;
      column.type = type_name(rows.columns[i].affinity);
      break;
    }
  }
  return columns;
}

int bind(sqlite3_stmt* statement, int at, const sqlite::SqlValue& value) {
  using Kind = sqlite::SqlValue::Kind;
  switch (value.kind) {
    case Kind::integer:
      return sqlite3_bind_int64(statement, at, value.integer);
    case Kind::real:
      return sqlite3_bind_double(statement, at, value.real);
    case Kind::text:
      return sqlite3_bind_text64(statement, at, value.bytes.data(), value.bytes.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    case Kind::blob:
      return sqlite3_bind_blob64(statement, at, value.bytes.data(), value.bytes.size(), SQLITE_STATIC);
    case Kind::null:
    case Kind::unknown:
      break;
  }
  return sqlite3_bind_null(statement, at);
}

/// Makes temp.NAME with those columns and fills it.
int make_table(sqlite3* db, const std::string& name, const std::vector<StandInColumn>& columns,
               const StandInRows& rows, bool with_number) {
  std::string definition, places;
  for (const StandInColumn& column : columns) {
    definition += fmt::format("{}{} {}", definition.empty() ? "" : ", ", quoted(column.name), column.type);
    places += ", ?";
  }
  if (with_number) definition += fmt::format(", {} INTEGER", quoted(StandInRows::kNumberColumn));
  if (const int rc = run(db, fmt::format("CREATE TEMP TABLE {} ({})", quoted(name), definition));
      rc != SQLITE_OK)
    return rc;
  std::string names = "rowid";
  for (const StandInColumn& column : columns) names += ", " + quoted(column.name);
  if (with_number) {
    names += ", " + quoted(StandInRows::kNumberColumn);
    places += ", ?1";
  }
  int rc = SQLITE_OK;
  const Statement insert = prepare(
      db, fmt::format("INSERT OR REPLACE INTO temp.{} ({}) VALUES (?{})", quoted(name), names, places), rc);
  if (!insert) return rc;
  for (const StandInRows::Row& row : rows.rows) {
    sqlite3_reset(insert.get());
    sqlite3_bind_int64(insert.get(), 1, row.row_id);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::size_t from = columns[i].value;
      static const sqlite::SqlValue null;
      rc =
          bind(insert.get(), static_cast<int>(i) + 2, from < row.values->size() ? (*row.values)[from] : null);
      if (rc != SQLITE_OK) return rc;
    }
    if ((rc = sqlite3_step(insert.get())) != SQLITE_DONE) return rc;
  }
  return SQLITE_OK;
}

std::string rows_name(std::string_view table) {
  return fmt::format("touchstone rows of {}", fold(table));
}

}  // namespace

int show_table(sqlite3* db, std::string_view table) {
  const Writable writable(db);
  // Either of the two is there, or none.
  run(db, fmt::format("DROP VIEW IF EXISTS temp.{}", quoted(table)));
  run(db, fmt::format("DROP TABLE IF EXISTS temp.{}", quoted(table)));
  return run(db, fmt::format("DROP TABLE IF EXISTS temp.{}", quoted(rows_name(table))));
}

int hide_table(sqlite3* db, DatabasePolicy& policy, std::string_view table, const StandInRows& rows) {
  const std::vector<StandInColumn> columns = columns_of(db, table, rows);
  if (const int rc = show_table(db, table); rc != SQLITE_OK) return rc;
  const Writable writable(db);
  policy.allow_temporary(table);
  // A table that has such a column of its own keeps it.
  const bool has_one = std::any_of(columns.begin(), columns.end(), [](const StandInColumn& column) {
    return fold(column.name) == StandInRows::kNumberColumn;
  });
  return make_table(db, std::string(table), columns, rows, !has_one);
}

int extend_table(sqlite3* db, DatabasePolicy& policy, std::string_view table, const StandInRows& rows) {
  const std::vector<StandInColumn> columns = columns_of(db, table, rows);
  if (const int rc = show_table(db, table); rc != SQLITE_OK) return rc;
  const Writable writable(db);
  policy.allow_temporary(table);
  policy.allow_temporary(rows_name(table));
  if (const int rc = make_table(db, rows_name(table), columns, rows, false); rc != SQLITE_OK) return rc;
  std::string names;
  for (const StandInColumn& column : columns) names += (names.empty() ? "" : ", ") + quoted(column.name);
  return run(db, fmt::format("CREATE TEMP VIEW {} AS SELECT {} FROM main.{} UNION ALL SELECT {} FROM temp.{}",
                             quoted(table), names, quoted(table), names, quoted(rows_name(table))));
}

}  // namespace touchstone::detail

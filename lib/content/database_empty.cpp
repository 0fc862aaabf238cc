#include "content/database_empty.hpp"

#include <sqlite3.h>

#include <cstring>
#include <string>

namespace touchstone::sqlite {
namespace {

/// Names that SQLite keeps for itself.
bool is_reserved(const std::string& name) {
  return sqlite3_strnicmp(name.c_str(), "sqlite_", 7) == 0;
}

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) result.append(c == '"' ? 2 : 1, c);
  return result + '"';
}

const char* name_of(Affinity affinity) {
  switch (affinity) {
    case Affinity::integer:
      return "INTEGER";
    case Affinity::text:
      return "TEXT";
    case Affinity::real:
      return "REAL";
    case Affinity::numeric:
      return "NUMERIC";
    case Affinity::blob:
      break;
  }
  return "BLOB";
}

/// Of our own words: nothing of the evidence's statement is run.
std::string create_statement(const TableShape& shape) {
  std::string sql = "CREATE TABLE " + quoted(shape.name) + "(";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += quoted(shape.columns[i].name) + ' ' + name_of(shape.columns[i].affinity);
    if (shape.row_id_column == i) sql += " PRIMARY KEY";
  }
  return sql + ")";
}

}  // namespace

Result<std::unique_ptr<ByteSource>> make_empty_database(const std::vector<TableShape>& shapes) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(raw, sqlite3_close_v2);
  if (opened != SQLITE_OK) return Error{ErrorCode::limit, "no memory for a database of carved pages"};
  // A table that SQLite refuses, for its name or its columns, is left out: its rows are then not asked for.
  for (const TableShape& shape : shapes)
    if (!is_reserved(shape.name) && !shape.without_rowid)
      sqlite3_exec(db.get(), create_statement(shape).c_str(), nullptr, nullptr, nullptr);
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(sqlite3_serialize(db.get(), "main", &size, 0),
                                                              sqlite3_free);
  if (!bytes) return Error{ErrorCode::limit, "no memory for a database of carved pages"};
  std::vector<std::byte> copy(static_cast<std::size_t>(size));
  std::memcpy(copy.data(), bytes.get(), copy.size());
  return Result<std::unique_ptr<ByteSource>>(make_memory_source(std::move(copy)));
}

}  // namespace touchstone::sqlite

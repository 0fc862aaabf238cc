// What a table's rows look like, read from its CREATE TABLE statement: columns in the order in which a record
// stores them, with affinity, NOT NULL, DEFAULT and the column that stands for the row id
// (https://www.sqlite.org/datatype3.html#determination_of_column_affinity, …/lang_createtable.html#rowid).
// SQLite is not asked, since the statement may belong to a table that is gone or to a damaged file. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "content/sqlite/format.hpp"

namespace touchstone::sqlite {

/// A value of a recovered row. `unknown`: its bytes are gone.
struct SqlValue {
  enum class Kind : std::uint8_t { null, integer, real, text, blob, unknown };
  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;  ///< text (UTF-8) or blob
  friend bool operator==(const SqlValue&, const SqlValue&) = default;
};

enum class Affinity : std::uint8_t { blob, text, numeric, integer, real };

struct Column {
  std::string name;
  Affinity affinity = Affinity::blob;
  bool not_null = false;
  SqlValue default_value;  ///< what a record that ends before this column stands for
};

struct TableShape {
  std::string name;
  std::vector<Column> columns;               ///< in the order of the record, which WITHOUT ROWID changes
  std::optional<std::size_t> row_id_column;  ///< the INTEGER PRIMARY KEY, stored as NULL
  bool without_rowid = false;
  bool autoincrement = false;
  std::uint32_t root = 0;
  bool dropped = false;  ///< known from a deleted row of the schema only
};

constexpr std::size_t kMaxColumns = 2000;  ///< SQLite's own default bound

/// Absent if the text is no CREATE TABLE statement that names columns (virtual tables, CREATE TABLE … AS).
std::optional<TableShape> parse_create_table(std::string_view sql);
/// The shape of sqlite_schema itself.
TableShape schema_table_shape();

}  // namespace touchstone::sqlite

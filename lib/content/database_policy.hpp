// What SQL may do to an evidence database: the authorizer and the switches of the connection. Tables are
// known by the CREATE TABLE statement in sqlite_schema, never by the row's own `type`, because SQLite
// believes the statement. For the .cpp files of this folder only; one thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>

#include "model/result.hpp"

namespace touchstone::detail {

class DatabasePolicy {
 public:
  /// Switches, limits and pragmas, before the first read of the file.
  static Status prepare_connection(sqlite3* db, std::uint64_t value_bytes);
  /// Lets SQLite skip the rows of sqlite_schema that it can't read and serve the rest. Its way to say so is
  /// writable_schema; enforce() sets DEFENSIVE, which takes the power to write that comes with it.
  static Status tolerate_damaged_schema(sqlite3* db);
  /// Names one ordinary table that may be read.
  void allow_table(std::string_view name);
  /// Names a column that the schema computes as it is read: it reads as NULL, and the expression never runs.
  void empty_column(std::string_view table, std::string_view column);
  /// Columns named so that the last statement asked for, "table.column". Cleared by reading.
  std::set<std::string> take_emptied();
  /// Puts the authorizer in force. `this` must outlive the connection.
  void enforce(sqlite3* db);
  /// Names a temporary table or view of ours.
  void allow_temporary(std::string_view name);
  /// While it is set everything is allowed: for statements of ours that make those.
  void set_paused(bool paused) { paused_ = paused; }
  /// Why the last statement was refused; empty if it was not. Cleared by reading.
  std::string take_refusal();

 private:
  static int authorize(void* self, int action, const char* first, const char* second, const char* schema,
                       const char* inner);
  int decide(int action, const char* first, const char* second, const char* schema);
  std::unordered_set<std::string> tables_;  ///< ASCII lower case, as SQLite compares names
  std::unordered_set<std::string> temporary_;
  std::unordered_set<std::string> computed_;  ///< table, NUL, column
  std::set<std::string> emptied_;
  std::string refusal_;
  bool paused_ = false;
};

/// Whether a row of sqlite_schema makes an ordinary table: the statement begins with CREATE TABLE.
bool is_ordinary_table(std::string_view sql);

}  // namespace touchstone::detail

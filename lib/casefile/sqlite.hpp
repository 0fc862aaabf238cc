// A thin, owning face over SQLite for the case database. Used by casefile, ranking and report; never for
// databases from evidence (those go through content/database). One connection belongs to one thread. Failures
// throw CaseError: a case database that cannot be read or written ends the command, with its path.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "model/types.hpp"

namespace touchstone {

class CaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// SQLite's primary result code where there is one (SQLITE_FULL: the disk is full), else 0.
  CaseError(const std::string& what, int code) : std::runtime_error(what), sqlite_code(code) {}
  int sqlite_code = 0;
};

class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);
  /// Parameters are numbered from 1. Text and blobs are copied.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, int value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view value);
  Statement& bind(int index, const char* value) { return bind(index, std::string_view(value)); }
  Statement& bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  /// Not copied: the text outlives the next run() or step(), and is bound anew before another.
  Statement& bind_unowned(int index, std::string_view value);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);
  Statement& bind(int index, std::optional<std::int64_t> value);
  Statement& bind(int index, const Value& value);
  /// True while there is a row.
  bool step();
  /// Runs a statement that yields no rows, and resets it for the next use.
  void run();
  void reset();
  /// Columns are numbered from 0.
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view text_view(int column) const;  ///< until the next step()
  std::string blob(int column) const;
  bool is_null(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;
  Value value(int column) const;
  int columns() const;
  std::string column_name(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class Database {
 public:
  enum class Mode { read_only, read_write, create };
  Database() = default;
  Database(const std::string& path, Mode mode);
  Statement prepare(std::string_view sql) const { return Statement(db_.get(), sql); }
  void execute(std::string_view sql) const;
  std::int64_t last_insert_id() const { return sqlite3_last_insert_rowid(db_.get()); }
  std::int64_t changes() const { return sqlite3_changes64(db_.get()); }
  sqlite3* handle() const { return db_.get(); }
  const std::string& path() const { return path_; }
  explicit operator bool() const { return db_ != nullptr; }
  void close() { db_.reset(); }

 private:
  struct Closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Closer> db_;
  std::string path_;
};

}  // namespace touchstone

// Databases made with SQLite itself, as a phone would leave them: the library under test never writes one.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "content/database.hpp"

namespace touchstone::made {

using Bytes = std::vector<std::byte>;

/// A folder of its own, gone at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

/// An open connection that fails the test on any error.
class Writer {
 public:
  explicit Writer(const std::string& path);
  ~Writer();
  void run(const std::string& sql);
  sqlite3* handle() { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

Bytes read_file(const std::string& path);

/// Sources over bytes in memory, with what is needed to open them.
struct Files {
  std::unique_ptr<ByteSource> main, wal, journal;
  DatabaseFiles files() const { return {main.get(), wal.get(), journal.get()}; }
  /// `path`, and the -wal and -journal beside it where they exist, as they stand at this moment.
  static Files copy(const std::string& path);
};

/// All rows of a query, cells as text joined with "|"; an Error ends them as "error CODE".
std::vector<std::string> rows(EvidenceDatabase& database, const std::string& sql,
                              const std::vector<Value>& parameters = {});
/// The first row of a query in this state, or "error …".
std::string first(const Files& files, DatabaseState state, const std::string& sql,
                  const DatabaseLimits& limits = {});

}  // namespace touchstone::made

// Values of JSON by path, by SQLite's own json_extract, which has its bounds on nesting; but NULL instead of
// an error. Runs in a connection of its own, in memory, since a function must not run statements on the
// database that calls it. One thread.
#pragma once

#include <memory>
#include <string_view>

#include "content/functions/decoded.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace touchstone::functions {

class JsonValues {
 public:
  /// `path` as of json_extract: '$.a[0].b'. Objects and arrays are JSON text.
  Decoded get(std::string_view json, std::string_view path);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3, Close> db_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
};

}  // namespace touchstone::functions

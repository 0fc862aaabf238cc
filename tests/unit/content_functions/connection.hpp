// An SQLite connection with the helper functions of app definitions, for tests.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>

#include "content/functions/sql_functions.hpp"

namespace touchstone::test {

class Connection {
 public:
  explicit Connection(const std::string& country = "GB") {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
    db_.reset(db);
    EXPECT_TRUE(bool(register_sql_functions(db, country)));
  }
  /// What `SELECT expression` gives, as quote() writes it; blobs as hex. ?1 is `blob`.
  std::string value(const std::string& expression, const std::string& blob = {}) {
    sqlite3_stmt* raw = nullptr;
    const std::string sql = "SELECT quote(" + expression + ")";
    EXPECT_EQ(sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &raw, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_.get());
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
    if (!raw) return "?";
    sqlite3_bind_blob64(raw, 1, blob.data(), blob.size(), SQLITE_STATIC);
    if (sqlite3_step(raw) != SQLITE_ROW) return std::string("error: ") + sqlite3_errmsg(db_.get());
    return reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace touchstone::test

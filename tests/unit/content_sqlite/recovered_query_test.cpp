// The same SQL over recovered rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "content/sqlite/recovered_database.hpp"
#include "unit/content_sqlite/messages.hpp"

namespace touchstone::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecoveredQueries : public ::testing::Test {
 protected:
  std::vector<std::string> run(const std::string& table, const std::string& sql) {
    files_ = made::Files::copy(path_);
    auto database = RecoveredDatabase::open(files_.files());
    if (!database) return {"open: " + database.error().message};
    auto query = (*database)->query(table, sql, {});
    if (!query) return {"query: " + query.error().message};
    std::vector<std::string> rows;
    for (;;) {
      auto step = (*query)->step();
      if (!step) {
        rows.push_back("error: " + step.error().message);
        return rows;
      }
      if (!*step) return rows;
      std::string row;
      for (std::size_t i = 0; i + 6 < (*query)->columns(); ++i) {
        const auto type = (*query)->type(i);
        row += (i ? "|" : "") + (type == EvidenceQuery::Type::integer ? std::to_string((*query)->integer(i))
                                 : type == EvidenceQuery::Type::null  ? "NULL"
                                                                      : std::string((*query)->bytes(i)));
      }
      rows.push_back(row);
    }
  }
  made::Folder folder_;
  std::string path_ = folder_.path("a.db");
  made::Files files_;
};

TEST_F(RecoveredQueries, JoinRecoveredRowsWithLiveOnes) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, who INTEGER, body TEXT)");
  writer.run("CREATE TABLE person(_id INTEGER PRIMARY KEY, name TEXT)");
  writer.run("INSERT INTO person VALUES(1, 'Ann'), (2, 'Ben')");
  writer.run("INSERT INTO message VALUES(10, 1, 'kept'), (11, 2, 'gone'), (12, 1, 'gone too')");
  writer.run("DELETE FROM message WHERE _id > 10");
  EXPECT_THAT(run("message",
                  "SELECT m._id AS source_row, m.body, p.name FROM message m JOIN person p ON p._id = m.who "
                  "ORDER BY m._id"),
              ElementsAre("11|gone|Ben", "12|gone too|Ann"));
}

TEST_F(RecoveredQueries, FindWhatWasDeletedTogether) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, who INTEGER, body TEXT)");
  writer.run("CREATE TABLE person(_id INTEGER PRIMARY KEY, name TEXT, phone TEXT)");
  writer.run("INSERT INTO person VALUES(1, 'Ann', '+447700900001'), (2, 'Ben', '+447700900002')");
  writer.run("INSERT INTO message VALUES(10, 1, 'kept'), (11, 2, 'gone')");
  writer.run("DELETE FROM message WHERE _id = 11; DELETE FROM person WHERE _id = 2");
  EXPECT_THAT(run("message",
                  "SELECT m._id AS source_row, m.body, p.name FROM message m JOIN person p ON p._id = m.who"),
              ElementsAre("11|gone|Ben"));
}

TEST_F(RecoveredQueries, LeadBackThroughNamesThatAreNoNumbers) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, chat INTEGER, body TEXT)");
  writer.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
      "INSERT INTO message SELECT i, i % 7, 'words ' || i FROM n; DELETE FROM message WHERE _id > 10");
  // With another SELECT within, one that is text, and both parts of a compound.
  const std::vector<std::string> rows =
      run("message",
          "WITH chats AS (SELECT 3 AS chat, 'three; SELECT' AS name) "
          "SELECT m.chat || ' ' || m._id AS source_row, m.body, "
          "(SELECT name FROM chats c WHERE c.chat = m.chat) FROM message m WHERE m._id % 2 = 0 UNION ALL "
          "select ALL m.chat || ' ' || m._id, m.body, 'odd' FROM message m WHERE m._id % 2 = 1");
  std::vector<std::string> expected;
  expected.reserve(4990);
  for (int i = 11; i <= 5000; ++i)
    expected.push_back(fmt::format("{} {}|words {}|{}", i % 7, i, i,
                                   i % 2 == 1   ? "odd"
                                   : i % 7 == 3 ? "three; SELECT"
                                                : "NULL"));
  EXPECT_THAT(rows, ::testing::UnorderedElementsAreArray(expected));
}

TEST_F(RecoveredQueries, LeaveOutNoRowOfTablesWithoutNumbers) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(guid TEXT PRIMARY KEY, at INTEGER, body TEXT) WITHOUT ROWID");
  writer.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO message SELECT 'guid-' || i, 1700000000 + i, 'words ' || i FROM n; DELETE FROM message");
  const std::vector<std::string> rows = run("message", "SELECT guid AS source_row, body FROM message");
  std::set<std::string> expected;
  for (int i = 1; i <= 3000; ++i) expected.insert(fmt::format("guid-{}|words {}", i, i));
  for (const std::string& row : rows) EXPECT_EQ(expected.erase(row), 1U) << row;
  // Rows in pages above the leaves are not looked for.
  const auto recovery = recover_rows(files_.files());
  ASSERT_TRUE(recovery);
  EXPECT_GT(rows.size(), RecoveredDatabase::kMaxSingleRows);
  EXPECT_EQ(rows.size(), recovery->rows.size());
}

TEST_F(RecoveredQueries, RunOneByOneWhereResultsAreCounted) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, guid TEXT, body TEXT)");
  writer.run("INSERT INTO message VALUES(1, 'A-1', 'kept'), (2, 'A-2', 'gone'), (3, 'A-3', 'gone too')");
  writer.run("DELETE FROM message WHERE _id > 1");
  EXPECT_THAT(run("message",
                  "SELECT guid AS source_row, body, (SELECT count(*) FROM message) FROM message "
                  "GROUP BY guid"),
              ::testing::UnorderedElementsAre("A-2|gone|1", "A-3|gone too|1"));
}

TEST_F(RecoveredQueries, AllowNoMoreThanOtherQueriesDo) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, who INTEGER, body TEXT)");
  writer.run(
      "CREATE VIEW spy AS SELECT * FROM message; INSERT INTO message VALUES(1, 1, 'gone'); DELETE FROM "
      "message");
  for (const char* sql : {"DELETE FROM message", "SELECT * FROM spy", "DROP TABLE temp.message",
                          "PRAGMA query_only=OFF", "ATTACH ':memory:' AS x", "SELECT load_extension('x')",
                          "SELECT * FROM sqlite_temp_schema", "INSERT INTO temp.message VALUES(1, 2, 3)"})
    EXPECT_THAT(run("message", sql), ElementsAre(HasSubstr("query: "))) << sql;
}

}  // namespace
}  // namespace touchstone::sqlite

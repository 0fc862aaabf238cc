// What the appdata plugin makes of deleted rows: records that say so, once each, and gaps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr auto kDefinition = R"(schema = "touchstone.app/1"
id = "chatter"
version = "1"
title = "Chatter"
[[source]]
paths = ["**/chatter/main.db"]
  [[source.version]]
  name = "first"
    [source.version.requires]
    talk = ["id", "words", "at", "who", "seen"]
    [[source.version.message]]
    table = "talk"
    sql = '''SELECT id AS source_row, words AS body, at * 1000000 AS sent, who AS sender, 'in' AS direction, 0 AS deleted FROM talk'''
)";

class RecoveredRecords : public ::testing::Test {
 protected:
  void SetUp() override {
    sqlite3_open(folder_.path("main.db").c_str(), &db_);
    run_sql(db_, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF");
    run_sql(db_, "CREATE TABLE talk(id INTEGER PRIMARY KEY, words TEXT, at INTEGER, who TEXT, seen INTEGER)");
    run_sql(db_,
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
            "INSERT INTO talk SELECT i, 'words ' || i, 1700000000 + i, '+447700900001', 0 FROM n");
  }
  void TearDown() override { sqlite3_close(db_); }
  void run(const std::string& sql) { run_sql(db_, sql); }
  Outcome examine() {
    std::ofstream(folder_.path("chatter.toml")) << definition_;
    auto plugin = PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
    if (!plugin) return {};
    TestItem item = database_item(read_text(folder_.path("main.db")), "/data/chatter/main.db");
    item.neighbours["main.db-wal"] = read_text(folder_.path("main.db-wal"));
    return plugin->examine(item);
  }
  static std::string text(const Record& record, const char* column) {
    const Value* value = record.find(column);
    if (!value) return "-";
    if (const auto* number = std::get_if<std::int64_t>(value)) return std::to_string(*number);
    const auto* text = std::get_if<std::string>(value);
    return text ? *text : "NULL";
  }
  static std::vector<std::string> recovered(const Outcome& outcome, const char* column = "body") {
    std::vector<std::string> result;
    for (const Record& record : outcome.records)
      if (text(record, "recovered") == "1") result.push_back(text(record, column));
    return result;
  }
  std::string definition_ = kDefinition;
  Folder folder_;
  sqlite3* db_ = nullptr;
};

TEST_F(RecoveredRecords, SayThatTheyWereDeletedAndWhereTheyStand) {
  run("DELETE FROM talk WHERE id BETWEEN 5 AND 7");
  const Outcome outcome = examine();
  EXPECT_THAT(recovered(outcome), ElementsAre("words 5", "words 6", "words 7"));
  EXPECT_THAT(recovered(outcome, "deleted"), ElementsAre("1", "1", "1"));
  for (const std::string& row : recovered(outcome, "source_row"))
    EXPECT_THAT(row, StartsWith("page 2 offset "));
  for (const std::string& status : recovered(outcome, "status"))
    EXPECT_EQ(status, "recovered from write-ahead log, confidence 1000 of 1000");
  EXPECT_THAT(outcome.records, SizeIs(20));
  EXPECT_THAT(outcome.problems, IsEmpty());
}

TEST_F(RecoveredRecords, OfEveryKindSayThatTheyAre) {
  run("CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, phone TEXT, since INTEGER)");
  run("INSERT INTO people VALUES(1, 'Ann Example', '+447700900001', 1700000000), "
      "(2, 'Ben Example', '+447700900002', 1700000001)");
  run("DELETE FROM people WHERE id = 2");
  definition_ = std::string(kDefinition) + R"(    [[source.version.contact]]
    table = "people"
    sql = '''SELECT id AS source_row, name, json_array(json_object('kind', 'phone', 'value', phone)) AS identifiers FROM people'''
    [[source.version.account]]
    table = "people"
    sql = '''SELECT id || ' ' || phone AS source_row, name, phone AS identifier FROM people'''
)";
  const std::size_t at = definition_.find("    [[source.version.message]]");
  definition_.insert(at, "    people = [\"id\", \"name\", \"phone\"]\n");
  std::vector<std::string> told;
  for (const Record& record : examine().records)
    if (record.kind == "contact" || record.kind == "account")
      told.push_back(record.kind + " " + text(record, "name") + " " + text(record, "recovered"));
  EXPECT_THAT(told, UnorderedElementsAre("contact Ann Example 0", "contact Ben Example 1",
                                         "account Ann Example 0", "account Ben Example 1"));
}

TEST_F(RecoveredRecords, TellGapsWithTheTimesBesideThem) {
  run("DELETE FROM talk WHERE id BETWEEN 5 AND 7");
  const Outcome outcome = examine();
  ASSERT_THAT(outcome.findings, SizeIs(2));
  EXPECT_EQ(outcome.findings[0].category, "schema");
  EXPECT_EQ(outcome.findings[1].category, "gap");
  EXPECT_EQ(outcome.findings[1].title,
            "Chatter: 3 rows are missing between row 4 (2023-11-14 22:13:24 UTC) and row 8 (2023-11-14 "
            "22:13:28 UTC) of "
            "table talk; 3 of them recovered");
  EXPECT_EQ(outcome.findings[1].position, "table talk rows 5-7");
}

TEST_F(RecoveredRecords, KeepAnEditedTextAndLeaveOutChangesThatSayNothing) {
  run("UPDATE talk SET seen = 1");
  run("UPDATE talk SET words = 'nothing happened' WHERE id = 3");
  const Outcome outcome = examine();
  EXPECT_THAT(recovered(outcome), ElementsAre("words 3"));
  EXPECT_THAT(recovered(outcome, "deleted"), ElementsAre("0"));
  EXPECT_THAT(recovered(outcome, "edited"), ElementsAre("1"));
  EXPECT_THAT(recovered(outcome, "status"), ElementsAre(HasSubstr("an older version")));
}

TEST_F(RecoveredRecords, ComeOnceThoughManyCopiesAreFound) {
  run("UPDATE talk SET seen = 1; UPDATE talk SET seen = 2; DELETE FROM talk WHERE id = 9; UPDATE talk SET "
      "seen = 3");
  EXPECT_THAT(recovered(examine()), ElementsAre("words 9"));
}

TEST_F(RecoveredRecords, LiveRowsSayWhetherTheLogAloneHasThem) {
  run("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO talk VALUES(21, 'late', 1700000100, '+447700900001', 0)");
  std::vector<std::string> in_log;
  for (const Record& record : examine().records)
    if (text(record, "status").find("in the write-ahead log only") != std::string::npos)
      in_log.push_back(text(record, "body"));
  EXPECT_THAT(in_log, ElementsAre("late"));
}

TEST_F(RecoveredRecords, OfCalendarsAndNotesAreToldAsThoseOfMessages) {
  definition_ += R"(    [[source.version.note]]
    table = "talk"
    sql = '''SELECT id AS source_row, words AS body, at * 1000000 AS created, at * 1000000 + seen AS modified FROM talk'''
    [[source.version.event]]
    table = "talk"
    sql = '''SELECT id AS source_row, who AS title, at * 1000000 AS starts_local FROM talk'''
)";
  run("DELETE FROM talk WHERE id = 5");
  run("UPDATE talk SET seen = 1 WHERE id = 8");        // of the note: changed, and says the same
  run("UPDATE talk SET at = at + 3600 WHERE id = 9");  // of the entry: put off by an hour
  const Outcome outcome = examine();
  std::vector<std::string> notes, entries;
  for (const Record& record : outcome.records) {
    if (text(record, "recovered") != "1") continue;
    const std::string told = text(record, "deleted") + " " + text(record, "status");
    if (record.kind == "note") notes.push_back(text(record, "body") + ": " + told);
    if (record.kind == "event") entries.push_back(text(record, "starts_local") + ": " + told);
  }
  const std::string place = " recovered from write-ahead log, confidence 1000 of 1000";
  EXPECT_THAT(notes, ElementsAre("words 5: 1" + place));
  EXPECT_THAT(entries, UnorderedElementsAre("1700000005000000: 1" + place,
                                            "1700000009000000: 0" + place + ", an older version"));
}

}  // namespace
}  // namespace touchstone::test

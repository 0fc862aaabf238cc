// Databases made to do harm, through a definition that claims them and past all definitions: nothing crashes,
// nothing of their schema runs, and each leaves a problem or rows that are right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kDefinition = R"(schema = "touchstone.app/1"
id = "chatter"
version = "1"
title = "Chatter"
[[source]]
paths = ["**/chatter/main.db"]
  [[source.version]]
  name = "first"
    [source.version.requires]
    message = ["_id", "body", "date", "sender"]
    [[source.version.message]]
    table = "message"
    sql = "SELECT _id AS source_row, body AS body, date * 1000 AS sent, sender AS sender FROM message"
)";

/// Rows that a guess would take for messages.
constexpr auto kRows =
    "INSERT INTO message(_id, body, date, sender) VALUES(1,'hello there',1714766400000,'anna'),(2,'who is "
    "this?',1714766460000,'ben');";
constexpr auto kTable =
    "CREATE TABLE message(_id INTEGER PRIMARY KEY, body TEXT, date INTEGER, sender TEXT);";

class HostileApps : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_.path("chatter.toml")) << kDefinition;
    host_ = PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
    ASSERT_TRUE(host_);
  }
  Outcome claimed(std::string bytes) {
    return host_->examine(database_item(std::move(bytes), "/chatter/main.db"));
  }
  Outcome unclaimed(std::string bytes) {
    return host_->examine(database_item(std::move(bytes), "/else/main.db"));
  }
  static auto told(const char* kind, const char* text) {
    return Contains(
        ::testing::AllOf(Field(&TestProblem::kind, kind), Field(&TestProblem::message, HasSubstr(text))));
  }
  Folder folder_;
  std::unique_ptr<PluginHost> host_;
};

TEST_F(HostileApps, ViewsAndVirtualTablesAreNoTables) {
  const std::string view = made_database(
      "CREATE TABLE other(a); CREATE VIEW message AS SELECT 1 AS _id, 'made up' AS body, 1714766400000 AS "
      "date, 'x' AS "
      "sender;");
  const std::string module =
      made_database("CREATE VIRTUAL TABLE message USING fts4(_id, body, date, sender);" + std::string(kRows));
  const Outcome outcome = claimed(view);
  EXPECT_THAT(outcome.records, IsEmpty());
  EXPECT_THAT(outcome.problems, told("unknown_schema", "there is no table message"));
  EXPECT_THAT(unclaimed(view).records, IsEmpty());
  // What the module itself would say is not asked for: its shadow table is an ordinary one.
  const Outcome index = claimed(module);
  EXPECT_THAT(index.problems, told("unknown_schema", "there is no table message"));
  for (const Record& record : index.records) EXPECT_EQ(field(record, "source_table"), "message_content");
}

// A view over the table under a table's name in sqlite_schema, and a trigger on it.
TEST_F(HostileApps, TriggersAndASchemaThatLiesRunNothing) {
  const std::string trigger = made_database(
      kTable +
      std::string(
          "CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM message WHERE _id < new._id; END;"
          "CREATE TRIGGER u BEFORE DELETE ON message BEGIN SELECT RAISE(IGNORE); END;") +
      kRows);
  EXPECT_EQ(claimed(trigger).records.size(), 2U);
  const std::string lie = made_database(
      "CREATE TABLE real(a); CREATE VIEW message AS SELECT 1 AS _id, 'made up' AS body, 1 AS date, 'x' AS "
      "sender;"
      "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET type = 'table' WHERE name = 'message';");
  const Outcome outcome = claimed(lie);
  EXPECT_THAT(outcome.records, IsEmpty());
  EXPECT_FALSE(outcome.problems.empty());
}

TEST_F(HostileApps, ColumnsThatTheSchemaComputesStayEmpty) {
  const std::string bytes = made_database(
      "CREATE TABLE message(_id INTEGER PRIMARY KEY, body TEXT AS (upper(sender)), date INTEGER, sender TEXT "
      "CHECK "
      "(length(sender) > 0)); INSERT INTO message(_id, date, sender) VALUES(1,1714766400000,'anna');"
      "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'upper(sender)', "
      "'json_extract(''{'', "
      "''$'')');");
  const Outcome outcome = claimed(bytes);
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(field(outcome.records[0], "body"), "NULL");
  EXPECT_EQ(field(outcome.records[0], "sender"), "anna");
  EXPECT_THAT(outcome.problems,
              told("unsupported", "the database's own schema computes were not read: message.body"));
  EXPECT_THAT(unclaimed(bytes).records, IsEmpty());
}

TEST_F(HostileApps, AbsurdNamesAreNames) {
  const std::string bytes =
      made_database(std::string(kTable) + kRows +
                    "CREATE TABLE \"a \"\"b\"\"); DROP TABLE message; --\"(\"body\nof it\" TEXT, \"time'\" "
                    "INTEGER, \"sender]\" TEXT, "
                    "\"\xf0\x9f\x98\x80\" TEXT, \"\" TEXT);"
                    "INSERT INTO \"a \"\"b\"\"); DROP TABLE message; --\"(\"body\nof it\", \"time'\", "
                    "\"sender]\") VALUES('some "
                    "words','1714766400','x'),('more words',1714766460,'y');"
                    "ALTER TABLE message ADD COLUMN \"'; {file_name} \r\n\xf0\x9f\x98\x80\";");
  const Outcome outcome = claimed(bytes);
  EXPECT_EQ(outcome.records.size(), 2U);
  EXPECT_THAT(outcome.problems, told("unknown_schema", "these columns unknown: message.'; {file_name} \r\n"));
  EXPECT_EQ(by_row(unclaimed(bytes), "message").size(), 2U);
}

TEST_F(HostileApps, NamesWithNulEndNothing) {
  std::string bytes = made_database(std::string(kTable) + kRows +
                                    "ALTER TABLE message ADD COLUMN zzzz;"
                                    "CREATE TABLE yyyy(body TEXT, date, sender);");
  for (const char* name : {"zzzz", "yyyy"})
    for (std::size_t at = bytes.find(name); at != std::string::npos; at = bytes.find(name, at + 1))
      bytes[at + 2] = '\0';
  const Outcome outcome = claimed(bytes);
  EXPECT_FALSE(outcome.problems.empty());
  unclaimed(bytes);  // whatever SQLite makes of it
}

TEST_F(HostileApps, TwoThousandColumnsAndThousandsOfTables) {
  std::string columns = "CREATE TABLE message(_id INTEGER PRIMARY KEY, body TEXT, date INTEGER, sender TEXT";
  for (int i = 0; i < 1996; ++i) columns += ", text" + std::to_string(i) + " TEXT";
  std::string tables;
  for (int i = 0; i < 3000; ++i)
    tables += "CREATE TABLE message" + std::to_string(i) + "(body, date, sender);";
  const std::string bytes = made_database("BEGIN;" + columns + ");" + kRows + tables + "COMMIT;");
  const Outcome outcome = claimed(bytes);
  EXPECT_EQ(outcome.records.size(), 2U);
  EXPECT_THAT(outcome.problems, told("unknown_schema", "and 1976 more"));
  for (const auto& problem : outcome.problems) EXPECT_LT(problem.message.size(), 10'000U);
  EXPECT_EQ(unclaimed(bytes).records.size(), 2U);
}

TEST_F(HostileApps, HugeValuesAreCutOrNamed) {
  const std::string bytes =
      made_database(std::string(kTable) + kRows +
                    "UPDATE message SET body = body || printf('%.*c', 1200000, 'x') WHERE _id = "
                    "1; INSERT INTO message VALUES(3, zeroblob(68000000), 1714766500000, 'x');");
  const Outcome outcome = claimed(bytes);
  EXPECT_EQ(outcome.records.size(), 2U);
  EXPECT_THAT(outcome.problems, told("limit", "a cell or row is larger than"));
  EXPECT_THAT(outcome.problems, told("corrupt", "broke off after 2 rows"));
  for (const Record& record : unclaimed(bytes).records) EXPECT_LE(field(record, "body").size(), 1U << 20);
}

TEST_F(HostileApps, DamagedPagesAndAFreelistThatGoesRound) {
  std::string bytes =
      made_database(std::string("PRAGMA page_size=1024; PRAGMA secure_delete=OFF;") + kTable +
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<900) INSERT "
                    "INTO message SELECT i, 'a few words and the number ' || i, 1714766400000 + i, 'x' "
                    "|| (i % 7) FROM n; DELETE FROM message WHERE _id > 500;");
  const auto page = [&](std::size_t number) { return (number - 1) * 1024; };
  std::size_t trunk = 0;
  for (std::size_t i = 32; i < 36; ++i) trunk = trunk << 8 | static_cast<unsigned char>(bytes[i]);
  ASSERT_GT(trunk, 0U);
  std::string round = bytes;
  for (std::size_t i = 0; i < 4; ++i) round[page(trunk) + i] = static_cast<char>(trunk >> (24 - 8 * i));
  const Outcome circle = claimed(round);
  EXPECT_GE(circle.records.size(), 500U);
  EXPECT_THAT(circle.problems, told("corrupt", "in use elsewhere"));
  bytes.replace(page(5), 1024, 1024, '\xee');
  EXPECT_THAT(claimed(bytes).problems, told("corrupt", "broke off after"));
  const Outcome guessed = unclaimed(bytes);
  EXPECT_FALSE(guessed.records.empty());
  EXPECT_FALSE(guessed.problems.empty());
}

}  // namespace
}  // namespace touchstone::test

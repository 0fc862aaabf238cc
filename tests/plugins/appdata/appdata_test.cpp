// What the appdata plugin does with definitions and databases that are not as they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kHead = R"(schema = "touchstone.app/1"
id = "chatter"
version = "7"
title = "Chatter"
[[source]]
paths = ["**/chatter/main.db"]
)";
constexpr auto kSecond = R"(
  [[source.version]]
  name = "second"
    [source.version.requires]
    talk = ["id", "words", "at", "who"]
    [[source.version.message]]
    table = "talk"
    sql = '''SELECT id AS source_row, words AS body, at AS sent, who AS recipients, who AS direction FROM talk'''
    constants = { status = "seen" }
)";
constexpr auto kPath = "/data/chatter/main.db";

/// The plugin with one definition.
class AppData : public ::testing::Test {
 protected:
  std::unique_ptr<PluginHost> host(const std::string& definition) {
    std::ofstream(folder_.path("chatter.toml")) << definition;
    return PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
  }
  Outcome examine(const std::string& definition, const std::string& sql, const std::string& path = kPath) {
    auto plugin = host(definition);
    return plugin ? plugin->examine(database_item(made_database(sql), path)) : Outcome{};
  }
  Folder folder_;
};

constexpr auto kTalk = "CREATE TABLE talk(id INTEGER PRIMARY KEY, words, at, who);";

TEST_F(AppData, DeclaresEachAppAsARule) {
  auto plugin = host(std::string(kHead) + kSecond);
  ASSERT_TRUE(plugin);
  ASSERT_EQ(plugin->rules().size(), 2U);
  EXPECT_EQ(plugin->rules()[0].rule, "chatter");
  EXPECT_EQ(plugin->rules()[0].version, "7");
  EXPECT_EQ(plugin->rules()[1].rule, "guessed");
}

TEST_F(AppData, RefusesADefinitionThatIsWrong) {
  std::ofstream(folder_.path("chatter.toml")) << kHead << "surprise = 1\n";
  auto plugin = PluginHost::open(TOUCHSTONE_BINARY_DIR "/plugins/appdata.tsp",
                                 settings_for({folder_.path("chatter.toml")}));
  ASSERT_TRUE(plugin);
  EXPECT_EQ(plugin->create_status(), TS_ERROR);
  EXPECT_THAT(plugin->create_reason(), HasSubstr("surprise"));
}

TEST_F(AppData, LooksOnlyAtDatabasesInItsPlace) {
  const std::string sql = std::string(kTalk) + "INSERT INTO talk VALUES(1,'x',1,'in');";
  EXPECT_THAT(examine(std::string(kHead) + kSecond, sql, "/data/other/main.db").records, IsEmpty());
  EXPECT_EQ(examine(std::string(kHead) + kSecond, sql, "/p/data/Chatter/main.db").records.size(), 1U);
}

TEST_F(AppData, MakesOfCellsWhatTheCaseDatabaseWants) {
  const Outcome outcome = examine(std::string(kHead) + kSecond, std::string(kTalk) + R"(
INSERT INTO talk VALUES(1,'text',1700000000000000,'in'),(2,x'6162',1.7e15,'["a","b"]'),(3,x'00ff',9e30,'bare "word"'),
 (4,CAST(x'61ff' AS TEXT),'yesterday',NULL),(5,12,NULL,7);)");
  const auto rows = by_row(outcome, "message");
  ASSERT_EQ(rows.size(), 5U);
  const auto get = [&](int row, const char* name) {
    return field(rows.at("talk " + std::to_string(row)), name);
  };
  EXPECT_EQ(get(1, "sent"), "1700000000000000");
  EXPECT_EQ(get(1, "direction"), "in");
  EXPECT_EQ(get(1, "status"), "seen");
  EXPECT_EQ(get(1, "recipients"), "[\"in\"]");
  EXPECT_EQ(get(2, "body"), "ab");
  EXPECT_EQ(get(2, "sent"), "1700000000000000");
  EXPECT_EQ(get(2, "recipients"), "[\"a\",\"b\"]");
  EXPECT_EQ(get(2, "direction"), "unknown");
  EXPECT_EQ(get(3, "body"), "NULL");
  EXPECT_EQ(get(3, "sent"), "NULL");
  EXPECT_EQ(get(3, "recipients"), "[\"bare \\\"word\\\"\"]");
  EXPECT_EQ(get(4, "body"), "a\xef\xbf\xbd");
  EXPECT_EQ(get(4, "sent"), "NULL");
  EXPECT_EQ(get(4, "recipients"), "[]");
  EXPECT_EQ(get(5, "body"), "12");
  EXPECT_EQ(get(5, "recipients"), "[\"7\"]");
  ASSERT_EQ(outcome.problems.size(), 2U);
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("2 cells of table talk are no time"));
  EXPECT_THAT(outcome.problems[1].message, HasSubstr("1 cells of table talk hold bytes"));
}

TEST_F(AppData, CutsAnEndlessMessageAndSaysSo) {
  const Outcome outcome =
      examine(std::string(kHead) + kSecond,
              std::string(kTalk) + "INSERT INTO talk VALUES(1,printf('%.*c',3000000,'x'),1,'in');");
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(field(outcome.records[0], "body").size(), 1U << 20);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "limit");
}

TEST_F(AppData, CallsAnUnknownVersionOut) {
  const Outcome outcome = examine(std::string(kHead) + kSecond, "CREATE TABLE talk(id, words);");
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
  EXPECT_THAT(outcome.problems[0].message,
              AllOf(HasSubstr("Chatter"), HasSubstr("second: table talk lacks column at")));
}

TEST_F(AppData, TakesTheFirstVersionThatFits) {
  const std::string first = R"(
  [[source.version]]
  name = "first"
  absent = ["old"]
  when = "SELECT count(*) > 1 FROM talk"
    [source.version.requires]
    talk = ["id"]
    [[source.version.message]]
    table = "talk"
    sql = "SELECT id AS source_row FROM talk"
    constants = { status = "by the first" }
)";
  const auto status = [&](const std::string& sql) {
    const Outcome outcome = examine(kHead + first + kSecond, kTalk + sql);
    return outcome.records.empty() ? "" : field(outcome.records[0], "status");
  };
  EXPECT_EQ(status("INSERT INTO talk(id) VALUES(1),(2);"), "by the first");
  EXPECT_EQ(status("INSERT INTO talk(id) VALUES(1);"), "seen");
  EXPECT_EQ(status("INSERT INTO talk(id) VALUES(1),(2); CREATE TABLE old(a);"), "seen");
}

TEST_F(AppData, GoesOnAfterAQueryThatFails) {
  const std::string broken = R"(
    [[source.version.message]]
    table = "talk"
    sql = "SELECT id AS source_row, nothing_here AS body FROM talk"
    [[source.version.contact]]
    table = "talk"
    sql = "SELECT id AS source_row, who AS name FROM talk"
)";
  const Outcome outcome = examine(std::string(kHead) + kSecond + broken,
                                  std::string(kTalk) + "INSERT INTO talk VALUES(1,'x',1,'in');");
  EXPECT_EQ(by_row(outcome, "message").size(), 1U);
  EXPECT_EQ(by_row(outcome, "contact").size(), 1U);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("nothing_here"));
}

TEST_F(AppData, DoesNotTakeAViewForATable) {
  const Outcome outcome = examine(
      std::string(kHead) + kSecond,
      "CREATE TABLE real(a); CREATE VIEW talk AS SELECT 1 AS id, 'x' AS words, 1 AS at, 'in' AS who;");
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
}

TEST_F(AppData, PointsAtTablesThatLookLikeMessages) {
  const Outcome outcome = examine(
      std::string(kHead) + kSecond,
      std::string(kTalk) +
          "INSERT INTO talk VALUES(1,'x',1,'in'); CREATE TABLE secret(_id, body, date, address); CREATE "
          "TABLE log(_id, what);"
          "INSERT INTO secret VALUES(1,'hidden',1,'a'),(2,'hidden',2,'b'); INSERT INTO log VALUES(1,'x');"
          "CREATE TABLE empty(_id, body, date, address);");
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("not read: secret (2 rows)"));
}

TEST_F(AppData, SeesWhatIsOnlyInTheWal) {
  auto plugin = host(std::string(kHead) + kSecond);
  ASSERT_TRUE(plugin);
  sqlite3* db = nullptr;
  sqlite3_open(folder_.path("main.db").c_str(), &db);
  run_sql(db, std::string("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;") + kTalk +
                  "INSERT INTO talk VALUES(1,'x',1,'in'); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO talk "
                  "VALUES(2,'y',2,'out');");
  TestItem item = database_item(read_text(folder_.path("main.db")), kPath);
  EXPECT_EQ(plugin->examine(item).records.size(), 1U);
  item.neighbours["main.db-wal"] = read_text(folder_.path("main.db-wal"));
  EXPECT_EQ(plugin->examine(item).records.size(), 2U);
  sqlite3_close(db);
}

TEST_F(AppData, KeepsTheRowsBeforeDamage) {
  auto plugin = host(std::string(kHead) + kSecond);
  ASSERT_TRUE(plugin);
  std::string bytes = made_database(std::string("PRAGMA page_size=1024;") + kTalk +
                                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
                                    "i<500) INSERT INTO talk SELECT i,printf('%0400d',i),i,'in' FROM n;");
  bytes.replace(100 * 1024, 1024, 1024, '\xee');
  const Outcome outcome = plugin->examine(database_item(bytes, kPath));
  EXPECT_GT(outcome.records.size(), 50U);
  EXPECT_LT(outcome.records.size(), 500U);
  ASSERT_FALSE(outcome.problems.empty());
  EXPECT_THAT(outcome.problems.back().message, HasSubstr("broke off after"));
}

TEST_F(AppData, SurvivesWhatIsNoDatabase) {
  auto plugin = host(std::string(kHead) + kSecond);
  ASSERT_TRUE(plugin);
  const Outcome outcome = plugin->examine(database_item("SQLite format 3", kPath));
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "corrupt");
}

}  // namespace
}  // namespace touchstone::test

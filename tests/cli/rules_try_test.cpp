// `touchstone rules try`: a definition against a database made here.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

constexpr const char* kDefinition = R"(schema = "touchstone.app/1"
id = "chatter"
version = "1"
title = "Chatter"
[[source]]
paths = ["**/com.example.chatter/main.db"]
  [[source.version]]
  name = "first"
  tested = []
    [source.version.requires]
    talk = ["id", "words", "at", "who"]
    [[source.version.message]]
    table = "talk"
    sql = '''
SELECT id AS source_row, unix_s(at) AS sent, words AS body, phone(who) AS sender FROM talk'''
)";

void make_database(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class RulesTry : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_.path("chatter.toml"), kDefinition);
    make_database(
        folder_.text("main.db"),
        "PRAGMA secure_delete=OFF; CREATE TABLE talk(id INTEGER PRIMARY KEY, words TEXT, at INTEGER, who "
        "TEXT);"
        "INSERT INTO talk VALUES(1, 'red' || char(27) || '[31m', 1714766400, '07700 900123'),"
        "(2, 'words that were deleted', 1714766460, '07700 900456'), (3, 'third', 1714766500, NULL);"
        "DELETE FROM talk WHERE id = 2");
  }
  RunResult try_it(const std::string& database, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {program(), "rules", "try", folder_.text("chatter.toml"),
                                        folder_.text(database)};
    command.insert(command.end(), more.begin(), more.end());
    return run(command);
  }
  FreshFolder folder_;
};

TEST_F(RulesTry, PrintsRowsAsTextThatIsInert) {
  const RunResult result = try_it("main.db");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.error;
  EXPECT_NE(result.out.find("Chatter: read by the definition for \"first\"; schema "), std::string::npos);
  EXPECT_NE(result.out.find("message talk 1\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("+447700900123"), std::string::npos);
  EXPECT_NE(result.out.find("2024-05-03 20:00:00 UTC"), std::string::npos);
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << "an escape of the evidence reached the terminal";
  EXPECT_NE(result.out.find("RECOVERED"), std::string::npos);
  EXPECT_NE(result.out.find("words that were deleted"), std::string::npos);
  EXPECT_NE(result.out.find("3 message, 0 problems"), std::string::npos);
}

TEST_F(RulesTry, PrintsALineOfJsonARow) {
  const RunResult result = try_it("main.db", {"--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find(R"("sent":1714766400000000,"source_row":"1")"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

TEST_F(RulesTry, WritesJsonThatAnotherReaderUnderstands) {
  // Bytes as SQL, and the text that they are; each line is read again by a library of its own.
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"char(34, 92, 47, 8, 9, 10, 12, 13, 31, 127)", "\"\\/\b\t\n\f\r\x1f\x7f"},
      {"char(233, 8232, 65533, 128514)", "\xC3\xA9\xE2\x80\xA8\xEF\xBF\xBD\xF0\x9F\x98\x82"},
      {"CAST(x'61FF62C3' AS TEXT)",
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD"},
      {"'},\"kind\":\"problem\"}'", "},\"kind\":\"problem\"}"}};
  std::string sql = "CREATE TABLE talk(id INTEGER PRIMARY KEY, words TEXT, at INTEGER, who TEXT);";
  for (const auto& [text, said] : texts)
    sql += "INSERT INTO talk(words, at) VALUES(" + text + ", 1714766400);";
  make_database(folder_.text("hard.db"), sql);
  const RunResult result = try_it("hard.db", {"--json"});
  EXPECT_EQ(result.exit_code, 0) << "a text was taken for a problem";
  std::istringstream lines(result.out);
  std::vector<std::string> bodies;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) << line;
    const auto parsed = nlohmann::json::parse(line);
    if (parsed["kind"] == "message") bodies.push_back(parsed["fields"]["body"]);
  }
  ASSERT_EQ(bodies.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(bodies[i], texts[i].second) << i;
}

TEST_F(RulesTry, ReadsTheLogBesideTheDatabase) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.text("wal.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db,
                         "PRAGMA journal_mode=WAL; CREATE TABLE talk(id INTEGER PRIMARY KEY, words, at, who);"
                         "INSERT INTO talk VALUES(1, 'in the log', 1714766400, '')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_NE(try_it("wal.db").out.find("in the log"),
            std::string::npos);  // not yet folded in: the file is open
  sqlite3_close(db);
}

TEST_F(RulesTry, SaysWhatDidNotFit) {
  make_database(folder_.text("other.db"), "CREATE TABLE talk(id, words, at)");
  const RunResult result = try_it("other.db");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("first: table talk lacks column who"), std::string::npos) << result.out;
}

TEST_F(RulesTry, MarksWhatWasGuessed) {
  make_database(folder_.text("guess.db"),
                "CREATE TABLE messages(id INTEGER PRIMARY KEY, text TEXT, time INTEGER, sender TEXT);"
                "INSERT INTO messages VALUES(1, 'words by guess', 1714766400, 'anna')");
  const RunResult result = try_it("guess.db");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("message messages 1  GUESSED\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("words by guess"), std::string::npos);
  EXPECT_NE(result.out.find("taken for messages by guess: 1 row of messages"), std::string::npos);
}

TEST_F(RulesTry, HasOneFingerprintForTheSameTables) {
  make_database(folder_.text("a.db"), "CREATE TABLE b(x, Y); CREATE TABLE a(z)");
  make_database(folder_.text("b.db"),
                "CREATE TABLE A(Z INTEGER); CREATE TABLE B(y TEXT, x); CREATE INDEX i ON a(z)");
  make_database(folder_.text("c.db"), "CREATE TABLE a(z); CREATE TABLE b(x)");
  const auto schema = [&](const std::string& database) {
    const std::string out = try_it(database).out;
    const std::size_t at = out.find("(schema ");
    return at == std::string::npos ? out : out.substr(at, 25);
  };
  EXPECT_EQ(schema("a.db"), schema("b.db"));
  EXPECT_NE(schema("a.db"), schema("c.db"));
}

TEST_F(RulesTry, RefusesWhatIsNoDefinitionOrNoDatabase) {
  write_file(folder_.path("chatter.toml"), "schema = \"touchstone.app/1\"\n");
  EXPECT_EQ(try_it("main.db").exit_code, 2);
  write_file(folder_.path("chatter.toml"), kDefinition);
  EXPECT_EQ(try_it("chatter.toml").exit_code, 1);
  EXPECT_EQ(try_it("nothing.db").exit_code, 2);
}

}  // namespace
}  // namespace touchstone::testing

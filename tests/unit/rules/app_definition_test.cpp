#include "rules/app_definition.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "rules/sql_text.hpp"

namespace touchstone {
namespace {

constexpr const char* kApp = R"(schema = "touchstone.app/1"
id = "sms"
version = "1"
title = "Android SMS"
[[source]]
paths = ["**/com.android.providers.telephony/databases/mmssms.db"]
[[source.version]]
name = "any"
tested = ["AOSP 2017"]
[source.version.requires]
sms = ["_id", "thread_id", "address", "date", "type", "body"]
[[source.version.message]]
table = "sms"
sql = '''
SELECT _id AS source_row, thread_id AS conversation, date * 1000 AS sent, body, address AS sender FROM sms -- all; of them
'''
constants = { direction = "unknown" }
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kApp;
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string parse_error(const std::string& text) {
  const auto app = parse_app_definition(text, "a.toml");
  return app ? "" : app.error().message;
}

std::string query_error(const std::string& text) {
  const auto app = parse_app_definition(text, "a.toml");
  if (!app) return app.error().message;
  const Status status = check_app_queries(*app);
  return status ? "" : status.error().message;
}

TEST(AppDefinition, ReadsSourcesVersionsAndQueries) {
  const auto app = parse_app_definition(kApp, "a.toml");
  ASSERT_TRUE(app) << app.error().message;
  ASSERT_EQ(app->sources.size(), 1U);
  const AppVersion& version = app->sources[0].versions.at(0);
  EXPECT_EQ(version.required.at(0).columns.size(), 6U);
  EXPECT_EQ(version.queries.at(0).kind, "message");
  EXPECT_EQ(version.queries[0].constants.at(0).second, "unknown");
  EXPECT_TRUE(app->matches("/data/data/com.android.providers.telephony/databases/MMSSMS.DB"));
  EXPECT_FALSE(app->matches("/data/data/com.android.providers.telephony/databases/mmssms.db-wal"));
  EXPECT_EQ(query_error(kApp), "");
  EXPECT_EQ(matching_apps({*app}, "/x/com.android.providers.telephony/databases/mmssms.db"),
            std::vector<std::string>{"sms"});
}

TEST(AppDefinition, ReadsWhatIsKnownAndNotRead) {
  const auto app =
      parse_app_definition(replaced("[[source.version.message]]",
                                    "[source.version.known]\nsms = [\"seen\"]\nwords = [\"_id\"]\n"
                                    "[[source.version.message]]"),
                           "a.toml");
  ASSERT_TRUE(app) << app.error().message;
  const AppVersion& version = app->sources[0].versions.at(0);
  ASSERT_EQ(version.known.size(), 2U);
  EXPECT_EQ(version.known[0].table, "sms");
  EXPECT_EQ(version.known[0].columns, std::vector<std::string>{"seen"});
  EXPECT_TRUE(check_app_queries(*app));
}

// "paths" stands in line 6.
TEST(AppDefinition, RefusesSetsInBracketsWhereTheyStand) {
  const std::string error = parse_error(replaced("**/com.android", "**/com.[a-z]ndroid"));
  EXPECT_EQ(error.rfind("a.toml:6:", 0), 0U) << error;
  EXPECT_NE(error.find("has no sets in brackets"), std::string::npos) << error;
}

TEST(AppDefinition, RefusesSqlThatIsNotOneSelect) {
  EXPECT_NE(parse_error(replaced("SELECT _id", "DELETE _id")).find("one SELECT or WITH"), std::string::npos);
  EXPECT_NE(
      parse_error(replaced("FROM sms --", "FROM sms; DROP TABLE sms --")).find("more than one statement"),
      std::string::npos);
  EXPECT_NE(parse_error(replaced("FROM sms", "FROM sms WHERE _id = ?")).find("parameter"), std::string::npos);
  EXPECT_NE(parse_error(replaced("SELECT _id", "SELECT 'x AS a, _id")).find("quotation mark"),
            std::string::npos);
  EXPECT_EQ(parse_error(replaced("body, address", "';?' AS body, address")), "");
}

TEST(AppDefinition, ChecksColumnsAgainstRequiresAndTheCaseDatabase) {
  EXPECT_NE(
      query_error(replaced("body, address", "subject AS body, address")).find("no such column: subject"),
      std::string::npos);
  EXPECT_NE(query_error(replaced("AS sender", "AS sendr"))
                .find("a message has no column \"sendr\"; did you mean \"sender\"?"),
            std::string::npos);
  EXPECT_NE(query_error(replaced("_id AS source_row, ", "")).find("no column \"source_row\""),
            std::string::npos);
  EXPECT_NE(
      query_error(replaced("direction = \"unknown\"", "sender = \"x\"")).find("both a constant and a column"),
      std::string::npos);
  EXPECT_NE(parse_error(replaced("direction = \"unknown\"", "directon = \"x\""))
                .find("did you mean \"direction\"?"),
            std::string::npos);
}

TEST(AppDefinition, RefusesWhatIdentifiesNothing) {
  EXPECT_NE(
      parse_error(replaced("sms = [\"_id\", \"thread_id\", \"address\", \"date\", \"type\", \"body\"]", ""))
          .find("requires"),
      std::string::npos);
  EXPECT_NE(parse_error(replaced("paths = [\"**/com", "path = [\"**/com")).find("did you mean \"paths\"?"),
            std::string::npos);
}

TEST(SqlText, GivesTheStatementWithoutItsEnd) {
  EXPECT_EQ(*single_select("  SELECT 1 ; -- done\n"), "SELECT 1 ");
  EXPECT_EQ(*single_select("WITH a AS (SELECT 1) SELECT * FROM a"), "WITH a AS (SELECT 1) SELECT * FROM a");
  EXPECT_EQ(*single_select("/* x */ select ';' "), "/* x */ select ';'");
  EXPECT_FALSE(single_select(""));
  EXPECT_FALSE(single_select("SELECT 1; SELECT 2"));
  EXPECT_FALSE(single_select("PRAGMA user_version"));
}

constexpr const char* kOptional = R"([source.version.optional]
sms = ["read"]
im = ["sms_id", "text"]
[[source.version.message]]
table = "sms"
sql = '''SELECT s._id AS source_row, s.read AS edited, i.text AS body FROM opt_sms s LEFT JOIN opt_im i ON i.sms_id = s._id'''
[[source.version.message]]
)";

TEST(AppDefinition, MayReadWhatOnlySomeDatabasesHave) {
  const std::string text = replaced("[[source.version.message]]\n", kOptional);
  EXPECT_EQ(query_error(text), "");
  const auto app = parse_app_definition(text, "a.toml");
  ASSERT_TRUE(app) << app.error().message;
  const AppVersion& version = app->sources[0].versions.at(0);
  sqlite3* db = nullptr;
  sqlite3_open(":memory:", &db);
  const auto first_row = [&](const HasColumn& has) {
    sqlite3_stmt* statement = nullptr;
    const std::string sql = runnable_sql(version.queries.at(0).sql, version, has);
    EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    std::string row;
    if (sqlite3_step(statement) == SQLITE_ROW)
      for (int i = 0; i < 3; ++i) {
        const auto* cell = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row += std::string(cell ? cell : "NULL") + " ";
      }
    sqlite3_finalize(statement);
    return row;
  };
  ASSERT_EQ(
      sqlite3_exec(db, "CREATE TABLE sms(_id INTEGER PRIMARY KEY, body); INSERT INTO sms VALUES(7, 'x')",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  EXPECT_EQ(first_row([](std::string_view table, std::string_view column) {
              return table == "sms" && (column.empty() || column == "_id" || column == "body");
            }),
            "7 NULL NULL ");
  ASSERT_EQ(sqlite3_exec(db,
                         "ALTER TABLE sms ADD read; UPDATE sms SET read = 1; CREATE TABLE im(sms_id, text);"
                         "INSERT INTO im VALUES(7, 'there')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(first_row([](std::string_view, std::string_view) { return true; }), "7 1 there ");
  sqlite3_close(db);
}

TEST(AppDefinition, WhatIsOptionalIsReadUnderItsOwnName) {
  std::string text = replaced("[[source.version.message]]\n", kOptional);
  text.replace(text.find("FROM opt_sms s"), 14, "FROM sms s");
  EXPECT_NE(query_error(text).find("no such column: s.read"), std::string::npos) << query_error(text);
}

}  // namespace
}  // namespace touchstone

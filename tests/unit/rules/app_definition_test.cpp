#include "rules/app_definition.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace touchstone

// What the appdata plugin says of schemas that no definition knows, and which messages it finds by guess.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kDefinition = R"(schema = "touchstone.app/1"
id = "chatter"
version = "7"
title = "Chatter"
[[source]]
paths = ["**/chatter/main.db"]
  [[source.version]]
  name = "first"
  tested = ["TESTED"]
    [source.version.requires]
    talk = ["id", "words"]
    people = ["id"]
    [source.version.optional]
    talk = ["at"]
    [source.version.known]
    talk = ["colour"]
    [[source.version.message]]
    table = "talk"
    sql = "SELECT t.id AS source_row, t.words AS body, t.at AS sent FROM opt_talk t LEFT JOIN people p ON p.id = t.id"
)";
constexpr auto kPath = "/data/chatter/main.db";

class UnknownSchemas : public ::testing::Test {
 protected:
  Outcome examine(const std::string& sql, const std::string& path = kPath,
                  const std::string& tested = "nothing") {
    std::string definition = kDefinition;
    definition.replace(definition.find("TESTED"), 6, tested);
    std::ofstream(folder_.path("chatter.toml")) << definition;
    auto plugin = PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
    return plugin ? plugin->examine(database_item(made_database(sql), path)) : Outcome{};
  }
  Folder folder_;
};

std::string fingerprint_of(const Outcome& outcome) {
  for (const TestFinding& finding : outcome.findings)
    if (finding.category == "schema") return nlohmann::json::parse(finding.detail)["fingerprint"];
  return {};
}

constexpr auto kNewer =
    "CREATE TABLE talk(id INTEGER PRIMARY KEY, words, colour, mood, \"a \"\"quoted\"\" one\"); CREATE TABLE "
    "people(id, "
    "pet); CREATE TABLE other(never, read, by, anyone); INSERT INTO talk VALUES(1,'x','red','good',NULL);";

TEST_F(UnknownSchemas, NameWhatIsNewInTheTablesThatAreRead) {
  const Outcome outcome = examine(kNewer);
  EXPECT_EQ(outcome.records.size(), 1U);
  ASSERT_EQ(outcome.problems.size(), 1U) << reported(outcome);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
  EXPECT_THAT(outcome.problems[0].message,
              AllOf(HasSubstr("Chatter: database of a version that was not tried"),
                    HasSubstr("2 tables read by the definition for \"first\""),
                    HasSubstr("these columns unknown: people.pet, talk.a \"quoted\" one, talk.mood"),
                    HasSubstr("these expected columns missing: talk.at"), Not(HasSubstr("colour")),
                    Not(HasSubstr("never"))));
}

TEST_F(UnknownSchemas, AreNoProblemOnceTried) {
  const std::string fingerprint = fingerprint_of(examine(kNewer));
  ASSERT_EQ(fingerprint.size(), 16U);
  EXPECT_EQ(reported(examine(kNewer, kPath, fingerprint + ", an app of May")), "");
}

TEST_F(UnknownSchemas, AreNoProblemWhereNothingIsNew) {
  EXPECT_EQ(reported(examine(
                "CREATE TABLE talk(id, words, colour); CREATE TABLE people(id); CREATE TABLE other(a);")),
            "");
}

TEST_F(UnknownSchemas, AreListedUpToABound) {
  std::string columns;
  for (int i = 0; i < 300; ++i) columns += ", new" + std::to_string(1000 + i);
  const Outcome outcome = examine("CREATE TABLE talk(id, words" + columns + "); CREATE TABLE people(id);");
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("talk.new1019 and 280 more"));
}

TEST_F(UnknownSchemas, SayWhatIsMissingWhereNothingFits) {
  const Outcome outcome = examine("CREATE TABLE talk(id, text); CREATE TABLE persons(id);");
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(
      outcome.problems[0].message,
      AllOf(HasSubstr("database of an unknown version"), HasSubstr("first: table talk lacks column words"),
            HasSubstr("it has 1 table of \"first\""), HasSubstr("these columns unknown: talk.text"),
            HasSubstr("these expected columns missing: talk.words, people")));
}

/// A table of messages with five texts at 2024-05-03 20:00 UTC and after, one a minute; `time` makes of
/// seconds since 1970 what the column holds.
std::string chat(const std::string& time, const std::string& table = "message") {
  return "CREATE TABLE " + table + "(_id INTEGER PRIMARY KEY, body TEXT, created " +
         "NUMERIC, sender TEXT);WITH t(id, body, s, who) AS (VALUES(1,'hello "
         "there',1714766400,'anna'),(2,'who is "
         "this?',1714766460,'ben'),(3,'ok',1714766520,'anna'),(4,'see you at the flat "
         "tonight',1714766580,'ben'),(5,'I "
         "will not come',1714766640,'anna')) INSERT INTO " +
         table + " SELECT id, body, " + time + ", who FROM t;";
}
constexpr auto kElsewhere = "/data/data/com.example.unknown/databases/store.db";

TEST_F(UnknownSchemas, YieldMessagesByGuessWhereTheDefinitionFitsNot) {
  const Outcome outcome = examine(chat("s * 1000"));
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 5U);
  const Record& first = messages.at("message 1");
  EXPECT_EQ(field(first, "app"), "chatter");
  EXPECT_EQ(field(first, "status"), "guessed");
  EXPECT_EQ(field(first, "body"), "hello there");
  EXPECT_EQ(field(first, "sent"), "1714766400000000");
  EXPECT_EQ(field(first, "sender"), "anna");
  EXPECT_EQ(field(first, "direction"), "unknown");
  ASSERT_EQ(outcome.problems.size(), 1U) << reported(outcome);
  EXPECT_THAT(
      outcome.problems[0].message,
      HasSubstr(
          "taken for messages by guess: 5 rows of message (text body, time created as milliseconds since "
          "1970, party sender)"));
}

TEST_F(UnknownSchemas, YieldMessagesOfAppsThatNoDefinitionKnows) {
  const Outcome outcome = examine(chat("s"), kElsewhere);
  ASSERT_EQ(by_row(outcome, "message").size(), 5U);
  EXPECT_EQ(field(outcome.records[0], "app"), "com.example.unknown");
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("no definition knows this database"));
  // Of a database that lies in no app's folder the file's name is all there is.
  const Outcome bare = examine(chat("s"), "/home/user/store.db");
  ASSERT_EQ(bare.records.size(), 5U);
  EXPECT_EQ(field(bare.records[0], "app"), "store.db");
}

// 2024-05-03T20:00:00Z by each count, worked out with Python's datetime.
TEST_F(UnknownSchemas, TellTheEpochByTheYears) {
  const std::vector<std::pair<std::string, std::string>> epochs = {
      {"s", "1714766400"},
      {"s * 1000", "1714766400000"},
      {"s * 1000000", "1714766400000000"},
      {"s * 1000000000", "1714766400000000000"},
      {"s - 978307200", "736459200"},
      {"(s - 978307200) * 1000000000", "736459200000000000"},
      {"(s + 11644473600) * 1000000", "13359240000000000"},
      {"(s + 11644473600) * 10000000", "133592400000000000"},
      {"CAST(s * 1000 AS TEXT)", "1714766400000"},
      {"s - 978307200.0", "736459200"},
      {"strftime('%Y-%m-%dT%H:%M:%SZ', s, 'unixepoch')", "2024-05-03T20:00:00Z"},
      {"strftime('%Y-%m-%d %H:%M:%S', s + 3600, 'unixepoch') || '+01:00'", "2024-05-03 21:00:00+01:00"}};
  for (const auto& [sql, first] : epochs) {
    const Outcome outcome = examine(chat(sql), kElsewhere);
    const auto messages = by_row(outcome, "message");
    ASSERT_EQ(messages.size(), 5U) << first;
    EXPECT_EQ(field(messages.at("message 1"), "sent"), "1714766400000000") << first;
    EXPECT_EQ(field(messages.at("message 5"), "sent"), "1714766640000000") << first;
  }
}

TEST_F(UnknownSchemas, YieldNothingWhereTheTimeCouldBeOfTwoEpochsOrNone) {
  for (const char* sql : {"(s + 62135596800) * 10000000", "s - 1714766000", "s / 100", "'03/05/2024 20:00'",
                          "'2024-05-03'", "'yesterday'", "NULL", "s * 7"})
    EXPECT_THAT(examine(chat(sql), kElsewhere).records, IsEmpty()) << sql;
}

// A clock's reading: the exhibit's zone makes it a time, and the record says so.
TEST_F(UnknownSchemas, GiveLocalTimesAsLocal) {
  for (const char* sql : {"strftime('%Y-%m-%d %H:%M:%S', s, 'unixepoch')",
                          "strftime('%Y-%m-%dT%H:%M:%S', s, 'unixepoch') || '.000'"}) {
    const Outcome outcome = examine(chat(sql), kElsewhere);
    const auto messages = by_row(outcome, "message");
    ASSERT_EQ(messages.size(), 5U) << sql;
    EXPECT_EQ(field(messages.at("message 1"), "sent_local"), "1714766400000000");
    EXPECT_EQ(field(messages.at("message 1"), "sent"), "-");
    EXPECT_THAT(reported(outcome), HasSubstr("time created as a local time without its zone"));
  }
}

// As Google Messages and others keep them: the text of a message in its parts.
TEST_F(UnknownSchemas, YieldTextsThatStandInAnotherTableThanTheirTimes) {
  const std::string schema = R"(
CREATE TABLE people(_id INTEGER PRIMARY KEY, phone_number TEXT);
INSERT INTO people VALUES(1,'+447700900101'),(2,'+447700900102');
CREATE TABLE messages(_id INTEGER PRIMARY KEY, sent_timestamp INTEGER, sender_id INTEGER REFERENCES people(_id), conversation_id INTEGER);
CREATE TABLE parts(_id INTEGER PRIMARY KEY, message_id INTEGER, text TEXT, content_type TEXT);
INSERT INTO messages VALUES(11,1714766400000,1,5),(12,1714766460000,2,5),(13,1714766520000,1,5);
INSERT INTO parts VALUES(1,11,'hello there','text/plain'),(2,11,NULL,'image/jpeg'),(3,12,'who is this?','text/plain'),(4,13,'see you at the flat','text/plain');
)";
  const Outcome outcome = examine(schema, kElsewhere);
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 3U);
  const Record& second = messages.at("parts 3");
  EXPECT_EQ(field(second, "body"), "who is this?");
  EXPECT_EQ(field(second, "sent"), "1714766460000000");
  EXPECT_EQ(field(second, "sender"), "+447700900102");
  EXPECT_EQ(field(second, "conversation"), "5");
  EXPECT_EQ(field(second, "status"), "guessed");
  EXPECT_THAT(
      reported(outcome),
      HasSubstr("3 rows of parts (text text, time messages.sent_timestamp as milliseconds since 1970"));
  // With a text of its own each message is read once.
  const auto both =
      by_row(examine(schema + "ALTER TABLE messages ADD COLUMN body TEXT; UPDATE messages SET body = "
                              "(SELECT text FROM parts WHERE message_id = messages._id AND text IS "
                              "NOT NULL);",
                     kElsewhere),
             "message");
  EXPECT_EQ(both.size(), 3U);
  EXPECT_TRUE(both.contains("messages 11"));
}

TEST_F(UnknownSchemas, YieldMessagesThatAColumnKeepsAsJson) {
  const std::string rows = R"(
WITH t(id, body, s, who) AS (VALUES(1,'hello there',1714766400,'anna'),(2,'who is this?',1714766460,'ben'),(3,'ok',1714766520,'anna'),
 (4,'see you at the flat tonight',1714766580,'ben'),(5,'I will not come',1714766640,'anna')) INSERT INTO )";
  const Outcome whole = examine("CREATE TABLE entities(id INTEGER PRIMARY KEY, data BLOB);" + rows +
                                    "entities SELECT id, CAST(json_object('id', 'x' || id, 'text', body, "
                                    "'created_at', s * 1000, 'author', "
                                    "json_object('username', who, 'avatar', 'https://example.com/a'), "
                                    "'tags', json_array('a')) AS BLOB) "
                                    "FROM t;",
                                kElsewhere);
  const auto messages = by_row(whole, "message");
  ASSERT_EQ(messages.size(), 5U) << reported(whole);
  EXPECT_EQ(field(messages.at("entities 4"), "body"), "see you at the flat tonight");
  EXPECT_EQ(field(messages.at("entities 4"), "sent"), "1714766580000000");
  EXPECT_EQ(field(messages.at("entities 4"), "sender"), "ben");
  EXPECT_THAT(reported(whole), HasSubstr("text data $.text, time data $.created_at"));
  // The time in a column, the text in JSON.
  const auto half = by_row(
      examine(
          "CREATE TABLE chat_items(id INTEGER PRIMARY KEY, at INTEGER, thread_id INTEGER, payload TEXT);" +
              rows +
              "chat_items SELECT id, s, 7, json_object('message', "
              "json_object('body', body), 'sender', who) FROM t;",
          kElsewhere),
      "message");
  ASSERT_EQ(half.size(), 5U);
  EXPECT_EQ(field(half.at("chat_items 2"), "body"), "who is this?");
  EXPECT_EQ(field(half.at("chat_items 2"), "sent"), "1714766460000000");
  EXPECT_EQ(field(half.at("chat_items 2"), "sender"), "ben");
}

TEST_F(UnknownSchemas, YieldNothingOfJsonThatIsNoMessage) {
  const std::string rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO ";
  for (const char* json :
       {"json_object('text', 'com.example.Thing_' || i, 'timestamp', 1714766400 + i, 'sender', 'a' || i)",
        "json_object('title', 'the quick fox ' || i, 'timestamp', 1714766400 + i, 'sender', 'a' || i)",
        "json_object('text', 'the quick brown fox ' || i, 'sender', 'a' || i)",
        "json_array(json_object('text', 'the quick brown fox ' || i, 'timestamp', 1714766400 + i))",
        "'{\"text\": \"the quick brown fox'"})
    EXPECT_THAT(examine("CREATE TABLE objects(id INTEGER PRIMARY KEY, data TEXT);" + rows +
                            "objects SELECT i, " + json + " FROM n;",
                        kElsewhere)
                    .records,
                IsEmpty())
        << json;
}

// The table is there and the definition reads it, but what it asks for has changed.
TEST_F(UnknownSchemas, SayWhereTheDefinitionFindsNoMessage) {
  std::string definition = kDefinition;
  definition.replace(definition.find("p.id = t.id"), 11, "p.id = t.id WHERE t.id < 0");
  std::ofstream(folder_.path("chatter.toml")) << definition;
  const auto plugin = PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
  ASSERT_TRUE(plugin);
  std::string sql = chat("s", "talk");
  const std::string columns = "_id INTEGER PRIMARY KEY, body";
  sql.replace(sql.find(columns), columns.size(), "id INTEGER PRIMARY KEY, words");
  const Outcome outcome =
      plugin->examine(database_item(made_database(sql + "CREATE TABLE people(id);"), kPath));
  EXPECT_THAT(reported(outcome),
              HasSubstr("the definition finds no message in tables that should have them: talk (5 rows)"));
}

TEST_F(UnknownSchemas, NameThePeopleThatNumbersLeadTo) {
  const Outcome outcome = examine(
      "CREATE TABLE contacts(_id INTEGER PRIMARY KEY, phone_number TEXT); INSERT INTO contacts "
      "VALUES(1,'+447700900101'),(2,'+447700900102'); CREATE TABLE msgs(_id INTEGER PRIMARY KEY, text "
      "TEXT, "
      "ts INTEGER, "
      "contact_id INTEGER REFERENCES contacts(_id), is_outgoing INTEGER, chat_id INTEGER); INSERT INTO "
      "msgs "
      "VALUES(1,'are you at home?',1714766400,1,0,7),(2,'not "
      "yet',1714766460,1,1,7),(3,'hi',1714766500,2,0,8);",
      kElsewhere);
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(field(messages.at("msgs 1"), "direction"), "in");
  EXPECT_EQ(field(messages.at("msgs 1"), "sender"), "+447700900101");
  EXPECT_EQ(field(messages.at("msgs 1"), "recipients"), "[]");
  EXPECT_EQ(field(messages.at("msgs 2"), "direction"), "out");
  EXPECT_EQ(field(messages.at("msgs 2"), "sender"), "NULL");
  EXPECT_EQ(field(messages.at("msgs 2"), "recipients"), "[\"+447700900101\"]");
  EXPECT_EQ(field(messages.at("msgs 2"), "conversation"), "+447700900101");
  EXPECT_EQ(field(messages.at("msgs 3"), "conversation"), "+447700900102");
}

TEST_F(UnknownSchemas, YieldTheTextOfMarkup) {
  std::string sql = chat("s");
  sql += "UPDATE message SET body = '<p>' || body || ' &amp; more</p>';";
  const auto messages = by_row(examine(sql, kElsewhere), "message");
  ASSERT_EQ(messages.size(), 5U);
  EXPECT_EQ(field(messages.at("message 1"), "body"), "hello there & more");
}

TEST_F(UnknownSchemas, YieldNothingOfWhatOnlyResemblesMessages) {
  const std::string insert =
      " SELECT i, 'the quick brown fox ' || i || ' jumps', 1714766400 + i, 'a' || (i % 3) FROM n;";
  const std::string rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO ";
  const std::vector<std::pair<const char*, std::string>> others = {
      {"no party", "CREATE TABLE n1(id, text, time, score);" + rows + "n1" + insert},
      {"no time", "CREATE TABLE n1(id, text, size, sender);" + rows + "n1" + insert},
      {"no text", "CREATE TABLE n1(id, title, time, sender);" + rows + "n1" + insert},
      {"a log", "CREATE TABLE log(id, message, time, user);" + rows + "log" + insert},
      {"a log by its columns", "CREATE TABLE lines(id, message, time, user, severity);" + rows +
                                   "lines(id, message, time, user)" + insert},
      {"a feed", "CREATE TABLE articles(id, content, date, author);" + rows + "articles" + insert},
      {"identifiers",
       "CREATE TABLE message(id, text, time, sender);" + rows +
           "message SELECT i, 'com.example.Thing_' || i, 1714766400 + i, 'a' || (i % 3) FROM n;"},
      {"paths", "CREATE TABLE message(id, text, time, sender);" + rows +
                    "message SELECT i, '/data/my files/' || i, 1714766400 + i, 'a' || (i % 3) FROM n;"},
      {"JSON", "CREATE TABLE message(id, text, time, sender);" + rows +
                   "message SELECT i, json_object('a', 'some words here'), 1714766400 + i, 'a' FROM n;"},
      {"one line again and again",
       "CREATE TABLE message(id, text, time, sender);" + rows +
           "message SELECT i, 'the service was started', 1714766400 + i, 'a' FROM n;"},
      {"bytes", "CREATE TABLE message(id, text, time, sender);" + rows +
                    "message SELECT i, CAST(x'01fe0320ff' AS TEXT) || i, 1714766400 + i, 'a' FROM n;"},
      {"a view", "CREATE TABLE n1(id, a, b, c);" + rows + "n1" + insert +
                     "CREATE VIEW message AS SELECT id, a AS text, b AS time, c AS sender FROM n1;"}};
  for (const auto& [what, sql] : others) {
    const Outcome outcome = examine(sql, kElsewhere);
    EXPECT_THAT(outcome.records, IsEmpty()) << what;
    EXPECT_EQ(reported(outcome), "") << what;
  }
}

TEST_F(UnknownSchemas, YieldNoListOfConversationsBesideTheMessages) {
  const std::string list =
      "CREATE TABLE chats(_id INTEGER PRIMARY KEY, snippet TEXT, date INTEGER, address TEXT); INSERT INTO "
      "chats VALUES(1,"
      "'the last of them',1714766640,'+447700900101'),(2,'another one',1714766650,'+447700900102');";
  EXPECT_EQ(by_row(examine(list, kElsewhere), "message").size(), 2U);
  EXPECT_EQ(by_row(examine(list + chat("s"), kElsewhere), "message").size(), 5U);
}

TEST_F(UnknownSchemas, YieldWhatWasDeletedAsWell) {
  std::ofstream(folder_.path("chatter.toml")) << kDefinition;
  auto plugin = PluginHost::load("appdata", settings_for({folder_.path("chatter.toml")}));
  ASSERT_TRUE(plugin);
  const Outcome outcome = plugin->examine(database_item(
      made_database("PRAGMA secure_delete=OFF;" + chat("s") + "DELETE FROM message WHERE _id = 4;"),
      kElsewhere));
  std::size_t live = 0;
  std::vector<std::string> recovered;
  for (const Record& record : outcome.records) {
    if (field(record, "recovered") == "1") {
      recovered.push_back(field(record, "body"));
      EXPECT_THAT(field(record, "status"),
                  AllOf(HasSubstr("guessed; recovered from"), HasSubstr("confidence")));
    } else {
      ++live;
    }
  }
  EXPECT_EQ(live, 4U);
  EXPECT_THAT(recovered, ::testing::ElementsAre("see you at the flat tonight"));
}

}  // namespace
}  // namespace touchstone::test

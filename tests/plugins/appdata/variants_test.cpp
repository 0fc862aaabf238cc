// Databases as updates of the apps leave them: columns and tables that came, went or have another name, and
// files that lie elsewhere. What is expected is what the same rows give in the schema that the definition
// names. All people are invented.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct App {
  std::string definition, path, sql;
  std::string main, side;  ///< tables
};

const std::vector<App>& apps() {
  static const std::vector<App> all = {
      {"whatsapp_android", "/data/data/com.whatsapp/databases/msgstore.db", R"(
CREATE TABLE jid(_id INTEGER PRIMARY KEY, user TEXT, server TEXT, raw_string TEXT);
CREATE TABLE chat(_id INTEGER PRIMARY KEY, jid_row_id INTEGER, subject TEXT);
CREATE TABLE message(_id INTEGER PRIMARY KEY, chat_row_id INTEGER, from_me INTEGER, timestamp INTEGER, message_type INTEGER, text_data TEXT);
INSERT INTO jid VALUES(1,'447700900101','s.whatsapp.net','447700900101@s.whatsapp.net');
INSERT INTO chat VALUES(1,1,NULL);
INSERT INTO message VALUES(1,1,0,1700000000000,0,'are you there'),(2,1,1,1700000001000,0,'yes I am');)",
       "message", "jid"},
      {"facebook_messenger", "/data/data/com.facebook.orca/databases/msys_database_100501", R"(
CREATE TABLE messages(timestamp_ms INTEGER, sender_id INTEGER, thread_key INTEGER, text TEXT, message_id TEXT, is_admin_message INTEGER);
CREATE TABLE contacts(id INTEGER, name TEXT, email_address TEXT);
INSERT INTO contacts VALUES(100502,'Ben Sample',NULL);
INSERT INTO messages VALUES(1700000000000,100501,100502,'are you there','mid.1',0),(1700000001000,100502,100502,'yes I am','mid.2',0);)",
       "messages", "contacts"},
      {"grindr", "/data/data/com.grindrapp.android/databases/grindr3.db", R"(
CREATE TABLE chat_message(message_id TEXT PRIMARY KEY, sender TEXT, recipient TEXT, body TEXT, timestamp INTEGER, type TEXT, conversation_id TEXT);
CREATE TABLE profile(profile_id TEXT PRIMARY KEY, display_name TEXT);
INSERT INTO profile VALUES('502','Ben');
INSERT INTO chat_message VALUES('m1','501','502','are you there',1700000000000,'text','501:502'),('m2','503','501','yes I am',1700000001000,'text','501:503');)",
       "chat_message", "profile"},
      {"tinder", "/private/var/mobile/A/Library/Application Support/Tinder/Tinder2.sqlite", R"(
CREATE TABLE ZMESSAGE(Z_PK INTEGER PRIMARY KEY, ZCREATED REAL, ZFROMUSERID TEXT, ZTEXT TEXT, ZMATCH INTEGER);
CREATE TABLE ZUSER(Z_PK INTEGER PRIMARY KEY, ZUSERID TEXT, ZFIRSTNAME TEXT, ZISCURRENTUSER INTEGER);
CREATE TABLE ZMATCH(Z_PK INTEGER PRIMARY KEY, ZMATCHID TEXT, ZUSER INTEGER);
INSERT INTO ZUSER VALUES(1,'u501','Ada',1),(2,'u502','Ben',0);
INSERT INTO ZMATCH VALUES(1,'u501u502',2);
INSERT INTO ZMESSAGE VALUES(1,721692800,'u501','are you there',1),(2,721692801,'u502','yes I am',1);)",
       "ZMESSAGE", "ZMATCH"},
      {"ios_messages", "/private/var/mobile/Library/SMS/sms.db", R"(
CREATE TABLE message(ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, handle_id INTEGER, service TEXT, date INTEGER, is_from_me INTEGER);
CREATE TABLE handle(ROWID INTEGER PRIMARY KEY, id TEXT);
INSERT INTO handle VALUES(1,'+447700900101');
INSERT INTO message VALUES(1,'g1','are you there',1,'iMessage',721692800,0),(2,'g2','yes I am',1,'iMessage',721692801,1);)",
       "message", "handle"},
      {"telegram_android", "/data/data/org.telegram.messenger/files/cache4.db", R"(
CREATE TABLE messages_v2(mid INTEGER, uid INTEGER, date INTEGER, data BLOB, out INTEGER, PRIMARY KEY(mid, uid));
CREATE TABLE users(uid INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE chats(uid INTEGER PRIMARY KEY, name TEXT);
INSERT INTO users VALUES(502,'ben;;;');
INSERT INTO messages_v2 VALUES(1,502,1700000000,x'E06E1138000100000700000022175159F50100000000000022175159F60100000000000000F153650d61726520796f75207468657265000000000000',0),(2,502,1700000001,x'E06E1138000100000700000022175159F50100000000000022175159F60100000000000001F1536508796573204920616d00000000000000',1);)",
       "messages_v2", "users"}};
  return all;
}

Outcome read(const App& app, const std::string& change, const std::string& path = {}) {
  const auto host = shipped_apps({app.definition});
  if (!host) return {};
  return host->examine(database_item(made_database(app.sql + change), path.empty() ? app.path : path));
}

/// Direction, time and text of each message, without what names its table.
std::vector<std::string> said(const Outcome& outcome) {
  std::vector<std::string> result;
  for (const Record& record : outcome.records)
    if (record.kind == "message" && field(record, "recovered") != "1")
      result.push_back(field(record, "source_row") + " " + field(record, "direction") + " " +
                       field(record, "sent") + " " + field(record, "received") + " " + field(record, "body"));
  return result;
}

std::string told(const Outcome& outcome) {
  EXPECT_THAT(outcome.problems, SizeIs(1));
  if (outcome.problems.empty()) return "nothing";
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
  return outcome.problems[0].message;
}

TEST(SchemaVariants, WithNewColumnsAreReadAndTheColumnsNamed) {
  for (const App& app : apps()) {
    SCOPED_TRACE(app.definition);
    const auto base = said(read(app, ""));
    EXPECT_THAT(base, SizeIs(2));
    const Outcome outcome = read(app, "ALTER TABLE " + app.main + " ADD COLUMN brand_new TEXT DEFAULT 'x';");
    EXPECT_EQ(said(outcome), base);
    EXPECT_THAT(told(outcome), HasSubstr("these columns unknown: " + app.main + ".brand_new"));
  }
}

/// SQL, and what is said of it.
std::string renaming(const std::string& table) {
  return fmt::format("ALTER TABLE {0} RENAME TO {0}_v9;", table);
}
std::string renamed(const std::string& table) {
  return fmt::format("table {0} is missing, {0}_v9 has its columns and is read in its place", table);
}

TEST(SchemaVariants, WithATableOfAnotherNameAreReadUnderIt) {
  for (const App& app : apps()) {
    SCOPED_TRACE(app.definition);
    const auto base = said(read(app, ""));
    for (const std::string& table : {app.main, app.side}) {
      const Outcome outcome = read(app, renaming(table));
      EXPECT_EQ(said(outcome), base) << table;
      EXPECT_THAT(told(outcome), HasSubstr(renamed(table)));
    }
    // What a reviewer looks for.
    for (const auto& [row, record] : by_row(read(app, renaming(app.main)), "message"))
      EXPECT_EQ(field(record, "source_table"), fmt::format("{}_v9", app.main));
  }
}

TEST(SchemaVariants, WithoutASideTableStillGiveTheMessages) {
  for (const App& app : apps()) {
    SCOPED_TRACE(app.definition);
    const Outcome outcome = read(app, "DROP TABLE " + app.side + ";");
    const auto messages = said(outcome);
    ASSERT_THAT(messages, SizeIs(2));
    EXPECT_THAT(messages[0], HasSubstr("are you there"));
    EXPECT_THAT(told(outcome), HasSubstr("table " + app.side + " is missing"));
  }
}

TEST(SchemaVariants, WithoutAColumnOfASideTableStillGiveTheMessages) {
  const App& app = apps()[0];
  const auto base = said(read(app, ""));
  const Outcome outcome = read(app, "ALTER TABLE jid DROP COLUMN server;");
  EXPECT_EQ(said(outcome), base);
  EXPECT_THAT(told(outcome), HasSubstr("table jid lacks server"));
}

// What a message itself stands in must be whole: without from_me "in" would be a claim.
TEST(SchemaVariants, WithoutAColumnOfTheMessagesAreReadByGuessAndSayNoDirection) {
  const Outcome outcome = read(apps()[0], "ALTER TABLE message DROP COLUMN from_me;");
  EXPECT_THAT(said(outcome), SizeIs(2));
  for (const Record& record : outcome.records) {
    if (record.kind != "message") continue;
    EXPECT_EQ(field(record, "direction"), "unknown");
    EXPECT_EQ(field(record, "status"), "guessed");
  }
  EXPECT_THAT(told(outcome), HasSubstr("table message lacks column from_me"));
}

TEST(SchemaVariants, AreTheSameWithViewsFurtherTablesAndGeneratedColumns) {
  for (const App& app : apps()) {
    SCOPED_TRACE(app.definition);
    const auto base = said(read(app, ""));
    const Outcome outcome =
        read(app,
             "CREATE TABLE brand_new(a INTEGER PRIMARY KEY, b AS (a + 1) STORED, c AS (a + 2)) ;"
             "INSERT INTO brand_new(a) VALUES(1); CREATE VIEW all_of_it AS SELECT * FROM " +
                 app.main + ";");
    EXPECT_EQ(said(outcome), base);
    EXPECT_THAT(outcome.problems, IsEmpty());
  }
}

TEST(SchemaVariants, WithoutRowNumbersGiveTheSame) {
  const App app = apps()[2];
  App other = app;
  const std::string before =
      "PRIMARY KEY, sender TEXT, recipient TEXT, body TEXT, timestamp INTEGER, type TEXT, "
      "conversation_id TEXT)";
  other.sql.replace(other.sql.find(before), before.size(), before + " WITHOUT ROWID");
  EXPECT_EQ(said(read(other, "")), said(read(app, "")));
}

TEST(SchemaVariants, AnywhereAreReadByTheirTables) {
  for (const App& app : apps()) {
    SCOPED_TRACE(app.definition);
    std::vector<std::string> names;
    for (const App& other : apps()) names.push_back(other.definition);
    const auto host = shipped_apps(names);
    ASSERT_TRUE(host);
    const Outcome outcome =
        host->examine(database_item(made_database(app.sql), "/mnt/usb/backups/copy of a phone.sqlite3"));
    const auto messages = said(outcome);
    ASSERT_THAT(messages, SizeIs(2));
    EXPECT_THAT(messages[1], HasSubstr("yes I am"));
    EXPECT_THAT(told(outcome), HasSubstr("no definition names this place; its tables are those of"));
    for (const Record& record : outcome.records)
      EXPECT_THAT(field(record, "status"), Not(HasSubstr("guessed")));
  }
}

TEST(SchemaVariants, OfNoAppAreNotTakenForOneByAFewColumns) {
  const auto host = shipped_apps({"android_browser", "android_phone", "snapchat"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(database_item(
      made_database(
          "CREATE TABLE accounts(_id INTEGER PRIMARY KEY, name TEXT, type TEXT); INSERT INTO accounts "
          "VALUES(1,'a','b'); CREATE TABLE history(_id INTEGER PRIMARY KEY, title TEXT, url TEXT, date "
          "INTEGER); INSERT INTO history VALUES(1,'t','https://example.com',1700000000000);"),
      "/mnt/usb/other.db"));
  EXPECT_THAT(outcome.records, IsEmpty());
  EXPECT_THAT(outcome.problems, IsEmpty());
}

// The columns are those that the app's own code asks for.
TEST(SchemaVariants, OfKnownColumnsAreNoProblem) {
  const App messenger{"facebook_messenger", "/data/data/com.facebook.orca/databases/threads_db2", R"(
CREATE TABLE messages(msg_id TEXT PRIMARY KEY, thread_key TEXT, text TEXT, sender TEXT, timestamp_ms INTEGER, msg_type INTEGER, is_not_forwardable INTEGER, affected_users TEXT, sticker_id TEXT, channel_source TEXT, montage_reply_action TEXT, unsent_timestamp_ms INTEGER);
CREATE TABLE thread_users(user_key TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, username TEXT, name TEXT, is_friend INTEGER);
INSERT INTO messages(msg_id, thread_key, text, sender, timestamp_ms, unsent_timestamp_ms) VALUES
 ('m1','ONE_TO_ONE:1:2','are you there','{"user_key":"FACEBOOK:2"}',1700000000000,NULL),('m2','ONE_TO_ONE:1:2',NULL,'{"user_key":"FACEBOOK:2"}',1700000001000,1700000009000);)",
                      "messages", "thread_users"};
  const Outcome outcome = read(messenger, "");
  EXPECT_EQ(reported(outcome), "");
  const auto messages = by_row(outcome, "message");
  EXPECT_EQ(field(messages.at("messages m1"), "deleted"), "0");
  EXPECT_EQ(field(messages.at("messages m2"), "deleted"), "1");
  const App tiktok{"tiktok", "/data/data/com.zhiliaoapp.musically/databases/501_im.db", R"(
CREATE TABLE msg(msg_uuid TEXT PRIMARY KEY, msg_server_id BIGINT, conversation_id TEXT NOT NULL, conversation_short_id BIGINT, conversation_type INTEGER, type INTEGER, index_in_conversation BIGINT, order_index BIGINT, status INTEGER, net_status INTEGER, version INTEGER, deleted INTEGER, created_time INTEGER, sender BIGINT, content TEXT, content_pb BLOB, scene TEXT, ext TEXT, local_info TEXT, read_status INTEGER, sec_sender TEXT, property_list TEXT, index_in_conversation_v2 BIGINT default -1, table_flag BIGINT default 0, conv_rank_update_rule INTEGER default 0);
INSERT INTO msg(msg_uuid,conversation_id,type,deleted,created_time,sender,content) VALUES('u1','0:1:501:502',7,0,1700000000000,501,'{"text":"are you there"}');)",
                   "msg", ""};
  EXPECT_EQ(reported(read(tiktok, "")), "");
  EXPECT_THAT(said(read(tiktok, "")), SizeIs(1));
  const App snapchat{"snapchat", "/data/data/com.snapchat.android/databases/arroyo.db", R"(
CREATE TABLE conversation_message(client_conversation_id TEXT, client_message_id INTEGER, server_message_id INTEGER, message_content BLOB, content_type INTEGER, message_state_type TEXT, creation_timestamp INTEGER, read_timestamp INTEGER, sender_id TEXT, is_saved INTEGER, is_viewed_by_user INTEGER, created_on_device INTEGER, remote_media_count INTEGER, replies_count INTEGER, quoted_server_message_id INTEGER, PRIMARY KEY(client_conversation_id, client_message_id));
INSERT INTO conversation_message(client_conversation_id,client_message_id,message_content,content_type,creation_timestamp,sender_id) VALUES('c-1',1,X'220F220D120B0A09736E61702074657874',1,1700000000000,'u-2');)",
                     "conversation_message", ""};
  EXPECT_EQ(reported(read(snapchat, "")), "");
  EXPECT_THAT(said(read(snapchat, "")), SizeIs(1));
}

// As the app of 2012 created them.
TEST(SchemaVariants, OfMessengerOf2012AreRead) {
  const App messenger{"facebook_messenger", "/data/data/com.facebook.orca/databases/threads_db2", R"(
CREATE TABLE messages(msg_id TEXT PRIMARY KEY, thread_id TEXT, action_id INTEGER, subject TEXT, text TEXT, sender TEXT, timestamp_ms INTEGER, timestamp_sent_ms INTEGER, local_attachments TEXT, attachments TEXT, shares TEXT, msg_type INTEGER, affected_users TEXT, coordinates TEXT, offline_threading_id TEXT, source TEXT, is_non_authoritative INTEGER, pending_send_media_attachment STRING, handled_internally_time INTEGER);
CREATE TABLE thread_users(user_key TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, name TEXT, pic_big TEXT, pic_square TEXT, pic_crop TEXT, last_active TEXT);
INSERT INTO thread_users(user_key,name) VALUES('FACEBOOK:502','Ben Sample');
INSERT INTO messages(msg_id,thread_id,text,sender,timestamp_ms,msg_type) VALUES('m1','t_1','are you there','{"email":"502@example.com","user_key":"FACEBOOK:502","name":"Ben"}',1350000000000,0);)",
                      "messages", "thread_users"};
  const Outcome outcome = read(messenger, "");
  EXPECT_EQ(reported(outcome), "");
  const auto messages = by_row(outcome, "message");
  ASSERT_THAT(messages, SizeIs(1));
  const Record& message = messages.at("messages m1");
  EXPECT_EQ(field(message, "sent"), "1350000000000000");
  EXPECT_EQ(field(message, "sender"), "FACEBOOK:502");
  EXPECT_EQ(field(message, "conversation"), "t_1");
  EXPECT_EQ(by_row(outcome, "contact").size(), 1U);
}

}  // namespace
}  // namespace touchstone::test

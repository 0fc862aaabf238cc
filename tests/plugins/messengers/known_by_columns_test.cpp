// Apps whose schema is known from the columns that the parsers of other tools read, and no more: these tests
// show that the definitions agree with those parsers, not that real databases look so. All people are
// invented.
#include <gtest/gtest.h>

#include "plugins/messengers/expect.hpp"

namespace touchstone::test {
namespace {

TEST(FacebookMessenger, KnowsTheOwnerByTheFilesName) {
  const std::string sql = R"(
CREATE TABLE messages(timestamp_ms INTEGER, sender_id INTEGER, thread_key INTEGER, text TEXT, message_id TEXT, is_admin_message INTEGER);
CREATE TABLE contacts(id INTEGER, name TEXT, email_address TEXT);
CREATE TABLE call_log(call_timestamp_ms INTEGER, call_duration INTEGER, call_direction INTEGER, call_media_type INTEGER, thread_key INTEGER);
INSERT INTO contacts VALUES(100501,'Ada Example','ada@example.com'),(100502,'Ben Sample',NULL);
INSERT INTO messages VALUES(1700000000000,100501,100502,'Hello','mid.1',0),(1700000001000,100502,100502,'Hi','mid.2',0),
 (1700000002000,100502,100502,'Ben named the group','mid.3',1);
INSERT INTO call_log VALUES(1700000003000,63,1,2,100502);
)";
  const Outcome outcome =
      read_app("facebook_messenger", sql, "/data/data/com.facebook.orca/databases/msys_database_100501");
  EXPECT_EQ(said(outcome, "messages mid.1"),
            (Fields{"100502", "1700000000000000", "out", "100501", "Hello"}));
  EXPECT_EQ(said(outcome, "messages mid.2"), (Fields{"100502", "1700000001000000", "in", "100502", "Hi"}));
  EXPECT_EQ(fields(outcome, "message", "messages mid.3", {"direction", "status"}),
            (Fields{"unknown", "system"}));
  EXPECT_EQ(fields(outcome, "call", "call_log 100502/1700000003000",
                   {"direction", "party", "duration_s", "status"}),
            (Fields{"out", "100502", "63", "video"}));
  EXPECT_EQ(fields(outcome, "account", "contacts 100501", {"identifier", "name"}),
            (Fields{"100501", "Ada Example"}));
  const Outcome renamed =
      read_app("facebook_messenger", sql, "/data/data/com.facebook.orca/databases/msys_database_x'y");
  EXPECT_EQ(fields(renamed, "message", "messages mid.1", {"direction"}), (Fields{"unknown"}));
}

TEST(FacebookMessenger, ReadsThreadsAndLightspeed) {
  const Outcome old = read_app("facebook_messenger", R"(
CREATE TABLE messages(msg_id TEXT PRIMARY KEY, thread_key TEXT, text TEXT, sender TEXT, timestamp_ms INTEGER);
INSERT INTO messages VALUES('m1','ONE_TO_ONE:1:2','Hello','{"user_key":"FACEBOOK:2","name":"Ben"}',1700000000000);
)",
                               "/data/data/com.facebook.orca/databases/threads_db2");
  EXPECT_EQ(said(old, "messages m1"),
            (Fields{"ONE_TO_ONE:1:2", "1700000000000000", "unknown", "FACEBOOK:2", "Hello"}));
  const Outcome ios = read_app("facebook_messenger", R"(
CREATE TABLE thread_messages(timestamp_ms INTEGER, sender_id INTEGER, message_id TEXT, text TEXT, thread_key INTEGER);
CREATE TABLE contacts(id INTEGER, name TEXT);
INSERT INTO thread_messages VALUES(1700000000000,501,'m1','Hello',502),(1700000001000,502,'m2','Hi',502);
)",
                               "/private/var/mobile/Containers/Shared/AppGroup/A/lightspeed-501.db");
  EXPECT_EQ(said(ios, "thread_messages m1"), (Fields{"502", "1700000000000000", "out", "501", "Hello"}));
  EXPECT_EQ(said(ios, "thread_messages m2"), (Fields{"502", "1700000001000000", "in", "502", "Hi"}));
}

// The protobuf is {4: {4: {2: {1: "snap text"}}}}.
TEST(Snapchat, GivesTextsFromProtobufs) {
  const Outcome outcome = read_app("snapchat", R"(
CREATE TABLE conversation_message(client_conversation_id TEXT, client_message_id INTEGER, message_content BLOB, content_type INTEGER,
 creation_timestamp INTEGER, sender_id TEXT, PRIMARY KEY(client_conversation_id, client_message_id));
INSERT INTO conversation_message VALUES('c-1',1,X'220F220D120B0A09736E61702074657874',1,1700000000000,'u-2'),('c-1',2,X'FF',0,1700000001000,'u-1');
)",
                                   "/data/data/com.snapchat.android/databases/arroyo.db");
  EXPECT_EQ(said(outcome, "conversation_message c-1/1"),
            (Fields{"c-1", "1700000000000000", "unknown", "u-2", "snap text"}));
  EXPECT_EQ(said(outcome, "conversation_message c-1/2"),
            (Fields{"c-1", "1700000001000000", "unknown", "u-1", "NULL"}));
}

TEST(TikTok, KnowsTheOwnerByTheFilesName) {
  const Outcome outcome = read_app("tiktok", R"(
CREATE TABLE msg(msg_uuid TEXT PRIMARY KEY, created_time INTEGER, sender INTEGER, content TEXT, type INTEGER, deleted INTEGER, read_status INTEGER, conversation_id TEXT);
INSERT INTO msg VALUES('u1',1700000000000,501,'{"text":"Hello"}',7,0,1,'0:1:501:502'),('u2',1700000001000,502,'{"text":"Hi"}',7,1,1,'0:1:501:502');
)",
                                   "/data/data/com.zhiliaoapp.musically/databases/501_im.db");
  EXPECT_EQ(said(outcome, "msg u1"), (Fields{"0:1:501:502", "1700000000000000", "out", "501", "Hello"}));
  EXPECT_EQ(said(outcome, "msg u2"), (Fields{"0:1:501:502", "1700000001000000", "in", "502", "Hi"}));
  EXPECT_EQ(fields(outcome, "message", "msg u2", {"deleted"}), (Fields{"1"}));
}

TEST(TikTok, KnowsPeopleOfAllItsTables) {
  const Outcome older = read_app("tiktok", R"(
CREATE TABLE SIMPLE_USER(UID INTEGER PRIMARY KEY, NICK_NAME TEXT, UNIQUE_ID TEXT, FOLLOW_STATUS INTEGER);
INSERT INTO SIMPLE_USER VALUES(502,'Ben','ben.sample',1);
)",
                                 "/data/data/com.zhiliaoapp.musically/databases/db_im_xx");
  const std::string identifiers =
      R"([{"kind":"tiktok","value":"502"},{"kind":"username","value":"ben.sample"}])";
  EXPECT_EQ(fields(older, "contact", "SIMPLE_USER 502", {"name", "identifiers"}),
            (Fields{"Ben", identifiers}));
  const Outcome newer = read_app("tiktok", R"(
CREATE TABLE IM_USER_BASE_INFO(UID INTEGER PRIMARY KEY, NICK_NAME TEXT, UNIQUE_ID TEXT, UPDATE_TIME INTEGER, BLOCK INTEGER, DELETED INTEGER);
INSERT INTO IM_USER_BASE_INFO VALUES(502,'Ben','ben.sample',1700000000000,0,0);
)",
                                 "/data/data/com.zhiliaoapp.musically/databases/db_im_contact_501");
  EXPECT_EQ(fields(newer, "contact", "IM_USER_BASE_INFO 502", {"name", "identifiers"}),
            (Fields{"Ben", identifiers}));
  const Outcome ios = read_app("tiktok", R"(
CREATE TABLE AwemeContactsV5(uid TEXT, customid TEXT, nickname TEXT, url1 TEXT, latestchattimestamp REAL);
INSERT INTO AwemeContactsV5 VALUES('502','ben.sample','Ben','https://example.com/1.jpg',1700000000);
)",
                               "/private/var/mobile/Containers/Data/Application/A/Documents/AwemeIM.db");
  EXPECT_EQ(fields(ios, "contact", "AwemeContactsV5 502", {"name", "identifiers"}),
            (Fields{"Ben", identifiers}));
}

TEST(Hinge, GivesPeopleAndWhatTheOwnerSaysOfThemselves) {
  const Outcome outcome = read_app("hinge", R"(
CREATE TABLE profiles(userId TEXT PRIMARY KEY, firstName TEXT, lastName TEXT, age INTEGER, created INTEGER, updated INTEGER);
CREATE TABLE player_answers(created INTEGER, modified INTEGER, type TEXT, questionId TEXT, position INTEGER, answerData TEXT);
CREATE TABLE basic_choices(attribute TEXT, apiId TEXT, display TEXT, selected INTEGER);
CREATE TABLE chat_messages(a TEXT);
INSERT INTO profiles(userId,firstName) VALUES('u502','Ben');
INSERT INTO player_answers VALUES(1700000000000,1700000060000,'text','q1',0,'{"text":{"response":"long walks"}}'),
 (1700000000000,1700000060000,'poll','q2',1,'{"poll":{"options":["a","b"]}}');
INSERT INTO basic_choices VALUES('email','name','a@example.com',1),('name','firstName','Ada',1),('name','firstName','Other',0),
 ('location','latitude','51.5',1),('location','longitude','-0.125',1);
)",
                                   "/data/data/co.hinge.app/databases/db");
  EXPECT_EQ(fields(outcome, "contact", "profiles u502", {"name", "identifiers"}),
            (Fields{"Ben", R"([{"kind":"hinge","value":"u502"}])"}));
  EXPECT_EQ(fields(outcome, "note", "player_answers 1", {"body", "created", "modified", "status"}),
            (Fields{"long walks", "1700000000000000", "1700000060000000", "text"}));
  EXPECT_EQ(fields(outcome, "note", "player_answers 2", {"body"}),
            (Fields{R"({"poll":{"options":["a","b"]}})"}));
  EXPECT_EQ(fields(outcome, "account", "basic_choices 1", {"identifier", "name"}),
            (Fields{"a@example.com", "Ada"}));
  EXPECT_EQ(fields(outcome, "location", "basic_choices 4", {"latitude", "longitude"}),
            (Fields{"51.500000", "-0.125000"}));
}

TEST(Line, TakesMessagesWithoutASenderForTheOwners) {
  const Outcome outcome = read_app("line", R"(
CREATE TABLE chat_history(id INTEGER PRIMARY KEY, chat_id TEXT, from_mid TEXT, content TEXT, created_time TEXT);
INSERT INTO chat_history VALUES(1,'u502',NULL,'Hello','1700000000000'),(2,'u502','u502','Hi','1700000001000');
)",
                                   "/data/data/jp.naver.line.android/databases/naver_line");
  EXPECT_EQ(said(outcome, "chat_history 1"), (Fields{"u502", "1700000000000000", "out", "NULL", "Hello"}));
  EXPECT_EQ(said(outcome, "chat_history 2"), (Fields{"u502", "1700000001000000", "in", "u502", "Hi"}));
}

// The tables as the app of 2022 creates them, without columns that are not read.
TEST(Grindr, KnowsTheOwnerByEveryMessage) {
  const std::string schema = R"(
CREATE TABLE chat_message (message_id TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT, body TEXT NOT NULL, timestamp INTEGER NOT NULL, type TEXT NOT NULL, conversation_id TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL, PRIMARY KEY(message_id));
CREATE TABLE profile (profile_id TEXT NOT NULL, display_name TEXT, PRIMARY KEY(profile_id));
CREATE TABLE search_inbox_query (query_term TEXT NOT NULL, timestamp INTEGER NOT NULL, PRIMARY KEY(query_term));
INSERT INTO profile VALUES('502','Ben'),('503','Cat');
INSERT INTO search_inbox_query VALUES('ben',1700000009000);
INSERT INTO chat_message VALUES('m1','501','502','Hello',1700000000000,'text','501:502',0,0);
)";
  const std::string other =
      "INSERT INTO chat_message "
      "VALUES('m2','503','501','{\"text\":\"Hi\"}',1700000001000,'map','501:503',51.5,-0.125);";
  const std::string path = "/data/data/com.grindrapp.android/databases/grindr3.db";
  const Outcome outcome = read_app("grindr", schema + other, path);
  EXPECT_EQ(said(outcome, "chat_message m1"), (Fields{"501:502", "1700000000000000", "out", "501", "Hello"}));
  EXPECT_EQ(said(outcome, "chat_message m2"), (Fields{"501:503", "1700000001000000", "in", "503", "Hi"}));
  EXPECT_EQ(fields(outcome, "location", "chat_message m2", {"latitude"}), (Fields{"51.500000"}));
  EXPECT_EQ(fields(outcome, "visit", "search_inbox_query ben", {"title", "kind"}), (Fields{"ben", "search"}));
  const Outcome single = read_app("grindr", schema, path);
  EXPECT_EQ(fields(single, "message", "chat_message m1", {"direction"}), (Fields{"unknown"}))
      << "either may be the owner";
}

TEST(Tinder, OfIosMarksTheOwner) {
  const Outcome outcome = read_app(
      "tinder", R"(
CREATE TABLE ZMESSAGE(Z_PK INTEGER PRIMARY KEY, ZCREATED REAL, ZFROMUSERID TEXT, ZTEXT TEXT, ZMATCH INTEGER);
CREATE TABLE ZUSER(Z_PK INTEGER PRIMARY KEY, ZUSERID TEXT, ZFIRSTNAME TEXT, ZISCURRENTUSER INTEGER);
CREATE TABLE ZMATCH(Z_PK INTEGER PRIMARY KEY, ZMATCHID TEXT, ZUSER INTEGER);
INSERT INTO ZUSER VALUES(1,'u501','Ada',1),(2,'u502','Ben',0);
INSERT INTO ZMATCH VALUES(1,'u501u502',2);
INSERT INTO ZMESSAGE VALUES(1,721692800,'u501','Hello',1),(2,721692801,'u502','Hi',1);
)",
      "/private/var/mobile/Containers/Data/Application/A/Library/Application Support/Tinder/Tinder2.sqlite");
  EXPECT_EQ(said(outcome, "ZMESSAGE 1"), (Fields{"u501u502", "1700000000000000", "out", "u501", "Hello"}));
  EXPECT_EQ(said(outcome, "ZMESSAGE 2"), (Fields{"u501u502", "1700000001000000", "in", "u502", "Hi"}));
}

}  // namespace
}  // namespace touchstone::test

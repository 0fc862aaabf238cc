// What people add to WhatsApp messages: reactions, votes, answers; files of the time before 2022; the
// iPhone's database. Rows written by hand in the app's own tables. All people and numbers are invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::IsEmpty;

constexpr auto kPath = "/data/data/com.whatsapp/databases/msgstore.db";

Outcome run_definition(const std::string& name, const std::string& sql, const std::string& path) {
  auto host = shipped_apps({name});
  EXPECT_TRUE(host);
  return host ? host->examine(database_item(made_database(sql), path)) : Outcome{};
}

/// Tables of the schemas of February 2022 and October 2023; the poll's by the columns that parsers read.
constexpr auto kAndroid = R"(
CREATE TABLE message (_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL, from_me INTEGER NOT NULL, key_id TEXT NOT NULL, sender_jid_row_id INTEGER, status INTEGER, broadcast INTEGER, recipient_count INTEGER, participant_hash TEXT, origination_flags INTEGER, origin INTEGER, timestamp INTEGER, received_timestamp INTEGER, receipt_server_timestamp INTEGER, message_type INTEGER, text_data TEXT, starred INTEGER, lookup_tables INTEGER, sort_id INTEGER NOT NULL DEFAULT 0 , message_add_on_flags INTEGER, view_mode INTEGER);
CREATE TABLE chat (_id INTEGER PRIMARY KEY AUTOINCREMENT,jid_row_id INTEGER UNIQUE,hidden INTEGER,subject TEXT);
CREATE TABLE jid (_id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, server TEXT NOT NULL, agent INTEGER, device INTEGER, type INTEGER, raw_string TEXT);
CREATE TABLE jid_map (lid_row_id INTEGER PRIMARY KEY NOT NULL, jid_row_id INTEGER NOT NULL, sort_id INTEGER);
CREATE TABLE message_quoted ( message_row_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL, parent_message_chat_row_id INTEGER NOT NULL, from_me INTEGER NOT NULL, sender_jid_row_id INTEGER, key_id TEXT NOT NULL, timestamp INTEGER, message_type INTEGER, origin INTEGER, text_data TEXT, payment_transaction_id TEXT, lookup_tables INTEGER);
CREATE TABLE message_add_on (_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER, from_me INTEGER, key_id TEXT NOT NULL, sender_jid_row_id INTEGER, parent_message_row_id INTEGER, timestamp INTEGER, status INTEGER, message_add_on_type INTEGER);
CREATE TABLE message_add_on_reaction (message_add_on_row_id INTEGER PRIMARY KEY, reaction TEXT, sender_timestamp INTEGER);
CREATE TABLE message_poll_option (_id INTEGER PRIMARY KEY AUTOINCREMENT, message_row_id INTEGER, option_name TEXT, vote_total INTEGER);
CREATE TABLE message_ui_elements(_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, message_row_id INTEGER NOT NULL, element_type INTEGER, element_content TEXT);
CREATE TABLE message_revoked (message_row_id INTEGER PRIMARY KEY, revoked_key_id TEXT NOT NULL, admin_jid_row_id INTEGER, revoke_timestamp INTEGER);
INSERT INTO jid(_id,user,server,raw_string) VALUES(1,'447700900101','s.whatsapp.net','447700900101@s.whatsapp.net'),
 (2,'99887766','lid','99887766@lid'),(3,'120363000000000042','g.us','120363000000000042@g.us');
INSERT INTO jid_map VALUES(2,1,0);
INSERT INTO chat VALUES(1,1,0,NULL),(2,3,0,'Book club');
INSERT INTO message(_id,chat_row_id,from_me,key_id,sender_jid_row_id,status,timestamp,message_type,text_data,starred) VALUES
 (2,1,0,'Q1',0,0,1700000000000,0,'a question',1),(3,1,1,'A1',0,13,1700000001000,0,'an answer',0),
 (4,2,0,'V1',2,0,1700000002000,42,NULL,0),(5,2,1,'P1',0,5,1700000003000,66,'Where?',0),
 (6,1,0,'U1',0,0,1700000004000,85,NULL,0),(7,2,0,'D1',2,0,1700000005000,64,NULL,0);
INSERT INTO message_quoted(message_row_id,chat_row_id,parent_message_chat_row_id,from_me,key_id,text_data) VALUES(3,1,1,0,'Q1','a question');
INSERT INTO message_add_on VALUES(1,1,1,'R1',NULL,2,1700000009000,0,56),(2,2,0,'R2',2,5,1700000009000,0,56),(3,2,0,'R3',2,5,1700000009000,0,56);
INSERT INTO message_add_on_reaction VALUES(1,'👍',0),(2,'😀',0),(3,'',0);
INSERT INTO message_poll_option VALUES(1,5,'The pier',2),(2,5,'At home',0);
INSERT INTO message_ui_elements VALUES(1,6,1,'{"description":"Your parcel is on its way"}'),(2,6,1,'no JSON');
INSERT INTO message_revoked VALUES(7,'x',1,1700000006000);
)";

TEST(WhatsApp, SaysWhatPeopleAddedToMessages) {
  const Outcome outcome = run_definition("whatsapp_android", kAndroid, kPath);
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 6U);
  EXPECT_EQ(field(messages.at("message 2"), "status"), "received; starred; reactions: 👍 by the owner");
  EXPECT_EQ(field(messages.at("message 3"), "status"), "read; answers \"a question\", message 2");
  EXPECT_EQ(field(messages.at("message 4"), "status"), "received; to be viewed once");
  EXPECT_EQ(field(messages.at("message 4"), "sender"), "+447700900101");  // by jid_map
  EXPECT_EQ(field(messages.at("message 5"), "body"), "Where?\n- The pier\n- At home");
  EXPECT_EQ(field(messages.at("message 5"), "status"),
            "delivered; votes: The pier 2, At home 0; reactions: 😀 by +447700900101");
  EXPECT_EQ(field(messages.at("message 6"), "body"), "Your parcel is on its way");
  EXPECT_EQ(field(messages.at("message 7"), "status"),
            "deleted by an administrator; by +447700900101; deleted 2023-11-14T22:13:26Z");
  EXPECT_EQ(field(messages.at("message 7"), "deleted"), "1");
}

/// The path in thumb_image as java.io.File writes it: the text with its length before it, the separator and
/// an end mark behind it.
TEST(WhatsApp, FindsThePathsOfFilesBefore2022) {
  const Outcome outcome = run_definition("whatsapp_android", R"(
CREATE TABLE messages (_id INTEGER PRIMARY KEY AUTOINCREMENT, key_remote_jid TEXT NOT NULL, key_from_me INTEGER, key_id TEXT NOT NULL, status INTEGER, needs_push INTEGER, data TEXT, timestamp INTEGER, media_url TEXT, media_mime_type TEXT, media_wa_type TEXT, media_size INTEGER, media_name TEXT, media_caption TEXT, media_hash TEXT, media_duration INTEGER, origin INTEGER, latitude REAL, longitude REAL, thumb_image TEXT, remote_resource TEXT, received_timestamp INTEGER, quoted_row_id INTEGER, starred INTEGER, forwarded INTEGER);
CREATE TABLE messages_quotes (_id INTEGER PRIMARY KEY AUTOINCREMENT, key_remote_jid TEXT NOT NULL, key_from_me INTEGER, key_id TEXT NOT NULL, data TEXT, timestamp INTEGER);
CREATE TABLE call_log (_id INTEGER PRIMARY KEY AUTOINCREMENT, jid_row_id INTEGER, from_me INTEGER, call_id TEXT, transaction_id INTEGER, timestamp INTEGER, video_call INTEGER, duration INTEGER, call_result INTEGER, bytes_transferred INTEGER, group_jid_row_id INTEGER NOT NULL DEFAULT 0);
CREATE TABLE jid (_id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, server TEXT NOT NULL, agent INTEGER, device INTEGER, type INTEGER, raw_string TEXT);
INSERT INTO jid VALUES(1,'447700900101','s.whatsapp.net',0,0,0,'447700900101@s.whatsapp.net');
INSERT INTO call_log VALUES(1,1,0,'c',0,1600000009000,0,0,4,0,0);
INSERT INTO messages(_id,key_remote_jid,key_from_me,key_id,status,data,timestamp,media_wa_type,media_mime_type,thumb_image,quoted_row_id,forwarded) VALUES
 (1,'447700900101@s.whatsapp.net',0,'A',0,'a word',1600000000000,'0',NULL,NULL,0,0),
 (2,'447700900101@s.whatsapp.net',1,'B',5,NULL,1600000001000,'1','image/jpeg',
  X'ACED0005737200' || CAST('com.whatsapp.MediaData' AS BLOB) || X'78707372000C' || CAST('java.io.File' AS BLOB) || X'7871007E0002740028' || CAST('Media/WhatsApp Images/Sent/IMG-1-WA0.jpg' AS BLOB) || X'7702002F7870',0,1),
 (3,'447700900101@s.whatsapp.net',1,'C',5,'and mine',1600000002000,'0',NULL,NULL,9,0);
UPDATE messages SET thumb_image = CAST(thumb_image AS BLOB) WHERE _id = 2;
INSERT INTO messages_quotes VALUES(9,'447700900101@s.whatsapp.net',0,'A','a word',1600000000000);)",
                                         kPath);
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(field(messages.at("messages 2"), "status"), "delivered; forwarded");
  EXPECT_EQ(field(messages.at("messages 3"), "status"), "delivered; answers \"a word\", message 1");
  const auto files = by_row(outcome, "attachment");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(field(files.at("messages 2"), "path"), "Media/WhatsApp Images/Sent/IMG-1-WA0.jpg");
  EXPECT_EQ(field(files.at("messages 2"), "name"), "IMG-1-WA0.jpg");
  EXPECT_EQ(field(by_row(outcome, "call").at("call_log 1"), "status"), "voice, refused");
}

}  // namespace
}  // namespace touchstone::test

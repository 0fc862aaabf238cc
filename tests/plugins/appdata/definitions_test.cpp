// The definitions that are shipped, run over rows written by hand in the real schemas. All people and numbers
// are invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/appdata/made_app.hpp"
#include "rules/app_definition.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The tables that rules/apps/android_sms.toml reads, in the AOSP schema of 2017.
constexpr auto kAospSchema = R"(
CREATE TABLE sms (_id INTEGER PRIMARY KEY,thread_id INTEGER,address TEXT,person INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,protocol INTEGER,read INTEGER DEFAULT 0,status INTEGER DEFAULT -1,type INTEGER,reply_path_present INTEGER,subject TEXT,body TEXT,service_center TEXT,locked INTEGER DEFAULT 0,error_code INTEGER DEFAULT 0,seen INTEGER DEFAULT 0);
CREATE TABLE pdu (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,msg_box INTEGER,read INTEGER DEFAULT 0,m_id TEXT,sub TEXT,sub_cs INTEGER,ct_t TEXT,m_type INTEGER);
CREATE TABLE part (_id INTEGER PRIMARY KEY AUTOINCREMENT,mid INTEGER,seq INTEGER DEFAULT 0,ct TEXT,name TEXT,chset INTEGER,cd TEXT,fn TEXT,cid TEXT,cl TEXT,ctt_s INTEGER,ctt_t TEXT,_data TEXT,text TEXT);
CREATE TABLE addr (_id INTEGER PRIMARY KEY,msg_id INTEGER,contact_id INTEGER,address TEXT,type INTEGER,charset INTEGER);
CREATE TABLE threads (_id INTEGER PRIMARY KEY AUTOINCREMENT,date INTEGER DEFAULT 0,recipient_ids TEXT);
CREATE TABLE canonical_addresses (_id INTEGER PRIMARY KEY AUTOINCREMENT,address TEXT);
INSERT INTO canonical_addresses VALUES(1,'+447700900101'),(2,'+447700900102'),(12,'+447700900112');
INSERT INTO threads(_id,recipient_ids) VALUES(1,'1'),(2,'1 12');
INSERT INTO sms(_id,thread_id,address,date,date_sent,type,body) VALUES
 (1,1,'+447700900101',1700000001000,1700000000000,1,'in'),
 (2,1,'+447700900101',1700000002000,0,2,'out'),
 (3,1,'+447700900101',1700000003000,0,1,'in without time of sending'),
 (4,NULL,NULL,1700000004000,0,3,'draft to nobody'),
 (5,1,'+447700900101',1700000005000,0,5,'failed'),
 (6,1,'+447700900101',1700000006000,0,77,'odd type');
INSERT INTO pdu(_id,thread_id,date,date_sent,msg_box,m_type,sub) VALUES
 (1,2,1700000010,1700000009,1,132,'A subject'),(2,2,1700000020,0,2,128,NULL),(3,2,1700000030,0,1,134,NULL),
 (4,1,1700000040,0,1,130,NULL);
INSERT INTO addr(msg_id,address,type) VALUES (1,'+447700900112',137),(1,'+447700900199',151),(1,'+447700900101',151),
 (2,'insert-address-token',137),(2,'+447700900101',151),(2,'+447700900112',130);
INSERT INTO part(_id,mid,seq,ct,cl,name,_data,text) VALUES
 (1,1,-1,'application/smil','smil.xml',NULL,NULL,'<smil/>'),(2,1,0,'text/plain','t1',NULL,NULL,'first text'),
 (3,1,1,'image/jpeg','a.jpg',NULL,'/data/user/0/com.android.providers.telephony/app_parts/PART_1_a.jpg',NULL),
 (4,1,2,'text/plain','t2',NULL,NULL,'second text'),(5,1,3,'video/mp4',NULL,'clip.mp4','/data/x/PART_2',NULL),
 (6,2,0,'text/plain','t',NULL,'/data/x/PART_3',NULL);
)";

constexpr auto kSmsPath = "/data/data/com.android.providers.telephony/databases/mmssms.db";

TEST(ShippedApps, ArePreparedWithoutAnError) {
  auto apps = load_app_definitions(TOUCHSTONE_SOURCE_DIR "/rules");
  ASSERT_TRUE(apps) << apps.error().message;
  EXPECT_GE(apps->size(), 2U);
  for (const AppDefinition& app : *apps) {
    const Status checked = check_app_queries(app);
    EXPECT_TRUE(checked) << (checked ? "" : checked.error().message);
  }
}

TEST(AndroidSms, YieldsTextsWithTimesAndDirections) {
  auto host = shipped_apps({"android_sms"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(database_item(made_database(kAospSchema), kSmsPath));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(),
            9U);  // 6 texts, 2 picture messages and one not fetched; the delivery report is none
  const auto expect = [&](const std::string& row, const std::vector<std::string>& values) {
    const Record& record = messages.at(row);
    std::vector<std::string> got;
    for (const char* name :
         {"conversation", "sent", "received", "direction", "sender", "recipients", "body", "status"})
      got.push_back(field(record, name));
    EXPECT_EQ(got, values) << row;
  };
  expect("sms 1", {"+447700900101", "1700000000000000", "1700000001000000", "in", "+447700900101", "[]", "in",
                   "received"});
  expect("sms 2",
         {"+447700900101", "1700000002000000", "NULL", "out", "NULL", "[\"+447700900101\"]", "out", "sent"});
  expect("sms 3", {"+447700900101", "NULL", "1700000003000000", "in", "+447700900101", "[]",
                   "in without time of sending", "received"});
  expect("sms 4", {"NULL", "1700000004000000", "NULL", "out", "NULL", "[]", "draft to nobody", "draft"});
  expect("sms 5", {"+447700900101", "1700000005000000", "NULL", "out", "NULL", "[\"+447700900101\"]",
                   "failed", "failed"});
  expect("sms 6", {"+447700900101", "1700000006000000", "NULL", "unknown", "NULL", "[\"+447700900101\"]",
                   "odd type", "type 77"});
  expect("pdu 1",
         {"+447700900101, +447700900112", "1700000009000000", "1700000010000000", "in", "+447700900112",
          "[\"+447700900199\",\"+447700900101\"]", "A subject\nfirst text\nsecond text", "received"});
  expect("pdu 2", {"+447700900101, +447700900112", "1700000020000000", "NULL", "out", "NULL",
                   "[\"+447700900101\",\"+447700900112\"]", "NULL", "sent"});
  EXPECT_EQ(field(messages.at("pdu 4"), "status"), "not downloaded");
  EXPECT_EQ(field(messages.at("sms 1"), "app"), "sms");
  EXPECT_EQ(field(messages.at("sms 1"), "deleted"), "0");
}

TEST(AndroidSms, NamesThePartsOfAPictureMessage) {
  auto host = shipped_apps({"android_sms"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(database_item(made_database(kAospSchema), kSmsPath));
  const auto messages = by_row(outcome, "message");
  const auto parts = by_row(outcome, "attachment");
  ASSERT_EQ(parts.size(), 3U);
  const Record& picture = parts.at("part 3");
  EXPECT_EQ(field(picture, "message_key"), messages.at("pdu 1").key);
  EXPECT_EQ(field(picture, "ordinal"), "0");
  EXPECT_EQ(field(picture, "name"), "a.jpg");
  EXPECT_EQ(field(picture, "media_type"), "image/jpeg");
  EXPECT_EQ(field(picture, "path"), "/data/user/0/com.android.providers.telephony/app_parts/PART_1_a.jpg");
  EXPECT_EQ(field(parts.at("part 5"), "ordinal"), "1");
  EXPECT_EQ(field(parts.at("part 5"), "name"), "clip.mp4");
  EXPECT_EQ(field(parts.at("part 6"), "message_key"), messages.at("pdu 2").key);
  EXPECT_EQ(by_row(outcome, "contact").size(), 3U);
}

TEST(AndroidSms, ReadsTheTablesThatSamsungAdds) {
  auto host = shipped_apps({"android_sms"});
  ASSERT_TRUE(host);
  const std::string sql = std::string(kAospSchema) + R"(
CREATE TABLE spam_sms (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER,address TEXT,date INTEGER,date_sent INTEGER DEFAULT 0,type INTEGER,body TEXT);
CREATE TABLE im (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER DEFAULT 0,address TEXT,date_sent INTEGER DEFAULT 0,date INTEGER DEFAULT 0,type INTEGER DEFAULT 0,body TEXT);
CREATE TABLE ft (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER,file_name TEXT,file_path TEXT,content_type TEXT,type INTEGER DEFAULT 0,address TEXT,date INTEGER,date_sent INTEGER);
CREATE TABLE messages (_id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT, content TEXT, date INTEGER);
INSERT INTO spam_sms VALUES(1,9,'WINNER',1700000100000,0,1,'a prize');
INSERT INTO im VALUES(1,1,'+447700900101',0,1700000200000,2,'by chat');
INSERT INTO ft VALUES(1,1,'x.jpg','/storage/emulated/0/x.jpg','image/jpeg',1,'+447700900101',1700000300000,1700000299000);
INSERT INTO messages VALUES(1,'+447700900101','a copy',1);)";
  const Outcome outcome = host->examine(database_item(made_database(sql), kSmsPath));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 12U);  // nine as before, and these three
  EXPECT_EQ(field(messages.at("spam_sms 1"), "status"), "blocked as spam");
  EXPECT_EQ(field(messages.at("spam_sms 1"), "received"), "1700000100000000");
  EXPECT_EQ(field(messages.at("im 1"), "body"), "by chat");
  EXPECT_EQ(field(messages.at("im 1"), "direction"), "out");
  EXPECT_EQ(field(messages.at("ft 1"), "sent"), "1700000299000000");
  const auto attachments = by_row(outcome, "attachment");
  EXPECT_EQ(field(attachments.at("ft 1"), "path"), "/storage/emulated/0/x.jpg");
  EXPECT_EQ(field(attachments.at("ft 1"), "message_key"), messages.at("ft 1").key);
  EXPECT_EQ(field(attachments.at("part 3"), "message_key"), messages.at("pdu 1").key);
}

/// The current tables of WhatsApp, with the columns that matter.
std::string whatsapp_schema(bool legacy_table) {
  std::string sql = R"(
CREATE TABLE message (_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL, from_me INTEGER NOT NULL, key_id TEXT NOT NULL, sender_jid_row_id INTEGER, status INTEGER, timestamp INTEGER, received_timestamp INTEGER, message_type INTEGER, text_data TEXT);
CREATE TABLE chat (_id INTEGER PRIMARY KEY AUTOINCREMENT,jid_row_id INTEGER UNIQUE,hidden INTEGER,subject TEXT);
CREATE TABLE jid (_id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, server TEXT NOT NULL, raw_string TEXT);
CREATE TABLE message_media (message_row_id INTEGER PRIMARY KEY, file_path TEXT, mime_type TEXT, media_name TEXT, media_caption TEXT);
CREATE TABLE message_location (message_row_id INTEGER PRIMARY KEY, latitude REAL, longitude REAL, place_name TEXT, place_address TEXT);
CREATE TABLE message_system (message_row_id INTEGER PRIMARY KEY, action_type INTEGER NOT NULL);
CREATE TABLE message_revoked (message_row_id INTEGER PRIMARY KEY, revoked_key_id TEXT NOT NULL);
CREATE TABLE message_vcard (_id INTEGER PRIMARY KEY AUTOINCREMENT, message_row_id INTEGER, vcard TEXT);
CREATE TABLE message_quoted (message_row_id INTEGER PRIMARY KEY, chat_row_id INTEGER, timestamp INTEGER, text_data TEXT);
CREATE TABLE message_edit_info (message_row_id INTEGER PRIMARY KEY, edited_timestamp INTEGER NOT NULL);
CREATE TABLE call_log (_id INTEGER PRIMARY KEY AUTOINCREMENT, jid_row_id INTEGER, from_me INTEGER, timestamp INTEGER, video_call INTEGER, duration INTEGER, call_result INTEGER, group_jid_row_id INTEGER NOT NULL DEFAULT 0);
CREATE TABLE props (_id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, value TEXT);
INSERT INTO message(_id,chat_row_id,from_me,key_id,timestamp,message_type,text_data) VALUES(1,-1,0,'-1',0,0,'');
)";
  if (legacy_table) {
    sql += R"(
CREATE TABLE messages (_id INTEGER PRIMARY KEY AUTOINCREMENT, key_remote_jid TEXT NOT NULL, key_from_me INTEGER, key_id TEXT NOT NULL, status INTEGER, data TEXT, timestamp INTEGER, media_mime_type TEXT, media_wa_type TEXT, media_name TEXT, media_caption TEXT, latitude REAL, longitude REAL, remote_resource TEXT, received_timestamp INTEGER);
INSERT INTO messages(_id,key_remote_jid,key_from_me,key_id,status,data,timestamp,media_wa_type,remote_resource,received_timestamp,latitude,longitude) VALUES
 (1,'-1',0,'-1',-1,NULL,0,'0',NULL,0,0,0),
 (2,'447700900101@s.whatsapp.net',0,'A',0,'old text in',1600000000000,'0','',1600000001000,0,0),
 (3,'447700900101@s.whatsapp.net',1,'B',13,'old text out',1600000002000,'0',NULL,-1,0,0),
 (4,'441234-1600@g.us',0,'C',0,'old group text',1600000003000,'0','447700900102@s.whatsapp.net',1600000004000,0,0),
 (5,'447700900101@s.whatsapp.net',0,'D',0,NULL,1600000005000,'15','',0,0,0);
)";
  }
  return sql;
}

constexpr auto kCurrentRows = R"(
INSERT INTO jid VALUES(1,'447700900101','s.whatsapp.net','447700900101@s.whatsapp.net'),
 (2,'120363000000000042','g.us','120363000000000042@g.us'),(3,'447700900102','s.whatsapp.net','447700900102@s.whatsapp.net'),
 (4,'99887766','lid','99887766@lid');
INSERT INTO chat VALUES(1,1,0,NULL),(2,2,0,'Book club');
INSERT INTO message(_id,chat_row_id,from_me,key_id,sender_jid_row_id,status,timestamp,received_timestamp,message_type,text_data) VALUES
 (2,1,0,'a',0,0,1700000000000,1700000000500,0,'hello'),
 (3,1,1,'b',0,13,1700000001000,0,0,'hello back'),
 (4,2,0,'c',3,0,1700000002000,1700000002500,0,'to the group'),
 (5,2,1,'d',0,5,1700000003000,0,1,NULL),
 (6,1,1,'e',0,5,1700000004000,0,15,NULL),
 (7,2,0,'f',4,0,1700000005000,0,5,NULL),
 (8,2,1,'g',3,6,1700000006000,0,7,NULL),
 (9,7,0,'h',0,0,1700000007000,0,0,'its chat is gone'),
 (10,1,0,'i',0,0,1700000008000,0,4,NULL);
INSERT INTO message_media VALUES(5,'Media/WhatsApp Images/Sent/IMG-1.jpg','image/jpeg',NULL,'a caption');
INSERT INTO message_revoked VALUES(6,'old');
INSERT INTO message_edit_info VALUES(3,1700000001500);
INSERT INTO message_location VALUES(7,50.905,-1.404,'The pier','Town Quay');
INSERT INTO message_system VALUES(8,12);
INSERT INTO message_vcard(message_row_id,vcard) VALUES(10,'BEGIN:VCARD');
INSERT INTO call_log(jid_row_id,from_me,timestamp,video_call,duration,call_result,group_jid_row_id) VALUES(1,1,1700000100000,0,65,5,0),(1,0,1700000200000,1,0,2,2);
INSERT INTO props(key,value) VALUES('user_push_name','A. Person');
)";

constexpr auto kWhatsAppPath = "/data/data/com.whatsapp/databases/msgstore.db";

TEST(WhatsApp, YieldsMessagesOfTheCurrentGeneration) {
  auto host = shipped_apps({"whatsapp_android"});
  ASSERT_TRUE(host);
  const Outcome outcome =
      host->examine(database_item(made_database(whatsapp_schema(false) + kCurrentRows), kWhatsAppPath));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 9U);
  const auto expect = [&](int row, const std::vector<std::string>& values) {
    const Record& record = messages.at("message " + std::to_string(row));
    std::vector<std::string> got;
    for (const char* name : {"conversation", "sent", "received", "direction", "sender", "recipients", "body",
                             "status", "deleted", "edited"})
      got.push_back(field(record, name));
    EXPECT_EQ(got, values) << row;
  };
  const std::string k = "447700900101@s.whatsapp.net", group = "120363000000000042@g.us";
  const std::string to_group = "[\"" + group + "\"]", to_k = "[\"+447700900101\"]";
  expect(2, {k, "1700000000000000", "1700000000500000", "in", "+447700900101", "[]", "hello", "received", "0",
             "0"});
  expect(3, {k, "1700000001000000", "NULL", "out", "NULL", to_k, "hello back",
             "read; edited 2023-11-14T22:13:21Z", "0", "1"});
  expect(4, {group, "1700000002000000", "1700000002500000", "in", "+447700900102", to_group, "to the group",
             "received", "0", "0"});
  expect(5, {group, "1700000003000000", "NULL", "out", "NULL", to_group, "a caption", "delivered", "0", "0"});
  expect(6, {k, "1700000004000000", "NULL", "out", "NULL", to_k, "NULL", "deleted for everyone", "1", "0"});
  expect(7, {group, "1700000005000000", "NULL", "in", "99887766@lid", to_group, "The pier\nTown Quay",
             "received", "0", "0"});
  expect(8, {group, "1700000006000000", "NULL", "unknown", "NULL", to_group, "NULL",
             "system: added to the group", "0", "0"});
  expect(9, {"chat 7", "1700000007000000", "NULL", "in", "NULL", "[]", "its chat is gone", "received", "0",
             "0"});
  expect(10,
         {k, "1700000008000000", "NULL", "in", "+447700900101", "[]", "BEGIN:VCARD", "received", "0", "0"});
}

TEST(WhatsApp, YieldsWhatElseTheDatabaseHolds) {
  auto host = shipped_apps({"whatsapp_android"});
  ASSERT_TRUE(host);
  const Outcome outcome =
      host->examine(database_item(made_database(whatsapp_schema(false) + kCurrentRows), kWhatsAppPath));
  const auto attachments = by_row(outcome, "attachment");
  ASSERT_EQ(attachments.size(), 1U);
  const Record& picture = attachments.at("message 5");
  EXPECT_EQ(field(picture, "message_key"), by_row(outcome, "message").at("message 5").key);
  EXPECT_EQ(field(picture, "path"), "Media/WhatsApp Images/Sent/IMG-1.jpg");
  EXPECT_EQ(field(picture, "name"), "IMG-1.jpg");
  EXPECT_EQ(field(picture, "media_type"), "image/jpeg");
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(field(calls.at("call_log 1"), "started"), "1700000100000000");
  EXPECT_EQ(field(calls.at("call_log 1"), "duration_s"), "65");
  EXPECT_EQ(field(calls.at("call_log 1"), "direction"), "out");
  EXPECT_EQ(field(calls.at("call_log 1"), "party"), "+447700900101");
  EXPECT_EQ(field(calls.at("call_log 1"), "status"), "voice, answered");
  EXPECT_EQ(field(calls.at("call_log 2"), "party"), "120363000000000042@g.us");
  EXPECT_EQ(field(calls.at("call_log 2"), "status"), "video, not answered");
  const auto locations = by_row(outcome, "location");
  ASSERT_EQ(locations.size(), 1U);
  EXPECT_EQ(field(locations.at("message_location 7"), "latitude"), "50.905000");
  EXPECT_EQ(field(locations.at("message_location 7"), "taken"), "1700000005000000");
  EXPECT_EQ(field(by_row(outcome, "contact").at("chat 2"), "name"), "Book club");
  EXPECT_EQ(field(by_row(outcome, "account").at("props 1"), "name"), "A. Person");
}

TEST(WhatsApp, ReadsTheOldTableWhileTheNewOneHoldsOnlyItsSentinel) {
  auto host = shipped_apps({"whatsapp_android"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(database_item(made_database(whatsapp_schema(true)), kWhatsAppPath));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(field(messages.at("messages 2"), "body"), "old text in");
  EXPECT_EQ(field(messages.at("messages 2"), "sender"), "+447700900101");
  EXPECT_EQ(field(messages.at("messages 2"), "received"), "1600000001000000");
  EXPECT_EQ(field(messages.at("messages 3"), "recipients"), "[\"+447700900101\"]");
  EXPECT_EQ(field(messages.at("messages 4"), "sender"), "+447700900102");
  EXPECT_EQ(field(messages.at("messages 4"), "conversation"), "441234-1600@g.us");
  EXPECT_EQ(field(messages.at("messages 5"), "deleted"), "1");
}

TEST(WhatsApp, SaysWhenTheOldTableStillHoldsMessagesThatAreNotRead) {
  auto host = shipped_apps({"whatsapp_android"});
  ASSERT_TRUE(host);
  const Outcome outcome =
      host->examine(database_item(made_database(whatsapp_schema(true) + kCurrentRows), kWhatsAppPath));
  EXPECT_EQ(by_row(outcome, "message").size(), 9U);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("messages (5 rows)"));
}

}  // namespace
}  // namespace touchstone::test

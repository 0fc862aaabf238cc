// Apple Messages: rows written by hand in the tables of macOS 13 (those of iOS 16) and of iOS 5. All people
// and numbers are invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

using ::testing::IsEmpty;

constexpr auto kIos16 = R"(
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT, replace INTEGER DEFAULT 0, service_center TEXT, handle_id INTEGER DEFAULT 0, subject TEXT, country TEXT, attributedBody BLOB, version INTEGER DEFAULT 0, type INTEGER DEFAULT 0, service TEXT, account TEXT, account_guid TEXT, error INTEGER DEFAULT 0, date INTEGER, date_read INTEGER, date_delivered INTEGER, is_delivered INTEGER DEFAULT 0, is_finished INTEGER DEFAULT 0, is_emote INTEGER DEFAULT 0, is_from_me INTEGER DEFAULT 0, is_empty INTEGER DEFAULT 0, is_delayed INTEGER DEFAULT 0, is_auto_reply INTEGER DEFAULT 0, is_prepared INTEGER DEFAULT 0, is_read INTEGER DEFAULT 0, is_system_message INTEGER DEFAULT 0, is_sent INTEGER DEFAULT 0, has_dd_results INTEGER DEFAULT 0, is_service_message INTEGER DEFAULT 0, is_forward INTEGER DEFAULT 0, was_downgraded INTEGER DEFAULT 0, is_archive INTEGER DEFAULT 0, cache_has_attachments INTEGER DEFAULT 0, cache_roomnames TEXT, was_data_detected INTEGER DEFAULT 0, was_deduplicated INTEGER DEFAULT 0, is_audio_message INTEGER DEFAULT 0, is_played INTEGER DEFAULT 0, date_played INTEGER, item_type INTEGER DEFAULT 0, other_handle INTEGER DEFAULT 0, group_title TEXT, group_action_type INTEGER DEFAULT 0, share_status INTEGER DEFAULT 0, share_direction INTEGER DEFAULT 0, is_expirable INTEGER DEFAULT 0, expire_state INTEGER DEFAULT 0, message_action_type INTEGER DEFAULT 0, message_source INTEGER DEFAULT 0, associated_message_guid TEXT, associated_message_type INTEGER DEFAULT 0, balloon_bundle_id TEXT, payload_data BLOB, expressive_send_style_id TEXT, associated_message_range_location INTEGER DEFAULT 0, associated_message_range_length INTEGER DEFAULT 0, time_expressive_send_played INTEGER, message_summary_info BLOB, ck_sync_state INTEGER DEFAULT 0, ck_record_id TEXT, ck_record_change_tag TEXT, destination_caller_id TEXT, is_corrupt INTEGER DEFAULT 0, reply_to_guid TEXT, sort_id INTEGER, is_spam INTEGER DEFAULT 0, has_unseen_mention INTEGER DEFAULT 0, thread_originator_guid TEXT, thread_originator_part TEXT, syndication_ranges TEXT, synced_syndication_ranges TEXT, was_delivered_quietly INTEGER DEFAULT 0, did_notify_recipient INTEGER DEFAULT 0, date_retracted INTEGER, date_edited INTEGER, was_detonated INTEGER DEFAULT 0, part_count INTEGER, is_stewie INTEGER DEFAULT 0, is_sos INTEGER DEFAULT 0, is_critical INTEGER DEFAULT 0, bia_reference_id TEXT, is_kt_verified INTEGER DEFAULT 0, fallback_hash TEXT);
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, style INTEGER, state INTEGER, account_id TEXT, properties BLOB, chat_identifier TEXT, service_name TEXT, room_name TEXT, account_login TEXT, is_archived INTEGER DEFAULT 0, last_addressed_handle TEXT, display_name TEXT, group_id TEXT);
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, id TEXT NOT NULL, country TEXT, service TEXT NOT NULL, uncanonicalized_id TEXT, person_centric_id TEXT, UNIQUE (id, service) );
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER, message_date INTEGER DEFAULT 0, PRIMARY KEY (chat_id, message_id));
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER, UNIQUE(chat_id, handle_id));
CREATE TABLE chat_recoverable_message_join (chat_id INTEGER, message_id INTEGER, delete_date INTEGER, ck_sync_state INTEGER DEFAULT 0, PRIMARY KEY (chat_id, message_id));
CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, created_date INTEGER DEFAULT 0, start_date INTEGER DEFAULT 0, filename TEXT, uti TEXT, mime_type TEXT, transfer_state INTEGER DEFAULT 0, is_outgoing INTEGER DEFAULT 0, user_info BLOB, transfer_name TEXT, total_bytes INTEGER DEFAULT 0);
CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER, UNIQUE(message_id, attachment_id));
CREATE TABLE deleted_messages (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL);
CREATE TABLE sync_deleted_messages (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, recordID TEXT);
INSERT INTO handle(ROWID,id,service) VALUES(1,'+447700900101','iMessage'),(2,'kim@example.com','iMessage'),(3,'+447700900101','SMS');
INSERT INTO chat(ROWID,guid,style,chat_identifier,display_name,account_login) VALUES
 (1,'iMessage;-;+447700900101',45,'+447700900101',NULL,'P:+447700900199'),(2,'iMessage;+;chat77',43,'chat77','Book club','P:+447700900199');
INSERT INTO chat_handle_join VALUES(1,1),(2,1),(2,2);
INSERT INTO message(ROWID,guid,text,handle_id,service,date,is_from_me,is_read,is_sent,is_delivered,date_read,destination_caller_id) VALUES
 (1,'G1','hello',1,'iMessage',721692800000000000,0,1,0,0,0,'+447700900199'),
 (2,'G2','hello back',1,'iMessage',721692801000000000,1,0,1,1,721692861000000000,'+447700900199'),
 (3,'G3','to all',0,'iMessage',721692802000000000,1,0,1,0,0,'+447700900199'),
 (4,'G4','from Kim',2,'iMessage',721692803500000000,0,0,0,0,0,'+447700900199'),
 (13,'G13','moved away',1,'iMessage',721692812000000000,0,0,0,0,0,NULL),
 (14,'G14','by SMS',3,'SMS',721692813000000000,1,0,1,0,0,NULL);
UPDATE message SET error = 22, is_sent = 0 WHERE ROWID = 14;
INSERT INTO message(ROWID,guid,text,handle_id,service,date,is_from_me,associated_message_guid,associated_message_type) VALUES
 (5,'G5','Loved “hello back”',1,'iMessage',721692804000000000,0,'p:0/G2',2000),
 (6,'G6','Removed a heart from “hello back”',1,'iMessage',721692805000000000,0,'p:0/G2',3000),
 (7,'G7','Liked an image',1,'iMessage',721692806000000000,0,'bp:GONE',2001);
INSERT INTO message(ROWID,guid,handle_id,service,date,item_type,group_action_type,other_handle,group_title) VALUES
 (8,'G8',2,'iMessage',721692807000000000,1,0,1,NULL),(9,'G9',2,'iMessage',721692808000000000,2,0,0,'Book club'),
 (10,'G10',2,'iMessage',721692809000000000,3,0,0,NULL);
INSERT INTO message(ROWID,guid,text,handle_id,service,date,is_audio_message,thread_originator_guid) VALUES
 (11,'G11',char(65532),1,'iMessage',721692810000000000,1,NULL),(12,'G12','to that',1,'iMessage',721692811000000000,0,'G1');
INSERT INTO chat_message_join(chat_id,message_id) VALUES(1,1),(1,2),(2,3),(2,4),(1,5),(1,6),(1,7),(2,8),(2,9),(2,10),(1,11),(1,12),(1,14);
INSERT INTO chat_recoverable_message_join VALUES(1,13,721700000000000000,0);
INSERT INTO attachment(ROWID,guid,filename,mime_type,transfer_name) VALUES(1,'A1','~/Library/SMS/Attachments/ab/11/A1/Audio Message.caf','audio/x-caf','Audio Message.caf');
INSERT INTO message_attachment_join VALUES(11,1);
INSERT INTO deleted_messages(guid) VALUES('D1'),('G1');
INSERT INTO sync_deleted_messages(guid) VALUES('D1'),('D2');
)";

class IosMessages : public ::testing::Test {
 protected:
  void examine(const std::string& path) {
    auto host = shipped_apps({"ios_messages"});
    ASSERT_TRUE(host);
    outcome_ = host->examine(database_item(made_database(kIos16), path));
    messages_ = by_row(outcome_, "message");
  }
  std::string said(int row, const char* name) const {
    return field(messages_.at("message " + std::to_string(row)), name);
  }
  Outcome outcome_;
  std::map<std::string, Record> messages_;
};

TEST_F(IosMessages, YieldWhoWroteWhatToWhom) {
  examine("/HomeDomain/Library/SMS/sms.db");
  EXPECT_EQ(reported(outcome_), "");
  ASSERT_EQ(messages_.size(), 16U);  // 14, and two of which only the identifier is left
  const std::string owner = "+447700900199", other = "+447700900101";
  const auto expect = [&](int row, const std::vector<std::string>& values) {
    std::vector<std::string> got;
    for (const char* name : {"conversation", "account", "sent", "direction", "sender", "recipients", "body"})
      got.push_back(said(row, name));
    EXPECT_EQ(got, values) << row;
  };
  // 721692800 seconds after 2001 are 1700000000 after 1970.
  expect(1, {other, owner, "1700000000000000", "in", other, "[]", "hello"});
  expect(2, {other, owner, "1700000001000000", "out", owner, "[\"+447700900101\"]", "hello back"});
  expect(3, {"chat77", owner, "1700000002000000", "out", owner, R"(["+447700900101","kim@example.com"])",
             "to all"});
  expect(4,
         {"chat77", owner, "1700000003500000", "in", "kim@example.com", "[\"+447700900101\"]", "from Kim"});
  expect(14, {other, owner, "1700000013000000", "out", owner, "[\"+447700900101\"]", "by SMS"});
  EXPECT_EQ(said(1, "status"), "received, read");
  EXPECT_EQ(said(2, "status"), "read; read 2023-11-14T22:14:21Z");
  EXPECT_EQ(said(3, "status"), "sent");
  EXPECT_EQ(said(12, "status"), "received; answers \"hello\", message 1");
  EXPECT_EQ(said(14, "status"), "failed, error 22; SMS");
}

TEST_F(IosMessages, TellReactionsAndWhatTheAppSaysFromTexts) {
  examine("/private/var/mobile/Library/SMS/sms.db");
  EXPECT_EQ(said(5, "body"), "NULL");
  EXPECT_EQ(said(5, "status"), "reaction: loved, to \"hello back\", message 2");
  EXPECT_EQ(said(6, "status"), "reaction taken back: loved, to \"hello back\", message 2");
  EXPECT_EQ(said(7, "status"), "reaction: liked, to message bp:GONE");
  EXPECT_EQ(said(8, "status"), "system: added to the group: +447700900101");
  EXPECT_EQ(said(8, "direction"), "unknown");
  EXPECT_EQ(said(9, "status"), "system: group named: Book club");
  EXPECT_EQ(said(10, "status"), "system: left the group");
  EXPECT_EQ(said(10, "sender"), "kim@example.com");
  EXPECT_EQ(said(11, "body"), "NULL");  // nothing but the place of its attachment
  EXPECT_EQ(said(11, "status"), "received; audio message");
}

TEST_F(IosMessages, SayWhatWasDeleted) {
  examine("/Users/example/Library/Messages/chat.db");
  EXPECT_EQ(said(13, "deleted"), "1");
  EXPECT_EQ(said(13, "conversation"), "+447700900101");
  EXPECT_EQ(said(13, "status"), "received; moved to Recently Deleted 2023-11-15T00:13:20Z");
  // What is still there is not listed a second time, nor what both lists name.
  EXPECT_EQ(field(messages_.at("deleted_messages 1"), "status"),
            "deleted, nothing but its identifier is left: D1");
  EXPECT_EQ(field(messages_.at("sync_deleted_messages 2"), "deleted"), "1");
}

TEST_F(IosMessages, NameAttachmentsGroupsAndTheOwner) {
  examine("/HomeDomain/Library/SMS/sms.db");
  const auto files = by_row(outcome_, "attachment");
  ASSERT_EQ(files.size(), 1U);
  const Record& file = files.at("attachment 1");
  EXPECT_EQ(field(file, "message_key"), messages_.at("message 11").key);
  EXPECT_EQ(field(file, "path"), "~/Library/SMS/Attachments/ab/11/A1/Audio Message.caf");
  EXPECT_EQ(field(file, "name"), "Audio Message.caf");
  EXPECT_EQ(field(by_row(outcome_, "contact").at("chat 2"), "name"), "Book club");
  const auto accounts = by_row(outcome_, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(field(accounts.begin()->second, "identifier"), "+447700900199");
}

/// The tables of iOS 5; the main file of such a phone may hold nothing, and the log all.
constexpr auto kIos5 = R"(
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT, date INTEGER, text TEXT, flags INTEGER, replace INTEGER, svc_center TEXT, group_id INTEGER, association_id INTEGER, height INTEGER, UIFlags INTEGER, version INTEGER, subject TEXT, country TEXT, headers BLOB, recipients BLOB, read INTEGER, madrid_attributedBody BLOB, madrid_handle TEXT, madrid_version INTEGER, madrid_guid TEXT, madrid_type INTEGER, madrid_roomname TEXT, madrid_service TEXT, madrid_account TEXT, madrid_account_guid TEXT, madrid_flags INTEGER, madrid_attachmentInfo BLOB, madrid_url TEXT, madrid_error INTEGER, is_madrid INTEGER, madrid_date_read INTEGER, madrid_date_delivered INTEGER);
CREATE TABLE msg_group (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER, newest_message INTEGER, unread_count INTEGER, hash INTEGER);
CREATE TABLE group_member (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER, address TEXT, country TEXT);
CREATE TABLE msg_pieces (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER, data BLOB, part_id INTEGER, preview_part INTEGER, content_type TEXT, height INTEGER, version INTEGER, flags INTEGER, content_id TEXT, content_loc TEXT, headers BLOB);
CREATE TABLE madrid_attachment (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, attachment_guid TEXT, created_date INTEGER, start_date INTEGER, filename TEXT, uti_type TEXT, mime_type TEXT, transfer_state INTEGER, is_incoming INTEGER, message_id INTEGER);
INSERT INTO group_member(group_id,address) VALUES(1,'+447700900101'),(2,'+447700900101'),(2,'+447700900102');
INSERT INTO message(ROWID,address,date,text,flags,group_id,read,is_madrid) VALUES(1,'+447700900101',1335000000,'an SMS',2,1,1,0),
 (2,'+447700900101',1335000001,'an answer',3,1,1,0),(3,NULL,1335000002,NULL,3,2,1,0);
INSERT INTO message(ROWID,date,text,is_madrid,madrid_handle,madrid_flags,madrid_account,flags) VALUES
 (4,356692803,'by iMessage',1,'+447700900101',12289,'p:+447700900199',0),(5,356692804,'and back',1,'+447700900101',36869,'p:+447700900199',0);
INSERT INTO msg_pieces(message_id,data,part_id,content_type,content_loc) VALUES(3,CAST('to both' AS BLOB),0,'text/plain','text_0.txt'),(3,NULL,1,'image/jpeg','IMG_1.jpg');
)";

TEST(IosMessagesOfIos5, AreReadOutOfTheLog) {
  const Folder folder;
  sqlite3* db = nullptr;
  sqlite3_open(folder.path("sms.db").c_str(), &db);
  run_sql(db, std::string("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;") + kIos5);
  TestItem item = database_item(read_text(folder.path("sms.db")), "/private/var/mobile/Library/SMS/sms.db");
  item.neighbours["sms.db-wal"] = read_text(folder.path("sms.db-wal"));
  auto host = shipped_apps({"ios_messages"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(item);
  sqlite3_close(db);
  EXPECT_THAT(outcome.problems, IsEmpty()) << (outcome.problems.empty() ? "" : outcome.problems[0].message);
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 5U);
  const auto expect = [&](int row, const std::vector<std::string>& values) {
    std::vector<std::string> got;
    for (const char* name : {"conversation", "sent", "direction", "sender", "recipients", "body", "status"})
      got.push_back(field(messages.at("message " + std::to_string(row)), name));
    EXPECT_EQ(got, values) << row;
  };
  const std::string other = "+447700900101", log = "; in the write-ahead log only";
  expect(1, {other, "1335000000000000", "in", other, "[]", "an SMS", "received, read; SMS" + log});
  expect(2,
         {other, "1335000001000000", "out", "NULL", "[\"+447700900101\"]", "an answer", "sent; SMS" + log});
  expect(3, {"+447700900101, +447700900102", "1335000002000000", "out", "NULL",
             R"(["+447700900101","+447700900102"])", "to both", "sent; SMS" + log});
  // 356692800 seconds after 2001 are 1335000000 after 1970.
  expect(4, {other, "1335000003000000", "in", other, "[]", "by iMessage", "received, read" + log});
  expect(5, {other, "1335000004000000", "out", "+447700900199", "[\"+447700900101\"]", "and back",
             "sent" + log});
  const auto pieces = by_row(outcome, "attachment");
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(field(pieces.at("msg_pieces 2"), "message_key"), messages.at("message 3").key);
  EXPECT_EQ(field(pieces.at("msg_pieces 2"), "name"), "IMG_1.jpg");
}

}  // namespace
}  // namespace touchstone::test

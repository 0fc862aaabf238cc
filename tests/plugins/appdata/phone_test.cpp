// Calls, address books, accounts and places of Android and iOS, and Google Messages: rows written by hand in
// the apps' own tables. All people and numbers are invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

Outcome run_definition(const std::string& name, const std::string& sql, const std::string& path) {
  auto host = shipped_apps({name});
  EXPECT_TRUE(host);
  return host ? host->examine(database_item(made_database(sql), path)) : Outcome{};
}

std::vector<std::string> fields(const Record& record, const std::vector<const char*>& names) {
  std::vector<std::string> got;
  got.reserve(names.size());
  for (const char* name : names) got.push_back(field(record, name));
  return got;
}
using Fields = std::vector<std::string>;

TEST(AndroidPhone, ReadsCallsOfAndroid7AndLater) {
  const Outcome outcome = run_definition("android_phone", R"(
CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT,number TEXT,presentation INTEGER NOT NULL DEFAULT 1,post_dial_digits TEXT NOT NULL DEFAULT '',via_number TEXT NOT NULL DEFAULT '',date INTEGER,duration INTEGER,data_usage INTEGER,type INTEGER,features INTEGER NOT NULL DEFAULT 0,subscription_component_name TEXT,subscription_id TEXT,phone_account_address TEXT,phone_account_hidden INTEGER NOT NULL DEFAULT 0,sub_id INTEGER DEFAULT -1,new INTEGER,name TEXT,numbertype INTEGER,numberlabel TEXT,countryiso TEXT,voicemail_uri TEXT,is_read INTEGER,geocoded_location TEXT,transcription TEXT,deleted INTEGER NOT NULL DEFAULT 0);
INSERT INTO calls(_id,number,date,duration,type,features,phone_account_address,name,deleted) VALUES
 (1,'+447700900101',1700000000000,65,1,0,'+447700900199','A. Person',0),
 (2,'+447700900101',1700000100000,0,2,0,NULL,NULL,0),(3,'+447700900102',1700000200000,0,3,1,NULL,NULL,0),
 (4,'',1700000300000,0,5,0,NULL,NULL,1),(5,'+447700900101',1700000400000,9,99,0,NULL,NULL,0);)",
                                         "/data/com.android.providers.contacts/databases/calllog.db");
  EXPECT_EQ(reported(outcome), "");
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 5U);
  const std::vector<const char*> names = {"account", "started", "duration_s", "direction",
                                          "party",   "status",  "deleted"};
  EXPECT_EQ(fields(calls.at("calls 1"), names), (Fields{"+447700900199", "1700000000000000", "65", "in",
                                                        "+447700900101", "answered; A. Person", "0"}));
  EXPECT_EQ(fields(calls.at("calls 2"), names),
            (Fields{"NULL", "1700000100000000", "0", "out", "+447700900101", "dialled", "0"}));
  EXPECT_EQ(field(calls.at("calls 3"), "status"), "video, missed");
  EXPECT_EQ(fields(calls.at("calls 4"), {"party", "status", "deleted"}), (Fields{"NULL", "rejected", "1"}));
  EXPECT_EQ(fields(calls.at("calls 5"), {"direction", "status"}), (Fields{"unknown", "type 99"}));
}

/// Of Android 4: accounts in the entries themselves, calls beside the contacts.
constexpr auto kOldContacts = R"(
CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY AUTOINCREMENT,account_name STRING DEFAULT NULL, account_type STRING DEFAULT NULL, deleted INTEGER NOT NULL DEFAULT 0,contact_id INTEGER,display_name TEXT);
CREATE TABLE mimetypes (_id INTEGER PRIMARY KEY AUTOINCREMENT,mimetype TEXT NOT NULL);
CREATE TABLE data (_id INTEGER PRIMARY KEY AUTOINCREMENT,mimetype_id INTEGER NOT NULL,raw_contact_id INTEGER NOT NULL,data1 TEXT,data2 TEXT,data3 TEXT,data4 TEXT);
CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT,number TEXT,date INTEGER,duration INTEGER,type INTEGER,new INTEGER,name TEXT,numbertype INTEGER,numberlabel TEXT,countryiso TEXT,voicemail_uri TEXT,is_read INTEGER,geocoded_location TEXT,lookup_uri TEXT,matched_number TEXT,normalized_number TEXT,photo_id INTEGER NOT NULL DEFAULT 0,formatted_number TEXT,_data TEXT,has_content INTEGER,mime_type TEXT,source_data TEXT,source_package TEXT,state INTEGER);
INSERT INTO mimetypes VALUES(1,'vnd.android.cursor.item/email_v2'),(5,'vnd.android.cursor.item/phone_v2'),(7,'vnd.android.cursor.item/name'),(9,'vnd.android.cursor.item/vnd.com.whatsapp.profile');
INSERT INTO raw_contacts VALUES(1,'a.person@example.com','com.google',0,1,'Kim Example'),(2,NULL,NULL,0,2,NULL),(3,NULL,NULL,0,3,NULL);
INSERT INTO data(mimetype_id,raw_contact_id,data1,data4) VALUES(7,1,'Kim Example',NULL),(5,1,'07700 900101','+447700900101'),(1,1,'kim@example.com',NULL),(9,1,'447700900101@s.whatsapp.net',NULL),(5,2,'07700 900102',NULL);
INSERT INTO calls(_id,number,date,duration,type) VALUES(7,'07700900101',1383066340000,12,2);
)";

TEST(AndroidPhone, ReadsTheAddressBookOfAndroid1) {
  const Outcome outcome = run_definition("android_phone", R"(
CREATE TABLE people (_id INTEGER PRIMARY KEY,_sync_account TEXT,_sync_id TEXT,name TEXT,notes TEXT,times_contacted INTEGER NOT NULL DEFAULT 0,starred INTEGER NOT NULL DEFAULT 0);
CREATE TABLE phones (_id INTEGER PRIMARY KEY,person INTEGER,type INTEGER NOT NULL,number TEXT,number_key TEXT,label TEXT,isprimary INTEGER NOT NULL DEFAULT 0);
CREATE TABLE contact_methods (_id INTEGER PRIMARY KEY,person INTEGER,kind INTEGER NOT NULL,data TEXT,aux_data TEXT,type INTEGER NOT NULL);
CREATE TABLE calls (_id INTEGER PRIMARY KEY,number TEXT,date INTEGER,duration INTEGER,type INTEGER,new INTEGER,name TEXT,numbertype INTEGER,numberlabel TEXT);
INSERT INTO people(_id,name) VALUES(1,'Kim Example'),(2,NULL);
INSERT INTO phones(person,type,number) VALUES(1,2,'07700 900101');
INSERT INTO contact_methods(person,kind,data,type) VALUES(1,1,'kim@example.com',1),(1,2,'1 High Street',1);
INSERT INTO calls(_id,number,date,duration,type) VALUES(4,'07700900101',1250000000000,5,3);)",
                                         "/data/data/com.android.providers.contacts/databases/contacts.db");
  EXPECT_EQ(reported(outcome), "");
  const auto contacts = by_row(outcome, "contact");
  ASSERT_EQ(contacts.size(), 1U);
  EXPECT_EQ(
      fields(contacts.at("people 1"), {"name", "identifiers"}),
      (Fields{"Kim Example",
              R"([{"kind":"phone","value":"07700 900101"},{"kind":"email","value":"kim@example.com"}])"}));
  EXPECT_EQ(fields(by_row(outcome, "call").at("calls 4"), {"started", "direction", "party", "status"}),
            (Fields{"1250000000000000", "in", "07700900101", "missed"}));
}

TEST(AndroidPhone, ReadsTheOldAddressBookWithItsCalls) {
  const Outcome outcome = run_definition("android_phone", kOldContacts,
                                         "/data/com.android.providers.contacts/databases/contacts2.db");
  EXPECT_EQ(reported(outcome), "");
  const auto contacts = by_row(outcome, "contact");
  ASSERT_EQ(contacts.size(), 2U);  // one entry says nothing
  EXPECT_EQ(fields(contacts.at("raw_contacts 1"), {"name", "identifiers"}),
            (Fields{"Kim Example",
                    R"([{"kind":"phone","value":"+447700900101"},{"kind":"email","value":"kim@example.com"},)"
                    R"({"kind":"whatsapp","value":"447700900101@s.whatsapp.net"}])"}));
  EXPECT_EQ(fields(contacts.at("raw_contacts 2"), {"name", "identifiers"}),
            (Fields{"NULL", R"([{"kind":"phone","value":"07700 900102"}])"}));
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(fields(accounts.at("raw_contacts 1"), {"app", "identifier"}),
            (Fields{"com.google", "a.person@example.com"}));
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(fields(calls.at("calls 7"), {"started", "duration_s", "direction", "party"}),
            (Fields{"1383066340000000", "12", "out", "07700900101"}));
}

TEST(AndroidPhone, ReadsTheAccountsOfTheDevice) {
  const Outcome outcome = run_definition("android_phone", R"(
CREATE TABLE accounts ( _id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, type TEXT NOT NULL, password TEXT, UNIQUE(name,type));
INSERT INTO accounts VALUES(1,'a.person@example.com','com.google','secret');)",
                                         "/data/system_ce/0/accounts_ce.db");
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(fields(accounts.at("accounts 1"), {"app", "identifier"}),
            (Fields{"com.google", "a.person@example.com"}));
}

TEST(IosPhone, ReadsCallsOfBothGenerations) {
  Outcome outcome = run_definition("ios_phone", R"(
CREATE TABLE ZCALLRECORD (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZANSWERED INTEGER, ZCALLTYPE INTEGER, ZORIGINATED INTEGER, ZDATE TIMESTAMP, ZDURATION FLOAT, ZADDRESS VARCHAR, ZNAME VARCHAR, ZSERVICE_PROVIDER VARCHAR, ZLOCATION VARCHAR);
CREATE TABLE ZHANDLE (Z_PK INTEGER PRIMARY KEY, ZVALUE VARCHAR);
CREATE TABLE Z_2REMOTEPARTICIPANTHANDLES (Z_2REMOTEPARTICIPANTCALLS INTEGER, Z_4REMOTEPARTICIPANTHANDLES INTEGER);
INSERT INTO ZCALLRECORD VALUES(1,1,1,1,1,1,721692800.5,61.9,X'2B343437373030393030313031','A. Person','com.apple.Telephony','<<RecentsNumberLocationNotFound>>'),
 (2,1,1,0,16,0,721692900,0,'kim@example.com',NULL,'com.apple.FaceTime',NULL),
 (3,1,1,0,8,0,721693000,5,NULL,NULL,'net.whatsapp.WhatsApp',NULL);
INSERT INTO ZHANDLE VALUES(1,'+447700900101'),(2,'+447700900102');
INSERT INTO Z_2REMOTEPARTICIPANTHANDLES VALUES(3,1),(3,2);)",
                                   "/private/var/mobile/Library/CallHistoryDB/CallHistory.storedata");
  EXPECT_EQ(reported(outcome), "");
  auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 3U);
  const std::vector<const char*> names = {"started", "duration_s", "direction", "party", "status"};
  // 721692800 seconds after 2001 are 1700000000 after 1970.
  EXPECT_EQ(fields(calls.at("ZCALLRECORD 1"), names),
            (Fields{"1700000000500000", "61", "out", "+447700900101", "answered; A. Person"}));
  EXPECT_EQ(fields(calls.at("ZCALLRECORD 2"), names),
            (Fields{"1700000100000000", "0", "in", "kim@example.com", "FaceTime audio, missed"}));
  EXPECT_EQ(fields(calls.at("ZCALLRECORD 3"), names),
            (Fields{"1700000200000000", "5", "in", "+447700900101, +447700900102",
                    "FaceTime video, missed; by net.whatsapp.WhatsApp"}));
  outcome = run_definition("ios_phone", R"(
CREATE TABLE call (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT, date INTEGER, duration INTEGER, flags INTEGER, id INTEGER, name TEXT, country_code TEXT);
INSERT INTO call VALUES(1,'+447700900101',1335000000,30,5,-1,NULL,'234'),(2,'+447700900102',1335000100,0,4,-1,NULL,'234');)",
                           "/private/var/wireless/Library/CallHistory/call_history.db");
  calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(fields(calls.at("call 1"), names),
            (Fields{"1335000000000000", "30", "out", "+447700900101", "answered (flags 5)"}));
  EXPECT_EQ(fields(calls.at("call 2"), names),
            (Fields{"1335000100000000", "0", "in", "+447700900102", "missed (flags 4)"}));
}

TEST(IosPhone, ReadsWhereThePhoneWas) {
  const Outcome outcome =
      run_definition("ios_phone", R"(
CREATE TABLE ZRTCLLOCATIONMO (Z_PK INTEGER PRIMARY KEY, ZTIMESTAMP TIMESTAMP, ZLATITUDE FLOAT, ZLONGITUDE FLOAT, ZHORIZONTALACCURACY FLOAT);
INSERT INTO ZRTCLLOCATIONMO VALUES(1,721692800,50.905,-1.404,12.5),(2,721692801,999,0,1);)",
                     "/private/var/mobile/Library/Caches/com.apple.routined/Cache.sqlite");
  const auto places = by_row(outcome, "location");
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(fields(places.at("ZRTCLLOCATIONMO 1"), {"taken", "latitude", "longitude", "accuracy_m"}),
            (Fields{"1700000000000000", "50.905000", "-1.404000", "12.500000"}));
}

/// Tables of the AOSP app.
constexpr auto kBugle = R"(
CREATE TABLE conversations(_id INTEGER PRIMARY KEY AUTOINCREMENT, sms_thread_id INT DEFAULT(0), name TEXT, latest_message_id INT, snippet_text TEXT);
CREATE TABLE messages(_id INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id INT, sender_id INT, sent_timestamp INT DEFAULT(0), received_timestamp INT DEFAULT(0), message_protocol INT DEFAULT(0), message_status INT DEFAULT(0), seen INT DEFAULT(0), read INT DEFAULT(0), sms_message_uri TEXT, sms_priority INT DEFAULT(0), sms_message_size INT DEFAULT(0), mms_subject TEXT, mms_transaction_id TEXT, mms_content_location TEXT, mms_expiry INT DEFAULT(0), raw_status INT DEFAULT(0), self_id INT, retry_start_timestamp INT DEFAULT(0));
CREATE TABLE participants(_id INTEGER PRIMARY KEY AUTOINCREMENT,sub_id INT DEFAULT(-2),sim_slot_id INT DEFAULT(-1),normalized_destination TEXT,send_destination TEXT,display_destination TEXT,full_name TEXT,first_name TEXT,profile_photo_uri TEXT, contact_id INT DEFAULT( -1), lookup_key STRING, blocked INT DEFAULT(0), subscription_name TEXT, subscription_color INT DEFAULT(0), contact_destination TEXT);
CREATE TABLE parts(_id INTEGER PRIMARY KEY AUTOINCREMENT,message_id INT,text TEXT,uri TEXT,content_type TEXT,width INT DEFAULT(-1),height INT DEFAULT(-1),timestamp INT, conversation_id INT NOT NULL);
CREATE TABLE conversation_participants(_id INTEGER PRIMARY KEY AUTOINCREMENT,conversation_id INT,participant_id INT);
INSERT INTO participants(_id,sub_id,normalized_destination,send_destination,full_name) VALUES(1,1,'+447700900199','+447700900199',NULL),(2,-2,'+447700900101','07700900101','Kim Example'),(3,-2,'+447700900102','07700900102',NULL);
INSERT INTO conversations(_id,name) VALUES(1,'Kim Example'),(2,'Kim, 07700 900102');
INSERT INTO conversation_participants(conversation_id,participant_id) VALUES(1,2),(2,2),(2,3);
INSERT INTO messages(_id,conversation_id,sender_id,self_id,sent_timestamp,received_timestamp,message_protocol,message_status,read) VALUES
 (1,1,2,1,1700000000000,1700000001000,3,100,1),(2,1,1,1,1700000002000,1700000002000,0,2,1),(3,2,2,1,0,1700000003000,1,100,0);
INSERT INTO parts(_id,message_id,text,uri,content_type,conversation_id) VALUES(1,1,'by RCS',NULL,'text/plain',1),(2,2,'an answer',NULL,'text/plain',1),
 (3,3,NULL,'content://com.google.android.apps.messaging.shared.datamodel.MediaScratchFileProvider/77.jpg','image/jpeg',2),(4,3,'to both',NULL,'text/plain',2);
)";

TEST(GoogleMessages, YieldsTextsWithTheirPeople) {
  const Outcome outcome = run_definition("google_messages", kBugle,
                                         "/data/data/com.google.android.apps.messaging/databases/bugle_db");
  EXPECT_EQ(reported(outcome), "");
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 3U);
  const std::vector<const char*> names = {"app",       "account", "conversation", "sent", "received",
                                          "direction", "sender",  "recipients",   "body", "status"};
  const std::string owner = "+447700900199", kim = "+447700900101";
  EXPECT_EQ(fields(messages.at("messages 1"), names),
            (Fields{"sms", owner, kim, "1700000000000000", "1700000001000000", "in", kim, "[]", "by RCS",
                    "received, read; RCS"}));
  EXPECT_EQ(fields(messages.at("messages 2"), names),
            (Fields{"sms", owner, kim, "1700000002000000", "NULL", "out", owner, "[\"+447700900101\"]",
                    "an answer", "delivered"}));
  EXPECT_EQ(fields(messages.at("messages 3"), names),
            (Fields{"sms", owner, "+447700900101, +447700900102", "NULL", "1700000003000000", "in", kim,
                    "[\"+447700900102\"]", "to both", "received; MMS"}));
  const auto parts = by_row(outcome, "attachment");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(field(parts.at("parts 3"), "message_key"), messages.at("messages 3").key);
  EXPECT_EQ(field(parts.at("parts 3"), "name"), "77.jpg");
  EXPECT_EQ(field(by_row(outcome, "account").at("participants 1"), "identifier"), owner);
  EXPECT_EQ(field(by_row(outcome, "contact").at("participants 2"), "name"), "Kim Example");
}

/// What the sender asked of delivery, and what came back.
TEST(AndroidSms, SaysWhatWasDeliveredAndWhoTheOwnerIs) {
  const Outcome outcome = run_definition("android_sms", R"(
CREATE TABLE sms (_id INTEGER PRIMARY KEY,thread_id INTEGER,address TEXT,person INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,protocol INTEGER,read INTEGER DEFAULT 0,status INTEGER DEFAULT -1,type INTEGER,reply_path_present INTEGER,subject TEXT,body TEXT,service_center TEXT,locked INTEGER DEFAULT 0,error_code INTEGER DEFAULT 0,seen INTEGER DEFAULT 0);
CREATE TABLE pdu (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,msg_box INTEGER,read INTEGER DEFAULT 0,m_id TEXT,sub TEXT,m_type INTEGER);
CREATE TABLE addr (_id INTEGER PRIMARY KEY,msg_id INTEGER,contact_id INTEGER,address TEXT,type INTEGER,charset INTEGER);
INSERT INTO sms(_id,thread_id,address,date,type,body,status,read,error_code) VALUES
 (1,1,'+447700900101',1700000001000,2,'a',0,0,0),(2,1,'+447700900101',1700000002000,2,'b',32,0,0),
 (3,1,'+447700900101',1700000003000,2,'c',64,0,21),(4,1,'+447700900101',1700000004000,1,'d',-1,1,0);
INSERT INTO pdu(_id,thread_id,date,msg_box,m_id,m_type,read) VALUES(1,1,1700000010,2,'M1',128,1),(2,1,1700000011,1,'M1',134,0),
 (3,1,1700000012,1,'M1',136,0),(4,1,1700000013,1,'M2',132,1),(5,2,1700000014,1,'M3',132,0);
INSERT INTO addr(_id,msg_id,address,type) VALUES(1,1,'insert-address-token',137),(2,1,'+447700900101',151),
 (3,4,'+447700900101',137),(4,4,'+447700900199',151),(5,5,'+447700900101',137),(6,5,'+447700900199',151),(7,5,'+447700900102',151);)",
                                         "/data/com.android.providers.telephony/databases/mmssms.db");
  EXPECT_EQ(reported(outcome), "");
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 7U);
  EXPECT_EQ(field(messages.at("sms 1"), "status"), "sent, delivered");
  EXPECT_EQ(field(messages.at("sms 2"), "status"), "sent, delivery asked for");
  EXPECT_EQ(field(messages.at("sms 3"), "status"), "sent, not delivered; error 21");
  EXPECT_EQ(field(messages.at("sms 4"), "status"), "received, read");
  EXPECT_EQ(field(messages.at("pdu 1"), "status"), "sent, delivered, read");
  EXPECT_EQ(field(messages.at("pdu 4"), "status"), "received, read");
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(field(accounts.at("addr 4"), "identifier"), "+447700900199");
}

}  // namespace
}  // namespace touchstone::test

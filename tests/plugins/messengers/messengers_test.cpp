// Definitions of messengers over rows written by hand in the schemas of real databases. All people, numbers
// and texts are invented.
#include <gtest/gtest.h>

#include "plugins/messengers/expect.hpp"
#include "plugins/messengers/schemas.hpp"

namespace touchstone::test {
namespace {

// The blobs are written by the published schema: message#38116ee0 from user 501 or 502, one of them with a
// geoPoint, and user#8f97c628 with a telephone.
TEST(TelegramAndroid, GivesTextsSendersAndPlacesFromBlobs) {
  const Outcome outcome = read_app("telegram_android", std::string(kTelegramSchema) + R"(
INSERT INTO messages_v2(mid,uid,date,data,out,send_state,media) VALUES
 (1,502,1700000000,X'E06E1138000100000700000022175159F50100000000000022175159F60100000000000000F15365084869207468657265000000',1,0,-1),
 (2,502,1700000001,X'E06E1138000200000800000022175159F60100000000000001F153650000000074D4E05663F6A2B200000000000000000000C0BF0000000000C049400100000000000000',0,0,3),
 (3,-77,1700000002,X'E06E1138000100000900000022175159F6010000000000009A01C6364D0000000000000002F153650C746F207468652067726F7570000000',0,0,-1),
 (4,21474836485,1700000003,X'E06E1138000100000900000022175159F50100000000000022175159F60100000000000003F153650673656372657400',1,0,-1),
 (5,502,1700000004,X'E06E1138008300000500000022175159F60100000000000022175159F50100000000000004F15365086D79206C65617365000000D770B09C01000000D8C4D48F00000000921000000000000063000000000000000372656604F153650F6170706C69636174696F6E2F706466E8030000000000000200000015C4B51C0100000068005915096C656173652E7064660000',0,0,3);
INSERT INTO enc_chats(uid,user,name) VALUES(5,502,'Ben');
INSERT INTO users(uid,name,data) VALUES(502,'Ben;;;ben_sample',X'28C6978F1300000000000000F60100000000000001000000000000000342656E0C343437373030393030313032000000');
INSERT INTO chats(uid,name) VALUES(77,'Club');
INSERT INTO user_contacts_v7 VALUES('k1',502,'Ben','Sample',1);
INSERT INTO user_phones_v7 VALUES('k1','07700900102','07700900102',0);
)",
                                   "/data/data/org.telegram.messenger/files/cache4.db");
  EXPECT_EQ(by_row(outcome, "message").size(), 5U);
  // With messageMediaDocument#9cb070d7, and an edit_date.
  EXPECT_EQ(fields(outcome, "attachment", "messages_v2 502/5", {"path", "name", "media_type"}),
            (Fields{"2_4242.pdf", "lease.pdf", "application/pdf"}));
  EXPECT_EQ(fields(outcome, "message", "messages_v2 502/5", {"edited"}), (Fields{"1"}));
  EXPECT_EQ(said(outcome, "messages_v2 502/1"),
            (Fields{"user502", "1700000000000000", "out", "user501", "Hi there"}));
  EXPECT_EQ(said(outcome, "messages_v2 502/2"),
            (Fields{"user502", "1700000001000000", "in", "user502", "NULL"}));
  EXPECT_EQ(said(outcome, "messages_v2 -77/3"),
            (Fields{"chat77", "1700000002000000", "in", "user502", "to the group"}));
  EXPECT_EQ(said(outcome, "messages_v2 21474836485/4"),
            (Fields{"secret chat with user502", "1700000003000000", "out", "user501", "secret"}));
  EXPECT_EQ(fields(outcome, "location", "messages_v2 502/2", {"latitude", "longitude", "taken"}),
            (Fields{"51.500000", "-0.125000", "1700000001000000"}));
  EXPECT_EQ(
      fields(outcome, "contact", "users 502", {"name", "identifiers"}),
      (Fields{"Ben", R"([{"kind":"telegram","value":"user502"},{"kind":"phone","value":"+447700900102"}])"}));
  EXPECT_EQ(fields(outcome, "contact", "user_contacts_v7 k1", {"name", "identifiers"}),
            (Fields{"Ben Sample", R"([{"kind":"phone","value":"+447700900102"}])"}));
}

// The archive was made by Python's plistlib: 721692800 s after 2001 is 2023-11-14T22:13:20Z.
TEST(InstagramIos, GivesTextsFromArchives) {
  const Outcome outcome = read_app("instagram", std::string(kInstagramSchema) + R"(
INSERT INTO threads(thread_id,viewer_id) VALUES('340282366841710300949128000000000000000','502');
INSERT INTO messages(message_id,thread_id,archive,class_name) VALUES
 ('m1','340282366841710300949128000000000000000',X'62706C6973743030D4010203040506282B5924617263686976657258246F626A656374735424746F70582476657273696F6E5F100F4E534B657965644172636869766572A907080F15161A1E1F2555246E756C6CD3090A0B0C0D0E5624636C6173735F102749474469726563745075626C69736865644D657373616765436F6E74656E742A636F6E74656E745F102949474469726563745075626C69736865644D6573736167654D657461646174612A6D65746164617461800780058002D30910111213145F10164E53446174652A73657276657254696D657374616D705F10114E53537472696E672A73656E646572506B80078004800353353031D209171819574E532E74696D6580082341C5821440000000D2091B1C1D5F100F4E53537472696E672A737472696E67800780065F101053656520796F75206174206569676874D2202122235824636C61737365735A24636C6173736E616D65A223245F101849474469726563745075626C69736865644D657373616765584E534F626A656374D220212627A22724564E5344617465D1292A54726F6F74800112000186A000080011001B0024002900320044004E0054005B0062008C00B800BA00BC00BE00C500DE00F200F400F600F800FC01010109010B01140119012B012D012F014201470150015B015E017901820187018A019101940199019B0000000000000201000000000000002C000000000000000000000000000001A0','IGDirectPublishedMessage'),
 ('m2','340282366841710300949128000000000000000',X'00','IGDirectPublishedMessage');
)",
                                   "/private/var/mobile/Containers/Data/Application/A/Library/Application "
                                   "Support/DirectSQLiteDatabase/502.db");
  EXPECT_EQ(by_row(outcome, "message").size(), 2U);
  EXPECT_EQ(said(outcome, "messages 1"), (Fields{"340282366841710300949128000000000000000",
                                                 "1700000000000000", "in", "501", "See you at eight"}));
  EXPECT_EQ(said(outcome, "messages 2"),
            (Fields{"340282366841710300949128000000000000000", "NULL", "unknown", "NULL", "NULL"}));
  EXPECT_EQ(fields(outcome, "account", "threads 1", {"identifier"}), (Fields{"502"}));
}

TEST(Badoo, GivesTextsFromJson) {
  const Outcome outcome = read_app("badoo", std::string(kBadooSchema) + R"(
INSERT INTO message(id,conversation_id,sender_id,recipient_id,created_timestamp,modified_timestamp,status,is_masked,payload,
 is_reply_allowed,is_forwarded,is_forwarding_allowed,is_incoming,payload_type,is_liked,is_like_allowed,is_likely_offensive,clear_chat_version)
VALUES('a','c1','501','502',1700000000123,0,'DELIVERED',0,'{"text":"Hello"}',1,0,0,0,'TEXT',0,0,0,0),
 ('b','c1','502','501',1700000001000,0,'DELIVERED',0,'{"text":"Hi"}',1,0,0,1,'TEXT',1,0,0,0),
 ('c','c1','502','501',1700000002000,0,'DELIVERED',0,'no json',1,0,0,1,'AUDIO',0,0,0,0);
INSERT INTO conversation_info(user_id,user_name,age,chat_input_settings,conversation_type,user_photos,photo_count,
 common_interest_count,bumped_into_count,is_liked_you,is_reply_allowed,is_disable_private_detector_enabled,member_count,
 is_url_parsing_allowed,is_user_verified,show_dating_hub_entry_point) VALUES('502','Ben',30,'','','',0,0,0,0,1,0,0,0,0,0);
)",
                                   "/data/data/com.badoo.mobile/databases/ChatComDatabase");
  EXPECT_EQ(said(outcome, "message 1"), (Fields{"c1", "1700000000123000", "out", "501", "Hello"}));
  EXPECT_EQ(said(outcome, "message 2"), (Fields{"c1", "1700000001000000", "in", "502", "Hi"}));
  EXPECT_EQ(said(outcome, "message 3"), (Fields{"c1", "1700000002000000", "in", "502", "NULL"}));
  EXPECT_EQ(fields(outcome, "account", "message 1", {"identifier"}), (Fields{"501"}));
  EXPECT_EQ(fields(outcome, "contact", "conversation_info 1", {"name"}), (Fields{"Ben"}));
}

TEST(Viber, GivesCallsAndContacts) {
  const Outcome outcome = read_app("viber", std::string(kViberSchema) + R"(
INSERT INTO calls(call_id,aggregate_hash,number,canonized_number,viber_call_type,date,duration,type) VALUES
 (1,1,'07700 900102','+447700900102',1,1700000000000,65,2),(2,1,'07700 900102','+447700900102',4,1700000100000,0,3);
INSERT INTO phonebookcontact(_id,display_name) VALUES(1,'Ben Sample');
INSERT INTO phonebookdata(contact_id,raw_id,data1,data2,mime_type) VALUES(1,1,'07700 900102','+447700900102',0),(1,1,'x','y',1);
INSERT INTO vibernumbers(canonized_number,viber_name,member_id,encrypted_member_id) VALUES('+447700900102','Benny','mem','enc');
)",
                                   "/data/data/com.viber.voip/databases/viber_data");
  const Fields names = {"started", "duration_s", "direction", "party", "status"};
  EXPECT_EQ(fields(outcome, "call", "calls 1", names),
            (Fields{"1700000000000000", "65", "out", "+447700900102", "voice, made"}));
  EXPECT_EQ(fields(outcome, "call", "calls 2", names),
            (Fields{"1700000100000000", "0", "in", "+447700900102", "video, missed"}));
  EXPECT_EQ(fields(outcome, "contact", "phonebookcontact 1", {"name", "identifiers"}),
            (Fields{"Ben Sample", R"([{"kind":"phone","value":"+447700900102"}])"}));
  EXPECT_EQ(fields(outcome, "contact", "vibernumbers 1", {"name"}), (Fields{"Benny"}));
}

TEST(KikIos, GivesMessagesOfChatsAndGroups) {
  const Outcome outcome =
      read_app("kik", std::string(kKikSchema) + R"(
INSERT INTO ZKIKUSER(Z_PK,ZJID,ZDISPLAYNAME,ZUSERNAME) VALUES(1,'ben@talk.example.com','Ben','ben1'),(2,'group_1@groups.example.com','Club','');
INSERT INTO ZKIKCHAT(Z_PK,ZUSER) VALUES(1,1),(2,2);
INSERT INTO ZKIKMESSAGE(Z_PK,ZTYPE,ZUSER,ZTIMESTAMP,ZRECEIVEDTIMESTAMP,ZBODY) VALUES
 (1,2,1,721692800,721692801,'Hello'),(2,1,1,721692801.25,721692802,'Hi'),(3,4,1,721692803,721692803,'all'),(4,3,2,721692804,721692804,'Ben has joined');
INSERT INTO Z_3MESSAGES VALUES(1,1),(1,2),(2,3),(2,4);
INSERT INTO ZKIKATTACHMENT(Z_PK,ZMESSAGE,ZCONTENT) VALUES(1,2,'0f1e');
)",
               "/private/var/mobile/Containers/Shared/AppGroup/A/cores/private/kik.sqlite");
  EXPECT_EQ(said(outcome, "ZKIKMESSAGE 1"),
            (Fields{"ben@talk.example.com", "1700000000000000", "out", "NULL", "Hello"}));
  EXPECT_EQ(said(outcome, "ZKIKMESSAGE 2"),
            (Fields{"ben@talk.example.com", "1700000001250000", "in", "ben@talk.example.com", "Hi"}));
  EXPECT_EQ(said(outcome, "ZKIKMESSAGE 3"),
            (Fields{"group_1@groups.example.com", "1700000003000000", "in", "ben@talk.example.com", "all"}));
  EXPECT_EQ(said(outcome, "ZKIKMESSAGE 4"),
            (Fields{"group_1@groups.example.com", "1700000004000000", "unknown", "NULL", "Ben has joined"}));
  EXPECT_EQ(fields(outcome, "attachment", "ZKIKATTACHMENT 1", {"path"}), (Fields{"0f1e"}));
}

TEST(Skype7, GivesMessagesTextsBySmsCallsAndFiles) {
  const Outcome outcome = read_app("skype", std::string(kSkypeSchema) + R"(
INSERT INTO Accounts(id,skypename,fullname) VALUES(1,'ada.example','Ada Example');
INSERT INTO Contacts(id,skypename,fullname,phone_mobile) VALUES(1,'ben.sample','Ben Sample','+447700900102');
INSERT INTO Conversations(id,identity) VALUES(7,'ben.sample');
INSERT INTO Messages(id,convo_id,author,dialog_partner,timestamp,type,body_xml,edited_timestamp,guid) VALUES
 (1,7,'ada.example','ben.sample',1700000000,61,'Tom &amp; Jerry &lt;3',NULL,X'01'),
 (2,7,'ben.sample','ben.sample',1700000001,61,'',1700000100,X'02'),
 (3,7,'ada.example','ben.sample',1700000002,30,NULL,NULL,X'03'),
 (4,7,'ada.example',NULL,1700000003,64,'<sms/>',NULL,X'04'),
 (5,7,'ben.sample','ben.sample',1700000004,68,'<files/>',NULL,X'05');
INSERT INTO SMSes(id,type,timestamp,body,target_numbers,chatmsg_id) VALUES(1,2,1700000003,'by SMS','+447700900102',4),
 (2,2,1700000005,'alone','+447700900102',NULL);
INSERT INTO Calls(id,begin_timestamp,duration,is_incoming,conv_dbid) VALUES(1,1700000002,63,0,7);
INSERT INTO Transfers(id,chatmsg_guid,filename,filepath) VALUES(1,X'05','a.jpg','/tmp/a.jpg');
)",
                                   "/Users/a/AppData/Roaming/Skype/ada.example/main.db");
  EXPECT_EQ(by_row(outcome, "message").size(), 6U);
  EXPECT_EQ(said(outcome, "Messages 1"),
            (Fields{"ben.sample", "1700000000000000", "out", "ada.example", "Tom & Jerry <3"}));
  EXPECT_EQ(fields(outcome, "message", "Messages 2", {"direction", "deleted", "edited", "status"}),
            (Fields{"in", "1", "1", "text; edited 2023-11-14T22:15:00Z"}));
  EXPECT_EQ(fields(outcome, "message", "Messages 3", {"direction", "status"}),
            (Fields{"unknown", "system: call begins"}));
  EXPECT_EQ(fields(outcome, "message", "Messages 4", {"body", "status"}), (Fields{"by SMS", "SMS"}));
  EXPECT_EQ(fields(outcome, "message", "SMSes 2", {"body", "direction"}), (Fields{"alone", "out"}));
  EXPECT_EQ(fields(outcome, "call", "Calls 1", {"started", "duration_s", "direction", "party"}),
            (Fields{"1700000002000000", "63", "out", "ben.sample"}));
  EXPECT_EQ(fields(outcome, "attachment", "Transfers 1", {"name", "path"}), (Fields{"a.jpg", "/tmp/a.jpg"}));
  EXPECT_EQ(fields(outcome, "account", "Accounts 1", {"identifier", "name"}),
            (Fields{"ada.example", "Ada Example"}));
}

TEST(Skype8, GivesMessagesFromJson) {
  const Outcome outcome = read_app("skype", std::string(kSkype8Schema) + R"(
INSERT INTO messagesv12(nsp_pk,nsp_data) VALUES
 ('C1','{"conversationId":"8:ben","creator":"8:ada","createdTime":1700000000123,"content":"A &amp; B","messagetype":"RichText","_isMyMessage":1}'),
 ('C2','{"conversationId":"8:ben","creator":"8:ben","createdTime":1700000001000,"content":"Hi","messagetype":"RichText","_isMyMessage":0}'),
 ('C3','no json');
)",
                                   "/LocalState/s4l-ada.db");
  EXPECT_EQ(said(outcome, "messagesv12 C1"), (Fields{"8:ben", "1700000000123000", "out", "8:ada", "A & B"}));
  EXPECT_EQ(said(outcome, "messagesv12 C2"), (Fields{"8:ben", "1700000001000000", "in", "8:ben", "Hi"}));
  EXPECT_EQ(said(outcome, "messagesv12 C3"), (Fields{"NULL", "NULL", "unknown", "NULL", "NULL"}));
}

// The payload is base64 of {1: "conv1", 2: 1, 3: "Hello from Tango"}.
TEST(Tango, GivesTheTextAfterTheConversation) {
  const Outcome outcome = read_app("tango", std::string(kTangoSchema) + R"(
INSERT INTO messages(msg_id,conv_id,type,create_time,send_time,direction,payload) VALUES
 (1,'conv1',0,1700000000000,1700000001000,2,'CgVjb252MRABGhBIZWxsbyBmcm9tIFRhbmdv'),(2,'conv1',0,1700000002000,0,1,'!');
)",
                                   "/data/data/com.sgiggle.production/files/tc.db");
  EXPECT_EQ(said(outcome, "messages 1"),
            (Fields{"conv1", "1700000001000000", "out", "-", "Hello from Tango"}));
  EXPECT_EQ(said(outcome, "messages 2"), (Fields{"conv1", "1700000002000000", "in", "-", "NULL"}));
}

TEST(ImoIos, GivesMessagesAndContacts) {
  const Outcome outcome =
      read_app("imo", std::string(kImoSchema) + R"(
INSERT INTO ZIMOCHATMSG(Z_PK,ZISSENT,ZTS,ZBUID,ZA_UID,ZTEXT) VALUES(1,1,1700000000123456789,'b1','a1','Hello'),(2,0,1700000001000000000,'b1','a1','Hi');
INSERT INTO ZIMOCONTACT(Z_PK,ZBUID,ZDISPLAY,ZPHONE) VALUES(1,'b1','Ben','+447700900102');
)",
               "/private/var/mobile/Containers/Data/Application/A/Documents/IMODb2.sqlite");
  EXPECT_EQ(said(outcome, "ZIMOCHATMSG 1"), (Fields{"b1", "1700000000123456", "out", "NULL", "Hello"}));
  EXPECT_EQ(said(outcome, "ZIMOCHATMSG 2"), (Fields{"b1", "1700000001000000", "in", "b1", "Hi"}));
  EXPECT_EQ(fields(outcome, "account", "ZIMOCHATMSG 1", {"identifier"}), (Fields{"a1"}));
  EXPECT_EQ(fields(outcome, "contact", "ZIMOCONTACT 1", {"name"}), (Fields{"Ben"}));
}

// The types: 20 is received, 23 sent, with flags of encryption above them.
constexpr auto kSignalRows = R"(
INSERT INTO recipient(_id,e164,aci,profile_joined_name) VALUES(1,'+447700900101','aci-1','Ada Example'),(2,'+447700900102','aci-2','Ben Sample');
INSERT INTO recipient(_id,group_id) VALUES(3,'__signal_group__v2__!00');
INSERT INTO groups(_id,group_id,recipient_id,title) VALUES(1,'__signal_group__v2__!00',3,'Club');
INSERT INTO thread(_id,recipient_id) VALUES(1,2),(2,3);
INSERT INTO message(_id,date_sent,date_received,thread_id,from_recipient_id,to_recipient_id,type,body,remote_deleted) VALUES
 (1,1700000000123,1700000000123,1,1,2,10485783,'Hello',0),(2,1700000001000,1700000002000,1,2,1,10485780,'Hi',0),
 (3,1700000003000,1700000003500,2,2,3,10485780,NULL,1),(4,1700000004000,1700000004000,1,1,2,2,NULL,0);
INSERT INTO attachment(_id,message_id,content_type,data_file,file_name) VALUES(1,2,'image/jpeg','/data/user/0/x/app_parts/part1.mms','a.jpg');
INSERT INTO call(_id,call_id,peer,type,direction,event,timestamp) VALUES(1,99,2,1,1,1,1700000004000);
INSERT INTO reaction(message_id,author_id,emoji,date_sent,date_received) VALUES(1,2,'+1',1,1);
)";

TEST(SignalAndroid, ReadsWhatHasBeenDecrypted) {
  const Outcome outcome = read_app("signal", std::string(kSignalSchema) + kSignalRows,
                                   "/data/data/org.thoughtcrime.securesms/databases/signal.db");
  EXPECT_EQ(said(outcome, "message 1"),
            (Fields{"+447700900102", "1700000000123000", "out", "NULL", "Hello"}));
  EXPECT_EQ(said(outcome, "message 2"),
            (Fields{"+447700900102", "1700000001000000", "in", "+447700900102", "Hi"}));
  EXPECT_EQ(fields(outcome, "message", "message 3", {"conversation", "deleted", "direction"}),
            (Fields{"__signal_group__v2__!00", "1", "in"}));
  EXPECT_EQ(fields(outcome, "message", "message 4", {"direction", "status"}),
            (Fields{"unknown", "system: type 2"}));
  EXPECT_EQ(fields(outcome, "call", "call 1", {"started", "direction", "party"}),
            (Fields{"1700000004000000", "out", "+447700900102"}));
  EXPECT_EQ(fields(outcome, "attachment", "attachment 1", {"name"}), (Fields{"a.jpg"}));
  EXPECT_EQ(fields(outcome, "contact", "recipient 3", {"name"}), (Fields{"Club"}));
}

// Bytes of a generator with an even spread stand for those of a cipher.
TEST(SignalAndroid, IsCalledEncryptedWhereItIs) {
  const auto host = shipped_apps({"signal"});
  ASSERT_TRUE(host);
  TestItem item;
  item.path = "/data/data/org.thoughtcrime.securesms/databases/signal.db";
  std::uint64_t state = 1;
  for (int i = 0; i < 8192; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    item.bytes += static_cast<char>(static_cast<unsigned char>(state >> 56U));
  }
  Outcome outcome = host->examine(item);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "encrypted");
  EXPECT_THAT(outcome.problems[0].message, ::testing::HasSubstr("keystore"));
  item.bytes.assign(8192, '\0');
  EXPECT_THAT(host->examine(item).problems, ::testing::IsEmpty()) << "what is empty is not encrypted";
}

}  // namespace
}  // namespace touchstone::test

// The shipped app definitions on databases of real phones. What is expected is what the sources' own tests
// state: iLEAPP's results of the same files cell by cell, plaso's counts, or what the sqlite3 command line
// tool prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "corpus/appdata/ileapp_cases.hpp"
#include "corpus/zip_files.hpp"
#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::IsEmpty;

class CorpusPhones : public IleappCases {
 protected:
  /// A database of the zip with its write-ahead log, at this place, through one definition.
  static Outcome examine(const std::string& definition, const fs::path& zip, const std::string& name,
                         const std::string& path) {
    auto files = files_of_zip(zip);
    auto host = shipped_apps({definition});
    if (!host) return {};
    return host->examine(with_log(files, name, path));
  }
};

std::int64_t seconds(const std::string& microseconds) {
  return std::stoll(microseconds) / 1'000'000;
}

TEST_F(CorpusPhones, AddressBooksOfIphonesHaveTheContactsThatIleappFound) {
  const std::map<std::string, std::string> phones = {
      {"josh_ios15_ffs", "/private/var/mobile/Library/AddressBook/AddressBook.sqlitedb"},
      {"belkasoft_ctf6_ios_device1", "/HomeDomain/Library/AddressBook/AddressBook.sqlitedb"}};
  for (const auto& [phone, path] : phones) {
    const Outcome outcome =
        examine("ios_phone", cases_ / "addressBook" / ("testdata.addressBook.addressBook." + phone + ".zip"),
                "AddressBook.sqlitedb", path);
    EXPECT_THAT(outcome.problems, IsEmpty()) << phone;
    const json rows = expected("addressBook", "addressBook.addressBook." + phone);
    const auto contacts = by_row(outcome, "contact");
    ASSERT_EQ(contacts.size(), rows.size()) << phone;
    std::multiset<std::string> got, want;
    for (const auto& [row, contact] : contacts) got.insert(field(contact, "name"));
    const bool short_form = phone != "josh_ios15_ffs";
    for (const json& row : rows) {
      const auto cell = [&](std::size_t at) { return row[at].is_string() ? row[at].get<std::string>() : ""; };
      const std::string first = cell(short_form ? 1 : 3), last = cell(short_form ? 2 : 4);
      std::string person = first;
      if (!first.empty() && !last.empty()) person += ' ';
      person += last;
      want.insert(person.empty() ? cell(5) : person);
    }
    EXPECT_EQ(got, want) << phone;
  }
}

TEST_F(CorpusPhones, TheCardOfTheOwnerIsAnAccount) {
  const Outcome outcome = examine(
      "ios_phone", cases_ / "addressBook/testdata.addressBook.addressBook.belkasoft_ctf6_ios_device1.zip",
      "AddressBook.sqlitedb", "/HomeDomain/Library/AddressBook/AddressBook.sqlitedb");
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);  // sqlite3: MeIdentifier 1 of store 0
  EXPECT_EQ(field(accounts.at("ABStore 0"), "name"), "William Phorger");
  EXPECT_EQ(field(accounts.at("ABStore 0"), "identifier"), "billthemegakill@icloud.com");
}

// plaso's own test: 18 accounts, among them an iCloud account of thisisdfir@gmail.com.
TEST_F(CorpusPhones, TheAccountsOfAnIphoneAreThere) {
  auto host = shipped_apps({"ios_phone"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(
      database_item(read_text((corpus_ / "log2timeline+plaso/test_data/ios/Accounts3.sqlite").string()),
                    "/private/var/mobile/Library/Accounts/Accounts3.sqlite"));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 18U);
  EXPECT_EQ(field(accounts.at("ZACCOUNT 4"), "app"), "iCloud");
  EXPECT_EQ(field(accounts.at("ZACCOUNT 4"), "identifier"), "thisisdfir@gmail.com");
}

// sqlite3: one call, of type 2 (went out), to +441234567890 at 1588858433593, of 0 seconds.
TEST_F(CorpusPhones, TheCallOfAnAndroidPhoneIsThere) {
  auto host = shipped_apps({"android_phone"});
  ASSERT_TRUE(host);
  const fs::path file =
      corpus_ / "den4uk+andriller/tests/data/data/com.android.providers.contacts/db/calllog.db";
  const Outcome outcome = host->examine(database_item(
      read_text(file.string()), "/data/data/com.android.providers.contacts/databases/calllog.db"));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 1U);
  const Record& call = calls.at("calls 1");
  EXPECT_EQ(field(call, "started"), "1588858433593000");
  EXPECT_EQ(field(call, "direction"), "out");
  EXPECT_EQ(field(call, "party"), "+441234567890");
  EXPECT_EQ(field(call, "duration_s"), "0");
}

constexpr auto kGroupFolder =
    "/private/var/mobile/Containers/Shared/AppGroup/694FBBC5-2E69-480A-A25B-FF8CC038BEF8/";

/// The number in an address of WhatsApp, with a plus.
std::string number_of(const json& cell) {
  const std::string jid = cell.is_string() ? cell.get<std::string>() : "";
  return jid.ends_with("@s.whatsapp.net") ? "+" + jid.substr(0, jid.find('@')) : jid;
}

// iLEAPP's 32 rows: time, sender, receiver, text, file and place of each message, in their order.
TEST_F(CorpusPhones, WhatsAppOfAnIphoneHasTheCellsThatIleappFound) {
  const Outcome outcome =
      examine("whatsapp_ios", cases_ / "whatsApp/testdata.whatsApp.whatsAppMessages.josh_ios15_ffs.zip",
              "ChatStorage.sqlite", std::string(kGroupFolder) + "ChatStorage.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const json rows = expected("whatsApp", "whatsApp.whatsAppMessages.josh_ios15_ffs");
  const auto messages = by_row(outcome, "message");
  const auto files = by_row(outcome, "attachment");
  const auto places = by_row(outcome, "location");
  ASSERT_EQ(rows.size(), 32U);
  ASSERT_EQ(messages.size(), 32U);
  EXPECT_EQ(places.size(), 4U);
  std::size_t index = 0;
  for (int number = 1; number <= 33; ++number) {
    if (number == 28) continue;  // deleted
    const json& row = rows.at(index++);
    const std::string name = "ZWAMESSAGE " + std::to_string(number);
    const Record& message = messages.at(name);
    EXPECT_EQ(seconds(field(message, "sent")), row[0].get<std::int64_t>()) << name;
    EXPECT_EQ(field(message, "body"), row[5].is_string() ? row[5].get<std::string>() : "NULL") << name;
    EXPECT_EQ(field(message, "account"), "+19195794674") << name;
    const bool by_the_app = field(message, "status").starts_with("system: ");
    EXPECT_EQ(by_the_app, number <= 11) << name;
    if (by_the_app) {
      EXPECT_EQ(field(message, "conversation"), row[2].get<std::string>()) << name;
      continue;
    }
    const bool out = row[1] == "Local User";
    EXPECT_EQ(field(message, "direction"), out ? "out" : "in") << name;
    EXPECT_EQ(field(message, "sender"), out ? "+19195794674" : number_of(row[2])) << name;
    EXPECT_EQ(field(message, "recipients"), "[\"" + (out ? number_of(row[4]) : "+19195794674") + "\"]")
        << name;
    const std::string file = row[6].get<std::string>();
    ASSERT_EQ(files.contains(name), !file.empty()) << name;
    if (!file.empty()) {
      EXPECT_EQ("mock_hash_for_" + field(files.at(name), "name"), file);
    }
  }
  for (const auto& [name, place] : places) {
    const json& row = rows.at(rows.size() - 4 + static_cast<std::size_t>(name.back() - '4'));
    EXPECT_NEAR(std::get<double>(*place.find("latitude")), row[11].get<double>(), 1e-9) << name;
    EXPECT_NEAR(std::get<double>(*place.find("longitude")), row[12].get<double>(), 1e-9) << name;
  }
  // The thumbnails that iLEAPP names, and the message that an answer names by its ZSTANZAID.
  EXPECT_EQ(field(files.at("ZWAMEDIAITEM 4"), "name"), "9d198855-8740-4fdd-99e8-804c696ab3c5.thumb");
  EXPECT_EQ(field(messages.at("ZWAMESSAGE 16"), "status"),
            "sent, status 8; answers \"Makes sense with all the test data you generate.\", message 15");
  // The message that was deleted is a gap.
  const bool gap = std::any_of(outcome.findings.begin(), outcome.findings.end(),
                               [](const TestFinding& f) { return f.category == "gap"; });
  EXPECT_TRUE(gap);
}

TEST_F(CorpusPhones, WhatsAppCallsAndContactsOfAnIphoneAreThoseThatIleappFound) {
  const fs::path zip = cases_ / "whatsApp/testdata.whatsApp.whatsAppCallHistory.josh_ios15_ffs.zip";
  Outcome outcome =
      examine("whatsapp_ios", zip, "CallHistory.sqlite", std::string(kGroupFolder) + "CallHistory.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  json rows = expected("whatsApp", "whatsApp.whatsAppCallHistory.josh_ios15_ffs");
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(rows.size(), 4U);
  ASSERT_EQ(calls.size(), 4U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Record& call = calls.at("ZWACDCALLEVENT " + std::to_string(i + 1));
    EXPECT_EQ(seconds(field(call, "started")), rows[i][0].get<std::int64_t>());
    const std::int64_t length = std::stoll(field(call, "duration_s"));
    EXPECT_EQ(length, std::stoll(rows[i][2].get<std::string>().substr(3, 2)) * 60 +
                          std::stoll(rows[i][2].get<std::string>().substr(6, 2)));
    EXPECT_EQ(field(call, "direction"), rows[i][3] == "Outgoing" ? "out" : "in");
    EXPECT_EQ(field(call, "party"), number_of(rows[i][5]));
    EXPECT_TRUE(field(call, "status").ends_with(", ended"));
  }
  outcome =
      examine("whatsapp_ios", zip, "ContactsV2.sqlite", std::string(kGroupFolder) + "ContactsV2.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  rows = expected("whatsApp", "whatsApp.whatsAppContacts.josh_ios15_ffs");
  const auto contacts = by_row(outcome, "contact");
  ASSERT_EQ(contacts.size(), 9U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Record& contact = contacts.at("ZWAADDRESSBOOKCONTACT " + std::to_string(i + 1));
    EXPECT_EQ(field(contact, "name"), rows[i][0].get<std::string>());
    const json identifiers = json::parse(field(contact, "identifiers"));
    EXPECT_EQ(identifiers.empty(), rows[i][5].is_null());
    if (!identifiers.empty()) {
      EXPECT_EQ(identifiers[0]["value"], rows[i][5]);
    }
  }
}

// plaso's own test: ten messages, one of them "Did you try to send me a message?" of 2015-11-30T10:48:40Z
// from xxxxxx2015@icloud.com, read, by iMessage. sqlite3: 226 rows of deleted_messages, none of them in
// `message`.
TEST_F(CorpusPhones, MessagesOfAMacHaveTheirTextsAndWhatWasDeleted) {
  auto host = shipped_apps({"ios_messages"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(
      database_item(read_text((corpus_ / "log2timeline+plaso/test_data/sqlite/imessage_chat.db").string()),
                    "/Users/example/Library/Messages/chat.db"));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  int live = 0, deleted = 0;
  for (const auto& [name, message] : messages) {
    live += name.starts_with("message ") && field(message, "recovered") == "0" ? 1 : 0;
    deleted += name.starts_with("deleted_messages ") && field(message, "deleted") == "1" ? 1 : 0;
  }
  EXPECT_EQ(live, 10);
  EXPECT_EQ(deleted, 226);
  const Record& message = messages.at("message 8");
  EXPECT_EQ(field(message, "body"), "Did you try to send me a message?");
  EXPECT_EQ(field(message, "sent"), "1448880520000000");
  EXPECT_EQ(field(message, "direction"), "in");
  EXPECT_EQ(field(message, "sender"), "xxxxxx2015@icloud.com");
  EXPECT_EQ(field(message, "conversation"), "jondoh2015@icloud.com");
  EXPECT_EQ(field(message, "status"),
            "received, read; delivered 2015-11-30T10:53:52Z; read 2015-11-30T10:53:52Z");
  const Record& answer = messages.at("message 9");
  EXPECT_EQ(field(answer, "direction"), "out");
  EXPECT_EQ(field(answer, "sender"), "ken.doh@icloud.com");
  EXPECT_EQ(field(answer, "recipients"), "[\"xxxxxx2015@icloud.com\"]");
  const auto files = by_row(outcome, "attachment");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(field(files.at("attachment 1"), "name"), "sslsplit.der");
  EXPECT_EQ(field(files.at("attachment 1"), "message_row"), "21");
  const auto accounts = by_row(outcome, "account");
  EXPECT_EQ(field(accounts.at("message 1"), "identifier"), "ken.doh@icloud.com");
  EXPECT_THAT(field(accounts.at("chat 1"), "identifier"), ::testing::StartsWith("+44777"));
}

// The blobs of a public exporter, as attributedBody and message_summary_info of rows in the real schema. The
// texts are those of the exporter's own tests.
TEST_F(CorpusPhones, TextsAndEditsOfRealBlobsAreRead) {
  const fs::path blobs = corpus_ / "ReagentX+imessage-exporter/imessage-database/test_data";
  const auto hex = [&](const std::string& name) {
    std::string text;
    for (const char c : read_text((blobs / name).string())) {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return "X'" + text + "'";
  };
  std::string sql = R"(
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT, handle_id INTEGER DEFAULT 0, attributedBody BLOB, service TEXT, date INTEGER, is_from_me INTEGER DEFAULT 0, message_summary_info BLOB, date_retracted INTEGER, date_edited INTEGER);
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, id TEXT NOT NULL, country TEXT, service TEXT NOT NULL, uncanonicalized_id TEXT);
INSERT INTO handle(ROWID,id,service) VALUES(1,'+447700900101','iMessage');
)";
  const std::vector<std::string> names = {
      "AttributedBodyTextOnly", "AttributedBodyTextOnly2", "WeirdText", "URL", "MultiPart", "Blank"};
  for (std::size_t i = 0; i < names.size(); ++i)
    sql += "INSERT INTO message(ROWID,guid,handle_id,service,date,attributedBody) VALUES(" +
           std::to_string(i + 1) + ",'" + names[i] + "',1,'iMessage',690513474000000000," +
           hex("streamtyped/" + names[i]) + ");\n";
  sql +=
      "INSERT INTO message(ROWID,guid,text,handle_id,service,date,date_edited,message_summary_info) VALUES"
      "(10,'e','Edited message',1,'iMessage',690513474000000000,690513494000000000," +
      hex("edited_message/Edited.plist") +
      "),(11,'d',NULL,1,'iMessage',690513474000000000,690513494000000000," +
      hex("edited_message/Deleted.plist") + ");";
  auto host = shipped_apps({"ios_messages"});
  ASSERT_TRUE(host);
  const Outcome outcome =
      host->examine(database_item(made_database(sql), "/private/var/mobile/Library/SMS/sms.db"));
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  const std::vector<std::string> texts = {"Noter test",
                                          "Test 3",
                                          "𝖍𝖊𝖑𝖑𝖔 𝖜𝖔𝖗𝖑𝖉",
                                          "https://github.com/ReagentX/Logria",
                                          "\uFFFCtest 1\uFFFCtest 2 \uFFFCtest 3",
                                          "NULL"};
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(field(messages.at("message " + std::to_string(i + 1)), "body"), texts[i]) << names[i];
  const Record& edited = messages.at("message 10");
  EXPECT_EQ(field(edited, "sent"), "1668820674000000");
  EXPECT_EQ(field(edited, "edited"), "1");
  EXPECT_EQ(field(edited, "status"),
            "received; edited 2022-11-19T01:18:14Z, before: \"First message  \", \"Edit 1\", \"Edit 2\"");
  const Record& unsent = messages.at("message 11");
  EXPECT_EQ(field(unsent, "deleted"), "1");
  EXPECT_EQ(field(unsent, "status"), "received; unsent 2022-11-19T01:18:14Z");
}

}  // namespace
}  // namespace touchstone::test

// The shipped app definitions on real app data. What is expected was read with the sqlite3 command line tool,
// or is stated by the source's own tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

class CorpusApps : public ::testing::Test {
 protected:
  void SetUp() override {
    if (corpus_.empty() || !fs::exists(corpus_)) GTEST_SKIP() << "no corpus (TOUCHSTONE_CORPUS)";
    host_ = shipped_apps({"android_sms", "whatsapp_android"});
    ASSERT_TRUE(host_);
  }
  Outcome examine(std::string bytes, const std::string& path) {
    return host_->examine(database_item(std::move(bytes), path));
  }
  const fs::path corpus_ = TOUCHSTONE_CORPUS_DIR;
  std::unique_ptr<PluginHost> host_;
};

// plaso's own test of this file: nine texts, the first "Yo Fred …" at 2013-10-29T16:56:28.038Z, type 2
// (sent), to 1 555-521-5554.
TEST_F(CorpusApps, ReadTheTextsOfAnAndroidEmulator) {
  const Outcome outcome =
      examine(read_text((corpus_ / "log2timeline+plaso/test_data/android/mmssms.db").string()),
              "/data/com.android.providers.telephony/databases/mmssms.db");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 9U);
  const Record& first = messages.at("sms 1");
  EXPECT_EQ(field(first, "body"), "Yo Fred this is my new number.");
  EXPECT_EQ(field(first, "sent"), "1383065788038000");
  EXPECT_EQ(field(first, "direction"), "out");
  EXPECT_EQ(field(first, "recipients"), "[\"1 555-521-5554\"]");
  const Record& answer = messages.at("sms 3");
  EXPECT_EQ(field(answer, "body"), "What message?");
  EXPECT_EQ(field(answer, "direction"), "in");
  EXPECT_EQ(field(answer, "sender"), "15555215554");
  EXPECT_EQ(field(answer, "sent"), "1383066340000000");
  EXPECT_EQ(field(answer, "received"), "1383066341303000");
  for (const auto& [row, record] : messages)
    EXPECT_EQ(field(record, "conversation"), "1 555-521-5554") << row;
}

// frozenspider's own test: a group "My Group" with two messages, one of them edited, and a chat with two, one
// of them a live location at -8.70385650, 115.21673666 and one deleted.
TEST_F(CorpusApps, ReadWhatsAppOfOctober2023) {
  const fs::path folder =
      corpus_ / "frozenspider+chat-history-manager-rust/backend/resources/test/whatsapp-android_2023-10";
  const Outcome outcome = examine(made_database(read_text((folder / "msgstore.sql").string())),
                                  "/data/data/com.whatsapp/databases/msgstore.db");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 4U);
  const Record& last = messages.at("message 750");
  EXPECT_EQ(field(last, "body"), "Last group message");
  EXPECT_EQ(field(last, "edited"), "1");
  EXPECT_EQ(field(last, "conversation"), "100000000000000001@g.us");
  EXPECT_EQ(field(last, "sent"), "1661417508000000");
  EXPECT_EQ(field(last, "direction"), "out");
  EXPECT_EQ(field(last, "status"), "not sent; edited 2022-08-25T08:59:15Z; forwarded; answers message 169");
  EXPECT_EQ(field(messages.at("message 169"), "status"), "system: added to the group: +00000");
  const Record& deleted = messages.at("message 7454");
  EXPECT_EQ(field(deleted, "deleted"), "1");
  EXPECT_EQ(field(deleted, "recipients"), "[\"+11111\"]");
  EXPECT_EQ(field(messages.at("message 4863"), "sender"), "+11111");
  EXPECT_EQ(field(messages.at("message 4863"), "received"), "1687757170352000");
  const auto places = by_row(outcome, "location");
  ASSERT_EQ(places.size(), 1U);
  const auto* latitude = std::get_if<double>(places.at("message_location 4863").find("latitude"));
  const auto* longitude = std::get_if<double>(places.at("message_location 4863").find("longitude"));
  ASSERT_TRUE(latitude && longitude);
  EXPECT_NEAR(*latitude, -8.70385650, 1e-7);
  EXPECT_NEAR(*longitude, 115.21673666, 1e-7);
  EXPECT_EQ(field(by_row(outcome, "contact").at("chat 19"), "name"), "My Group");
  const Outcome people = examine(made_database(read_text((folder / "wa.sql").string())),
                                 "/data/data/com.whatsapp/databases/wa.db");
  EXPECT_THAT(people.problems, IsEmpty());
  EXPECT_EQ(by_row(people, "contact").size(), 2U);
}

// Other apps' databases at these places are of no known version, and that is said.
TEST_F(CorpusApps, CallOutDatabasesOfOtherApps) {
  const Outcome outcome =
      examine(read_text((corpus_ / "log2timeline+plaso/test_data/android/turbo.db").string()),
              "/data/data/com.whatsapp/databases/msgstore.db");
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
}

}  // namespace
}  // namespace touchstone::test

// Messengers and browsers on real databases. Counts, texts and times are those that the sources' own tests
// state (MANIFEST.tsv), or were read with the sqlite3 command line tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "corpus/zip_files.hpp"
#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

class CorpusMessengers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (corpus_.empty() || !fs::exists(corpus_)) GTEST_SKIP() << "no corpus (TOUCHSTONE_CORPUS)";
  }
  static Outcome examine(const std::string& app, std::string bytes, const std::string& path) {
    const auto host = shipped_apps({app});
    if (!host) return {};
    return host->examine(database_item(std::move(bytes), path));
  }
  Outcome examine_file(const std::string& app, const std::string& file, const std::string& path) {
    return examine(app, read_text((corpus_ / file).string()), path);
  }
  const fs::path corpus_ = TOUCHSTONE_CORPUS_DIR;
};

std::map<std::string, int> directions(const Outcome& outcome) {
  std::map<std::string, int> result;
  for (const auto& [row, record] : by_row(outcome, "message")) ++result[field(record, "direction")];
  return result;
}

// plaso: 14 messages; "How are you?" at 2017-07-17T04:41:54.326967Z, type 2, from John Macron.
TEST_F(CorpusMessengers, HangoutsOfJuly2017) {
  const Outcome outcome = examine_file("hangouts", "log2timeline+plaso/test_data/android/babel.db",
                                       "/data/data/com.google.android.talk/databases/babel0.db");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 14U);
  EXPECT_EQ(directions(outcome), (std::map<std::string, int>{{"in", 8}, {"out", 6}}));
  const Record& second = messages.at("messages 2");
  EXPECT_EQ(field(second, "body"), "How are you?");
  EXPECT_EQ(field(second, "sent"), "1500266514326967");
  EXPECT_EQ(field(second, "direction"), "in");
  EXPECT_EQ(field(second, "sender"), "108778762612058411235");
  const Record& third = messages.at("messages 3");
  EXPECT_EQ(field(third, "body"), "Hey. Better now ;)");
  EXPECT_EQ(field(third, "direction"), "out");
  EXPECT_EQ(field(third, "recipients"), "[\"108778762612058411235\"]");
  EXPECT_EQ(field(third, "conversation"), "UgzjuBCEJq0DKNmrqBB4AaABAagBiLyIDA");
  EXPECT_EQ(by_row(outcome, "contact").size(), 2U);
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(field(accounts.begin()->second, "identifier"), "112549252980293459976");
}

// frozenspider: "Sending you a text!" at 1699812983, then a Tenor GIF; the match is KEYU1.
TEST_F(CorpusMessengers, TinderOfNovember2023) {
  const Outcome outcome = examine(
      "tinder",
      made_database(read_text((corpus_ / "frozenspider+chat-history-manager-rust/backend/resources/test/"
                                         "tinder-android_2023-11/tinder-3.sql")
                                  .string())),
      "/data/data/com.tinder/databases/tinder-3.db");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 2U);
  const Record& text = messages.at("message 275");
  EXPECT_EQ(field(text, "body"), "Sending you a text!");
  EXPECT_EQ(field(text, "sent"), "1699812983158000");
  EXPECT_EQ(field(text, "direction"), "out");
  EXPECT_EQ(field(text, "account"), "MYKEY");
  EXPECT_EQ(field(messages.at("message 274"), "direction"), "in");
  EXPECT_EQ(field(messages.at("message 274"), "sender"), "KEYU1");
  EXPECT_EQ(field(by_row(outcome, "contact").begin()->second, "name"), "Abcde");
  EXPECT_EQ(field(by_row(outcome, "account").at("message 275"), "identifier"), "MYKEY");
}

// iLEAPP: 81 messages, the first by time at 1637783068; sent by me: 40 (sqlite3), four are lines of the app.
TEST_F(CorpusMessengers, TeamsOfMay2023) {
  const Outcome outcome = examine("teams",
                                  file_of_zip(corpus_ / "abrignoni+iLEAPP/admin/test/cases/data/teams/"
                                                        "testdata.teams.teamsMessages.josh_ios15_ffs.zip",
                                              ".sqlite"),
                                  "/private/var/mobile/Containers/Shared/AppGroup/A/SkypeSpacesDogfood/B/"
                                  "SkypeSpacesDogfood-9188040d-6c67-4c5b-b112-36a304b66dad.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(by_row(outcome, "message").size(), 81U);
  EXPECT_EQ(directions(outcome), (std::map<std::string, int>{{"in", 37}, {"out", 40}, {"unknown", 4}}));
  const Record fifth = by_row(outcome, "message").at("ZSMESSAGE 5");
  EXPECT_EQ(field(fifth, "body"), "You here yet?");
  EXPECT_EQ(field(fifth, "sent"), "1682689489392000");
  EXPECT_EQ(field(fifth, "direction"), "in");
  EXPECT_EQ(by_row(outcome, "contact").size(), 2U);
  const auto accounts = by_row(outcome, "account");
  ASSERT_EQ(accounts.size(), 1U);
  EXPECT_EQ(field(accounts.begin()->second, "name"), "ThisIs DFIR");
}

// sqlite3 on a copy with its WAL: two answers to messages just sent, entries 33 and 49.
TEST_F(CorpusMessengers, DiscordOfApril2023) {
  const fs::path zip = corpus_ /
                       "abrignoni+iLEAPP/admin/test/cases/data/discord_cache/"
                       "testdata.discord_cache.discord_cache.josh_ios15_ffs.zip";
  const auto host = shipped_apps({"discord"});
  ASSERT_TRUE(host);
  TestItem item =
      database_item(file_of_zip(zip, "/Cache.db"), "/A/Library/Caches/com.hammerandchisel.discord/Cache.db");
  item.neighbours["Cache.db-wal"] = file_of_zip(zip, "/Cache.db-wal");
  const Outcome outcome = host->examine(item);
  EXPECT_THAT(outcome.problems, IsEmpty());
  std::map<std::string, const Record*> live;
  const auto messages = by_row(outcome, "message");
  for (const auto& [row, record] : messages)
    if (field(record, "recovered") == "0") live[row] = &record;
  ASSERT_EQ(live.size(), 2U);
  const Record& first = *live.begin()->second;
  EXPECT_EQ(live.begin()->first, "cfurl_cache_receiver_data 33/1100154999838867627");
  EXPECT_EQ(field(first, "body"), "DM\u2019s?");
  EXPECT_EQ(field(first, "sent"), "1682367791853000");
  EXPECT_EQ(field(first, "direction"), "out");
  EXPECT_EQ(field(first, "conversation"), "622810296226152474");
}

/// Counts by kind of visit.
std::map<std::string, int> kinds_of(const Outcome& outcome) {
  std::map<std::string, int> result;
  for (const auto& [row, record] : by_row(outcome, "visit")) ++result[field(record, "kind")];
  return result;
}

// The counts of the tables in MANIFEST.tsv.
TEST_F(CorpusMessengers, ChromeOfEveryGeneration) {
  using Kinds = std::map<std::string, int>;
  const std::string hindsight = "obsidianforensics+hindsight/tests/fixtures/profiles/";
  const std::string plaso = "log2timeline+plaso/test_data/chrome/";
  const std::map<std::string, Kinds> expected = {
      {hindsight + "01/History", {{"visit", 46}, {"search", 5}, {"download", 2}}},
      {hindsight + "10/History", {{"visit", 84}, {"search", 5}, {"download", 2}}},
      {hindsight + "20/History", {{"visit", 58}, {"search", 5}, {"download", 2}}},
      {hindsight + "30/History", {{"visit", 46}, {"search", 5}, {"download", 2}}},
      {hindsight + "60/History", {{"visit", 61}, {"search", 5}, {"download", 2}}},
      {plaso + "History", {{"visit", 69}, {"search", 3}, {"download", 2}}},
      {plaso + "History-57.0.2987.133", {{"visit", 1}, {"download", 1}}},
      {plaso + "History-58.0.3029.96", {{"visit", 1}, {"download", 1}}},
      {plaso + "History-59.0.3071.86", {{"visit", 1}, {"download", 1}}},
      {plaso + "History-59_added-fake-column", {{"visit", 1}, {"download", 1}}},
      {"sepinf-inc+IPED/iped-parsers/iped-parsers-impl/src/test/resources/test-files/test_historyEdge",
       {{"visit", 9}, {"search", 3}, {"download", 7}}},
  };
  for (const auto& [file, kinds] : expected) {
    const Outcome outcome = examine_file("chromium", file, "/Users/a/Chrome/User Data/Default/History");
    if (file.ends_with("added-fake-column")) {
      ASSERT_EQ(outcome.problems.size(), 1U);
      EXPECT_THAT(outcome.problems[0].message,
                  ::testing::HasSubstr("columns unknown: downloads.new_fake_column"));
    } else {
      EXPECT_THAT(outcome.problems, IsEmpty()) << file;
    }
    EXPECT_EQ(kinds_of(outcome), kinds) << file;
  }
}

// plaso: start.ubuntu.com at 2011-04-07T12:03:11Z, and a download of Chrome 59 at 2018-01-21T14:09:53Z.
TEST_F(CorpusMessengers, ChromeHasTheTimesThatPlasoStates) {
  const Outcome old =
      examine_file("chromium", "log2timeline+plaso/test_data/chrome/History", "/p/Default/History");
  bool found = false;
  for (const auto& [row, record] : by_row(old, "visit"))
    found = found ||
            (field(record, "url") == "http://start.ubuntu.com/10.04/Google/" &&
             field(record, "title") == "Ubuntu Start Page" && field(record, "visited") == "1302177791000000");
  EXPECT_TRUE(found);
  const Outcome newer = examine_file("chromium", "log2timeline+plaso/test_data/chrome/History-57.0.2987.133",
                                     "/p/Default/History");
  const auto visits = by_row(newer, "visit");
  EXPECT_EQ(field(visits.at("visits 1"), "visited"), "1516543793885478");
  EXPECT_EQ(field(visits.at("visits 1"), "url"),
            "https://raw.githubusercontent.com/dfirlabs/chrome-specimens/master/generate-specimens.sh");
  const Outcome forms =
      examine_file("chromium", "log2timeline+plaso/test_data/chrome/Web Data", "/p/Default/Web Data");
  EXPECT_EQ(kinds_of(forms), (std::map<std::string, int>{{"form", 3}}));
  found = false;
  for (const auto& [row, record] : by_row(forms, "visit"))
    found = found || (field(record, "title") == "repo: log2timeline/plaso" &&
                      field(record, "visited") == "1534534551000000");
  EXPECT_TRUE(found);
}

TEST_F(CorpusMessengers, SkypeOfSeptember2020WithoutMessages) {
  const Outcome outcome =
      examine_file("skype",
                   "sepinf-inc+IPED/iped-parsers/iped-parsers-impl/src/test/resources/test-files/"
                   "test_skypeS4lStreeguil1.db",
                   "/Users/a/AppData/Local/Packages/Microsoft.SkypeApp/LocalState/s4l-streeguil1.db");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(by_row(outcome, "message"), IsEmpty());
  const auto contacts = by_row(outcome, "contact");
  ASSERT_EQ(contacts.size(), 1U);
  EXPECT_EQ(field(contacts.begin()->second, "identifiers"), R"([{"kind":"skype","value":"8:streeguil1"}])");
  EXPECT_EQ(by_row(outcome, "account").size(), 1U);
}

}  // namespace
}  // namespace touchstone::test

// Messages by guess: the databases of the corpus that are known to hold messages, with their definitions
// taken away, and all others, of which nothing may be taken for messages. What is expected is what the
// sources' own tests state: plaso's counts and texts, iLEAPP's results of the same files cell by cell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CorpusGuesses : public IleappCases {
 protected:
  void SetUp() override {
    IleappCases::SetUp();
    if (IsSkipped()) return;
    host_ = shipped_apps({});
    ASSERT_TRUE(host_);
  }
  Outcome guess(const fs::path& file) {
    return host_->examine(
        database_item(read_text((corpus_ / file).string()), "/unknown/" + file.filename().string()));
  }
  Outcome guess_of_zip(const std::string& folder, const std::string& zip, const std::string& name) {
    auto files = files_of_zip(cases_ / folder / zip);
    std::string found;
    for (const auto& [file, bytes] : files)
      if (file.starts_with(name) && !file.ends_with("-wal") && !file.ends_with("-shm")) found = file;
    return host_->examine(with_log(files, found, "/unknown/" + found));
  }
  std::unique_ptr<PluginHost> host_;
};

/// Second and text of each live message.
std::multiset<std::pair<std::int64_t, std::string>> said(const Outcome& outcome) {
  std::multiset<std::pair<std::int64_t, std::string>> result;
  for (const Record& record : outcome.records) {
    if (record.kind != "message" || field(record, "recovered") != "0") continue;
    EXPECT_THAT(field(record, "status"), ::testing::StartsWith("guessed"));
    result.emplace(std::stoll(field(record, "sent")) / 1'000'000, field(record, "body"));
  }
  return result;
}

/// The same of iLEAPP's rows, as far as they have a text.
std::multiset<std::pair<std::int64_t, std::string>> said(const json& rows, std::size_t text) {
  std::multiset<std::pair<std::int64_t, std::string>> result;
  for (const json& row : rows)
    if (row[text].is_string() && !row[text].get<std::string>().empty())
      result.emplace(static_cast<std::int64_t>(row[0].get<double>()), row[text].get<std::string>());
  return result;
}

TEST_F(CorpusGuesses, FindTheTextsOfAnAndroidEmulator) {
  const Outcome outcome = guess("log2timeline+plaso/test_data/android/mmssms.db");
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 9U);
  EXPECT_EQ(field(messages.at("sms 1"), "body"), "Yo Fred this is my new number.");
  EXPECT_EQ(field(messages.at("sms 1"), "sent"), "1383065788038000");
  EXPECT_EQ(field(messages.at("sms 1"), "conversation"), "1 555-521-5554");
  EXPECT_EQ(field(messages.at("sms 1"), "direction"), "unknown");
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message,
              HasSubstr("9 rows of sms (text body, time date as milliseconds since 1970"));
}

// plaso: the eighth text, "Did you try to send me a message?", 2015-11-30T10:48:40Z.
TEST_F(CorpusGuesses, FindTheMessagesOfAMacWithTheirDirections) {
  const auto messages = by_row(guess("log2timeline+plaso/test_data/sqlite/imessage_chat.db"), "message");
  ASSERT_EQ(messages.size(), 10U);
  bool found = false;
  std::size_t out = 0;
  for (const auto& [row, message] : messages) {
    if (field(message, "direction") == "out") ++out;
    if (field(message, "body") != "Did you try to send me a message?") continue;
    found = true;
    EXPECT_EQ(field(message, "sent"), "1448880520000000");
    EXPECT_EQ(field(message, "direction"), "in");
    EXPECT_EQ(field(message, "sender"), "xxxxxx2015@icloud.com");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(out, 5U);  // sqlite3: is_from_me = 1
}

// plaso: 14 messages, "How are you?" at 2017-07-17T04:41:54.326967Z; and the list of conversations is none.
TEST_F(CorpusGuesses, FindTheMessagesOfHangoutsAlone) {
  const auto messages = by_row(guess("log2timeline+plaso/test_data/android/babel.db"), "message");
  ASSERT_EQ(messages.size(), 14U);
  EXPECT_EQ(field(messages.at("messages 2"), "body"), "How are you?");
  EXPECT_EQ(field(messages.at("messages 2"), "sent"), "1500266514326967");
}

// sqlite3: SELECT count(*) FROM messages WHERE message <> '' gives 12 of 16.
TEST_F(CorpusGuesses, FindTheMessagesOfAnAppThatNoDefinitionKnows) {
  const auto messages = by_row(guess("log2timeline+plaso/test_data/android/burners.sqlite"), "message");
  ASSERT_EQ(messages.size(), 12U);
  EXPECT_EQ(field(messages.at("messages 1"), "body"), "You there?");
  EXPECT_EQ(field(messages.at("messages 1"), "sent"), "1669918590384000");
  EXPECT_EQ(field(messages.at("messages 1"), "conversation"), "+19198887386");
}

TEST_F(CorpusGuesses, HaveTheTextsAndTimesOfWhatsAppThatIleappFound) {
  const Outcome outcome =
      guess_of_zip("whatsApp", "testdata.whatsApp.whatsAppMessages.josh_ios15_ffs.zip", "ChatStorage.sqlite");
  EXPECT_EQ(said(outcome), said(expected("whatsApp", "whatsApp.whatsAppMessages.josh_ios15_ffs"), 5));
  EXPECT_EQ(said(outcome).size(), 15U);
}

TEST_F(CorpusGuesses, HaveTheTextsAndTimesOfMeWeThatIleappFound) {
  const Outcome outcome =
      guess_of_zip("meWe", "testdata.meWe.meWeMessages.josh_ios17_ffs.zip", "sgrouplesdb.sqlite");
  EXPECT_EQ(said(outcome), said(expected("meWe", "meWe.meWeMessages.josh_ios17_ffs"), 6));
  EXPECT_EQ(said(outcome).size(), 47U);
}

/// Runs of blanks as one: markup counts them as one. Messages with a picture alone are left out.
std::multiset<std::pair<std::int64_t, std::string>> with_text(
    const std::multiset<std::pair<std::int64_t, std::string>>& messages) {
  std::multiset<std::pair<std::int64_t, std::string>> result;
  for (auto [time, text] : messages) {
    text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
               text.end());
    if (!text.empty()) result.emplace(time, std::move(text));
  }
  return result;
}

// iLEAPP reads ZMANAGEDEVENTBASE whole: 18 rows, events without a text among them. The last text was deleted.
TEST_F(CorpusGuesses, HaveTheTextsAndTimesOfTruthSocialThatIleappFound) {
  const Outcome outcome = guess_of_zip(
      "truthSocial", "testdata.truthSocial.truthSocialMessages.josh_ios17_ffs.zip", "ChatModel.sqlite");
  EXPECT_EQ(with_text(said(outcome)),
            with_text(said(expected("truthSocial", "truthSocial.truthSocialMessages.josh_ios17_ffs"), 7)));
  EXPECT_EQ(with_text(said(outcome)).size(), 11U);
  std::size_t recovered = 0;
  for (const Record& record : outcome.records)
    if (field(record, "body") == "Here is a really bad message. Delete it, please.") ++recovered;
  EXPECT_EQ(recovered, 1U);
}

// sqlite3: SELECT count(*) FROM ZSMESSAGE WHERE ZCONTENT <> '' gives 79 of 81; what the app itself says is
// among them.
TEST_F(CorpusGuesses, FindTheMessagesOfTeamsWithoutTheirMarkup) {
  const Outcome outcome =
      guess_of_zip("teams", "testdata.teams.teamsMessages.josh_ios15_ffs.zip", "SkypeSpacesDogfood");
  const auto messages = said(outcome);
  EXPECT_EQ(messages.size(), 79U);
  EXPECT_TRUE(messages.contains({1668542834, "I'll video call you."}));
}

// frozenspider's own tests: "Sending you a text!" at 1699812983 and a GIF at 1699813000; "Last group
// message".
TEST_F(CorpusGuesses, FindTheMessagesOfTinderAndOfWhatsAppForAndroid) {
  const fs::path folder = corpus_ / "frozenspider+chat-history-manager-rust/backend/resources/test";
  const auto of = [&](const char* file) {
    return said(
        host_->examine(database_item(made_database(read_text((folder / file).string())), "/unknown/a.db")));
  };
  const auto tinder = of("tinder-android_2023-11/tinder-3.sql");
  EXPECT_EQ(tinder.size(), 2U);
  EXPECT_TRUE(tinder.contains({1699812983, "Sending you a text!"}));
  EXPECT_EQ(tinder.rbegin()->first, 1699813000);
  const auto whatsapp = of("whatsapp-android_2023-10/msgstore.sql");  // sqlite3: one row has text_data
  ASSERT_EQ(whatsapp.size(), 1U);
  EXPECT_EQ(whatsapp.begin()->second, "Last group message");
}

std::string read_start(const std::string& path) {
  std::string start(16, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), 16);
  return start;
}

/// Names of databases, or ends of their paths, that hold messages in tables of their own.
bool holds_messages(const std::string& path) {
  for (const char* end : {"mmssms.db", "imessage_chat.db", "babel.db", "burners.sqlite", "ChatStorage.sqlite",
                          "sgrouplesdb.sqlite", "ChatModel.sqlite"})
    if (path.ends_with(end)) return true;
  return path.find("SkypeSpacesDogfood") != std::string::npos;
}

TEST_F(CorpusGuesses, TakeNothingElseForMessages) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::size_t databases = 0;
  const auto look = [&](const std::string& path, const std::string& bytes) {
    if (!bytes.starts_with(kMagic) || holds_messages(path)) return;
    ++databases;
    EXPECT_THAT(
        host_->examine(database_item(bytes, "/unknown/" + fs::path(path).filename().string())).records,
        IsEmpty())
        << path;
  };
  for (const auto& entry : fs::recursive_directory_iterator(corpus_)) {
    if (!entry.is_regular_file() || entry.file_size() > (64U << 20U)) continue;
    const std::string path = entry.path().string();
    if (entry.path().extension() == ".zip" && path.find("iLEAPP") != std::string::npos) {
      each_file_of_zip(entry.path(), [&](const fs::path& name, const std::string& bytes) {
        look(name.string(), bytes);
        return true;
      });
    } else if (std::string start = read_start(path); start == kMagic) {
      look(path, read_text(path));
    }
  }
  EXPECT_GT(databases, 100U);
}

}  // namespace
}  // namespace touchstone::test

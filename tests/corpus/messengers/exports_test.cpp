// Exports of Telegram Desktop, read as real files. Counts and texts are those of the files (read with
// Python's json).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

class CorpusExports : public ::testing::Test {
 protected:
  void SetUp() override {
    if (corpus_.empty() || !fs::exists(corpus_)) GTEST_SKIP() << "no corpus (TOUCHSTONE_CORPUS)";
  }
  Outcome examine(const std::string& folder) {
    const auto host = PluginHost::load("exports", "{}");
    if (!host) return {};
    TestItem item;
    item.bytes = read_text(
        (corpus_ / "frozenspider+chat-history-manager-rust/backend/resources/test" / folder / "result.json")
            .string());
    item.path = "/Telegram/result.json";
    return host->examine(item);
  }
  const fs::path corpus_ = TOUCHSTONE_CORPUS_DIR;
};

TEST_F(CorpusExports, OfTelegramHaveTheirMessages) {
  // Messages and calls together: both are entries of `messages`.
  const std::map<std::string, std::size_t> expected = {{"telegram_2020-01", 50},
                                                       {"telegram_2021-05", 3},
                                                       {"telegram_2021-06_supergroup", 4},
                                                       {"telegram_2021-07", 2},
                                                       {"telegram_2023-01", 6},
                                                       {"telegram_2023-08", 2},
                                                       {"telegram_2023-11", 1},
                                                       {"telegram_2024-01", 2},
                                                       {"telegram_2023-10_audio-video", 4},
                                                       {"telegram_2024-01_inline-bot-buttons", 5},
                                                       {"telegram_2024-02_create-channel_saved-from", 2}};
  for (const auto& [folder, count] : expected) {
    const Outcome outcome = examine(folder);
    EXPECT_THAT(outcome.problems, IsEmpty()) << folder;
    EXPECT_EQ(by_row(outcome, "message").size() + by_row(outcome, "call").size(), count) << folder;
  }
}

TEST_F(CorpusExports, OfTelegramHaveTextsTimesAndDirections) {
  const Outcome outcome = examine("telegram_2023-01");
  const Record message = by_row(outcome, "message").at("messages 123123123/111111");
  EXPECT_EQ(field(message, "body"),
            "this contains a lot of stuff: \xF0\x9F\x98\x81http://mylink.org/HIDE ME");
  EXPECT_EQ(field(message, "sent"), "1479387460000000");
  EXPECT_EQ(field(message, "direction"), "in");
  EXPECT_EQ(field(message, "sender"), "user44444444");
  const Outcome old = examine("telegram_2020-01");
  const auto messages = by_row(old, "message");
  const Record& own = messages.at("messages 9777777777/32616");
  EXPECT_EQ(field(own, "direction"), "out");
  EXPECT_EQ(field(own, "sent_local"), "1508258463000000");
  EXPECT_EQ(field(messages.at("messages 9777777777/33500"), "direction"), "in");
  EXPECT_EQ(field(messages.at("messages 8123123123/4720"), "direction"), "unknown");
  EXPECT_EQ(field(by_row(old, "account").at("personal_information phone"), "identifier"), "+998911234567");
}

}  // namespace
}  // namespace touchstone::test

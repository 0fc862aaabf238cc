// Offsets that are written as figures were found with `grep -b -o` in the same bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kPack = R"(
schema = "touchstone.keywords/1"
id = "test-pack"
version = "3"
title = "Words of a test"
[[term]]
id = "sedative"
match = ["blue pills"]
points = 60
why = "Named in the briefing."
[[term]]
id = "threat"
match = ['''send (it|them) to your (mum|boss)''']
kind = "regex"
points = 80
why = "A threat to share."
)";

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string out;
  for (const char c : ascii) {
    if (big_endian) out += '\0';
    out += c;
    if (!big_endian) out += '\0';
  }
  return out;
}

std::vector<std::string> positions(const Outcome& outcome) {
  std::vector<std::string> out;
  for (const auto& finding : outcome.findings) out.push_back(finding.position);
  return out;
}

class Keywords : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("keywords_test." + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    const auto path = folder_ / "pack.toml";
    std::ofstream(path) << kPack;
    host_ = PluginHost::load("keywords", nlohmann::json{{"files", {path.string()}}}.dump());
    ASSERT_TRUE(host_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static TestItem text(const std::string& bytes) {
    TestItem item;
    item.bytes = bytes;
    item.media_type = "text/plain";
    return item;
  }
  static TestItem binary(const std::string& bytes) {
    TestItem item;
    item.bytes = bytes;
    item.no_text = true;
    return item;
  }

  std::filesystem::path folder_;
  std::unique_ptr<PluginHost> host_;
};

TEST_F(Keywords, DeclareEachTerm) {
  ASSERT_EQ(host_->rules().size(), 2U);
  EXPECT_EQ(host_->rules()[0].rule, "sedative");
  EXPECT_EQ(host_->rules()[0].version, "3");
  EXPECT_EQ(host_->rules()[1].rule, "threat");
}

TEST_F(Keywords, FindTextOnceAndNotItsBytesAgain) {
  const Outcome outcome = host_->examine(text("bring the Blue Pills tonight\nor I send it to your mum\n"));
  ASSERT_EQ(outcome.findings.size(), 2U);
  const TestFinding& first = outcome.findings[0];
  EXPECT_EQ(first.rule, "sedative");
  EXPECT_EQ(first.category, "test-pack");
  EXPECT_EQ(first.position, "text 10-20");
  EXPECT_EQ(first.confidence, 1000);
  EXPECT_EQ(first.record_key, "");
  const auto detail = nlohmann::json::parse(first.detail);
  EXPECT_EQ(detail["pack"], "test-pack");
  EXPECT_EQ(detail["points"], 60);
  EXPECT_EQ(detail["match"], "Blue Pills");
  EXPECT_EQ(detail["context"], "bring the Blue Pills tonight or I send it to your mum ");
  EXPECT_EQ(outcome.findings[1].rule, "threat");
  EXPECT_EQ(outcome.findings[1].position, "text 34-53");
}

TEST_F(Keywords, FindRawBytesInThreeEncodings) {
  const std::string gap(4, '\0');
  const Outcome outcome = host_->examine(binary(gap + "blue pills" + gap + gap + utf16("BLUE pills", false) +
                                                gap.substr(2) + utf16("blue PILLS", true) + gap));
  ASSERT_THAT(positions(outcome),
              ElementsAre("offset 4 length 10", "offset 22 length 20", "offset 44 length 20"));
  for (const auto& finding : outcome.findings) EXPECT_EQ(finding.category, "keyword-raw");
  EXPECT_EQ(nlohmann::json::parse(outcome.findings[1].detail)["match"], "BLUE pills");
}

TEST_F(Keywords, FindUtf16AmidTextOnlyOnce) {
  const Outcome little = host_->examine(binary("\x01\x02" + utf16("have blue pills here", false)));
  EXPECT_THAT(positions(little), ElementsAre("offset 12 length 20"));
  EXPECT_EQ(nlohmann::json::parse(little.findings[0].detail)["context"], "\xC8\x81have blue pills here");
  const Outcome big = host_->examine(binary("\x01\x02" + utf16("have blue pills here", true)));
  EXPECT_THAT(positions(big), ElementsAre("offset 12 length 20"));
}

TEST_F(Keywords, FindAcrossThePiecesOfTheBytes) {
  const std::string word = "blue pills";
  for (std::size_t before = 0; before <= word.size(); ++before) {
    TestItem item = binary(std::string(64 * 1024 - before, '.') + word + std::string(100, '.'));
    item.piece = 64 * 1024;
    EXPECT_THAT(positions(host_->examine(item)),
                ElementsAre("offset " + std::to_string(64 * 1024 - before) + " length 10"));
  }
}

TEST_F(Keywords, FindAcrossTheWindowsOfTheTextOnce) {
  constexpr std::size_t kWindow = 1024 * 1024, kOverlap = 4096;
  for (const std::size_t at :
       {kWindow - kOverlap - 5, kWindow - kOverlap, kWindow - 300, kWindow - 5, kWindow}) {
    std::string bytes(kWindow + 100'000, '.');
    bytes.replace(at, 10, "blue pills");
    EXPECT_THAT(positions(host_->examine(text(bytes))),
                ElementsAre("text " + std::to_string(at) + "-" + std::to_string(at + 10)));
  }
}

TEST_F(Keywords, CountPositionsInTheTextAfterConversion) {
  TestItem item = text("\xFF\xFE" + utf16("the blue pills", false));
  EXPECT_THAT(positions(host_->examine(item)), ElementsAre("text 4-14"));
  item.text = "provider says nothing";
  EXPECT_THAT(positions(host_->examine(item)), ElementsAre("offset 10 length 20")) << "what the text lacks";
}

TEST_F(Keywords, TieHitsInRecordsToTheRecord) {
  TestItem item = binary("nothing");
  item.records.push_back({"message",
                          "message|T/1:p0/x|sms|7",
                          {{"body", std::string("gr\xC3\xBC\xC3\x9F"
                                                "e, blue pills")},
                           {"sender", std::string("+447700900123")},
                           {"source_row", std::string("blue pills")},
                           {"sent", std::int64_t{5}}}});
  const Outcome outcome = host_->examine(item);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].position, "body 9-19");
  EXPECT_EQ(outcome.findings[0].record_kind, "message");
  EXPECT_EQ(outcome.findings[0].record_key, "message|T/1:p0/x|sms|7");
  EXPECT_EQ(outcome.findings[0].category, "test-pack");
}

TEST_F(Keywords, LookIntoNotesAndCalendarsAsIntoMessages) {
  TestItem item = binary("nothing");
  item.records.push_back({"note",
                          "n",
                          {{"body", std::string("two blue pills")},
                           {"status", std::string("blue pills")},
                           {"modified", std::int64_t{5}}}});
  item.records.push_back(
      {"event", "e", {{"title", std::string("blue pills")}, {"time_basis", std::string("utc")}}});
  const Outcome outcome = host_->examine(item);
  EXPECT_THAT(positions(outcome), ElementsAre("body 4-14", "title 0-10"));
  ASSERT_EQ(outcome.findings.size(), 2U);
  EXPECT_EQ(outcome.findings[0].record_kind, "note");
  EXPECT_EQ(outcome.findings[1].record_key, "e");
}

TEST_F(Keywords, FindInFieldsThatAreNotUtf8) {
  TestItem item = binary("nothing");
  item.records.push_back({"message", "k", {{"body", std::string("\xFF\xC3 blue pills")}}});
  EXPECT_THAT(positions(host_->examine(item)), ElementsAre("body 3-13"));
}

TEST_F(Keywords, ListNoMoreThanAThousandAndTellTheCount) {
  std::string many;
  for (int i = 0; i < 1500; ++i) many += "blue pills\n";
  Outcome outcome = host_->examine(text(many));
  EXPECT_EQ(outcome.findings.size(), 1000U);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "limit");
  EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr(" 1500 "));
  outcome = host_->examine(binary(many));
  EXPECT_EQ(outcome.findings.size(), 1000U);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr(" 1500 "));
}

TEST_F(Keywords, QuoteAtMost120Characters) {
  std::string before, after;
  for (int i = 0; i < 200; ++i) before += "ö", after += "€";
  const Outcome outcome = host_->examine(text(before + " blue pills " + after));
  ASSERT_EQ(outcome.findings.size(), 1U);
  const std::string context = nlohmann::json::parse(outcome.findings[0].detail)["context"];
  std::string expected;
  for (int i = 0; i < 54; ++i) expected += "ö";
  expected += " blue pills ";
  for (int i = 0; i < 54; ++i) expected += "€";
  EXPECT_EQ(context, expected);
}

TEST_F(Keywords, KeepNothingOfTheItemBefore) {
  EXPECT_THAT(positions(host_->examine(binary("blue pi"))), IsEmpty());
  EXPECT_THAT(positions(host_->examine(binary("lls"))), IsEmpty());
  EXPECT_THAT(positions(host_->examine(binary(".blue pills"))), ElementsAre("offset 1 length 10"));
}

TEST_F(Keywords, RefuseABadPack) {
  const auto path = folder_ / "bad.toml";
  std::ofstream(path) << "schema = \"touchstone.keywords/1\"\nid = \"x\"\nversoin = \"1\"\n";
  const auto host = PluginHost::open(std::string(TOUCHSTONE_BINARY_DIR) + "/plugins/keywords.tsp",
                                     nlohmann::json{{"files", {path.string()}}}.dump());
  EXPECT_NE(host->create_status(), TS_OK);
  EXPECT_THAT(host->create_reason(), testing::HasSubstr("bad.toml:3:"));
}

TEST(KeywordsWithoutPacks, DoNothing) {
  const auto host = PluginHost::load("keywords", R"({"files": []})");
  TestItem item;
  item.bytes = "blue pills";
  const Outcome outcome = host->examine(item);
  EXPECT_EQ(outcome.status, TS_OK);
  EXPECT_TRUE(outcome.findings.empty());
}

}  // namespace
}  // namespace touchstone::test

// Digests of "abc" as published in RFC 1321 (MD5) and FIPS 180-4's examples (SHA-1, SHA-256).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

constexpr const char* kMd5 = "900150983cd24fb0d6963f7d28e17f72";
constexpr const char* kSha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
constexpr const char* kSha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOtherMd5 = "0cc175b9c0f1b6a831c399e269772661";  // of "a"
constexpr const char* kEmptyMd5 = "d41d8cd98f00b204e9800998ecf8427e";

class Hashes : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("hashes_test." + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Adds a list to the settings.
  void set(const std::string& file, const std::string& text,
           const nlohmann::json& more = nlohmann::json::object()) {
    const auto path = folder_ / file;
    std::ofstream(path, std::ios::binary) << text;
    nlohmann::json entry = more;
    entry["path"] = path;
    settings_["sets"].push_back(entry);
  }
  std::unique_ptr<PluginHost> load() const { return PluginHost::load("hashes", settings_.dump()); }

  static TestItem abc() {
    TestItem item;
    item.bytes = "abc";
    return item;
  }

  std::filesystem::path folder_;
  nlohmann::json settings_ = {{"sets", nlohmann::json::array()}};
};

TEST_F(Hashes, FindADigestOfEachKind) {
  set("one.md5", std::string(kMd5) + "  some name\n");
  set("two.txt", std::string(kSha1) + " *x\n");
  set("three.txt", std::string(kSha256) + "\n");
  const Outcome outcome = load()->examine(abc());
  ASSERT_EQ(outcome.findings.size(), 3U);
  EXPECT_EQ(outcome.status, TS_OK);
  const auto& first = outcome.findings[0];
  EXPECT_EQ(first.rule, "one");
  EXPECT_EQ(first.category, "notable");
  EXPECT_EQ(first.title, "In hash set one");
  EXPECT_EQ(first.confidence, 1000);
  EXPECT_THAT(first.detail, testing::HasSubstr(kMd5));
  EXPECT_THAT(outcome.findings[1].detail, testing::HasSubstr(kSha1));
  EXPECT_THAT(outcome.findings[2].detail, testing::HasSubstr(kSha256));
}

TEST_F(Hashes, TakeNameAndCategoryFromTheSettings) {
  set("x.md5", std::string(kMd5) + "  n\n", {{"name", "Ordinary files"}, {"category", "known"}});
  const auto host = load();
  const Outcome outcome = host->examine(abc());
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].rule, "Ordinary files");
  EXPECT_EQ(outcome.findings[0].category, "known");
  ASSERT_EQ(host->rules().size(), 1U);
  EXPECT_EQ(host->rules()[0].rule, "Ordinary files");
  // printf '900150983cd24fb0d6963f7d28e17f72  n\n' | sha256sum
  EXPECT_EQ(host->rules()[0].version, "016cd9275a83");
}

TEST_F(Hashes, SayNothingOfOtherFiles) {
  set("x.md5", std::string(kOtherMd5) + "  n\n");
  EXPECT_TRUE(load()->examine(abc()).findings.empty());
}

TEST_F(Hashes, SayNothingOfAnEmptyFile) {
  set("x.md5", std::string(kEmptyMd5) + "  n\n");
  TestItem empty;
  EXPECT_FALSE(load()->matches(empty));
  EXPECT_TRUE(load()->examine(empty).findings.empty());
}

TEST_F(Hashes, ReadHashdeepCsvAndClamav) {
  set("deep.txt",
      std::string("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n3,") + kMd5 + "," + kSha256 + ",/a,b\n");
  set("list.csv",
      std::string("\"SHA-1\",\"MD5\",\"FileName\"\r\n\"") + kSha1 + "\",\"" + kMd5 + "\",\"a, b\"\r\n");
  set("sigs.hdb", std::string(kMd5) + ":3:Test.Name\n");
  const Outcome outcome = load()->examine(abc());
  ASSERT_EQ(outcome.findings.size(), 3U);
  EXPECT_EQ(outcome.findings[0].rule, "deep");
  EXPECT_EQ(outcome.findings[1].rule, "list");
  EXPECT_EQ(outcome.findings[2].rule, "sigs");
}

TEST_F(Hashes, RefuseAListWithoutDigests) {
  set("x.txt", "these are not the digests\n");
  const auto host =
      PluginHost::open(std::string(TOUCHSTONE_BINARY_DIR) + "/plugins/hashes.tsp", settings_.dump());
  EXPECT_NE(host->create_status(), TS_OK);
  EXPECT_THAT(host->create_reason(), testing::HasSubstr("x.txt"));
}

TEST_F(Hashes, DoNothingWithoutSets) {
  EXPECT_TRUE(load()->examine(abc()).findings.empty());
}

}  // namespace
}  // namespace touchstone::test

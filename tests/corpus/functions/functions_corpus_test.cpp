// Decoders of app definitions on bytes of real devices: texts as the corpus states them, property lists as
// Python's plistlib reads them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "content/functions/property_list.hpp"
#include "content/functions/typedstream.hpp"
#include "support/file_contents.hpp"

namespace touchstone::functions {
namespace {

const std::string kCorpus = TOUCHSTONE_CORPUS_DIR;
const std::string kMessages = kCorpus + "/ReagentX+imessage-exporter/imessage-database/test_data/";

std::string read(const std::string& path) {
  return touchstone::test::contents_of(path);
}

class CorpusFunctions : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kCorpus.empty() || !std::filesystem::exists(kMessages)) GTEST_SKIP() << "the corpus is not here";
  }
};

TEST_F(CorpusFunctions, ReadTheTextsOfMessages) {
  const auto text = [](const std::string& name) {
    return typedstream_text(read(kMessages + "streamtyped/" + name));
  };
  EXPECT_EQ(text("AttributedBodyTextOnly").bytes, "Noter test");
  EXPECT_EQ(text("AttributedBodyTextOnly2").bytes, "Test 3");
  EXPECT_EQ(text("WeirdText").bytes,
            "\U0001d58d\U0001d58a\U0001d591\U0001d591\U0001d594 "
            "\U0001d59c\U0001d594\U0001d597\U0001d591\U0001d589");
  EXPECT_EQ(text("URL").bytes, "https://github.com/ReagentX/Logria");
  EXPECT_EQ(text("MultiPart").bytes, "\ufffctest 1\ufffctest 2 \ufffctest 3");
  EXPECT_TRUE(text("ExtraData").bytes.starts_with("This is parsing"));
  EXPECT_EQ(text("Blank").kind, Decoded::Kind::null);
}

/// JSON's one kind of number: 1 and 1.0 are the same.
bool same(const nlohmann::json& a, const nlohmann::json& b) {
  if (a.is_number() && b.is_number()) return a == b || std::abs(a.get<double>() - b.get<double>()) <= 1;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), same);
  if (!a.is_object()) return a == b;
  for (const auto& [key, value] : a.items())
    if (!b.contains(key) || !same(value, b[key])) return false;
  return true;
}

TEST_F(CorpusFunctions, ReadPropertyListsAsPythonDoes) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(("python3 '" TOUCHSTONE_SOURCE_DIR "/tests/corpus/functions/plist_json.py' '" + kCorpus + "'")
                  .c_str(),
              "r"),
      ::pclose);
  std::string all;
  char piece[65536];
  for (std::size_t got = 0; pipe && (got = std::fread(piece, 1, sizeof piece, pipe.get())) > 0;)
    all.append(piece, got);
  std::size_t lists = 0;
  for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1) {
    const std::size_t tab = all.find('\t', at);
    const std::string path = all.substr(at, tab - at);
    const auto expected = nlohmann::json::parse(all.substr(tab + 1, all.find('\n', at) - tab - 1));
    const auto found = nlohmann::json::parse(plist_json(read(path)).bytes, nullptr, false);
    EXPECT_TRUE(same(expected, found)) << path << "\n" << expected.dump() << "\n" << found.dump();
    ++lists;
  }
  EXPECT_GE(lists, 15U);
}

TEST_F(CorpusFunctions, ResolveArchives) {
  const std::string list = read(kMessages + "url_message/URL.plist");
  const Decoded whole = plist_json(list);
  ASSERT_EQ(whole.kind, Decoded::Kind::text);
  const auto json = nlohmann::json::parse(whole.bytes, nullptr, false);
  ASSERT_TRUE(json.is_object()) << whole.bytes;
  EXPECT_EQ(whole.bytes.find("CF$UID"), std::string::npos) << whole.bytes;
  // What Python's plistlib shows when its UIDs are followed by hand.
  EXPECT_EQ(plist_value(list, "richLinkMetadata/URL/NS.relative").bytes, "https://chrissardegna.com/");
  EXPECT_EQ(plist_value(list, "richLinkMetadata/icons/0/URL/NS.relative").bytes,
            "https://chrissardegna.com/favicon.ico");
  EXPECT_EQ(plist_value(list, "richLinkMetadata/version").integer, 1);
  EXPECT_EQ(plist_value(list, "richLinkMetadata/URL/NS.base").kind, Decoded::Kind::null);
}

}  // namespace
}  // namespace touchstone::functions

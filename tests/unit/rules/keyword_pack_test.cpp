#include "rules/keyword_pack.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace touchstone {
namespace {

const std::string kHead =
    "schema = \"touchstone.keywords/1\"\nid = \"image-abuse\"\nversion = \"1\"\ntitle = \"Words about "
    "sharing images\"\n";
const std::string kTerm =
    "[[term]]\nid = \"threat-to-share\"\nmatch = [\"post them online\", '''send (it|them) to your "
    "(mum|dad|boss)''']\n"
    "kind = \"regex\"\npoints = 60\nwhy = \"A threat to disclose intimate images is an offence.\"\n"
    "examples = [\"ill post them online\"]\nnot_examples = [\"post them to the office\"]\n";

TEST(KeywordPack, ReadsTheExampleOfTheManual) {
  const auto pack = parse_keyword_pack(kHead + kTerm, "k.toml");
  ASSERT_TRUE(pack) << pack.error().message;
  ASSERT_EQ(pack->terms.size(), 1U);
  EXPECT_EQ(pack->category, "image-abuse");
  EXPECT_EQ(pack->terms[0].points, 60);
  EXPECT_FALSE(pack->terms[0].whole_word) << "a regular expression says itself where it ends";
  EXPECT_TRUE(check_keyword_examples(*pack));
}

TEST(KeywordPack, ExamplesThatDoNotHoldAreErrors) {
  std::string text = kHead + kTerm;
  text.replace(text.find("ill post"), 8, "we share");
  auto pack = parse_keyword_pack(text, "k.toml");
  ASSERT_TRUE(pack);
  Status status = check_keyword_examples(*pack);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "k.toml:5:1: the term \"threat-to-share\" does not find its example \"we share them online\"");
  text = kHead + kTerm;
  text.replace(text.find("post them to the office"), 23, "send it to your boss no");
  pack = parse_keyword_pack(text, "k.toml");
  ASSERT_TRUE(pack);
  status = check_keyword_examples(*pack);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("finds its counter-example"), std::string::npos);
}

TEST(KeywordPack, WrongExpressionHasThePlaceOfItsMatch) {
  std::string text = kHead + kTerm;
  text.replace(text.find("send (it|"), 9, "send ((t|");
  const auto pack = parse_keyword_pack(text, "k.toml");
  ASSERT_TRUE(pack);
  const Status status = check_keyword_examples(*pack);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.rfind("k.toml:7:30: term \"threat-to-share\": ", 0), 0U)
      << status.error().message;
}

TEST(KeywordPack, RequiresWhatTheManualRequires) {
  for (const char* key : {"id = \"threat", "match = [", "why = "}) {
    std::string text = kHead + kTerm;
    const std::size_t at = text.find(key);
    text.erase(at, text.find('\n', at) - at + 1);
    EXPECT_FALSE(parse_keyword_pack(text, "k.toml")) << key;
  }
  EXPECT_FALSE(parse_keyword_pack(kHead + kTerm + kTerm, "k.toml")) << "a term twice";
  EXPECT_FALSE(parse_keyword_pack(kHead, "k.toml")) << "no term";
  std::string text = kHead + kTerm;
  text.replace(text.find("points = 60"), 11, "points = 1001");
  EXPECT_FALSE(parse_keyword_pack(text, "k.toml"));
}

TEST(KeywordPack, PlainTextIsOneTermALine) {
  const auto pack =
      parse_keyword_text("\xef\xbb\xbf# a list\r\n\r\n  first word \r\nsecond\nsecond\n", "list.txt");
  ASSERT_TRUE(pack) << pack.error().message;
  ASSERT_EQ(pack->terms.size(), 2U);
  EXPECT_EQ(pack->terms[0].id, "first word");
  EXPECT_EQ(pack->terms[0].place.line, 3U);
  EXPECT_EQ(pack->info.id, "list");
  EXPECT_FALSE(parse_keyword_text("# nothing\n", "list.txt"));
  EXPECT_FALSE(parse_keyword_text(std::string_view("a\0b\0", 4), "list.txt")) << "UTF-16 taken for text";
}

TEST(KeywordPack, LoadRunsTheExamples) {
  const auto path = std::filesystem::path(TOUCHSTONE_BINARY_DIR) / "keyword_pack_test.toml";
  std::ofstream(path) << kHead + kTerm;
  EXPECT_TRUE(load_keyword_pack(path.string()));
  std::ofstream(path, std::ios::app)
      << "[[term]]\nid = \"b\"\nmatch = \"b\"\nwhy = \"w\"\nexamples = [\"c\"]\n";
  EXPECT_FALSE(load_keyword_pack(path.string()));
  EXPECT_FALSE(load_keyword_pack(path.string() + ".missing"));
}

}  // namespace
}  // namespace touchstone

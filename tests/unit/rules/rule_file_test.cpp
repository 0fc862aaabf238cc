#include "rules/rule_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "rules/order_rules.hpp"

namespace touchstone {
namespace {

TEST(RuleFile, DigestIsThatOfSha256sum) {
  // printf abc | sha256sum (FIPS 180-4, appendix B.1)
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(RuleFile, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(nearest_word("poins", {"points", "paths", "why"}), "points");
  EXPECT_EQ(nearest_word("colour", {"points", "paths", "why"}), "");
}

TEST(RuleFile, ErrorsNameFileLineAndColumn) {
  const auto rules = parse_order_rules(
      "schema = \"touchstone.order/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\n"
      "[[rule]]\nid = \"a\"\npoins = 5\npoints = \"many\"\n",
      "o.toml");
  ASSERT_FALSE(rules);
  const std::string message = rules.error().message;
  EXPECT_EQ(rules.error().code, ErrorCode::invalid);
  EXPECT_NE(message.find("o.toml:7:1: unknown key \"poins\" in [[rule]]; did you mean \"points\"?"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("o.toml:8:10: \"points\" must be an integer"), std::string::npos) << message;
  EXPECT_NE(message.find("o.toml:5:1: [[rule]] has no key \"why\""), std::string::npos) << message;
}

TEST(RuleFile, SyntaxErrorsAndDoubleKeysHaveAPlace) {
  const auto twice = parse_order_rules("schema = \"touchstone.order/1\"\nid = \"x\"\nid = \"y\"\n", "o.toml");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message.rfind("o.toml:3:", 0), 0U) << twice.error().message;
  const auto broken = parse_order_rules("schema = \n", "o.toml");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message.rfind("o.toml:1:", 0), 0U) << broken.error().message;
}

// TOML 1.0: bare keys and what surrounds values are ASCII.
TEST(RuleFile, CharactersOutsideAsciiStandInStringsAndCommentsAlone) {
  const std::string begin =
      "schema = \"touchstone.order/1\"\nid = 'x' # \xc3\xa9\nversion = \"1\"\ntitle = \"\\\"\xc3\xa9\"\n";
  const auto message = [&](const std::string& more) {
    const auto rules = parse_order_rules(begin + more, "o.toml");
    return rules ? std::string() : rules.error().message;
  };
  for (const char* stray : {"\xcf\xbf = 1\n", "a = -'\xc9\xab\n", "a = 1 \xc3\xa9\n", "a=8J['\xe2\xb6\xa3\n",
                            "a = 8.'\xe2\xb6\xa3'\n", "a = [1, 8{'\xe2\xb6\xa3\n"})
    EXPECT_NE(message(stray).find("o.toml:5:"), std::string::npos) << message(stray);
  EXPECT_EQ(message("a = \xc3\xa9").rfind("o.toml:5:5: a character outside ASCII", 0), 0U);
  for (const char* fine :
       {"", "# \xc3\xa9", "\"\xc3\xa9\" = 1", "a = \"\"\"\xc3\xa9\" \xc3\xa9\"\"\"\"",
        "a = ['\xc3\xa9', '\xc3\xa9']", "a = [\n  1, # \xc3\xa9\n '\xc3\xa9']\nb.'\xc3\xa9' = 1",
        "[a.'\xc3\xa9']\nb = '\xc3\xa9'",
        "a = {b = '\xc3\xa9', c.'\xc3\xa9' = ['\xc3\xa9', {'\xc3\xa9' = 2}]}"})
    EXPECT_EQ(message(fine).find("outside ASCII"), std::string::npos) << message(fine);
}

TEST(RuleFile, AnotherSchemaIsRefused) {
  const auto rules = parse_order_rules("schema = \"touchstone.order/2\"\n", "o.toml");
  ASSERT_FALSE(rules);
  EXPECT_NE(rules.error().message.find("\"touchstone.order/1\" is wanted"), std::string::npos);
}

TEST(RuleFile, FindsFilesSortedAndLeavesHiddenOnesOut) {
  const auto root = std::filesystem::path(TOUCHSTONE_BINARY_DIR) / "rule_file_test";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "order/lab");
  for (const char* name :
       {"order/b.toml", "order/a.toml", "order/lab/c.toml", "order/.hidden.toml", "order/readme.txt"}) {
    std::ofstream(root / name) << "x";
  }
  const auto found = find_rule_files(root.string(), RuleKind::order);
  ASSERT_TRUE(found);
  const std::vector<std::string> expected = {(root / "order/a.toml").string(),
                                             (root / "order/b.toml").string(),
                                             (root / "order/lab/c.toml").string()};
  EXPECT_EQ(*found, expected);
  EXPECT_TRUE(find_rule_files(root.string(), RuleKind::apps)->empty());
}

TEST(RuleFile, TooLargeIsALimit) {
  const auto path = std::filesystem::path(TOUCHSTONE_BINARY_DIR) / "rule_file_large.toml";
  std::ofstream(path) << std::string(1000, '#');
  EXPECT_TRUE(read_rule_file(path.string(), 1000));
  const auto refused = read_rule_file(path.string(), 999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace touchstone

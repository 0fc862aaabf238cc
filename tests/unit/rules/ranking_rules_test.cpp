#include "rules/ranking_rules.hpp"

#include <gtest/gtest.h>

namespace touchstone {
namespace {

const std::string kHead = "schema = \"touchstone.ranking/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\n";
const std::string kRule =
    "[[rule]]\nid = \"a\"\nwhy = \"w\"\ntext = \"In a list: {title}\"\npoints = 5\n[rule.when]\nplugin = "
    "\"hashes\"\n";

TEST(RankingRules, ReadsBandsAndRules) {
  const auto rules =
      parse_ranking_rules(kHead + "[bands]\ncritical = 900\nhigh = 600\nmedium = 300\n" + kRule, "r.toml");
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_STREQ(rules->bands.band(900), "critical");
  EXPECT_STREQ(rules->bands.band(899), "high");
  EXPECT_STREQ(rules->bands.band(299), "low");
  EXPECT_EQ(rules->rules.at(0).cap, 1000);
  EXPECT_TRUE(rules->rules[0].when.is_finding_rule());
}

TEST(RankingRules, RefusesWhatCannotBeMeant) {
  const auto error = [](const std::string& text) {
    const auto rules = parse_ranking_rules(text, "r.toml");
    return rules ? std::string("accepted") : rules.error().message;
  };
  EXPECT_NE(error(kHead + "[bands]\ncritical = 300\nhigh = 600\nmedium = 300\n" + kRule).find("must fall"),
            std::string::npos);
  EXPECT_NE(error(kHead + kRule + kRule).find("twice"), std::string::npos);
  std::string text = kHead + kRule;
  text.replace(text.find("{title}"), 7, "{titel}");
  EXPECT_NE(error(text).find("did you mean {title}?"), std::string::npos);
  text = kHead + kRule;
  text.replace(text.find("id = \"a\""), 8, "id = \"cap\"");
  EXPECT_NE(error(text).find("keeps a score at 1000"), std::string::npos);
  EXPECT_NE(
      error(kHead + "[[rule]]\nid = \"a\"\nwhy = \"w\"\ntext = \"t\"\npoints = 5\n").find("[rule.when]"),
      std::string::npos);
  EXPECT_NE(error(kHead + "[[rule]]\nid = \"a\"\nwhy = \"w\"\ntext = \"t\"\nlane = \"away\"\npoints = "
                          "5\n[rule.when]\nin_window = true\n")
                .find("names the issue"),
            std::string::npos);
  EXPECT_NE(error(kHead + "[[rule]]\nid = \"a\"\nwhy = \"w\"\ntext = \"t\"\npoints_from = "
                          "\"finding\"\n[rule.when]\nin_window = true\n")
                .find("condition on findings"),
            std::string::npos);
}

}  // namespace
}  // namespace touchstone

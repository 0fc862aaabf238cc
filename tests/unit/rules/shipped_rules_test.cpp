// What is shipped must be sound, and must stay fair to those who report.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "rules/app_definition.hpp"
#include "rules/check.hpp"
#include "rules/keyword_matcher.hpp"
#include "rules/keyword_pack.hpp"
#include "rules/ranking_rules.hpp"
#include "rules/scope.hpp"

namespace touchstone {
namespace {

const std::string kRoot = std::string(TOUCHSTONE_SOURCE_DIR) + "/rules";

std::vector<KeywordPack> packs() {
  auto loaded = load_keyword_packs(kRoot);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded ? loaded.take() : std::vector<KeywordPack>{};
}

TEST(ShippedRules, AreSound) {
  const auto checks = check_rules(kRoot);
  ASSERT_GE(checks.size(), 10U);
  std::set<RuleKind> kinds;
  for (const RuleCheck& check : checks) {
    for (const std::string& error : check.errors) ADD_FAILURE() << error;
    EXPECT_GT(check.entries, 0U) << check.info.path;
    EXPECT_EQ(check.info.sha256.size(), 64U);
    kinds.insert(check.info.kind);
  }
  EXPECT_EQ(kinds.size(), 5U);
}

TEST(ShippedRules, EveryTermHasExamplesAndCounterExamples) {
  for (const KeywordPack& pack : packs()) {
    for (const KeywordTerm& term : pack.terms) {
      EXPECT_FALSE(term.examples.empty()) << pack.info.path << " " << term.id;
      EXPECT_FALSE(term.not_examples.empty()) << pack.info.path << " " << term.id;
      EXPECT_GT(term.points, 0) << pack.info.path << " " << term.id;
    }
  }
}

TEST(ShippedRules, EveryTermIsSearchedInRawBytesToo) {
  const auto all = packs();
  KeywordMatcher::Options options;
  options.raw = true;
  options.encodings = {Encoding::utf8, Encoding::utf16le, Encoding::utf16be};
  const auto matcher = KeywordMatcher::compile(all, options);
  ASSERT_TRUE(matcher) << matcher.error().message;
  for (const NotSearched& left_out : matcher->not_searched()) {
    ADD_FAILURE() << all[left_out.pack].info.id << "/" << all[left_out.pack].terms[left_out.term].id << ": "
                  << left_out.reason;
  }
}

TEST(ShippedRules, CounterExamplesAreFoundByNoTermOfAnyPack) {
  const auto all = packs();
  const auto matcher = KeywordMatcher::compile(all, {});
  ASSERT_TRUE(matcher);
  for (const KeywordPack& pack : all) {
    for (const KeywordTerm& term : pack.terms) {
      for (const std::string& text : term.not_examples) {
        EXPECT_TRUE(matcher->scan(text, [&](const KeywordHit& hit) {
          ADD_FAILURE() << "\"" << text << "\" is found by " << all[hit.pack].info.id << "/"
                        << all[hit.pack].terms[hit.term].id;
          return true;
        }));
      }
    }
  }
}

// Themes that no shipped rule may score: a complainant's sexual or medical history, dress, drink, tone, delay
// or later contact. Each is a regular expression over titles, ids, reasons' texts and matches.
const std::vector<std::pair<const char*, const char*>>& forbidden() {
  static const std::vector<std::pair<const char*, const char*>> list = {
      {"sexual history",
       "promiscu|slept (around|with)|\\bslag|\\bslut|virgin|body count|one night stand|ex.?boyfriend|sexual "
       "history|kink|hook.?up"},
      {"medical history",
       "abortion|pregnan|contracept|\\bpill\\b(?! "
       "in)|mental|depress|anxi|counsel|therap|medication|self.?harm|suicid|\\bsti\\b|clinic|hospital"},
      {"dress", "\\bdress|skirt|underwear|lingerie|cleavage|outfit|make.?up\\b|revealing"},
      {"drink and drugs by choice",
       "drunk|hung.?over|hangover|tipsy|wasted|black(ed)? out|\\bhigh\\b(?! on)|stoned"},
      {"tone", "flirt|\\bwink|kiss|\\bxx+\\b|smil|lol\\b|haha|laugh|friendly"},
      {"delay", "delay|why (now|didn|wait)|months later|years later|reported late|never reported|waited to"},
      {"later contact",
       "still (talk|see|friend|love)|miss(ed)? you|see you again|good night|happy birthday|later "
       "contact|stayed in touch"},
      {"credibility",
       "\\bliar|lied|lying|made (it|this) up|attention.?seek|false (allegation|complaint)|regret(ted)? it "
       "after|credib"},
  };
  return list;
}

// Terms that name what a suspect does to another person, with the reason why a forbidden word stands in them.
const std::set<std::string>& exceptions() {
  static const std::set<std::string> list = {
      "drugging/spike",           // "put a pill in her drink"
      "drugging/make-incapable",  // "get her drunk": an act of the writer on somebody else
  };
  return list;
}

TEST(ShippedRules, NoTermScoresAComplainantsHistoryDressDrinkToneDelayOrLaterContact) {
  std::set<std::string> used;
  for (const KeywordPack& pack : packs()) {
    for (const auto& each : forbidden()) {
      const std::string theme(each.first);
      const std::regex regex(each.second, std::regex::icase);
      const auto check = [&](const std::string& text, const std::string& where) {
        if (!std::regex_search(text, regex)) return;
        if (exceptions().count(where)) {
          used.insert(where);
        } else {
          ADD_FAILURE() << where << " touches the theme \"" << theme << "\": " << text;
        }
      };
      check(pack.info.title, pack.info.id);
      check(pack.info.id, pack.info.id);
      for (const KeywordTerm& term : pack.terms) {
        check(term.id, pack.info.id + "/" + term.id);
        for (const std::string& match : term.match) check(match, pack.info.id + "/" + term.id);
      }
    }
  }
  EXPECT_EQ(used, exceptions()) << "an exception that is no longer needed must go";
}

TEST(ShippedRules, TheThemeListDoesCatchThem) {
  const auto caught = [](const std::string& text) {
    return std::any_of(forbidden().begin(), forbidden().end(), [&](const auto& theme) {
      return std::regex_search(text, std::regex(theme.second, std::regex::icase));
    });
  };
  for (const char* text : {"what was she wearing that dress", "she was drunk", "slept around",
                           "why didn't she report", "months later", "she still talks to him", "on medication",
                           "she made it up", "flirting", "miss you xx"}) {
    EXPECT_TRUE(caught(text)) << text;
  }
}

TEST(ShippedRules, RankingTextsClaimNoMoreThanTheDataShows) {
  const auto rules = load_ranking_rules(kRoot);
  ASSERT_TRUE(rules) << rules.error().message;
  const std::regex claims(
      "\\b(proves?|guilty|innocent|admitted|confess|threatened|the suspect|victim|offender|every|always|must "
      "have|clearly|lied)\\b",
      std::regex::icase);
  for (const RankingRule& rule : rules->rules) {
    EXPECT_FALSE(std::regex_search(rule.text, claims)) << rule.id << ": " << rule.text;
    for (const auto& [theme, expression] : forbidden()) {
      EXPECT_FALSE(std::regex_search(rule.id + " " + rule.text, std::regex(expression, std::regex::icase)))
          << rule.id << ": " << theme;
    }
  }
  const std::regex title_claims("\\b(the suspect|he|she|threat of|proof|evidence of)\\b", std::regex::icase);
  for (const KeywordPack& pack : packs()) {
    EXPECT_EQ(pack.info.title.rfind("Words about", 0), 0U) << pack.info.title;
    EXPECT_FALSE(std::regex_search(pack.info.title, title_claims)) << pack.info.title;
  }
}

TEST(ShippedRules, WordRulesNeverScoreAComplainantsWords) {
  const auto rules = load_ranking_rules(kRoot);
  ASSERT_TRUE(rules);
  int seen = 0;
  for (const RankingRule& rule : rules->rules) {
    const auto& plugins = rule.when.plugins;
    if (std::find(plugins.begin(), plugins.end(), "keywords") == plugins.end()) continue;
    ++seen;
    EXPECT_EQ(rule.when.author, (std::vector<PersonRole>{PersonRole::suspect, PersonRole::other})) << rule.id;
  }
  EXPECT_GE(seen, 3);
}

TEST(ShippedRules, ContactBetweenThePartiesMakesNoLead) {
  const auto rules = load_ranking_rules(kRoot);
  ASSERT_TRUE(rules);
  for (const RankingRule& rule : rules->rules) {
    if (rule.when.between.empty() || rule.supporting) continue;
    EXPECT_TRUE(rule.when.deleted.value_or(false)) << rule.id << " scores contact by itself";
  }
}

TEST(ShippedRules, EveryCategoryOfAPackIsRanked) {
  const auto rules = load_ranking_rules(kRoot);
  ASSERT_TRUE(rules);
  for (const KeywordPack& pack : packs()) {
    const bool ranked = std::any_of(rules->rules.begin(), rules->rules.end(), [&](const RankingRule& rule) {
      const auto& categories = rule.when.categories;
      return std::find(categories.begin(), categories.end(), pack.category) != categories.end();
    });
    EXPECT_TRUE(ranked) << pack.category;
  }
}

TEST(ShippedRules, ScopeRefusesAComplainantWithoutOne) {
  const auto defaults = load_scope_defaults(kRoot);
  ASSERT_TRUE(defaults) << defaults.error().message;
  EXPECT_FALSE(ScopeRules::make(nullptr, nullptr, Role::complainant, *defaults));
  for (const Role role : {Role::suspect, Role::unknown, Role::witness}) {
    EXPECT_TRUE(ScopeRules::make(nullptr, nullptr, role, *defaults)) << to_text(role);
  }
}

}  // namespace
}  // namespace touchstone

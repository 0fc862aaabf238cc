// rules/ranking/*.toml (touchstone.ranking/1): what findings and context are worth, in which lane, and the
// sentence that says so. lib/ranking applies them. Plain values; no thread rules.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.hpp"
#include "rules/case_file.hpp"
#include "rules/rule_file.hpp"

namespace touchstone {

enum class Lane { towards, away };
const char* to_text(Lane lane);

/// All that is given must hold.
struct RankingCondition {
  // Of a finding: wildcards ("keyword*"). A rule with any of these is a finding rule, else a context rule.
  std::vector<std::string> plugins, categories, rules;
  std::optional<int> min_confidence;
  // Of the subject.
  std::vector<std::string>
      kinds;  ///< content message call location visit event note contact account conversation; empty: any
  std::vector<PersonRole> author;   ///< role of who wrote it; "unknown" is PersonRole::other
  std::vector<PersonRole> between;  ///< each of these roles takes part in the message or call
  std::vector<Role> exhibit_roles;
  std::optional<bool> deleted;  ///< the record is deleted, or no place of the content is allocated
  std::optional<bool>
      holds_records;              ///< content from which messages were extracted (their words score there)
  std::optional<bool> in_window;  ///< within an offence window of the case
  std::optional<int> near_window_hours;  ///< at most this far before or after one, and not in it
  std::optional<bool> near_place;  ///< true: within the radius of a place; false: has coordinates, near none
  std::optional<IssueKind> issue;  ///< the case file has an issue of this kind
  std::optional<int> min_categories;  ///< at least so many different categories of finding on the subject
  bool is_finding_rule() const {
    return !plugins.empty() || !categories.empty() || !rules.empty() || min_confidence.has_value();
  }
};

struct RankingRule {
  std::string id, why;
  Lane lane = Lane::towards;
  RankingCondition when;
  enum class PointsFrom { fixed, finding, confidence } points_from = PointsFrom::fixed;
  int points = 0;  ///< fixed: the points; confidence: those at 1000; finding: those where detail has none
  int cap = 1000;  ///< most that the rule gives to one subject, over all findings
  bool supporting = false;  ///< adds to a lead that another rule made, never makes one
  std::string text;         ///< with {placeholders}; see kRankingPlaceholders
  SourcePlace place;
};

/// What may stand in a rule's text.
inline constexpr std::array<std::string_view, 14> kRankingPlaceholders = {
    "title", "rule",   "category", "plugin",   "confidence", "match",   "kind",
    "time",  "window", "place",    "distance", "author",     "parties", "count"};

struct RankingBands {
  int critical = 800, high = 500, medium = 250;  ///< least score of each; below: low
  const char* band(int score) const;
};

struct RankingRules {
  std::vector<RuleFileInfo> files;
  RankingBands bands;
  bool has_bands = false;                ///< whether a file set them
  std::vector<RankingRule> rules;        ///< in the order of their files, then of the text
  std::vector<std::string> never_score;  ///< categories (wildcards) whose findings never score and whose
                                         ///< contents are left out of all rules: "known"
};

Result<RankingRules> parse_ranking_rules(std::string_view text, const std::string& name);
/// All files of `root`/ranking; none is an error.
Result<RankingRules> load_ranking_rules(const std::string& root);

}  // namespace touchstone

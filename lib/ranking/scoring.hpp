// The rules applied to one subject. Pure but for the cache of people in CaseContext.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ranking/case_context.hpp"
#include "rules/ranking_rules.hpp"

namespace touchstone::ranking {

struct RankFinding {
  std::string key, plugin, rule, category, title, match;
  int confidence = 0;
  std::optional<int> points;  ///< detail.points
};

/// What rules may ask of a subject.
struct Facts {
  std::string kind;  ///< content message call location visit event note contact account item
  std::optional<TimeUs> time;
  bool time_assumed = false;
  bool deleted = false;
  std::optional<bool> holds_records;  ///< of contents only
  std::vector<Role> exhibit_roles;
  std::optional<PersonRole> author;  ///< who wrote or made it; absent where nobody is said to
  std::string author_text, parties_text;
  std::vector<PersonRole> parties;  ///< roles of all who take part, device owner included
  std::optional<double> latitude, longitude;
  double accuracy_m = 0;
  std::uint64_t count = 1;  ///< places of a content
};

struct Reason {
  std::size_t rule = 0;  ///< index into RankingRules::rules
  int points = 0;
  std::string text, finding;  ///< finding: its key or empty
  std::string finding_rule;   ///< for counting a term once in a conversation
};

/// Reasons of one subject in one lane: those that make a lead, then supporting ones, each in the order of
/// rules, then points, then finding; empty if no rule but supporting ones holds. Each rule is cut at its cap;
/// the whole is not cut yet.
using LaneReasons = std::array<std::vector<Reason>, 2>;
LaneReasons score(const RankingRules& rules, CaseContext& context, const Facts& facts,
                  const std::vector<const RankFinding*>& findings);

/// Cuts reasons of one rule to its cap: largest points first, ties by finding; what is left with nothing
/// goes.
void cut_to_cap(std::vector<Reason>& reasons, int cap);

}  // namespace touchstone::ranking

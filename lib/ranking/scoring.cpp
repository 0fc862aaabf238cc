#include "ranking/scoring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "rules/glob.hpp"

namespace touchstone::ranking {
namespace {

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool any_wildcard(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const auto& p) { return wildcard_matches(p, text); });
}

/// One subject with what was looked up for it.
struct Subject {
  const Facts& facts;
  WindowRelation window;
  PlaceRelation place;
  std::size_t categories = 0;
};

bool time_holds(const RankingCondition& when, const Subject& subject) {
  const bool known = subject.window.window != nullptr;
  if (when.in_window && (!known || *when.in_window != (subject.window.distance == 0))) return false;
  if (!when.near_window_hours) return true;
  const TimeUs most = TimeUs{3'600'000'000} * *when.near_window_hours;
  return known && subject.window.distance > 0 && subject.window.distance <= most;
}

bool author_holds(const RankingRule& rule, const Subject& subject, const CaseFile* case_file) {
  if (rule.when.author.empty()) return true;
  const auto author = subject.facts.author;
  if (!author) return false;
  if (contains(rule.when.author, *author)) return true;
  const bool asked = case_file && case_file->score_complainant_words;
  return asked && *author == PersonRole::complainant && rule.points_from == RankingRule::PointsFrom::finding;
}

bool subject_holds(const RankingRule& rule, const Subject& subject, const CaseFile* case_file) {
  const RankingCondition& when = rule.when;
  const Facts& facts = subject.facts;
  if (!when.kinds.empty() && !contains(when.kinds, facts.kind)) return false;
  if (when.deleted && *when.deleted != facts.deleted) return false;
  if (when.holds_records && (!facts.holds_records || *when.holds_records != *facts.holds_records))
    return false;
  if (when.issue && !(case_file && case_file->has_issue(*when.issue))) return false;
  if (when.min_categories && subject.categories < static_cast<std::size_t>(*when.min_categories))
    return false;
  if (when.near_place && (!subject.place.place || *when.near_place != subject.place.inside)) return false;
  if (!time_holds(when, subject) || !author_holds(rule, subject, case_file)) return false;
  if (!when.exhibit_roles.empty() &&
      std::none_of(facts.exhibit_roles.begin(), facts.exhibit_roles.end(),
                   [&](Role role) { return contains(when.exhibit_roles, role); })) {
    return false;
  }
  return std::all_of(when.between.begin(), when.between.end(),
                     [&](PersonRole r) { return contains(facts.parties, r); });
}

bool finding_holds(const RankingCondition& when, const RankFinding& finding) {
  return any_wildcard(when.plugins, finding.plugin) && any_wildcard(when.categories, finding.category) &&
         any_wildcard(when.rules, finding.rule) && finding.confidence >= when.min_confidence.value_or(0);
}

int points_of(const RankingRule& rule, const RankFinding& finding) {
  switch (rule.points_from) {
    case RankingRule::PointsFrom::fixed:
      return rule.points;
    case RankingRule::PointsFrom::finding:
      return std::clamp(finding.points.value_or(rule.points), 0, 1000);
    case RankingRule::PointsFrom::confidence:
      return rule.points * std::clamp(finding.confidence, 0, 1000) / 1000;
  }
  return 0;
}

std::string distance_text(double metres) {
  return metres < 1000 ? fmt::format("{} m", std::lround(metres)) : fmt::format("{:.1f} km", metres / 1000);
}

std::string placeholder(std::string_view name, const Subject& subject, const RankFinding* finding,
                        const CaseContext& context) {
  const Facts& facts = subject.facts;
  if (name == "kind") return facts.kind;
  if (name == "time")
    return facts.time ? context.time_text(*facts.time, facts.time_assumed) : "an unknown time";
  if (name == "window") return subject.window.window ? subject.window.window->title : "";
  if (name == "place") return subject.place.place ? subject.place.place->title : "";
  if (name == "distance") return subject.place.place ? distance_text(subject.place.distance_m) : "";
  if (name == "author") return facts.author_text;
  if (name == "parties") return facts.parties_text;
  if (name == "count") return std::to_string(facts.count);
  if (!finding) return "";
  if (name == "title") return finding->title;
  if (name == "rule") return finding->rule;
  if (name == "category") return finding->category;
  if (name == "plugin") return finding->plugin;
  if (name == "confidence") return fmt::format("{} of 1000", finding->confidence);
  if (name == "match") return finding->match.empty() ? finding->title : finding->match;
  return "";
}

std::string fill(const RankingRule& rule, const Subject& subject, const RankFinding* finding,
                 const CaseContext& context) {
  std::string out;
  const std::string_view text = rule.text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('{', at), text.size());
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    const std::size_t close = std::min(text.find('}', open), text.size() - 1);
    out += placeholder(text.substr(open + 1, close - open - 1), subject, finding, context);
    at = close + 1;
  }
  return out;
}

/// All findings that a rule holds for; the same finding rule (a term, a hash list) counts once, with its best
/// finding.
std::vector<Reason> finding_reasons(const RankingRules& rules, std::size_t index, const Subject& subject,
                                    const std::vector<const RankFinding*>& findings,
                                    const CaseContext& context) {
  const RankingRule& rule = rules.rules[index];
  std::map<std::pair<std::string_view, std::string_view>, const RankFinding*> best;
  for (const RankFinding* finding : findings) {
    if (!finding_holds(rule.when, *finding)) continue;
    const RankFinding*& held = best[{finding->plugin, finding->rule}];
    const auto rank = [&](const RankFinding* f) {
      return std::tuple(-points_of(rule, *f), -f->confidence, std::string_view(f->key));
    };
    if (!held || rank(finding) < rank(held)) held = finding;
  }
  std::vector<Reason> out;
  out.reserve(best.size());
  for (const auto& [name, finding] : best) {
    out.push_back({index, points_of(rule, *finding), fill(rule, subject, finding, context), finding->key,
                   finding->rule});
  }
  cut_to_cap(out, rule.cap);
  return out;
}

/// Of findings that can make a lead: what a database's schema is, and which rows it lacks, are no signs.
std::size_t count_categories(const RankingRules& rules, const std::vector<const RankFinding*>& findings) {
  std::set<std::string_view> names;
  for (const RankFinding* finding : findings) {
    const bool is_sign = std::any_of(rules.rules.begin(), rules.rules.end(), [&](const RankingRule& rule) {
      return !rule.supporting && rule.when.is_finding_rule() && finding_holds(rule.when, *finding);
    });
    if (is_sign) names.insert(finding->category);
  }
  return names.size();
}

}  // namespace

void cut_to_cap(std::vector<Reason>& reasons, int cap) {
  std::sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
    return std::tuple(-a.points, std::string_view(a.finding), std::string_view(a.text)) <
           std::tuple(-b.points, std::string_view(b.finding), std::string_view(b.text));
  });
  int left = cap;
  for (Reason& reason : reasons) {
    reason.points = std::min(reason.points, left);
    left -= reason.points;
  }
  std::erase_if(reasons, [](const Reason& reason) { return reason.points == 0; });
}

LaneReasons score(const RankingRules& rules, CaseContext& context, const Facts& facts,
                  const std::vector<const RankFinding*>& findings) {
  Subject subject{facts, {}, {}, count_categories(rules, findings)};
  if (facts.time) subject.window = context.window(*facts.time, facts.time_assumed);
  if (facts.latitude && facts.longitude)
    subject.place = context.place(*facts.latitude, *facts.longitude, facts.accuracy_m);
  LaneReasons out;
  std::array<bool, 2> made{};
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    const RankingRule& rule = rules.rules[i];
    const bool by_finding = rule.when.is_finding_rule();
    if ((by_finding && findings.empty()) || !subject_holds(rule, subject, context.file())) continue;
    std::vector<Reason> reasons;
    if (by_finding) {
      reasons = finding_reasons(rules, i, subject, findings, context);
    } else {
      reasons = {{i, rule.points, fill(rule, subject, nullptr, context), {}, {}}};
      cut_to_cap(reasons, rule.cap);
    }
    const auto lane = static_cast<std::size_t>(rule.lane);
    made[lane] = made[lane] || (!rule.supporting && !reasons.empty());
    out[lane].insert(out[lane].end(), reasons.begin(), reasons.end());
  }
  for (std::size_t lane = 0; lane < 2; ++lane) {
    if (!made[lane]) out[lane].clear();
    std::stable_partition(out[lane].begin(), out[lane].end(),
                          [&](const Reason& r) { return !rules.rules[r.rule].supporting; });
  }
  return out;
}

}  // namespace touchstone::ranking

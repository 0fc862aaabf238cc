#include "rules/ranking_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

const std::vector<std::string_view> kLanes = {"towards", "away"};
const std::vector<std::string_view> kPersonRoles = {"suspect", "complainant", "witness", "professional",
                                                    "other"};
const std::vector<std::string_view> kAuthors = {"suspect", "complainant", "witness", "professional",
                                                "unknown"};
const std::vector<std::string_view> kExhibitRoles = {"suspect", "complainant", "witness", "unknown"};
const std::vector<std::string_view> kIssueKinds = {"identity", "presence", "act",
                                                   "timing",   "account",  "other"};
const std::vector<std::string_view> kSubjects = {"content", "message", "call",         "location", "visit",
                                                 "contact", "account", "conversation", "event",    "note"};

void read_condition(TableReader& table, RankingCondition& when) {
  when.plugins = table.texts("plugin", kOptional, 100, 64);
  when.categories = table.texts("category", kOptional, 100, 64);
  when.rules = table.texts("rule", kOptional, 1000, 200);
  if (const auto c = table.integer("min_confidence", kOptional, 0, 1000))
    when.min_confidence = static_cast<int>(*c);
  for (const std::size_t i : table.choices("kind", kSubjects)) when.kinds.emplace_back(kSubjects[i]);
  for (const std::size_t i : table.choices("author", kAuthors))
    when.author.push_back(static_cast<PersonRole>(i));
  for (const std::size_t i : table.choices("between", kPersonRoles))
    when.between.push_back(static_cast<PersonRole>(i));
  for (const std::size_t i : table.choices("exhibit", kExhibitRoles))
    when.exhibit_roles.push_back(static_cast<Role>(i));
  when.deleted = table.boolean("deleted");
  when.holds_records = table.boolean("holds_records");
  when.in_window = table.boolean("in_window");
  if (const auto h = table.integer("near_window_hours", kOptional, 1, 24 * 366))
    when.near_window_hours = static_cast<int>(*h);
  when.near_place = table.boolean("near_place");
  if (const auto i = table.choice("issue", kOptional, kIssueKinds)) when.issue = static_cast<IssueKind>(*i);
  if (const auto n = table.integer("min_categories", kOptional, 2, 100))
    when.min_categories = static_cast<int>(*n);
}

void check_text(TableReader& table, const RankingRule& rule) {
  const std::string& text = rule.text;
  for (std::size_t at = text.find_first_of("{}"); at != std::string::npos;
       at = text.find_first_of("{}", at + 1)) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      table.error_at("text", "\"{\" and \"}\" must enclose the name of a placeholder");
      return;
    }
    const std::string_view name = std::string_view(text).substr(at + 1, end - at - 1);
    const auto known = std::find(kRankingPlaceholders.begin(), kRankingPlaceholders.end(), name);
    if (known == kRankingPlaceholders.end()) {
      const std::string near = nearest_word(name, {kRankingPlaceholders.begin(), kRankingPlaceholders.end()});
      table.error_at("text", fmt::format("unknown placeholder {{{}}}{}", name,
                                         near.empty() ? "" : fmt::format("; did you mean {{{}}}?", near)));
    }
    at = end;
  }
}

void read_rule(TableReader& table, RankingRule& rule) {
  rule.place = table.place();
  rule.id = table.identifier("id", kRequired);
  rule.why = table.text("why", kRequired);
  if (const auto lane = table.choice("lane", kOptional, kLanes)) rule.lane = static_cast<Lane>(*lane);
  if (const auto from = table.choice("points_from", kOptional, {"fixed", "finding", "confidence"})) {
    rule.points_from = static_cast<RankingRule::PointsFrom>(*from);
  }
  const bool needs_points = rule.points_from != RankingRule::PointsFrom::finding;
  rule.points = static_cast<int>(table.integer("points", needs_points, 0, 1000).value_or(0));
  rule.cap = static_cast<int>(table.integer("cap", kOptional, 1, 1000).value_or(1000));
  rule.supporting = table.boolean("supporting").value_or(false);
  rule.text = table.text("text", kRequired, 400);
  check_text(table, rule);
  bool has_condition = false;
  table.table("when", [&](TableReader& when) {
    read_condition(when, rule.when);
    has_condition = true;
  });
  if (!has_condition) table.error("a rule needs a [rule.when]");
  if (rule.points_from != RankingRule::PointsFrom::fixed && !rule.when.is_finding_rule()) {
    table.error_at("points_from",
                   "points from a finding need a condition on findings: plugin, category or rule");
  }
  if (rule.lane == Lane::away && !rule.when.issue && !rule.supporting && !rule.when.is_finding_rule()) {
    table.error("a rule of the lane \"away\" names the issue that it bears on: when.issue");
  }
}

void read_bands(TableReader& table, RankingBands& bands) {
  bands.critical = static_cast<int>(table.integer("critical", kRequired, 1, 1000).value_or(bands.critical));
  bands.high = static_cast<int>(table.integer("high", kRequired, 1, 1000).value_or(bands.high));
  bands.medium = static_cast<int>(table.integer("medium", kRequired, 1, 1000).value_or(bands.medium));
  if (bands.critical <= bands.high || bands.high <= bands.medium) {
    table.error("the bands must fall from critical over high to medium");
  }
}

}  // namespace

const char* to_text(Lane lane) {
  return lane == Lane::towards ? "towards" : "away";
}

const char* RankingBands::band(int score) const {
  return score >= critical ? "critical" : score >= high ? "high" : score >= medium ? "medium" : "low";
}

Result<RankingRules> parse_ranking_rules(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  RankingRules out;
  std::map<std::string, bool> ids;
  out.files.push_back(reader.read(RuleKind::ranking, "touchstone.ranking/1", true, [&](TableReader& root) {
    root.table("bands", [&](TableReader& table) {
      read_bands(table, out.bands);
      out.has_bands = true;
    });
    out.never_score = root.texts("never_score", kOptional, 100, 64);
    root.tables("rule", kOptional, 10'000, [&](TableReader& table) {
      RankingRule rule;
      read_rule(table, rule);
      if (rule.id == "cap")
        table.error_at("id", "\"cap\" is the name of the reason that keeps a score at 1000");
      if (!rule.id.empty() && !ids.emplace(rule.id, true).second) {
        table.error_at("id", fmt::format("the rule \"{}\" is there twice", rule.id));
      }
      out.rules.push_back(std::move(rule));
    });
  }));
  if (!reader.ok()) return reader.failure();
  return out;
}

Result<RankingRules> load_ranking_rules(const std::string& root) {
  auto paths = find_rule_files(root, RuleKind::ranking);
  if (!paths) return paths.error();
  if (paths->empty()) return Error{ErrorCode::not_found, fmt::format("{}/ranking: no rule file there", root)};
  RankingRules all;
  std::map<std::string, std::string> ids;
  for (const std::string& path : *paths) {
    auto text = read_rule_file(path);
    if (!text) return text.error();
    auto one = parse_ranking_rules(*text, path);
    if (!one) return one.error();
    if (one->has_bands && all.has_bands) {
      return Error{ErrorCode::invalid, fmt::format("{}: another file already sets the bands", path)};
    }
    if (one->has_bands) all.bands = one->bands;
    all.has_bands = all.has_bands || one->has_bands;
    for (RankingRule& rule : one->rules) {
      const auto [at, fresh] = ids.emplace(rule.id, path);
      if (!fresh) {
        return Error{
            ErrorCode::invalid,
            at_place(path, rule.place, fmt::format("the rule \"{}\" is also in {}", rule.id, at->second))};
      }
      all.rules.push_back(std::move(rule));
    }
    all.files.insert(all.files.end(), one->files.begin(), one->files.end());
    all.never_score.insert(all.never_score.end(), one->never_score.begin(), one->never_score.end());
  }
  return all;
}

}  // namespace touchstone

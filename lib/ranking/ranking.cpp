#include "ranking/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ranking/ranker.hpp"
#include "rules/glob.hpp"

namespace touchstone {
namespace ranking {
namespace {

PersonRole person_role(Role role) {
  switch (role) {
    case Role::suspect:
      return PersonRole::suspect;
    case Role::complainant:
      return PersonRole::complainant;
    case Role::witness:
      return PersonRole::witness;
    case Role::unknown:
      return PersonRole::other;
  }
  return PersonRole::other;
}

}  // namespace

RankCounts Ranker::run() {
  load_exhibits();
  load_linked_identifiers();
  load_findings();
  rank_messages();
  rank_calls();
  rank_records("location", "taken", "time_basis", true);
  rank_records("visit", "visited", "time_basis", false);
  note_written_records();
  rank_records("note", "coalesce(modified, created)", "time_basis", false);
  rank_events();
  rank_records("contact", "NULL", "NULL", false);
  rank_records("account", "NULL", "NULL", false);
  rank_contents();
  rank_items();
  leads_.add_conversations(db_);
  RankCounts counts = leads_.write(db_);
  counts.findings = findings_.size();
  return counts;
}

void Ranker::load_exhibits() {
  auto query = db_.prepare("SELECT id, ref, role FROM exhibit");
  while (query.step()) {
    ExhibitFacts exhibit{query.integer(0),
                         query.text(1),
                         parse_role(query.text(2)).value_or(Role::unknown),
                         PersonRole::other,
                         {}};
    exhibit.owner_role = person_role(exhibit.role);
    const CaseFile* file = context_.file();
    const CaseExhibit* known = file ? file->exhibit(exhibit.ref) : nullptr;
    if (const CasePerson* owner = known && !known->owner.empty() ? file->person(known->owner) : nullptr) {
      exhibit.owner = owner->id;
      exhibit.owner_role = owner->role;
    }
    exhibits_.emplace(query.integer(0), std::move(exhibit));
  }
}

void Ranker::load_linked_identifiers() {
  constexpr std::string_view kPrefix = "person|";
  auto query = db_.prepare("SELECT key, linked FROM person WHERE role IS NOT NULL ORDER BY key");
  while (query.step()) {
    const std::string key = query.text(0);
    const auto linked = nlohmann::json::parse(query.text(1), nullptr, false);
    if (!linked.is_array() || !key.starts_with(kPrefix)) continue;
    for (const auto& one : linked) {
      if (one.is_object() && one.contains("identifier") && one["identifier"].is_string())
        context_.add_linked(std::string_view(key).substr(kPrefix.size()), one["identifier"]);
    }
  }
}

void Ranker::load_findings() {
  auto query = db_.prepare(
      "SELECT key, content_id, item_id, record_kind, record_key, plugin, rule, category, confidence, "
      "title, detail, record_id "
      "FROM finding ORDER BY key");
  struct Target {
    std::optional<std::int64_t> content, item, record;
    std::string kind, record_key;
  };
  std::vector<Target> targets;
  while (query.step()) {
    RankFinding finding{query.text(0),
                        query.text(5),
                        query.text(6),
                        query.text(7),
                        query.text(9),
                        {},
                        static_cast<int>(query.integer(8)),
                        std::nullopt};
    const std::string detail = query.text(10);
    if (detail.starts_with('{')) {
      const auto json = nlohmann::json::parse(detail, nullptr, false);
      if (json.is_object() && json.contains("points") && json["points"].is_number_integer()) {
        finding.points =
            static_cast<int>(std::clamp<std::int64_t>(json["points"].get<std::int64_t>(), 0, kMaxScore));
      }
      if (json.is_object() && json.contains("match") && json["match"].is_string())
        finding.match = json["match"];
    }
    findings_.push_back(std::move(finding));
    targets.push_back({query.optional_integer(1), query.optional_integer(2), query.optional_integer(11),
                       query.text(3), query.text(4)});
  }
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    const RankFinding* finding = &findings_[i];
    const Target& target = targets[i];
    const bool never = std::any_of(rules_.never_score.begin(), rules_.never_score.end(),
                                   [&](const auto& p) { return wildcard_matches(p, finding->category); });
    const bool of_picture = target.kind == "picture" || target.kind == "video" || target.kind == "document";
    if (!target.kind.empty() && !of_picture) {
      if (never) continue;
      if (!target.record_key.empty()) {
        by_record_key_[target.kind][target.record_key].push_back(finding);
      } else if (target.record) {
        by_record_id_[target.kind][*target.record].push_back(finding);
      }
    } else if (target.content) {
      ContentFacts& content = contents_[*target.content];
      content.never = content.never || never;
      if (!never) content.findings.push_back(finding);
    } else if (target.item) {
      by_item_[*target.item].emplace_back(finding, never);
    }
  }
}

FindingList Ranker::findings_of(const std::string& kind, const std::string& key, std::int64_t id) {
  FindingList out;
  if (const auto table = by_record_key_.find(kind); table != by_record_key_.end()) {
    if (const auto at = table->second.find(key); at != table->second.end()) out = at->second;
  }
  if (const auto table = by_record_id_.find(kind); table != by_record_id_.end()) {
    if (const auto at = table->second.find(id); at != table->second.end()) {
      out.insert(out.end(), at->second.begin(), at->second.end());
    }
  }
  return out;
}

bool Ranker::has_context_rule(std::string_view kind) const {
  return std::any_of(rules_.rules.begin(), rules_.rules.end(), [&](const RankingRule& rule) {
    const auto& kinds = rule.when.kinds;
    return !rule.supporting && !rule.when.is_finding_rule() &&
           (kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end());
  });
}

const ExhibitFacts* Ranker::exhibit_of_item(std::int64_t item_id) {
  const auto [at, fresh] = item_exhibits_.try_emplace(item_id, nullptr);
  if (fresh) {
    if (!item_exhibit_) item_exhibit_.emplace(db_.prepare("SELECT exhibit_id FROM item_row WHERE id = ?1"));
    item_exhibit_->bind(1, item_id);
    if (item_exhibit_->step()) {
      const auto exhibit = exhibits_.find(item_exhibit_->integer(0));
      at->second = exhibit == exhibits_.end() ? nullptr : &exhibit->second;
    }
    item_exhibit_->reset();
  }
  return at->second;
}

void Ranker::set_exhibit(Facts& facts, const ExhibitFacts* exhibit) {
  if (!exhibit) return;
  facts.exhibit_roles = {exhibit->role};
  facts.parties = {exhibit->owner_role};
}

/// What is so of all messages between the same people: they are few, and write much.
const Facts& Ranker::between(const ExhibitFacts* exhibit, const std::string& direction,
                             const std::string& app, const std::string& sender,
                             const std::string& recipients) {
  constexpr std::size_t kMostKept = 20'000;
  if (between_.size() >= kMostKept) between_.clear();
  const auto [at, fresh] = between_.try_emplace({exhibit, direction, app, sender, recipients});
  Facts& facts = at->second;
  if (!fresh) return facts;
  facts.kind = "message";
  set_exhibit(facts, exhibit);
  set_parties(facts, exhibit, direction, app, sender, json_texts(recipients));
  return facts;
}

void Ranker::rank_messages() {
  const bool all = has_context_rule("message");
  auto query = db_.prepare(
      "SELECT id, key, item_id, app, conversation, coalesce(sent, received), time_basis, direction, "
      "sender, recipients, "
      "deleted, folded_into, (SELECT count(*) FROM message c WHERE c.folded_into = message.id) FROM message");
  while (query.step()) {
    const std::int64_t id = query.integer(0), item_id = query.integer(2);
    record_items_.insert(item_id);
    if (!query.is_null(11)) continue;  // the message that it is a copy of counts
    const std::string key = query.text(1);
    const FindingList found = findings_of("message", key, id);
    if (found.empty() && !all) continue;
    const ExhibitFacts* exhibit = exhibit_of_item(item_id);
    const std::string app = query.text(3);
    const std::string direction = query.text(7), sender = query.text(8);
    Facts facts = between(exhibit, direction, app, sender, query.text(9));
    facts.time = query.optional_integer(5);
    facts.time_assumed = query.text_view(6) == "assumed";
    facts.deleted = query.integer(10) != 0;
    const LaneReasons reasons = score(rules_, context_, facts, found);
    if (reasons[0].empty() && reasons[1].empty()) continue;
    const std::vector<std::string> recipients = json_texts(query.text(9));
    const std::string title =
        fmt::format("Message ({}){}{}", app.empty() ? "unknown app" : app,
                    route_text(exhibit, direction, app, sender, recipients),
                    facts.time ? ", " + context_.time_text(*facts.time, facts.time_assumed) : "");
    leads_.add("message", id, key, item_id, title, 1 + static_cast<std::uint64_t>(query.integer(12)),
               reasons);
    leads_.add_to_conversation(query.text(4), key, item_id, reasons);
  }
}

void Ranker::rank_calls() {
  const bool all = has_context_rule("call");
  if (!all && !by_record_key_.count("call") && !by_record_id_.count("call")) return;
  auto query =
      db_.prepare("SELECT id, key, item_id, app, started, time_basis, direction, party, deleted FROM call");
  while (query.step()) {
    const std::int64_t id = query.integer(0), item_id = query.integer(2);
    const std::string key = query.text(1);
    const FindingList found = findings_of("call", key, id);
    if (found.empty() && !all) continue;
    Facts facts;
    facts.kind = "call";
    facts.time = query.optional_integer(4);
    facts.time_assumed = query.text(5) == "assumed";
    facts.deleted = query.integer(8) != 0;
    const ExhibitFacts* exhibit = exhibit_of_item(item_id);
    set_exhibit(facts, exhibit);
    const std::string party = query.text(7), direction = query.text(6), app = query.text(3);
    set_parties(facts, exhibit, direction, app, direction == "in" ? party : std::string(), {party});
    leads_.add("call", id, key, item_id, fmt::format("Call between {}", facts.parties_text), 1,
               score(rules_, context_, facts, found));
  }
}

/// Who organises it wrote it; without one the owner did.
void Ranker::rank_events() {
  const bool all = has_context_rule("event");
  if (!all && !by_record_key_.count("event") && !by_record_id_.count("event")) return;
  auto query = db_.prepare(
      "SELECT id, key, item_id, app, starts, time_basis, organiser, participants, deleted FROM event");
  while (query.step()) {
    const std::int64_t id = query.integer(0), item_id = query.integer(2);
    const std::string key = query.text(1);
    const FindingList found = findings_of("event", key, id);
    if (found.empty() && !all) continue;
    Facts facts;
    facts.kind = "event";
    facts.time = query.optional_integer(4);
    facts.time_assumed = query.text(5) == "assumed";
    facts.deleted = query.integer(8) != 0;
    const ExhibitFacts* exhibit = exhibit_of_item(item_id);
    set_exhibit(facts, exhibit);
    const std::string app = query.text(3), organiser = query.text(6);
    const std::vector<std::string> others = json_texts(query.text(7));
    set_parties(facts, exhibit, organiser.empty() ? "out" : "unknown", app, organiser, others);
    if (organiser.empty() && exhibit) facts.author_text = fmt::format("on exhibit {}", exhibit->ref);
    const std::string title =
        fmt::format("Calendar entry on exhibit {}{}{}", exhibit ? exhibit->ref : "?",
                    facts.time ? ", " + context_.time_text(*facts.time, facts.time_assumed) : "",
                    organiser.empty() && others.empty() ? "" : fmt::format(", of {}", facts.parties_text));
    leads_.add("event", id, key, item_id, title, 1, score(rules_, context_, facts, found));
  }
}

/// Their words score with the record, not once more as those of a file of nobody's.
void Ranker::note_written_records() {
  auto query = db_.prepare("SELECT item_id FROM event UNION SELECT item_id FROM note");
  while (query.step()) record_items_.insert(query.integer(0));
}

void Ranker::rank_records(const std::string& kind, const char* time, const char* basis, bool has_place) {
  const bool all = has_context_rule(kind);
  if (!all && !by_record_key_.count(kind) && !by_record_id_.count(kind)) return;
  auto query = db_.prepare(fmt::format("SELECT id, key, item_id, {}, {}, {}, {} FROM {}", time, basis,
                                       has_place ? "latitude, longitude, accuracy_m" : "NULL, NULL, NULL",
                                       kind == "note" ? "deleted" : "0", kind));
  while (query.step()) {
    const std::int64_t id = query.integer(0), item_id = query.integer(2);
    const std::string key = query.text(1);
    const FindingList found = findings_of(kind, key, id);
    if (found.empty() && !all) continue;
    Facts facts;
    facts.kind = kind;
    facts.time = query.optional_integer(3);
    facts.time_assumed = query.text(4) == "assumed";
    facts.deleted = query.integer(8) != 0;
    if (!query.is_null(5) && !query.is_null(6)) {
      facts.latitude = query.real(5);
      facts.longitude = query.real(6);
      facts.accuracy_m = query.is_null(7) ? 0 : query.real(7);
    }
    const ExhibitFacts* exhibit = exhibit_of_item(item_id);
    set_exhibit(facts, exhibit);
    if (exhibit) {
      facts.author = exhibit->owner_role;
      facts.author_text = fmt::format("on exhibit {}", exhibit->ref);
    }
    const std::string title =
        fmt::format("{}{} {}{}", static_cast<char>(kind[0] - 'a' + 'A'), kind.substr(1), facts.author_text,
                    facts.time ? ", " + context_.time_text(*facts.time, facts.time_assumed) : "");
    leads_.add(kind, id, key, item_id, title, 1, score(rules_, context_, facts, found));
  }
}

}  // namespace ranking

Result<RankCounts> rank(Database& case_db, const CaseFile* case_file, const RankingRules& rules) {
  return ranking::Ranker(case_db, case_file, rules).run();
}

}  // namespace touchstone

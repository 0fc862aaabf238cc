#include "ranking/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "model/locator.hpp"
#include "ranking/lead_list.hpp"
#include "ranking/party_names.hpp"
#include "ranking/scoring.hpp"
#include "rules/glob.hpp"

namespace touchstone {
namespace {

using ranking::CaseContext;
using ranking::Facts;
using ranking::LaneReasons;
using ranking::RankFinding;

using FindingList = std::vector<const RankFinding*>;

struct ExhibitFacts {
  std::int64_t id = 0;
  std::string ref;
  Role role = Role::unknown;
  PersonRole owner_role = PersonRole::other;
  std::string owner;  // id of a person, or empty
};

/// A content's places, gathered in one pass over the items.
struct ContentFacts {
  FindingList findings;
  std::int64_t item_id = 0;
  std::string locator, name;
  std::uint64_t places = 0;
  bool allocated = false, holds_records = false, never = false;
  std::vector<Role> roles;
  PersonRole owner_role = PersonRole::complainant;  // the one that lets most rules hold, of all its places
  bool has_owner = false;
  std::optional<TimeUs> taken, modified;
  bool taken_assumed = false, modified_assumed = false;
  std::optional<double> latitude, longitude;
};

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

std::string person_text(const CasePerson* person) {
  return person ? fmt::format("{} ({})", person->id, to_text(person->role)) : "an unnamed party";
}

class Ranker {
 public:
  Ranker(Database& db, const CaseFile* case_file, const RankingRules& rules)
      : db_(db), rules_(rules), context_(case_file), names_(db), leads_(rules) {}

  RankCounts run() {
    load_exhibits();
    load_findings();
    rank_messages();
    rank_calls();
    rank_records("location", "taken", "time_basis", true);
    rank_records("visit", "visited", "time_basis", false);
    rank_records("contact", "NULL", "NULL", false);
    rank_records("account", "NULL", "NULL", false);
    rank_contents();
    rank_items();
    leads_.add_conversations(db_);
    RankCounts counts = leads_.write(db_);
    counts.findings = findings_.size();
    return counts;
  }

 private:
  void load_exhibits() {
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

  void load_findings() {
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
          finding.points = static_cast<int>(
              std::clamp<std::int64_t>(json["points"].get<std::int64_t>(), 0, ranking::kMaxScore));
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

  FindingList findings_of(const std::string& kind, const std::string& key, std::int64_t id) {
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

  /// Whether records of a kind without findings need be looked at.
  bool has_context_rule(std::string_view kind) const {
    return std::any_of(rules_.rules.begin(), rules_.rules.end(), [&](const RankingRule& rule) {
      const auto& kinds = rule.when.kinds;
      return !rule.supporting && !rule.when.is_finding_rule() &&
             (kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end());
    });
  }

  const ExhibitFacts* exhibit_of_item(std::int64_t item_id) {
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

  void set_exhibit(Facts& facts, const ExhibitFacts* exhibit) {
    if (!exhibit) return;
    facts.exhibit_roles = {exhibit->role};
    facts.parties = {exhibit->owner_role};
  }

  /// Who wrote it, and who takes part: the device's owner and everyone named.
  void set_parties(Facts& facts, const ExhibitFacts* exhibit, const std::string& direction,
                   const std::string& app, const std::string& sender,
                   const std::vector<std::string>& others) {
    std::vector<std::string> texts;
    if (exhibit)
      texts.push_back(exhibit->owner.empty()
                          ? fmt::format("the user of {}", exhibit->ref)
                          : fmt::format("{} ({})", exhibit->owner, to_text(exhibit->owner_role)));
    const CasePerson* from = context_.person(sender, app);
    if (direction == "out" && exhibit) {
      facts.author = exhibit->owner_role;
      facts.author_text = fmt::format("sent from exhibit {}", exhibit->ref);
    } else {
      facts.author = from ? from->role : PersonRole::other;
      facts.author_text =
          fmt::format("{} {}", direction == "in" ? "received from" : "written by", person_text(from));
    }
    std::vector<const CasePerson*> people = {direction == "out" ? nullptr : from};
    for (const std::string& other : others) people.push_back(context_.person(other, app));
    bool unnamed = direction != "out" && !from && !sender.empty();
    for (const CasePerson* person : people) {
      if (!person || (exhibit && person->id == exhibit->owner)) continue;
      facts.parties.push_back(person->role);
      const std::string text = person_text(person);
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
    unnamed = unnamed || (texts.size() < 2 && !others.empty());
    if (unnamed) texts.emplace_back("an unnamed party");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      facts.parties_text += (i == 0 ? "" : i + 1 == texts.size() ? " and " : ", ") + texts[i];
    }
  }

  /// What a reader calls somebody: the device's name for them, else the case's, else the bare identifier.
  std::string name_text(const ExhibitFacts* exhibit, const std::string& identifier, const std::string& app) {
    if (identifier.empty()) return "an unnamed party";
    const CasePerson* person = context_.person(identifier, app);
    std::string name = exhibit ? names_.of(exhibit->id, identifier, app).contact : std::string();
    if (name.empty() && person) name = person->names.empty() ? person->id : person->names.front();
    if (name.empty()) name = identifier;
    return person && person->role != PersonRole::other ? name + ", " + to_text(person->role) : name;
  }

  /// " from SMP/1 to K, complainant", or the other way round.
  std::string route_text(const ExhibitFacts* exhibit, const std::string& direction, const std::string& app,
                         const std::string& sender, const std::vector<std::string>& recipients) {
    const std::string device = exhibit ? exhibit->ref : "an unknown exhibit";
    if (direction != "out") {
      return fmt::format(" {} {}{}", direction == "in" ? "from" : "written by",
                         name_text(exhibit, sender, app), direction == "in" ? " to " + device : "");
    }
    std::string others = name_text(exhibit, recipients.empty() ? std::string() : recipients.front(), app);
    if (recipients.size() > 1) others += fmt::format(" and {} more", recipients.size() - 1);
    return fmt::format(" from {} to {}", device, others);
  }

  static std::vector<std::string> json_texts(const std::string& json) {
    std::vector<std::string> out;
    const auto array = nlohmann::json::parse(json, nullptr, false);
    if (!array.is_array()) return out;
    for (const auto& entry : array) {
      if (entry.is_string()) out.push_back(entry.get<std::string>());
    }
    return out;
  }

  void rank_messages() {
    const bool all = has_context_rule("message");
    auto query = db_.prepare(
        "SELECT id, key, item_id, app, conversation, coalesce(sent, received), time_basis, direction, "
        "sender, recipients, "
        "deleted FROM message");
    while (query.step()) {
      const std::int64_t id = query.integer(0), item_id = query.integer(2);
      record_items_.insert(item_id);
      const std::string key = query.text(1);
      const FindingList found = findings_of("message", key, id);
      if (found.empty() && !all) continue;
      Facts facts;
      facts.kind = "message";
      facts.time = query.optional_integer(5);
      facts.time_assumed = query.text(6) == "assumed";
      facts.deleted = query.integer(10) != 0;
      const ExhibitFacts* exhibit = exhibit_of_item(item_id);
      set_exhibit(facts, exhibit);
      const std::string app = query.text(3);
      const std::string direction = query.text(7), sender = query.text(8);
      const std::vector<std::string> recipients = json_texts(query.text(9));
      set_parties(facts, exhibit, direction, app, sender, recipients);
      const LaneReasons reasons = ranking::score(rules_, context_, facts, found);
      const std::string title =
          fmt::format("Message ({}){}{}", app.empty() ? "unknown app" : app,
                      route_text(exhibit, direction, app, sender, recipients),
                      facts.time ? ", " + context_.time_text(*facts.time, facts.time_assumed) : "");
      leads_.add("message", id, key, item_id, title, 1, reasons);
      leads_.add_to_conversation(query.text(4), key, item_id, reasons);
    }
  }

  void rank_calls() {
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
                 ranking::score(rules_, context_, facts, found));
    }
  }

  void rank_records(const std::string& kind, const char* time, const char* basis, bool has_place) {
    const bool all = has_context_rule(kind);
    if (!all && !by_record_key_.count(kind) && !by_record_id_.count(kind)) return;
    auto query =
        db_.prepare(fmt::format("SELECT id, key, item_id, {}, {}, {} FROM {}", time, basis,
                                has_place ? "latitude, longitude, accuracy_m" : "NULL, NULL, NULL", kind));
    while (query.step()) {
      const std::int64_t id = query.integer(0), item_id = query.integer(2);
      const std::string key = query.text(1);
      const FindingList found = findings_of(kind, key, id);
      if (found.empty() && !all) continue;
      Facts facts;
      facts.kind = kind;
      facts.time = query.optional_integer(3);
      facts.time_assumed = query.text(4) == "assumed";
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
      leads_.add(kind, id, key, item_id, title, 1, ranking::score(rules_, context_, facts, found));
    }
  }

  /// Pictures and videos tell when and where they were taken; with context rules all of those count.
  void load_media() {
    const bool all = has_context_rule("content");
    for (const char* sql : {"SELECT content_id, taken, time_basis, latitude, longitude FROM picture_row",
                            "SELECT content_id, taken, time_basis, NULL, NULL FROM video_row"}) {
      auto query = db_.prepare(sql);
      while (query.step()) {
        auto at = contents_.find(query.integer(0));
        const bool dated = !query.is_null(1) || !query.is_null(3);
        if (at == contents_.end() && all && dated) at = contents_.try_emplace(query.integer(0)).first;
        if (at == contents_.end()) continue;
        at->second.taken = query.optional_integer(1);
        at->second.taken_assumed = query.text(2) == "assumed";
        if (query.is_null(3) || query.is_null(4)) continue;
        at->second.latitude = query.real(3);
        at->second.longitude = query.real(4);
      }
    }
  }

  /// A finding on an item that has bytes counts with its content, so that a reason counts once a content.
  void move_item_findings_to_contents() {
    if (by_item_.empty()) return;
    auto query = db_.prepare("SELECT content_id FROM item_row WHERE id = ?1");
    for (auto at = by_item_.begin(); at != by_item_.end();) {
      query.bind(1, at->first);
      const auto content = query.step() ? query.optional_integer(0) : std::nullopt;
      query.reset();
      if (!content) {
        ++at;
        continue;
      }
      ContentFacts& facts = contents_[*content];
      for (const auto& [finding, never] : at->second) {
        facts.never = facts.never || never;
        if (!never) facts.findings.push_back(finding);
      }
      at = by_item_.erase(at);
    }
  }

  void load_places() {
    auto query = db_.prepare(
        "SELECT content_id, id, locator, name, exhibit_id, allocated, modified, time_basis FROM item_row "
        "WHERE content_id IS NOT NULL");
    while (query.step()) {
      const auto at = contents_.find(query.integer(0));
      if (at == contents_.end()) continue;
      ContentFacts& facts = at->second;
      const std::string locator = query.text(2);
      ++facts.places;
      facts.allocated = facts.allocated || query.integer(5) != 0;
      facts.holds_records = facts.holds_records || record_items_.count(query.integer(1)) != 0;
      if (const auto exhibit = exhibits_.find(query.integer(4)); exhibit != exhibits_.end()) {
        if (std::find(facts.roles.begin(), facts.roles.end(), exhibit->second.role) == facts.roles.end()) {
          facts.roles.push_back(exhibit->second.role);
        }
        add_owner(facts, exhibit->second.owner_role);
      }
      if (!facts.locator.empty() && facts.locator <= locator) continue;
      facts.locator = locator;
      facts.item_id = query.integer(1);
      facts.name = query.text(3);
      facts.modified = query.optional_integer(6);
      facts.modified_assumed = query.text(7) == "assumed";
    }
  }

  /// Of several owners of one content the suspect goes first, then an unknown one, then the others.
  static void add_owner(ContentFacts& facts, PersonRole role) {
    const auto rank = [](PersonRole r) {
      return r == PersonRole::suspect ? 0 : r == PersonRole::other ? 1 : 2 + static_cast<int>(r);
    };
    if (!facts.has_owner || rank(role) < rank(facts.owner_role)) facts.owner_role = role;
    facts.has_owner = true;
  }

  void rank_contents() {
    move_item_findings_to_contents();
    load_media();
    load_places();
    for (auto& [id, content] : contents_) {
      if (content.never || content.places == 0) continue;
      std::sort(content.findings.begin(), content.findings.end(),
                [](const RankFinding* a, const RankFinding* b) { return a->key < b->key; });
      Facts facts;
      facts.kind = "content";
      // A position belongs to when the picture was taken: a file time says nothing of when that was.
      const bool file_time = !content.taken && !content.latitude;
      facts.time = file_time ? content.modified : content.taken;
      facts.time_assumed = file_time ? content.modified_assumed : content.taken_assumed;
      facts.deleted = !content.allocated;
      facts.holds_records = content.holds_records;
      facts.exhibit_roles = content.roles;
      if (content.has_owner) facts.author = content.owner_role;
      facts.latitude = content.latitude;
      facts.longitude = content.longitude;
      facts.count = content.places;
      const std::string title =
          content.places == 1 ? content.name : fmt::format("{} (at {} places)", content.name, content.places);
      leads_.add("content", id, content.locator, content.item_id, title, content.places,
                 ranking::score(rules_, context_, facts, content.findings));
    }
  }

  /// What is left are findings on items without bytes: a directory, a link.
  void rank_items() {
    auto query = db_.prepare(
        "SELECT locator, name, exhibit_id, allocated, modified, time_basis FROM item_row WHERE id = ?1");
    for (const auto& [id, entries] : by_item_) {
      query.bind(1, id);
      if (query.step()) {
        Facts facts;
        facts.kind = "item";
        facts.deleted = query.integer(3) == 0;
        facts.time = query.optional_integer(4);
        facts.time_assumed = query.text(5) == "assumed";
        const auto exhibit = exhibits_.find(query.integer(2));
        set_exhibit(facts, exhibit == exhibits_.end() ? nullptr : &exhibit->second);
        FindingList found;
        bool never = false;
        for (const auto& [finding, known] : entries) {
          never = never || known;
          found.push_back(finding);
        }
        if (!never)
          leads_.add("item", id, query.text(0), id, query.text(1), 1,
                     ranking::score(rules_, context_, facts, found));
      }
      query.reset();
    }
  }

  Database& db_;
  const RankingRules& rules_;
  CaseContext context_;
  PartyNames names_;
  std::unordered_map<std::int64_t, ExhibitFacts> exhibits_;
  std::vector<RankFinding> findings_;
  std::unordered_map<std::string, std::unordered_map<std::string, FindingList>> by_record_key_;
  std::unordered_map<std::string, std::unordered_map<std::int64_t, FindingList>> by_record_id_;
  std::unordered_map<std::int64_t, std::vector<std::pair<const RankFinding*, bool>>> by_item_;
  std::unordered_map<std::int64_t, ContentFacts> contents_;
  std::unordered_set<std::int64_t> record_items_;
  std::unordered_map<std::int64_t, const ExhibitFacts*> item_exhibits_;
  std::optional<Statement> item_exhibit_;
  ranking::LeadList leads_;
};

}  // namespace

Result<RankCounts> rank(Database& case_db, const CaseFile* case_file, const RankingRules& rules) {
  return Ranker(case_db, case_file, rules).run();
}

}  // namespace touchstone

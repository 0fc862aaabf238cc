// Works through findings and records of a case database and makes leads of them. Internal to lib/ranking.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ranking/lead_list.hpp"
#include "ranking/party_names.hpp"
#include "ranking/ranking.hpp"
#include "ranking/scoring.hpp"

namespace touchstone::ranking {

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

class Ranker {
 public:
  Ranker(Database& db, const CaseFile* case_file, const RankingRules& rules)
      : db_(db), rules_(rules), context_(case_file), names_(db), leads_(rules) {}

  RankCounts run();

 private:
  void load_exhibits();
  void load_linked_identifiers();
  void load_findings();
  FindingList findings_of(const std::string& kind, const std::string& key, std::int64_t id);
  /// Whether records of a kind without findings need be looked at.
  bool has_context_rule(std::string_view kind) const;
  const ExhibitFacts* exhibit_of_item(std::int64_t item_id);
  void set_exhibit(Facts& facts, const ExhibitFacts* exhibit);
  /// Who wrote it, and who takes part: the device's owner and everyone named.
  const Facts& between(const ExhibitFacts* exhibit, const std::string& direction, const std::string& app,
                       const std::string& sender, const std::string& recipients);
  void set_parties(Facts& facts, const ExhibitFacts* exhibit, const std::string& direction,
                   const std::string& app, const std::string& sender, const std::vector<std::string>& others);
  /// What a reader calls somebody: the device's name for them, else the case's, else the bare identifier.
  std::string name_text(const ExhibitFacts* exhibit, const std::string& identifier, const std::string& app);
  /// " from SMP/1 to K, complainant", or the other way round.
  std::string route_text(const ExhibitFacts* exhibit, const std::string& direction, const std::string& app,
                         const std::string& sender, const std::vector<std::string>& recipients);
  static std::vector<std::string> json_texts(const std::string& json);
  void rank_messages();
  void rank_calls();
  void rank_events();
  void note_written_records();
  void rank_records(const std::string& kind, const char* time, const char* basis, bool has_place);
  /// Pictures and videos tell when and where they were taken; with context rules all of those count.
  void load_media();
  /// A finding on an item that has bytes counts with its content, so that a reason counts once a content.
  void move_item_findings_to_contents();
  void load_places();
  /// Of several owners of one content the suspect goes first, then an unknown one, then the others.
  static void add_owner(ContentFacts& facts, PersonRole role);
  void rank_contents();
  /// What is left are findings on items without bytes: a directory, a link.
  void rank_items();

  Database& db_;
  const RankingRules& rules_;
  CaseContext context_;
  PartyNames names_;
  using Between = std::tuple<const ExhibitFacts*, std::string, std::string, std::string, std::string>;
  std::map<Between, Facts> between_;
  std::unordered_map<std::int64_t, ExhibitFacts> exhibits_;
  std::vector<RankFinding> findings_;
  std::unordered_map<std::string, std::unordered_map<std::string, FindingList>> by_record_key_;
  std::unordered_map<std::string, std::unordered_map<std::int64_t, FindingList>> by_record_id_;
  std::unordered_map<std::int64_t, std::vector<std::pair<const RankFinding*, bool>>> by_item_;
  std::unordered_map<std::int64_t, ContentFacts> contents_;
  std::unordered_set<std::int64_t> record_items_;
  std::unordered_map<std::int64_t, const ExhibitFacts*> item_exhibits_;
  std::optional<Statement> item_exhibit_;
  LeadList leads_;
};

}  // namespace touchstone::ranking

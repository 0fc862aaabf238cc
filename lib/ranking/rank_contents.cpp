// Leads on contents and on items without bytes.
#include <fmt/format.h>

#include <algorithm>

#include "ranking/ranker.hpp"

namespace touchstone::ranking {

void Ranker::load_media() {
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

void Ranker::move_item_findings_to_contents() {
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

void Ranker::load_places() {
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

void Ranker::add_owner(ContentFacts& facts, PersonRole role) {
  const auto rank = [](PersonRole r) {
    return r == PersonRole::suspect ? 0 : r == PersonRole::other ? 1 : 2 + static_cast<int>(r);
  };
  if (!facts.has_owner || rank(role) < rank(facts.owner_role)) facts.owner_role = role;
  facts.has_owner = true;
}

void Ranker::rank_contents() {
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
               score(rules_, context_, facts, content.findings));
  }
}

void Ranker::rank_items() {
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
        leads_.add("item", id, query.text(0), id, query.text(1), 1, score(rules_, context_, facts, found));
    }
    query.reset();
  }
}

}  // namespace touchstone::ranking

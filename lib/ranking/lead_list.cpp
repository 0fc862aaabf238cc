#include "ranking/lead_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/locator.hpp"

namespace touchstone::ranking {

void LeadList::add(const std::string& kind, std::int64_t id, const std::string& key, std::int64_t item_id,
                   const std::string& title, std::uint64_t places, const LaneReasons& reasons) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (reasons[i].empty()) continue;
    const auto lane = static_cast<Lane>(i);
    auto json = nlohmann::ordered_json::array();
    const auto add = [&json](const std::string& rule, int points, const std::string& text,
                             const std::string& finding) {
      nlohmann::ordered_json reason;
      reason["rule"] = rule;
      reason["points"] = points;
      reason["text"] = text;
      reason["finding"] = finding.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(finding);
      json.push_back(std::move(reason));
    };
    int sum = 0;
    for (const Reason& reason : reasons[i]) {
      sum += reason.points;
      add(rules_.rules[reason.rule].id, reason.points, reason.text, reason.finding);
    }
    if (sum > kMaxScore) {
      add("cap", kMaxScore - sum, fmt::format("Scores end at {}.", kMaxScore), {});
      sum = kMaxScore;
    }
    leads_.push_back({join_key({"lead", to_text(lane), kind, key}), kind, title,
                      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), id, item_id, lane,
                      sum, places});
  }
}

void LeadList::add_to_conversation(const std::string& conversation, const std::string& key,
                                   std::int64_t item_id, const LaneReasons& reasons) {
  if (conversation.empty()) return;
  for (std::size_t lane = 0; lane < 2; ++lane) {
    if (reasons[lane].empty()) continue;
    Conversation& whole = conversations_[conversation];
    int sum = 0;
    for (const Reason& reason : reasons[lane]) {
      sum += reason.points;
      auto& held = whole.held[lane][{reason.rule, reason.finding_rule}];
      const bool better =
          held.messages == 0 || std::tuple(-reason.points, std::string_view(key)) <
                                    std::tuple(-held.reason.points, std::string_view(held.message_key));
      ++held.messages;
      if (!better) continue;
      held.reason = reason;
      held.message_key = key;
    }
    const std::tuple strength(-sum, key, item_id);
    auto& best = whole.best[lane];
    if (std::get<1>(best).empty() || strength < best) best = strength;
  }
}

void LeadList::add_conversations(Database& db) {
  if (conversations_.empty()) return;
  std::unordered_map<std::string, std::pair<std::int64_t, std::string>> known;
  auto query = db.prepare("SELECT id, key, title, app FROM conversation");
  while (query.step()) {
    const std::string title = query.text(2).empty() ? query.text(3) : query.text(2);
    known.emplace(query.text(1), std::pair(query.integer(0), title));
  }
  for (auto& [key, whole] : conversations_) {
    const auto at = known.find(key);
    const std::string title = at == known.end() || at->second.second.empty()
                                  ? "Conversation"
                                  : "Conversation: " + at->second.second;
    LaneReasons reasons;
    for (std::size_t lane = 0; lane < 2; ++lane) reasons[lane] = conversation_reasons(whole.held[lane]);
    for (std::size_t lane = 0; lane < 2; ++lane) {
      LaneReasons one;
      one[lane] = std::move(reasons[lane]);
      add("conversation", at == known.end() ? 0 : at->second.first, key, std::get<2>(whole.best[lane]), title,
          1, one);
    }
  }
}

std::vector<Reason> LeadList::conversation_reasons(
    const std::map<std::pair<std::size_t, std::string>, Conversation::Held>& held) const {
  std::map<std::size_t, std::vector<Reason>> by_rule;
  for (const auto& [id, entry] : held) {
    Reason reason = entry.reason;
    if (entry.messages > 1)
      reason.text += fmt::format(" (in {} messages of the conversation)", entry.messages);
    by_rule[id.first].push_back(std::move(reason));
  }
  std::vector<Reason> out;
  for (auto& [rule, reasons] : by_rule) {
    ranking::cut_to_cap(reasons, rules_.rules[rule].cap);
    out.insert(out.end(), reasons.begin(), reasons.end());
  }
  return out;
}

RankCounts LeadList::write(Database& db) {
  std::sort(leads_.begin(), leads_.end(), [](const Lead& a, const Lead& b) {
    return std::tuple(a.lane, -a.score, std::string_view(a.key)) <
           std::tuple(b.lane, -b.score, std::string_view(b.key));
  });
  RankCounts counts;
  db.execute("SAVEPOINT ranking");
  try {
    db.execute("DELETE FROM lead");
    auto insert = db.prepare(
        "INSERT INTO lead(id, key, subject_kind, subject_id, item_id, lane, band, score, reasons, title, "
        "places) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)");
    std::int64_t id = 0;
    for (const Lead& lead : leads_) {
      insert.bind(1, ++id).bind(2, lead.key).bind(3, lead.subject_kind);
      lead.subject_id ? insert.bind(4, lead.subject_id) : insert.bind_null(4);
      lead.item_id ? insert.bind(5, lead.item_id) : insert.bind_null(5);
      insert.bind(6, to_text(lead.lane)).bind(7, rules_.bands.band(lead.score)).bind(8, lead.score);
      insert.bind(9, lead.reasons).bind(10, lead.title).bind(11, static_cast<std::int64_t>(lead.places));
      insert.run();
      ++(lead.lane == Lane::towards ? counts.towards : counts.away);
    }
    db.execute("RELEASE ranking");
  } catch (const CaseError&) {
    db.execute("ROLLBACK TO ranking");
    db.execute("RELEASE ranking");
    throw;
  }
  return counts;
}

}  // namespace touchstone::ranking

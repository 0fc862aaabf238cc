// The leads of one run of rank(): from reasons to rows of the table `lead`, and the conversations that gather
// the reasons of their messages. One thread; `rules` outlives it.
#pragma once

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "casefile/sqlite.hpp"
#include "ranking/ranking.hpp"
#include "ranking/scoring.hpp"

namespace touchstone::ranking {

constexpr int kMaxScore = 1000;

class LeadList {
 public:
  explicit LeadList(const RankingRules& rules) : rules_(rules) {}
  /// One lead for each lane that has reasons; the sum of their points ends at kMaxScore.
  void add(const std::string& kind, std::int64_t id, const std::string& key, std::int64_t item_id,
           const std::string& title, std::uint64_t places, const LaneReasons& reasons);
  /// Keeps the reasons of a message for its conversation; nothing if `conversation` is empty.
  void add_to_conversation(const std::string& conversation, const std::string& key, std::int64_t item_id,
                           const LaneReasons& reasons);
  /// A lead for each conversation with reasons: the same term or context counts once.
  void add_conversations(Database& db);
  /// Replaces the table's rows, in one transaction.
  RankCounts write(Database& db);

 private:
  struct Lead {
    std::string key, subject_kind, title, reasons;
    std::int64_t subject_id = 0, item_id = 0;
    Lane lane = Lane::towards;
    int score = 0;
    std::uint64_t places = 1;
  };

  /// The reasons of a conversation's messages, by rule and finding rule.
  struct Conversation {
    struct Held {
      Reason reason;
      std::string message_key;  // the one whose reason is shown
      std::uint64_t messages = 0;
    };
    std::array<std::map<std::pair<std::size_t, std::string>, Held>, 2> held;
    std::array<std::tuple<int, std::string, std::int64_t>, 2>
        best;  // -score, key, item of the strongest message
  };

  std::vector<Reason> conversation_reasons(
      const std::map<std::pair<std::size_t, std::string>, Conversation::Held>& held) const;

  const RankingRules& rules_;
  std::unordered_map<std::string, Conversation> conversations_;
  std::vector<Lead> leads_;
};

}  // namespace touchstone::ranking

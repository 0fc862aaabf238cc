// From findings and context to leads: reads the case database, writes its table `lead` afresh in one
// transaction. Scores are whole points that add up; the same database content gives the same leads whatever
// its row ids. One connection, one thread. Failures of the database throw CaseError, as everywhere in
// casefile.
#pragma once

#include <string>
#include <vector>

#include "casefile/sqlite.hpp"
#include "model/result.hpp"
#include "rules/case_file.hpp"
#include "rules/ranking_rules.hpp"

namespace touchstone {

struct RankCounts {
  std::uint64_t towards = 0, away = 0;  ///< leads written
  std::uint64_t findings = 0;           ///< findings read
};

/// `case_file` may be null: then rules that need windows, places, persons or issues do not hold.
Result<RankCounts> rank(Database& case_db, const CaseFile* case_file, const RankingRules& rules);

/// Which device first: exhibits by their best leads of the lane `towards`, then by all of them.
struct ExhibitRank {
  std::string ref, role;
  int best = 0;  ///< score of its best lead
  std::uint64_t critical = 0, high = 0, medium = 0, low = 0;
  std::uint64_t away = 0;  ///< leads of the other lane, for information
  std::string text;        ///< one sentence that says why it stands here
};
std::vector<ExhibitRank> rank_exhibits(Database& case_db);

}  // namespace touchstone

// What is worked out over the whole case database once all units are done: indexes, places of contents,
// states, attachments and their items, conversations, the table of searches. Everything is made afresh each
// time, from rows alone, so that the result does not depend on the order in which they came. Throws
// CaseError.
#pragma once

#include "casefile/case_writer.hpp"

namespace touchstone {

void finalise_case(CaseWriter& writer);

/// Items by state and exhibit; their sum is what was enumerated.
struct StateCount {
  std::string exhibit, state;
  std::int64_t items = 0;
};
std::vector<StateCount> state_counts(const Database& db);

/// What keeps a run from being clean, for the exit code and the terminal.
struct Completeness {
  std::int64_t units_open = 0;   ///< work left
  std::int64_t items_short = 0;  ///< failed, timed out, partly examined, encrypted, unsupported
  std::int64_t volumes_not_read = 0;
  std::int64_t plugins_absent = 0;  ///< chosen, but did not run
  std::int64_t exhibits_bad = 0;    ///< not opened, read in part, or verification failed
  std::int64_t exhibits_short = 0;  ///< read, but hold more that is not: snapshots inside an image

  /// Everything was done that could be, and something could not be examined.
  bool falls_short() const {
    return items_short > 0 || volumes_not_read > 0 || plugins_absent > 0 || exhibits_short > 0;
  }
};
Completeness completeness(const Database& db);

}  // namespace touchstone

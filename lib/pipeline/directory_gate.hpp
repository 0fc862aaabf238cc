// Which directories are listed, so that enumeration ends on forged and damaged file systems whose directories
// lead to each other in ever new ways. The directories of a volume are let through one depth after the other,
// and a directory that was reached before is not listed again: each is listed at most twice, once by names in
// use and once by deleted ones. Of several names of one depth the one with the smallest locator counts. What
// is listed depends on the volume alone, not on the number of workers nor on who was first. Belongs to the
// coordinator.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/triage_state.hpp"

namespace touchstone {

class DirectoryGate {
 public:
  DirectoryGate(Triage::State& state, Progress& progress) : state_(state), progress_(progress) {}

  /// Takes the directories of an earlier run from the case database: those listed, and those still open,
  /// which wait here from now on.
  void load();
  bool holds(std::int64_t unit) const { return waiting_.contains(unit); }
  /// A new directory waits here until those above it are listed.
  void add(const ResultWriter::NewUnit& unit);
  /// A directory that was let through is listed, or will never be.
  void done(std::int64_t unit);
  /// What may be listed now, once.
  std::vector<ResultWriter::NewUnit> take_open();

 private:
  struct Waiting {
    ResultWriter::NewUnit unit;
    std::string identity;
    std::int64_t item = 0;
  };
  struct Volume {
    std::int64_t exhibit = 0;
    std::size_t open = 0;                          ///< let through and not done
    std::map<int, std::vector<Waiting>> by_depth;  ///< waiting
    /// Identity and item of each directory let through, sorted by identity.
    std::vector<std::pair<std::string, std::int64_t>> listed;
  };

  void release(const std::string& slot, Volume& volume);
  /// The directory's item if it was let through before, else nothing.
  static std::optional<std::int64_t> listed_before(const Volume& volume, const std::string& identity);
  void drop(const Waiting& twin, std::int64_t first);
  void report(const std::string& slot, const Volume& volume, int depth, std::size_t count,
              const std::string& example);
  std::string locator(std::int64_t item);

  Triage::State& state_;
  Progress& progress_;
  std::map<std::string, Volume> volumes_;  ///< by exhibit and slot
  std::unordered_map<std::int64_t, std::string> open_;
  std::unordered_map<std::int64_t, std::string> waiting_;
  std::vector<ResultWriter::NewUnit> released_;
};

}  // namespace touchstone

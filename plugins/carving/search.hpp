// One pass over a window: signatures are looked for with one streaming database, weak ones only where sectors
// begin; what they name is carved in the order of its place, and what lies inside a file already found is
// passed over.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "carved.hpp"

struct hs_database;
struct hs_scratch;

namespace touchstone::carving {

/// Places that belong to files already found.
class Covered {
 public:
  void add(std::uint64_t offset, std::uint64_t end);
  bool holds(std::uint64_t offset) const { return end_at(offset) != 0; }
  /// End of the range that holds `offset`; 0: none does.
  std::uint64_t end_at(std::uint64_t offset) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // start → end
};

struct SearchResult {
  std::vector<Carved> files;  ///< by place
  std::string limit;          ///< what was cut short; empty: nothing
};

class Search {
 public:
  /// Throws std::runtime_error if the signatures cannot be compiled.
  Search();
  ~Search();
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  SearchResult run(View& view) const;

 private:
  hs_database* database_ = nullptr;
  hs_scratch* scratch_ = nullptr;
};

}  // namespace touchstone::carving

// Which records a database has given already, so that what is recovered is told once: rows are written again
// and again as a message is sent, delivered and read, and each writing may be found. Two hashes of 8 bytes a
// live record, in vectors. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_set>
#include <vector>

namespace touchstone::appdata {

class SeenRecords {
 public:
  /// `row` as the query names it; empty if that is lost.
  void add_live(std::string_view kind, std::string_view table, std::string_view row,
                std::span<const Field> fields);
  /// Whether a live or an earlier recovered record says the same; if not, it is noted. Times and states of a
  /// message do not count as long as its row is known.
  bool repeats(std::string_view kind, std::string_view table, std::string_view row,
               std::span<const Field> fields);

 private:
  bool is_live(std::uint64_t hash);
  std::vector<std::uint64_t> live_;
  bool sorted_ = false;
  std::unordered_set<std::uint64_t> recovered_;
};

/// All cells of a result row.
std::uint64_t hash_cells(const Query& rows);

}  // namespace touchstone::appdata

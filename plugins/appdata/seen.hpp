// Which records a database has given already, so that what is recovered is told once: rows are written again
// and again as a message is sent, delivered and read, and each writing may be found. Only what was announced
// as recovered is remembered, whatever the number of live records: two hashes of 8 bytes each. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone::appdata {

class SeenRecords {
 public:
  /// Before all else: what was recovered. `row` as the query names it; empty if that is lost.
  void announce(std::string_view kind, std::string_view table, std::string_view row,
                std::span<const Field> fields);
  void add_live(std::string_view kind, std::string_view table, std::string_view row,
                std::span<const Field> fields);
  /// Whether a live or an earlier recovered record says the same; if not, it is noted. Times and states of a
  /// message do not count as long as its row is known.
  bool repeats(std::string_view kind, std::string_view table, std::string_view row,
               std::span<const Field> fields);

 private:
  /// Where the hash stands among the announced ones; nothing for others.
  std::optional<std::size_t> find(std::uint64_t hash);
  std::vector<std::uint64_t> announced_;
  std::vector<bool> given_;  ///< of each: a record says so already
  bool sorted_ = true;
};

/// All cells of a result row.
std::uint64_t hash_cells(const Query& rows);

}  // namespace touchstone::appdata

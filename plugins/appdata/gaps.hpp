// Numbers missing among the rows of a table: what was there once and is not any more. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_map>
#include <vector>

namespace touchstone::appdata {

class Gaps {
 public:
  /// Asks the host; nothing where the rows of the table are not numbered.
  Gaps(Job& job, std::string_view table);
  /// When the live row with this number was sent, for those beside a gap.
  void note_live(std::int64_t number, std::optional<std::int64_t> time);
  void note_recovered(std::int64_t number) { recovered_.push_back(number); }
  /// One finding a gap, for the largest kMaxTold, and one for what is left.
  void tell(Job& job, std::string_view app, std::string_view title) const;

  static constexpr std::size_t kMaxTold = 100;

 private:
  struct Gap {
    std::int64_t after = 0;
    std::optional<std::int64_t> before;
    std::int64_t missing = 0;
  };
  std::string row_name(std::int64_t number) const;
  std::size_t recovered_in(const Gap& gap) const;
  void tell_one(Job& job, std::string_view app, std::string_view title, const Gap& gap) const;

  std::string table_;
  std::vector<Gap> gaps_;
  std::int64_t all_missing_ = 0, all_gaps_ = 0;
  std::unordered_map<std::int64_t, std::optional<std::int64_t>> beside_;  ///< number → time
  std::vector<std::int64_t> recovered_;
};

}  // namespace touchstone::appdata

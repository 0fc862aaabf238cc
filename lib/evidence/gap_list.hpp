// Collects the unreadable ranges of a ByteSource: adjacent and repeated ones become one, and the list stays
// within ByteSource::kMaxGaps however damaged the evidence is. Plain value of one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone {

class GapList {
 public:
  /// `place`: see Gap.
  void add(std::uint64_t offset, std::uint64_t length, std::string_view reason,
           std::optional<std::uint64_t> place = std::nullopt);
  /// True once something had to be left out of the list.
  bool full() const { return full_; }
  bool empty() const { return gaps_.empty(); }
  const std::vector<Gap>& list() const { return gaps_; }

 private:
  std::vector<Gap> gaps_;
  bool full_ = false;
};

}  // namespace touchstone

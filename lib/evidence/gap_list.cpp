#include "evidence/gap_list.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace touchstone {

void GapList::add(std::uint64_t offset, std::uint64_t length, std::string_view reason,
                  std::optional<std::uint64_t> place) {
  if (length == 0) return;
  length = std::min(length, std::numeric_limits<std::uint64_t>::max() - offset);
  for (Gap& gap : gaps_) {
    const bool apart = gap.length == 0 || offset > gap.offset + gap.length || offset + length < gap.offset;
    // What lies side by side here may come from different parts of the exhibit.
    if (apart || gap.reason != reason || gap.place_of(offset) != place) continue;
    const std::uint64_t end = std::max(gap.offset + gap.length, offset + length);
    const std::uint64_t start = std::min(gap.offset, offset);
    gap.place = gap.place_of(start);
    gap.offset = start;
    gap.length = end - gap.offset;
    // The grown range may have closed the space to others.
    const Gap grown = gap;
    std::erase_if(gaps_, [&](const Gap& other) {
      return other.reason == grown.reason && other.offset >= grown.offset && other.length != 0 &&
             grown.place_of(other.offset) == other.place &&
             other.offset + other.length <= grown.offset + grown.length &&
             !(other.offset == grown.offset && other.length == grown.length);
    });
    return;
  }
  if (gaps_.size() < ByteSource::kMaxGaps) {
    gaps_.push_back({offset, length, std::string(reason), place});
  } else if (!full_) {
    full_ = true;
    gaps_.push_back({offset, 0, "more unreadable ranges than are listed"});
  }
}

}  // namespace touchstone

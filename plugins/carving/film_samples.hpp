// Whether the samples of a film are where its directory says: coded pictures are chains of units whose
// lengths add up, so that a place where foreign bytes begin is seen (ISO/IEC 14496-12 8.5-8.7, 14496-15).
#pragma once

#include <cstdint>

#include "view.hpp"

namespace touchstone::carving {

struct SampleCheck {
  std::uint64_t checked = 0;    ///< samples that were looked at
  std::uint64_t first_bad = 0;  ///< where the first wrong one begins, from the file's start; 0: none
};

/// Looks at the coded pictures of one track; `table` and its end are the track's "stbl". Tracks of other
/// codings give none.
SampleCheck check_samples(View& view, std::uint64_t file, std::uint64_t table, std::uint64_t table_end);

}  // namespace touchstone::carving

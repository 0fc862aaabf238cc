// VHDX (Hyper-V): fixed, dynamic and differencing disks, sectors of 512 and 4096 bytes. A log that was not
// replayed is replayed in memory, within a bound. One thread.
// Format: Microsoft, [MS-VHDX] "Virtual Hard Disk v2 (VHDX) File Format".
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, not_found (the parent of a differencing disk), unsupported (required parts that are not
/// known).
Result<std::unique_ptr<ExhibitSource>> open_vhdx(ImageInput input);

}  // namespace touchstone

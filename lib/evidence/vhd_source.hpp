// VHD (Virtual PC, Hyper-V): fixed, dynamic and differencing disks. One thread.
// Format: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, not_found (the parent of a differencing disk), unsupported. Error invalid: the bytes that
/// look like a VHD footer are none, so the file is raw; `input.bytes` is then given back.
Result<std::unique_ptr<ExhibitSource>> open_vhd(ImageInput& input);

}  // namespace touchstone

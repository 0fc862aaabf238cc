// Ex01 images (EWF version 2) with a reader of our own: deflated, bzip2, stored and pattern-filled chunks. A
// chunk that does not fit its checksum is a gap with its bytes as they stand, one that cannot be unpacked or
// that no table lists a gap of zeros. One thread.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: io, corrupt, not_found (nothing readable without a missing segment), unsupported, encrypted.
Result<std::unique_ptr<ExhibitSource>> open_ewf2(ImageInput input);

}  // namespace touchstone

// AFF images (Advanced Forensic Format, version 1) with a reader of our own: pages stored as they are, of
// zeros, deflated or packed with LZMA; the parts of an AFD folder (file_000.aff, file_001.aff …). One thread.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, encrypted (AFFLIB's own encryption), unsupported (AFM, which describes raw files beside
/// it).
Result<std::unique_ptr<ExhibitSource>> open_aff(ImageInput input);

}  // namespace touchstone

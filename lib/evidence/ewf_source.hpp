// EWF images (E01 and its kin, S01, and logical evidence in L01) with a reader of our own. All segment files
// are opened when the image is, so that reading works after the sandbox has closed the file system. What can
// be read is read: chunks of a missing or cut segment, and damaged ones, are listed as gaps; where one run of
// segments is missing, those behind it are placed from the end. The bytes of a chunk whose checksum is wrong
// are given as they stand. Damage that costs no media bytes becomes a problem of kind integrity. One thread.
#pragma once

#include <memory>
#include <string>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: io, corrupt (says what the headers contradict), not_found (nothing readable without the missing
/// segment).
Result<std::unique_ptr<ExhibitSource>> open_ewf(ImageInput input);

}  // namespace touchstone

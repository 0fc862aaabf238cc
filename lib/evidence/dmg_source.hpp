// DMG (Apple disk images, UDIF): raw, zero, zlib, bzip2, LZMA and ADC blocks. LZFSE blocks are gaps that say
// so. One thread.
// Format: libyal, "Universal Disk Image Format (UDIF)"; the koly and mish structures of Apple's hdiutil.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, unsupported (images in several segments; without an XML property list). Error invalid:
/// the bytes that look like a trailer are none, so the file is raw; `input.bytes` is then given back.
Result<std::unique_ptr<ExhibitSource>> open_dmg(ImageInput& input);

}  // namespace touchstone

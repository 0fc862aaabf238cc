// The bytes of a file on an ISO 9660 disc: one or several extents, as they are or packed by zisofs. Private
// to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "evidence/byte_source.hpp"
#include "filesystem/filesystem.hpp"

namespace touchstone::iso {

/// The ranges of `volume` one after the other; `volume` outlives it. What lies behind its end is a gap.
std::unique_ptr<ByteSource> make_extents(ByteSource& volume, std::vector<ByteRange> extents);

/// A zisofs file of version 1: a header, the places of its blocks, and each block as a zlib stream. An Error:
/// its header is none. Blocks that cannot be unpacked are zeros and a gap.
Result<std::unique_ptr<ByteSource>> open_zisofs(std::unique_ptr<ByteSource> packed, std::uint64_t size);

}  // namespace touchstone::iso

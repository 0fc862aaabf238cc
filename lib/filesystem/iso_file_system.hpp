// ISO 9660 with Joliet and Rock Ridge as a FileSystem. The Sleuth Kit does not give what Rock Ridge adds
// (names, links, modes), leaves links out and lists a file in several extents several times: see
// docs/decisions. Private to lib/filesystem.
//
// Names are those of Rock Ridge where the disc has it, else of Joliet, else the plain ones. What stands in
// one of the other trees alone is listed as well, and its details say which ("tree"). Each worker keeps an
// index of the disc: about 60 bytes a file and its name.
#pragma once

#include <memory>

#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

/// Fills label, state and reason of a volume that has a primary descriptor; false if it has none. `there`:
/// bytes of the image from its start.
bool examine_iso9660(ByteSource& window, std::uint64_t there, Volume& volume);
/// `bytes` are those of the volume and belong to the result. Errors: corrupt (no primary descriptor), when it
/// is listed.
std::unique_ptr<FileSystem> open_iso9660(std::unique_ptr<ByteSource> bytes);

}  // namespace touchstone::detail

// What The Sleuth Kit sees in a place of an image. Private to lib/filesystem.
#pragma once

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// Fills filesystem, label, state and reason of a volume whose place is known.
void examine_volume(const TskImage& image, Volume& volume);

/// The same for a file system that is open; `window` holds its bytes, of which the image has `there`.
void describe_file_system(TSK_FS_INFO& fs, ByteSource& window, std::uint64_t there, Volume& volume);

}  // namespace touchstone::detail

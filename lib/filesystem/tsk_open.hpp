// The Sleuth Kit's part of open_file_system(). Internal to lib/filesystem.
#pragma once

#include <memory>

#include "filesystem/filesystem.hpp"

namespace touchstone {

/// A volume of state read or partly_read whose file system The Sleuth Kit reads. Errors: corrupt, invalid (no
/// such time zone).
Result<std::unique_ptr<FileSystem>> open_tsk_file_system(ByteSource& image, std::uint32_t sector_size,
                                                         const Volume& volume, const VolumeOptions& options);

}  // namespace touchstone

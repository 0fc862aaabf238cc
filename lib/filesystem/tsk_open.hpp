// The Sleuth Kit's part of open_file_system(). Internal to lib/filesystem.
#pragma once

#include <memory>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone {

/// A volume of state read or partly_read whose file system The Sleuth Kit reads. Errors: corrupt, invalid (no
/// such time zone).
Result<std::unique_ptr<FileSystem>> open_tsk_file_system(ByteSource& image, std::uint32_t sector_size,
                                                         const Volume& volume, const VolumeOptions& options);

namespace detail {

/// What a file system of The Sleuth Kit stands on: the image and, above or below it, a pool or a source that
/// is closed before the image handle (which then reads no more).
struct TskBase {
  std::unique_ptr<TskImage> image;
  std::shared_ptr<void> other;
  ByteRange place;  ///< of the volume in the image's bytes; without a length: to their end
};

Result<std::unique_ptr<FileSystem>> make_tsk_file_system(TskBase base, FsHandle fs,
                                                         const VolumeOptions& options);

/// The file system at the start of `source`, which belongs to the result. `volume` is only named in errors.
Result<std::unique_ptr<FileSystem>> open_tsk_inside(std::unique_ptr<ByteSource> source, const Volume& volume,
                                                    const VolumeOptions& options);

}  // namespace detail

}  // namespace touchstone

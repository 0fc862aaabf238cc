// Volumes of an APFS container, through The Sleuth Kit's pool layer. Private to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// The volumes of the container `holder` in its own order, slots "HOLDER.1" …; encrypted ones are opened with
/// the secrets of `options`.
std::vector<Volume> list_apfs(const TskImage& image, Volume& holder, const VolumeOptions& options);
/// Offset and size of `volume` are those of the container; the last number of its slot says which one it is.
Result<std::unique_ptr<FileSystem>> open_apfs(ByteSource& image, const Volume& volume,
                                              const VolumeOptions& options);
/// The container itself: no files, and the blocks that none of its volumes uses, as its space manager has
/// them.
std::unique_ptr<FileSystem> open_apfs_container(ByteSource& image, const Volume& volume);

}  // namespace touchstone::detail

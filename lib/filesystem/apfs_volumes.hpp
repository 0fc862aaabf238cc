// Volumes of an APFS container, through The Sleuth Kit's pool layer. Private to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// The volumes of the container `holder` in its own order, slots "HOLDER.1" …
std::vector<Volume> list_apfs(const TskImage& image, Volume& holder);
/// Offset and size of `volume` are those of the container; the last number of its slot says which one it is.
Result<std::unique_ptr<FileSystem>> open_apfs(ByteSource& image, const Volume& volume,
                                              const VolumeOptions& options);

}  // namespace touchstone::detail

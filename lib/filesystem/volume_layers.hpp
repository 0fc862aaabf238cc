// Volumes inside a volume that are not simply a range of it: APFS containers, LVM2 physical volumes, members
// of Linux md arrays. Each layer is named in Volume::layer; a volume that turns out to lie in one piece has
// none and is opened by its offset. Private to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// The volumes that `holder` holds, slots "HOLDER.1" …; empty where it is no pool or none of it can be read.
/// What there is to say about the pool is added to the reason of `holder`.
std::vector<Volume> list_layer(ByteSource& image, const TskImage& tsk, Volume& holder,
                               std::vector<Problem>& problems, const VolumeOptions& options);

/// Opens a volume whose `layer` is not empty.
Result<std::unique_ptr<FileSystem>> open_layer(ByteSource& image, const Volume& volume,
                                               const VolumeOptions& options);

}  // namespace touchstone::detail

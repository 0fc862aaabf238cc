// Volume shadow copies of NTFS: older states of a volume that Windows keeps inside it. Each is a volume
// "HOLDER~N" of layer "vss", N counting from the oldest. Of its files only those are listed that differ from
// the live volume's or are gone from it; docs/formats.md has the rule. Format: Joachim Metz, "Volume Shadow
// Snapshot (VSS) format"; read by libvshadow. Private to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

/// The shadow copies of `holder`, which lies in one piece of `image`. Empty if it has none.
std::vector<Volume> list_snapshots(ByteSource& image, const Volume& holder, std::vector<Problem>& problems,
                                   const VolumeOptions& options);

/// A volume of layer "vss"; its place is that of its holder, its number the end of its slot.
Result<std::unique_ptr<FileSystem>> open_snapshot(ByteSource& image, const Volume& volume,
                                                  const VolumeOptions& options);

}  // namespace touchstone::detail

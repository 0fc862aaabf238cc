// XFS as a FileSystem. Not through libfsxfs: see docs/decisions. Private to lib/filesystem.
#pragma once

#include <memory>

#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

/// Fills label, state and reason of a volume that begins with an XFS superblock; false if it has none.
bool examine_xfs(ByteSource& window, std::uint64_t there, Volume& volume);
/// `bytes` are those of the volume and belong to the result. Errors: corrupt, unsupported.
Result<std::unique_ptr<FileSystem>> open_xfs(std::unique_ptr<ByteSource> bytes);

}  // namespace touchstone::detail

// Encrypted volumes in the list of volumes, and opening the file system inside. A volume that is opened keeps
// its slot, gets the layer "crypt" and is described by what it holds; what lies inside it in turn has a layer
// that begins so, "crypt/vss", or "crypt@OFFSET+SIZE/lvm2" where the volume's own place is one in the plain
// bytes. Private to lib/filesystem.
#pragma once

#include <memory>
#include <vector>

#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

/// True if `holder` is encrypted or, being nothing else that is known, looks so; then its description is
/// filled in, and `inner` receives what it holds if it could be opened.
bool list_locked(ByteSource& image, Volume& holder, std::vector<Volume>& inner,
                 std::vector<Problem>& problems, const VolumeOptions& options);

/// A volume whose layer begins with "crypt".
Result<std::unique_ptr<FileSystem>> open_in_locked(ByteSource& image, const Volume& volume,
                                                   const VolumeOptions& options);

/// A file system that stands on `bytes`, both belonging to the result.
std::unique_ptr<FileSystem> own_source(std::unique_ptr<ByteSource> bytes, std::unique_ptr<FileSystem> files);

}  // namespace touchstone::detail

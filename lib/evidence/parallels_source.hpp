// Parallels disks (HDD): expanding image files, and the DiskDescriptor.xml of a disk's folder with its plain
// or expanding parts. Snapshots are told of and refused. One thread.
// Format: QEMU, docs/interop/parallels.txt; libyal, "Parallels Hard Disk image".
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, encrypted, not_found (parts), unsupported (snapshots).
Result<std::unique_ptr<ExhibitSource>> open_parallels(ImageInput input);

}  // namespace touchstone

// VDI (VirtualBox disks), dynamic and fixed. A differencing disk names its parent by identifier only, which
// no file name tells, and is refused. One thread. Format: libyal, "VirtualBox Disk Image (VDI)"; QEMU,
// block/vdi.c's header comment as published.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, unsupported (differencing and undo disks).
Result<std::unique_ptr<ExhibitSource>> open_vdi(ImageInput input);

}  // namespace touchstone

// VMDK (VMware disks): flat, sparse, stream-optimised and SE sparse extents, whole or split, described in the
// file or beside it, with the parents of snapshots. An extent that is not there is a gap. One thread.
// Format: VMware, "Virtual Disk Format 5.0"; libyal, "VMware Virtual Disk (VMDK)".
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, encrypted, not_found (all extents, or the parent), unsupported (extents on devices).
Result<std::unique_ptr<ExhibitSource>> open_vmdk(ImageInput input);

}  // namespace touchstone

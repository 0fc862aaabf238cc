// QCOW, QCOW2 and QCOW3 (QEMU disks): compressed clusters (zlib, zstd), zero clusters, subclusters, external
// data files, backing files. Internal snapshots are told of, not read. One thread. Format: QEMU,
// docs/interop/qcow2.txt; for version 1 libqcow's format description.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Errors: corrupt, encrypted, not_found (a backing or data file that is not there), unsupported (features
/// that are not known).
Result<std::unique_ptr<ExhibitSource>> open_qcow(ImageInput input);

}  // namespace touchstone

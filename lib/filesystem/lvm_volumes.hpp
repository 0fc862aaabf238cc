// Logical volumes of an LVM2 physical volume, from its text metadata. Only what lies on this one physical
// volume can be read: linear segments (and stripes of one), which is what installers make. Formats:
// lib/format_text of the LVM2 documentation and the notes of libvslvm ("Logical Volume Manager (LVM)
// format"). Private to lib/filesystem.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

struct LvmSegment {
  std::uint64_t offset = 0;  ///< bytes from the start of the physical volume
  std::uint64_t length = 0;
};

struct LvmVolume {
  std::string name, uuid;
  std::vector<LvmSegment> segments;  ///< in the order of the logical volume
  std::uint64_t size = 0;
  std::string unreadable;  ///< why it is not read: mirrored, on other disks …
};

struct LvmGroup {
  std::string name, uuid;
  std::size_t members = 0;  ///< physical volumes
  std::vector<LvmVolume> volumes;
};

/// The newest metadata of the physical volume. Errors: not_found (no LVM2 label), corrupt.
Result<LvmGroup> read_lvm(ByteSource& physical);
/// The group of a metadata text; `physical_uuid` says which of its members the volume is.
Result<LvmGroup> parse_lvm_metadata(std::string_view text, const std::string& physical_uuid);

std::vector<Volume> list_lvm(ByteSource& image, const TskImage& tsk, Volume& holder,
                             std::vector<Problem>& problems);
/// The bytes of a logical volume of several segments; offset and size of `volume` are those of the physical
/// volume. `image` outlives it.
Result<std::unique_ptr<ByteSource>> open_lvm(ByteSource& image, const Volume& volume);

}  // namespace touchstone::detail

// Members of Linux software RAID (md). Format: include/uapi/linux/raid/md_p.h of the Linux kernel. Private to
// lib/filesystem.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

struct MdMember {
  std::string version;  ///< "0.90", "1.0" …
  std::string name, uuid;
  std::int64_t level = 0;
  std::uint64_t members = 0;
  std::uint64_t data_offset = 0, data_size = 0;  ///< bytes from the start of the member
  /// "array NAME (RAID1, 2 members, UUID …)"
  std::string text() const;
  /// Each member holds all data: a mirror, or an array of one.
  bool holds_all() const { return level == 1 || members == 1; }
};

std::optional<MdMember> read_md(ByteSource& member);

/// One volume at the data offset of a mirror's member; a member whose data begins at its own start and was
/// therefore opened already gets only a word in its reason. Empty for other arrays.
std::vector<Volume> list_md(ByteSource& image, const TskImage& tsk, Volume& holder);

}  // namespace touchstone::detail

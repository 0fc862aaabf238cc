// Reparse points of NTFS: links, mount points and the marks of filters that keep a file's bytes elsewhere.
// Format: [MS-FSCC] 2.1.2. Private to lib/filesystem.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace touchstone::detail {

struct ReparsePoint {
  std::string kind;    ///< "symlink", "mount_point", "wof" …, or the tag as "0x9000001a"
  std::string target;  ///< of links, as it is shown to people; valid UTF-8
  std::string unread;  ///< why the file's own data are not its content; empty if they are
};

/// `data` is the value of the $REPARSE_POINT attribute, at most 16 KiB by the format. Kind is empty if it is
/// too short to be one.
ReparsePoint parse_reparse_point(std::span<const std::byte> data);

}  // namespace touchstone::detail

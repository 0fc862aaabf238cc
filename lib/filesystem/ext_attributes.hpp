// Extended attributes of files on ext2, ext3 and ext4, which The Sleuth Kit does not give: where a file was
// downloaded from (user.xdg.origin.url), what a program may do (security.capability). They stand behind the
// fields of an inode and in one block that it names. After the Linux kernel's documentation of ext4
// ("Extended Attributes"). Any bytes may be given; nothing is kept.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace touchstone::detail {

struct ExtAttributes {
  std::vector<std::pair<std::string, std::string>> list;  ///< name with its prefix, value as stored
  bool is_whole = true;  ///< false: some make no sense, or have their value in an inode of its own
};

/// `inode`: all its bytes. `block`: of the block that it names; empty if it names none.
ExtAttributes parse_ext_attributes(std::span<const std::byte> inode, std::span<const std::byte> block);

/// A value as text where it is text, else as hexadecimal digits behind "0x"; its beginning where it is long.
std::string attribute_text(std::string_view value);

}  // namespace touchstone::detail

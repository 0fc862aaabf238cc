// Entries of an XFS directory in its short, block and multi-block forms. Names of deleted files stay in the
// space that they gave up until it is used again. Private to lib/filesystem.
#pragma once

#include <string>
#include <vector>

#include "filesystem/xfs_volume.hpp"

namespace touchstone::detail {

struct XfsName {
  std::string name;
  std::uint64_t inode = 0;
  int type = 0;  ///< 0 unknown, 1 regular, 2 directory, 3 and 4 devices, 5 fifo, 6 socket, 7 link
  bool deleted = false;
};

/// Without "." and "..". What is damaged is a Problem with `path` in its message. Error: nothing can be read.
Result<std::vector<XfsName>> read_xfs_directory(XfsVolume& volume, const XfsInode& directory,
                                                const std::string& path, std::vector<Problem>& problems);

/// The names of one block of a directory, `header` bytes after its start.
void read_xfs_directory_block(std::span<const std::byte> block, std::size_t header, std::size_t end,
                              bool has_types, std::vector<XfsName>& names);

}  // namespace touchstone::detail

// In how many ways the directories of a file system can be reached. The Sleuth Kit looks for orphans by
// walking every path, which does not end where forged or cross-linked directories lead to each other. Private
// to lib/filesystem.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace touchstone::detail {

struct DirectoryNode {
  std::string identity;  ///< what it is on disk
  std::uint64_t inode = 0;
};

/// True if there are at most `limit` paths from `root` to directories, loops not counted. Asks for the
/// children of each directory once.
bool paths_within(const DirectoryNode& root,
                  const std::function<std::vector<DirectoryNode>(const DirectoryNode&)>& children,
                  std::uint64_t limit);

}  // namespace touchstone::detail

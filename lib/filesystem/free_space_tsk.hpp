// Which blocks of a file system are in use, as The Sleuth Kit tells it, and what follows from it: free space,
// and what of a deleted file now belongs to others. Private to tsk_*.cpp. `base` is always the offset of the
// file system in its volume: not 0 where an HFS+ volume lies in an HFS wrapper.
#pragma once

#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// False for file systems whose blocks belong to no one file system (a pool), or that have no allocation of
/// their own to ask for.
bool has_block_allocation(const TSK_FS_INFO& fs);

/// Ranges of the volume whose blocks are not in use, ascending, neighbours joined. The same bytes in the same
/// order as `blkls` gives. `sink` returns false to stop.
Status walk_free_blocks(TSK_FS_INFO& fs, std::uint64_t base, const std::function<bool(ByteRange)>& sink);

/// Ranges of what `attribute` of a deleted file leads to that are in use again, as ranges of its content,
/// ascending and joined. `free` is what walk_free_blocks() gave. More than a bounded number of ranges end in
/// one that reaches to the end.
std::vector<ByteRange> overwritten_ranges(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute,
                                          std::uint64_t base, const std::vector<ByteRange>& free);

/// Slack of allocated files, in order of their metadata, then what lies behind the file system, if it ends
/// before `volume_size`, with an empty address.
Status walk_slack(TSK_FS_INFO& fs, std::uint64_t base, std::uint64_t volume_size,
                  const std::function<bool(ByteRange, const std::string&)>& sink);

/// The address of an attribute as in Entry::address.
std::string attribute_address(const TSK_FS_INFO& fs, TSK_INUM_T inode, const TSK_FS_ATTR& attribute);

}  // namespace touchstone::detail

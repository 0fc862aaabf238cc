// XFS structures on disk, version 4 and 5, read-only: superblock, inodes, extents and free space. Format:
// "XFS Algorithms & Data Structures", 3rd edition, and the on-disk definitions it documents. Everything is
// hostile: trees are bounded in depth and size, and numbers are checked before they are used. Private to
// lib/filesystem; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

struct XfsSuper {
  std::uint32_t block_size = 0, ag_blocks = 0, ag_count = 0, inode_size = 0, sector_size = 0;
  std::uint64_t blocks = 0, root_inode = 0;
  unsigned inode_per_block_log = 0, ag_blocks_log = 0, directory_block_log = 0;
  int version = 0;           ///< 4 or 5
  bool file_types = false;   ///< directory entries carry the type
  bool wide_counts = false;  ///< nrext64
  bool needs_repair = false;
  std::string label, uuid;
  /// Features that change the format and are not known here; then nothing may be read.
  std::string unknown_features;
};

struct XfsExtent {
  std::uint64_t file_block = 0, count = 0;
  std::uint64_t offset = 0;  ///< bytes from the start of the volume
  bool written = true;       ///< else allocated ahead and never written: reads as zeros
};

struct XfsInode {
  std::uint64_t number = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0, links = 0, flags = 0, generation = 0;
  std::uint64_t size = 0;
  Times times;
  int data_format = 0, attribute_format = 0;
  std::vector<std::byte> data_fork, attribute_fork;
  std::uint64_t extents = 0, attribute_extents = 0;  ///< as the inode says
  bool is_directory() const { return (mode & 0170000) == 0040000; }
  bool is_link() const { return (mode & 0170000) == 0120000; }
  bool is_regular() const { return (mode & 0170000) == 0100000; }
  bool on_realtime_device() const { return (flags & 1) != 0; }
};

/// Reads the superblock alone. Nothing without its magic number; Error corrupt if its numbers make no sense.
std::optional<Result<XfsSuper>> read_xfs_super(ByteSource& volume);

class XfsVolume {
 public:
  /// `volume` belongs to it.
  static Result<std::unique_ptr<XfsVolume>> open(std::unique_ptr<ByteSource> volume);

  const XfsSuper& super() const { return super_; }
  ByteSource& bytes() { return *volume_; }

  /// Errors: not_found (no such place), corrupt (no inode there).
  Result<XfsInode> inode(std::uint64_t number);
  /// Extents of the data fork in the order of the file. Error corrupt where the tree cannot be followed;
  /// limit where there are too many.
  Result<std::vector<XfsExtent>> extents(const XfsInode& inode);
  /// The bytes of a file or directory. The XfsVolume outlives it.
  Result<std::unique_ptr<ByteSource>> content(const XfsInode& inode);
  Result<std::string> link_target(const XfsInode& inode);
  /// Names and values of the extended attributes that stand in the inode; `all` is false if there are others.
  std::vector<std::pair<std::string, std::string>> attributes(const XfsInode& inode, bool& all) const;
  /// Free ranges of one allocation group, ascending.
  Result<std::vector<ByteRange>> free_ranges(std::uint32_t group);

  /// Byte offset of a block given as the file system numbers them; nothing if it lies outside.
  std::optional<std::uint64_t> block_offset(std::uint64_t block) const;

 private:
  XfsVolume(std::unique_ptr<ByteSource> volume, XfsSuper super)
      : volume_(std::move(volume)), super_(std::move(super)) {}
  std::vector<std::byte> block(std::uint64_t number);
  bool add_extent(std::span<const std::byte> record, std::vector<XfsExtent>& extents) const;
  Status walk_tree(std::uint64_t root, int level, std::vector<XfsExtent>& extents);

  std::unique_ptr<ByteSource> volume_;
  XfsSuper super_;
};

}  // namespace touchstone::detail

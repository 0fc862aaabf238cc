// What The Sleuth Kit leaves out of ext2, ext3 and ext4: flags of inodes (encryption), times before 1970 and
// after 2106, nanoseconds of ext2 and ext3, extended attributes, and the places of group descriptors with
// meta_bg. After the Linux kernel's documentation of ext4 ("Super Block", "Block Group Descriptors", "Inode
// Timestamps"). Reads from the image at each call; no state but the superblock's numbers. One thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "filesystem/ext_attributes.hpp"
#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

struct ExtInode {
  std::uint32_t flags = 0;
  Times times;
  bool is_encrypted() const { return (flags & 0x800) != 0; }
};

class ExtLayout {
 public:
  /// Nothing if no superblock of ext lies there. `image` outlives the result.
  static std::optional<ExtLayout> open(ByteSource& image, std::uint64_t offset);

  /// Nothing if there is no such inode or it cannot be read.
  std::optional<ExtInode> inode(std::uint64_t number) const;
  /// Of a file that is no more, `with_block` is false: the block may be another's now.
  ExtAttributes attributes(std::uint64_t number, bool with_block) const;
  /// Why The Sleuth Kit cannot read it; empty if it can.
  std::string unread() const;
  bool has_scattered_descriptors() const;
  /// All group descriptors in one piece, as they stand without meta_bg. Empty if that would be more than can
  /// be real.
  std::vector<std::byte> descriptors() const;

 private:
  explicit ExtLayout(ByteSource& image, std::uint64_t offset) : image_(&image), offset_(offset) {}
  bool read_superblock();
  std::uint64_t groups() const;
  bool has_superblock(std::uint64_t group) const;
  std::uint64_t descriptor_place(std::uint64_t group) const;
  std::optional<std::uint64_t> inode_place(std::uint64_t number) const;

  ByteSource* image_;
  std::uint64_t offset_;
  std::uint64_t block_size_ = 0, blocks_ = 0, first_block_ = 0, blocks_per_group_ = 0;
  std::uint64_t inodes_ = 0, inodes_per_group_ = 0, inode_size_ = 0, descriptor_size_ = 0,
                first_meta_group_ = 0;
  std::uint32_t compatible_ = 0, incompatible_ = 0, read_only_ = 0;
  std::array<std::uint64_t, 2> backups_ = {0, 0};
};

}  // namespace touchstone::detail

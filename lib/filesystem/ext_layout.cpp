#include "filesystem/ext_layout.hpp"

#include <algorithm>

#include "evidence/integers.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint64_t kSuperblock = 1024;
// Features as in the documentation's tables.
constexpr std::uint32_t kSparseSuper2 = 0x200;                                   // compatible
constexpr std::uint32_t kJournalDevice = 0x8, kMetaGroups = 0x10, kWide = 0x80;  // incompatible
constexpr std::uint32_t kSparseSuper = 0x1, kBigalloc = 0x200;                   // read-only compatible
constexpr std::uint64_t kMaxDescriptors = std::uint64_t{64} << 20;  // bytes: 128 TiB of blocks of 4 KiB

std::optional<TimeUs> time_of(std::uint32_t seconds, std::uint32_t extra) {
  constexpr TimeUs kMicro = 1'000'000;
  // The lower 32 bits count from 1970 to both sides; two more bits carry on to 2446.
  const auto whole = std::int64_t{static_cast<std::int32_t>(seconds)} + (std::int64_t{extra & 3U} << 32U);
  const TimeUs micro = (extra >> 2U) / 1000 % kMicro;
  if (seconds == 0 && extra == 0) return std::nullopt;  // none is recorded
  return whole * kMicro + micro;
}

bool is_power(std::uint64_t number, std::uint64_t base) {
  while (number > 1 && number % base == 0) number /= base;
  return number == 1;
}

}  // namespace

std::optional<ExtLayout> ExtLayout::open(ByteSource& image, std::uint64_t offset) {
  ExtLayout layout(image, offset);
  if (!layout.read_superblock()) return std::nullopt;
  return layout;
}

bool ExtLayout::read_superblock() {
  std::array<std::byte, 1024> block{};
  const auto got = image_->read_at(offset_ + kSuperblock, block);
  if (!got || *got != block.size() || little(block, 56, 2) != 0xEF53) return false;
  const std::uint64_t shift = little(block, 24, 4);
  if (shift > 6) return false;
  block_size_ = kSuperblock << shift;
  compatible_ = static_cast<std::uint32_t>(little(block, 92, 4));
  incompatible_ = static_cast<std::uint32_t>(little(block, 96, 4));
  read_only_ = static_cast<std::uint32_t>(little(block, 100, 4));
  inodes_ = little(block, 0, 4);
  blocks_ = little(block, 4, 4) | ((incompatible_ & kWide) != 0 ? little(block, 0x150, 4) << 32U : 0);
  first_block_ = little(block, 20, 4);
  blocks_per_group_ = little(block, 32, 4);
  inodes_per_group_ = little(block, 40, 4);
  inode_size_ = little(block, 76, 4) == 0 ? 128 : little(block, 88, 2);
  const std::uint64_t stated = little(block, 254, 2);
  descriptor_size_ = (incompatible_ & kWide) != 0 && stated >= 64 ? stated : 32;
  first_meta_group_ = little(block, 260, 4);
  backups_[0] = little(block, 0x24C, 4);
  backups_[1] = little(block, 0x250, 4);
  if ((incompatible_ & kJournalDevice) != 0) inodes_ = blocks_ = 0;  // it has no groups
  return ((incompatible_ & kJournalDevice) != 0 || (blocks_per_group_ > 0 && inodes_per_group_ > 0)) &&
         inode_size_ >= 128 && inode_size_ <= block_size_ && descriptor_size_ <= 1024;
}

std::string ExtLayout::unread() const {
  if ((incompatible_ & kJournalDevice) != 0)
    return "the journal of an ext3 or ext4 volume that lies elsewhere: it holds no files of its own";
  if ((read_only_ & kBigalloc) != 0)
    return "ext4 that allocates clusters of several blocks (bigalloc), which The Sleuth Kit does not read";
  return "";
}

std::uint64_t ExtLayout::groups() const {
  if (blocks_ <= first_block_) return 0;
  return (blocks_ - first_block_ + blocks_per_group_ - 1) / blocks_per_group_;
}

bool ExtLayout::has_scattered_descriptors() const {
  const std::uint64_t in_a_block = block_size_ / descriptor_size_;
  return (incompatible_ & kMetaGroups) != 0 &&
         (groups() + in_a_block - 1) / in_a_block > std::max<std::uint64_t>(first_meta_group_, 1);
}

bool ExtLayout::has_superblock(std::uint64_t group) const {
  if (group == 0) return true;
  if ((compatible_ & kSparseSuper2) != 0) return group == backups_[0] || group == backups_[1];
  if ((read_only_ & kSparseSuper) == 0 || group == 1) return true;
  return is_power(group, 3) || is_power(group, 5) || is_power(group, 7);
}

std::uint64_t ExtLayout::descriptor_place(std::uint64_t group) const {
  const std::uint64_t in_a_block = block_size_ / descriptor_size_;
  const std::uint64_t number = group / in_a_block;
  std::uint64_t block = first_block_ + 1 + number;
  if ((incompatible_ & kMetaGroups) != 0 && number >= first_meta_group_) {
    // Each block of descriptors lies in the first of the groups that it describes.
    const std::uint64_t first = number * in_a_block;
    block = first_block_ + first * blocks_per_group_ + (has_superblock(first) ? 1 : 0);
    if (block_size_ == kSuperblock && number == 0 && first_block_ == 0) ++block;
  }
  return block * block_size_ + group % in_a_block * descriptor_size_;
}

std::vector<std::byte> ExtLayout::descriptors() const {
  const std::uint64_t count = groups();
  std::vector<std::byte> table;
  if (count > kMaxDescriptors / descriptor_size_ || count > image_->size() / block_size_) return table;
  const std::uint64_t in_a_block = block_size_ / descriptor_size_;
  table.resize(static_cast<std::size_t>(count * descriptor_size_));
  for (std::uint64_t group = 0; group < count; group += in_a_block) {
    const auto piece = std::span(table).subspan(
        static_cast<std::size_t>(group * descriptor_size_),
        static_cast<std::size_t>(std::min(in_a_block, count - group) * descriptor_size_));
    const auto got = image_->read_at(offset_ + descriptor_place(group), piece);
    if (!got || *got != piece.size()) return {};
  }
  return table;
}

std::optional<std::uint64_t> ExtLayout::inode_place(std::uint64_t number) const {
  if (number == 0 || number > inodes_) return std::nullopt;
  const std::uint64_t group = (number - 1) / inodes_per_group_;
  std::array<std::byte, 64> descriptor{};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(descriptor.size(), descriptor_size_));
  const auto described =
      image_->read_at(offset_ + descriptor_place(group), std::span(descriptor).first(size));
  if (!described || *described != size) return std::nullopt;
  const std::uint64_t table =
      little(descriptor, 8, 4) | (size == 64 ? little(descriptor, 0x28, 4) << 32U : 0);
  if (table == 0 || table >= std::max<std::uint64_t>(blocks_, 1)) return std::nullopt;
  return table * block_size_ + (number - 1) % inodes_per_group_ * inode_size_;
}

ExtAttributes ExtLayout::attributes(std::uint64_t number, bool with_block) const {
  const auto place = inode_place(number);
  if (!place) return {};
  std::vector<std::byte> raw(static_cast<std::size_t>(inode_size_)), block;
  const auto got = image_->read_at(offset_ + *place, raw);
  if (!got || *got != raw.size()) return {};
  const std::uint64_t named =
      little(raw, 104, 4) | ((incompatible_ & kWide) != 0 ? little(raw, 118, 2) << 32U : 0);
  if (with_block && named != 0) {
    block.resize(static_cast<std::size_t>(block_size_));
    const auto filled = named < blocks_ ? image_->read_at(offset_ + named * block_size_, block)
                                        : Result<std::size_t>(std::size_t{0});
    if (!filled || *filled != block.size()) block.resize(1);  // named, and not to be had
  }
  return parse_ext_attributes(raw, block);
}

std::optional<ExtInode> ExtLayout::inode(std::uint64_t number) const {
  const auto place = inode_place(number);
  if (!place) return std::nullopt;
  std::array<std::byte, 160> raw{};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(raw.size(), inode_size_));
  const auto got = image_->read_at(offset_ + *place, std::span(raw).first(length));
  if (!got || *got != length) return std::nullopt;
  const auto number_at = [&](std::size_t at) { return static_cast<std::uint32_t>(little(raw, at, 4)); };
  // What lies behind the first 128 bytes counts as far as the inode says that it uses it.
  const std::uint64_t end = length > 128 ? 128 + little(raw, 128, 2) : 128;
  const auto extra = [&](std::size_t at) {
    return at + 4 <= std::min<std::uint64_t>(end, length) ? number_at(at) : 0;
  };
  ExtInode inode;
  inode.flags = number_at(32);
  inode.times.accessed = time_of(number_at(8), extra(0x8C));
  inode.times.changed = time_of(number_at(12), extra(0x84));
  inode.times.modified = time_of(number_at(16), extra(0x88));
  if (end >= 0x94 && length >= 0x94) inode.times.created = time_of(number_at(0x90), extra(0x94));
  inode.times.basis = TimeBasis::utc;
  return inode;
}

}  // namespace touchstone::detail

#include "filesystem/xfs_volume.hpp"

#include <algorithm>

#include "filesystem/partition_table.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint32_t kSuperMagic = 0x58465342;    // "XFSB"
constexpr std::uint32_t kInodeMagic = 0x494e;        // "IN"
constexpr std::uint32_t kTreeMagic = 0x424d4150;     // "BMAP"
constexpr std::uint32_t kTreeMagicCrc = 0x424d4133;  // "BMA3"
constexpr std::uint32_t kFreeMagic = 0x58414746;     // "XAGF"
constexpr std::uint32_t kFreeTree = 0x41425442;      // "ABTB"
constexpr std::uint32_t kFreeTreeCrc = 0x41423342;   // "AB3B"
constexpr std::uint64_t kMaxExtents = 4'000'000;     // 128 MB; a real file has thousands
constexpr int kMaxLevels = 9;
constexpr int kLocal = 1, kExtents = 2, kTree = 3;

// Incompatible features of version 5 by their bits.
constexpr std::uint32_t kFileTypes = 1, kSparseInodes = 2, kMetaUuid = 4, kBigTime = 8, kNeedsRepair = 16,
                        kWideCounts = 32, kExchangeRange = 64, kParents = 128;
constexpr std::uint64_t kInodeBigTime = 8;  // of di_flags2

bool power_of_two(std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  return value >= low && value <= high && (value & (value - 1)) == 0;
}

unsigned log_of(std::uint64_t value) {
  unsigned log = 0;
  while (value > 1) {
    value >>= 1;
    ++log;
  }
  return log;
}

void read_features(std::span<const std::byte> sb, XfsSuper& super) {
  if (super.version == 4) {
    super.file_types = (big(sb, 200, 4) & 0x200) != 0;
    return;
  }
  const auto incompatible = static_cast<std::uint32_t>(big(sb, 216, 4));
  super.file_types = (incompatible & kFileTypes) != 0;
  super.wide_counts = (incompatible & kWideCounts) != 0;
  super.needs_repair = (incompatible & kNeedsRepair) != 0;
  const std::uint32_t unknown = incompatible & ~(kFileTypes | kSparseInodes | kMetaUuid | kBigTime |
                                                 kNeedsRepair | kWideCounts | kExchangeRange | kParents);
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((unknown >> bit & 1) == 0) continue;
    const std::string name = bit == 8 ? "metadir" : bit == 9 ? "zoned" : "feature bit " + std::to_string(bit);
    super.unknown_features += (super.unknown_features.empty() ? "" : ", ") + name;
  }
}

bool is_sound(const XfsSuper& super, std::span<const std::byte> sb) {
  if (!power_of_two(super.block_size, 512, 65536) || !power_of_two(super.inode_size, 256, 2048) ||
      !power_of_two(super.sector_size, 512, 32768) || super.inode_size > super.block_size) {
    return false;
  }
  return super.ag_blocks >= 64 && super.ag_count > 0 && super.ag_blocks_log <= 31 &&
         super.ag_blocks <= std::uint64_t{1} << super.ag_blocks_log &&
         super.inode_per_block_log == log_of(super.block_size / super.inode_size) &&
         super.directory_block_log <= 7 &&
         (std::uint64_t{super.block_size} << super.directory_block_log) <= 65536 && big(sb, 121, 1) <= 15;
}

/// Seconds and nanoseconds, or nanoseconds since 1901 in one number.
std::optional<TimeUs> time_at(std::span<const std::byte> inode, std::size_t at, bool big_time) {
  const std::uint64_t raw = big(inode, at, 8);
  if (raw == 0) return std::nullopt;
  if (big_time) {
    constexpr std::int64_t kEpoch = -(std::int64_t{1} << 31);
    const std::int64_t time = kEpoch * 1'000'000 + static_cast<std::int64_t>(raw / 1000);
    return time == 0 ? std::nullopt : std::optional<TimeUs>(time);
  }
  const auto seconds = static_cast<std::int32_t>(big(inode, at, 4));
  return std::int64_t{seconds} * 1'000'000 +
         static_cast<std::int64_t>(big(inode, at + 4, 4) / 1000 % 1'000'000);
}

class ContentSource : public ByteSource {
 public:
  ContentSource(ByteSource& volume, std::vector<XfsExtent> extents, std::uint32_t block, std::uint64_t size)
      : volume_(volume), extents_(std::move(extents)), block_(block), size_(size) {}
  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    std::fill(out.begin(), out.end(), std::byte{0});  // holes
    const auto after = [&](std::uint64_t at, const XfsExtent& e) {
      return at < (e.file_block + e.count) * block_;
    };
    auto extent = std::upper_bound(extents_.begin(), extents_.end(), offset, after);
    for (; extent != extents_.end() && extent->file_block * block_ < offset + out.size(); ++extent) {
      if (!extent->written) continue;
      const std::uint64_t start = extent->file_block * block_;
      const std::uint64_t from = std::max(offset, start);
      const std::uint64_t to = std::min(offset + out.size(), start + extent->count * block_);
      const std::uint64_t place = extent->offset + (from - start);
      const auto part = out.subspan(from - offset, to - from);
      const auto got = volume_.read_at(place, part);
      if (!got) return got.error();
      if (*got < part.size())
        gaps_.emplace_back(Gap{from + *got, part.size() - *got, "the volume ends before it"});
    }
    return out.size();
  }

  std::vector<Gap> gaps() const override {
    std::vector<Gap> all(gaps_.begin(),
                         gaps_.begin() + static_cast<std::ptrdiff_t>(std::min(gaps_.size(), kMaxGaps)));
    for (const Gap& gap : volume_.gaps()) {
      for (const XfsExtent& extent : extents_) {
        const std::uint64_t from = std::max(gap.offset, extent.offset);
        const std::uint64_t to = std::min(gap.offset + gap.length, extent.offset + extent.count * block_);
        if (!extent.written || from >= to || all.size() >= kMaxGaps) continue;
        const std::uint64_t at = extent.file_block * block_ + (from - extent.offset);
        if (at < size_) all.push_back({at, std::min(to - from, size_ - at), gap.reason, gap.place_of(from)});
      }
    }
    return all;
  }

 private:
  ByteSource& volume_;
  std::vector<XfsExtent> extents_;
  std::uint64_t block_, size_;
  std::vector<Gap> gaps_;
};

}  // namespace

std::optional<Result<XfsSuper>> read_xfs_super(ByteSource& volume) {
  const auto sb = bytes_at(volume, 0, 512);
  if (sb.size() < 512 || big(sb, 0, 4) != kSuperMagic) return std::nullopt;
  XfsSuper super;
  super.block_size = static_cast<std::uint32_t>(big(sb, 4, 4));
  super.blocks = big(sb, 8, 8);
  super.uuid = uuid_text(sb, 32);
  super.root_inode = big(sb, 56, 8);
  super.ag_blocks = static_cast<std::uint32_t>(big(sb, 84, 4));
  super.ag_count = static_cast<std::uint32_t>(big(sb, 88, 4));
  super.version = static_cast<int>(big(sb, 100, 2) & 15);
  super.sector_size = static_cast<std::uint32_t>(big(sb, 102, 2));
  super.inode_size = static_cast<std::uint32_t>(big(sb, 104, 2));
  for (std::size_t i = 108; i < 120 && sb[i] != std::byte{0}; ++i)
    super.label.push_back(static_cast<char>(sb[i]));
  super.label = to_valid_utf8(super.label);
  super.inode_per_block_log = static_cast<unsigned>(big(sb, 123, 1));
  super.ag_blocks_log = static_cast<unsigned>(big(sb, 124, 1));
  super.directory_block_log = static_cast<unsigned>(big(sb, 192, 1));
  if (!is_sound(super, sb))
    return Result<XfsSuper>(Error{ErrorCode::corrupt, "the XFS superblock is damaged"});
  if (super.version != 4 && super.version != 5) {
    super.unknown_features = "version " + std::to_string(super.version);
  } else {
    read_features(sb, super);
  }
  return Result<XfsSuper>(std::move(super));
}

Result<std::unique_ptr<XfsVolume>> XfsVolume::open(std::unique_ptr<ByteSource> volume) {
  auto super = read_xfs_super(*volume);
  if (!super) return Error{ErrorCode::corrupt, "no XFS superblock"};
  if (!*super) return super->error();
  if (!(*super)->unknown_features.empty())
    return Error{ErrorCode::unsupported, "XFS with " + (*super)->unknown_features + " is not read"};
  return std::unique_ptr<XfsVolume>(new XfsVolume(std::move(volume), super->take()));
}

std::optional<std::uint64_t> XfsVolume::block_offset(std::uint64_t number) const {
  const std::uint64_t group = number >> super_.ag_blocks_log;
  const std::uint64_t inside = number & ((std::uint64_t{1} << super_.ag_blocks_log) - 1);
  if (group >= super_.ag_count || inside >= super_.ag_blocks) return std::nullopt;
  return (group * super_.ag_blocks + inside) * super_.block_size;
}

std::vector<std::byte> XfsVolume::block(std::uint64_t number) {
  const auto offset = block_offset(number);
  if (!offset) return {};
  auto bytes = bytes_at(*volume_, *offset, super_.block_size);
  if (bytes.size() < super_.block_size) bytes.clear();
  return bytes;
}

Result<XfsInode> XfsVolume::inode(std::uint64_t number) {
  const std::uint64_t place = number >> super_.inode_per_block_log;
  const auto offset = block_offset(place);
  const std::uint64_t inside = number & ((std::uint64_t{1} << super_.inode_per_block_log) - 1);
  if (!offset)
    return Error{ErrorCode::not_found, "inode " + std::to_string(number) + " lies outside the volume"};
  const auto raw = bytes_at(*volume_, *offset + inside * super_.inode_size, super_.inode_size);
  const int version = static_cast<int>(big(raw, 4, 1));
  if (raw.size() < super_.inode_size || big(raw, 0, 2) != kInodeMagic || version < 1 || version > 3 ||
      (version == 3 && big(raw, 152, 8) != number)) {
    return Error{ErrorCode::corrupt, "there is no inode " + std::to_string(number)};
  }
  XfsInode inode;
  inode.number = number;
  inode.mode = static_cast<std::uint32_t>(big(raw, 2, 2));
  inode.data_format = static_cast<int>(big(raw, 5, 1));
  inode.uid = static_cast<std::uint32_t>(big(raw, 8, 4));
  inode.gid = static_cast<std::uint32_t>(big(raw, 12, 4));
  inode.links = static_cast<std::uint32_t>(version == 1 ? big(raw, 6, 2) : big(raw, 16, 4));
  const bool big_time = version == 3 && (big(raw, 120, 8) & kInodeBigTime) != 0;
  inode.times.accessed = time_at(raw, 32, big_time);
  inode.times.modified = time_at(raw, 40, big_time);
  inode.times.changed = time_at(raw, 48, big_time);
  if (version == 3) inode.times.created = time_at(raw, 144, big_time);
  inode.size = big(raw, 56, 8);
  inode.extents = super_.wide_counts ? big(raw, 24, 8) : big(raw, 76, 4);
  inode.attribute_extents = super_.wide_counts ? big(raw, 76, 4) : big(raw, 80, 2);
  inode.attribute_format = static_cast<int>(big(raw, 83, 1));
  inode.flags = static_cast<std::uint32_t>(big(raw, 90, 2));
  inode.generation = static_cast<std::uint32_t>(big(raw, 92, 4));
  const std::size_t core = version == 3 ? 176 : 100;
  const std::size_t fork = static_cast<std::size_t>(big(raw, 82, 1)) * 8;
  const std::size_t end = fork == 0 || core + fork > raw.size() ? raw.size() : core + fork;
  inode.data_fork.assign(raw.begin() + static_cast<std::ptrdiff_t>(core),
                         raw.begin() + static_cast<std::ptrdiff_t>(end));
  inode.attribute_fork.assign(raw.begin() + static_cast<std::ptrdiff_t>(end), raw.end());
  return inode;
}

bool XfsVolume::add_extent(std::span<const std::byte> record, std::vector<XfsExtent>& extents) const {
  const std::uint64_t high = big(record, 0, 8), low = big(record, 8, 8);
  XfsExtent extent;
  extent.written = high >> 63 == 0;
  extent.file_block = (high & ~(std::uint64_t{1} << 63)) >> 9;
  extent.count = low & 0x1fffff;
  const auto offset = block_offset((high & 0x1ff) << 43 | low >> 21);
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;
  if (extent.file_block > kMostBytes / super_.block_size) return false;
  const bool in_order =
      extents.empty() || extent.file_block >= extents.back().file_block + extents.back().count;
  if (!offset || extent.count == 0 || !in_order || extents.size() >= kMaxExtents) return false;
  extent.offset = *offset;
  extents.push_back(extent);
  return true;
}

Status XfsVolume::walk_tree(std::uint64_t number, int level, std::vector<XfsExtent>& extents) {
  const auto bytes = block(number);
  const bool crc = super_.version == 5;
  const std::size_t header = crc ? 72 : 24;
  const std::size_t records = static_cast<std::size_t>(big(bytes, 6, 2));
  const std::size_t room = bytes.size() < header ? 0 : (bytes.size() - header) / 16;
  if (bytes.empty() || big(bytes, 0, 4) != (crc ? kTreeMagicCrc : kTreeMagic) ||
      static_cast<int>(big(bytes, 4, 2)) != level || records > room) {
    return Error{ErrorCode::corrupt, "a block of the extent tree is damaged"};
  }
  for (std::size_t i = 0; i < records; ++i) {
    if (level == 0) {
      if (!add_extent(std::span(bytes).subspan(header + 16 * i, 16), extents))
        return Error{ErrorCode::corrupt, "an extent makes no sense"};
      continue;
    }
    // Levels fall by one each time and every leaf must add to the file in order: this ends.
    const std::size_t before = extents.size();
    Status below = walk_tree(big(bytes, header + 8 * room + 8 * i, 8), level - 1, extents);
    if (!below) return below;
    if (extents.size() == before) return Error{ErrorCode::corrupt, "the extent tree has an empty block"};
  }
  return {};
}

Result<std::vector<XfsExtent>> XfsVolume::extents(const XfsInode& inode) {
  std::vector<XfsExtent> extents;
  const auto fork = std::span(inode.data_fork);
  if (inode.data_format == kExtents) {
    if (inode.extents > fork.size() / 16)
      return Error{ErrorCode::corrupt, "the inode claims too many extents"};
    for (std::size_t i = 0; i < inode.extents; ++i) {
      if (!add_extent(fork.subspan(16 * i, 16), extents))
        return Error{ErrorCode::corrupt, "an extent makes no sense"};
    }
    return extents;
  }
  if (inode.data_format != kTree || fork.size() < 4)
    return Error{ErrorCode::corrupt, "the inode has no extents"};
  const int level = static_cast<int>(big(fork, 0, 2));
  const std::size_t records = static_cast<std::size_t>(big(fork, 2, 2)), room = (fork.size() - 4) / 16;
  if (level < 1 || level > kMaxLevels || records > room)
    return Error{ErrorCode::corrupt, "the root of the extent tree is damaged"};
  for (std::size_t i = 0; i < records; ++i) {
    const Status walked = walk_tree(big(fork, 4 + 8 * room + 8 * i, 8), level - 1, extents);
    if (!walked) return walked.error();
  }
  return extents;
}

Result<std::unique_ptr<ByteSource>> XfsVolume::content(const XfsInode& inode) {
  if (inode.on_realtime_device())
    return Error{ErrorCode::unsupported, "its data lie on a separate realtime device"};
  if (inode.size > std::uint64_t{1} << 62)
    return Error{ErrorCode::corrupt, "the size of the file makes no sense"};
  if (inode.data_format == kLocal) {
    auto bytes = inode.data_fork;
    bytes.resize(std::min<std::uint64_t>(bytes.size(), inode.size));
    return make_memory_source(std::move(bytes));
  }
  auto list = extents(inode);
  if (!list) return list.error();
  return std::unique_ptr<ByteSource>(
      std::make_unique<ContentSource>(*volume_, list.take(), super_.block_size, inode.size));
}

Result<std::string> XfsVolume::link_target(const XfsInode& inode) {
  constexpr std::uint64_t kMaxTarget = 1024;
  if (inode.size > kMaxTarget) return Error{ErrorCode::corrupt, "the target of the link is too long"};
  if (inode.data_format == kLocal) {
    const std::size_t size = std::min<std::size_t>(inode.data_fork.size(), inode.size);
    return std::string(reinterpret_cast<const char*>(inode.data_fork.data()), size);
  }
  const auto list = extents(inode);
  if (!list) return list.error();
  // Version 5 puts a header into each block.
  const std::size_t header = super_.version == 5 ? 56 : 0;
  std::string target;
  for (const XfsExtent& extent : *list) {
    for (std::uint64_t i = 0; i < extent.count && target.size() < inode.size; ++i) {
      const auto bytes = bytes_at(*volume_, extent.offset + i * super_.block_size, super_.block_size);
      if (bytes.size() <= header) return Error{ErrorCode::corrupt, "the target of the link cannot be read"};
      const std::size_t wanted = std::min<std::size_t>(bytes.size() - header, inode.size - target.size());
      target.append(reinterpret_cast<const char*>(bytes.data()) + header, wanted);
    }
  }
  return target;
}

std::vector<std::pair<std::string, std::string>> XfsVolume::attributes(const XfsInode& inode,
                                                                       bool& all) const {
  std::vector<std::pair<std::string, std::string>> found;
  const auto fork = std::span(inode.attribute_fork);
  all = fork.empty() || inode.attribute_format == kLocal || inode.attribute_extents == 0;
  if (fork.size() < 4 || inode.attribute_format != kLocal) return found;
  const std::size_t end = std::min<std::size_t>(static_cast<std::size_t>(big(fork, 0, 2)), fork.size());
  std::size_t at = 4;
  for (std::uint64_t i = 0; i < big(fork, 2, 1); ++i) {
    const std::size_t name = static_cast<std::size_t>(big(fork, at, 1)),
                      value = static_cast<std::size_t>(big(fork, at + 1, 1));
    const auto flags = big(fork, at + 2, 1);
    if (at + 3 + name + value > end) {
      all = false;
      break;
    }
    const auto* text = reinterpret_cast<const char*>(fork.data()) + at + 3;
    const char* space = (flags & 2) != 0 ? "trusted." : (flags & 4) != 0 ? "security." : "user.";
    if ((flags & 8) == 0)
      found.emplace_back(space + std::string(text, name), std::string(text + name, value));
    at += 3 + name + value;
  }
  return found;
}

Result<std::vector<ByteRange>> XfsVolume::free_ranges(std::uint32_t group) {
  const std::uint64_t base = std::uint64_t{group} * super_.ag_blocks * super_.block_size;
  const auto agf = bytes_at(*volume_, base + super_.sector_size, 128);
  if (big(agf, 0, 4) != kFreeMagic)
    return Error{ErrorCode::corrupt, "the free space of an allocation group is not there"};
  const bool crc = super_.version == 5;
  const std::size_t header = crc ? 56 : 16;
  std::uint64_t number = big(agf, 16, 4);
  int level = static_cast<int>(big(agf, 28, 4)) - 1;
  std::vector<ByteRange> ranges;
  std::uint64_t visited = 0;
  // Down the leftmost branch, then along the leaves.
  while (number < super_.ag_blocks && ++visited <= super_.ag_blocks && level >= 0 && level <= kMaxLevels) {
    const auto bytes = bytes_at(*volume_, base + number * super_.block_size, super_.block_size);
    const std::size_t records = static_cast<std::size_t>(big(bytes, 6, 2));
    if (bytes.size() < super_.block_size || big(bytes, 0, 4) != (crc ? kFreeTreeCrc : kFreeTree) ||
        static_cast<int>(big(bytes, 4, 2)) != level) {
      return Error{ErrorCode::corrupt, "the free space tree is damaged"};
    }
    if (level > 0) {
      const std::size_t room = (bytes.size() - header) / 12;
      number = big(bytes, header + 8 * room, 4);
      --level;
      continue;
    }
    for (std::size_t i = 0; i < records && header + 8 * i + 8 <= bytes.size(); ++i) {
      const std::uint64_t start = big(bytes, header + 8 * i, 4), count = big(bytes, header + 8 * i + 4, 4);
      const std::uint64_t offset = base + start * super_.block_size;
      if (start + count > super_.ag_blocks ||
          (!ranges.empty() && offset < ranges.back().offset + ranges.back().length))
        return Error{ErrorCode::corrupt, "the free space tree is damaged"};
      ranges.push_back({offset, count * super_.block_size});
    }
    number = big(bytes, 12, 4);
    if (number == 0xffffffff) return ranges;
  }
  return Error{ErrorCode::corrupt, "the free space tree is damaged"};
}

}  // namespace touchstone::detail

#include "filesystem/xfs_directory.hpp"

#include <algorithm>

#include "filesystem/partition_table.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint64_t kMaxDirectory = std::uint64_t{1} << 30;
constexpr std::size_t kMaxNames = 4'000'000;
constexpr std::uint16_t kUnused = 0xffff;

std::string text(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  return std::string(reinterpret_cast<const char*>(bytes.data()) + at, size);
}

bool is_dot(const std::string& name) {
  return name == "." || name == "..";
}

/// Bytes that an entry takes: inode, length, name, type, and its own offset as a mark, to a multiple of 8.
std::size_t entry_size(std::size_t name, bool has_types) {
  return (8 + 1 + name + (has_types ? 1 : 0) + 2 + 7) / 8 * 8;
}

/// The short form: all entries inside the inode.
std::vector<XfsName> read_short(const XfsInode& directory, bool has_types) {
  std::vector<XfsName> names;
  const auto fork = std::span(directory.data_fork);
  const std::size_t count = static_cast<std::size_t>(big(fork, 0, 1));
  const std::size_t wide = big(fork, 1, 1) != 0 ? 8 : 4;
  std::size_t at = 2 + wide;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = static_cast<std::size_t>(big(fork, at, 1));
    const std::size_t after = at + 3 + length;
    if (length == 0 || after + (has_types ? 1 : 0) + wide > fork.size()) break;
    XfsName name{text(fork, at + 3, length), 0, 0, false};
    if (has_types) name.type = static_cast<int>(big(fork, after, 1));
    name.inode = big(fork, after + (has_types ? 1 : 0), wide);
    names.push_back(std::move(name));
    at = after + (has_types ? 1 : 0) + wide;
  }
  return names;
}

/// Names left in a stretch that is free. Each entry ends with its own offset or, once it was joined to free
/// space before it, with the start of that: this tells a real one. Of its inode number the upper half is
/// overwritten where the stretch began.
void read_unused(std::span<const std::byte> block, std::size_t from, std::size_t to, bool has_types,
                 std::vector<XfsName>& names) {
  std::size_t at = from;
  while (at + 16 <= to) {
    const std::size_t length = static_cast<std::size_t>(big(block, at + 8, 1));
    const std::size_t size = entry_size(length, has_types);
    const std::uint64_t mark = at + size <= to ? big(block, at + size - 2, 2) : 0;
    if (length == 0 || at + size > to || mark < from || mark > at || mark % 8 != 0) {
      at += 8;
      continue;
    }
    XfsName name{text(block, at + 9, length), 0, 0, true};
    name.inode = big(block, at, 2) == kUnused ? big(block, at + 4, 4) : big(block, at, 8);
    if (has_types) name.type = static_cast<int>(big(block, at + 9 + length, 1));
    const bool plain = name.name.find('\0') == std::string::npos && name.name.find('/') == std::string::npos;
    if (plain && !is_dot(name.name) && name.inode != 0) names.push_back(std::move(name));
    at += size;
  }
}

/// Where entries begin and end in a block of a directory; nothing for a block that is none.
struct Frame {
  std::size_t header = 0, end = 0;
};
std::optional<Frame> frame_of(std::span<const std::byte> block) {
  Frame frame{0, block.size()};
  bool single = false;
  switch (big(block, 0, 4)) {
    case 0x58443242:  // "XD2B"
      single = true;
      [[fallthrough]];
    case 0x58443244:  // "XD2D"
      frame.header = 16;
      break;
    case 0x58444233:  // "XDB3"
      single = true;
      [[fallthrough]];
    case 0x58444433:  // "XDD3"
      frame.header = 64;
      break;
    default:
      return std::nullopt;
  }
  if (!single) return frame;
  // The only block of a directory keeps its hash index at its end.
  const std::uint64_t index = big(block, block.size() - 8, 4) * 8 + 8;
  if (index + frame.header > block.size()) return std::nullopt;
  frame.end = block.size() - static_cast<std::size_t>(index);
  return frame;
}

}  // namespace

void read_xfs_directory_block(std::span<const std::byte> block, std::size_t header, std::size_t end,
                              bool has_types, std::vector<XfsName>& names) {
  std::size_t at = header;
  while (at + 16 <= end) {
    if (big(block, at, 2) == kUnused) {
      const std::size_t length = static_cast<std::size_t>(big(block, at + 2, 2));
      if (length < 8 || length % 8 != 0 || at + length > end) return;
      read_unused(block, at, at + length, has_types, names);
      at += length;
      continue;
    }
    const std::size_t length = static_cast<std::size_t>(big(block, at + 8, 1));
    const std::size_t size = entry_size(length, has_types);
    if (length == 0 || at + size > end) return;
    XfsName name{text(block, at + 9, length), big(block, at, 8), 0, false};
    if (has_types) name.type = static_cast<int>(big(block, at + 9 + length, 1));
    if (!is_dot(name.name)) names.push_back(std::move(name));
    at += size;
  }
}

Result<std::vector<XfsName>> read_xfs_directory(XfsVolume& volume, const XfsInode& directory,
                                                const std::string& path, std::vector<Problem>& problems) {
  constexpr int kLocal = 1;
  const bool has_types = volume.super().file_types;
  if (directory.data_format == kLocal) return read_short(directory, has_types);
  auto source = volume.content(directory);
  if (!source) return source.error();
  const std::size_t block_size = std::size_t{volume.super().block_size} << volume.super().directory_block_log;
  const std::uint64_t size = std::min((*source)->size(), kMaxDirectory);
  const auto say = [&](ProblemKind kind, const std::string& what) {
    problems.push_back(volume_problem(kind, (path.empty() ? "/" : path) + ": " + what));
  };
  if ((*source)->size() > kMaxDirectory) say(ProblemKind::limit, "the directory is read to its first GiB");
  std::vector<XfsName> names;
  std::vector<std::byte> block(block_size);
  std::size_t damaged = 0;
  for (std::uint64_t at = 0; at + block_size <= size && names.size() < kMaxNames; at += block_size) {
    const auto got = (*source)->read_at(at, block);
    if (!got) return got.error();
    if (const auto frame = frame_of(block)) {
      read_xfs_directory_block(block, frame->header, frame->end, has_types, names);
    } else if (std::any_of(block.begin(), block.end(), [](std::byte b) { return b != std::byte{0}; })) {
      ++damaged;
    }
  }
  if (names.size() >= kMaxNames)
    say(ProblemKind::limit, "the directory has too many names: the rest is left out");
  if (damaged > 0) {
    say(ProblemKind::corrupt, std::to_string(damaged) + " block" + (damaged == 1 ? "" : "s") +
                                  " of the directory cannot be understood: names may be missing");
  }
  for (const Gap& gap : (*source)->gaps())
    say(ProblemKind::unreadable,
        std::to_string(gap.length) + " bytes of the directory cannot be read: " + gap.reason);
  return names;
}

}  // namespace touchstone::detail

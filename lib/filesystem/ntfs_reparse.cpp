#include "filesystem/ntfs_reparse.hpp"

#include <fmt/format.h>

#include <array>

#include "filesystem/partition_table.hpp"
#include "filesystem/volume_signature.hpp"

namespace touchstone::detail {
namespace {

struct Tag {
  std::uint32_t tag;
  const char* kind;
  const char* unread;
};

constexpr std::array kTags = {
    Tag{0xa0000003, "mount_point", ""},
    Tag{0xa000000c, "symlink", ""},
    Tag{0x8000001b, "app_link", ""},
    Tag{0xa000001d, "linux_symlink", ""},
    Tag{0x80000017, "wof",
        "compressed by Windows (CompactOS); its bytes are in the stream WofCompressedData, which is "
        "not unpacked"},
    Tag{0x80000013, "deduplicated",
        "deduplicated by Windows: its bytes are in the chunk store of the volume"},
    Tag{0x80000018, "wci", ""},
    Tag{0xc0000004, "hierarchical_storage", "moved to other storage: its bytes are not on the volume"},
};

/// Names are given by offset and length in bytes from the start of the path buffer.
std::string name_at(std::span<const std::byte> data, std::size_t buffer, std::size_t field) {
  const auto offset = static_cast<std::size_t>(little(data, field, 2));
  const auto length = static_cast<std::size_t>(little(data, field + 2, 2));
  if (buffer + offset > data.size() || length > data.size() - buffer - offset) return "";
  return utf16_text(data.subspan(buffer + offset, length));
}

}  // namespace

ReparsePoint parse_reparse_point(std::span<const std::byte> data) {
  constexpr std::size_t kHeader = 8;
  ReparsePoint point;
  if (data.size() < kHeader) return point;
  const auto tag = static_cast<std::uint32_t>(little(data, 0, 4));
  point.kind = fmt::format("0x{:08x}", tag);
  for (const Tag& known : kTags) {
    if (known.tag != tag) continue;
    point.kind = known.kind;
    point.unread = known.unread;
  }
  if (point.kind == "symlink" || point.kind == "mount_point") {
    const std::size_t buffer = kHeader + (point.kind == "symlink" ? 12 : 8);
    point.target = name_at(data, buffer, kHeader + 4);
    if (point.target.empty()) point.target = name_at(data, buffer, kHeader);
  }
  return point;
}

}  // namespace touchstone::detail

#include "filesystem/udf_label.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "model/locator.hpp"

namespace touchstone {
namespace {

enum Tag : std::uint32_t { kPrimary = 1, kAnchor = 2, kLogical = 6, kTerminator = 8 };

constexpr std::size_t kDescriptorBytes = 512;
constexpr std::uint32_t kMaxDescriptors = 64;  // of a sequence: 16 are usual

constexpr std::array<std::uint64_t, 4> kSectorSizes = {4096, 2048, 1024, 512};

struct Anchor {
  std::uint64_t sector_size = 0, first = 0, sectors = 0;
};

std::uint32_t little(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

/// The descriptor at `offset`, if its tag's checksum is right; else empty.
std::vector<std::byte> descriptor(ByteSource& volume, std::uint64_t offset) {
  std::vector<std::byte> bytes(kDescriptorBytes);
  const auto got = volume.read_at(offset, bytes);
  if (!got || *got < bytes.size()) return {};
  unsigned sum = 0;
  for (std::size_t i = 0; i < 16; ++i) sum += i == 4 ? 0 : std::to_integer<unsigned>(bytes[i]);
  if ((sum & 0xff) != std::to_integer<unsigned>(bytes[4])) return {};
  return bytes;
}

std::optional<Anchor> find_anchor(ByteSource& volume) {
  // An image may hold the descriptors of several sizes of sectors; util-linux takes the largest.
  for (const std::uint64_t size : kSectorSizes) {
    const std::uint64_t sectors = volume.size() / size;
    // An open session has its anchor at 512; a closed disc has further ones at its end.
    for (const std::uint64_t sector : {std::uint64_t{256}, std::uint64_t{512}, sectors - 1, sectors - 257}) {
      if (sector >= sectors) continue;
      const auto found = descriptor(volume, sector * size);
      if (found.empty() || little(found, 0, 2) != kAnchor || little(found, 12, 4) != sector) continue;
      return Anchor{size, little(found, 20, 4), little(found, 16, 4) / size};
    }
  }
  return std::nullopt;
}

/// A dstring: how its characters are stored, the characters, and in its last byte the length of both.
std::string dstring(std::span<const std::byte> field) {
  const std::size_t length = std::min(std::to_integer<std::size_t>(field.back()), field.size() - 1);
  if (length < 1) return "";
  const unsigned form = std::to_integer<unsigned>(field[0]);
  std::string text;
  const auto put = [&](std::uint32_t code) {
    if (code < 0x80) {
      text.push_back(static_cast<char>(code));
      return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::array<std::uint32_t, 4> kLead = {0, 0xc0, 0xe0, 0xf0};
    text.push_back(static_cast<char>(kLead[static_cast<std::size_t>(more)] | code >> (6 * more)));
    for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3f)));
  };
  if (form == 8 || form == 254) {
    for (std::size_t i = 1; i < length; ++i) put(std::to_integer<std::uint32_t>(field[i]));
  }
  if (form == 16 || form == 255) {
    const auto unit = [&](std::size_t at) {
      return std::to_integer<std::uint32_t>(field[at]) << 8 | std::to_integer<std::uint32_t>(field[at + 1]);
    };
    for (std::size_t i = 1; i + 1 < length; i += 2) {
      std::uint32_t code = unit(i);
      if (code >= 0xd800 && code < 0xdc00 && i + 3 < length && unit(i + 2) >= 0xdc00 &&
          unit(i + 2) < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10 | (unit(i + 2) - 0xdc00));
        i += 2;
      }
      put(code);
    }
  }
  text.resize(std::min(text.find('\0'), text.size()));
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return to_valid_utf8(text);
}

}  // namespace

UdfNames udf_names(ByteSource& volume) {
  UdfNames names;
  const auto anchor = find_anchor(volume);
  if (!anchor) return names;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(anchor->sectors, kMaxDescriptors); ++i) {
    const auto found = descriptor(volume, (anchor->first + i) * anchor->sector_size);
    if (found.empty()) break;
    const std::span<const std::byte> bytes(found);
    const std::uint32_t tag = little(bytes, 0, 2);
    if (tag == kPrimary) names.volume_set = dstring(bytes.subspan(72, 128));
    if (tag == kLogical) names.label = dstring(bytes.subspan(84, 128));
    if (tag == kTerminator) break;
  }
  return names;
}

}  // namespace touchstone

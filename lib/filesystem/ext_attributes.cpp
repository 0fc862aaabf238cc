#include "filesystem/ext_attributes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "evidence/integers.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint64_t kMagic = 0xEA020000;
constexpr std::size_t kFirstFields = 128, kEntry = 16, kBlockHeader = 32;

/// By the number that an entry has instead of it; empty for those that are whole names, and unknown ones.
std::string_view prefix_of(std::uint64_t index) {
  constexpr std::array<std::string_view, 9> kPrefixes = {
      "", "user.", "", "", "trusted.", "", "security.", "system.", "system.richacl"};
  if (index == 2) return "system.posix_acl_access";
  if (index == 3) return "system.posix_acl_default";
  return index < kPrefixes.size() ? kPrefixes[index] : std::string_view();
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Entries from `first` on; offsets of values count from `base`.
void take(std::span<const std::byte> bytes, std::size_t first, std::size_t base, ExtAttributes& found) {
  constexpr std::uint64_t kEncryption = 9;
  std::uint64_t left = bytes.size();  // values do not share bytes: together they are no larger
  for (std::size_t at = first; at + 4 <= bytes.size() && little(bytes, at, 4) != 0;) {
    const std::uint64_t length = little(bytes, at, 1),
                        index = at + 1 < bytes.size() ? little(bytes, at + 1, 1) : 0;
    if (at + kEntry + length > bytes.size()) {
      found.is_whole = false;
      return;
    }
    const std::uint64_t offset = base + little(bytes, at + 2, 2), size = little(bytes, at + 8, 4);
    const bool elsewhere = little(bytes, at + 4, 4) != 0;
    std::string name(prefix_of(index));
    name += text_of(bytes.subspan(at + kEntry, static_cast<std::size_t>(length)));
    if (name.empty() || elsewhere || offset > bytes.size() ||
        size > std::min<std::uint64_t>(left, bytes.size() - offset)) {
      found.is_whole = false;
    } else if (index != kEncryption && name != "system.data") {
      left -= size;
      // The context of fscrypt is no attribute, and system.data is the file's own content.
      found.list.emplace_back(std::move(name), text_of(bytes.subspan(static_cast<std::size_t>(offset),
                                                                     static_cast<std::size_t>(size))));
    }
    at += kEntry + static_cast<std::size_t>((length + 3) / 4 * 4);
  }
}

}  // namespace

std::string attribute_text(std::string_view value) {
  constexpr std::size_t kLongest = 4096, kLongestBinary = 256;
  constexpr std::string_view kDigits = "0123456789abcdef";
  // Labels of SELinux end with a zero.
  const std::string_view whole = value.ends_with('\0') ? value.substr(0, value.size() - 1) : value;
  const bool is_text = to_valid_utf8(whole) == whole && std::none_of(whole.begin(), whole.end(), [](char c) {
                         return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
                       });
  if (is_text) return to_valid_utf8(whole.substr(0, kLongest));
  std::string text = "0x";
  for (const char c : value.substr(0, kLongestBinary)) {
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

ExtAttributes parse_ext_attributes(std::span<const std::byte> inode, std::span<const std::byte> block) {
  ExtAttributes found;
  if (inode.size() >= kFirstFields + 4) {
    const std::size_t start = kFirstFields + static_cast<std::size_t>(little(inode, kFirstFields, 2));
    if (start + 4 <= inode.size() && little(inode, start, 4) == kMagic)
      take(inode, start + 4, start + 4, found);
  }
  if (block.empty()) return found;
  if (block.size() < kBlockHeader || little(block, 0, 4) != kMagic) {
    found.is_whole = false;
  } else {
    take(block, kBlockHeader, 0, found);
  }
  return found;
}

}  // namespace touchstone::detail

#include "formats.hpp"

#include <algorithm>

namespace touchstone::recyclebin {
namespace {

std::uint64_t little(Bytes bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

/// UTF-16LE up to its NUL; half a surrogate pair becomes U+FFFD.
std::string utf16_text(Bytes bytes) {
  std::string out;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    auto code = static_cast<std::uint32_t>(little(bytes, at, 2));
    if (code == 0) break;
    if (code >= 0xd800 && code < 0xdc00 && at + 3 < bytes.size()) {
      const auto low = static_cast<std::uint32_t>(little(bytes, at + 2, 2));
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 2;
      }
    }
    append_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return out;
}

/// 100 nanoseconds since 1601 to microseconds since 1970.
std::optional<std::int64_t> time_of(std::uint64_t filetime) {
  constexpr std::uint64_t kEpoch = 116'444'736'000'000'000ULL;
  if (filetime == 0 || filetime > INT64_MAX) return std::nullopt;
  return (static_cast<std::int64_t>(filetime) - static_cast<std::int64_t>(kEpoch)) / 10;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace

std::optional<Deleted> parse_i_file(Bytes bytes) {
  constexpr std::size_t kHeader = 24, kNameBytes = 520;
  if (bytes.size() < kHeader + 4) return std::nullopt;
  const std::uint64_t version = little(bytes, 0, 8);
  Bytes name;
  if (version == 1) {
    // Some writers leave the last byte of the name's place away.
    if (bytes.size() < kHeader + kNameBytes - 1) return std::nullopt;
    name = bytes.subspan(kHeader, std::min(kNameBytes, bytes.size() - kHeader));
  } else if (version == 2) {
    const std::uint64_t length = little(bytes, kHeader, 4) * 2;
    if (length > bytes.size() - kHeader - 4) return std::nullopt;
    name = bytes.subspan(kHeader + 4, static_cast<std::size_t>(length));
  } else {
    return std::nullopt;
  }
  Deleted deleted;
  deleted.format = version == 1 ? "windows-vista" : "windows-10";
  deleted.original = utf16_text(name);
  deleted.size = little(bytes, 8, 8);
  deleted.at = time_of(little(bytes, 16, 8));
  if (deleted.original.empty()) return std::nullopt;
  return deleted;
}

std::optional<std::vector<Deleted>> parse_info2(Bytes bytes) {
  constexpr std::size_t kHeader = 20, kShort = 280, kLong = 800, kAnsi = 260;
  if (bytes.size() < kHeader) return std::nullopt;
  const std::uint64_t version = little(bytes, 0, 4), record = little(bytes, 12, 4);
  if (version > 5 || (record != kShort && record != kLong)) return std::nullopt;
  std::vector<Deleted> all;
  for (std::size_t at = kHeader; bytes.size() - at >= record; at += static_cast<std::size_t>(record)) {
    const Bytes one = bytes.subspan(at, static_cast<std::size_t>(record));
    Deleted deleted;
    deleted.format = "windows-info2";
    // What is restored or removed loses the first character of its old name only.
    deleted.gone = one[0] == 0;
    deleted.index = static_cast<std::uint32_t>(little(one, kAnsi, 4));
    const std::uint64_t drive = little(one, 264, 4);
    if (drive < 26) deleted.drive = static_cast<char>('a' + drive);
    deleted.at = time_of(little(one, 268, 8));
    deleted.size = little(one, 276, 4);
    if (record == kLong) deleted.original = utf16_text(one.subspan(kShort));
    if (deleted.original.empty()) {
      // In the code page of the machine, which is not written down: what is not ASCII stays unknown.
      for (std::size_t i = deleted.gone ? 1 : 0; i < kAnsi && one[i] != 0; ++i) {
        append_utf8(deleted.original, one[i] < 0x80 ? one[i] : 0xfffd);
      }
      if (deleted.gone && deleted.drive != 0) {
        deleted.original.insert(deleted.original.begin(), static_cast<char>(deleted.drive - 'a' + 'A'));
      }
    }
    if (!deleted.original.empty()) all.push_back(std::move(deleted));
  }
  return all;
}

std::optional<Deleted> parse_trashinfo(std::string_view text) {
  Deleted deleted;
  deleted.format = "freedesktop";
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    // The first group is the one that counts, and of a key twice the first.
    if (line.starts_with('[')) {
      if (inside) break;
      inside = line == "[Trash Info]";
    } else if (inside && line.starts_with("Path=") && deleted.original.empty()) {
      deleted.original = percent_decoded(line.substr(5));
    } else if (inside && line.starts_with("DeletionDate=") && deleted.local_time.empty()) {
      deleted.local_time = line.substr(13);
    }
  }
  if (deleted.original.empty()) return std::nullopt;
  return deleted;
}

}  // namespace touchstone::recyclebin

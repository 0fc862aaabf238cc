// Numbers of the SQLite file format as recovery reads them, https://www.sqlite.org/fileformat2.html: varints,
// serial types, the database header, sizes of cells. Nothing here trusts a length: what does not fit is
// absent. Plain functions and values; no thread rules.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "model/result.hpp"

namespace touchstone::sqlite {

using Bytes = std::span<const std::byte>;

inline std::uint8_t at8(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}
inline std::uint16_t at16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>((at8(bytes, at) << 8) | at8(bytes, at + 1));
}
inline std::uint32_t at32(Bytes bytes, std::size_t at) {
  return (static_cast<std::uint32_t>(at16(bytes, at)) << 16) | at16(bytes, at + 2);
}

struct Varint {
  std::uint64_t value = 0;
  std::size_t length = 0;  ///< 0: it does not end within the bytes
};
inline Varint read_varint(Bytes bytes, std::size_t at, std::size_t end) {
  end = std::min(end, bytes.size());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    if (at + i >= end) return {};
    const std::uint8_t byte = at8(bytes, at + i);
    if (i == 8) return {(value << 8) | byte, 9};
    value = (value << 7) | (byte & 0x7fU);
    if (!(byte & 0x80U)) return {value, i + 1};
  }
  return {};
}
/// Bytes that the value takes as a varint.
std::size_t varint_length(std::uint64_t value);

/// Bytes of a value of this serial type; absent for the two that no file may hold.
inline std::optional<std::uint64_t> serial_length(std::uint64_t type) {
  static constexpr std::uint8_t kFixed[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (type < 10) return kFixed[type];
  if (type < 12) return std::nullopt;
  return (type - 12) / 2;
}

enum class TextEncoding : std::uint8_t { utf8 = 1, utf16le = 2, utf16be = 3 };

struct DatabaseHeader {
  std::uint32_t page_size = 0;  ///< 512 to 65536
  std::uint32_t usable = 0;     ///< without the reserved bytes at the end of each page
  std::uint32_t page_count = 0;
  bool page_count_valid = false;
  std::uint32_t first_trunk = 0;
  std::uint32_t free_pages = 0;
  bool auto_vacuum = false;
  TextEncoding encoding = TextEncoding::utf8;
};
/// The first 100 bytes of page 1. Error corrupt.
Result<DatabaseHeader> parse_header(Bytes bytes);

inline bool is_page_size(std::uint32_t size) {
  return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

/// First byte of a b-tree page.
enum PageFlag : std::uint8_t {
  kInteriorIndex = 0x02,
  kInteriorTable = 0x05,
  kLeafIndex = 0x0a,
  kLeafTable = 0x0d
};

/// How much of a payload stays in the page: https://www.sqlite.org/fileformat2.html#b_tree_pages
std::uint32_t local_payload(std::uint64_t payload, std::uint32_t usable, bool table);

}  // namespace touchstone::sqlite

// Small readers of fields that the headers of encrypted volumes share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/integers.hpp"

namespace touchstone::crypt {

inline std::uint16_t little16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(little(bytes, at, 2));
}
inline std::uint32_t little32(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(little(bytes, at, 4));
}
inline std::uint64_t little64(std::span<const std::byte> bytes, std::size_t at) {
  return little(bytes, at, 8);
}
/// Exactly `size` bytes, or none if there are fewer.
inline std::vector<std::byte> read_exactly(ByteSource& source, std::uint64_t offset, std::size_t size) {
  if (offset > source.size() || size > source.size() - offset) return {};
  std::vector<std::byte> bytes(size);
  const auto got = source.read_at(offset, bytes);
  if (!got || *got != size) bytes.clear();
  return bytes;
}

/// Text up to its first zero byte.
inline std::string text_field(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::string text;
  for (const std::byte each : bytes.subspan(at, size)) {
    if (each == std::byte{0}) break;
    text.push_back(static_cast<char>(each));
  }
  return text;
}

/// A GUID in Microsoft's order as "{01234567-89ab-…}".
std::string guid_text(std::span<const std::byte> bytes, std::size_t at);

/// Bytes of hexadecimal digits (an even number of them and nothing else), or none.
std::vector<std::byte> hex_bytes(std::string_view text);

}  // namespace touchstone::crypt

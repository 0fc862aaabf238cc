// Fields of a tar header block. Internal to lib/filesystem/trees.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "model/types.hpp"

namespace touchstone {

/// Text up to the first zero byte, or the whole field; a number's field whole.
inline std::string_view tar_field(std::span<const std::byte> block, std::size_t offset, std::size_t size) {
  const auto* begin = reinterpret_cast<const char*>(block.data() + offset);
  // The marker of a binary number stands in the first byte; zeros inside belong to it.
  if ((begin[0] & 0x80) != 0 && size <= 12) return {begin, size};
  const void* zero = std::memchr(begin, 0, size);
  return {begin, zero == nullptr ? size : static_cast<std::size_t>(static_cast<const char*>(zero) - begin)};
}

/// Octal digits, or GNU's base 256; nothing if it is neither, negative, or does not fit in 64 bits.
std::optional<std::uint64_t> tar_number(std::string_view field);
/// Seconds, negative ones in base 256 too; nothing where the field is empty.
std::optional<TimeUs> tar_time(std::string_view field);

}  // namespace touchstone

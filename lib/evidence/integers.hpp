// Unsigned integers as evidence stores them. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace touchstone {

/// The integer of `size` bytes (at most 8) at `at`; 0 where `bytes` ends before.
inline std::uint64_t little(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

inline std::uint64_t big(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

}  // namespace touchstone

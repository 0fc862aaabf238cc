// Pieces of the EWF section layout that the walk over a segment and the reading of its sections share.
// Format: Joachim Metz, "Expert Witness Compression Format specification", section 3.
#pragma once

#include <libdeflate.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace touchstone::ewf {

constexpr std::size_t kDescriptorSize = 76;  ///< type 16, next 8, size 8, padding 40, Adler-32 4
constexpr std::size_t kTypeSize = 16;

inline std::uint64_t little_endian(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
  return value;
}

inline void store_little_endian(std::byte* at, std::size_t bytes, std::uint64_t value) {
  for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i) & 255);
}

/// Adler-32 of RFC 1950.
inline std::uint32_t adler32(std::span<const std::byte> bytes) {
  return libdeflate_adler32(1, bytes.data(), bytes.size());
}

/// True if the last four bytes are the Adler-32 of those before.
inline bool checksum_fits(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 &&
         adler32(bytes.first(bytes.size() - 4)) == little_endian(bytes.data() + bytes.size() - 4, 4);
}

inline void fit_checksum(std::span<std::byte> bytes) {
  store_little_endian(bytes.data() + bytes.size() - 4, 4, adler32(bytes.first(bytes.size() - 4)));
}

}  // namespace touchstone::ewf

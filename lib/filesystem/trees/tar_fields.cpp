#include "filesystem/trees/tar_fields.hpp"

namespace touchstone {

std::optional<std::uint64_t> tar_number(std::string_view field) {
  if (field.empty()) return std::nullopt;
  std::uint64_t value = 0;
  if ((field[0] & 0x80) != 0) {
    if (static_cast<unsigned char>(field[0]) == 0xFF) return std::nullopt;
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte = static_cast<unsigned char>(i == 0 ? field[0] & 0x7F : field[i]);
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  bool digits = false;
  for (const char c : field) {
    if (c == ' ' && !digits) continue;
    if (c < '0' || c > '7') break;
    if (value >> 61 != 0) return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
    digits = true;
  }
  return digits ? std::optional(value) : std::nullopt;
}

std::optional<TimeUs> tar_time(std::string_view field) {
  constexpr std::int64_t kMost = std::int64_t{1} << 43;  // microseconds stay inside 64 bits
  std::int64_t seconds = 0;
  if (!field.empty() && static_cast<unsigned char>(field[0]) == 0xFF) {
    // Negative: two's complement in base 256.
    std::uint64_t bits = UINT64_MAX;
    for (const char c : field) bits = bits << 8 | static_cast<unsigned char>(c);
    seconds = static_cast<std::int64_t>(bits);
  } else {
    const auto value = tar_number(field);
    if (!value || *value > static_cast<std::uint64_t>(kMost)) return std::nullopt;
    seconds = static_cast<std::int64_t>(*value);
  }
  if (seconds > kMost || seconds < -kMost) return std::nullopt;
  return seconds * 1'000'000;
}

}  // namespace touchstone

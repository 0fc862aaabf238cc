// Pixels as a PNG file (RFC 2083), without loss. Rows come top to bottom, each padded to whole bytes as PDF
// has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchstone::documents {

struct PixelForm {
  std::uint32_t width = 0, height = 0;
  unsigned bits = 8;      ///< 1, 2, 4, 8 or 16 a channel
  unsigned channels = 1;  ///< 1 (grey or an index of the palette) or 3
  std::string palette;    ///< RGB triples; empty: no palette
};

/// Bytes of one row.
std::uint64_t row_bytes(const PixelForm& form);
/// Absent if there are not enough pixels for a single row; missing rows are black.
std::optional<std::string> write_png(const PixelForm& form, std::string_view pixels);

}  // namespace touchstone::documents

// Format and size of a picture from its header alone: to refuse a bomb before a decoder allocates for it, and
// to state the size of pictures that nothing here decodes. Pure functions over bytes in memory; no
// allocation; any bytes are safe. Formats: ITU-T T.81 (JPEG), W3C PNG, GIF89a, RFC 9649 (WebP), TIFF 6.0,
// ISO/IEC 14496-12 and 23008-12 (HEIC, AVIF), Microsoft's BITMAPINFOHEADER.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace touchstone {

enum class PictureFormat { unknown, jpeg, png, gif, webp, bmp, tiff, heif };

/// Judged by the signature, never by a name. `heif` stands for HEIC and AVIF.
PictureFormat detect_picture_format(std::span<const std::uint8_t> bytes);

/// Size in pixels as stored, before any orientation is applied.
struct PictureSize {
  std::uint32_t width = 0, height = 0;
};

/// Absent if the header is damaged, lies beyond `bytes`, or states no pixels. `bytes` may be the beginning of
/// the file: a JPEG's size can come after megabytes of metadata, a TIFF's or HEIC's anywhere.
std::optional<PictureSize> read_picture_size(std::span<const std::uint8_t> bytes);

/// Exif orientation of a JPEG, PNG or WebP: 1 (upright) to 8; 1 where none is stored.
unsigned read_picture_orientation(std::span<const std::uint8_t> bytes);

/// True if the JPEG's entropy-coded data ends with an end-of-image marker: one without was cut off.
bool jpeg_is_whole(std::span<const std::uint8_t> bytes);

}  // namespace touchstone

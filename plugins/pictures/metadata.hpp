// What a picture's metadata says of when, where and with what it was taken, read by Exiv2 from memory.
// Metadata is hostile: all values are checked for range and form, and what does not hold is left out, never
// guessed. One thread. Tags: CIPA DC-008 (Exif 2.32), XMP parts 1 and 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace touchstone {

struct PictureMetadata {
  /// Exif's DateTimeOriginal, else DateTimeDigitized, else XMP's, with its fraction, in microseconds since
  /// 1970-01-01 as the camera's clock showed it.
  std::optional<std::int64_t> taken_local;
  /// Minutes east of UTC, where the camera stored them with that time.
  std::optional<int> offset_minutes;
  std::string camera;                         ///< make and model, valid UTF-8
  std::optional<double> latitude, longitude;  ///< both or none; degrees WGS 84
  std::string damage;                         ///< why reading stopped; what was read before it is kept
};

/// Once, before any other call and before the sandbox closes: sets Exiv2 up and reads a tiny picture.
void prepare_metadata();

PictureMetadata read_metadata(std::span<const std::uint8_t> picture);

}  // namespace touchstone

// Makes Exif data byte by byte, and pictures that carry it, for tests: nothing of what reads it is used to
// write it. Little-endian TIFF (Exif 2.32, 4.5): the directories IFD0, Exif and GPS, values stored behind
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace touchstone::test {

inline std::string little(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i) & 0xFF) : '\0';
  return out;
}
inline std::string big(std::uint64_t value, int width) {
  const auto reversed = little(value, width);
  return {reversed.rbegin(), reversed.rend()};
}

class ExifBuilder {
 public:
  struct Entry {
    std::uint16_t tag, type;
    std::uint32_t count;
    std::string value;
  };
  static Entry ascii(std::uint16_t tag, const std::string& text) {
    return {tag, 2, static_cast<std::uint32_t>(text.size() + 1), text + '\0'};
  }
  static Entry number(std::uint16_t tag, std::uint16_t value) { return {tag, 3, 1, little(value, 2)}; }
  static Entry rationals(std::uint16_t tag,
                         const std::vector<std::pair<std::uint32_t, std::uint32_t>>& values) {
    Entry entry{tag, 5, static_cast<std::uint32_t>(values.size()), {}};
    for (const auto& [numerator, denominator] : values)
      entry.value += little(numerator, 4) + little(denominator, 4);
    return entry;
  }

  // In ascending order of tags within each.
  std::vector<Entry> image, photo, gps;

  std::string build() const {
    auto first = image;
    // The pointers' own size does not depend on their value, so a first round finds where the directories
    // lie.
    first.push_back({0x8769, 4, 1, little(0, 4)});
    first.push_back({0x8825, 4, 1, little(0, 4)});
    const std::uint32_t photo_at = 8 + static_cast<std::uint32_t>(directory(first, 8).size());
    const std::uint32_t gps_at = photo_at + static_cast<std::uint32_t>(directory(photo, photo_at).size());
    first[image.size()].value = little(photo_at, 4);
    first[image.size() + 1].value = little(gps_at, 4);
    return std::string("II*\0", 4) + little(8, 4) + directory(first, 8) + directory(photo, photo_at) +
           directory(gps, gps_at);
  }

 private:
  static std::string directory(const std::vector<Entry>& entries, std::uint32_t at) {
    std::string out = little(entries.size(), 2), values;
    const std::uint32_t behind = at + 2 + 12 * static_cast<std::uint32_t>(entries.size()) + 4;
    for (const auto& entry : entries) {
      out += little(entry.tag, 2) + little(entry.type, 2) + little(entry.count, 4);
      if (entry.value.size() <= 4) {
        out += entry.value + std::string(4 - entry.value.size(), '\0');
      } else {
        out += little(behind + values.size(), 4);
        values += entry.value + std::string(entry.value.size() % 2, '\0');
      }
    }
    return out + little(0, 4) + values;
  }
};

/// `jpeg` with an Exif segment after its start.
inline std::string jpeg_with_exif(const std::string& jpeg, const std::string& exif) {
  return jpeg.substr(0, 2) + "\xFF\xE1" + big(exif.size() + 8, 2) + std::string("Exif\0\0", 6) + exif +
         jpeg.substr(2);
}

/// A JPEG of headers only: start, frame header, end.
inline std::string jpeg_header(std::uint16_t width, std::uint16_t height) {
  return std::string("\xFF\xD8\xFF\xC0\x00\x0B\x08", 7) + big(height, 2) + big(width, 2) +
         std::string("\x01\x01\x11\x00\xFF\xD9", 6);
}

inline std::uint32_t png_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}
inline std::string png_chunk(const std::string& name, const std::string& data) {
  return big(data.size(), 4) + name + data + big(png_crc(name + data), 4);
}
/// `png` with an eXIf chunk behind its header.
inline std::string png_with_exif(const std::string& png, const std::string& exif) {
  constexpr std::size_t kHeader = 8 + 25;
  return png.substr(0, kHeader) + png_chunk("eXIf", exif) + png.substr(kHeader);
}

}  // namespace touchstone::test

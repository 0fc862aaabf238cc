// The segments of an AFF file (Advanced Forensic Format, version 1): named values one after the other, of
// which "page0", "page1" … hold the media. Of pages only the places are kept. Hostile bytes: every length is
// checked against the file; where a segment is damaged the next sound one is looked for. One thread.
// Format: S. Garfinkel, D. Malan et al., "Advanced Forensic Format: an open, extensible format for disk
// imaging" (2006), and the names and numbers of AFFLIB's public header.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone::aff {

struct Page {
  std::uint64_t number = 0;
  std::uint64_t at = 0;      ///< of its bytes in the file
  std::uint32_t length = 0;  ///< in the file
  std::uint32_t flags = 0;
  std::uint32_t file = 0;
};

inline constexpr std::uint32_t kCompressed = 0x01, kMethod = 0xf0;
inline constexpr std::uint32_t kZlib = 0x00, kLzma = 0x20, kZero = 0x30;

/// A segment that is no page: its data (cut to kMaxValue) and its number.
struct Value {
  std::string data;
  std::uint32_t number = 0;
};

struct Contents {
  std::vector<Page> pages;  ///< by number, each once; of several the first file's last one
  std::map<std::string, Value> values;
  std::vector<std::string> troubles;  ///< sentences with the file's name
  bool encrypted = false;
  bool too_many = false;

  /// A number that stands in the segment's number, or, as FTK Imager writes some, as text in its data.
  std::uint64_t number(const std::string& name) const;
};

inline constexpr std::size_t kMaxValue = 64 * 1024;
inline constexpr std::size_t kMaxValues = 4096;
inline constexpr std::size_t kMaxPages = std::size_t{1} << 23;

/// Adds what `file` holds. Call finish() after the last one.
void read_segments(ByteSource& file, const std::string& name, std::uint32_t number, Contents& contents);
void finish(Contents& contents);

}  // namespace touchstone::aff

// The text facet: an item's bytes as UTF-8, in windows, when they are plain text: UTF-8, UTF-16 (with or
// without a byte-order mark), Shift-JIS, Windows-1252 or Latin-1. Other media types get their text from
// provider plugins. Conversion is by iconv; its tables are loaded by warm_up_text() before the sandbox
// closes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "evidence/byte_source.hpp"
#include "model/result.hpp"

namespace touchstone {

inline constexpr std::size_t kTextWindow = 1024 * 1024;  ///< bytes of UTF-8 a window, at most
inline constexpr std::size_t kTextOverlap = 4096;        ///< repeated from the window before

/// Encoding of plain text as iconv names it ("UTF-8", "UTF-16LE", "SHIFT_JIS", "WINDOWS-1252" …), judged from
/// a BOM, the first 64 KiB and the detector; empty if the bytes do not look like text.
std::string detect_text_encoding(std::string_view head, std::string_view media_type);

/// Makes windows of pieces of UTF-8 text: used for plain text and for what providers emit. Windows are cut,
/// and overlaps begin, at code points; pieces may be cut anywhere. Bytes that are not UTF-8 become U+FFFD,
/// one for each.
class TextWindows {
 public:
  /// `sink(offset, overlap, window)` as in plugin_abi.h; returns false to stop.
  using Sink = std::function<bool(std::uint64_t offset, std::size_t overlap, std::string_view window)>;
  explicit TextWindows(Sink sink);
  bool push(std::string_view utf8);
  void finish();
  std::uint64_t characters() const;  ///< code points so far

 private:
  void append(std::string_view valid);
  bool cut();

  Sink sink_;
  std::string buffer_;
  std::string partial_;  ///< first bytes of a code point that a piece ended in
  std::size_t overlap_ = 0;
  std::uint64_t offset_ = 0, characters_ = 0;
  bool stopped_ = false;
};

/// Converts the whole of `source` and pushes it. Bytes that do not convert become U+FFFD and are counted in
/// the result. Error unsupported: iconv lacks the encoding (its tables cannot be opened), which must never be
/// silent.
Result<std::uint64_t> convert_text(ByteSource& source, const std::string& encoding, TextWindows& windows);

/// Loads iconv's tables for every encoding detect_text_encoding() can give. Names those that cannot be had.
std::string warm_up_text();

}  // namespace touchstone

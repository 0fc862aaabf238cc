// The list of files of logical evidence (L01) line by line: a header of 48 bytes, then text in UTF-16LE of
// categories, of which "entry" has two lines for each file (how many follow below it; values in the order of
// the category's columns). Only a window of it is held. One thread.
// Format: Joachim Metz, "Expert Witness Compression Format specification", ltree section.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone::l01 {

/// Lines of UTF-16LE text as UTF-8; a surrogate without its partner, which such lists may hold, becomes the
/// three bytes that UTF-8 would have for it.
class Lines {
 public:
  /// `at`: offset in `text`, which outlives this. `window`: bytes read at a time.
  Lines(ByteSource& text, std::uint64_t at, std::size_t window = 64 * 1024)
      : text_(text), at_(at), size_(window) {}
  /// False at the end of the text.
  bool next(std::string& line);
  /// Place of the last line.
  std::uint64_t place() const { return place_; }
  /// The last line was longer than kLongest, or the text ends within it.
  bool cut() const { return cut_; }

  static constexpr std::size_t kLongest = std::size_t{1} << 20;

 private:
  bool unit(std::uint32_t& value);
  ByteSource& text_;
  std::uint64_t at_;
  std::size_t size_;
  std::uint64_t place_ = 0;
  std::vector<std::byte> window_;
  std::size_t read_ = 0;  ///< of window_
  bool cut_ = false;
};

std::vector<std::string_view> split(std::string_view line, char separator);

/// Columns of the entries by name, and one entry's values.
class Values {
 public:
  Values(const std::map<std::string, std::size_t, std::less<>>& columns, const std::string& line)
      : columns_(columns), cells_(split(line, '\t')) {}
  /// Empty where there is none.
  std::string_view text(std::string_view column) const;
  /// 0 where there is none or it is no number.
  std::uint64_t number(std::string_view column) const;

 private:
  const std::map<std::string, std::size_t, std::less<>>& columns_;
  std::vector<std::string_view> cells_;
};

/// Whether all of `text` is a number of that base, and which.
bool read_number(std::string_view text, int base, std::uint64_t& value);

/// Values of column opr.
enum Flag : std::uint64_t {
  kReadOnly = 0x1,
  kHidden = 0x2,
  kSystem = 0x4,
  kArchive = 0x8,
  kSymbolicLink = 0x10,
  kDeleted = 0x80,
  kHardLinked = 0x1000,
  kStream = 0x2000,
  kInternal = 0x100000,
  kUnallocated = 0x200000,
  kFolder = 0x2000000,
  kSparse = 0x4000000,
};

}  // namespace touchstone::l01

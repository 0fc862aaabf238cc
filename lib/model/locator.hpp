// Locators: the identity of an item in exports, report, decisions and audit.
//
//   REF:VOLUME/PATH;ADDRESS           ABC/1:p2/Users/x/DCIM/1.jpg;64-128-1
//   …!/path                           a member of the archive named before the "!"
//   …!p1/PATH;ADDRESS                 a file on a volume inside the item named before the "!"
//   …@offset+length                   a byte range          …;ADDRESS,slack   slack of a file
//   …#2                               the second item that would otherwise coincide, in order of place on
//   disk
//
// In PATH each byte of "% ! @ ; ," and of control characters, of invalid UTF-8 and of "#" is %XX, so that the
// text can be cut at its punctuation without looking at evidence. REF may hold anything but ":".
// Plain values; no thread rules; nothing here does I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

/// One step into something: the first is on the exhibit itself, the following are inside the item before it.
struct LocatorStep {
  std::string volume;   ///< p0, p2, p2.1, p2~1; empty for a member of an archive
  std::string path;     ///< escaped, with its leading "/"; may be empty for a whole volume
  std::string address;  ///< file-system address, empty if none
  bool slack = false;
  std::optional<std::uint64_t> offset;  ///< with `length`: a byte range of what the step names
  std::uint64_t length = 0;
  std::uint32_t ordinal = 1;  ///< 2, 3 … where items would coincide
  bool operator==(const LocatorStep&) const = default;
};

struct Locator {
  std::string exhibit;  ///< reference, e.g. "ABC/1"
  std::vector<LocatorStep> steps;
  bool operator==(const Locator&) const = default;

  /// Canonical text. parse(text()) gives the same value for every Locator that parse() can give.
  std::string text() const;
  /// Refuses what text() cannot have printed, saying where.
  static Result<Locator> parse(std::string_view text);
};

/// One path component, or a whole path whose "/" separate components, as it stands in a locator.
/// Input is raw bytes from evidence; output is valid UTF-8 without control characters. Also escaped:
/// bidirectional controls (U+202A–202E, U+2066–2069, U+200E/F), which could make one name look like another.
std::string escape_path(std::string_view raw);
/// The raw bytes again; fails on a stray "%".
Result<std::string> unescape_path(std::string_view escaped);
/// Raw bytes as valid UTF-8 for display and search: each invalid byte becomes U+FFFD.
std::string to_valid_utf8(std::string_view raw);

/// Keys of records, findings, problems: parts joined by "|", with each "|" inside a part as %7C (and what
/// looks like that, %7C, %257C …, with one more 25). Different parts never give the same key. Compared, never
/// cut.
std::string join_key(std::initializer_list<std::string_view> parts);

}  // namespace touchstone

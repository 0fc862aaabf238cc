// Checking and cleaning UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchstone {

/// Bytes of the valid code point at the start of `text`: 1 to 4; 0 if the first byte begins none; -1 if
/// `text` ends within what may become one.
int code_point_length(std::string_view text);

struct Utf8Count {
  std::size_t multibyte = 0;  ///< valid code points of more than one byte
  std::size_t invalid = 0;    ///< bytes that belong to no code point; one cut off by the end is not counted
};
Utf8Count count_utf8(std::string_view text);

/// Appends `piece` to `out` with each invalid byte as U+FFFD; returns how many there were. A code point that
/// the piece ends in is kept in `partial`, which is to be given again with the next piece.
std::size_t clean_utf8(std::string_view piece, std::string& partial, std::string& out);

/// Code points in valid UTF-8.
std::size_t count_code_points(std::string_view valid);
/// The largest start of a code point that is not above `position`, in valid UTF-8.
std::size_t code_point_start(std::string_view valid, std::size_t position);

}  // namespace touchstone

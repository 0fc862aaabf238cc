// From the matches of keyword terms to Hyperscan expressions, and the little knowledge of Unicode that this
// needs. For this folder. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/keyword_matcher.hpp"

namespace touchstone::keyword {

/// A literal as an expression for text mode (HS_FLAG_UTF8 | HS_FLAG_UCP).
std::string text_literal(std::string_view literal, bool fold);

/// A literal as an expression over bytes.
std::string raw_literal(std::string_view literal, bool fold, Encoding encoding);

/// A regular expression over bytes, or nothing and the reason why it is not of the simple subset.
std::optional<std::string> raw_regex(std::string_view pattern, bool fold, Encoding encoding,
                                     std::string& reason);

/// Reads the code point at `at` and moves past it; nothing (and one byte on) where the bytes are not valid
/// UTF-8.
std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at);

/// Letters, digits and "_". Beyond Latin-1 all but punctuation, symbols and private use counts as a letter:
/// for a whole-word test it is better to ask too much of exotic scripts' edges than to cut words of known
/// ones.
bool is_word(char32_t c);

/// The other case of a letter in Latin, Greek and Cyrillic; the same character where there is none.
char32_t other_case(char32_t c);

/// Validity of UTF-8 that comes in pieces.
class Utf8Check {
 public:
  /// False from the first invalid byte on.
  bool feed(std::string_view bytes);
  bool complete() const { return ok_ && pending_ == 0; }

 private:
  bool ok_ = true;
  int pending_ = 0;
  unsigned char low_ = 0x80, high_ = 0xbf;  // bounds of the next continuation byte
};

}  // namespace touchstone::keyword

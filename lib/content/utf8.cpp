#include "content/utf8.hpp"

#include <algorithm>

namespace touchstone {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Number of leading bytes below 0x80.
std::size_t ascii_run(std::string_view text) {
  const auto* end =
      std::find_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

int code_point_length(std::string_view text) {
  if (text.empty()) return -1;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const int length = first >= 0xC2 && first <= 0xDF   ? 2
                     : (first & 0xF0U) == 0xE0        ? 3
                     : first >= 0xF0 && first <= 0xF4 ? 4
                                                      : 0;
  if (length == 0) return 0;
  if (text.size() < 2) return -1;
  // RFC 3629 section 4: the second byte rules out overlong forms, surrogates and what lies above U+10FFFF.
  const auto second = static_cast<unsigned char>(text[1]);
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return 0;
  for (int i = 2; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= text.size()) return -1;
    if (!continues(text[static_cast<std::size_t>(i)])) return 0;
  }
  return length;
}

Utf8Count count_utf8(std::string_view text) {
  Utf8Count count;
  while (!text.empty()) {
    text.remove_prefix(ascii_run(text));
    if (text.empty()) break;
    const int length = code_point_length(text);
    if (length < 0) break;
    length > 0 ? ++count.multibyte : ++count.invalid;
    text.remove_prefix(static_cast<std::size_t>(std::max(length, 1)));
  }
  return count;
}

std::size_t clean_utf8(std::string_view piece, std::string& partial, std::string& out) {
  std::string joined;
  if (!partial.empty()) {
    joined = std::move(partial) + std::string(piece);
    piece = joined;
  }
  partial.clear();
  std::size_t invalid = 0;
  while (!piece.empty()) {
    const std::size_t plain = ascii_run(piece);
    out.append(piece.substr(0, plain));
    piece.remove_prefix(plain);
    if (piece.empty()) break;
    const int length = code_point_length(piece);
    if (length < 0) {
      partial = piece;
      break;
    }
    if (length == 0) {
      ++invalid;
      out += "\xEF\xBF\xBD";
      piece.remove_prefix(1);
    } else {
      out.append(piece.substr(0, static_cast<std::size_t>(length)));
      piece.remove_prefix(static_cast<std::size_t>(length));
    }
  }
  return invalid;
}

std::size_t count_code_points(std::string_view valid) {
  return valid.size() - static_cast<std::size_t>(std::count_if(valid.begin(), valid.end(), continues));
}

std::size_t code_point_start(std::string_view valid, std::size_t position) {
  if (position >= valid.size()) return valid.size();
  while (position > 0 && continues(valid[position])) --position;
  return position;
}

}  // namespace touchstone

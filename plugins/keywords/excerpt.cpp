#include "excerpt.hpp"

#include <algorithm>

#include "model/locator.hpp"

namespace touchstone::keywords {
namespace {

// A match of at most 8 KiB is reported when 256 bytes more are known (keyword_matcher.cpp), and context lies
// around it.
constexpr std::size_t kKept = 16 * 1024;
constexpr std::size_t kContextBytes = 4 * kMaxExcerpt;  // a character is at most four bytes in each encoding

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6U));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12U));
    out += static_cast<char>(0x80 | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18U));
    out += static_cast<char>(0x80 | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80 | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  }
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]),
               second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<std::uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  std::string out;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xD800 && code < 0xDC00 && at + 3 < bytes.size() && (unit(at + 2) & 0xFC00U) == 0xDC00) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (unit(at + 2) - 0xDC00);
      at += 2;
    } else if (code >= 0xD800 && code < 0xE000) {
      code = 0xFFFD;
    }
    append_code_point(out, code);
  }
  return out;
}

std::string readable(std::string_view bytes, Encoding encoding) {
  std::string text =
      encoding == Encoding::utf8 ? to_valid_utf8(bytes) : from_utf16(bytes, encoding == Encoding::utf16be);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

std::string first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!continues(text[at]) && count-- == 0) break;
  }
  return std::string(text.substr(0, at));
}

std::string last_characters(std::string_view text, std::size_t count) {
  const std::size_t all = characters(text);
  return std::string(text.substr(first_characters(text, all > count ? all - count : 0).size()));
}

}  // namespace

Excerpt make_excerpt(std::string_view bytes, std::size_t from, std::size_t to, Encoding encoding) {
  to = std::min(to, bytes.size());
  from = std::min(from, to);
  // Context begins where a code unit and, in UTF-8, a character does.
  std::size_t begin = from - std::min(from, kContextBytes);
  if (encoding != Encoding::utf8) begin += (from - begin) % 2;
  std::size_t end = std::min(bytes.size(), to + kContextBytes);
  if (encoding == Encoding::utf8) {
    while (begin > 0 && begin < from && continues(bytes[begin])) ++begin;
    while (end < bytes.size() && end > to && continues(bytes[end])) --end;
  }
  Excerpt out;
  out.match = first_characters(readable(bytes.substr(from, to - from), encoding), kMaxMatch);
  const std::string before = readable(bytes.substr(begin, from - begin), encoding);
  const std::string after = readable(bytes.substr(to, end - to), encoding);
  const std::size_t room = kMaxExcerpt - characters(out.match);
  const std::size_t left =
      std::min(characters(before), std::max(room / 2, room - std::min(room, characters(after))));
  out.context = last_characters(before, left) + out.match + first_characters(after, room - left);
  return out;
}

void Recent::clear(std::uint64_t offset) {
  bytes_.clear();
  offset_ = offset;
}

void Recent::add(std::string_view piece) {
  bytes_ += piece;
}

void Recent::trim() {
  if (bytes_.size() <= kKept) return;
  offset_ += bytes_.size() - kKept;
  bytes_.erase(0, bytes_.size() - kKept);
}

Excerpt Recent::excerpt(const KeywordHit& hit) const {
  if (hit.from < offset_) return {};
  return make_excerpt(bytes_, static_cast<std::size_t>(hit.from - offset_),
                      static_cast<std::size_t>(hit.to - offset_), hit.encoding);
}

}  // namespace touchstone::keywords

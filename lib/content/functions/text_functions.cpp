#include "content/functions/text_functions.hpp"

#include <algorithm>
#include <cstdint>

namespace touchstone::functions {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      put(0xe0U | code >> 12U);
    } else {
      put(0xf0U | code >> 18U);
      put(0x80U | (code >> 12U & 0x3fU));
    }
    put(0x80U | (code >> 6U & 0x3fU));
  }
  put(0x80U | (code & 0x3fU));
}

std::uint32_t unit_at(std::string_view bytes, std::size_t at, bool big) {
  const auto first = static_cast<unsigned char>(bytes[at]),
             second = static_cast<unsigned char>(bytes[at + 1]);
  return big ? std::uint32_t{first} << 8U | second : std::uint32_t{second} << 8U | first;
}

}  // namespace

// RFC 3629; as content/utf8.hpp, which is of a library that is not linked here.
std::string_view valid_start(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned lead = at(i);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && (lead < 0xc2 || lead > 0xf4 || bytes.size() - i < length)) return bytes.substr(0, i);
    for (std::size_t j = 1; j < length; ++j)
      if ((at(i + j) & 0xc0U) != 0x80) return bytes.substr(0, i);
    if (length > 2) {
      const unsigned second = at(i + 1);
      const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
      const bool beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
      if (overlong || beyond) return bytes.substr(0, i);
    }
    i += length;
  }
  return bytes;
}

bool is_valid_utf8(std::string_view bytes) {
  return valid_start(bytes).size() == bytes.size();
}

bool has_control(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool is_plain_text(std::string_view bytes) {
  const auto forbidden = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\r' && c != '\n');
  };
  return std::none_of(bytes.begin(), bytes.end(), forbidden) && is_valid_utf8(bytes);
}

Decoded utf16_text(std::string_view bytes) {
  if (bytes.size() > kMaxInput || bytes.size() % 2 != 0) return {};
  bool big = false;
  if (bytes.size() >= 2 && unit_at(bytes, 0, true) == 0xfeff) big = true;
  if (big || (bytes.size() >= 2 && unit_at(bytes, 0, false) == 0xfeff)) bytes.remove_prefix(2);
  while (bytes.size() >= 2 && unit_at(bytes, bytes.size() - 2, big) == 0) bytes.remove_suffix(2);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t code = unit_at(bytes, at, big);
    if (code >= 0xdc00 && code < 0xe000) return {};
    if (code >= 0xd800 && code < 0xdc00) {
      if (at + 4 > bytes.size()) return {};
      const std::uint32_t low = unit_at(bytes, at += 2, big);
      if (low < 0xdc00 || low >= 0xe000) return {};
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    }
    append_utf8(out, code);
    if (out.size() > kMaxOutput) return {};
  }
  return Decoded::text(std::move(out));
}

Decoded utf8_text(std::string_view bytes) {
  if (bytes.size() > kMaxOutput || !is_valid_utf8(bytes)) return {};
  return Decoded::text(std::string(bytes));
}

}  // namespace touchstone::functions

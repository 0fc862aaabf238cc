#include "evidence/text_decode.hpp"

#include <cstdint>

#include "model/locator.hpp"

namespace touchstone {
namespace {

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text.push_back(static_cast<char>(kLead[more] | code >> (6 * more)));
  for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 63)));
}

}  // namespace

std::string utf16_text(std::span<const std::byte> bytes, bool big_endian) {
  const auto unit = [&](std::size_t at) {
    const auto first = std::to_integer<std::uint32_t>(bytes[at]);
    const auto second = std::to_integer<std::uint32_t>(bytes[at + 1]);
    return big_endian ? first << 8 | second : second << 8 | first;
  };
  std::size_t at = 0;
  if (bytes.size() >= 2 && (unit(0) == 0xfeff || unit(0) == 0xfffe)) {
    if (unit(0) == 0xfffe) big_endian = !big_endian;
    at = 2;
  }
  std::string text;
  while (at + 1 < bytes.size()) {
    std::uint32_t code = unit(at);
    at += 2;
    if (code == 0) break;
    if (code >= 0xd800 && code < 0xdc00 && at + 1 < bytes.size()) {
      const std::uint32_t low = unit(at);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 2;
      }
    }
    append_utf8(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return text;
}

std::string printable(const std::string& text) {
  std::string clean = to_valid_utf8(text);
  for (char& c : clean) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x20 || value == 0x7f) c = ' ';
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

}  // namespace touchstone

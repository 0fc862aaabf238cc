#include "model/locator.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace touchstone {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";
constexpr std::string_view kReserved = "%!@;,#";

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

/// Length of the valid UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629: no surrogates, no
/// overlong forms, nothing beyond U+10FFFF). Its code point goes to `code`.
std::size_t utf8_length(std::string_view text, char32_t& code) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  std::size_t length = 0;
  char32_t minimum = 0;
  if (lead < 0x80) {
    code = lead;
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, minimum = 0x80, code = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, minimum = 0x800, code = lead & 0x0F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, minimum = 0x10000, code = lead & 0x07;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    code = (code << 6) | (at(i) & 0x3FU);
  }
  if (code < minimum || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  return length;
}

/// Controls and bidirectional formatting: invisible, or able to make one name look like another.
bool is_deceptive(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x200E || code == 0x200F || code == 0x061C ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error bad(std::string_view text, std::size_t at, std::string_view why) {
  return {ErrorCode::invalid,
          "locator \"" + std::string(text.substr(0, 200)) + "\", character " + std::to_string(at + 1) + ": " + std::string(why)};
}

bool parse_number(std::string_view text, std::uint64_t& value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_volume(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'p' && text[0] != 'u')) return false;
  bool digit_before = false;
  for (const char c : text.substr(1)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !((c == '.' || c == '~') && digit_before)) return false;
    digit_before = digit;
  }
  return digit_before;
}

/// A path as escape_path() prints it: no reserved byte but in a valid %XX that had to be escaped.
bool is_canonical_path(std::string_view text) {
  const auto raw = unescape_path(text);
  return raw && escape_path(*raw) == text;
}

/// The part of a step behind PATH: ;ADDRESS ,slack @offset+length #n, each at most once and in this order.
Result<LocatorStep> parse_step(std::string_view whole, std::string_view text, bool first) {
  const auto at = static_cast<std::size_t>(text.data() - whole.data());
  LocatorStep step;
  std::size_t mark = text.find_first_of(";,@#");
  std::string_view place = text.substr(0, mark);
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : text.substr(mark);
  if (first || (!place.empty() && place[0] != '/')) {
    const std::size_t slash = place.find('/');
    const std::string_view volume = place.substr(0, slash);
    if (!is_volume(volume)) return bad(whole, at, "expected a volume such as p0 or p2.1");
    step.volume = volume;
    place = slash == std::string_view::npos ? std::string_view() : place.substr(slash);
  }
  if (!is_canonical_path(place)) return bad(whole, at, "a byte of the path must be written as %XX, or must not");
  step.path = place;
  if (step.volume.empty() && step.path.empty()) return bad(whole, at, "a step without volume and path");
  if (rest.starts_with(';')) {
    const std::size_t end = rest.find_first_of(",@#", 1);
    step.address = rest.substr(1, end == std::string_view::npos ? end : end - 1);
    const bool plain = std::all_of(step.address.begin(), step.address.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
    });
    if (step.address.empty() || !plain) return bad(whole, at, "an address is letters, digits, '-', '.' and '_'");
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  constexpr std::string_view kSlack = ",slack";
  if (rest.starts_with(kSlack)) {
    step.slack = true;
    rest.remove_prefix(kSlack.size());
  }
  if (rest.starts_with('@')) {
    const std::size_t end = std::min(rest.find('#'), rest.size());
    const std::string_view range = rest.substr(1, end - 1);
    const std::size_t plus = range.find('+');
    std::uint64_t offset = 0;
    if (plus == std::string_view::npos || !parse_number(range.substr(0, plus), offset) ||
        !parse_number(range.substr(plus + 1), step.length)) {
      return bad(whole, at, "a range is @offset+length");
    }
    step.offset = offset;
    rest.remove_prefix(end);
  }
  if (rest.starts_with('#')) {
    std::uint64_t ordinal = 0;
    if (!parse_number(rest.substr(1), ordinal) || ordinal < 2 || ordinal > UINT32_MAX) return bad(whole, at, "an ordinal is #2, #3 …");
    step.ordinal = static_cast<std::uint32_t>(ordinal);
    rest = {};
  }
  if (!rest.empty()) return bad(whole, at, "cannot read \"" + std::string(rest.substr(0, 40)) + "\"");
  return step;
}

}  // namespace

std::string Locator::text() const {
  std::string out = exhibit + ':';
  bool first = true;
  for (const LocatorStep& step : steps) {
    if (!first) out += '!';
    first = false;
    out += step.volume;
    out += step.path;
    if (!step.address.empty()) out += ';' + step.address;
    if (step.slack) out += ",slack";
    if (step.offset) out += '@' + std::to_string(*step.offset) + '+' + std::to_string(step.length);
    if (step.ordinal > 1) out += '#' + std::to_string(step.ordinal);
  }
  return out;
}

Result<Locator> Locator::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad(text, 0, "expected a reference and a colon");
  Locator locator;
  locator.exhibit = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);
  bool first = true;
  while (true) {
    const std::size_t mark = rest.find('!');
    auto step = parse_step(text, rest.substr(0, mark), first);
    if (!step) return step.error();
    locator.steps.push_back(step.take());
    if (mark == std::string_view::npos) return locator;
    rest.remove_prefix(mark + 1);
    first = false;
  }
}

std::string escape_path(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    char32_t code = 0;
    const std::size_t length = utf8_length(raw, code);
    const std::string_view piece = raw.substr(0, length ? length : 1);
    const bool reserved = length == 1 && kReserved.find(raw[0]) != std::string_view::npos;
    if (length == 0 || reserved || is_deceptive(code)) {
      append_escaped(out, piece);
    } else {
      out += piece;
    }
    raw.remove_prefix(piece.size());
  }
  return out;
}

Result<std::string> unescape_path(std::string_view escaped) {
  std::string out;
  out.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      out += escaped[i];
      continue;
    }
    const int high = i + 2 < escaped.size() ? hex_digit(escaped[i + 1]) : -1;
    const int low = i + 2 < escaped.size() ? hex_digit(escaped[i + 2]) : -1;
    if (high < 0 || low < 0) return bad(escaped, i, "'%' without two upper-case hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string to_valid_utf8(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    char32_t code = 0;
    const std::size_t length = utf8_length(raw, code);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      raw.remove_prefix(1);
    } else {
      out += raw.substr(0, length);
      raw.remove_prefix(length);
    }
  }
  return out;
}

std::string join_key(std::initializer_list<std::string_view> parts) {
  std::string out;
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) out += '|';
    first = false;
    for (const char c : part) {
      if (c == '|') {
        out += "%7C";
      } else {
        out += c;
      }
    }
  }
  return out;
}

}  // namespace touchstone

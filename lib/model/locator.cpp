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
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x200E || code == 0x200F ||
         code == 0x061C || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
         code == 0xFEFF;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_escape(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && text[at] == '%' && hex_digit(text[at + 1]) >= 0 &&
         hex_digit(text[at + 2]) >= 0;
}

Error bad(std::string_view text, std::size_t at, std::string_view why) {
  return {ErrorCode::invalid, "locator \"" + to_valid_utf8(text.substr(0, 200)) + "\", character " +
                                  std::to_string(at + 1) + ": " + to_valid_utf8(why)};
}

bool parse_number(std::string_view text, std::uint64_t& value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// "p" or "u", then numbers without leading zeros joined by "." and "~". Where it fails, `wrong` is the
/// place.
bool is_volume(std::string_view text, std::size_t& wrong) {
  wrong = 0;
  if (text.empty() || (text[0] != 'p' && text[0] != 'u')) return false;
  std::size_t start = 1;  // of the number being read
  for (wrong = 1; wrong < text.size(); ++wrong) {
    const char c = text[wrong];
    if (c >= '0' && c <= '9') {
      if (wrong > start && text[start] == '0') return false;
    } else {
      if ((c != '.' && c != '~') || wrong == start) return false;
      start = wrong + 1;
    }
  }
  return wrong > start;
}

/// Where a path stops being what escape_path() prints: no reserved byte but in a valid %XX that had to be
/// escaped; npos if it is so throughout.
std::size_t first_not_canonical(std::string_view text) {
  std::string raw;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      raw += text[i];
      continue;
    }
    if (!is_escape(text, i)) return i;
    raw += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  const std::string again = escape_path(raw);
  if (again == text) return std::string_view::npos;
  const auto differs = std::mismatch(text.begin(), text.end(), again.begin(), again.end()).first;
  auto at = static_cast<std::size_t>(differs - text.begin());
  // Inside an escape that should not be there: its "%" is named.
  for (std::size_t back = 1; back <= 2 && back <= at; ++back) {
    if (text[at - back] == '%') return at - back;
  }
  return at;
}

/// Cuts one locator into its steps and says where what is wrong stands.
class StepParser {
 public:
  StepParser(std::string_view whole, std::string_view text) : whole_(whole), rest_(text) {}

  /// PATH, then ;ADDRESS ,slack @offset+length #n, each at most once and in this order.
  Result<LocatorStep> parse(bool first) {
    for (const auto part :
         {&StepParser::place, &StepParser::address, &StepParser::range, &StepParser::ordinal}) {
      if (auto status = (this->*part)(first); !status) return status.error();
    }
    if (!rest_.empty()) return wrong(0, "cannot read \"" + std::string(rest_.substr(0, 40)) + "\"");
    return std::move(step_);
  }

 private:
  Error wrong(std::size_t at, std::string_view why) const {
    return bad(whole_, static_cast<std::size_t>(rest_.data() - whole_.data()) + at, why);
  }

  Status place(bool first) {
    const std::string_view place = rest_.substr(0, rest_.find_first_of(";,@#"));
    std::size_t slash = 0;
    if (first || (!place.empty() && place[0] != '/')) {
      slash = std::min(place.find('/'), place.size());
      std::size_t at = 0;
      if (!is_volume(place.substr(0, slash), at)) return wrong(at, "expected a volume such as p0 or p2.1");
      step_.volume = place.substr(0, slash);
    }
    step_.path = place.substr(slash);
    if (const std::size_t at = first_not_canonical(step_.path); at != std::string_view::npos) {
      return wrong(slash + at, "a byte of the path must be written as %XX, or must not");
    }
    if (step_.volume.empty() && step_.path.empty()) return wrong(0, "a step without volume and path");
    rest_.remove_prefix(place.size());
    return {};
  }

  Status address(bool) {
    constexpr std::string_view kSlack = ",slack";
    if (rest_.starts_with(';')) {
      const std::size_t end = std::min(rest_.find_first_of(",@#", 1), rest_.size());
      step_.address = rest_.substr(1, end - 1);
      const auto odd = std::find_if(step_.address.begin(), step_.address.end(), [](char c) {
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                 c == '.' || c == '_');
      });
      if (step_.address.empty() || odd != step_.address.end()) {
        return wrong(1 + static_cast<std::size_t>(odd - step_.address.begin()),
                     "an address is letters, digits, '-', '.' and '_'");
      }
      rest_.remove_prefix(end);
    }
    if (rest_.starts_with(kSlack)) {
      step_.slack = true;
      rest_.remove_prefix(kSlack.size());
    }
    return {};
  }

  Status range(bool) {
    if (!rest_.starts_with('@')) return {};
    const std::size_t end = std::min(rest_.find('#'), rest_.size());
    const std::string_view range = rest_.substr(1, end - 1);
    const std::size_t plus = std::min(range.find('+'), range.size());
    std::uint64_t offset = 0;
    if (!parse_number(range.substr(0, plus), offset)) return wrong(1, "a range is @offset+length");
    if (plus == range.size()) return wrong(1 + plus, "a range is @offset+length");
    if (!parse_number(range.substr(plus + 1), step_.length))
      return wrong(2 + plus, "a range is @offset+length");
    step_.offset = offset;
    rest_.remove_prefix(end);
    return {};
  }

  Status ordinal(bool) {
    if (!rest_.starts_with('#')) return {};
    std::uint64_t ordinal = 0;
    if (!parse_number(rest_.substr(1), ordinal) || ordinal < 2 || ordinal > UINT32_MAX)
      return wrong(1, "an ordinal is #2, #3 …");
    step_.ordinal = static_cast<std::uint32_t>(ordinal);
    rest_.remove_prefix(rest_.size());
    return {};
  }

  std::string_view whole_, rest_;
  LocatorStep step_;
};

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
    auto step = StepParser(text, rest.substr(0, mark)).parse(first);
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
    if (!is_escape(escaped, i)) return bad(escaped, i, "'%' without two upper-case hexadecimal digits");
    out += static_cast<char>(hex_digit(escaped[i + 1]) * 16 + hex_digit(escaped[i + 2]));
    i += 2;
  }
  return out;
}

std::string to_valid_utf8(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    // Most bytes of most texts are ASCII: they go over as they are.
    const auto stop = std::find_if(raw.begin(), raw.end(), [](char c) { return (c & 0x80) != 0; });
    out.append(raw.begin(), stop);
    raw.remove_prefix(static_cast<std::size_t>(stop - raw.begin()));
    if (raw.empty()) break;
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
  // What looks like an escaped "|" already must not read as one: its "%" is escaped too.
  const auto looks_escaped = [](std::string_view rest) {
    rest.remove_prefix(1);
    while (rest.starts_with("25")) rest.remove_prefix(2);
    return rest.starts_with("7C");
  };
  std::string out;
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size() + 1;
  out.reserve(size);
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) out += '|';
    first = false;
    if (part.find_first_of("|%") == std::string_view::npos) {
      out += part;
      continue;
    }
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '|') {
        out += "%7C";
      } else if (part[i] == '%' && looks_escaped(part.substr(i))) {
        out += "%25";
      } else {
        out += part[i];
      }
    }
  }
  return out;
}

}  // namespace touchstone

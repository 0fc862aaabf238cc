#include "report/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace touchstone::report {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kReplacement[] = "\xEF\xBF\xBD";
// Deeper nesting than any record of ours needs; the serialiser recurses.
constexpr int kMaxJsonDepth = 32;

/// Printable ASCII that no format here escapes: most of most texts goes over as it is.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/// Moves the plain characters at the front of `text` to `out`.
void take_plain(std::string& out, std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_plain(text[length])) ++length;
  out.append(text, 0, length);
  text.remove_prefix(length);
}

void append_u_escape(std::string& out, std::uint32_t code_point) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(code_point >> shift) & 0xF];
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  // Only used for the Control Pictures block, which takes three bytes.
  out += static_cast<char>(0xE0 | (code_point >> 12));
  out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
  out += static_cast<char>(0x80 | (code_point & 0x3F));
}

/// Characters that start a formula in some spreadsheet, with their full-width forms.
bool starts_formula(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const CodePoint first = next_code_point(text);
  switch (first.value) {
    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case '\n':
    case 0xFF1D:
    case 0xFF0B:
    case 0xFF0D:
    case 0xFF20:
      return first.valid;
    default:
      return false;
  }
}

}  // namespace

CodePoint next_code_point(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  unsigned length = 0;
  std::uint32_t value = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
    value = first & 0x1F;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    value = first & 0x0F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    value = first & 0x07;
  } else {
    return {first, 1, false};
  }
  if (text.size() < length) return {first, 1, false};
  for (unsigned i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {first, 1, false};
    value = (value << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {first, 1, false};
  return {value, length, true};
}

bool is_bidi_control(std::uint32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (take_plain(out, text); !text.empty(); take_plain(out, text)) {
    const CodePoint c = next_code_point(text);
    if (!c.valid) {
      out += kReplacement;
    } else if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value < 0x20) {
      append_u_escape(out, c.value);
    } else {
      out += text.substr(0, c.length);
    }
    text.remove_prefix(c.length);
  }
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

bool append_canonical_json(std::string& out, std::string_view text) {
  constexpr std::string_view kOpen = "[\"", kClose = "\"]";
  // A list of nothing or of one plain text is as it should be.
  const bool list_of_one = text.size() >= kOpen.size() + kClose.size() && text.starts_with(kOpen) &&
                           text.ends_with(kClose) &&
                           std::all_of(text.begin() + kOpen.size(), text.end() - kClose.size(), is_plain);
  if (list_of_one || text == "[]") {
    out += text;
    return true;
  }
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;
  };
  const auto value = nlohmann::json::parse(text.begin(), text.end(), watch, false);
  if (too_deep || value.is_discarded()) return false;
  out += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return true;
}

std::string script_safe(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 16);
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::size_t next = std::min(json.find_first_of("<\xE2", i), json.size());
    out.append(json, i, next - i);
    i = next;
    if (i == json.size()) break;
    const char c = json[i];
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '\xE2' && i + 2 < json.size() && json[i + 1] == '\x80' &&
               (json[i + 2] == '\xA8' || json[i + 2] == '\xA9')) {
      out += json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string visible_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (take_plain(out, text); !text.empty(); take_plain(out, text)) {
    const CodePoint c = next_code_point(text);
    const std::uint32_t v = c.value;
    if (!c.valid) {
      out += kReplacement;
    } else if (v < 0x20) {
      append_utf8(out, 0x2400 + v);
    } else if (v == 0x7F) {
      append_utf8(out, 0x2421);
    } else if ((v >= 0x80 && v < 0xA0) || is_bidi_control(v) || v == 0x2028 || v == 0x2029 || v == 0xFEFF) {
      append_u_escape(out, v);
    } else {
      out += text.substr(0, c.length);
    }
    text.remove_prefix(c.length);
  }
  return out;
}

std::string csv_cell(std::string_view text) {
  std::string cell = visible_text(text);
  if (starts_formula(text)) cell.insert(0, 1, '\'');
  const bool quote = cell.empty() || cell.find_first_of(",\"") != std::string::npos || cell.front() == ' ' ||
                     cell.back() == ' ';
  if (!quote) return cell;
  std::string out = "\"";
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
  return out;
}

std::string shell_quote(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=+,-";
  if (!text.empty() && text.front() != '-' && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  bool printable = true;
  for (const char c : text) printable = printable && c >= 0x20 && c < 0x7F;
  std::string out = printable ? "'" : "$'";
  for (const char c : text) {
    if (printable) {
      out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    } else if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0x20 && c < 0x7F) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      // Three octal digits end by themselves; "\xNN" would swallow a hexadecimal digit that follows.
      out += '\\';
      out += static_cast<char>('0' + (byte >> 6));
      out += static_cast<char>('0' + ((byte >> 3) & 7));
      out += static_cast<char>('0' + (byte & 7));
    }
  }
  out += '\'';
  return out;
}

std::string sql_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string sql_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

std::string shortened(std::string_view text, std::size_t limit, bool* cut) {
  if (cut) *cut = text.size() > limit;
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace touchstone::report

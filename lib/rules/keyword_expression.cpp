#include "rules/keyword_expression.hpp"

#include <fmt/format.h>

#include <bitset>

namespace touchstone::keyword {
namespace {

constexpr int kMaxDepth = 32;                   // of groups in a raw-mode expression
constexpr std::size_t kMaxTranslated = 32'000;  // bytes; a hundred times what a sensible term needs
constexpr char32_t kTypographicApostrophe = 0x2019;

using AsciiSet = std::bitset<128>;

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6U);
    put(0x80 | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12U);
    put(0x80 | (c >> 6U & 0x3fU));
    put(0x80 | (c & 0x3fU));
  } else {
    put(0xf0 | c >> 18U);
    put(0x80 | (c >> 12U & 0x3fU));
    put(0x80 | (c >> 6U & 0x3fU));
    put(0x80 | (c & 0x3fU));
  }
}

void append_unit(std::string& out, char32_t unit, Encoding encoding) {
  const unsigned low = unit & 0xffU, high = unit >> 8U & 0xffU;
  out += encoding == Encoding::utf16le ? fmt::format("\\x{:02x}\\x{:02x}", low, high)
                                       : fmt::format("\\x{:02x}\\x{:02x}", high, low);
}

/// The bytes of one code point as an expression without alternatives.
std::string encoded(char32_t c, Encoding encoding) {
  std::string out;
  if (encoding == Encoding::utf8) {
    append_utf8(out, c);
  } else if (c < 0x10000) {
    append_unit(out, c, encoding);
  } else {
    append_unit(out, 0xd800 + ((c - 0x10000) >> 10U), encoding);
    append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ffU), encoding);
  }
  return out;
}

/// One character, in both cases where folded, as something a quantifier may follow.
std::string character(char32_t c, bool fold, Encoding encoding) {
  const char32_t other = fold ? other_case(c) : c;
  if (other == c) return "(?:" + encoded(c, encoding) + ")";
  if (c < 0x80 && other < 0x80 && encoding == Encoding::utf8) {
    return fmt::format("[\\x{:02x}\\x{:02x}]", static_cast<unsigned>(c), static_cast<unsigned>(other));
  }
  return "(?:" + encoded(c, encoding) + "|" + encoded(other, encoding) + ")";
}

std::string byte_class(const AsciiSet& set, bool negated) {
  std::string out = negated ? "[^" : "[";
  for (std::size_t c = 0; c < set.size(); ++c) {
    if (set[c]) out += fmt::format("\\x{:02x}", c);
  }
  return out + "]";
}

/// One character that is (or is not) in a set of ASCII characters.
std::string ascii_class(const AsciiSet& set, bool negated, Encoding encoding) {
  if (!negated) {
    std::string one = byte_class(set, false);
    if (encoding == Encoding::utf8) return one;
    return encoding == Encoding::utf16le ? "(?:" + one + "\\x00)" : "(?:\\x00" + one + ")";
  }
  if (encoding == Encoding::utf8) {
    AsciiSet rest = ~set;
    std::string ascii = rest.any() ? byte_class(rest, false) + "|" : std::string();
    return "(?:" + ascii + "[\\xc2-\\xf4][\\x80-\\xbf]{1,3})";
  }
  const std::string outside = byte_class(set, true);
  return encoding == Encoding::utf16le ? "(?:" + outside + "\\x00|[\\x00-\\xff][\\x01-\\xff])"
                                       : "(?:\\x00" + outside + "|[\\x01-\\xff][\\x00-\\xff])";
}

AsciiSet white_space() {
  AsciiSet set;
  for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'}) set.set(static_cast<std::size_t>(c));
  return set;
}

/// \d \w \s (and their opposites, told by `negated`).
std::optional<AsciiSet> shorthand(char c, bool& negated) {
  AsciiSet set;
  negated = c == 'D' || c == 'W' || c == 'S';
  if (c == 's' || c == 'S') return white_space();
  if (c != 'd' && c != 'D' && c != 'w' && c != 'W') return std::nullopt;
  for (char d = '0'; d <= '9'; ++d) set.set(static_cast<std::size_t>(d));
  if (c == 'd' || c == 'D') return set;
  for (char l = 'a'; l <= 'z'; ++l)
    set.set(static_cast<std::size_t>(l)).set(static_cast<std::size_t>(l) - 'a' + 'A');
  return set.set('_');
}

std::optional<char32_t> escaped_character(char c) {
  if (c == 'n') return U'\n';
  if (c == 't') return U'\t';
  if (c == 'r') return U'\r';
  const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (letter_or_digit || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
  return static_cast<char32_t>(c);
}

/// Recursive descent over the simple subset; depth is bounded by kMaxDepth.
class RawTranslator {
 public:
  RawTranslator(std::string_view pattern, bool fold, Encoding encoding)
      : pattern_(pattern), fold_(fold), encoding_(encoding) {}

  std::optional<std::string> run(std::string& reason) {
    std::string out;
    if (alternation(out, 0) && at_ != pattern_.size()) fail("\")\" without \"(\"");
    if (reason_.empty() && out.size() > kMaxTranslated) fail("it becomes too long");
    reason = reason_;
    return reason_.empty() ? std::optional(out) : std::nullopt;
  }

 private:
  bool fail(std::string_view why) {
    if (reason_.empty()) reason_ = why;
    return false;
  }
  bool more() const { return at_ < pattern_.size(); }
  char peek() const { return pattern_[at_]; }

  bool alternation(std::string& out, int depth) {
    if (depth > kMaxDepth) return fail("groups are nested too deeply");
    while (true) {
      while (more() && peek() != '|' && peek() != ')') {
        if (!quantified(out, depth)) return false;
        if (out.size() > kMaxTranslated) return fail("it becomes too long");
      }
      if (!more() || peek() == ')') return true;
      out += '|';
      ++at_;
    }
  }

  bool quantified(std::string& out, int depth) {
    if (!atom(out, depth)) return false;
    if (!more()) return true;
    const char c = peek();
    if (c == '*' || c == '+' || c == '?') {
      out += c;
      ++at_;
    } else if (c == '{') {
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return fail("\"{\" without \"}\"");
      const std::string_view count = pattern_.substr(at_ + 1, end - at_ - 1);
      if (count.empty() || count.size() > 9 ||
          count.find_first_not_of("0123456789,") != std::string_view::npos) {
        return fail("\"{\" that is no count");
      }
      out += pattern_.substr(at_, end - at_ + 1);
      at_ = end + 1;
    } else {
      return true;
    }
    if (more() && (peek() == '?' || peek() == '+' || peek() == '*' || peek() == '{')) {
      return fail("lazy, possessive or doubled quantifiers");
    }
    return true;
  }

  bool atom(std::string& out, int depth) {
    const char c = peek();
    if (c == '(') return group(out, depth);
    if (c == '[') return bracket(out);
    if (c == '\\') return escape(out);
    if (c == '.') {
      ++at_;
      AsciiSet line_end;
      out += ascii_class(line_end.set('\n'), true, encoding_);
      return true;
    }
    if (c == '^' || c == '$') return fail("anchors");
    if (c == '*' || c == '+' || c == '?' || c == '{') return fail("a quantifier after nothing");
    const auto point = next_code_point(pattern_, at_);
    if (!point) return fail("invalid UTF-8");
    out += character(*point, fold_, encoding_);
    return true;
  }

  bool group(std::string& out, int depth) {
    ++at_;
    if (more() && peek() == '?') {
      if (pattern_.substr(at_, 2) != "?:") return fail("groups that begin with \"(?\", but for \"(?:\"");
      at_ += 2;
    }
    out += "(?:";
    if (!alternation(out, depth + 1)) return false;
    if (!more()) return fail("\"(\" without \")\"");
    ++at_;
    out += ')';
    return true;
  }

  bool escape(std::string& out) {
    ++at_;
    if (!more()) return fail("a \"\\\" at the end");
    const char c = pattern_[at_++];
    bool negated = false;
    if (const auto set = shorthand(c, negated)) {
      out += ascii_class(*set, negated, encoding_);
      return true;
    }
    const auto point = escaped_character(c);
    if (!point) return fail(fmt::format("\"\\{}\"", static_cast<unsigned char>(c) < 0x80 ? c : '?'));
    out += character(*point, fold_, encoding_);
    return true;
  }

  /// One end of a range or a single character of a class; adds a shorthand to `set` and gives nothing for it.
  bool class_member(AsciiSet& set, std::optional<std::size_t>& member) {
    char c = pattern_[at_++];
    member.reset();
    if (static_cast<unsigned char>(c) >= 0x80) return fail("classes with characters beyond ASCII");
    if (c == '[' && more() && peek() == ':') return fail("named classes");
    if (c == '\\') {
      if (!more()) return fail("a \"\\\" at the end");
      c = pattern_[at_++];
      bool negated = false;
      if (const auto named = shorthand(c, negated)) {
        if (negated) return fail("negated shorthands in a class");
        set |= *named;
        return true;
      }
      const auto point = escaped_character(c);
      if (!point) return fail("unknown escapes in a class");
      c = static_cast<char>(*point);
    }
    member = static_cast<std::size_t>(c);
    return true;
  }

  bool bracket(std::string& out) {
    ++at_;
    const bool negated = more() && peek() == '^';
    if (negated) ++at_;
    AsciiSet set;
    bool first = true;
    while (more() && (peek() != ']' || first)) {
      first = false;
      std::optional<std::size_t> from, to;
      if (!class_member(set, from)) return false;
      if (!from) continue;
      to = from;
      if (pattern_.size() - at_ >= 2 && peek() == '-' && pattern_[at_ + 1] != ']') {
        ++at_;
        if (!class_member(set, to)) return false;
        if (!to || *to < *from) return fail("a range that is none");
      }
      for (std::size_t c = *from; c <= *to; ++c) {
        set.set(c);
        if (fold_) set.set(other_case(static_cast<char32_t>(c)));
      }
    }
    if (!more()) return fail("\"[\" without \"]\"");
    ++at_;
    if (set.none()) return fail("an empty class");
    out += ascii_class(set, negated, encoding_);
    return true;
  }

  std::string_view pattern_;
  bool fold_;
  Encoding encoding_;
  std::size_t at_ = 0;
  std::string reason_;
};

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

}  // namespace

std::string text_literal(std::string_view literal, bool fold) {
  std::string out;
  for (std::size_t at = 0; at < literal.size();) {
    const char c = literal[at];
    if (fold && c == ' ') {
      at = skip_spaces(literal, at);
      out += "\\s{1,3}";
      continue;
    }
    std::size_t next = at;
    const auto point = next_code_point(literal, next);
    if (fold && (c == '\'' || point == kTypographicApostrophe)) {
      out += "['\\x{2019}\\x{2bc}]?";
    } else if (point && *point < 0x80) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(*point));
    } else if (point) {
      out += fmt::format("\\x{{{:x}}}", static_cast<unsigned>(*point));
    }
    at = next;
  }
  return out;
}

std::string raw_literal(std::string_view literal, bool fold, Encoding encoding) {
  std::string out;
  for (std::size_t at = 0; at < literal.size();) {
    if (fold && literal[at] == ' ') {
      at = skip_spaces(literal, at);
      out += ascii_class(white_space(), false, encoding) + "{1,3}";
      continue;
    }
    const auto point = next_code_point(literal, at);
    if (!point) continue;
    if (fold && (*point == U'\'' || *point == kTypographicApostrophe)) {
      out += "(?:" + encoded(U'\'', encoding) + "|" + encoded(kTypographicApostrophe, encoding) + ")?";
    } else {
      out += character(*point, fold, encoding);
    }
  }
  return out;
}

std::optional<std::string> raw_regex(std::string_view pattern, bool fold, Encoding encoding,
                                     std::string& reason) {
  return RawTranslator(pattern, fold, encoding).run(reason);
}

std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  Utf8Check check;
  if (text.size() - at < length || !check.feed(text.substr(at, length)) || !check.complete()) {
    ++at;
    return std::nullopt;
  }
  char32_t point = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6U | (byte(at + i) & 0x3fU);
  at += length;
  return point;
}

bool is_word(char32_t c) {
  if (c < 0x80) {
    return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c == U'_';
  }
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  if (c == 0xd7 || c == 0xf7) return false;
  const bool punctuation = (c >= 0x2000 && c <= 0x2bff) || (c >= 0x2e00 && c <= 0x2e7f) ||
                           (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3030) ||
                           (c >= 0xd800 && c <= 0xf8ff) || (c >= 0xfe00 && c <= 0xfe6f) ||
                           (c >= 0xff00 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20) || c == 0xfffd ||
                           c == 0xfeff || (c >= 0x1f000 && c <= 0x1faff) || c >= 0xe0000;
  // Scripts that put no space between words, or hang particles on them, have no edge to ask for: Thai to
  // Burmese, Khmer, kana, Han, Hangul.
  const bool unspaced = (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) ||
                        (c >= 0x1780 && c <= 0x17ff) || (c >= 0x3005 && c <= 0x9fff) ||
                        (c >= 0xac00 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfaff) ||
                        (c >= 0xff66 && c <= 0xff9f) || (c >= 0x20000 && c <= 0x3ffff);
  return !punctuation && !unspaced;
}

char32_t other_case(char32_t c) {
  if (c < 0x80) {
    if (c >= U'a' && c <= U'z') return c - 0x20;
    return c >= U'A' && c <= U'Z' ? c + 0x20 : c;
  }
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 0x20;
  if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 0x20;
  if (c == 0xff) return 0x178;
  if (c == 0x178) return 0xff;
  const bool even_upper =
      (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177);
  const bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
  if (even_upper) return c ^ 1U;
  if (odd_upper) return c % 2 ? c + 1 : c - 1;
  if (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) return c + 0x20;
  if (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) return c - 0x20;
  if (c >= 0x410 && c <= 0x42f) return c + 0x20;
  if (c >= 0x430 && c <= 0x44f) return c - 0x20;
  if (c >= 0x400 && c <= 0x40f) return c + 0x50;
  if (c >= 0x450 && c <= 0x45f) return c - 0x50;
  return c;
}

bool Utf8Check::feed(std::string_view bytes) {
  for (const char raw : bytes) {
    if (!ok_) return false;
    const auto c = static_cast<unsigned char>(raw);
    if (pending_) {
      ok_ = c >= low_ && c <= high_;
      low_ = 0x80;
      high_ = 0xbf;
      --pending_;
    } else if (c >= 0x80) {
      // Table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
      ok_ = c >= 0xc2 && c <= 0xf4;
      pending_ = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
      low_ = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
      high_ = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    }
  }
  return ok_;
}

}  // namespace touchstone::keyword

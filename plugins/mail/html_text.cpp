#include "html_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "html_entities.hpp"

namespace touchstone::mail {
namespace {

constexpr std::size_t kLongestName = 16, kLongestEntity = 32;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Elements that begin and end a line.
bool is_block(std::string_view name) {
  static constexpr std::array<std::string_view, 32> kNames = {
      "address", "article", "aside", "blockquote", "body",   "caption", "center", "dd",
      "div",     "dl",      "dt",    "fieldset",   "footer", "form",    "h1",     "h2",
      "h3",      "h4",      "h5",    "h6",         "header", "hr",      "li",     "ol",
      "option",  "p",       "pre",   "section",    "table",  "tbody",   "tr",     "ul"};
  return is_one_of(name, kNames);
}

/// Elements whose content is not text for a reader.
bool is_dropped(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kNames = {"script", "style", "template", "xml"};
  return is_one_of(name, kNames);
}

/// Codes 128 to 159 mean Windows-1252 in HTML as it is written.
char32_t windows_1252(char32_t code) {
  static constexpr std::array<char16_t, 32> kTable = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return code >= 0x80 && code <= 0x9F ? kTable.at(code - 0x80) : code;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html) { out_.reserve(html.size() / 2); }

  std::string read() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (c == '<') {
        tag();
      } else if (c == '&') {
        entity();
      } else {
        plain(c);
        ++at_;
      }
    }
    while (!out_.empty() && is_space(out_.back())) out_.pop_back();
    return std::move(out_);
  }

 private:
  bool follows(std::string_view text) const { return html_.substr(at_).starts_with(text); }

  void plain(char c) {
    if (preformatted_ > 0) {
      if (c != '\r') put(c);
    } else if (is_space(c)) {
      gap_ = true;
    } else {
      put(c);
    }
  }
  void put(char c) {
    flush();
    out_ += c;
  }
  /// White space is written when something follows it, and not at the start of a line.
  void flush() {
    if (gap_ && !out_.empty() && out_.back() != '\n' && out_.back() != '\t') out_ += ' ';
    gap_ = false;
  }
  void new_line() {
    gap_ = false;
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
  }

  void tag() {
    if (follows("<!--")) {
      const std::size_t end = html_.find("-->", at_ + 4);
      at_ = end == std::string_view::npos ? html_.size() : end + 3;
      return;
    }
    std::size_t next = at_ + 1;
    const bool closes = next < html_.size() && html_[next] == '/';
    if (closes) ++next;
    std::string name;
    while (next < html_.size() && name.size() < kLongestName && is_letter_or_digit(html_[next]))
      name += lower(html_[next++]);
    const bool declaration = next < html_.size() && (html_[next] == '!' || html_[next] == '?');
    if (name.empty() && !declaration) {  // a lone "<"
      plain('<');
      ++at_;
      return;
    }
    at_ = end_of_tag(next);
    element(name, closes);
  }

  /// Behind the ">" that ends the tag; one inside quotes does not, unless the quote never ends.
  std::size_t end_of_tag(std::size_t from) {
    std::size_t next = from;
    while (next < html_.size() && html_[next] != '>') {
      const char c = html_[next];
      const bool value = (c == '"' || c == '\'') && next > 0 && html_[next - 1] == '=';
      if (value && next < unclosed_.at(c == '"' ? 0 : 1)) {
        const std::size_t close = html_.find(c, next + 1);
        if (close == std::string_view::npos) {
          unclosed_.at(c == '"' ? 0 : 1) = next;  // is not looked for again
        } else {
          next = close;
        }
      }
      ++next;
    }
    return std::min(next + 1, html_.size());
  }

  void element(std::string_view name, bool closes) {
    if (is_dropped(name) && !closes) {
      skip_to_end_of(name);
    } else if (name == "br") {
      gap_ = false;
      out_ += '\n';
    } else if (name == "td" || name == "th") {
      if (!closes && !out_.empty() && out_.back() != '\n') out_ += '\t';
      gap_ = false;
    } else if (is_block(name)) {
      new_line();
      if (name == "pre") preformatted_ = closes ? 0 : 1;
    } else if (name == "title" && closes) {
      new_line();
    }
  }

  void skip_to_end_of(std::string_view name) {
    while (at_ < html_.size()) {
      at_ = html_.find("</", at_);
      if (at_ == std::string_view::npos) break;
      const std::string_view there = html_.substr(at_ + 2, name.size());
      const bool same = std::equal(there.begin(), there.end(), name.begin(), name.end(),
                                   [](char a, char b) { return lower(a) == b; });
      at_ += 2;
      if (!same) continue;
      const std::size_t end = html_.find('>', at_);
      at_ = end == std::string_view::npos ? html_.size() : end + 1;
      return;
    }
    at_ = html_.size();
  }

  void entity() {
    const std::string_view rest = html_.substr(at_ + 1, kLongestEntity);
    std::size_t length = 0;
    char32_t code = 0;
    if (rest.starts_with('#')) {
      length = number(rest, code);
    } else {
      while (length < rest.size() && is_letter_or_digit(rest[length])) ++length;
      const std::string_view name = rest.substr(0, length);
      const auto found =
          std::lower_bound(kEntities.begin(), kEntities.end(), name,
                           [](const Entity& each, std::string_view text) { return each.name < text; });
      if (found == kEntities.end() || found->name != name) length = 0;
      if (length > 0) code = found->code;
    }
    if (length == 0) {
      plain('&');
      ++at_;
      return;
    }
    at_ += 1 + length;
    if (at_ < html_.size() && html_[at_] == ';') ++at_;
    if (code == 0xA0) code = ' ';
    flush();
    append_utf8(out_, code);
  }

  /// Length of "#233" or "#xE9", 0 if it is neither.
  static std::size_t number(std::string_view text, char32_t& code) {
    std::size_t at = 1;
    const bool hex = at < text.size() && (text[at] == 'x' || text[at] == 'X');
    if (hex) ++at;
    const std::size_t first = at;
    while (at < text.size() && code <= 0x10FFFF) {
      const char c = lower(text[at]);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && !(hex && c >= 'a' && c <= 'f')) break;
      code = code * (hex ? 16 : 10) + static_cast<char32_t>(digit ? c - '0' : c - 'a' + 10);
      ++at;
    }
    code = windows_1252(code);
    return at > first ? at : 0;
  }

  std::string_view html_;
  std::size_t at_ = 0;
  std::string out_;
  bool gap_ = false;
  int preformatted_ = 0;
  std::array<std::size_t, 2> unclosed_ = {SIZE_MAX, SIZE_MAX};
};

}  // namespace

void append_utf8(std::string& out, char32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12), tail(6), tail(0);
  }
}

std::string html_text(std::string_view html) {
  return Reader(html).read();
}

}  // namespace touchstone::mail

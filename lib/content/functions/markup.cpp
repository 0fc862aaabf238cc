#include "content/functions/markup.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "content/functions/text_functions.hpp"

namespace touchstone::functions {
namespace {

/// Longer "entities" are text that happens to have an ampersand.
constexpr std::size_t kMaxEntity = 10;

void append_code_point(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      byte(0xe0U | code >> 12U);
    } else {
      byte(0xf0U | code >> 18U);
      byte(0x80U | (code >> 12U & 0x3fU));
    }
    byte(0x80U | (code >> 6U & 0x3fU));
  }
  byte(0x80U | (code & 0x3fU));
}

/// Appends what "&…;" at the front stands for; how many bytes that were, 0 if it is none.
std::size_t take_entity(std::string_view text, std::string& out) {
  const std::size_t end = text.substr(0, kMaxEntity + 2).find(';');
  if (end == std::string_view::npos || end < 2) return 0;
  const std::string_view name = text.substr(1, end - 1);
  static constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
      {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}};
  for (const auto& [key, value] : kNamed) {
    if (name != key) continue;
    out += value;
    return end + 1;
  }
  if (name[0] != '#' || name.size() < 2) return 0;
  const bool is_hex = name[1] == 'x' || name[1] == 'X';
  const std::string_view digits = name.substr(is_hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
  const bool is_character = code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (error != std::errc() || stop != digits.data() + digits.size() || !(is_character || code == '\n'))
    return 0;
  append_code_point(out, code);
  return end + 1;
}

std::string tag_name(std::string_view tag) {
  std::string name;
  for (const char c : tag.substr(0, 16)) {
    if (c == ' ' || c == '/' || c == '>' || c == '\t' || c == '\n') {
      if (name.empty() && c == '/') continue;
      break;
    }
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

bool is_block(std::string_view name) {
  constexpr std::string_view kNames[] = {"p",   "div", "li", "tr", "blockquote", "ul", "ol", "table",
                                         "pre", "hr",  "h1", "h2", "h3",         "h4", "h5", "h6"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void add_space(std::string& text) {
  if (!text.empty() && text.back() != ' ' && text.back() != '\n') text += ' ';
}

/// A block begins on a line of its own, and what follows it does.
void apply_tag(std::string_view tag, std::string& text) {
  const std::string name = tag_name(tag);
  if (name == "br" || (tag.starts_with('/') && is_block(name))) {
    text += '\n';
  } else if (name == "td" || name == "th") {
    add_space(text);
  } else if (is_block(name)) {
    if (text.ends_with(' ')) text.pop_back();
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
}

/// White space of markup is one space; lines have none at their ends, and there are none empty at the text's.
std::string tidy(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool at_start = out.empty() || out.back() == '\n';
    if (c == ' ' && (at_start || out.back() == ' ')) continue;
    if (c == '\n') {
      while (!out.empty() && out.back() == ' ') out.pop_back();
      if (out.empty()) continue;
    }
    out += c;
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

Decoded markup_text(std::string_view markup) {
  if (markup.size() > kMaxOutput || !is_valid_utf8(markup)) return {};
  const bool has_tags = markup.find('<') != std::string_view::npos;
  std::string text;
  for (std::size_t at = 0; at < markup.size();) {
    const char c = markup[at];
    if (c == '<') {
      const std::size_t end = markup.find('>', at);
      if (end != std::string_view::npos) {
        apply_tag(markup.substr(at + 1, end - at - 1), text);
        at = end + 1;
        continue;
      }
    } else if (c == '&') {
      if (const std::size_t taken = take_entity(markup.substr(at), text); taken > 0) {
        at += taken;
        continue;
      }
    }
    if (has_tags && is_space(c)) {
      add_space(text);
    } else {
      text += c;
    }
    ++at;
  }
  return Decoded::text(has_tags ? tidy(text) : text);
}

Decoded base64_bytes(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (is_space(c)) continue;
    if (c == '=') {
      if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                       [](char rest) { return rest == '=' || is_space(rest); }))
        return {};
      break;
    }
    const int digit = digit_of(c);
    if (digit < 0 || bytes.size() >= kMaxOutput) return {};
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    held += 6, ++digits;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(static_cast<unsigned char>(bits >> static_cast<unsigned>(held)));
  }
  return digits % 4 == 1 ? Decoded{} : Decoded::blob(std::move(bytes));
}

}  // namespace touchstone::functions

#include "xml_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace touchstone::officetext {
namespace {

/// No tag that matters here is longer; of others the end alone is looked for.
constexpr std::size_t kMaxTag = 4096, kMaxEntity = 12, kMaxOut = 65536;
/// Spaces that one element of OpenDocument may stand for.
constexpr int kMaxSpaces = 1000;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// The name of a tag without its prefix.
std::string_view local_name(std::string_view tag) {
  const auto end = std::find_if(tag.begin(), tag.end(), [](char c) { return is_blank(c) || c == '/'; });
  tag = tag.substr(0, static_cast<std::size_t>(end - tag.begin()));
  const std::size_t colon = tag.rfind(':');
  return colon == std::string_view::npos ? tag : tag.substr(colon + 1);
}

bool is_one_of(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string utf8_of(std::uint32_t c) {
  if (c < 9 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  const auto byte = [](std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

// Elements whose characters are words, and those at whose end a line ends.
constexpr std::array<std::string_view, 4> kOfficeText{"t", "delText", "instrText", "text"};
constexpr std::array<std::string_view, 5> kOfficeLines{"p", "si", "text", "tr", "row"};
constexpr std::array<std::string_view, 2> kSheetText{"v", "t"};
constexpr std::array<std::string_view, 2> kOpenText{"p", "h"};

}  // namespace

XmlText::XmlText(PartKind kind, Sink sink) : kind_(kind), sink_(std::move(sink)) {}

void XmlText::push(std::string_view bytes) {
  if (!known_) {
    start_.append(bytes.substr(0, 4096));
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 4096));
    if (start_.size() < 2) return;
    known_ = true;
    is_big_ = start_.starts_with("\xFE\xFF");
    is_utf16_ = is_big_ || start_.starts_with("\xFF\xFE");
    const std::string first = std::exchange(start_, {});
    push(std::string_view(first).substr(is_utf16_ ? 2 : 0));
  }
  if (!is_utf16_) return push_utf8(bytes);
  for (const char byte : bytes) {
    if (!std::exchange(has_pending_, !has_pending_)) {
      pending_ = byte;
      continue;
    }
    const auto high = static_cast<unsigned char>(is_big_ ? pending_ : byte);
    const auto low = static_cast<unsigned char>(is_big_ ? byte : pending_);
    const auto unit = static_cast<std::uint16_t>(high << 8U | low);
    if (unit >= 0xD800 && unit < 0xDC00) {
      surrogate_ = unit;
      continue;
    }
    std::uint32_t c = unit;
    if (const std::uint16_t lead = std::exchange(surrogate_, std::uint16_t{0});
        lead != 0 && unit >= 0xDC00 && unit < 0xE000)
      c = 0x10000 + ((static_cast<std::uint32_t>(lead) - 0xD800) << 10U) + (unit - 0xDC00U);
    push_utf8(utf8_of(c));
  }
}

void XmlText::push_utf8(std::string_view bytes) {
  for (const char c : bytes) take(c);
}

void XmlText::take(char c) {
  switch (state_) {
    case State::text:
      if (c == '<') {
        in_entity_ = false;
        entity_.clear();
        tag_.clear();
        in_quotes_ = false;
        state_ = State::tag;
      } else if (in_entity_) {
        if (c == ';') return end_entity();
        if (entity_.size() < kMaxEntity) return void(entity_ += c);
        in_entity_ = false;
      } else if (c == '&') {
        in_entity_ = true;
        entity_.clear();
      } else {
        characters({&c, 1});
      }
      return;
    case State::tag:
      if (in_quotes_ ? c == quote_ : (c == '"' || c == '\'') && !tag_.starts_with('!')) {
        in_quotes_ = !in_quotes_;
        quote_ = c;
      }
      if (c == '>' && !in_quotes_) return end_tag();
      if (tag_.size() < kMaxTag) tag_ += c;
      if (tag_ == "!--") state_ = State::comment;
      if (tag_ == "![CDATA[") {
        tag_.clear();
        state_ = State::data;
      }
      return;
    case State::comment:
      tag_ += c;
      if (tag_.size() > 3) tag_.erase(0, tag_.size() - 3);
      if (tag_ == "-->") state_ = State::text;
      return;
    case State::data:
      tag_ += c;
      if (tag_.ends_with("]]>")) {
        state_ = State::text;
      } else if (tag_.size() == 3) {
        characters(tag_.substr(0, 1));
        tag_.erase(0, 1);
      }
      return;
    case State::skipped:
      return;
  }
}

void XmlText::end_tag() {
  state_ = State::text;
  if (tag_.empty() || tag_.starts_with('!') || tag_.starts_with('?')) return;
  if (tag_.starts_with('/')) return close(local_name(std::string_view(tag_).substr(1)));
  open(local_name(tag_), tag_.ends_with('/'));
}

std::string_view XmlText::attribute(std::string_view name) const {
  const std::string_view tag = tag_;
  for (std::size_t at = tag.find(name); at != std::string_view::npos; at = tag.find(name, at + 1)) {
    const std::size_t equals = at + name.size();
    if (at == 0 || equals + 1 >= tag.size() || tag[equals] != '=') continue;
    if (!is_blank(tag[at - 1]) && tag[at - 1] != ':') continue;
    const std::size_t end = tag.find(tag[equals + 1], equals + 2);
    return end == std::string_view::npos ? std::string_view() : tag.substr(equals + 2, end - equals - 2);
  }
  return {};
}

void XmlText::open(std::string_view name, bool is_empty) {
  switch (kind_) {
    case PartKind::office:
      if (name == "tab") put_break('\t');
      if (name == "br" || name == "cr") put_break('\n');
      if (name == "noBreakHyphen") put("-");
      if (name == "instrText" && !is_empty) put_break(' ');
      if (!is_empty && is_one_of(name, kOfficeText)) ++wanted_;
      return;
    case PartKind::sheet:
      if (name == "c") {
        const std::string_view type = attribute("t");
        shared_ = type == "s" || type == "b";
      }
      if (!is_empty && is_one_of(name, kSheetText)) ++wanted_;
      return;
    case PartKind::open_document:
      if (name == "tab") put_break('\t');
      if (name == "line-break") put_break('\n');
      if (name == "s") {
        int count = 1;
        const std::string_view said = attribute("c");
        std::from_chars(said.data(), said.data() + said.size(), count);
        put(std::string(static_cast<std::size_t>(std::clamp(count, 1, kMaxSpaces)), ' '));
      }
      if (!is_empty && is_one_of(name, kOpenText)) ++wanted_;
      return;
    case PartKind::properties:
      return;
  }
}

void XmlText::close(std::string_view name) {
  const auto leave = [&] {
    if (wanted_ > 0) --wanted_;
  };
  switch (kind_) {
    case PartKind::office:
      if (is_one_of(name, kOfficeText)) leave();
      if (name == "instrText") put_break(' ');
      if (name == "tc") put_break('\t');
      if (is_one_of(name, kOfficeLines)) put_break('\n');
      return;
    case PartKind::sheet:
      if (is_one_of(name, kSheetText)) leave();
      if (name == "c") put_break('\t');
      if (name == "row") put_break('\n');
      return;
    case PartKind::open_document:
      if (!is_one_of(name, kOpenText)) return;
      leave();
      put_break('\n');
      return;
    case PartKind::properties:
      put_break('\n');
      return;
  }
}

bool XmlText::is_wanted() const {
  if (kind_ == PartKind::properties) return true;
  return wanted_ > 0 && !(kind_ == PartKind::sheet && shared_);
}

void XmlText::characters(std::string_view text) {
  if (is_wanted()) put(text);
}

void XmlText::end_entity() {
  in_entity_ = false;
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNamed{
      {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}}};
  for (const auto& [name, value] : kNamed)
    if (entity_ == name) return characters(value);
  if (!entity_.starts_with('#')) return;
  const bool is_hex = entity_.size() > 1 && (entity_[1] == 'x' || entity_[1] == 'X');
  std::uint32_t c = 0;
  const char* first = entity_.data() + (is_hex ? 2 : 1);
  const char* last = entity_.data() + entity_.size();
  const auto [end, failed] = std::from_chars(first, last, c, is_hex ? 16 : 10);
  if (failed == std::errc() && end == last && first != last) characters(utf8_of(c));
}

void XmlText::put(std::string_view text) {
  if (text.empty()) return;
  out_ += text;
  last_ = text.back();
  if (out_.size() < kMaxOut) return;
  sink_(out_);
  out_.clear();
}

/// Breaks of empty paragraphs and cells are one.
void XmlText::put_break(char c) {
  if (last_ == '\n' || (last_ == c && c != ' ')) return;
  put({&c, 1});
}

void XmlText::finish() {
  if (!known_ && !start_.empty()) push_utf8(std::exchange(start_, {}));
  if (!out_.empty()) sink_(out_);
  out_.clear();
  state_ = State::skipped;
}

}  // namespace touchstone::officetext

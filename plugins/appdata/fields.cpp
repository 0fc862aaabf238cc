#include "fields.hpp"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace touchstone::appdata {
namespace {

/// The years 1 and 9999 in microseconds: beyond them it is no time, whatever the column says.
constexpr std::int64_t kFirstTime = -62'135'596'800'000'000, kLastTime = 253'402'300'799'999'999;

/// Lists that are remembered as well formed: people write to the same few again and again.
constexpr std::size_t kMaxKeptLists = 4096, kMaxKeptList = 256;

/// Bytes of the UTF-8 character at the front; 0 if there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const unsigned lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(k) & 0xc0U) != 0x80U) return 0;
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90))
    return 0;
  return length;
}

/// How many bytes at the front are ASCII: most of most texts, eight at a time.
std::size_t ascii_length(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

bool is_valid_utf8(std::string_view text) {
  for (text.remove_prefix(ascii_length(text)); !text.empty(); text.remove_prefix(ascii_length(text))) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

/// The longest start of at most `limit` bytes that splits no character.
std::string_view cut(std::string_view text, std::size_t limit) {
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U) --limit;
  return text.substr(0, limit);
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    result += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

FieldForm form_of(std::string_view column) {
  if (column == "sent" || column == "received" || column == "started" || column == "taken" ||
      column == "visited" || column == "starts" || column == "ends" || column == "starts_local" ||
      column == "ends_local" || column == "sent_local" || column == "created" || column == "modified")
    return FieldForm::time;
  if (column == "deleted" || column == "edited" || column == "recovered" || column == "all_day" ||
      column == "locked")
    return FieldForm::flag;
  if (column == "direction") return FieldForm::direction;
  if (column == "recipients" || column == "identifiers" || column == "participants") return FieldForm::list;
  return FieldForm::plain;
}

Cell FieldMaker::make(FieldForm form, const ts_value& value) {
  switch (form) {
    case FieldForm::time:
      return time(value);
    case FieldForm::flag:
      return value.kind == TS_INTEGER ? Cell(value.integer != 0 ? 1 : 0) : Cell();
    case FieldForm::direction: {
      const std::string_view said = value.kind == TS_TEXT ? from_abi(value.text) : std::string_view();
      return said == "in" || said == "out" ? Cell(said) : Cell("unknown");
    }
    case FieldForm::list:
      return list(value);
    case FieldForm::plain:
      return text(value);
  }
  return {};
}

Cell FieldMaker::text(const ts_value& value) {
  if (value.kind != TS_TEXT && value.kind != TS_BLOB) return Cell(value);
  std::string_view text = from_abi(value.text);
  if (value.kind == TS_BLOB && (text.find('\0') != std::string_view::npos || !is_valid_utf8(text))) {
    ++notes.binary;
    return {};
  }
  if (text.size() > kMaxFieldBytes) {
    ++notes.cut;
    text = cut(text, kMaxFieldBytes);
  }
  return is_valid_utf8(text) ? Cell(text) : Cell(keep(valid_utf8(text)));
}

Cell FieldMaker::time(const ts_value& value) {
  if (value.kind == TS_NULL) return {};
  double real = 0;
  if (value.kind == TS_INTEGER) {
    if (value.integer >= kFirstTime && value.integer <= kLastTime) return Cell(value.integer);
  } else if (value.kind == TS_REAL) {
    real = value.real;
    if (std::isfinite(real) && real >= static_cast<double>(kFirstTime) &&
        real < static_cast<double>(kLastTime))
      return Cell(static_cast<std::int64_t>(std::llround(real)));
  }
  ++notes.bad_times;
  return {};
}

Cell FieldMaker::list(const ts_value& value) {
  if (value.kind == TS_NULL) return Cell("[]");
  const Cell plain = text(value);
  if (plain.value.kind != TS_TEXT && plain.value.kind != TS_BLOB) {
    return Cell(keep(value.kind == TS_INTEGER ? "[\"" + std::to_string(value.integer) + "\"]" : "[]"));
  }
  const std::string_view said = from_abi(plain.value.text);
  if (said == "[]" || lists_.contains(said)) return Cell(said);
  const auto parsed = nlohmann::json::parse(said, nullptr, false);
  if (parsed.is_array()) {
    if (said.size() <= kMaxKeptList && lists_.size() < kMaxKeptLists) lists_.emplace(said);
    return Cell(said);
  }
  // A bare value where a list belongs becomes a list of one.
  return Cell(keep(nlohmann::json::array({std::string(said)})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

}  // namespace touchstone::appdata

#include "cli/json_line.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/locator.hpp"

namespace touchstone::cli {
namespace {

constexpr std::string_view kStart = "{\"fields\":{";
constexpr std::string_view kKind = "},\"kind\":\"";
constexpr std::string_view kEnd = "\"}";

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void append_unit(std::string& out, unsigned unit) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> static_cast<unsigned>(shift)) & 0xfU];
}

void append_escaped(std::string& out, char32_t code) {
  constexpr char32_t kFirstPair = 0x10000;
  if (code == '"' || code == '\\') {
    out += '\\';
    out += static_cast<char>(code);
  } else if (code == '\n') {
    out += "\\n";
  } else if (code == '\r') {
    out += "\\r";
  } else if (code == '\t') {
    out += "\\t";
  } else if (code < kFirstPair) {
    append_unit(out, static_cast<unsigned>(code));
  } else {
    const unsigned rest = static_cast<unsigned>(code - kFirstPair);
    append_unit(out, 0xd800U + (rest >> 10U));
    append_unit(out, 0xdc00U + (rest & 0x3ffU));
  }
}

/// Takes a character off valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(std::min(length, text.size()));
  return code;
}

void append_value(std::string& out, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out += nlohmann::json(*real).dump();
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    append_ascii_json(out, *text);
  }
}

}  // namespace

void append_ascii_json(std::string& out, std::string_view text) {
  out += '"';
  std::string valid;
  while (!text.empty()) {
    const auto* const stop = std::find_if_not(text.begin(), text.end(), is_plain);
    out.append(text.begin(), stop);
    text.remove_prefix(static_cast<std::size_t>(stop - text.begin()));
    if (text.empty()) break;
    if (static_cast<unsigned char>(text.front()) >= 0x80 && valid.empty()) {
      valid = to_valid_utf8(text);
      text = valid;
    }
    append_escaped(out, take_character(text));
  }
  out += '"';
}

void append_record_line(std::string& out, const Record& record) {
  using Field = std::pair<std::string, Value>;
  std::vector<const Field*> fields;
  fields.reserve(record.fields.size());
  for (const Field& field : record.fields)
    if (!std::holds_alternative<std::monostate>(field.second)) fields.push_back(&field);
  std::stable_sort(fields.begin(), fields.end(),
                   [](const Field* a, const Field* b) { return a->first < b->first; });
  out += kStart;
  bool first = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i + 1 < fields.size() && fields[i + 1]->first == fields[i]->first) continue;  // the last one holds
    if (!first) out += ',';
    first = false;
    append_ascii_json(out, fields[i]->first);
    out += ':';
    append_value(out, fields[i]->second);
  }
  out += kKind.substr(0, kKind.size() - 1);
  append_ascii_json(out, record.kind);
  out += "}\n";
}

std::string_view kind_of_record_line(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (!line.starts_with(kStart) || !line.ends_with(kEnd)) return {};
  // The child that sends it has read hostile bytes: nothing but printable ASCII may reach a terminal.
  if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) return {};
  const std::size_t at = line.rfind(kKind);
  if (at == std::string_view::npos) return {};
  line.remove_suffix(kEnd.size());
  return line.substr(at + kKind.size());
}

}  // namespace touchstone::cli

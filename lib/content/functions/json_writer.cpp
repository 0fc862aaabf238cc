#include "content/functions/json_writer.hpp"

#include <fmt/format.h>

#include <cmath>

namespace touchstone::functions {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void JsonWriter::raw(std::string_view text) {
  if (over_ || text.size() > most_ - out_.size()) {
    over_ = true;
    return;
  }
  out_ += text;
}

void JsonWriter::text(std::string_view text) {
  raw("\"");
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size() && !over_; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    raw(text.substr(plain, i - plain));
    plain = i + 1;
    if (c == '"' || c == '\\') {
      raw("\\");
      raw(text.substr(i, 1));
    } else {
      raw(fmt::format("\\u{:04x}", c));
    }
  }
  raw(text.substr(std::min(plain, text.size())));
  raw("\"");
}

void JsonWriter::integer(std::int64_t value) {
  raw(fmt::format_int(value).c_str());
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return raw("null");
  const std::string text = fmt::format("{}", value);
  raw(text);
  if (text.find_first_of(".e") == std::string::npos) raw(".0");
}

void JsonWriter::hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  if (bytes.size() > (most_ - out_.size()) / 2) over_ = true;
  if (over_) return;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out_ += kDigits[byte >> 4U];
    out_ += kDigits[byte & 15U];
  }
}

void JsonWriter::base64(std::string_view bytes) {
  if (bytes.size() > (most_ - out_.size()) / 2) over_ = true;
  raw("\"");
  for (std::size_t i = 0; i < bytes.size() && !over_; i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j)
      word = word << 8U | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out_ += j <= have ? kBase64[word >> (18U - 6U * static_cast<unsigned>(j)) & 63U] : '=';
  }
  raw("\"");
}

void JsonWriter::separate(bool& first) {
  if (!first) raw(",");
  first = false;
}

}  // namespace touchstone::functions

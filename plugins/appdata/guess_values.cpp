#include "guess_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "fields.hpp"

namespace touchstone::appdata {
namespace {

/// How much of a text is looked at.
constexpr std::size_t kMaxLooked = 2000;
/// Of a sample of rows, the share that must be what it is taken for, and the share that must differ.
constexpr double kMostlyWritten = 0.7, kStrictlyWritten = 0.85, kDistinct = 0.3, kSentences = 0.25;
constexpr std::size_t kFew = 5, kEnoughToRepeat = 20;
constexpr double kAllButOddities = 0.95;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

std::string without_tags(std::string_view text) {
  std::string result;
  bool inside = false;
  for (const char c : text) {
    if (c == '<') inside = true;
    if (!inside) result += c;
    if (c == '>') {
      inside = false;
      result += ' ';
    }
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

struct Counts {
  std::size_t letters = 0, digits = 0, blanks = 0, beyond = 0, controls = 0, joints = 0, signs = 0;
};
Counts count(std::string_view text) {
  Counts counts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c)) ++counts.letters;
    if (is_digit(c)) ++counts.digits;
    if (is_blank(c)) ++counts.blanks;
    if (is_beyond_ascii(c)) ++counts.beyond;
    if ((static_cast<unsigned char>(c) < 0x20 && !is_blank(c)) || c == 0x7f) ++counts.controls;
    const bool within = i > 0 && i + 1 < text.size() && !is_blank(text[i - 1]) && !is_blank(text[i + 1]);
    if (within &&
        (c == '_' || c == '/' || c == ':' || c == '.' || c == '=' || c == '@' || c == '-' || c == '\\'))
      ++counts.joints;
    if (c == '=' || c == '{' || c == '}' || c == ';' || c == '|' || c == '<' || c == '>') ++counts.signs;
  }
  return counts;
}

/// One word with nothing but letters and what ends a sentence is written by people; the rest by programs.
TextForm form_of_one_word(std::string_view word, const Counts& counts) {
  if (word.find("://") != std::string_view::npos) return TextForm::nothing;
  if (counts.letters == 0 && counts.beyond == 0)
    return counts.digits > 0 && word.size() > 12 ? TextForm::machine : TextForm::nothing;
  if (counts.beyond > 0) return counts.letters > 20 ? TextForm::machine : TextForm::sentence;
  if (counts.joints > 0 || word.size() > 24 || (counts.digits > 0 && word.size() > 8))
    return TextForm::machine;
  return TextForm::word;
}

constexpr std::int64_t kFrom = 1'072'915'200, kTo = 2'051'222'400;  ///< 2004-01-01 and 2035-01-01, in seconds
constexpr std::int64_t kCocoa = 978'307'200, kWindows = 11'644'473'600, kDotNet = 62'135'596'800;
constexpr std::int64_t kCocoaNsFrom = 1'451'606'400;  ///< 2016-01-01: Apple counts nanoseconds since 2017
constexpr std::int64_t kMillion = 1'000'000, kBillion = 1'000'000'000, kTenMillion = 10'000'000;

struct EpochFacts {
  std::string_view name, function;
  std::int64_t from, to;
};
constexpr std::array<EpochFacts, kEpochs> kFacts{{
    {"seconds since 1970", "unix_s", kFrom, kTo},
    {"milliseconds since 1970", "unix_ms", kFrom * 1000, kTo * 1000},
    {"microseconds since 1970", "unix_us", kFrom* kMillion, kTo* kMillion},
    {"nanoseconds since 1970", "unix_ns", kFrom* kBillion, kTo* kBillion},
    {"seconds since 2001", "cocoa_s", kFrom - kCocoa, kTo - kCocoa},
    {"nanoseconds since 2001", "cocoa_ns", (kCocoaNsFrom - kCocoa) * kBillion, (kTo - kCocoa) * kBillion},
    {"microseconds since 1601", "webkit_us", (kFrom + kWindows) * kMillion, (kTo + kWindows) * kMillion},
    {"100 nanoseconds since 1601", "filetime", (kFrom + kWindows) * kTenMillion,
     (kTo + kWindows) * kTenMillion},
    {"100 nanoseconds since the year 1", "dotnet_ticks", (kFrom + kDotNet) * kTenMillion,
     (kTo + kDotNet) * kTenMillion},
    {"a date written out with its zone", "", 0, 0},
    {"a local time without its zone", "", 0, 0},
}};

const EpochFacts& facts_of(Epoch epoch) {
  return kFacts[static_cast<std::size_t>(epoch)];
}

/// How a date is written out: YYYY-MM-DD, T or a blank, hh:mm, seconds and a fraction or not, and a zone at
/// the end, without which it could be any hour.
std::optional<Epoch> written_out(std::string_view text) {
  static constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd";
  if (text.size() < kPattern.size() || text.size() > 40) return std::nullopt;
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (kPattern[i] == 'd'   ? !is_digit(text[i])
        : kPattern[i] == 'T' ? text[i] != 'T' && text[i] != ' '
                             : text[i] != kPattern[i])
      return std::nullopt;
  }
  const int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  if (year < 2004 || year > 2034) return std::nullopt;
  const std::size_t sign = text.find_last_of("+-");
  if (text.back() == 'Z' || (sign > kPattern.size() - 1 && sign + 6 == text.size() && text[sign + 3] == ':'))
    return Epoch::iso_8601;
  const std::string_view rest = text.substr(kPattern.size());
  const bool plain =
      rest.empty() ||
      (rest.size() >= 3 && rest[0] == ':' && is_digit(rest[1]) && is_digit(rest[2]) &&
       (rest.size() == 3 || rest[3] == '.') &&
       std::all_of(rest.begin() + std::min<std::ptrdiff_t>(4, std::ssize(rest)), rest.end(), is_digit));
  if (plain) return Epoch::local_8601;
  return std::nullopt;
}

std::optional<double> number_of(const ts_value& value) {
  if (value.kind == TS_INTEGER) return static_cast<double>(value.integer);
  if (value.kind == TS_REAL && std::isfinite(value.real)) return value.real;
  if (value.kind != TS_TEXT) return std::nullopt;
  const std::string_view text = from_abi(value.text);
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

}  // namespace

TextForm form_of_text(std::string_view text) {
  text = trimmed(text.substr(0, kMaxLooked));
  std::string plain;
  if (text.starts_with('<') && text.find('>') != std::string_view::npos) {
    plain = without_tags(text);
    text = trimmed(plain);
  }
  if (text.empty()) return TextForm::nothing;
  if ((text.front() == '{' || text.front() == '[') && (text.back() == '}' || text.back() == ']'))
    return TextForm::machine;
  if (text.front() == '/' || text.find('\0') != std::string_view::npos) return TextForm::machine;
  const Counts counts = count(text);
  if (counts.controls > 0) return TextForm::machine;
  if (counts.blanks == 0) return form_of_one_word(text, counts);
  // A sentence is letters and blanks for the most part; what programs write has signs between.
  const std::size_t prose = counts.letters + counts.beyond + counts.blanks;
  if (prose * 10 < text.size() * 6 || counts.signs * 12 > text.size()) return TextForm::machine;
  if (counts.joints * 8 > text.size() && text.find("://") == std::string_view::npos) return TextForm::machine;
  return TextForm::sentence;
}

void TextEvidence::note(std::string_view text) {
  ++seen_;
  if (text.starts_with('<') && text.find('>') != std::string_view::npos) ++markup_;
  distinct_.insert(std::hash<std::string_view>{}(text));
  switch (valid_utf8(text.substr(0, 200)).find("\xef\xbf\xbd") == std::string::npos || text.size() > 200
              ? form_of_text(text)
              : TextForm::machine) {
    case TextForm::machine:
      ++machine_;
      break;
    case TextForm::word:
      ++words_;
      break;
    case TextForm::sentence:
      ++sentences_;
      break;
    case TextForm::nothing:
      break;
  }
}

bool TextEvidence::looks_written(bool strict) const {
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  if (sentences_ == 0) return false;
  if (share(written(), written() + machine_) < (strict ? kStrictlyWritten : kMostlyWritten)) return false;
  if (seen_ >= kFew && share(sentences_, written()) < kSentences) return false;
  return seen_ < kEnoughToRepeat || share(distinct_.size(), seen_) >= kDistinct;
}

std::string_view name_of(Epoch epoch) {
  return facts_of(epoch).name;
}

void TimeEvidence::note(const ts_value& value) {
  if (value.kind == TS_NULL) return;
  if (value.kind == TS_TEXT) {
    if (const auto form = written_out(from_abi(value.text))) {
      ++seen_;
      ++fits_[static_cast<std::size_t>(*form)];
      return;
    }
  }
  const auto number = number_of(value);
  if (number && *number <= 0) return;  // apps write 0 and -1 where there is no time
  ++seen_;
  if (value.kind == TS_TEXT) ++text_;
  if (!number) return;
  for (std::size_t i = 0; i < kEpochs; ++i)
    if (*number >= static_cast<double>(kFacts[i].from) && *number < static_cast<double>(kFacts[i].to))
      ++fits_[i];
}

std::optional<Epoch> TimeEvidence::epoch() const {
  std::optional<Epoch> found;
  for (std::size_t i = 0; i < kEpochs; ++i) {
    if (fits_[i] == 0 || static_cast<double>(fits_[i]) < kAllButOddities * static_cast<double>(seen_))
      continue;
    if (found) return std::nullopt;
    found = static_cast<Epoch>(i);
  }
  return found;
}

std::size_t TimeEvidence::times() const {
  const auto found = epoch();
  return found ? fits_[static_cast<std::size_t>(*found)] : 0;
}

std::string time_sql(Epoch epoch, std::string_view column) {
  // The date's seconds are exact; what follows them is read to the millisecond.
  if (epoch == Epoch::iso_8601 || epoch == Epoch::local_8601)
    return fmt::format("CAST(round((julianday({}) - 2440587.5) * 86400000.0) AS INTEGER) * 1000", column);
  const EpochFacts& facts = facts_of(epoch);
  const std::string number = fmt::format("CAST({} AS NUMERIC)", column);
  return fmt::format("CASE WHEN {} BETWEEN {} AND {} THEN {}({}) END", number, facts.from, facts.to - 1,
                     facts.function, number);
}

}  // namespace touchstone::appdata

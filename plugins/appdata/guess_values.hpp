// What the values of a column say: whether texts are what people write, and which epoch numbers count from.
// Pure; one object a column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_set>

namespace touchstone::appdata {

enum class TextForm : std::uint8_t {
  nothing,   ///< empty, or says nothing either way: a link, a number
  machine,   ///< an identifier, a path, JSON, bytes
  word,      ///< one word
  sentence,  ///< words with blanks between, or of a script that needs none
};
/// Of text in markup, what stands between its tags counts.
TextForm form_of_text(std::string_view text);

class TextEvidence {
 public:
  void note(std::string_view text);
  std::size_t seen() const { return seen_; }
  /// Whether most are what people write and few are repeated. `strict` where nothing but the values speaks
  /// for messages.
  bool looks_written(bool strict) const;
  std::size_t written() const { return words_ + sentences_; }
  /// Whether so many of them stand between tags that it is no chance.
  bool is_markup() const { return markup_ * 10 > seen_; }

 private:
  std::size_t seen_ = 0, machine_ = 0, words_ = 0, sentences_ = 0, markup_ = 0;
  std::unordered_set<std::size_t> distinct_;  ///< hashes
};

enum class Epoch : std::uint8_t {
  unix_s,
  unix_ms,
  unix_us,
  unix_ns,
  cocoa_s,
  cocoa_ns,
  webkit_us,
  filetime,
  dotnet_ticks,
  iso_8601,
  local_8601  ///< a clock's reading, of whatever zone
};
constexpr std::size_t kEpochs = 11;
std::string_view name_of(Epoch epoch);

/// The years 2004 to 2034 (nanoseconds since 2001: from 2016, when Apple began): within them no number is a
/// time by two epochs at once, but that the ticks of .NET's years all fall into spring 2021 by nanoseconds
/// since 2001. Where all values do, nothing tells which it is.
class TimeEvidence {
 public:
  void note(const ts_value& value);
  /// The one epoch by which all values but some oddities are times; absent if there are none or several.
  std::optional<Epoch> epoch() const;
  /// Values that are times by that epoch.
  std::size_t times() const;

 private:
  std::size_t seen_ = 0, text_ = 0;
  std::size_t fits_[kEpochs] = {};
};

/// SQL for microseconds since 1970 of a column by that epoch, of a clock's reading as if it were UTC; NULL
/// for values outside its years.
std::string time_sql(Epoch epoch, std::string_view column);

}  // namespace touchstone::appdata

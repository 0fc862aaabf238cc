// From the cells of a definition's query to the fields of a record: times, booleans, directions and JSON
// lists as the case database wants them, text within bounds. What had to be changed is counted, so that it
// can be said. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>

namespace touchstone::appdata {

/// Longer text is cut: no message is that long, and a record travels through memory as a whole.
constexpr std::size_t kMaxFieldBytes = 1 << 20;

/// What happened to cells that could not be taken as they are.
struct FieldNotes {
  std::uint64_t cut = 0;        ///< longer than kMaxFieldBytes
  std::uint64_t bad_times = 0;  ///< not a number, or outside the years 1 to 9999
  std::uint64_t binary = 0;     ///< bytes that are no text where text belongs
};

enum class FieldForm { plain, time, flag, direction, list };
FieldForm form_of(std::string_view column);

/// The text with each byte that is no UTF-8 as U+FFFD.
std::string valid_utf8(std::string_view text);

/// Converts cells; owns the texts it makes until clear().
class FieldMaker {
 public:
  Cell make(FieldForm form, const ts_value& value);
  void clear() { made_.clear(); }
  FieldNotes notes;

 private:
  Cell text(const ts_value& value);
  Cell time(const ts_value& value);
  Cell list(const ts_value& value);
  std::string_view keep(std::string&& text) { return made_.emplace_back(std::move(text)); }
  std::deque<std::string> made_;  // a deque: views into it stay valid
  std::set<std::string, std::less<>> lists_;
};

}  // namespace touchstone::appdata

// Values of report fields as the case database wants them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchstone::ufdr {

/// A time of the form 2024-05-03T21:00:00.250+01:00: microseconds since 1970. Without a zone it is what the
/// clock showed, and `local` is set.
struct ReportTime {
  std::int64_t us = 0;
  bool local = false;   ///< no zone was given
  bool offset = false;  ///< a zone other than UTC was given
};
std::optional<ReportTime> parse_time(std::string_view text);

/// "01:02:03", "1.02:03:04" (days) or "00:00:07.5": seconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::optional<double> parse_number(std::string_view text);
/// "True" and "False" in any case.
std::optional<bool> parse_flag(std::string_view text);

}  // namespace touchstone::ufdr

#include "values.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace touchstone::ufdr {
namespace {

/// `count` digits from the front.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// ".25" as microseconds; 0 if there is none.
std::int64_t fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t value = 0, unit = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return value;
}

}  // namespace

std::optional<ReportTime> parse_time(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || !(take(text, 'T') || take(text, ' '))) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = digits(text, 2);
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(day.value_or(0)))};
  // The year 1 is how the tool writes "no time".
  if (!second || !date.ok() || *year < 1900 || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  ReportTime time;
  time.us = sys_days(date).time_since_epoch().count() * std::int64_t{86'400'000'000} +
            ((*hour * 60 + *minute) * std::int64_t{60} + *second) * 1'000'000 + fraction(text);
  if (text.empty()) {
    time.local = true;
    return time;
  }
  if (take(text, 'Z')) return text.empty() ? std::optional(time) : std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto zone_hour = digits(text, 2);
  if (!zone_hour || !take(text, ':')) return std::nullopt;
  const auto zone_minute = digits(text, 2);
  if (!zone_minute || !text.empty() || *zone_hour > 14 || *zone_minute > 59) return std::nullopt;
  const std::int64_t shift = (*zone_hour * 60 + *zone_minute) * std::int64_t{60'000'000};
  time.us -= sign * shift;
  time.offset = shift != 0;
  return time;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t days = 0;
  if (const auto dot = text.find('.'), colon = text.find(':'); dot != std::string_view::npos && dot < colon) {
    if (std::from_chars(text.data(), text.data() + dot, days).ptr != text.data() + dot) return std::nullopt;
    text.remove_prefix(dot + 1);
  }
  std::array<std::int64_t, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
    if (error != std::errc() || parts[i] < 0 || parts[i] > 100'000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i + 1 < parts.size() && !take(text, ':')) return std::nullopt;
  }
  if ((!text.empty() && text.front() != '.') || days < 0 || days > 100'000) return std::nullopt;
  return ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "True" || text == "true") return true;
  if (text == "False" || text == "false") return false;
  return std::nullopt;
}

}  // namespace touchstone::ufdr

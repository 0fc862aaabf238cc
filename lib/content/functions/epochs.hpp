// Times as apps store them, as microseconds since 1970-01-01 UTC. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace touchstone::functions {

/// What a column holds: an integer or a real number.
using Number = std::variant<std::int64_t, double>;

enum class Epoch {
  unix_s,
  unix_ms,
  unix_us,
  unix_ns,
  cocoa_s,       ///< seconds since 2001-01-01
  cocoa_ns,      ///< nanoseconds since 2001-01-01
  cocoa_any,     ///< either, told by size
  webkit_us,     ///< microseconds since 1601-01-01
  filetime,      ///< 100 ns since 1601-01-01
  dotnet_ticks,  ///< 100 ns since 0001-01-01; the two bits of DateTime.Kind may be set
  hfs_s,         ///< seconds since 1904-01-01
  julian_day,    ///< days since noon of 24 November 4714 BC
};
constexpr int kEpochs = 12;
std::string_view to_text(Epoch epoch);

/// Nothing for zero (unknown), for what is no finite number and outside the years 1971 to 2200.
std::optional<std::int64_t> to_unix_us(Epoch epoch, Number value);
/// The number that a text is, if all of it is one.
std::optional<Number> number_of(std::string_view text);

}  // namespace touchstone::functions

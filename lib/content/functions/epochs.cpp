#include "content/functions/epochs.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace touchstone::functions {
namespace {

constexpr std::int64_t kFirstUs = 31'536'000'000'000;    // 1971-01-01
constexpr std::int64_t kEndUs = 7'289'654'400'000'000;   // 2201-01-01
constexpr std::int64_t kFrom2001 = 978'307'200'000'000;  // µs from 1970 to the epoch
constexpr std::int64_t kFrom1601 = -11'644'473'600'000'000;
constexpr std::int64_t kFrom1904 = -2'082'844'800'000'000;
constexpr std::int64_t kFromYear1 = -62'135'596'800'000'000;
constexpr double kJulianOf1970 = 2'440'587.5;
/// Seconds since 2001 stay below it until the year 5000, nanoseconds pass it within two minutes.
constexpr double kCocoaNanoseconds = 1e11;
constexpr std::int64_t kTickBits = 0x3fff'ffff'ffff'ffff;

struct Scale {
  std::int64_t times, over;  ///< µs = value × times ÷ over + epoch
  std::int64_t epoch;
};

Scale scale_of(Epoch epoch) {
  switch (epoch) {
    case Epoch::unix_s:
      return {1'000'000, 1, 0};
    case Epoch::unix_ms:
      return {1000, 1, 0};
    case Epoch::unix_us:
      return {1, 1, 0};
    case Epoch::unix_ns:
      return {1, 1000, 0};
    case Epoch::cocoa_s:
    case Epoch::cocoa_any:
      return {1'000'000, 1, kFrom2001};
    case Epoch::cocoa_ns:
      return {1, 1000, kFrom2001};
    case Epoch::webkit_us:
      return {1, 1, kFrom1601};
    case Epoch::filetime:
      return {1, 10, kFrom1601};
    case Epoch::dotnet_ticks:
      return {1, 10, kFromYear1};
    case Epoch::hfs_s:
      return {1'000'000, 1, kFrom1904};
    case Epoch::julian_day:
      break;
  }
  return {86'400'000'000, 1, 0};
}

double as_real(Number value) {
  return std::visit([](auto number) { return static_cast<double>(number); }, value);
}

std::optional<std::int64_t> within(std::int64_t us) {
  return us >= kFirstUs && us < kEndUs ? std::optional(us) : std::nullopt;
}

std::optional<std::int64_t> of_real(double value, const Scale& scale) {
  const double us = value * static_cast<double>(scale.times) / static_cast<double>(scale.over) +
                    static_cast<double>(scale.epoch);
  // Also false for what is no number.
  if (!(us > 0 && us < static_cast<double>(kEndUs) + 1)) return std::nullopt;
  return within(std::llround(us));
}

}  // namespace

std::string_view to_text(Epoch epoch) {
  static constexpr std::array<std::string_view, kEpochs> kNames{
      "unix_s",    "unix_ms",   "unix_us",  "unix_ns",      "cocoa_s", "cocoa_ns",
      "cocoa_any", "webkit_us", "filetime", "dotnet_ticks", "hfs_s",   "julian_day"};
  return kNames[static_cast<std::size_t>(epoch)];
}

std::optional<std::int64_t> to_unix_us(Epoch epoch, Number value) {
  const double real = as_real(value);
  if (real == 0) return std::nullopt;
  if (epoch == Epoch::cocoa_any && std::abs(real) > kCocoaNanoseconds) epoch = Epoch::cocoa_ns;
  const Scale scale = scale_of(epoch);
  if (epoch == Epoch::julian_day) return of_real(real - kJulianOf1970, scale);
  if (std::holds_alternative<double>(value)) return of_real(real, scale);
  std::int64_t whole = std::get<std::int64_t>(value);
  if (epoch == Epoch::dotnet_ticks) whole &= kTickBits;
  const std::int64_t most = INT64_MAX / scale.times;
  if (whole > most || whole < -most) return std::nullopt;
  const std::int64_t scaled = whole * scale.times;
  std::int64_t us = scaled / scale.over;
  if (scaled % scale.over < 0) --us;
  // Both lie within 2^63 by far more than the epoch: no sum of them overflows but for the largest counts.
  if (us > INT64_MAX - kFrom2001) return std::nullopt;
  if (us < INT64_MIN - kFromYear1) return std::nullopt;
  return within(us + scale.epoch);
}

std::optional<Number> number_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end)
    return Number(whole);
  double real = 0;
  if (const auto read = std::from_chars(text.data(), end, real); read.ec == std::errc() && read.ptr == end)
    return Number(real);
  return std::nullopt;
}

}  // namespace touchstone::functions

#include "cli/terminal.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "model/locator.hpp"
#include "pipeline/worker_process.hpp"

namespace touchstone::cli {

std::string inert(std::string_view text) {
  // The locator's escaping knows every deceptive character; here "%XX" of ordinary punctuation is not wanted.
  std::string out;
  const std::string valid = to_valid_utf8(text);
  std::size_t i = 0;
  while (i < valid.size()) {
    const auto lead = static_cast<unsigned char>(valid[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string piece = valid.substr(i, length);
    if (lead < 0x20) {
      out += fmt::format("\xE2\x90{}", static_cast<char>(0x80 + lead));  // U+2400 + code
    } else if (length > 1 || lead == 0x7F) {
      const std::string escaped = escape_path(piece);
      out += escaped == piece ? piece : fmt::format("[{}]", escaped);
    } else {
      out += piece;
    }
    i += length;
  }
  return out;
}

void complain(std::string_view message) {
  fmt::print(stderr, "touchstone: {}\n", inert(message));
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string human_time(std::int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(seconds));
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {
  if (!terminal_) last_us_ = wall_us();  // a log has no use for "0 of 0 items"
}

void ProgressLine::show(const std::string& text) {
  if (quiet_) return;
  const std::uint64_t now = wall_us();
  if (now - last_us_ < (terminal_ ? 200'000U : 30'000'000U)) return;
  last_us_ = now;
  if (!terminal_) {
    fmt::print(stderr, "{}\n", text);
    return;
  }
  winsize size{};
  const std::size_t width =
      ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col - 1U : 79U;
  fmt::print(stderr, "\r{:<{}}", text.substr(0, width), width);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::end() {
  if (drawn_) fmt::print(stderr, "\r{:<79}\r", "");
  drawn_ = false;
}

}  // namespace touchstone::cli

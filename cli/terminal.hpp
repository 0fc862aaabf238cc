// What the terminal sees: text from evidence made inert, one live progress line, messages on standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchstone::cli {

/// Control characters, escapes and bidirectional controls as visible pictures; invalid UTF-8 as U+FFFD.
std::string inert(std::string_view text);
/// "touchstone: message" on standard error.
void complain(std::string_view message);
/// 1234567 → "1.2 MB".
std::string human_bytes(std::uint64_t bytes);
/// 1234567 → "1,234,567".
std::string human_count(std::uint64_t count);
std::string human_time(std::int64_t us);

/// One line that is redrawn on a terminal; a plain line now and then elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  /// Cheap: draws at most a few times a second on a terminal, every half minute elsewhere.
  void show(const std::string& text);
  void end();

 private:
  bool quiet_, terminal_;
  std::uint64_t last_us_ = 0;
  bool drawn_ = false;
};

}  // namespace touchstone::cli

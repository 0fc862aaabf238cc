// Whatever names and values a database has, the guess of what they are ends and says the same again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "../../../plugins/appdata/guess_names.hpp"
#include "../../../plugins/appdata/guess_values.hpp"

using namespace touchstone::appdata;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ColumnGuess guess = guess_column(text);
  if (guess.role != guess_column(text).role || guess.rank < 0) std::abort();
  is_named_for_messages(text);
  speaks_of_other_things(text, {std::string(text)});
  TextEvidence texts;
  TimeEvidence times;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    texts.note(line);
    times.note({TS_TEXT, 0, 0, {line.data(), line.size()}});
    ts_value number{TS_INTEGER, 0, 0, {nullptr, 0}};
    std::memcpy(&number.integer, line.data(), std::min(line.size(), sizeof number.integer));
    times.note(number);
    at = end + 1;
  }
  if (texts.looks_written(true) && !texts.looks_written(false)) std::abort();
  if (times.times() > 0 && !times.epoch()) std::abort();
  return 0;
}

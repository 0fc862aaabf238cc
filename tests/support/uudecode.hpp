// uuencode as in POSIX, which the archives of other projects' tests come in.
#pragma once

#include <algorithm>
#include <string>

namespace touchstone::test {

/// Empty if there is no "begin".
inline std::string uudecode(const std::string& text) {
  std::string out;
  auto at = text.find("begin ");
  if (at == std::string::npos) return {};
  at = text.find('\n', at) + 1;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.empty() || line == "end") break;
    const auto six = [&](std::size_t i) {
      return i < line.size() ? (static_cast<unsigned>(line[i]) - 32U) & 63U : 0U;
    };
    const std::size_t count = six(0), before = out.size();
    for (std::size_t i = 1; out.size() - before < count; i += 4) {
      const unsigned bits = six(i) << 18U | six(i + 1) << 12U | six(i + 2) << 6U | six(i + 3);
      for (const unsigned shift : {16U, 8U, 0U}) {
        if (out.size() - before < count) out += static_cast<char>(bits >> shift);
      }
    }
    at = end + 1;
  }
  return out;
}

}  // namespace touchstone::test

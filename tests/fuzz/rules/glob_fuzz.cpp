// First line: a pattern; second line: a path.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rules/glob.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string all(data, data + size);
  const std::size_t end = all.find('\n');
  if (end == std::string::npos || size > 8192) return 0;
  const auto glob = touchstone::Glob::compile(std::string_view(all).substr(0, end), true);
  if (!glob) return 0;
  const std::string path = all.substr(end + 1);
  if (path.ends_with('/')) return 0;  // no item's path does, and nothing has an empty name below it
  const std::size_t slash = path.rfind('/');
  // What matches must be below something that may match.
  if (glob->matches(path) && slash != std::string::npos && slash > 0 &&
      !glob->may_match_below(path.substr(0, slash)))
    std::abort();
  return 0;
}

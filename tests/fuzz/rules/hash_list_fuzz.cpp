#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "rules/hash_list.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream input(std::string(data, data + size));
  const auto list = touchstone::read_hash_list(input, "f.txt", "known");
  if (list && list->md5.size() + list->sha1.size() + list->sha256s.size() == 0) std::abort();
  return 0;
}

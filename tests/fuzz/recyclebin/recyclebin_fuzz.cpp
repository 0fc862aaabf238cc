// The first byte picks the format. A name must come out of whatever is called a record.
#include <cstdint>
#include <cstdlib>

#include "formats.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::recyclebin;
  if (size == 0) return 0;
  const Bytes bytes(data + 1, size - 1);
  if (data[0] % 3 == 0) {
    const auto one = parse_i_file(bytes);
    if (one && one->original.empty()) std::abort();
  } else if (data[0] % 3 == 1) {
    const auto all = parse_info2(bytes);
    if (all && all->size() > bytes.size() / 280) std::abort();
  } else {
    const auto one = parse_trashinfo({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (one && one->original.empty()) std::abort();
  }
  return 0;
}

// Whatever the bytes, detection answers with an encoding that iconv has, and the windows are valid UTF-8 that
// follow one another without a gap.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "content/text.hpp"
#include "content/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* type : {"text/plain", "application/octet-stream"}) {
    const std::string encoding = detect_text_encoding(bytes, type);
    if (encoding.empty()) continue;
    std::uint64_t next = 0;
    TextWindows windows([&](std::uint64_t offset, std::size_t overlap, std::string_view window) {
      if (offset + overlap != next || window.size() > kTextWindow) std::abort();
      const Utf8Count count = count_utf8(window);
      if (count.invalid != 0) std::abort();
      next = offset + window.size();
      return true;
    });
    std::vector<std::byte> copy(size);
    std::memcpy(copy.data(), data, size);
    const auto source = make_memory_source(std::move(copy));
    if (!convert_text(*source, encoding, windows)) std::abort();
  }
  return 0;
}

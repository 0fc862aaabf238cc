// A file in memory as an image of whatever its signature says: opened with itself as every further file it
// asks for, and read at its start, its end and in steps between.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "evidence/exhibit_source.hpp"

namespace {

using namespace touchstone;

constexpr std::size_t kMaxInput = std::size_t{4} << 20;
constexpr std::uint64_t kSteps = 64;

void read_some(ExhibitSource& image) {
  std::vector<std::byte> block(40'000);
  const std::uint64_t size = image.size();
  for (std::uint64_t i = 0; i <= kSteps; ++i) {
    const std::uint64_t at = size / kSteps * i;
    if (!image.read_at(at, block)) return;
  }
  for (std::uint64_t at = 0; at < size && at < (1U << 20); at += block.size()) {
    if (!image.read_at(at, block)) return;
  }
  if (size > 100) (void)image.read_at(size - 100, block);
  (void)image.gaps();
  (void)image.info();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  int opened = 0;
  const auto sibling = [&](const std::string& name) -> std::unique_ptr<ByteSource> {
    // An EWF set or a split raw image would go on for as long as there are names.
    if (++opened > 8 || name.empty()) return nullptr;
    return make_memory_source({bytes, bytes + size});
  };
  // The name of a first segment and of a first part, so that further ones are looked for.
  for (const char* name : {"image.E01", "image.001"}) {
    opened = 0;
    auto image = open_image(make_memory_source({bytes, bytes + size}), name, sibling);
    if (image) read_some(**image);
  }
  return 0;
}

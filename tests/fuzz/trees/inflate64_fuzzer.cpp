// A Deflate64 stream, forwards and once more from its middle.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "evidence/inflate64_decoder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone;
  constexpr std::size_t kMaxInput = std::size_t{1} << 16, kMaxOutput = std::size_t{4} << 20;
  if (size > kMaxInput) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  DecodedSource source(std::make_unique<Inflate64Decoder>(make_memory_source({bytes, bytes + size})),
                       std::nullopt);
  std::vector<std::byte> block(10'000);
  std::uint64_t at = 0;
  for (auto got = source.read_at(at, block); got && *got > 0 && at < kMaxOutput;
       got = source.read_at(at, block))
    at += *got;
  static_cast<void>(source.read_at(at / 2, block));
  source.gaps();
  return 0;
}

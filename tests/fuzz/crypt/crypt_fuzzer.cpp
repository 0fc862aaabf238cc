// An encrypted volume in memory: its description, and its plain bytes where it opens without a secret or with
// one whose key costs little to derive; and the same bytes as the JSON of a LUKS2 header.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_luks.hpp"

namespace {

using namespace touchstone;

constexpr std::size_t kMaxInput = std::size_t{4} << 20;
constexpr std::uint64_t kCheap = 2000;

std::unique_ptr<ByteSource> source_of(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  return make_memory_source({bytes, bytes + size});
}

void read_some(ByteSource& source) {
  std::vector<std::byte> block(8192);
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{511}, source.size() / 2, source.size() - 1})
    (void)source.read_at(at, block);
  source.gaps();
}

/// Real headers ask for seconds of work, which would only slow the search down.
bool is_cheap(const crypt::LuksVolume& volume) {
  for (const crypt::LuksSlot& slot : volume.slots) {
    if (slot.iterations > kCheap || slot.cost.passes > 4 || slot.cost.memory_kib > 64 || slot.cost.lanes > 4)
      return false;
  }
  for (const crypt::LuksDigest& digest : volume.digests) {
    if (digest.iterations > kCheap) return false;
  }
  return volume.slots.size() <= 8 && volume.digests.size() <= 8;
}

void try_luks(const crypt::LuksVolume& volume, std::unique_ptr<ByteSource> source) {
  crypt::describe_luks(volume);
  if (!is_cheap(volume)) return;
  const auto opened = crypt::open_luks(std::move(source), volume, {{"secret"}});
  if (opened) read_some(*opened->bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  auto volume = source_of(data, size);
  recognise_locked(*volume);
  suspect_encryption(*volume);
  if (is_locked(*volume) && !crypt::is_luks(*volume)) {
    const auto opened = open_locked(source_of(data, size), {});
    if (opened && opened->bytes->size() > 0) read_some(*opened->bytes);
  }
  if (crypt::is_luks(*volume)) {
    const auto header = crypt::read_luks(*volume);
    if (header) try_luks(*header, std::move(volume));
  }
  crypt::LuksVolume second;
  second.version = 2;
  const std::string json(reinterpret_cast<const char*>(data), size);
  if (crypt::read_luks2_json(json, second)) try_luks(second, source_of(data, size));
  return 0;
}

// Blocks of an APFS container, each with its checksum put right: its superblock, an object map, nodes of
// trees, and the attempt to open a volume.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filesystem/apfs_container.hpp"
#include "filesystem/apfs_unlock.hpp"

namespace {

using namespace touchstone;
using namespace touchstone::detail;

constexpr std::size_t kMaxInput = std::size_t{256} << 10;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const auto* from = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(from, from + size);
  bytes.resize((size + apfs::kBlock - 1) / apfs::kBlock * apfs::kBlock);
  for (std::size_t at = 0; at < bytes.size(); at += apfs::kBlock) {
    const auto block = std::span(bytes).subspan(at, apfs::kBlock);
    const std::uint64_t sum = apfs::checksum(block);
    for (std::size_t i = 0; i < 8; ++i) block[i] = static_cast<std::byte>(sum >> (8 * i) & 255);
    std::size_t seen = 0;
    apfs::each_entry(block, [&](std::span<const std::byte> key, std::span<const std::byte> value) {
      seen += key.size() + value.size();
    });
  }
  const auto container = make_memory_source(std::move(bytes));
  (void)apfs::find_superblock(*container);
  for (std::uint64_t map = 0; map < std::min<std::uint64_t>(container->size() / apfs::kBlock, 4); ++map)
    (void)apfs::mapped_objects(*container, map);
  Secrets secrets;
  secrets.candidates = {"secret"};
  (void)unlock_apfs(*container, {0, container->size()}, 1, secrets);
  return 0;
}

// The bytes are a compound file. Reading it must end, no stream may give more than its chain of sectors can
// hold, and each entry but the root has a parent that is no stream.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "content/compound_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using touchstone::CompoundFile;
  const auto read = [data, size](std::uint64_t offset, std::span<std::uint8_t> out) -> std::int64_t {
    if (offset >= size) return 0;
    const std::size_t part = std::min<std::size_t>(out.size(), size - static_cast<std::size_t>(offset));
    std::copy_n(data + offset, part, out.begin());
    return static_cast<std::int64_t>(part);
  };
  const auto file = CompoundFile::open(read, size);
  if (!file) return 0;
  constexpr std::uint64_t kMost = 1U << 20U;
  const auto& entries = file->entries();
  for (const auto& entry : entries) {
    if (entry.parent >= entries.size()) std::abort();
    if (entry.id != 0 && entries[entry.parent].kind == touchstone::CompoundEntry::Kind::stream) std::abort();
    const auto stream = file->open_stream(entry);
    if (stream.size() > entry.size || stream.size() > size + 4096) std::abort();
    const auto bytes = file->read_all(entry, kMost);
    if (bytes && bytes->size() != stream.size()) std::abort();
    bool is_table = false;
    touchstone::decode_msi_name(entry.name_utf16, is_table);
  }
  file->find("a/b");
  return 0;
}

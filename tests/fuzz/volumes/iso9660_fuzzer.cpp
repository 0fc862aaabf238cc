// A disc from its first descriptor on: what stands before it is no part of the file system.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filesystem/iso_file_system.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone;
  constexpr std::size_t kMaxInput = std::size_t{1} << 18, kBefore = std::size_t{16} * 2048,
                        kMaxEntries = 2000;
  if (size > kMaxInput) return 0;
  std::vector<std::byte> disc(kBefore);
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  disc.insert(disc.end(), bytes, bytes + size);
  const auto files = detail::open_iso9660(make_memory_source(std::move(disc)));
  std::vector<Problem> problems;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  std::vector<std::byte> block(64 * 1024);
  for (std::size_t seen = 0; !waiting.empty() && seen < kMaxEntries;) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    const Status status = files->list(
        directory,
        [&](Entry&& entry) {
          if (entry.descend) waiting.push_back(directory.child(entry));
          if (auto source =
                  entry.has_content ? files->open(entry.address) : Error{ErrorCode::not_found, ""}) {
            static_cast<void>((*source)->read_at(0, block));
            static_cast<void>((*source)->read_at((*source)->size() / 2, block));
            (*source)->gaps();
          }
          return ++seen < kMaxEntries;
        },
        problems);
    if (!status) return 0;
  }
  static_cast<void>(files->unallocated([](ByteRange) { return true; }, problems));
  static_cast<void>(files->slack([](ByteRange, const std::string&) { return true; }, problems));
  return 0;
}

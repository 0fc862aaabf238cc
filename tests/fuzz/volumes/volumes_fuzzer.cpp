// An image in memory: its volumes, their directories to a small depth, and the first bytes of their files.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filesystem/filesystem.hpp"

namespace {

using namespace touchstone;

constexpr std::size_t kMaxInput = std::size_t{8} << 20;
constexpr std::size_t kMaxEntries = 2000;
constexpr std::size_t kMaxRead = std::size_t{1} << 20;

void read_some(FileSystem& fs, const std::string& address) {
  auto source = fs.open(address);
  if (!source) return;
  std::vector<std::byte> block(64 * 1024);
  for (std::uint64_t at = 0; at < kMaxRead && at < (*source)->size(); at += block.size()) {
    if (!(*source)->read_at(at, block)) break;
  }
  (*source)->gaps();
}

void look_through(FileSystem& fs) {
  std::vector<Problem> problems;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  std::size_t seen = 0;
  while (!waiting.empty() && seen < kMaxEntries) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    const Status status = fs.list(
        directory,
        [&](Entry&& entry) {
          if (entry.descend) waiting.push_back(directory.child(entry));
          if (entry.has_content) read_some(fs, entry.address);
          return ++seen < kMaxEntries;
        },
        problems);
    if (!status && directory.address.empty()) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto image = make_memory_source({bytes, bytes + size});
  std::vector<Problem> problems;
  for (const Volume& volume : list_volumes(*image, 512, problems)) {
    auto fs = open_file_system(*image, 512, volume);
    if (fs) look_through(**fs);
  }
  return 0;
}

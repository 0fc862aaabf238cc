// An archive in memory: its directories, and the first bytes of its files. `TREE` is "zip" or "tar", so that
// bytes without a signature reach the reader too.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filesystem/trees/trees.hpp"

namespace {

using namespace touchstone;

constexpr std::size_t kMaxInput = std::size_t{1} << 20;
constexpr std::size_t kMaxEntries = 2000;
constexpr std::size_t kMaxRead = std::size_t{1} << 20;

void read_some(FileSystem& files, const std::string& address) {
  auto source = files.open(address);
  if (!source) return;
  std::vector<std::byte> block(64 * 1024);
  for (std::uint64_t at = 0; at < kMaxRead && at < (*source)->size(); at += block.size()) {
    const auto got = (*source)->read_at(at, block);
    if (!got || *got == 0) break;
  }
  if (!(*source)->read_at((*source)->size() / 2, block)) return;
  (*source)->gaps();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto archive = make_memory_source({bytes, bytes + size});
  find_tree(*archive);
  Volume volume;
  volume.filesystem = TREE;
  VolumeOptions options;
  options.secrets.candidates = {"secret"};
  auto files = open_tree(*archive, volume, options);
  if (!files) return 0;
  std::vector<Problem> problems;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  std::size_t seen = 0;
  while (!waiting.empty() && seen < kMaxEntries) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    const Status status = (*files)->list(
        directory,
        [&](Entry&& entry) {
          if (entry.descend) waiting.push_back(directory.child(entry));
          if (entry.has_content) read_some(**files, entry.address);
          return ++seen < kMaxEntries;
        },
        problems);
    if (!status) break;
  }
  return 0;
}

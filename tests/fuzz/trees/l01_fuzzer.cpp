// The list of files of logical evidence (L01): its directories, and the first bytes of its files out of 64
// KiB of media.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "evidence/exhibit_source.hpp"
#include "filesystem/trees/trees.hpp"

namespace {

using namespace touchstone;

constexpr std::size_t kMaxInput = std::size_t{1} << 20;
constexpr std::size_t kMaxEntries = 2000;
constexpr std::size_t kMedia = 64 * 1024;

class Evidence : public ExhibitSource {
 public:
  explicit Evidence(std::vector<std::byte> list)
      : list_(make_memory_source(std::move(list))),
        media_(make_memory_source(std::vector<std::byte>(kMedia, std::byte{'m'}))) {}
  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return media_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return media_->read_at(offset, out);
  }
  ByteSource* file_list() override { return list_.get(); }

 private:
  ImageInfo info_;
  std::unique_ptr<ByteSource> list_, media_;
};

void read_some(FileSystem& files, const std::string& address) {
  auto source = files.open(address);
  if (!source) return;
  std::vector<std::byte> block(kMedia);
  for (const std::uint64_t at : {std::uint64_t{0}, (*source)->size() / 2, (*source)->size() - 1})
    (void)(*source)->read_at(at, block);
  (*source)->gaps();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  Evidence evidence({bytes, bytes + size});
  const auto volume = find_tree(evidence);
  if (!volume) return 0;
  auto files = open_tree(evidence, *volume, {});
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

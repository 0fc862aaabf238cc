#include "filesystem/snapshots_vss.hpp"

#include <libvshadow.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/gap_list.hpp"
#include "evidence/yal_input.hpp"
#include "filesystem/crypt_bytes.hpp"

// The copy of libbfio inside the isolated libvshadow.
extern "C" {
touchstone::detail::BfioInitialise vshadow_bfio_initialize;
touchstone::detail::BfioFree vshadow_bfio_free;
}

namespace touchstone::detail {
namespace {

// Windows keeps at most 512 shadow copies of a volume; those of clients are 64.
constexpr int kMaxSnapshots = 512;
// The header's place, and its identifier {3808876b-c176-4e48-b7ae-04046e6cc752}.
constexpr std::uint64_t kHeaderAt = 0x1e00;
constexpr std::array<unsigned char, 16> kHeaderId = {0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
                                                     0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52};
// FILETIME counts 100 ns from 1601.
constexpr std::int64_t kEpochDifference = 11'644'473'600'000'000;

struct StoreCloser {
  void operator()(libvshadow_store_t* store) const { libvshadow_store_free(&store, nullptr); }
};
using Store = std::unique_ptr<libvshadow_store_t, StoreCloser>;

struct VolumeCloser {
  void operator()(libvshadow_volume_t* volume) const { libvshadow_volume_free(&volume, nullptr); }
};

std::string message_of(libvshadow_error_t* error) {
  std::array<char, 512> text = {};
  if (error != nullptr) {
    libvshadow_error_sprint(error, text.data(), text.size());
    libvshadow_error_free(&error);
  }
  return text.data();
}

SnapshotInfo describe(libvshadow_store_t* store) {
  SnapshotInfo info;
  std::array<std::uint8_t, 16> id = {};
  if (libvshadow_store_get_copy_identifier(store, id.data(), id.size(), nullptr) == 1 ||
      libvshadow_store_get_identifier(store, id.data(), id.size(), nullptr) == 1)
    info.id = crypt::guid_text(std::as_bytes(std::span(id)), 0);
  std::uint64_t created = 0;
  if (libvshadow_store_get_creation_time(store, &created, nullptr) == 1 && created != 0 &&
      created / 10 < INT64_MAX)
    info.created = static_cast<std::int64_t>(created / 10) - kEpochDifference;
  size64_t size = 0;
  if (libvshadow_store_get_volume_size(store, &size, nullptr) == 1) info.size = size;
  info.complete = libvshadow_store_has_in_volume_data(store, nullptr) == 1;
  return info;
}

/// One shadow copy's bytes. What cannot be read is zeros and a gap.
class SnapshotSource : public ByteSource {
 public:
  SnapshotSource(std::shared_ptr<ShadowCopies> owner, YalInput& input, libvshadow_store_t* store,
                 std::uint64_t size)
      : owner_(std::move(owner)), input_(input), store_(store), size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done;
      const std::uint64_t in_block = ChangedBlocks::kBlockSize - at % ChangedBlocks::kBlockSize;
      const std::span<std::byte> part =
          out.subspan(done, std::min<std::uint64_t>(out.size() - done, in_block));
      input_.take_touched_gaps();
      if (libvshadow_store_read_buffer_at_offset(store_, part.data(), part.size(), static_cast<off64_t>(at),
                                                 nullptr) != static_cast<ssize_t>(part.size())) {
        std::memset(part.data(), 0, part.size());
        gaps_.add(at, part.size(), "the shadow copy cannot be read here");
      }
      // Of which bytes of the block they are the source, the library does not tell.
      for (const Gap& gap : input_.take_touched_gaps()) gaps_.add(at, part.size(), gap.reason, gap.place);
      done += part.size();
    }
    return out.size();
  }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

 private:
  std::shared_ptr<ShadowCopies> owner_;
  YalInput& input_;
  libvshadow_store_t* store_;
  std::uint64_t size_;
  GapList gaps_;
};

}  // namespace

struct ShadowCopies::State {
  std::unique_ptr<YalInput> input;
  std::unique_ptr<libvshadow_volume_t, VolumeCloser> volume;
  std::vector<Store> stores;
  std::uint64_t size = 0;  ///< of the live volume
};

ShadowCopies::ShadowCopies(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShadowCopies::~ShadowCopies() = default;

bool ShadowCopies::has_header(ByteSource& live) {
  const auto head = crypt::read_exactly(live, kHeaderAt, 64);
  // A volume without shadow copies keeps the header, with no catalogue (offset 48).
  return !head.empty() && std::memcmp(head.data(), kHeaderId.data(), kHeaderId.size()) == 0 &&
         crypt::little64(head, 48) != 0;
}

Result<std::shared_ptr<ShadowCopies>> ShadowCopies::open(ByteSource& live) {
  auto state = std::make_unique<State>();
  state->size = live.size();
  state->input = std::make_unique<YalInput>(BfioFunctions{vshadow_bfio_initialize, vshadow_bfio_free}, live);
  libvshadow_volume_t* volume = nullptr;
  libvshadow_error_t* error = nullptr;
  int count = 0;
  const bool opened = libvshadow_volume_initialize(&volume, &error) == 1 &&
                      libvshadow_volume_open_file_io_handle(volume, state->input->handle(),
                                                            LIBVSHADOW_OPEN_READ, &error) == 1 &&
                      libvshadow_volume_get_number_of_stores(volume, &count, &error) == 1;
  state->volume.reset(volume);
  if (!opened)
    return Error{ErrorCode::corrupt, "the volume's shadow copies cannot be read: " + message_of(error)};
  std::shared_ptr<ShadowCopies> copies(new ShadowCopies(std::move(state)));
  for (int i = 0; i < std::min(count, kMaxSnapshots); ++i) {
    libvshadow_store_t* store = nullptr;
    if (libvshadow_volume_get_store(copies->state_->volume.get(), i, &store, nullptr) != 1) store = nullptr;
    copies->list_.push_back(store == nullptr ? SnapshotInfo{"", std::nullopt, 0, false} : describe(store));
    copies->state_->stores.emplace_back(store);
  }
  return copies;
}

Result<std::unique_ptr<ByteSource>> ShadowCopies::bytes(const std::shared_ptr<ShadowCopies>& self,
                                                        std::size_t index) {
  if (index >= self->list_.size()) return Error{ErrorCode::not_found, "there is no such shadow copy"};
  libvshadow_store_t* store = self->state_->stores[index].get();
  if (store == nullptr || !self->list_[index].complete) {
    return Error{ErrorCode::unsupported, "its data lies on another volume, which is not brought together"};
  }
  const std::uint64_t size = std::min(self->list_[index].size, self->state_->size);
  return std::unique_ptr<ByteSource>(
      std::make_unique<SnapshotSource>(self, *self->state_->input, store, size));
}

Result<ChangedBlocks> ShadowCopies::changed_since(std::size_t index) {
  ChangedBlocks changed(state_->size);
  for (std::size_t i = index; i < state_->stores.size(); ++i) {
    libvshadow_store_t* store = state_->stores[i].get();
    int count = 0;
    // The number of a store's blocks is known once it was read from.
    std::array<std::uint8_t, 512> sector = {};
    if (store == nullptr ||
        libvshadow_store_read_buffer_at_offset(store, sector.data(), sector.size(), 0, nullptr) < 0 ||
        libvshadow_store_get_number_of_blocks(store, &count, nullptr) != 1)
      return Error{ErrorCode::corrupt, "the list of changed blocks cannot be read"};
    for (int b = 0; b < count; ++b) {
      libvshadow_block_t* block = nullptr;
      off64_t offset = 0;
      if (libvshadow_store_get_block_by_index(store, b, &block, nullptr) != 1) continue;
      if (libvshadow_block_get_original_offset(block, &offset, nullptr) == 1 && offset >= 0)
        changed.add(static_cast<std::uint64_t>(offset));
      libvshadow_block_free(&block, nullptr);
    }
  }
  return changed;
}

}  // namespace touchstone::detail

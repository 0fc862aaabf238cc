// The shadow copies of one volume by libvshadow. Private to lib/filesystem. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace touchstone::detail {

/// Which blocks of a volume were written since a snapshot was made.
class ChangedBlocks {
 public:
  static constexpr std::uint64_t kBlockSize = 16384;
  explicit ChangedBlocks(std::uint64_t volume_size) : bits_((volume_size + kBlockSize - 1) / kBlockSize) {}
  void add(std::uint64_t offset) {
    if (offset / kBlockSize < bits_.size()) bits_[offset / kBlockSize] = true;
  }
  /// True if a byte of the range lies in such a block.
  bool touch(std::uint64_t offset, std::uint64_t length) const {
    for (std::uint64_t b = offset / kBlockSize; length > 0 && b <= (offset + length - 1) / kBlockSize; ++b) {
      if (b >= bits_.size() || bits_[b]) return true;
    }
    return false;
  }

 private:
  std::vector<bool> bits_;
};

struct SnapshotInfo {
  std::string id;  ///< of the shadow copy, "{…}"
  std::optional<TimeUs> created;
  std::uint64_t size = 0;
  bool complete = true;  ///< its data lies on this volume
};

/// All shadow copies of a volume; reads are made through the live volume given.
class ShadowCopies {
 public:
  /// Nothing if the volume has no header of shadow copies. Errors: corrupt. `live` outlives it.
  static Result<std::shared_ptr<ShadowCopies>> open(ByteSource& live);
  static bool has_header(ByteSource& live);
  ~ShadowCopies();
  ShadowCopies(const ShadowCopies&) = delete;
  ShadowCopies& operator=(const ShadowCopies&) = delete;

  /// From the oldest on.
  const std::vector<SnapshotInfo>& list() const { return list_; }
  /// The volume's bytes as they were. `self` is what keeps this object alive.
  static Result<std::unique_ptr<ByteSource>> bytes(const std::shared_ptr<ShadowCopies>& self,
                                                   std::size_t index);
  /// Blocks written after snapshot `index` was made.
  Result<ChangedBlocks> changed_since(std::size_t index);

 private:
  struct State;
  explicit ShadowCopies(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
  std::vector<SnapshotInfo> list_;
};

}  // namespace touchstone::detail

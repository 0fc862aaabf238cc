// A sorted list of byte ranges read as one stream: the ranges behind the windows of free_space.hpp. Internal
// to lib/filesystem. Filled by one thread, then only read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "filesystem/free_space.hpp"

namespace touchstone::detail {

class RunList {
 public:
  /// False when there is room for no more. `owner`: address of the file whose slack it is.
  bool add(ByteRange range, std::string_view owner = {});
  /// Sorts, cuts off what lies beyond `end` and what two ranges have in common. To be called once, after
  /// add().
  void finish(std::uint64_t end);

  std::uint64_t total() const { return total_; }
  std::size_t windows() const { return static_cast<std::size_t>((total_ + kWindowBytes - 1) / kWindowBytes); }

  struct Window {
    std::uint64_t from = 0, length = 0;  ///< in the stream
    ByteRange span;                      ///< of the volume: from its first byte to its last
    std::size_t runs = 0;
  };
  Window window(std::size_t number) const;
  /// The window that begins at this byte of the volume; windows() if none does.
  std::size_t window_at(std::uint64_t volume_offset) const;

  /// Calls `each(range of the volume, owner)` for the parts of a range of the stream until it returns false.
  template <typename Each>
  void parts(std::uint64_t from, std::uint64_t length, const Each& each) const {
    for (std::size_t i = index_of(from); i < runs_.size() && length > 0; ++i) {
      const std::uint64_t skip = from - runs_[i].begin;
      const std::uint64_t take = std::min(length, runs_[i].length - skip);
      if (!each(ByteRange{runs_[i].offset + skip, take}, owner(runs_[i]))) return;
      from += take;
      length -= take;
    }
  }
  /// Calls `each(range of the stream, its place on the volume)` for what of a range of the volume is in the
  /// stream.
  template <typename Each>
  void parts_of_volume(ByteRange range, const Each& each) const {
    const std::uint64_t end = range.offset + range.length;
    for (std::size_t i = first_ending_after(range.offset); i < runs_.size() && runs_[i].offset < end; ++i) {
      const std::uint64_t from = std::max(range.offset, runs_[i].offset);
      const std::uint64_t to = std::min(end, runs_[i].offset + runs_[i].length);
      each(ByteRange{runs_[i].begin + (from - runs_[i].offset), to - from}, from);
    }
  }

 private:
  struct Run {
    std::uint64_t offset = 0, length = 0;
    std::uint64_t begin = 0;  ///< in the stream
    std::uint32_t owner = 0;  ///< where its address begins in `owners_`
  };
  static_assert(sizeof(Run) <= kBytesPerRun);

  std::size_t index_of(std::uint64_t stream_offset) const;
  std::size_t first_ending_after(std::uint64_t volume_offset) const;
  std::string_view owner(const Run& run) const { return owners_.data() + run.owner; }

  std::vector<Run> runs_;
  std::string owners_ = std::string(1, '\0');  ///< addresses, each with a NUL behind it; the first is empty
  std::uint64_t total_ = 0;
};

}  // namespace touchstone::detail

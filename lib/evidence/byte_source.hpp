// Bytes by offset, whatever they are stored in: an image, a file on it, a member of an archive, memory.
// A ByteSource belongs to one thread of one process; sources share nothing. All reads are read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

/// A range that could not be read or whose checksum is wrong; what stands there is zeros or doubtful.
struct Gap {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string reason;
  std::optional<std::uint64_t> place{};  ///< where it begins on the exhibit; absent: not told

  /// Where a byte of it lies on the exhibit.
  std::optional<std::uint64_t> place_of(std::uint64_t at) const {
    return place ? std::optional(*place + (at - offset)) : std::nullopt;
  }
};

/// "1024 bytes at offset 0 (byte 98304 of the exhibit): …"
std::string text_of(const Gap& gap);

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Bytes in all.
  virtual std::uint64_t size() const = 0;
  /// Fills `out` from `offset`. Returns how many bytes were filled: fewer than asked only at the end. Bytes
  /// that could not be read are zero-filled, counted as filled and listed in gaps(). An Error means that
  /// nothing more can be read here at all.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Unreadable ranges met so far, in the order met, at most kMaxGaps (then one that says "more").
  virtual std::vector<Gap> gaps() const { return {}; }

  static constexpr std::size_t kMaxGaps = 1000;
};

/// Bytes in memory that the source owns.
std::unique_ptr<ByteSource> make_memory_source(std::vector<std::byte> bytes);
/// A window of another source, which must outlive it. Cut to what `base` has.
std::unique_ptr<ByteSource> make_window(ByteSource& base, std::uint64_t offset, std::uint64_t length);
/// A plain file opened read-only (never through a link's last component being swapped: the descriptor is
/// kept).
Result<std::unique_ptr<ByteSource>> open_file_source(const std::string& path);

}  // namespace touchstone

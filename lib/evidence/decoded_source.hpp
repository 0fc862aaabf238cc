// A compressed stream as a ByteSource: decoded as it is read, in bounded memory, with random access as good
// as its decoder's. One thread. Where it cannot be decoded any further it ends, with a gap up to the stated
// size: no bytes are made up, and a false size costs nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone {

/// Decodes forwards; may know places from which it can go on.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  /// Offset of the byte that next() gives.
  virtual std::uint64_t position() const = 0;
  /// Makes position() at most `offset` and as near to it as is cheap; from the start at worst.
  virtual Status seek(std::uint64_t offset) = 0;
  /// The next bytes; 0 at the end of the stream. An Error: damaged from position() on.
  virtual Result<std::size_t> next(std::span<std::byte> out) = 0;
  /// Ranges of the decoded bytes that are doubtful, met so far.
  virtual std::vector<Gap> gaps() const { return {}; }
};

class DecodedSource : public ByteSource {
 public:
  /// `size`: what a directory says; without it size() is UINT64_MAX until the end has been met. Either
  /// becomes smaller where the stream ends before.
  DecodedSource(std::unique_ptr<StreamDecoder> decoder, std::optional<std::uint64_t> size);
  std::uint64_t size() const override { return size_.value_or(UINT64_MAX); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override;
  /// Why the stream ends before its end, if it does; known once that place was met.
  const std::string& damage() const { return damage_; }

 private:
  static constexpr std::size_t kBlock = std::size_t{128} << 10;
  Status fill(std::uint64_t offset);
  void end_at(std::uint64_t offset, std::string reason);
  void check_for_more();

  std::unique_ptr<StreamDecoder> decoder_;
  std::optional<std::uint64_t> size_;
  std::string damage_;
  std::vector<std::byte> block_;
  std::uint64_t block_offset_ = 0;
  std::size_t block_size_ = 0;
  GapList gaps_;
};

/// `source`, which should have had `stated` bytes: what is missing is a gap with `reason` behind its end.
std::unique_ptr<ByteSource> make_short_source(std::unique_ptr<ByteSource> source, std::uint64_t stated,
                                              std::string reason);

/// Compares a CRC-32 with the bytes once they have been read from first to last; a difference is a gap over
/// all of them.
std::unique_ptr<ByteSource> make_checked_source(std::unique_ptr<ByteSource> source, std::uint32_t crc32);

}  // namespace touchstone

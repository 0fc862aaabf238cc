// Deflate with random access: while decoding, places to go on from are remembered (bit position and the 32
// KiB before it, compressed), ever further apart as the stream grows, within a budget of memory. Raw streams
// and gzip files of any number of members. One thread.
// Sources: RFC 1951, RFC 1952; zlib's inflatePrime() and inflateGetDictionary().
#pragma once

#include <zlib.h>

#include <array>

#include "evidence/decoded_source.hpp"

namespace touchstone {

class InflateDecoder : public StreamDecoder {
 public:
  enum class Wrapper { raw, gzip };
  /// For an archive that is one stream, and for a member of an archive.
  static constexpr std::size_t kArchiveBudget = std::size_t{64} << 20;
  static constexpr std::size_t kMemberBudget = std::size_t{8} << 20;

  /// Throws std::bad_alloc where zlib has no memory.
  InflateDecoder(std::unique_ptr<ByteSource> base, Wrapper wrapper, std::size_t budget);
  ~InflateDecoder() override;
  InflateDecoder(const InflateDecoder&) = delete;
  InflateDecoder& operator=(const InflateDecoder&) = delete;

  std::uint64_t position() const override { return position_; }
  Status seek(std::uint64_t offset) override;
  Result<std::size_t> next(std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override;
  /// Bytes that the remembered places take, and how many they are.
  std::size_t point_bytes() const { return point_bytes_; }
  std::size_t points() const { return points_.size(); }

 private:
  enum class At { header, data, end };
  struct Point {
    std::uint64_t out = 0, in = 0;
    int bits = 0;         ///< of the byte before `in` that are still to be read
    bool header = false;  ///< a gzip member begins here
    std::vector<std::byte> window;
  };
  static constexpr std::uint64_t kFirstSpacing = std::uint64_t{1} << 20;
  static constexpr std::size_t kInput = std::size_t{64} << 10;

  Status restore(const Point& point);
  Result<bool> refill();
  std::uint64_t input_position() const { return input_next_ - stream_.avail_in; }
  void remember(bool header);
  void thin_out();
  int take_byte();
  Status read_header();
  Status read_trailer();

  std::unique_ptr<ByteSource> base_;
  Wrapper wrapper_;
  std::size_t budget_;
  z_stream stream_{};
  std::array<std::byte, kInput> input_{};
  std::uint64_t input_next_ = 0;  ///< where in base the buffer ends
  std::uint64_t position_ = 0;
  At at_ = At::data;
  std::vector<Point> points_;
  std::size_t point_bytes_ = 0;
  std::uint64_t spacing_ = kFirstSpacing;
  // CRC of the current gzip member, while it is decoded from its start.
  bool crc_valid_ = false;
  std::uint32_t crc_ = 0;
  std::uint64_t member_start_ = 0;
  GapList gaps_;
  std::size_t base_gaps_ = 0;  ///< of base, seen so far
};

}  // namespace touchstone

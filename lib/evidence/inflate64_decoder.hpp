// Deflate64, method 9 of zip ("Enhanced Deflating"), which neither zlib nor libarchive unpacks. It is RFC
// 1951 with a window of 64 KiB, two further distance codes (30 and 31, 14 extra bits) and length code 285
// standing for 3 with 16 extra bits (PKWARE APPNOTE.TXT 4.4.5 and 5.5). A step backwards decodes again from
// the start. Memory: the window and one buffer of input. One thread.
#pragma once

#include <array>
#include <vector>

#include "evidence/decoded_source.hpp"

namespace touchstone {

class Inflate64Decoder : public StreamDecoder {
 public:
  explicit Inflate64Decoder(std::unique_ptr<ByteSource> base);

  std::uint64_t position() const override { return position_; }
  Status seek(std::uint64_t offset) override;
  Result<std::size_t> next(std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override;

 private:
  static constexpr std::size_t kWindow = std::size_t{64} << 10;
  static constexpr std::size_t kInput = std::size_t{64} << 10;
  static constexpr int kMaxBits = 15;

  static constexpr int kQuickBits = 10;
  static constexpr std::uint64_t kFirstSpacing = std::uint64_t{1} << 20;
  static constexpr std::size_t kMaxPoints = 128;

  /// Canonical Huffman code: how many codes there are of each length, and the symbols in order of their
  /// codes.
  struct Code {
    std::array<std::uint16_t, kMaxBits + 1> count{};
    std::array<std::uint16_t, 288> symbol{};
    /// Symbol and length (its lower four bits) of what the next bits begin with; 0 for longer codes.
    std::array<std::uint16_t, std::size_t{1} << kQuickBits> quick{};
    /// False if there are more codes than bits allow, or fewer and more than one.
    bool build(std::span<const std::uint8_t> lengths);
  };
  /// A place between two blocks.
  struct Point {
    std::uint64_t position = 0, input = 0, held = 0;
    int held_count = 0;
    std::vector<std::byte> window;
  };
  enum class At { header, stored, codes, end };

  void go_to(const Point& point);
  void remember();
  /// Takes whole bytes until `count` bits (at most 32) are held, as far as the input goes.
  void hold(int count);
  void refill();
  /// -1: the input ends or cannot be read.
  std::int64_t bits(int count);
  int decode(const Code& code);
  int decode_slowly(const Code& code);
  Status read_header();
  Status read_stored_length();
  Status read_code_lengths();
  /// Literals and matches of the block until `out` is full or the block ends.
  Status copy_codes(std::span<std::byte> out, std::size_t& done);
  Status copy_stored(std::span<std::byte> out, std::size_t& done);
  /// Reads what length symbol and distance stand for.
  Status begin_match(int symbol);
  void put(std::byte byte, std::span<std::byte> out, std::size_t& done);
  Error broken() const;

  std::unique_ptr<ByteSource> base_;
  std::vector<std::byte> input_, window_;
  std::size_t input_at_ = 0, input_size_ = 0;
  std::uint64_t input_next_ = 0;  ///< where in base the buffer ends
  std::uint64_t held_ = 0;        ///< bits read from the input and not yet used
  int held_count_ = 0;
  bool input_failed_ = false;
  At at_ = At::header;
  bool is_last_ = false;
  Code lengths_, distances_;
  std::uint64_t position_ = 0;
  std::uint32_t stored_left_ = 0, match_left_ = 0, match_distance_ = 0;
  std::vector<Point> points_;
  std::uint64_t spacing_ = kFirstSpacing;
  GapList gaps_;
  std::size_t base_gaps_ = 0;
};

}  // namespace touchstone

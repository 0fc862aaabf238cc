// Compressed streams that are held whole: deflate (RFC 1950, RFC 1951) through libdeflate, Zstandard (RFC
// 8878) through libarchive. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

struct libdeflate_decompressor;

namespace touchstone {

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  struct Done {
    std::size_t consumed = 0;  ///< of `packed`; what follows the stream is not looked at
    std::size_t produced = 0;
  };
  /// A zlib stream: its own checksum must fit. Nothing if it is damaged or yields more than `out` holds.
  std::optional<Done> zlib(std::span<const std::byte> packed, std::span<std::byte> out);
  /// A bare deflate stream, without a checksum.
  std::optional<Done> raw(std::span<const std::byte> packed, std::span<std::byte> out);

 private:
  libdeflate_decompressor* decompressor_;
};

/// A Zstandard frame, through libarchive. False if it is damaged or yields less than `out` holds; what
/// follows is not looked at.
bool unpack_zstd(std::span<const std::byte> packed, std::span<std::byte> out);

}  // namespace touchstone

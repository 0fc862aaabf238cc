// Gzip (RFC 1952) unpacked as far as it goes: libarchive's own filter drops up to 64 KiB before the place
// where a file breaks off, and recovered files often break off. Borrows the job.
#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone::archives {

class GzipReader {
 public:
  explicit GzipReader(Job& job);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Bytes put into `out`; 0 is the end; negative is damage, after all that could be had, see error().
  std::int64_t read(std::span<std::uint8_t> out);
  const std::string& error() const { return error_; }
  std::uint64_t produced() const { return produced_; }
  /// Of the header; known after the first read(). Empty and absent where it has none.
  std::string name() const;
  std::optional<std::int64_t> modified() const;

 private:
  bool refill();
  bool next_stream();

  Job& job_;
  z_stream stream_{};
  gz_header header_{};
  std::array<Bytef, 4097> name_{};
  std::vector<std::uint8_t> input_;
  std::uint64_t offset_ = 0, produced_ = 0;
  bool ended_ = false;
  std::string error_;
};

}  // namespace touchstone::archives

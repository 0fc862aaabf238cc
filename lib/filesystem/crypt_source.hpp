// The plain bytes of an encrypted volume as a ByteSource: alignment to sectors and unreadable ranges, common
// to all formats. One thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone::crypt {

class DecryptedSource : public ByteSource {
 public:
  /// `base` is the locked volume, whose bytes from `shift` on hold those given here.
  DecryptedSource(std::unique_ptr<ByteSource> base, std::uint64_t shift, std::uint64_t size,
                  std::size_t sector_size)
      : base_(std::move(base)), shift_(shift), size_(size), sector_size_(sector_size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done;
      const std::uint64_t aligned = at / sector_size_ * sector_size_;
      const std::size_t skip = at - aligned;
      const std::size_t wanted = std::min(out.size() - done + skip, kPiece);
      const std::size_t whole = (wanted + sector_size_ - 1) / sector_size_ * sector_size_;
      piece_.assign(whole, std::byte{0});
      if (const Status read = decrypt_at(aligned, piece_); !read) return read.error();
      blank_gaps(aligned);
      const std::size_t count = std::min(out.size() - done, whole - skip);
      std::memcpy(out.data() + done, piece_.data() + skip, count);
      done += count;
    }
    return out.size();
  }

  std::vector<Gap> gaps() const override {
    std::vector<Gap> own;
    for (Gap gap : base_->gaps()) {
      if (gap.offset + gap.length <= shift_ && gap.length != 0) continue;
      const std::uint64_t before = shift_ - std::min(gap.offset, shift_);
      gap.place = gap.place_of(gap.offset + before);
      gap.offset = gap.offset + before - shift_;
      gap.length -= std::min(gap.length, before);
      own.push_back(std::move(gap));
    }
    return own;
  }

 protected:
  ByteSource& base() { return *base_; }
  std::size_t sector_size() const { return sector_size_; }
  /// Fills `out` (whole sectors, the last of which may lie beyond the end) with the plain bytes at `offset`.
  virtual Status decrypt_at(std::uint64_t offset, std::span<std::byte> out) = 0;

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 20;

  /// A sector of which part could not be read decrypts to noise; zeros are what ByteSource promises.
  void blank_gaps(std::uint64_t offset) {
    for (const Gap& gap : gaps()) {
      const std::uint64_t from = std::max(gap.offset / sector_size_ * sector_size_, offset);
      const std::uint64_t to = std::min(gap.offset + gap.length, offset + piece_.size());
      if (gap.length == 0 || from >= to) continue;
      const std::size_t first = from - offset;
      const std::size_t last = std::min<std::size_t>(
          (to - offset + sector_size_ - 1) / sector_size_ * sector_size_, piece_.size());
      std::fill(piece_.begin() + static_cast<std::ptrdiff_t>(first),
                piece_.begin() + static_cast<std::ptrdiff_t>(last), std::byte{0});
    }
  }

  std::unique_ptr<ByteSource> base_;
  std::uint64_t shift_, size_;
  std::size_t sector_size_;
  std::vector<std::byte> piece_;
};

}  // namespace touchstone::crypt

#include "filesystem/iso_content.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/gap_list.hpp"
#include "evidence/inflate.hpp"
#include "evidence/integers.hpp"

namespace touchstone::iso {
namespace {

class Extents : public ByteSource {
 public:
  Extents(ByteSource& volume, std::vector<ByteRange> extents)
      : volume_(volume), extents_(std::move(extents)) {
    for (const ByteRange& extent : extents_) size_ += extent.length;
  }
  std::uint64_t size() const override { return size_; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    for (const ByteRange& extent : extents_) {
      if (done == out.size()) break;
      if (offset >= extent.length) {
        offset -= extent.length;
        continue;
      }
      const auto part = out.subspan(
          done, static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - done, extent.length - offset)));
      if (Status read = fill(extent.offset + offset, position_of(extent) + offset, part); !read)
        return read.error();
      done += part.size();
      offset = 0;
    }
    return done;
  }

 private:
  std::uint64_t position_of(const ByteRange& wanted) const {
    std::uint64_t at = 0;
    for (const ByteRange& extent : extents_) {
      if (&extent == &wanted) break;
      at += extent.length;
    }
    return at;
  }
  Status fill(std::uint64_t from, std::uint64_t position, std::span<std::byte> part) {
    while (!part.empty()) {
      const auto got = volume_.read_at(from, part);
      if (!got) return got.error();
      if (*got == 0) {
        std::fill(part.begin(), part.end(), std::byte{0});
        gaps_.add(position, part.size(), "the image ends here");
        return {};
      }
      for (const Gap& gap : volume_.gaps()) {
        const std::uint64_t a = std::max(gap.offset, from),
                            b = std::min(gap.offset + gap.length, from + *got);
        if (a < b) gaps_.add(position + (a - from), b - a, gap.reason, gap.place_of(a));
      }
      from += *got;
      position += *got;
      part = part.subspan(*got);
    }
    return {};
  }

  ByteSource& volume_;
  std::vector<ByteRange> extents_;
  std::uint64_t size_ = 0;
  GapList gaps_;
};

constexpr std::array<unsigned char, 8> kMagic = {0x37, 0xe4, 0x53, 0x96, 0xc9, 0xdb, 0xd6, 0x07};
constexpr unsigned kLeastShift = 15, kMostShift = 17;  // blocks of 32 to 128 KiB

class Zisofs : public ByteSource {
 public:
  Zisofs(std::unique_ptr<ByteSource> packed, std::uint64_t size, std::uint64_t table, unsigned shift)
      : packed_(std::move(packed)),
        size_(size),
        table_(table),
        shift_(shift),
        block_(std::size_t{1} << shift) {}
  std::uint64_t size() const override { return size_; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    const std::uint64_t number = offset >> shift_;
    if (number != held_) load(number);
    const std::size_t within = static_cast<std::size_t>(offset - (number << shift_));
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>({out.size(), block_.size() - within, size_ - offset}));
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(within), count, out.begin());
    return count;
  }

 private:
  void load(std::uint64_t number) {
    held_ = number;
    std::fill(block_.begin(), block_.end(), std::byte{0});
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(block_.size(), size_ - (number << shift_)));
    std::array<std::byte, 8> ends{};
    const auto got = packed_->read_at(table_ + number * 4, ends);
    const std::uint64_t from = little(ends, 0, 4), to = little(ends, 4, 4);
    const bool is_sound = got && *got == ends.size() && from <= to && to - from <= 2 * block_.size();
    if (is_sound && from == to) return;  // zeros
    std::vector<std::byte> bytes(is_sound ? static_cast<std::size_t>(to - from) : 0);
    const auto read = packed_->read_at(from, bytes);
    for (const Gap& gap : packed_->gaps()) {
      if (gap.offset < to && gap.offset + gap.length > from)
        gaps_.add(number << shift_, length, gap.reason, gap.place_of(std::max(gap.offset, from)));
    }
    const auto done = is_sound && read && *read == bytes.size()
                          ? inflater_.zlib(bytes, std::span(block_).first(length))
                          : std::nullopt;
    if (done && done->produced == length) return;
    std::fill(block_.begin(), block_.end(), std::byte{0});
    gaps_.add(number << shift_, length, "a block of zisofs cannot be unpacked");
  }

  std::unique_ptr<ByteSource> packed_;
  std::uint64_t size_, table_;
  unsigned shift_;
  std::vector<std::byte> block_;
  std::uint64_t held_ = UINT64_MAX;
  Inflater inflater_;
  GapList gaps_;
};

}  // namespace

std::unique_ptr<ByteSource> make_extents(ByteSource& volume, std::vector<ByteRange> extents) {
  return std::make_unique<Extents>(volume, std::move(extents));
}

Result<std::unique_ptr<ByteSource>> open_zisofs(std::unique_ptr<ByteSource> packed, std::uint64_t size) {
  std::array<std::byte, 16> head{};
  const auto got = packed->read_at(0, head);
  const unsigned shift = std::to_integer<unsigned>(head[13]);
  if (!got || *got < head.size() || std::memcmp(head.data(), kMagic.data(), kMagic.size()) != 0 ||
      little(head, 8, 4) != size || shift < kLeastShift || shift > kMostShift)
    return Error{ErrorCode::corrupt, "is marked as packed by zisofs and does not begin as such a file"};
  const std::uint64_t table = std::to_integer<std::uint64_t>(head[12]) * 4;
  return std::unique_ptr<ByteSource>(std::make_unique<Zisofs>(std::move(packed), size, table, shift));
}

}  // namespace touchstone::iso

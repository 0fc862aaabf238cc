#include "evidence/decoded_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace touchstone {
namespace {

class CheckedSource : public ByteSource {
 public:
  CheckedSource(std::unique_ptr<ByteSource> source, std::uint32_t expected)
      : source_(std::move(source)), expected_(expected) {}
  std::uint64_t size() const override { return source_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto got = source_->read_at(offset, out);
    if (!got) return got;
    // Bytes read before are read again now and then: only what follows the known part counts.
    if (offset <= checked_ && offset + *got > checked_) {
      auto part = out.first(*got).subspan(static_cast<std::size_t>(checked_ - offset));
      checked_ += part.size();
      crc_ = static_cast<std::uint32_t>(
          ::crc32_z(crc_, reinterpret_cast<const Bytef*>(part.data()), part.size()));
    }
    return got;
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps = source_->gaps();
    if (gaps.empty() && checked_ == size() && checked_ > 0 && crc_ != expected_) {
      gaps.push_back({0, size(), fmt::format("CRC-32 is {:08x}, stored is {:08x}", crc_, expected_)});
    }
    return gaps;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::uint32_t expected_;
  std::uint32_t crc_ = 0;
  std::uint64_t checked_ = 0;
};

class ShortSource : public ByteSource {
 public:
  ShortSource(std::unique_ptr<ByteSource> source, std::uint64_t stated, std::string reason)
      : source_(std::move(source)), stated_(stated), reason_(std::move(reason)) {}
  std::uint64_t size() const override { return source_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return source_->read_at(offset, out);
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps = source_->gaps();
    if (size() < stated_ && gaps.size() < kMaxGaps) gaps.push_back({size(), stated_ - size(), reason_});
    return gaps;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::uint64_t stated_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<ByteSource> make_short_source(std::unique_ptr<ByteSource> source, std::uint64_t stated,
                                              std::string reason) {
  return std::make_unique<ShortSource>(std::move(source), stated, std::move(reason));
}

std::unique_ptr<ByteSource> make_checked_source(std::unique_ptr<ByteSource> source, std::uint32_t crc32) {
  return std::make_unique<CheckedSource>(std::move(source), crc32);
}

DecodedSource::DecodedSource(std::unique_ptr<StreamDecoder> decoder, std::optional<std::uint64_t> size)
    : decoder_(std::move(decoder)), size_(size) {}

std::vector<Gap> DecodedSource::gaps() const {
  std::vector<Gap> gaps = gaps_.list();
  for (Gap& gap : decoder_->gaps()) {
    if (gap.offset >= size()) continue;
    gap.length = std::min(gap.length, size() - gap.offset);
    if (gaps.size() < kMaxGaps) gaps.push_back(std::move(gap));
  }
  return gaps;
}

void DecodedSource::end_at(std::uint64_t offset, std::string reason) {
  damage_ = std::move(reason);
  if (size_ && offset < *size_) {
    if (damage_.empty()) damage_ = "the compressed data ends before the stated size";
    gaps_.add(offset, *size_ - offset, damage_);
  }
  size_ = offset;
}

void DecodedSource::check_for_more() {
  std::byte one{};
  const auto more = decoder_->next(std::span(&one, 1));
  if (more && *more > 0) {
    gaps_.add(0, *size_, "more bytes follow than the stated size, which are not read");
  }
}

Status DecodedSource::fill(std::uint64_t offset) {
  if (block_.empty()) block_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, size())));
  if (auto moved = decoder_->seek(offset); !moved) return moved;
  while (true) {
    const std::uint64_t from = decoder_->position();
    std::size_t want = block_.size();
    if (size_) want = static_cast<std::size_t>(std::min<std::uint64_t>(want, *size_ - from));
    auto got = decoder_->next(std::span(block_).first(want));
    block_offset_ = from;
    block_size_ = got ? *got : 0;
    if (!got || *got == 0) {
      end_at(from, got ? std::string() : got.error().message);
      return {};
    }
    if (size_ && from + *got == *size_) check_for_more();
    if (from + *got > offset) return {};
  }
}

Result<std::size_t> DecodedSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t at = offset + done;
    if (at >= size()) break;
    const std::span<std::byte> rest = out.subspan(done);
    if (at >= block_offset_ && at - block_offset_ < block_size_) {
      const auto from = static_cast<std::size_t>(at - block_offset_);
      const std::size_t count = std::min(rest.size(), block_size_ - from);
      std::memcpy(rest.data(), block_.data() + from, count);
      done += count;
    } else if (auto filled = fill(at); !filled) {
      return filled.error();
    }
  }
  return done;
}

}  // namespace touchstone

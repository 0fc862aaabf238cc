#include "view.hpp"

#include <algorithm>
#include <cstring>

namespace touchstone::carving {
namespace {

// Work that a window may cost, in bytes handed out: this much for each of its bytes, and no less than the
// second.
constexpr std::uint64_t kWorkPerByte = 64;
constexpr std::uint64_t kLeastWork = 1ULL << 30U;

}  // namespace

View::View(std::uint64_t size, Read read, std::function<bool()> cancelled)
    : size_(size),
      read_(std::move(read)),
      ask_cancelled_(std::move(cancelled)),
      budget_(size > UINT64_MAX / kWorkPerByte ? UINT64_MAX : std::max(size * kWorkPerByte, kLeastWork)) {}

const View::Block& View::block(std::uint64_t index) {
  ++clock_;
  if (last_ && last_->index == index) return *last_;
  Block* oldest = blocks_.data();
  for (Block& each : blocks_) {
    if (each.index == index) {
      each.used = clock_;
      return *(last_ = &each);
    }
    if (each.used < oldest->used) oldest = &each;
  }
  Block& fresh = *oldest;
  fresh.index = index;
  fresh.used = clock_;
  fresh.bytes.clear();
  // Piece by piece, so that a small item costs little.
  for (std::size_t filled = 0; filled < kBlock + kReach;) {
    fresh.bytes.resize(filled + kReach);
    const std::int64_t got = read_(index * kBlock + filled, std::span(fresh.bytes).subspan(filled));
    filled += static_cast<std::size_t>(std::max<std::int64_t>(got, 0));
    fresh.bytes.resize(filled);
    if (got <= 0) break;
  }
  last_ = &fresh;
  return fresh;
}

Bytes View::at(std::uint64_t offset, std::size_t count) {
  const Bytes bytes = uncounted(offset, count);
  work_ += bytes.size();
  return bytes;
}

Bytes View::uncounted(std::uint64_t offset, std::size_t count) {
  if (offset > INT64_MAX) return {};
  const Block& held = block(offset / kBlock);
  const std::size_t start = offset % kBlock;
  if (start >= held.bytes.size()) return {};
  return Bytes(held.bytes).subspan(start, std::min({count, kReach, held.bytes.size() - start}));
}

Bytes View::exactly(std::uint64_t offset, std::size_t count) {
  const Bytes bytes = at(offset, count);
  return bytes.size() == count ? bytes : Bytes();
}

std::string_view View::text(std::uint64_t offset, std::size_t count) {
  const Bytes bytes = at(offset, count);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool View::starts_with(std::uint64_t offset, std::string_view magic) {
  return text(offset, magic.size()) == magic;
}

bool View::reaches(std::uint64_t end) {
  return end == 0 || !at(end - 1, 1).empty();
}

std::uint64_t View::find(std::string_view needle, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t offset = from; offset < to && !exhausted();) {
    const std::uint64_t wanted = std::min<std::uint64_t>(kReach, to - offset + needle.size() - 1);
    const Bytes piece = uncounted(offset, static_cast<std::size_t>(wanted));
    if (piece.size() < needle.size()) break;
    const void* found = memmem(piece.data(), piece.size(), needle.data(), needle.size());
    const std::uint64_t passed =
        found ? static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(found) - piece.data())
              : piece.size() - needle.size() + 1;
    spend(passed + 1);
    offset += passed;
    if (found) return std::min(to, offset);
  }
  return to;
}

std::uint16_t View::le16(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 2);
  return bytes.empty() ? 0 : get_le16(bytes.data());
}
std::uint32_t View::le32(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 4);
  return bytes.empty() ? 0 : get_le32(bytes.data());
}
std::uint64_t View::le64(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 8);
  return bytes.empty() ? 0 : get_le64(bytes.data());
}
std::uint16_t View::be16(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 2);
  return bytes.empty() ? std::uint16_t{0} : get_be16(bytes.data());
}
std::uint32_t View::be32(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 4);
  return bytes.empty() ? 0 : get_be32(bytes.data());
}
std::uint64_t View::be64(std::uint64_t offset) {
  const Bytes bytes = exactly(offset, 8);
  return bytes.empty() ? 0 : get_be64(bytes.data());
}

bool View::exhausted() {
  if (work_ >= next_ask_) {
    next_ask_ = work_ + (1U << 20U);
    cancelled_ = cancelled_ || (ask_cancelled_ && ask_cancelled_());
  }
  return cancelled_ || work_ > budget_;
}

}  // namespace touchstone::carving

// PNG (ISO/IEC 15948), GIF (89a), Windows bitmaps, portable any-maps. RIFF's WebP is in riff.cpp.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint32_t kMaxSide = 1U << 20U;
constexpr std::uint64_t kMaxPixels = 1ULL << 31U;

bool letters(Bytes type) {
  return std::all_of(type.begin(), type.end(), [](std::uint8_t c) { return std::isalpha(c) != 0; });
}

/// CRC-32 over a range; false if it cannot be read whole.
bool crc_of(View& view, std::uint64_t offset, std::uint64_t size, std::uint32_t& crc) {
  uLong sum = crc32(0, nullptr, 0);
  while (size > 0 && !view.exhausted()) {
    const Bytes piece =
        view.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(size, View::kReach)));
    if (piece.empty()) return false;
    sum = crc32(sum, piece.data(), static_cast<uInt>(piece.size()));
    offset += piece.size();
    size -= piece.size();
  }
  crc = static_cast<std::uint32_t>(sum);
  return size == 0;
}

/// Follows the codes of a GIF's image data and counts its pixels: LZW with codes of 3 to 12 bits.
class GifCodes {
 public:
  explicit GifCodes(int minimum) : clear_(1 << minimum), first_width_(minimum + 1) { reset(); }
  /// False if a code is none.
  bool take(std::uint8_t byte) {
    bits_ |= static_cast<std::uint32_t>(byte) << static_cast<unsigned>(count_);
    count_ += 8;
    while (count_ >= width_ && !ended_) {
      const int code = static_cast<int>(bits_ & ((1U << static_cast<unsigned>(width_)) - 1U));
      bits_ >>= static_cast<unsigned>(width_);
      count_ -= width_;
      if (!take_code(code)) return false;
    }
    return true;
  }
  std::uint64_t pixels() const { return pixels_; }

 private:
  void reset() {
    next_ = clear_ + 2;
    width_ = first_width_;
    previous_ = -1;
  }
  bool take_code(int code) {
    if (code == clear_) {
      reset();
      return true;
    }
    if (code == clear_ + 1) return ended_ = true;
    if (code > next_ || (previous_ < 0 && code >= clear_)) return false;
    if (code == next_ && next_ >= 4096) return false;
    const std::uint32_t length = code < clear_   ? 1
                                 : code == next_ ? length_of(previous_) + 1
                                                 : length_of(code);
    pixels_ += length;
    if (previous_ >= 0 && next_ < 4096) {
      lengths_[static_cast<std::size_t>(next_++)] = length_of(previous_) + 1;
      if (next_ == 1 << width_ && width_ < 12) ++width_;
    }
    previous_ = code;
    return true;
  }
  std::uint32_t length_of(int code) const {
    return code < clear_ ? 1 : lengths_[static_cast<std::size_t>(code)];
  }

  int clear_, first_width_, width_ = 0, next_ = 0, previous_ = -1, count_ = 0;
  std::uint32_t bits_ = 0;
  bool ended_ = false;
  std::uint64_t pixels_ = 0;
  std::array<std::uint32_t, 4096> lengths_{};
};

/// Behind a chain of sub-blocks; 0 if it breaks off. `codes`, if any, sees their bytes.
std::uint64_t sub_blocks(View& view, std::uint64_t at, GifCodes* codes) {
  while (!view.exhausted()) {
    const Bytes block = view.at(at, 256);
    if (block.empty()) return 0;
    const std::size_t size = block[0];
    if (size == 0) return at + 1;
    if (block.size() < size + 1) return 0;
    for (std::size_t i = 1; codes && i <= size; ++i) {
      if (!codes->take(block[i])) return 0;
    }
    at += size + 1;
  }
  return 0;
}

/// Behind an image descriptor with its data; 0 if it is none.
std::uint64_t gif_image(View& view, std::uint64_t at) {
  const Bytes descriptor = view.exactly(at, 10);
  if (descriptor.empty()) return 0;
  const std::uint32_t width = get_le16(descriptor.data() + 5), height = get_le16(descriptor.data() + 7);
  const std::uint8_t flags = descriptor[9];
  at += 10 + ((flags & 0x80U) ? 3U << ((flags & 7U) + 1U) : 0U);
  const Bytes minimum = view.exactly(at, 1);
  if (minimum.empty() || minimum[0] < 1 || minimum[0] > 8 || width == 0 || height == 0) return 0;
  GifCodes codes(minimum[0]);
  at = sub_blocks(view, at + 1, &codes);
  view.spend(codes.pixels());
  return codes.pixels() >= std::uint64_t{width} * height ? at : 0;
}

}  // namespace

Found carve_png(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 33);
  if (head.empty() || get_be32(head.data() + 8) != 13 || get_be32(head.data() + 12) != 0x49484452)
    return std::nullopt;
  const std::uint32_t width = get_be32(head.data() + 16), height = get_be32(head.data() + 20);
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) return std::nullopt;
  std::uint64_t at = offset + 8;
  bool data = false;
  while (!view.exhausted()) {
    const Bytes chunk = view.exactly(at, 8);
    if (chunk.empty() || !letters(chunk.subspan(4, 4))) break;
    const std::uint32_t size = get_be32(chunk.data()), type = get_be32(chunk.data() + 4);
    std::uint32_t crc = 0;
    if (size > INT32_MAX || !crc_of(view, at + 4, std::uint64_t{size} + 4, crc)) break;
    if (crc != view.be32(at + 8 + size)) break;
    data = data || type == 0x49444154;
    at += 12 + std::uint64_t{size};
    if (type == 0x49454E44) return contiguous(offset, at, kChecked, "png", "image/png");
  }
  if (!data) return std::nullopt;
  return sound_beginning(offset, at, "png", "image/png", "the picture breaks off after its last sound chunk");
}

Found carve_gif(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 13);
  if (head.empty() || get_le16(head.data() + 6) == 0 || get_le16(head.data() + 8) == 0) return std::nullopt;
  std::uint64_t at = offset + 13 + ((head[10] & 0x80U) ? 3U << ((head[10] & 7U) + 1U) : 0U);
  bool image = false;
  std::uint64_t sound = at;
  while (at != 0 && !view.exhausted()) {
    const Bytes introducer = view.exactly(at, 2);
    if (introducer.empty() && !view.starts_with(at, ";")) break;
    const std::uint8_t kind = introducer.empty() ? std::uint8_t{0x3B} : introducer[0];
    if (kind == 0x3B)
      return image ? Found(contiguous(offset, at + 1, kChecked, "gif", "image/gif")) : std::nullopt;
    if (kind == 0x2C) {
      at = gif_image(view, at);
      image = image || at != 0;
    } else if (kind == 0x21) {
      at = sub_blocks(view, at + 2, nullptr);
    } else {
      break;
    }
    if (at != 0) sound = at;
  }
  if (!image) return std::nullopt;
  return sound_beginning(offset, sound, "gif", "image/gif", "an animation that breaks off");
}

Found carve_bmp(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 54);
  if (head.empty()) return std::nullopt;
  const std::uint32_t size = get_le32(head.data() + 2), reserved = get_le32(head.data() + 6);
  const std::uint32_t start = get_le32(head.data() + 10), header = get_le32(head.data() + 14);
  constexpr std::array<std::uint32_t, 7> kHeaders = {40, 52, 56, 64, 108, 124, 16};
  if (reserved != 0 || std::find(kHeaders.begin(), kHeaders.end(), header) == kHeaders.end())
    return std::nullopt;
  const auto width = static_cast<std::int32_t>(get_le32(head.data() + 18));
  const auto height = static_cast<std::int32_t>(get_le32(head.data() + 22));
  const std::uint32_t planes = get_le16(head.data() + 26), depth = get_le16(head.data() + 28);
  const std::uint32_t coding = get_le32(head.data() + 30);
  constexpr std::array<std::uint32_t, 6> kDepths = {1, 4, 8, 16, 24, 32};
  if (planes != 1 || std::find(kDepths.begin(), kDepths.end(), depth) == kDepths.end() || coding > 6)
    return std::nullopt;
  if (width <= 0 || height == 0 || height == INT32_MIN) return std::nullopt;
  const auto wide = static_cast<std::uint64_t>(width);
  const auto high = static_cast<std::uint64_t>(height < 0 ? -height : height);
  if (wide > kMaxSide || high > kMaxSide || start < 14 + header || start > 14 + header + 4096 + 16)
    return std::nullopt;
  const std::uint64_t pixels = (wide * depth + 31) / 32 * 4 * high;
  const bool plain = coding == 0 || coding == 3 || coding == 6;
  // Some writers count padding behind the pixels.
  if (plain ? size < start + pixels || size > start + pixels + 4096
            : size <= start || size > start + 2 * pixels)
    return std::nullopt;
  if (!view.reaches(offset + size)) return std::nullopt;
  return contiguous(offset, offset + size, plain ? kSize : kHeader, "bmp", "image/bmp");
}

Found carve_pnm(View& view, std::uint64_t offset) {
  const std::string_view head = view.text(offset, 4096);
  if (head.size() < 8 || (head[1] != '5' && head[1] != '6')) return std::nullopt;
  std::array<std::uint64_t, 3> numbers{};
  std::size_t at = 2;
  for (std::uint64_t& number : numbers) {
    // White space and comments stand between the numbers.
    const std::size_t before = at;
    while (at < head.size() && (std::isspace(static_cast<unsigned char>(head[at])) != 0 || head[at] == '#')) {
      if (head[at] == '#') {
        while (at < head.size() && head[at] != '\n') {
          const auto c = static_cast<unsigned char>(head[at++]);
          if (c < 32 && c != '\t' && c != '\r') return std::nullopt;
        }
      } else {
        ++at;
      }
    }
    const std::size_t first = at;
    for (; at < head.size() && std::isdigit(static_cast<unsigned char>(head[at])) != 0; ++at)
      number = number * 10 + static_cast<std::uint64_t>(head[at] - '0');
    if (at == first || first == before || at - first > 7 || at >= head.size()) return std::nullopt;
  }
  if (std::isspace(static_cast<unsigned char>(head[at])) == 0) return std::nullopt;
  const std::uint64_t width = numbers[0], height = numbers[1], most = numbers[2];
  if (width == 0 || height == 0 || width * height > kMaxPixels || (most != 255 && most != 65535))
    return std::nullopt;
  const bool colour = head[1] == '6';
  const std::uint64_t end = offset + at + 1 + width * height * (colour ? 3 : 1) * (most > 255 ? 2 : 1);
  if (!view.reaches(end)) return std::nullopt;
  return contiguous(offset, end, kHeader, colour ? "ppm" : "pgm",
                    colour ? "image/x-portable-pixmap" : "image/x-portable-graymap");
}

}  // namespace touchstone::carving

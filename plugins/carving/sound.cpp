// Streams of frames, pages and packs: MPEG audio (ISO 11172-3) with ID3 tags, Ogg (RFC 3533), MPEG programme
// streams (ISO 11172-1, 13818-1).
#include <array>
#include <cctype>
#include <map>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

// Frames that have to follow each other: by chance each has one chance in some thousands.
constexpr std::uint32_t kLeastFrames = 24;
constexpr std::uint32_t kLeastFramesAfterTag = 4;
constexpr std::uint64_t kMaxTag = 32ULL << 20U;
constexpr std::uint32_t kLeastPacks = 16;

/// Size of an MPEG audio frame; 0 if the header is none. `kind` is what all frames of a stream share.
std::uint32_t frame_size(std::uint32_t header, std::uint32_t& kind) {
  static constexpr std::array<std::array<std::uint16_t, 16>, 5> kRates = {
      {{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0},
       {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0},
       {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
       {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0},
       {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}}};
  static constexpr std::array<std::uint32_t, 3> kSampleRates = {44100, 48000, 32000};
  const std::uint32_t version = header >> 19U & 3U, layer = header >> 17U & 3U;
  const std::uint32_t rate_index = header >> 12U & 15U, sample_index = header >> 10U & 3U;
  if (header >> 21U != 0x7FF || version == 1 || layer == 0 || sample_index == 3 || (header & 3U) == 2)
    return 0;
  const bool one = version == 3;
  const std::size_t row = one ? 3 - layer : layer == 3 ? 3 : 4;
  const std::uint32_t rate = kRates[row][rate_index] * 1000U;
  if (rate == 0) return 0;
  const std::uint32_t samples_per_second = kSampleRates[sample_index] >> (one ? 0U : version == 2 ? 1U : 2U);
  const std::uint32_t padding = header >> 9U & 1U;
  kind = header & 0xFFFE0C00U;
  if (layer == 3) return (12 * rate / samples_per_second + padding) * 4;
  const std::uint32_t samples = layer == 1 && !one ? 72 : 144;
  return samples * rate / samples_per_second + padding;
}

std::uint64_t id3_size(View& view, std::uint64_t offset) {
  const Bytes tag = view.exactly(offset, 10);
  if (tag.empty() || tag[3] > 4 || tag[3] < 2 || tag[4] == 0xFF) return 0;
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) {
    if (tag[i] > 0x7F) return 0;
    size = size << 7U | tag[i];
  }
  return 10 + size + ((tag[5] & 0x10U) ? 10U : 0U);
}

/// CRC-32 of Ogg: 0x04C11DB7, neither reflected nor inverted.
const std::array<std::uint32_t, 256>& ogg_table() {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t r = i << 24U;
      for (int bit = 0; bit < 8; ++bit) r = r << 1U ^ ((r & 0x80000000U) ? 0x04C11DB7U : 0U);
      t[i] = r;
    }
    return t;
  }();
  return table;
}

/// Size of a sound page; 0 otherwise.
std::uint64_t ogg_page(View& view, std::uint64_t at) {
  const Bytes head = view.at(at, 27 + 255);
  if (head.size() < 27 || get_be32(head.data()) != 0x4F676753 || head[4] != 0) return 0;
  const std::size_t segments = head[26];
  if (head.size() < 27 + segments) return 0;
  std::size_t size = 27 + segments;
  for (std::size_t i = 0; i < segments; ++i) size += head[27 + i];
  const Bytes page = view.exactly(at, size);
  if (page.empty()) return 0;
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t byte = i >= 22 && i < 26 ? 0 : page[i];
    crc = crc << 8U ^ ogg_table()[(crc >> 24U ^ byte) & 0xFFU];
  }
  return crc == get_le32(page.data() + 22) ? size : 0;
}

/// Behind one pack, header or packet; 0 if there is none. `end_code`: the stream ends here.
std::uint64_t mpeg_part(View& view, std::uint64_t at, bool& pack, bool& end_code) {
  const Bytes head = view.at(at, 14);
  if (head.size() < 4 || get_be32(head.data()) >> 8U != 1) return 0;
  const std::uint8_t id = head[3];
  pack = id == 0xBA;
  end_code = id == 0xB9;
  if (end_code) return at + 4;
  if (head.size() < 14) return 0;
  if (pack) {
    if (head[4] >> 4U == 2) return at + 12;
    if (head[4] >> 6U == 1) return at + 14 + (head[13] & 7U);
    return 0;
  }
  if (id < 0xBB) return 0;
  return at + 6 + get_be16(head.data() + 4);
}

/// Whether a system header follows the first pack's: it does at the beginning of a stream.
bool mpeg_begins(View& view, std::uint64_t offset) {
  bool pack = false, end_code = false;
  const std::uint64_t next = mpeg_part(view, offset, pack, end_code);
  return view.starts_with(next, std::string_view("\0\0\1\xBB", 4));
}

/// How many bytes of frames the first one promises ("Xing" or "Info"); 0 if it does not.
std::uint64_t promised_bytes(View& view, std::uint64_t first_frame) {
  const std::string head(view.text(first_frame, 192));
  std::size_t at = head.find("Xing");
  if (at == std::string::npos) at = head.find("Info");
  if (at == std::string::npos || at > 64) return 0;
  const std::uint32_t flags = view.be32(first_frame + at + 4);
  if ((flags & 2U) == 0) return 0;
  return view.be32(first_frame + at + ((flags & 1U) != 0 ? 12 : 8));
}

}  // namespace

Found carve_mp3(View& view, std::uint64_t offset) {
  const bool tagged = view.starts_with(offset, "ID3");
  std::uint64_t at = offset;
  while (view.starts_with(at, "ID3")) {
    const std::uint64_t size = id3_size(view, at);
    if (size == 0 || size > kMaxTag) return std::nullopt;
    at += size;
  }
  // Some writers leave zeros behind the tag.
  for (int i = 0; tagged && i < 4096 && view.starts_with(at, std::string_view("\0", 1)); ++i) ++at;
  std::uint32_t frames = 0, first_kind = 0;
  const std::uint64_t first_frame = at;
  while (!view.exhausted()) {
    std::uint32_t kind = 0;
    const std::uint32_t size = frame_size(view.be32(at), kind);
    if (size == 0 || (frames > 0 && kind != first_kind) || !view.reaches(at + size)) break;
    first_kind = kind;
    ++frames;
    at += size;
  }
  if (frames < (tagged ? kLeastFramesAfterTag : kLeastFrames)) return std::nullopt;
  if (promised_bytes(view, first_frame) > at - first_frame + 4096)
    return sound_beginning(offset, at, "mp3", "audio/mpeg", "shorter than its first frame says");
  if (view.starts_with(at, "TAG")) at += view.reaches(at + 128) ? 128 : 0;
  return contiguous(offset, at, tagged ? kStructure : kSize, "mp3", "audio/mpeg");
}

Found carve_ogg(View& view, std::uint64_t offset) {
  // A page that begins a stream.
  const Bytes head = view.exactly(offset, 6);
  if (head.empty() || (head[5] & 2U) == 0) return std::nullopt;
  std::map<std::uint32_t, bool> streams;  // serial number → has ended
  std::uint64_t at = offset;
  std::string extension = "ogg", media_type = "audio/ogg";
  while (!view.exhausted()) {
    const std::uint64_t size = ogg_page(view, at);
    if (size == 0) break;
    const Bytes page = view.at(at, 64);
    if ((page[5] & 2U) != 0 && page.size() > 40) {
      const std::string_view text(reinterpret_cast<const char*>(page.data()), page.size());
      if (text.find("theora") != std::string_view::npos) extension = "ogv", media_type = "video/ogg";
      if (text.find("OpusHead") != std::string_view::npos && extension == "ogg") extension = "opus";
    }
    bool& ended = streams[get_le32(page.data() + 14)];
    ended = ended || (page[5] & 4U) != 0;
    at += size;
    if (streams.size() > 64) break;
  }
  if (at == offset) return std::nullopt;
  for (const auto& [serial, ended] : streams) {
    if (!ended)
      return sound_beginning(offset, at, extension, media_type, "breaks off after its last sound page");
  }
  return contiguous(offset, at, kChecked, extension, media_type);
}

Found carve_mpeg(View& view, std::uint64_t offset) {
  std::uint64_t at = offset;
  std::uint32_t packs = 0, parts = 0;
  bool ended = false;
  while (!view.exhausted()) {
    bool pack = false;
    const std::uint64_t next = mpeg_part(view, at, pack, ended);
    if (next == 0 || !view.reaches(next)) break;
    at = next;
    packs += pack ? 1U : 0U;
    ++parts;
    if (!ended) continue;
    // An end code may stand between parts that were joined.
    bool again = false, ignored = false;
    if (mpeg_part(view, at, again, ignored) == 0 || !again) break;
  }
  const bool from_start = mpeg_begins(view, offset);
  if (packs < kLeastPacks || parts < 2 * kLeastPacks - 1) return std::nullopt;
  if (!from_start)
    return sound_beginning(offset, at, "mpg", "video/mpeg", "a part of a stream, without its beginning");
  Carved carved = contiguous(offset, at, ended ? kStructure : kSize, "mpg", "video/mpeg");
  if (!ended) carved.note = "ends where no further pack follows; there is no end code";
  return carved;
}

}  // namespace touchstone::carving

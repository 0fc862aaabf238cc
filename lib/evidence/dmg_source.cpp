#include "evidence/dmg_source.hpp"

#include <bzlib.h>
#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "evidence/inflate.hpp"
#include "evidence/integers.hpp"
#include "evidence/mapped_image.hpp"

namespace touchstone {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kTrailer = 512;
constexpr std::uint64_t kMaxPropertyList = std::uint64_t{64} << 20;
constexpr std::size_t kMaxBlocks = std::size_t{4} << 20;

enum Method : std::uint32_t {
  kZero = 0,
  kRaw = 1,
  kIgnore = 2,
  kComment = 0x7ffffffe,
  kAdc = 0x80000004,
  kZlib = 0x80000005,
  kBzip2 = 0x80000006,
  kLzfse = 0x80000007,
  kLzma = 0x80000008,
  kEnd = 0xffffffff,
};

struct Block {
  std::uint64_t from = 0, size = 0;  ///< of the media
  std::uint64_t at = 0;              ///< in the file
  std::uint32_t packed = 0;
  std::uint32_t method = 0;
};

/// Apple Data Compression: literal runs, and copies of what was written with short or long distances.
bool unpack_adc(std::span<const std::byte> packed, std::span<std::byte> out) {
  std::size_t at = 0;
  std::size_t done = 0;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(packed[i]); };
  while (at < packed.size() && done < out.size()) {
    const std::size_t code = byte(at);
    if ((code & 0x80) != 0) {
      const std::size_t length = (code & 0x7f) + 1;
      if (length > packed.size() - at - 1 || length > out.size() - done) return false;
      std::memcpy(out.data() + done, packed.data() + at + 1, length);
      at += length + 1;
      done += length;
      continue;
    }
    const bool wide = (code & 0x40) != 0;
    if (packed.size() - at < (wide ? 3U : 2U)) return false;
    const std::size_t length = wide ? (code & 0x3f) + 4 : (code >> 2) + 3;
    const std::size_t distance = wide ? byte(at + 1) << 8 | byte(at + 2) : (code & 3) << 8 | byte(at + 1);
    if (distance + 1 > done || length > out.size() - done) return false;
    for (std::size_t i = 0; i < length; ++i, ++done) out[done] = out[done - distance - 1];
    at += wide ? 3 : 2;
  }
  return done == out.size();
}

bool unpack_bzip2(std::span<const std::byte> packed, std::span<std::byte> out) {
  auto size = static_cast<unsigned>(out.size());
  std::vector<char> in(packed.size());  // the library takes no pointer to const
  std::memcpy(in.data(), packed.data(), packed.size());
  return BZ2_bzBuffToBuffDecompress(reinterpret_cast<char*>(out.data()), &size, in.data(),
                                    static_cast<unsigned>(in.size()), 0, 0) == BZ_OK &&
         size == out.size();
}

bool unpack_lzma(std::span<const std::byte> packed, std::span<std::byte> out) {
  constexpr std::uint64_t kMemory = std::uint64_t{128} << 20;
  std::uint64_t limit = kMemory;
  std::size_t in_at = 0;
  std::size_t out_at = 0;
  return lzma_stream_buffer_decode(&limit, 0, nullptr, reinterpret_cast<const std::uint8_t*>(packed.data()),
                                   &in_at, packed.size(), reinterpret_cast<std::uint8_t*>(out.data()),
                                   &out_at, out.size()) == LZMA_OK &&
         out_at == out.size();
}

class DmgImage : public MappedImage {
 public:
  DmgImage(std::unique_ptr<ByteSource> file, ImageInfo info, std::vector<Block> blocks)
      : blocks_(std::move(blocks)) {
    info_ = std::move(info);
    add_file(std::move(file));
  }

 protected:
  Piece find(std::uint64_t offset) override {
    auto next = std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                                 [](std::uint64_t at, const Block& one) { return at < one.from; });
    const std::uint64_t until = next == blocks_.end() ? info_.size : next->from;
    if (next == blocks_.begin()) return Piece::zero(until - offset);
    const Block& block = *--next;
    if (offset - block.from >= block.size) return Piece::zero(until - offset);
    const std::uint64_t within = offset - block.from;
    const std::uint64_t rest = std::min(block.size - within, until - offset);
    switch (block.method) {
      case kZero:
      case kIgnore:
        return Piece::zero(rest);
      case kRaw:
        return Piece::stored(0, block.at + within, rest);
      case kLzfse:
        return Piece::lost(rest,
                           "LZFSE-compressed block, which is not read (convert the image on a Mac: hdiutil "
                           "convert -format UDRW)");
      case kAdc:
      case kZlib:
      case kBzip2:
      case kLzma:
        break;
      default:
        return Piece::lost(rest, fmt::format("block of a kind that is not known ({:#x})", block.method));
    }
    Piece piece;
    piece.kind = Piece::Kind::packed;
    piece.length = rest;
    piece.at = block.at;
    piece.packed_size = block.packed;
    piece.unit_offset = block.from;
    piece.unit_size = block.size;
    piece.method = block.method;
    return piece;
  }

  bool unpack(const Piece& piece, std::span<const std::byte> packed, std::span<std::byte> out) override {
    if (piece.method == kAdc) return unpack_adc(packed, out);
    if (piece.method == kBzip2) return unpack_bzip2(packed, out);
    if (piece.method == kLzma) return unpack_lzma(packed, out);
    const auto done = inflater_.zlib(packed, out);
    return done && done->produced == out.size();
  }

 private:
  std::vector<Block> blocks_;  ///< by place
  Inflater inflater_;
};

std::vector<std::byte> from_base64(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      value = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+')
      value = 62;
    else if (c == '/')
      value = 63;
    else
      continue;
    held = held << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::byte>(held >> bits & 255));
  }
  return bytes;
}

/// The entries of one table ("mish"). False if it contradicts itself.
bool take_table(std::span<const std::byte> table, std::uint64_t data_at, std::uint64_t limit,
                std::vector<Block>& blocks) {
  constexpr std::size_t kHeader = 204, kEntry = 40;
  if (table.size() < kHeader || std::memcmp(table.data(), "mish", 4) != 0) return false;
  const std::uint64_t first = big(table, 8, 8);
  const std::uint64_t data = data_at + big(table, 24, 8);
  const std::uint64_t count = big(table, 200, 4);
  if (first > kMaxDisk / kSector || count > (table.size() - kHeader) / kEntry) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = kHeader + i * kEntry;
    const auto method = static_cast<std::uint32_t>(big(table, at, 4));
    if (method == kEnd) break;
    if (method == kComment) continue;
    const std::uint64_t from = big(table, at + 8, 8);
    const std::uint64_t sectors = big(table, at + 16, 8);
    const std::uint64_t packed = big(table, at + 32, 8);
    if (from > kMaxDisk / kSector || sectors > kMaxDisk / kSector || blocks.size() >= kMaxBlocks)
      return false;
    if (sectors == 0) continue;
    const bool unpacks = method >= kAdc;
    if (unpacks && (sectors * kSector > kMaxUnit || packed > kMaxUnit)) return false;
    if ((first + from + sectors) * kSector > limit) return false;
    blocks.push_back({(first + from) * kSector, sectors * kSector, data + big(table, at + 24, 8),
                      static_cast<std::uint32_t>(
                          std::min<std::uint64_t>(packed, std::numeric_limits<std::uint32_t>::max())),
                      method});
  }
  return true;
}

/// All tables of the property list's key "blkx": each is the text of an element <data>.
bool take_tables(std::string_view list, std::uint64_t data_at, std::uint64_t limit,
                 std::vector<Block>& blocks) {
  const std::size_t key = list.find("<key>blkx</key>");
  if (key == std::string_view::npos) return false;
  std::size_t at = key;
  const std::size_t end = std::min(list.find("</array>", key), list.size());
  bool any = false;
  for (at = list.find("<data>", at); at < end; at = list.find("<data>", at)) {
    const std::size_t close = list.find("</data>", at);
    if (close == std::string_view::npos) return false;
    const auto table = from_base64(list.substr(at + 6, close - at - 6));
    if (!take_table(table, data_at, limit, blocks)) return false;
    any = true;
    at = close;
  }
  return any;
}

std::optional<std::array<std::byte, kTrailer>> find_trailer(ByteSource& file) {
  for (const std::uint64_t at : {file.size() - std::min(file.size(), kTrailer), std::uint64_t{0}}) {
    std::array<std::byte, kTrailer> trailer{};
    const auto got = file.read_at(at, trailer);
    if (got && *got == kTrailer && std::memcmp(trailer.data(), "koly", 4) == 0 && big(trailer, 4, 4) == 4 &&
        big(trailer, 8, 4) == kTrailer) {
      return trailer;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_dmg(ImageInput& input) {
  const auto trailer = find_trailer(*input.bytes);
  if (!trailer) return Error{ErrorCode::invalid, "no DMG"};
  const std::uint64_t data_at = big(*trailer, 24, 8);
  const std::uint64_t list_at = big(*trailer, 216, 8);
  const std::uint64_t list_size = big(*trailer, 224, 8);
  const std::uint64_t sectors = big(*trailer, 492, 8);
  const std::uint64_t segments = big(*trailer, 60, 4);
  if (segments > 1)
    return Error{
        ErrorCode::unsupported,
        fmt::format(
            "is segment {} of a DMG in {} segments: join them on a Mac (hdiutil convert -format UDRW)",
            big(*trailer, 56, 4), segments)};
  if (sectors == 0 || sectors > kMaxDisk / kSector)
    return Error{ErrorCode::corrupt, "is a damaged DMG: it states no possible size"};
  if (list_size == 0)
    return Error{ErrorCode::unsupported,
                 "is a DMG without a property list (before Mac OS X 10.2): convert it on a Mac (hdiutil "
                 "convert -format UDRW)"};
  if (list_size > kMaxPropertyList || list_at > input.bytes->size() ||
      list_size > input.bytes->size() - list_at)
    return Error{ErrorCode::corrupt, "is a damaged DMG: its property list lies outside the file"};
  std::string list(list_size, '\0');
  const auto got = input.bytes->read_at(list_at, std::as_writable_bytes(std::span(list)));
  if (!got || *got < list_size)
    return Error{ErrorCode::corrupt, "is a damaged DMG: its property list cannot be read"};
  std::vector<Block> blocks;
  ImageInfo info;
  info.format = "dmg";
  info.size = sectors * kSector;
  info.files = {input.name};
  if (!take_tables(list, data_at, info.size, blocks)) {
    if (blocks.empty()) return Error{ErrorCode::corrupt, "is a damaged DMG: its block tables cannot be read"};
    add_problem(info, ProblemKind::corrupt,
                "a block table of the image is damaged: what it lists reads as zeros");
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return a.from < b.from; });
  const auto lzfse =
      std::count_if(blocks.begin(), blocks.end(), [](const Block& one) { return one.method == kLzfse; });
  if (lzfse > 0)
    add_problem(info, ProblemKind::unsupported,
                fmt::format("{} of its {} blocks are compressed with LZFSE, which is not read: convert the "
                            "image on a Mac (hdiutil convert -format UDRW)",
                            lzfse, blocks.size()));
  return std::unique_ptr<ExhibitSource>(
      std::make_unique<DmgImage>(std::move(input.bytes), std::move(info), std::move(blocks)));
}

}  // namespace touchstone

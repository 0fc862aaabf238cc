#include "filesystem/trees/zip_member.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "evidence/filter_decoder.hpp"
#include "evidence/inflate64_decoder.hpp"
#include "evidence/inflate_decoder.hpp"
#include "filesystem/trees/zip_cipher.hpp"
#include "filesystem/trees/zip_records.hpp"

namespace touchstone::zip {
namespace {

constexpr std::uint16_t kStored = 0, kDeflate = 8, kDeflate64 = 9, kBzip2 = 12, kLzma = 14, kOldZstd = 20,
                        kZstd = 93, kXz = 95;
// A candidate password is believed once this much of the member decodes, or its checksum fits before that.
constexpr std::uint64_t kTrial = std::uint64_t{16} << 20;

/// LZMA in a zip has a header of its own; the decoder wants that of an .lzma file before the same bytes.
class LzmaSource : public ByteSource {
 public:
  static constexpr std::size_t kZipHeader = 9, kHeader = 13;
  LzmaSource(std::unique_ptr<ByteSource> base, std::uint64_t decoded_size) : base_(std::move(base)) {
    std::array<std::byte, kZipHeader> head{};
    const auto got = base_->read_at(0, head);
    if (!got || *got != head.size()) return;
    std::copy(head.begin() + 4, head.end(), header_.begin());
    for (std::size_t i = 0; i < 8; ++i) header_[5 + i] = static_cast<std::byte>(decoded_size >> (8 * i));
  }
  std::uint64_t size() const override {
    return base_->size() < kZipHeader ? 0 : base_->size() - kZipHeader + kHeader;
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    if (offset >= kHeader) return base_->read_at(offset - kHeader + kZipHeader, out);
    const std::size_t count = std::min(out.size(), kHeader - static_cast<std::size_t>(offset));
    std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    if (count == out.size()) return count;
    auto rest = base_->read_at(kZipHeader, out.subspan(count));
    if (!rest) return rest;
    return count + *rest;
  }
  std::vector<Gap> gaps() const override { return base_->gaps(); }

 private:
  std::unique_ptr<ByteSource> base_;
  std::array<std::byte, kHeader> header_{};
};

Result<std::unique_ptr<ByteSource>> decode(std::unique_ptr<ByteSource> packed, const ZipEntry& entry) {
  std::unique_ptr<StreamDecoder> decoder;
  switch (entry.method) {
    case kStored:
      return packed;
    case kDeflate:
      decoder = std::make_unique<InflateDecoder>(std::move(packed), InflateDecoder::Wrapper::raw,
                                                 InflateDecoder::kMemberBudget);
      break;
    case kDeflate64:
      decoder = std::make_unique<Inflate64Decoder>(std::move(packed));
      break;
    case kBzip2:
      decoder = make_filter_decoder(std::move(packed), StreamFilter::bzip2);
      break;
    case kXz:
      decoder = make_filter_decoder(std::move(packed), StreamFilter::xz);
      break;
    case kOldZstd:
    case kZstd:
      decoder = make_filter_decoder(std::move(packed), StreamFilter::zstd);
      break;
    case kLzma: {
      // Bit 1 of the flags: an end marker stands at the end, and no size is needed.
      const bool marked = (entry.flags & 2) != 0 || entry.size_unknown;
      decoder = make_filter_decoder(
          std::make_unique<LzmaSource>(std::move(packed), marked ? UINT64_MAX : entry.size),
          StreamFilter::lzma);
      break;
    }
    default:
      return Error{ErrorCode::unsupported,
                   "compressed by " + zip_method_name(entry.method) + ", which is not read"};
  }
  std::optional<std::uint64_t> size = entry.size;
  if (entry.size_unknown) size.reset();
  auto source = std::make_unique<DecodedSource>(std::move(decoder), size);
  if (entry.size_unknown) {
    // Its size is known only once its end was met.
    std::array<std::byte, 1> last{};
    if (auto met = source->read_at(UINT64_MAX - 1, last); !met) return met.error();
  }
  return std::unique_ptr<ByteSource>(std::move(source));
}

Result<std::unique_ptr<ByteSource>> finish(std::unique_ptr<ByteSource> packed, const ZipEntry& entry) {
  auto decoded = decode(std::move(packed), entry);
  if (!decoded || !entry.has_crc) return decoded;
  return make_checked_source(decoded.take(), entry.crc32);
}

/// True if a member decodes without a fault, as far as it is tried: passwords pass the short check by chance.
bool is_credible(ByteSource& source) {
  std::vector<std::byte> block(std::size_t{256} << 10);
  const std::uint64_t end = std::min(source.size(), kTrial);
  for (std::uint64_t at = 0; at < end;) {
    const auto got = source.read_at(at, block);
    if (!got || *got == 0) return false;
    at += *got;
  }
  return source.gaps().empty();
}

std::unique_ptr<ByteSource> decrypt(ByteSource& file, std::uint64_t data, const ZipEntry& entry,
                                    const std::string& password) {
  auto window = make_window(file, data, entry.compressed_size);
  if (entry.aes_strength > 0) return open_aes(std::move(window), password, entry.aes_strength);
  if (entry.compressed_size < kCryptHeader) return nullptr;
  return open_traditional(std::move(window), password, static_cast<std::uint8_t>(entry.crc32 >> 24),
                          static_cast<std::uint8_t>(entry.dos_time >> 8));
}

Result<std::unique_ptr<ByteSource>> open_encrypted(ByteSource& file, std::uint64_t data,
                                                   const ZipEntry& entry, const Secrets& secrets,
                                                   std::size_t& last_secret) {
  const bool known = entry.aes_strength > 0 || entry.encryption == "ZipCrypto";
  if (!known)
    return Error{ErrorCode::encrypted, fmt::format("encrypted ({}), which is not read", entry.encryption)};
  const std::size_t count = secrets.candidates.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t number = (last_secret + i) % count;
    auto plain = decrypt(file, data, entry, secrets.candidates[number]);
    if (!plain) continue;
    auto opened = finish(std::move(plain), entry);
    // An unknown method stays one with the right password.
    if (!opened && opened.error().code == ErrorCode::unsupported) return opened;
    if (!opened || !is_credible(**opened)) continue;
    last_secret = number;
    return opened;
  }
  return Error{ErrorCode::encrypted,
               count == 0
                   ? fmt::format("encrypted ({}): no password is given", entry.encryption)
                   : fmt::format("encrypted ({}): none of the given passwords opens it", entry.encryption)};
}

}  // namespace

Result<std::unique_ptr<ByteSource>> open_data(ByteSource& file, std::uint64_t data, const ZipEntry& entry,
                                              const Secrets& secrets, std::size_t& last_secret) {
  if (!entry.encryption.empty()) return open_encrypted(file, data, entry, secrets, last_secret);
  auto packed = make_window(file, data, entry.compressed_size);
  if (packed->size() < entry.compressed_size) {
    const std::uint64_t there = packed->size();
    if (entry.method == kStored) {
      return make_short_source(std::move(packed), entry.compressed_size, "the archive ends here");
    }
    if (there == 0) return Error{ErrorCode::corrupt, "the archive ends before its bytes"};
  }
  return finish(std::move(packed), entry);
}

}  // namespace touchstone::zip

namespace touchstone {

std::string zip_method_name(std::uint16_t method) {
  switch (method) {
    case 0:
      return "stored";
    case 1:
      return "Shrink";
    case 6:
      return "Implode";
    case 8:
      return "Deflate";
    case 9:
      return "Deflate64";
    case 10:
      return "PKWARE DCL Implode";
    case 12:
      return "bzip2";
    case 14:
      return "LZMA";
    case 20:
    case 93:
      return "Zstandard";
    case 94:
      return "MP3";
    case 95:
      return "xz";
    case 96:
      return "JPEG";
    case 97:
      return "WavPack";
    case 98:
      return "PPMd";
    default:
      return method >= 2 && method <= 5 ? "Reduce" : fmt::format("method {}", method);
  }
}

}  // namespace touchstone

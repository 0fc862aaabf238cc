#include "filesystem/crypt_bitlocker.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "filesystem/crypt_bytes.hpp"
#include "filesystem/partition_table.hpp"

namespace touchstone::crypt {
namespace {

constexpr std::string_view kSignature = "-FVE-FS-";
constexpr std::size_t kBlockHeader = 64, kMetadataHeader = 48, kEntryHeader = 8;
// The block lies in a region of 64 KiB (16 KiB in Vista).
constexpr std::size_t kRegion = 65536;
constexpr std::size_t kMaxProtectors = 64;
constexpr std::size_t kSealedHeader = 28;  // nonce and tag

// BitLocker's identifiers in the boot sector.
constexpr std::string_view kBitLocker = "{4967d63b-2e29-4ad8-8399-f6a339e3d001}";
constexpr std::string_view kOnWrite = "{92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8}";
constexpr std::size_t kIdentifierAt = 160, kToGoIdentifierAt = 424;

enum EntryType : std::uint16_t { kMasterKey = 2, kVolumeKey = 3, kDescription = 7, kHeaderBlock = 15 };
enum ValueType : std::uint16_t {
  kKey = 1,
  kText = 2,
  kStretch = 3,
  kSealed = 5,
  kProtector = 8,
  kRange = 15
};

struct Entry {
  std::uint16_t type = 0, value_type = 0;
  std::span<const std::byte> data;
};

/// The entries that fill `bytes`; a damaged one ends them.
std::vector<Entry> entries(std::span<const std::byte> bytes) {
  std::vector<Entry> found;
  while (bytes.size() >= kEntryHeader) {
    const std::size_t size = little16(bytes, 0);
    if (size < kEntryHeader || size > bytes.size()) break;
    found.push_back(
        {little16(bytes, 2), little16(bytes, 4), bytes.subspan(kEntryHeader, size - kEntryHeader)});
    bytes = bytes.subspan(size);
  }
  return found;
}

std::optional<SealedKey> sealed_key(std::span<const std::byte> data) {
  if (data.size() <= kSealedHeader || data.size() > 1024) return std::nullopt;
  SealedKey key;
  std::copy_n(data.begin(), key.nonce.size(), key.nonce.begin());
  std::copy_n(data.begin() + 12, key.tag.size(), key.tag.begin());
  key.bytes.assign(data.begin() + kSealedHeader, data.end());
  return key;
}

std::optional<Protector> protector(std::span<const std::byte> data) {
  constexpr std::size_t kHeader = 28;
  if (data.size() < kHeader) return std::nullopt;
  Protector one;
  one.id = guid_text(data, 0);
  one.type = little16(data, 26);
  for (const Entry& entry : entries(data.subspan(kHeader))) {
    if (entry.value_type == kKey && entry.data.size() == 4 + 32) {
      one.clear_key = KeyBytes(entry.data.subspan(4));
    } else if (entry.value_type == kStretch && entry.data.size() >= 4 + one.salt.size()) {
      std::copy_n(entry.data.begin() + 4, one.salt.size(), one.salt.begin());
      one.has_salt = true;
    } else if (entry.value_type == kSealed && !one.master_key) {
      one.master_key = sealed_key(entry.data);
    }
  }
  return one;
}

void take_entry(BitLockerVolume& volume, const Entry& entry) {
  if (entry.type == kMasterKey && entry.value_type == kProtector &&
      volume.protectors.size() < kMaxProtectors) {
    if (auto one = protector(entry.data)) volume.protectors.push_back(std::move(*one));
  } else if (entry.type == kVolumeKey && entry.value_type == kSealed && !volume.volume_key) {
    volume.volume_key = sealed_key(entry.data);
  } else if (entry.type == kDescription && entry.value_type == kText) {
    volume.description = utf16_text(entry.data);
  } else if (entry.type == kHeaderBlock && entry.value_type == kRange && entry.data.size() >= 16) {
    volume.header_offset = little64(entry.data, 0);
    volume.header_size = little64(entry.data, 8);
  }
}

/// One copy of the metadata. `checked` says whether its checksum must fit.
std::optional<BitLockerVolume> read_copy(ByteSource& source, const BitLockerVolume& boot, std::uint64_t at,
                                         bool checked) {
  const auto block =
      read_exactly(source, at, std::min<std::uint64_t>(kRegion, source.size() - std::min(at, source.size())));
  if (block.size() < kBlockHeader + kMetadataHeader ||
      std::memcmp(block.data(), kSignature.data(), kSignature.size()) != 0)
    return std::nullopt;
  BitLockerVolume volume = boot;
  volume.version = little16(block, 10);
  if (volume.version != 1 && volume.version != 2) return std::nullopt;
  if (checked) {
    const std::size_t size = std::size_t{16} * little16(block, 8);
    if (volume.version != 2 || size < kBlockHeader || size + 8 > block.size()) return std::nullopt;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(block.data()), static_cast<uInt>(size));
    if (sum != little32(block, size + 4)) return std::nullopt;
  }
  volume.state = little16(block, 12);
  volume.encrypted_size = volume.version == 1 ? source.size() : little64(block, 16);
  volume.header_size = std::uint64_t{little32(block, 28)} * volume.sector_size;
  for (std::size_t i = 0; i < volume.blocks.size(); ++i) volume.blocks[i] = little64(block, 32 + 8 * i);
  (volume.version == 1 ? volume.mft_mirror : volume.header_offset) = little64(block, 56);

  const std::span<const std::byte> metadata = std::span(block).subspan(kBlockHeader);
  const std::uint32_t size = little32(metadata, 0), header = little32(metadata, 8);
  if (header < kMetadataHeader || size < header || size > metadata.size()) return std::nullopt;
  volume.id = guid_text(metadata, 16);
  volume.method = little16(metadata, 36);
  volume.created = static_cast<std::int64_t>(little64(metadata, 40));
  for (const Entry& entry : entries(metadata.subspan(header, size - header))) take_entry(volume, entry);
  return volume;
}

/// The newer of a region's two bitmaps; nothing if neither is sound.
std::vector<std::byte> newest_bitmap(ByteSource& source, std::uint64_t region) {
  constexpr std::size_t kBitmap = 512;
  std::vector<std::byte> newest;
  std::uint32_t sequence = 0;
  for (const std::uint64_t at : {region + kBitmap, region + 2 * kBitmap}) {
    auto one = read_exactly(source, at, kBitmap);
    if (one.empty() || std::memcmp(one.data(), "FVE-EOWBR", 10) != 0) continue;
    const std::uint32_t own = little32(one, 20), sum = little32(one, 32);
    std::fill_n(one.begin() + 32, 4, std::byte{0});
    if (crc32(0, reinterpret_cast<const Bytef*>(one.data()), kBitmap) != sum) continue;
    if (!newest.empty() && own <= sequence) continue;
    sequence = own;
    newest = std::move(one);
  }
  return newest;
}

/// While the used space of a volume is being encrypted, bitmaps tell chunk by chunk where that is still to be
/// done. (Observed on a volume in that state; the field of the bits beyond the last chunk is all ones.)
std::vector<PlainRange> plain_ranges(ByteSource& source, const BitLockerVolume& volume) {
  constexpr std::size_t kInfo = 56, kRegionHeader = 60, kBits = 36;
  std::vector<PlainRange> plain;
  std::vector<std::byte> info;
  for (const std::uint64_t at : volume.on_write_blocks) {
    const auto head = read_exactly(source, at, kInfo);
    if (head.empty() || std::memcmp(head.data(), "FVE-EOW", 8) != 0) continue;
    info = read_exactly(source, at, little16(head, 10));
    if (!info.empty()) break;
  }
  if (info.size() < kInfo) return plain;
  const std::uint64_t chunk = little32(info, 20);
  const std::size_t regions = std::min<std::size_t>(little32(info, 32), (info.size() - kInfo) / 8);
  for (std::size_t i = 0; i < regions && chunk >= 512; ++i) {
    const std::uint64_t region = little64(info, kInfo + 8 * i);
    const auto head = read_exactly(source, region, kRegionHeader);
    const auto bitmap = newest_bitmap(source, region);
    if (head.empty() || bitmap.empty() || std::memcmp(head.data(), "FVE-EOWBM", 10) != 0) continue;
    const std::uint64_t start = little64(head, 20), size = little64(head, 28);
    const std::size_t bits = std::min<std::size_t>(little32(bitmap, 16), (bitmap.size() - kBits) * 8);
    for (std::size_t bit = 0; bit < bits && bit * chunk < size; ++bit) {
      if ((std::to_integer<unsigned>(bitmap[kBits + bit / 8]) >> bit % 8 & 1) == 0) continue;
      const PlainRange range{start + bit * chunk, std::min(chunk, size - bit * chunk)};
      if (!plain.empty() && plain.back().offset + plain.back().length == range.offset)
        plain.back().length += range.length;
      else
        plain.push_back(range);
    }
  }
  std::sort(plain.begin(), plain.end(),
            [](const PlainRange& a, const PlainRange& b) { return a.offset < b.offset; });
  return plain;
}

/// Which of the two layouts of the boot sector it is; nothing if none.
std::optional<std::size_t> identifier_at(std::span<const std::byte> boot) {
  for (const std::size_t at : {kIdentifierAt, kToGoIdentifierAt}) {
    const std::string id = guid_text(boot, at);
    if (id == kBitLocker || id == kOnWrite) return at;
  }
  return std::nullopt;
}

bool has_signature(std::span<const std::byte> boot) {
  return std::memcmp(boot.data() + 3, kSignature.data(), kSignature.size()) == 0;
}

const char* method_name(std::uint16_t method) {
  switch (method) {
    case 0x0000:
      return "no method";
    case 0x8000:
      return "AES-CBC 128 with diffuser";
    case 0x8001:
      return "AES-CBC 256 with diffuser";
    case 0x8002:
      return "AES-CBC 128";
    case 0x8003:
      return "AES-CBC 256";
    case 0x8004:
      return "AES-XTS 128";
    case 0x8005:
      return "AES-XTS 256";
    default:
      return nullptr;
  }
}

std::string protector_name(std::uint16_t type) {
  switch (type) {
    case 0x0000:
      return "clear key";
    case 0x0100:
      return "TPM";
    case 0x0200:
      return "startup or recovery key file";
    case 0x0300:
      return "TPM and startup key";
    case 0x0500:
      return "TPM and PIN";
    case 0x0700:
      return "TPM, PIN and startup key";
    case 0x0800:
      return "recovery password";
    case 0x2000:
      return "password";
    default:
      return fmt::format("protector of type 0x{:04x}", type);
  }
}

}  // namespace

std::string guid_text(std::span<const std::byte> bytes, std::size_t at) {
  return '{' + detail::guid_text(bytes, at) + '}';
}

std::vector<std::byte> hex_bytes(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::vector<std::byte> bytes;
  if (text.size() % 2 != 0) return bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

bool is_bitlocker(ByteSource& volume) {
  const auto boot = read_exactly(volume, 0, 512);
  return !boot.empty() && (has_signature(boot) || identifier_at(boot).has_value());
}

Result<BitLockerVolume> read_bitlocker(ByteSource& source) {
  const auto boot = read_exactly(source, 0, 512);
  if (boot.empty()) return Error{ErrorCode::corrupt, "BitLocker: the boot sector cannot be read"};
  BitLockerVolume volume;
  const std::uint32_t sector = little16(boot, 11);
  volume.sector_size = sector == 4096 || sector == 2048 || sector == 1024 ? sector : 512;
  std::vector<std::uint64_t> places;
  if (const auto at = identifier_at(boot)) {
    volume.to_go = *at == kToGoIdentifierAt;
    volume.on_write = guid_text(boot, *at) == kOnWrite;
    for (std::size_t i = 0; i < 3; ++i) places.push_back(little64(boot, *at + 16 + 8 * i));
    for (std::size_t i = 0; volume.on_write && i < 2; ++i)
      volume.on_write_blocks[i] = little64(boot, *at + 40 + 8 * i);
  } else if (has_signature(boot)) {
    // Vista keeps the cluster of the first block where NTFS has that of the MFT's mirror.
    const std::uint64_t cluster = little64(boot, 56);
    const std::uint64_t size = std::uint64_t{volume.sector_size} * std::to_integer<std::uint64_t>(boot[13]);
    if (size != 0 && cluster < source.size() / size) places.push_back(cluster * size);
  }
  for (const bool checked : {true, false}) {
    for (const std::uint64_t at : places) {
      auto found = read_copy(source, volume, at, checked);
      if (!found) continue;
      if (found->on_write) found->plain = plain_ranges(source, *found);
      return std::move(*found);
    }
  }
  return Error{ErrorCode::corrupt,
               "BitLocker volume of whose metadata no copy can be read: it cannot be opened"};
}

std::string bitlocker_name(const BitLockerVolume& volume) {
  const char* method = method_name(volume.method);
  std::string text = volume.to_go ? "BitLocker To Go" : "BitLocker";
  if (volume.version == 1) text += " (Windows Vista)";
  return text + " " + (method == nullptr ? fmt::format("method 0x{:04x}", volume.method) : method);
}

std::string protector_text(const Protector& one) {
  return protector_name(one.type) + (one.type == 0 ? "" : " " + one.id);
}

VolumeSignature describe_bitlocker(const BitLockerVolume& volume) {
  VolumeSignature found;
  found.filesystem = "bitlocker";
  found.state = VolumeState::encrypted;
  found.label = volume.description;
  std::string ways;
  for (const Protector& one : volume.protectors) ways += (ways.empty() ? "" : ", ") + protector_text(one);
  found.reason = fmt::format("{}, volume {}; key protectors: {}", bitlocker_name(volume), volume.id,
                             ways.empty() ? "none" : ways);
  std::uint64_t bytes = 0;
  for (const PlainRange& range : volume.plain) bytes += range.length;
  if (volume.on_write) found.reason += "; only used space is encrypted";
  if (bytes > 0) found.reason += fmt::format("; {} bytes were not encrypted yet", bytes);
  if (volume.state != 4)
    found.reason += fmt::format("; conversion state {}, {} bytes of it are encrypted", volume.state,
                                volume.encrypted_size);
  return found;
}

}  // namespace touchstone::crypt

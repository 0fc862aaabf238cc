#include "filesystem/trees/zip_records.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "model/locator.hpp"

namespace touchstone::zip {
namespace {

// Characters 128 to 255 of IBM code page 437 (Unicode consortium, VENDORS/MICSFT/PC/CP437.TXT).
constexpr std::array<char16_t, 128> kCodePage437 = {
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF, 0x00EE,
    0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9, 0x00FF, 0x00D6,
    0x00DC, 0x00A2, 0x00A3, 0x00A5, 0x20A7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA, 0x00F1, 0x00D1, 0x00AA,
    0x00BA, 0x00BF, 0x2310, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510, 0x2514,
    0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256C, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C,
    0x2588, 0x2584, 0x258C, 0x2590, 0x2580, 0x03B1, 0x00DF, 0x0393, 0x03C0, 0x03A3, 0x03C3, 0x00B5, 0x03C4,
    0x03A6, 0x0398, 0x03A9, 0x03B4, 0x221E, 0x03C6, 0x03B5, 0x2229, 0x2261, 0x00B1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00F7, 0x2248, 0x00B0, 0x2219, 0x00B7, 0x221A, 0x207F, 0x00B2, 0x25A0, 0x00A0};

constexpr std::uint8_t kFat = 0, kUnix = 3, kHpfs = 6, kNtfs = 10, kVfat = 14, kDarwin = 19;
constexpr std::uint16_t kDirectoryAttribute = 0x10;

std::string from_code_page_437(std::string_view raw) {
  std::string text;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    const char32_t code = byte < 128 ? byte : kCodePage437[byte - 128U];
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      text += static_cast<char>(0xE0 | code >> 12);
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return text;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_unix(std::uint8_t host) {
  return host == kUnix || host == kDarwin;
}

/// Names without any mark are code page 437 by the standard; writers on Unix, macOS's own among them, store
/// UTF-8 without saying so.
std::string decode(const std::string& raw, std::uint16_t flags, std::uint8_t host) {
  const bool ascii = std::all_of(raw.begin(), raw.end(), [](char c) { return (c & 0x80) == 0; });
  if (ascii || (flags & kUtf8Flag) != 0) return raw;
  const bool likely = is_unix(host) || host == kUnknownHost;
  return likely && to_valid_utf8(raw) == raw ? raw : from_code_page_437(raw);
}

std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

TimeUs from_seconds(std::uint64_t stored) {
  return std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(stored))} * 1'000'000;
}

/// 100 ns since 1601.
std::optional<TimeUs> from_filetime(std::uint64_t stored) {
  constexpr std::int64_t kTo1970 = 11'644'473'600'000'000;
  if (stored == 0 || stored > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(stored / 10) - kTo1970;
}

std::optional<TimeUs> from_dos(std::uint16_t date, std::uint16_t time, const TimeZone* zone) {
  if (date == 0 || zone == nullptr) return std::nullopt;
  std::tm parts{};
  parts.tm_year = (date >> 9) + 80;
  parts.tm_mon = (date >> 5 & 15) - 1;
  parts.tm_mday = date & 31;
  parts.tm_hour = time >> 11;
  parts.tm_min = time >> 5 & 63;
  parts.tm_sec = (time & 31) * 2;
  if (parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday == 0) return std::nullopt;
  return zone->to_utc(::timegm(&parts)) * 1'000'000;
}

/// What is asked of extra fields; which of several times counts is decided at the end.
struct Extras {
  Extras(ZipEntry& of, bool is_central) : entry(of), central(is_central) {}
  ZipEntry& entry;
  bool central;
  bool local_offset_follows = false;  ///< the 32-bit offset says that the true one is here
  std::uint64_t offset = 0;
  Times unix_times, ntfs_times, old_times;
  std::string unicode_name, unicode_comment;
  bool unicode_name_fits = false;

  void take(std::uint16_t id, std::span<const std::byte> data);
  void zip64(std::span<const std::byte> data);
  void extended_time(std::span<const std::byte> data);
  void ntfs(std::span<const std::byte> data);
  void owner(std::span<const std::byte> data);
  void aes(std::span<const std::byte> data);
};

void Extras::zip64(std::span<const std::byte> data) {
  std::size_t at = 0;
  const auto next = [&](std::uint64_t& value) {
    if (at + 8 > data.size()) return;
    value = number(data, at, 8);
    at += 8;
  };
  if (entry.size == UINT32_MAX) next(entry.size);
  if (entry.compressed_size == UINT32_MAX) next(entry.compressed_size);
  if (local_offset_follows) next(offset);
}

void Extras::extended_time(std::span<const std::byte> data) {
  if (data.empty()) return;
  const auto flags = std::to_integer<unsigned>(data[0]);
  std::size_t at = 1;
  // The central directory keeps all flags but only the first time.
  for (const auto& [bit, where] : {std::pair{1U, &unix_times.modified}, std::pair{2U, &unix_times.accessed},
                                   std::pair{4U, &unix_times.created}}) {
    if ((flags & bit) == 0) continue;
    if (at + 4 > data.size()) break;
    *where = from_seconds(number(data, at, 4));
    at += 4;
    if (central) break;
  }
}

void Extras::ntfs(std::span<const std::byte> data) {
  for (std::size_t at = 4; at + 4 <= data.size();) {
    const std::uint16_t tag = number16(data, at), size = number16(data, at + 2);
    at += 4;
    if (tag == 1 && size >= 24 && at + 24 <= data.size()) {
      ntfs_times.modified = from_filetime(number(data, at, 8));
      ntfs_times.accessed = from_filetime(number(data, at + 8, 8));
      ntfs_times.created = from_filetime(number(data, at + 16, 8));
    }
    at += size;
  }
}

void Extras::owner(std::span<const std::byte> data) {
  if (data.size() < 3 || data[0] != std::byte{1}) return;
  const auto uid_size = std::to_integer<std::size_t>(data[1]);
  if (2 + uid_size >= data.size() || uid_size > 8) return;
  const auto gid_size = std::to_integer<std::size_t>(data[2 + uid_size]);
  entry.uid = static_cast<std::uint32_t>(number(data, 2, uid_size));
  entry.gid = static_cast<std::uint32_t>(number(data, 3 + uid_size, std::min<std::size_t>(gid_size, 8)));
}

void Extras::aes(std::span<const std::byte> data) {
  if (data.size() < 7 || entry.method != kAesMethod) return;
  entry.aes_strength = std::to_integer<int>(data[4]);
  entry.method = number16(data, 5);
  if (number16(data, 0) != 1) entry.has_crc = false;
  constexpr std::array kNames = {"AES-128", "AES-192", "AES-256"};
  if (entry.aes_strength >= 1 && entry.aes_strength <= 3) {
    entry.encryption = kNames[static_cast<std::size_t>(entry.aes_strength) - 1];
  }
}

void Extras::take(std::uint16_t id, std::span<const std::byte> data) {
  switch (id) {
    case 0x0001:
      return zip64(data);
    case 0x5455:
      return extended_time(data);
    case 0x000a:
      return ntfs(data);
    case 0x5855:
      if (data.size() >= 8) {
        old_times.accessed = from_seconds(number(data, 0, 4));
        old_times.modified = from_seconds(number(data, 4, 4));
      }
      if (data.size() >= 12) entry.uid = number16(data, 8), entry.gid = number16(data, 10);
      return;
    case 0x7855:
      if (data.size() >= 4) entry.uid = number16(data, 0), entry.gid = number16(data, 2);
      return;
    case 0x7875:
      return owner(data);
    case 0x7075:
    case 0x6375:
      // Version 1, and the checksum of the name or comment that it stands for: an older one is void.
      if (data.size() < 5 || data[0] != std::byte{1}) return;
      if (id == 0x7075) {
        unicode_name = text_of(data.subspan(5));
        unicode_name_fits = number32(data, 1) == crc_of(entry.name_raw) && !unicode_name.empty();
      } else {
        unicode_comment = text_of(data.subspan(5));
      }
      return;
    case 0x9901:
      return aes(data);
    default:
      return;
  }
}

void read_extras(std::span<const std::byte> bytes, Extras& extras) {
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    const std::uint16_t id = number16(bytes, at), size = number16(bytes, at + 2);
    at += 4;
    extras.take(id, bytes.subspan(at, std::min<std::size_t>(size, bytes.size() - at)));
    at += size;
  }
}

void settle_times(ZipEntry& entry, const Extras& extras, std::uint16_t date, const TimeZone* zone) {
  for (const Times* each : {&extras.ntfs_times, &extras.unix_times, &extras.old_times}) {
    if (!entry.times.modified) entry.times.modified = each->modified;
    if (!entry.times.accessed) entry.times.accessed = each->accessed;
    if (!entry.times.created) entry.times.created = each->created;
  }
  if (!entry.times.modified && !entry.times.accessed && !entry.times.created) {
    entry.times.modified = from_dos(date, entry.dos_time, zone);
    if (entry.times.modified) entry.times.basis = TimeBasis::assumed;
  }
}

/// Everything that follows from what was read: name, kind, encryption.
void settle(ZipEntry& entry, const Extras& extras, std::uint32_t attributes) {
  entry.name =
      extras.unicode_name_fits ? extras.unicode_name : decode(entry.name_raw, entry.flags, entry.host);
  const bool from_dos_world =
      entry.host == kFat || entry.host == kNtfs || entry.host == kVfat || entry.host == kHpfs;
  if (from_dos_world && entry.name.find('/') == std::string::npos) {
    std::replace(entry.name.begin(), entry.name.end(), '\\', '/');
  }
  if (is_unix(entry.host)) entry.mode = attributes >> 16;
  const bool named_so = entry.name.ends_with('/');
  const bool marked = S_ISDIR(entry.mode) || (from_dos_world && (attributes & kDirectoryAttribute) != 0);
  // An empty stream takes at most five bytes: more of them under a size of none is a size that is not true.
  constexpr std::uint64_t kEmptyStream = 5;
  if (entry.size == 0 && entry.method != 0 && (entry.flags & (kEncryptedFlag | kDescriptorFlag)) == 0) {
    entry.size_unknown = entry.compressed_size > kEmptyStream;
  }
  // What has bytes is a file whatever its name says: nothing may hide in a directory.
  entry.directory = (named_so || marked) && entry.size == 0 && !entry.size_unknown;
  if ((entry.flags & kEncryptedFlag) != 0 && entry.encryption.empty()) {
    entry.encryption = (entry.flags & kStrongFlag) != 0 ? "PKWARE strong" : "ZipCrypto";
    if (entry.method == kAesMethod) entry.encryption = "AES of unknown strength";
  }
  if ((entry.flags & kEncryptedFlag) == 0) entry.encryption.clear();
  if ((entry.flags & kMaskedFlag) != 0) entry.has_crc = false;
}

}  // namespace

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = value << 8;
    if (at + i < bytes.size()) value |= std::to_integer<std::uint64_t>(bytes[at + i]);
  }
  return value;
}

std::size_t central_length(std::span<const std::byte> bytes) {
  if (bytes.size() < kCentralSize || number32(bytes, 0) != kCentralSignature) return 0;
  return kCentralSize + number16(bytes, 28) + number16(bytes, 30) + number16(bytes, 32);
}

std::size_t local_length(std::span<const std::byte> bytes) {
  if (bytes.size() < kLocalSize || number32(bytes, 0) != kLocalSignature) return 0;
  return kLocalSize + number16(bytes, 26) + number16(bytes, 28);
}

ZipEntry parse_central(std::span<const std::byte> record, std::uint64_t prefix, const TimeZone* zone) {
  ZipEntry entry;
  entry.host = std::to_integer<std::uint8_t>(record[5]);
  entry.flags = number16(record, 8);
  entry.method = number16(record, 10);
  entry.dos_time = number16(record, 12);
  entry.crc32 = number32(record, 16);
  entry.compressed_size = number32(record, 20);
  entry.size = number32(record, 24);
  const std::size_t name = number16(record, 28), extra = number16(record, 30), comment = number16(record, 32);
  entry.name_raw = text_of(record.subspan(kCentralSize, name));
  Extras extras(entry, true);
  extras.offset = number32(record, 42);
  extras.local_offset_follows = extras.offset == UINT32_MAX;
  read_extras(record.subspan(kCentralSize + name, extra), extras);
  entry.local_header = extras.offset + prefix;
  const std::string note = text_of(record.subspan(kCentralSize + name + extra, comment));
  entry.comment = to_valid_utf8(extras.unicode_comment.empty() ? decode(note, entry.flags, entry.host)
                                                               : extras.unicode_comment);
  settle_times(entry, extras, number16(record, 14), zone);
  settle(entry, extras, number32(record, 38));
  return entry;
}

ZipEntry parse_local(std::span<const std::byte> record, const TimeZone* zone) {
  ZipEntry entry;
  entry.scanned = true;
  entry.host = kUnknownHost;
  entry.flags = number16(record, 6);
  entry.method = number16(record, 8);
  entry.dos_time = number16(record, 10);
  entry.crc32 = number32(record, 14);
  entry.compressed_size = number32(record, 18);
  entry.size = number32(record, 22);
  const std::size_t name = number16(record, 26), extra = number16(record, 28);
  entry.name_raw = text_of(record.subspan(kLocalSize, name));
  Extras extras(entry, false);
  read_extras(record.subspan(kLocalSize + name, extra), extras);
  settle_times(entry, extras, number16(record, 12), zone);
  settle(entry, extras, 0);
  return entry;
}

}  // namespace touchstone::zip

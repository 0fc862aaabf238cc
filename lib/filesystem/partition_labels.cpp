// Apple partition map ("Inside Macintosh: Devices", chapter 3), BSD disk label (<sys/disklabel.h> of the
// BSDs) Sun disk labels (<sys/dklabel.h>, <sys/vtoc.h> of Solaris)
// and SGI volume headers (<sys/dvh.h> of IRIX).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "filesystem/partition_table.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint32_t kBsdMagic = 0x82564557;
constexpr std::uint16_t kSunMagic = 0xdabe;
constexpr std::uint32_t kVtocSane = 0x600ddeee;

std::string text_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::string text;
  for (std::size_t i = at; i < at + size && i < bytes.size() && bytes[i] != std::byte{0}; ++i)
    text.push_back(static_cast<char>(bytes[i]));
  return to_valid_utf8(text);
}

const char* bsd_type(std::uint64_t type) {
  constexpr std::array<const char*, 28> kNames = {
      "unused",       "swap",      "V6",    "V7",    "System V", "4.1BSD",   "eighth edition",
      "4.2BSD (UFS)", "MSDOS",     "LFS",   "other", "HPFS",     "ISO 9660", "boot",
      "Amiga FFS",    "Apple HFS", "AFS",   "ext2",  "NTFS",     "RAID",     "CCD",
      "JFS",          "Apple UFS", "vinum", "UDF",   "SysVBFS",  "EFS",      "ZFS"};
  return type < kNames.size() ? kNames[type] : "unknown";
}

const char* sun_type(std::uint64_t tag) {
  constexpr std::array<const char*, 12> kNames = {
      "unassigned",        "boot",  "root",    "swap", "usr", "backup", "stand", "var", "home",
      "alternate sectors", "cache", "reserved"};
  return tag < kNames.size() ? kNames[tag] : "unknown";
}

/// The whole-disk partition of BSD ("c") and Sun ("backup") is the frame of the others, not one of them.
void drop_frame(PartitionTable& table, std::uint64_t offset, std::uint64_t size) {
  if (table.partitions.size() < 2) return;
  std::erase_if(table.partitions,
                [&](const Partition& p) { return p.offset <= offset && p.offset + p.size >= offset + size; });
}

}  // namespace

std::optional<PartitionTable> read_apm(ByteSource& image) {
  const auto driver = bytes_at(image, 0, 512);
  std::vector<std::uint32_t> sizes = {512, 2048, 1024, 4096};
  if (big(driver, 0, 2) == 0x4552) {  // "ER"
    const auto stated = static_cast<std::uint32_t>(big(driver, 2, 2));
    if (stated >= 512 && stated % 512 == 0) sizes.insert(sizes.begin(), stated);
  }
  for (const std::uint32_t size : sizes) {
    const auto first = bytes_at(image, size, 512);
    if (big(first, 0, 2) != 0x504d) continue;  // "PM"
    PartitionTable table;
    table.type = "APM";
    table.sector_size = size;
    const std::uint64_t count = big(first, 4, 4);
    if (count > kMaxPartitions) {
      table.problems.push_back(volume_problem(
          ProblemKind::limit,
          fmt::format("the Apple partition map claims {} entries: {} are read", count, kMaxPartitions)));
    }
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kMaxPartitions); ++i) {
      const auto entry = bytes_at(image, size * (i + 1), 512);
      if (big(entry, 0, 2) != 0x504d) {
        table.problems.push_back(volume_problem(
            ProblemKind::corrupt,
            fmt::format("the Apple partition map breaks off after {} of {} entries", i, count)));
        break;
      }
      const std::string type = text_at(entry, 48, 32), name = text_at(entry, 16, 32);
      if (type == "Apple_partition_map" || type == "Apple_Free" || type == "Apple_Void" ||
          big(entry, 12, 4) == 0)
        continue;
      table.partitions.push_back({in_bytes(big(entry, 8, 4), size), in_bytes(big(entry, 12, 4), size),
                                  name.empty() ? type : fmt::format("{} ({})", name, type), -1, ""});
    }
    return table;
  }
  return std::nullopt;
}

namespace {

struct BsdEntry {
  std::size_t letter;
  std::uint64_t start, length, type;  // sectors
};

std::vector<BsdEntry> bsd_entries(std::span<const std::byte> label) {
  std::vector<BsdEntry> entries;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(little(label, 138, 2), 22));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 148 + 16 * i;
    const BsdEntry entry{i, little(label, at + 4, 4), little(label, at, 4), little(label, at + 12, 1)};
    if (entry.length != 0) entries.push_back(entry);
  }
  return entries;
}

/// Which sector of the disk a start of 0 means. Partition "c" is the frame: FreeBSD has it begin where the
/// slice does, by its own count; OpenBSD and NetBSD have it cover the disk and count from the start of that.
std::int64_t bsd_origin(const std::vector<BsdEntry>& entries, std::uint64_t base, std::uint64_t size) {
  constexpr std::size_t kFrame = 2;
  const auto own = static_cast<std::int64_t>(base);
  std::uint64_t smallest = UINT64_MAX;
  for (const BsdEntry& entry : entries) {
    if (entry.letter == kFrame && entry.start != 0) return own - static_cast<std::int64_t>(entry.start);
    if (entry.letter == kFrame && entry.length <= size) return own;
    if (entry.letter != kFrame && entry.type != 0) smallest = std::min(smallest, entry.start);
  }
  return smallest < base ? own : 0;
}

}  // namespace

std::optional<PartitionTable> read_bsd(ByteSource& image, std::uint64_t base, std::uint64_t size,
                                       std::uint32_t sector_size) {
  for (const std::uint64_t at : {base + sector_size, base + 64, base + 128, base}) {
    const auto label = bytes_at(image, at, 512);
    if (label.size() < 512 || little(label, 0, 4) != kBsdMagic || little(label, 132, 4) != kBsdMagic)
      continue;
    PartitionTable table;
    table.type = "BSD";
    const auto stated = static_cast<std::uint32_t>(little(label, 40, 4));
    table.sector_size = stated >= 512 && stated <= 65536 ? stated : sector_size;
    const auto entries = bsd_entries(label);
    const std::int64_t origin = bsd_origin(entries, base / table.sector_size, size / table.sector_size);
    for (const BsdEntry& entry : entries) {
      const std::int64_t start = static_cast<std::int64_t>(entry.start) + origin;
      if (entry.type == 0 || start < 0) continue;
      table.partitions.push_back(
          {in_bytes(static_cast<std::uint64_t>(start), table.sector_size),
           in_bytes(entry.length, table.sector_size),
           fmt::format("BSD {}: {}", static_cast<char>('a' + entry.letter), bsd_type(entry.type)), -1, ""});
    }
    drop_frame(table, base, std::min(size, image.size() - std::min(image.size(), base)));
    return table;
  }
  return std::nullopt;
}

std::optional<PartitionTable> read_sun(ByteSource& image, std::uint64_t base) {
  const auto label = bytes_at(image, base, 512);
  if (label.size() < 512 || big(label, 508, 2) != kSunMagic) return std::nullopt;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < 512; at += 2) sum ^= big(label, at, 2);
  PartitionTable table;
  table.type = "Sun";
  if (sum != 0)
    table.problems.push_back(
        volume_problem(ProblemKind::corrupt, "the checksum of the Sun disk label is wrong"));
  const std::uint64_t cylinder = big(label, 436, 2) * big(label, 438, 2);  // heads × sectors
  const bool has_vtoc = big(label, 188, 4) == kVtocSane;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint64_t start = big(label, 444 + 8 * i, 4) * cylinder, length = big(label, 448 + 8 * i, 4);
    const std::uint64_t tag = has_vtoc ? big(label, 142 + 4 * i, 2) : 0;
    if (length == 0 || (has_vtoc && tag == 5)) continue;
    table.partitions.push_back({base + in_bytes(start, 512), in_bytes(length, 512),
                                fmt::format("Sun {}: {}", i, has_vtoc ? sun_type(tag) : "slice"), -1, ""});
  }
  if (!has_vtoc) drop_frame(table, base, image.size() - std::min(image.size(), base));
  return table;
}

std::optional<PartitionTable> read_solaris_x86(ByteSource& image, std::uint64_t base,
                                               std::uint32_t sector_size) {
  const auto label = bytes_at(image, base + sector_size, 512);
  if (label.size() < 512 || little(label, 12, 4) != kVtocSane || little(label, 508, 2) != kSunMagic)
    return std::nullopt;
  PartitionTable table;
  table.type = "Sun";
  table.sector_size = sector_size;
  const std::uint64_t count = std::min<std::uint64_t>(little(label, 30, 2), 16);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = 72 + 12 * i;
    const std::uint64_t tag = little(label, entry, 2), length = little(label, entry + 8, 4);
    if (length == 0 || tag == 5) continue;
    table.partitions.push_back({base + in_bytes(little(label, entry + 4, 4), sector_size),
                                in_bytes(length, sector_size), fmt::format("Sun {}: {}", i, sun_type(tag)),
                                -1, ""});
  }
  return table;
}

std::optional<PartitionTable> read_sgi(ByteSource& image) {
  constexpr std::uint32_t kMagic = 0x0be5a941;
  constexpr std::uint64_t kVolumeHeader = 0, kWholeVolume = 6;
  const auto label = bytes_at(image, 0, 512);
  if (label.size() < 512 || big(label, 0, 4) != kMagic) return std::nullopt;
  PartitionTable table;
  table.type = "SGI";
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t entry = 312 + 12 * i;
    const std::uint64_t length = big(label, entry, 4), type = big(label, entry + 8, 4);
    if (length == 0 || type == kVolumeHeader || type == kWholeVolume) continue;
    table.partitions.push_back({in_bytes(big(label, entry + 4, 4), 512), in_bytes(length, 512),
                                fmt::format("SGI {}: type {}", i, type), -1, ""});
  }
  return table;
}

}  // namespace touchstone::detail

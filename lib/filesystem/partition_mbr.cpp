// The boot record of PCs with its chain of extended boot records. Types: "Partition types: List of partition
// identifiers for PCs" (A. Brouwer) and the public documentation of the systems named.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "filesystem/partition_table.hpp"

namespace touchstone::detail {
namespace {

constexpr std::size_t kEntries = 446;
// A chain has one record a logical partition; the largest that an operating system numbers is 60 odd.
constexpr std::size_t kMaxRecords = 256;

struct TypeName {
  int type;
  const char* name;
};

constexpr std::array kTypes = {
    TypeName{0x01, "FAT12"},
    TypeName{0x04, "FAT16 below 32 MB"},
    TypeName{0x06, "FAT16"},
    TypeName{0x07, "NTFS / exFAT"},
    TypeName{0x0b, "FAT32"},
    TypeName{0x0c, "FAT32 (LBA)"},
    TypeName{0x0e, "FAT16 (LBA)"},
    TypeName{0x11, "hidden FAT12"},
    TypeName{0x12, "diagnostics"},
    TypeName{0x14, "hidden FAT16 below 32 MB"},
    TypeName{0x16, "hidden FAT16"},
    TypeName{0x17, "hidden NTFS / exFAT"},
    TypeName{0x1b, "hidden FAT32"},
    TypeName{0x1c, "hidden FAT32 (LBA)"},
    TypeName{0x1e, "hidden FAT16 (LBA)"},
    TypeName{0x27, "Windows recovery"},
    TypeName{0x42, "Windows dynamic disk"},
    TypeName{0x63, "UNIX"},
    TypeName{0x81, "MINIX"},
    TypeName{0x82, "Linux swap / Solaris x86"},
    TypeName{0x83, "Linux"},
    TypeName{0x84, "hibernation"},
    TypeName{0x8e, "Linux LVM"},
    TypeName{0xa0, "hibernation"},
    TypeName{0xa5, "FreeBSD"},
    TypeName{0xa6, "OpenBSD"},
    TypeName{0xa8, "Mac OS X"},
    TypeName{0xa9, "NetBSD"},
    TypeName{0xab, "Mac OS X boot"},
    TypeName{0xaf, "HFS / HFS+"},
    TypeName{0xb7, "BSDi"},
    TypeName{0xbe, "Solaris boot"},
    TypeName{0xbf, "Solaris"},
    TypeName{0xda, "data without a file system"},
    TypeName{0xde, "Dell utilities"},
    TypeName{0xea, "Linux boot"},
    TypeName{0xeb, "BeOS"},
    TypeName{0xee, "GPT protective"},
    TypeName{0xef, "EFI system partition"},
    TypeName{0xfb, "VMware VMFS"},
    TypeName{0xfc, "VMware swap"},
    TypeName{0xfd, "Linux RAID"},
};

struct Entry {
  int type = 0;
  int boot = 0;
  std::uint64_t start = 0, length = 0;  // sectors
};

std::string type_text(int type) {
  const auto known =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& each) { return each.type == type; });
  return fmt::format("{} (0x{:02x})", known == kTypes.end() ? "unknown type" : known->name, type);
}

bool is_extended(int type) {
  return type == 0x05 || type == 0x0f || type == 0x85;
}

/// The four entries of a record, or nothing without the signature.
std::optional<std::array<Entry, 4>> read_record(ByteSource& image, std::uint64_t offset) {
  const auto record = bytes_at(image, offset, 512);
  if (record.size() < 512 || little(record, 510, 2) != 0xaa55) return std::nullopt;
  std::array<Entry, 4> entries;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t at = kEntries + 16 * i;
    entries[i] = {static_cast<int>(little(record, at + 4, 1)), static_cast<int>(little(record, at, 1)),
                  little(record, at + 8, 4), little(record, at + 12, 4)};
  }
  return entries;
}

Partition partition_of(const Entry& entry, std::uint64_t start, std::uint32_t sector_size) {
  return {in_bytes(start, sector_size), in_bytes(entry.length, sector_size), type_text(entry.type),
          entry.type, entry.type == 0x42 ? "ldm" : ""};
}

/// Follows one chain of extended boot records. Logical partitions count from their own record, the next
/// record from the start of the extended partition.
class ExtendedChain {
 public:
  ExtendedChain(ByteSource& image, const Entry& extended, PartitionTable& table)
      : image_(image), first_(extended.start), table_(table) {}

  void follow() {
    std::uint64_t record = first_;
    while (true) {
      if (std::find(seen_.begin(), seen_.end(), record) != seen_.end()) {
        return complain("leads back to the record at sector", record);
      }
      if (seen_.size() >= kMaxRecords)
        return complain("has more than 256 records and is left at sector", record);
      seen_.push_back(record);
      const auto entries = read_record(image_, in_bytes(record, table_.sector_size));
      if (!entries) return complain("breaks off: there is no boot record at sector", record);
      const Entry* next = take(*entries, record);
      if (next == nullptr) return;
      record = first_ + next->start;
    }
  }

 private:
  /// Keeps the logical partitions of a record; the entry for the next one, or null.
  const Entry* take(const std::array<Entry, 4>& entries, std::uint64_t record) {
    const Entry* next = nullptr;
    for (const Entry& entry : entries) {
      if (entry.type == 0 || entry.length == 0) continue;
      if (is_extended(entry.type)) {
        if (next == nullptr) next = &entry;
      } else {
        table_.partitions.push_back(partition_of(entry, record + entry.start, table_.sector_size));
      }
    }
    return next;
  }

  void complain(const char* what, std::uint64_t sector) {
    table_.problems.push_back(volume_problem(
        ProblemKind::corrupt,
        fmt::format(
            "the chain of the extended partition at sector {} {} {}: logical partitions may be missing",
            first_, what, sector)));
  }

  ByteSource& image_;
  std::uint64_t first_;
  PartitionTable& table_;
  std::vector<std::uint64_t> seen_;
};

}  // namespace

std::optional<PartitionTable> read_mbr(ByteSource& image, std::uint32_t sector_size) {
  const auto entries = read_record(image, 0);
  if (!entries) return std::nullopt;
  // The boot sector of a bare file system ends in the same signature, with code or text where the entries
  // would be.
  for (const Entry& entry : *entries) {
    if ((entry.boot & 0x7f) != 0) return std::nullopt;
  }
  PartitionTable table;
  table.type = "MBR";
  table.sector_size = sector_size;
  std::vector<Entry> extended;
  for (const Entry& entry : *entries) {
    if (entry.type == 0 || entry.length == 0) continue;
    if (is_extended(entry.type)) {
      extended.push_back(entry);
    } else {
      table.partitions.push_back(partition_of(entry, entry.start, sector_size));
    }
  }
  for (const Entry& entry : extended) ExtendedChain(image, entry, table).follow();
  return table;
}

}  // namespace touchstone::detail

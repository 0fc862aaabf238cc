// GUID partition tables after chapter 5 of the UEFI Specification 2.10. The backup header in the last sector
// stands in for a damaged first one.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "filesystem/partition_table.hpp"
#include "filesystem/volume_signature.hpp"

namespace touchstone::detail {
namespace {

constexpr std::size_t kHeader = 92;
constexpr std::size_t kMaxTableBytes = std::size_t{4} << 20;

struct TypeName {
  const char* guid;
  const char* name;
};

constexpr std::array kTypes = {
    TypeName{"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system partition"},
    TypeName{"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved"},
    TypeName{"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data"},
    TypeName{"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery"},
    TypeName{"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "Windows LDM metadata"},
    TypeName{"af9b60a0-1431-4f62-bc68-3311714a69ad", "Windows LDM data"},
    TypeName{"e75caf8f-f680-4cee-afa3-b001e56efc2d", "Windows Storage Spaces"},
    TypeName{"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux"},
    TypeName{"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap"},
    TypeName{"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM"},
    TypeName{"a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID"},
    TypeName{"933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home"},
    TypeName{"ca7d7ccb-63ed-4c53-861c-1742536059cc", "Linux LUKS"},
    TypeName{"21686148-6449-6e6f-744e-656564454649", "BIOS boot"},
    TypeName{"48465300-0000-11aa-aa11-00306543ecac", "Apple HFS+"},
    TypeName{"7c3457ef-0000-11aa-aa11-00306543ecac", "Apple APFS"},
    TypeName{"53746f72-6167-11aa-aa11-00306543ecac", "Apple CoreStorage"},
    TypeName{"52414944-0000-11aa-aa11-00306543ecac", "Apple RAID"},
    TypeName{"426f6f74-0000-11aa-aa11-00306543ecac", "Apple boot"},
    TypeName{"516e7cb4-6ecf-11d6-8ff8-00022d09712b", "FreeBSD"},
    TypeName{"516e7cb6-6ecf-11d6-8ff8-00022d09712b", "FreeBSD UFS"},
    TypeName{"516e7cba-6ecf-11d6-8ff8-00022d09712b", "FreeBSD ZFS"},
    TypeName{"6a898cc3-1dd2-11b2-99a6-080020736631", "ZFS / Apple"},
};

struct Header {
  std::uint64_t own = 0, backup = 0, table = 0;
  std::uint32_t entries = 0, entry_size = 0, table_crc = 0;
  bool sound = false;  // its checksum fits
};

std::uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::optional<Header> read_header(ByteSource& image, std::uint64_t offset) {
  auto bytes = bytes_at(image, offset, 512);
  if (bytes.size() < kHeader || little(bytes, 0, 8) != 0x5452415020494645) return std::nullopt;  // "EFI PART"
  Header header;
  header.own = little(bytes, 24, 8);
  header.backup = little(bytes, 32, 8);
  header.table = little(bytes, 72, 8);
  header.entries = static_cast<std::uint32_t>(little(bytes, 80, 4));
  header.entry_size = static_cast<std::uint32_t>(little(bytes, 84, 4));
  header.table_crc = static_cast<std::uint32_t>(little(bytes, 88, 4));
  const auto length = static_cast<std::size_t>(little(bytes, 12, 4));
  const auto stored = static_cast<std::uint32_t>(little(bytes, 16, 4));
  if (length >= kHeader && length <= bytes.size()) {
    std::fill_n(bytes.begin() + 16, 4, std::byte{0});
    header.sound = checksum(std::span(bytes).first(length)) == stored;
  }
  if (header.entry_size < 128 || header.entry_size > 4096 || header.table < 2) return std::nullopt;
  return header;
}

std::string kind_of(std::span<const std::byte> entry) {
  std::string name = utf16_text(entry.subspan(56, std::min<std::size_t>(entry.size() - 56, 72)));
  if (!name.empty()) return name;
  const std::string guid = guid_text(entry, 0);
  const auto known =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& each) { return guid == each.guid; });
  return known == kTypes.end() ? "type " + guid : known->name;
}

std::string pool_of(const std::string& type) {
  if (type == "af9b60a0-1431-4f62-bc68-3311714a69ad") return "ldm";
  return type == "e75caf8f-f680-4cee-afa3-b001e56efc2d" ? "storage-spaces" : "";
}

/// What the entries that a header points to say; `sound` receives whether their checksum fits.
PartitionTable read_entries(ByteSource& image, const Header& header, std::uint32_t sector_size, bool& sound) {
  PartitionTable table;
  table.type = "GPT";
  table.sector_size = sector_size;
  std::uint64_t wanted = std::uint64_t{header.entries} * header.entry_size;
  if (wanted > kMaxTableBytes) {
    table.problems.push_back(
        volume_problem(ProblemKind::limit,
                       fmt::format("the GPT claims {} entries: those beyond the first {} bytes are left out",
                                   header.entries, kMaxTableBytes)));
    wanted = kMaxTableBytes;
  }
  const auto bytes = bytes_at(image, in_bytes(header.table, sector_size), static_cast<std::size_t>(wanted));
  sound = bytes.size() == wanted && checksum(bytes) == header.table_crc;
  for (std::size_t at = 0; at + header.entry_size <= bytes.size(); at += header.entry_size) {
    const auto entry = std::span(bytes).subspan(at, header.entry_size);
    const std::uint64_t first = little(entry, 32, 8), last = little(entry, 40, 8);
    if ((little(entry, 0, 8) == 0 && little(entry, 8, 8) == 0) || last < first) continue;
    const std::string type = guid_text(entry, 0);
    table.partitions.push_back({in_bytes(first, sector_size), in_bytes(last - first + 1, sector_size),
                                kind_of(entry), -1, pool_of(type)});
  }
  return table;
}

/// The last sector of the disk by its protective MBR: of a copy on a larger disk it is not that of the image.
std::optional<std::uint64_t> protected_end(ByteSource& image) {
  constexpr std::size_t kTable = 446, kEntry = 16, kEntries = 4;
  constexpr int kProtective = 0xee;
  const auto mbr = bytes_at(image, 0, 512);
  for (std::size_t i = 0; i < kEntries && mbr.size() == 512; ++i) {
    const std::size_t at = kTable + i * kEntry;
    if (little(mbr, at + 4, 1) != kProtective) continue;
    const std::uint64_t end = little(mbr, at + 8, 4) + little(mbr, at + 12, 4);
    if (end > 2) return end - 1;
  }
  return std::nullopt;
}

std::vector<std::uint64_t> backup_places(ByteSource& image, const std::optional<Header>& first,
                                         std::uint32_t sector_size) {
  std::vector<std::uint64_t> places;
  const auto add = [&](std::uint64_t place) {
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  };
  if (first && first->backup > 1) add(in_bytes(first->backup, sector_size));
  if (image.size() >= 2 * std::uint64_t{sector_size}) add((image.size() / sector_size - 1) * sector_size);
  if (const auto last = protected_end(image)) add(in_bytes(*last, sector_size));
  return places;
}

bool same_partitions(const PartitionTable& a, const PartitionTable& b) {
  return std::equal(a.partitions.begin(), a.partitions.end(), b.partitions.begin(), b.partitions.end(),
                    [](const Partition& x, const Partition& y) {
                      return x.offset == y.offset && x.size == y.size && x.kind == y.kind;
                    });
}

struct Copy {
  PartitionTable table;
  bool header_sound = false, entries_sound = false;
  bool sound() const { return header_sound && entries_sound; }
};

std::optional<Copy> read_copy(ByteSource& image, std::uint64_t offset, std::uint32_t sector_size) {
  const auto header = read_header(image, offset);
  if (!header) return std::nullopt;
  Copy copy;
  copy.header_sound = header->sound;
  copy.table = read_entries(image, *header, sector_size, copy.entries_sound);
  return copy;
}

}  // namespace

std::optional<PartitionTable> read_gpt(ByteSource& image, std::uint32_t sector_size) {
  const auto first_header = read_header(image, sector_size);
  auto first = first_header ? read_copy(image, sector_size, sector_size) : std::nullopt;
  std::optional<Copy> backup;
  for (const std::uint64_t place : backup_places(image, first_header, sector_size)) {
    if (place == sector_size) continue;
    if (auto copy = read_copy(image, place, sector_size);
        copy && (!backup || (copy->sound() && !backup->sound())))
      backup = std::move(copy);
  }
  if (!first && !backup) return std::nullopt;
  const auto say = [](PartitionTable& table, std::string message) {
    table.problems.push_back(volume_problem(ProblemKind::corrupt, std::move(message)));
  };
  if (!first || (!first->sound() && backup && backup->sound())) {
    say(backup->table,
        !first ? "the first GPT is missing or damaged: its backup at the end of the disk is used"
        : first->header_sound
            ? "the first GPT has entries whose checksum is wrong: its backup at the end is used"
            : "the first GPT has a header whose checksum is wrong: its backup at the end is used");
    return std::move(backup->table);
  }
  if (!first->sound()) {
    say(first->table,
        "the checksums of the GPT are wrong and there is no sound backup: it is followed as it is");
  } else if (backup && backup->sound() && !same_partitions(first->table, backup->table)) {
    say(first->table, "the backup of the GPT names other partitions than the first, which is followed");
  }
  return std::move(first->table);
}

}  // namespace touchstone::detail

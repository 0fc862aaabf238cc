// Partition tables by their on-disk formats, from the bytes of an image: MBR with extended partitions, GPT
// (and its backup), Apple partition map, BSD and Sun disk labels. All of it is hostile: counts and chains are
// bounded, and what does not fit is a Problem. Private to lib/filesystem. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/integers.hpp"
#include "model/types.hpp"

namespace touchstone::detail {

/// A GPT of a real disk has 128 entries, the largest seen a few hundred; a forged one could have millions.
inline constexpr std::size_t kMaxPartitions = 4096;

struct Partition {
  std::uint64_t offset = 0, size = 0;  ///< bytes from the start of the image as the table says, never cut
  std::string kind;                    ///< for people: "Linux (0x83)", or the name given in the table
  int mbr_type = -1;                   ///< of an MBR entry, else -1
  std::string pool;                    ///< "ldm" or "storage-spaces": part of a pool of Windows
};

struct PartitionTable {
  std::string type;  ///< "MBR", "GPT", "APM", "BSD", "Sun", "SGI"
  std::uint32_t sector_size = 512;
  std::vector<Partition> partitions;  ///< in the order of the table; logical ones after the primary ones
  std::vector<Problem> problems;      ///< to be kept only if this table is the one that is used
};

/// Every table that the start of `image` (for GPT also its end) can be read as, the one that today's systems
/// would follow first. `stated` is the sector size that the image states; others are tried as well.
std::vector<PartitionTable> find_partition_tables(ByteSource& image, std::uint32_t stated);

/// Tables inside a partition at `offset` of `image`: BSD and Sun disk labels of the slices of an MBR.
std::optional<PartitionTable> find_nested_table(ByteSource& image, const Partition& slice,
                                                std::uint32_t sector_size);

// The readers, one a format. Each gives nothing where its signature is missing.
std::optional<PartitionTable> read_mbr(ByteSource& image, std::uint32_t sector_size);
std::optional<PartitionTable> read_gpt(ByteSource& image, std::uint32_t sector_size);
std::optional<PartitionTable> read_apm(ByteSource& image);
/// Labels at `base`; BSD counts its sectors from the start of the disk, some systems from that of the slice.
std::optional<PartitionTable> read_bsd(ByteSource& image, std::uint64_t base, std::uint64_t size,
                                       std::uint32_t sector_size);
std::optional<PartitionTable> read_sun(ByteSource& image, std::uint64_t base);
std::optional<PartitionTable> read_solaris_x86(ByteSource& image, std::uint64_t base,
                                               std::uint32_t sector_size);

std::optional<PartitionTable> read_sgi(ByteSource& image);

/// Up to `size` bytes: fewer at the end of the image or where nothing can be read.
std::vector<std::byte> bytes_at(ByteSource& image, std::uint64_t offset, std::size_t size);
/// `sectors` × `sector_size`, UINT64_MAX / 2 where that does not fit: it lies beyond every image.
std::uint64_t in_bytes(std::uint64_t sectors, std::uint64_t sector_size);
/// "8-4-4-4-12" of a GUID as Microsoft stores it (first three parts little-endian), or of a UUID.
std::string guid_text(std::span<const std::byte> bytes, std::size_t at);
std::string uuid_text(std::span<const std::byte> bytes, std::size_t at);
Problem volume_problem(ProblemKind kind, std::string message);

}  // namespace touchstone::detail

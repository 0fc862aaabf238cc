#include "filesystem/partition_table.hpp"

#include <algorithm>
#include <array>

namespace touchstone::detail {

std::vector<std::byte> bytes_at(ByteSource& image, std::uint64_t offset, std::size_t size) {
  if (offset >= image.size()) return {};
  std::vector<std::byte> bytes(std::min<std::uint64_t>(size, image.size() - offset));
  const auto got = image.read_at(offset, bytes);
  bytes.resize(got ? *got : 0);
  return bytes;
}

std::uint64_t in_bytes(std::uint64_t sectors, std::uint64_t sector_size) {
  constexpr std::uint64_t kBeyond = UINT64_MAX / 2;
  return sectors > kBeyond / sector_size ? kBeyond : sectors * sector_size;
}

namespace {

std::string identifier_text(std::span<const std::byte> bytes, std::size_t at, bool swapped) {
  constexpr std::array<std::size_t, 16> kSwapped = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto value = little(bytes, at + (swapped ? kSwapped[i] : i), 1);
    text += kHex[value >> 4];
    text += kHex[value & 15];
  }
  return text;
}

bool has_gpt_part(const PartitionTable& mbr) {
  return std::any_of(mbr.partitions.begin(), mbr.partitions.end(),
                     [](const Partition& p) { return p.mbr_type == 0xee; });
}

/// A hybrid MBR gives some of the GPT's partitions to systems that know no GPT. Entries that agree with none
/// are worth a word, since such systems would have used them.
void compare_with_hybrid(PartitionTable& gpt, const PartitionTable& mbr) {
  std::string others;
  for (const Partition& entry : mbr.partitions) {
    if (entry.mbr_type == 0xee) continue;
    const bool known = std::any_of(gpt.partitions.begin(), gpt.partitions.end(),
                                   [&](const Partition& p) { return p.offset == entry.offset; });
    if (known) continue;
    others += (others.empty() ? "" : ", ") + entry.kind + " at byte " + std::to_string(entry.offset);
  }
  if (others.empty()) return;
  gpt.problems.push_back(
      volume_problem(ProblemKind::corrupt,
                     "the MBR beside the GPT (hybrid MBR) has partitions that the GPT has not, which are "
                     "not read as volumes: " +
                         others));
}

std::vector<std::uint32_t> sector_sizes(std::uint32_t stated) {
  std::vector<std::uint32_t> sizes = {stated};
  for (const std::uint32_t each : {512U, 4096U, 2048U, 1024U}) {
    if (each != stated) sizes.push_back(each);
  }
  return sizes;
}

}  // namespace

std::string guid_text(std::span<const std::byte> bytes, std::size_t at) {
  return identifier_text(bytes, at, true);
}

std::string uuid_text(std::span<const std::byte> bytes, std::size_t at) {
  return identifier_text(bytes, at, false);
}

Problem volume_problem(ProblemKind kind, std::string message) {
  Problem problem;
  problem.plugin = "filesystem";
  problem.kind = kind;
  problem.message = std::move(message);
  return problem;
}

std::vector<PartitionTable> find_partition_tables(ByteSource& image, std::uint32_t stated) {
  if (stated < 512 || stated > 65536 || (stated & (stated - 1)) != 0) stated = 512;
  std::vector<PartitionTable> tables;
  std::optional<PartitionTable> gpt;
  for (const std::uint32_t size : sector_sizes(stated)) {
    if (gpt = read_gpt(image, size); gpt) break;
  }
  // An MBR does not say how large its sectors are: what is found in its partitions decides.
  std::vector<std::uint32_t> sizes = {stated, stated == 512 ? 4096U : 512U};
  if (gpt) sizes = {gpt->sector_size};
  std::vector<PartitionTable> mbrs;
  for (const std::uint32_t size : sizes) {
    if (auto mbr = read_mbr(image, size)) mbrs.push_back(std::move(*mbr));
  }
  const bool protective = !mbrs.empty() && has_gpt_part(mbrs.front());
  if (gpt && (protective || mbrs.empty() || mbrs.front().partitions.empty())) {
    if (!mbrs.empty()) compare_with_hybrid(*gpt, mbrs.front());
    tables.push_back(std::move(*gpt));
    return tables;
  }
  if (protective) {
    mbrs.front().problems.push_back(
        volume_problem(ProblemKind::corrupt,
                       "the MBR says that the disk has a GPT, but neither it nor its backup is there"));
  }
  if (auto map = read_apm(image)) tables.push_back(std::move(*map));
  for (PartitionTable& mbr : mbrs) {
    if (mbr.partitions.empty()) continue;
    if (gpt) {
      mbr.problems.push_back(
          volume_problem(ProblemKind::corrupt,
                         "the disk also carries a GPT that its MBR does not point to, left over from an "
                         "earlier use: it is not followed"));
    }
    tables.push_back(std::move(mbr));
  }
  if (auto label = read_bsd(image, 0, image.size(), stated)) tables.push_back(std::move(*label));
  if (auto label = read_sun(image, 0)) tables.push_back(std::move(*label));
  if (auto label = read_sgi(image)) tables.push_back(std::move(*label));
  return tables;
}

std::optional<PartitionTable> find_nested_table(ByteSource& image, const Partition& slice,
                                                std::uint32_t sector_size) {
  switch (slice.mbr_type) {
    case 0xa5:  // FreeBSD
    case 0xa6:  // OpenBSD
    case 0xa9:  // NetBSD
    case 0xb7:  // BSDi
      return read_bsd(image, slice.offset, slice.size, sector_size);
    case 0x82:  // Solaris before 2005, or Linux swap
    case 0xbf:
      return read_solaris_x86(image, slice.offset, sector_size);
    default:
      return std::nullopt;
  }
}

}  // namespace touchstone::detail

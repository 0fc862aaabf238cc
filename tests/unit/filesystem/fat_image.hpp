// Builds small FAT16 volumes and partition tables in memory, byte by byte after Microsoft's "FAT: General
// Overview of On-Disk Format" and the GPT chapter of the UEFI specification, so that tests need no tools and
// no files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone::test {

using Bytes = std::vector<std::byte>;

inline void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes.at(at + i) = static_cast<std::byte>(value >> (8 * i));
}
inline void put(Bytes& bytes, std::size_t at, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) bytes.at(at + i) = static_cast<std::byte>(text[i]);
}

/// A FAT16 volume of 512-byte clusters. Directories have one cluster (16 entries), "." and ".." included.
class FatImage {
 public:
  static constexpr std::size_t kSectors = 5000;
  static constexpr std::size_t kFatSectors = 20;
  static constexpr std::size_t kRootSector = 1 + kFatSectors;
  static constexpr std::size_t kRootEntries = 64;
  static constexpr std::size_t kDataSector = kRootSector + kRootEntries * 32 / 512;
  static constexpr std::uint16_t kRoot = 0;
  /// 2024-07-01 12:00:00 by the clock of the device.
  static constexpr std::uint16_t kDate = (2024 - 1980) << 9 | 7 << 5 | 1;
  static constexpr std::uint16_t kTime = 12 << 11;

  explicit FatImage(std::string_view label = "TESTVOLUME ") : bytes_(kSectors * 512) {
    put(bytes_, 0, std::string_view("\xeb\x3c\x90MSDOS5.0", 11));
    put(bytes_, 11, 512, 2);
    put(bytes_, 13, 1, 1);
    put(bytes_, 14, 1, 2);
    put(bytes_, 16, 1, 1);
    put(bytes_, 17, kRootEntries, 2);
    put(bytes_, 19, kSectors, 2);
    put(bytes_, 21, 0xf8, 1);
    put(bytes_, 22, kFatSectors, 2);
    put(bytes_, 24, 32, 2);
    put(bytes_, 26, 64, 2);
    put(bytes_, 36, 0x80, 1);
    put(bytes_, 38, 0x29, 1);
    put(bytes_, 39, 0x12345678, 4);
    put(bytes_, 43, label);
    put(bytes_, 54, "FAT16   ");
    put(bytes_, 510, 0xaa55, 2);
    set_fat(0, 0xfff8);
    set_fat(1, 0xffff);
  }

  /// Name as stored: "PHOTO   JPG".
  std::uint16_t add_file(std::uint16_t directory, std::string_view name, std::string_view content) {
    const std::uint16_t first = next_;
    const std::size_t clusters = (content.size() + 511) / 512;
    for (std::size_t i = 0; i < clusters; ++i) {
      set_fat(next_, i + 1 == clusters ? 0xffff : static_cast<std::uint16_t>(next_ + 1));
      ++next_;
    }
    put(bytes_, place(first), content);
    add_entry(directory, name, 0x20, clusters == 0 ? 0 : first, content.size());
    return first;
  }
  std::uint16_t add_directory(std::uint16_t parent, std::string_view name) {
    const std::uint16_t cluster = next_++;
    set_fat(cluster, 0xffff);
    add_entry(parent, name, 0x10, cluster, 0);
    add_entry(cluster, ".          ", 0x10, cluster, 0);
    add_entry(cluster, "..         ", 0x10, parent, 0);
    return cluster;
  }
  /// An entry that points at an existing cluster: for loops.
  void add_entry(std::uint16_t directory, std::string_view name, std::uint8_t attributes,
                 std::uint16_t cluster, std::size_t size) {
    const std::size_t at = free_entry(directory);
    put(bytes_, at, name);
    put(bytes_, at + 11, attributes, 1);
    put(bytes_, at + 14, kTime, 2);
    put(bytes_, at + 16, kDate, 2);
    put(bytes_, at + 18, kDate, 2);
    put(bytes_, at + 22, kTime, 2);
    put(bytes_, at + 24, kDate, 2);
    put(bytes_, at + 26, cluster, 2);
    put(bytes_, at + 28, size, 4);
  }
  /// Deletes as DOS does: first letter of the name and the cluster chain go, all else stays.
  void remove(std::uint16_t directory, std::string_view name) {
    for (std::size_t i = 0; i < entries(directory); ++i) {
      const std::size_t at = table(directory) + 32 * i;
      if (std::memcmp(bytes_.data() + at, name.data(), 11) != 0) continue;
      const auto low = std::to_integer<unsigned>(bytes_[at + 26]);
      const auto high = std::to_integer<unsigned>(bytes_[at + 27]);
      auto cluster = static_cast<std::uint16_t>(high << 8 | low);
      put(bytes_, at, 0xe5, 1);
      while (cluster >= 2 && cluster < 0xfff8) {
        const std::uint16_t following = fat(cluster);
        set_fat(cluster, 0);
        cluster = following;
      }
    }
  }
  Bytes& bytes() { return bytes_; }
  /// Byte offset of a cluster.
  static std::size_t place(std::uint16_t cluster) { return (kDataSector + cluster - 2U) * 512; }

 private:
  static std::size_t table(std::uint16_t directory) {
    return directory == kRoot ? kRootSector * 512 : place(directory);
  }
  static std::size_t entries(std::uint16_t directory) { return directory == kRoot ? kRootEntries : 16; }
  std::size_t free_entry(std::uint16_t directory) const {
    std::size_t at = table(directory);
    while (bytes_.at(at) != std::byte{0}) at += 32;
    return at;
  }
  std::uint16_t fat(std::uint16_t cluster) const {
    const std::size_t at = 512 + 2U * cluster;
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes_[at]) |
                                      std::to_integer<unsigned>(bytes_[at + 1]) << 8);
  }
  void set_fat(std::uint16_t cluster, std::uint16_t value) { put(bytes_, 512 + 2U * cluster, value, 2); }

  Bytes bytes_;
  std::uint16_t next_ = 2;
};

/// One of the four entries of an MBR or extended boot record at `sector`.
inline void put_mbr_entry(Bytes& disk, std::size_t sector, std::size_t index, std::uint8_t type,
                          std::uint32_t start, std::uint32_t length) {
  const std::size_t at = sector * 512 + 446 + 16 * index;
  put(disk, at + 4, type, 1);
  put(disk, at + 8, start, 4);
  put(disk, at + 12, length, 4);
  put(disk, sector * 512 + 510, 0xaa55, 2);
}

inline void copy_to(Bytes& disk, std::size_t sector, const Bytes& volume) {
  std::memcpy(disk.data() + sector * 512, volume.data(), volume.size());
}

/// A protective MBR and a GPT at sector 1 with its entries at sector 2; checksums are left zero.
inline void put_gpt_header(Bytes& disk, std::uint32_t entries) {
  put_mbr_entry(disk, 0, 0, 0xee, 1, static_cast<std::uint32_t>(disk.size() / 512 - 1));
  put(disk, 512, "EFI PART");
  put(disk, 512 + 8, 0x00010000, 4);
  put(disk, 512 + 12, 92, 4);
  put(disk, 512 + 24, 1, 8);
  put(disk, 512 + 32, disk.size() / 512 - 1, 8);
  put(disk, 512 + 40, 2 + entries * 128 / 512, 8);
  put(disk, 512 + 48, disk.size() / 512 - 2, 8);
  put(disk, 512 + 72, 2, 8);
  put(disk, 512 + 80, entries, 4);
  put(disk, 512 + 84, 128, 4);
}
inline void put_gpt_entry(Bytes& disk, std::size_t index, std::uint64_t first, std::uint64_t last,
                          std::string_view name) {
  const std::size_t at = 1024 + 128 * index;
  // Microsoft basic data, mixed-endian as stored.
  put(disk, at, std::string_view("\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7", 16));
  put(disk, at + 16, index + 1, 8);
  put(disk, at + 32, first, 8);
  put(disk, at + 40, last, 8);
  for (std::size_t i = 0; i < name.size(); ++i)
    put(disk, at + 56 + 2 * i, static_cast<unsigned char>(name[i]), 2);
}

}  // namespace touchstone::test

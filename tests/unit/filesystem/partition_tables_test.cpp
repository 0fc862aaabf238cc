// Partition tables built byte by byte after their format documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "filesystem/filesystem.hpp"
#include "unit/filesystem/fat_image.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

constexpr std::size_t kFat = FatImage::kSectors;

struct Listed {
  std::vector<Volume> volumes;
  std::vector<Problem> problems;
  const Volume* find(const std::string& slot) const {
    for (const Volume& volume : volumes) {
      if (volume.slot == slot) return &volume;
    }
    return nullptr;
  }
  std::string messages() const {
    std::string all;
    for (const Problem& problem : problems) all += problem.message + "\n";
    return all;
  }
};

Listed list(const Bytes& disk, std::uint32_t sector = 512) {
  Listed listed;
  listed.volumes = list_volumes(*make_memory_source(disk), sector, listed.problems);
  return listed;
}

void put_big(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    bytes.at(at + i) = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

std::uint32_t crc(const Bytes& bytes, std::size_t at, std::size_t size) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + at), static_cast<uInt>(size)));
}

/// A GPT with sound checksums, both copies, of sectors of `sector` bytes and one partition.
Bytes gpt_disk(std::size_t sector, std::size_t sectors, std::size_t first, std::size_t count) {
  Bytes disk(sector * sectors);
  put_mbr_entry(disk, 0, 0, 0xee, 1, static_cast<std::uint32_t>(sectors - 1));
  const std::size_t table_sectors = (128 * 128 + sector - 1) / sector;
  const auto header = [&](std::size_t own, std::size_t other, std::size_t table) {
    const std::size_t entry = table * sector;
    put(disk, entry,
        std::string_view("\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7", 16));
    put(disk, entry + 16, 7, 8);
    put(disk, entry + 32, first, 8);
    put(disk, entry + 40, first + count - 1, 8);
    put(disk, entry + 56, std::string_view("d\0a\0t\0a\0", 8));
    const std::size_t at = own * sector;
    put(disk, at, "EFI PART");
    put(disk, at + 8, 0x00010000, 4);
    put(disk, at + 12, 92, 4);
    put(disk, at + 24, own, 8);
    put(disk, at + 32, other, 8);
    put(disk, at + 72, table, 8);
    put(disk, at + 80, 128, 4);
    put(disk, at + 84, 128, 4);
    put(disk, at + 88, crc(disk, entry, 128 * 128), 4);
    put(disk, at + 16, crc(disk, at, 92), 4);
  };
  header(1, sectors - 1, 2);
  header(sectors - 1, 1, sectors - 1 - table_sectors);
  return disk;
}

TEST(Mbr, ChainOfExtendedRecordsThatLeadsBackEndsAndIsSaid) {
  Bytes disk(7000 * 512);
  put_mbr_entry(disk, 0, 0, 0x05, 100, 6000);
  put_mbr_entry(disk, 100, 0, 0x06, 50, kFat);
  put_mbr_entry(disk, 100, 1, 0x05, 5500, 100);
  put_mbr_entry(disk, 5600, 0, 0x83, 10, 20);
  put_mbr_entry(disk, 5600, 1, 0x05, 0, 6000);  // the first record again
  copy_to(disk, 150, FatImage("LOGICAL    ").bytes());
  const Listed listed = list(disk);
  ASSERT_NE(listed.find("p2"), nullptr);
  EXPECT_EQ(listed.find("p3"), nullptr);
  EXPECT_EQ(listed.find("p1")->label, "LOGICAL");
  EXPECT_EQ(listed.find("p2")->offset, 5610U * 512);
  EXPECT_THAT(listed.messages(), HasSubstr("leads back to the record at sector 100"));
}

TEST(Mbr, ForgedChainIsBounded) {
  constexpr std::size_t kRecords = 1000;
  Bytes disk((kRecords + 200) * 4 * 512);
  put_mbr_entry(disk, 0, 0, 0x0f, 4, 4 * kRecords);
  for (std::size_t i = 0; i < kRecords; ++i) {
    put_mbr_entry(disk, 4 + 4 * i, 0, 0x83, 1, 2);
    put_mbr_entry(disk, 4 + 4 * i, 1, 0x05, static_cast<std::uint32_t>(4 * (i + 1)), 4);
  }
  const Listed listed = list(disk);
  EXPECT_NE(listed.find("p256"), nullptr);
  EXPECT_EQ(listed.find("p257"), nullptr);
  EXPECT_THAT(listed.messages(), HasSubstr("more than 256 records"));
}

TEST(Mbr, OverlappingAndOverlongPartitionsAreSaid) {
  Bytes disk(12000 * 512);
  put_mbr_entry(disk, 0, 0, 0x06, 100, kFat);
  put_mbr_entry(disk, 0, 1, 0x83, 3000, 4000);
  put_mbr_entry(disk, 0, 2, 0x83, 11000, 4000);
  copy_to(disk, 100, FatImage().bytes());
  const Listed listed = list(disk);
  EXPECT_THAT(listed.messages(), HasSubstr("partitions overlap: p1 and p2"));
  EXPECT_THAT(listed.messages(),
              HasSubstr("partition p3 has 2048000 bytes, but the image ends after 512000"));
  EXPECT_EQ(listed.find("p1")->filesystem, "fat16");
  EXPECT_EQ(listed.find("p3")->size, 1000U * 512);
}

TEST(Mbr, SectorsOf4096BytesAreFoundWhenTheImageDoesNotSaySo) {
  Bytes disk(1000 * 4096);
  put_mbr_entry(disk, 0, 0, 0x06, 16, 700);
  copy_to(disk, 16 * 8, FatImage("BIGSECTORS ").bytes());
  const Listed listed = list(disk);
  ASSERT_NE(listed.find("p1"), nullptr);
  EXPECT_EQ(listed.find("p1")->label, "BIGSECTORS");
  EXPECT_EQ(listed.find("p1")->offset, 16U * 4096);
  EXPECT_EQ(listed.find("p1")->size, 700U * 4096);
}

TEST(Gpt, BackupStandsInForADamagedFirstTable) {
  Bytes disk = gpt_disk(512, 7000, 200, kFat);
  copy_to(disk, 200, FatImage("BEHIND     ").bytes());
  EXPECT_EQ(list(disk).messages(), "");
  Bytes header = disk, entries = disk;
  std::memset(header.data() + 512, 0x5a, 512);
  entries.at(1024 + 40) = std::byte{0xff};  // one bit of an entry's end
  Bytes on_a_larger_disk = header;
  on_a_larger_disk.resize(header.size() + 1'000'000);
  for (const auto& [damaged, words] :
       {std::pair(header, "missing or damaged"), std::pair(on_a_larger_disk, "missing or damaged"),
        std::pair(entries, "checksum")}) {
    const Listed listed = list(damaged);
    ASSERT_NE(listed.find("p1"), nullptr);
    EXPECT_EQ(listed.find("p1")->kind, "data");
    EXPECT_EQ(listed.find("p1")->label, "BEHIND");
    EXPECT_EQ(listed.find("p1")->size, kFat * 512);
    EXPECT_THAT(listed.messages(), HasSubstr("backup"));
    EXPECT_THAT(listed.messages(), HasSubstr(words));
  }
}

TEST(Gpt, SectorsOf4096BytesAreFound) {
  Bytes disk = gpt_disk(4096, 900, 30, 700);
  copy_to(disk, 30 * 8, FatImage("FOURK      ").bytes());
  for (const std::uint32_t stated : {512U, 4096U}) {
    const Listed listed = list(disk, stated);
    ASSERT_NE(listed.find("p1"), nullptr);
    EXPECT_EQ(listed.find("p1")->label, "FOURK");
    EXPECT_EQ(listed.find("p1")->offset, 30U * 4096);
    EXPECT_EQ(listed.messages(), "");
  }
}

TEST(Gpt, PartitionsThatOnlyAHybridMbrHasAreSaid) {
  Bytes disk = gpt_disk(512, 7000, 200, kFat);
  put_mbr_entry(disk, 0, 1, 0x06, 200, kFat);
  EXPECT_EQ(list(disk).messages(), "");
  put_mbr_entry(disk, 0, 2, 0x83, 5300, 100);
  const Listed listed = list(disk);
  EXPECT_EQ(listed.find("p2"), nullptr);
  EXPECT_THAT(listed.messages(), HasSubstr("hybrid"));
  EXPECT_THAT(listed.messages(), HasSubstr("Linux (0x83) at byte 2713600"));
}

TEST(Gpt, LeftOversThatTheMbrDoesNotPointToAreNotFollowed) {
  Bytes disk = gpt_disk(512, 12000, 200, 100);
  put_mbr_entry(disk, 0, 0, 0x06, 6000, kFat);
  copy_to(disk, 6000, FatImage("CURRENT    ").bytes());
  const Listed listed = list(disk);
  ASSERT_NE(listed.find("p1"), nullptr);
  EXPECT_EQ(listed.find("p1")->label, "CURRENT");
  EXPECT_THAT(listed.messages(), HasSubstr("left over"));
}

TEST(AppleMap, PartitionsOfADiskWith2048ByteBlocks) {
  Bytes disk(2048 * 2000);
  put(disk, 0, "ER");
  put_big(disk, 2, 2048, 2);
  const auto entry = [&](std::size_t index, std::uint32_t start, std::uint32_t length, const char* name,
                         const char* type) {
    const std::size_t at = 2048 * (index + 1);
    put(disk, at, "PM");
    put_big(disk, at + 4, 3, 4);
    put_big(disk, at + 8, start, 4);
    put_big(disk, at + 12, length, 4);
    put(disk, at + 16, name);
    put(disk, at + 48, type);
  };
  entry(0, 1, 3, "Apple", "Apple_partition_map");
  entry(1, 100, 1300, "music", "DOS_FAT_16");
  entry(2, 1500, 100, "", "Apple_Free");
  copy_to(disk, 400, FatImage("IPOD       ").bytes());
  const Listed listed = list(disk);
  ASSERT_NE(listed.find("p1"), nullptr);
  EXPECT_EQ(listed.find("p2"), nullptr);
  EXPECT_EQ(listed.find("p1")->kind, "music (DOS_FAT_16)");
  EXPECT_EQ(listed.find("p1")->label, "IPOD");
  EXPECT_EQ(listed.find("p1")->offset, 204800U);
}

TEST(BsdLabel, PartitionsOfASliceAreVolumesInsideIt) {
  Bytes disk(13000 * 512);
  put_mbr_entry(disk, 0, 0, 0xa5, 100, 12000);
  const std::size_t label = 101 * 512;
  put(disk, label, 0x82564557, 4);
  put(disk, label + 40, 512, 4);
  put(disk, label + 132, 0x82564557, 4);
  put(disk, label + 138, 4, 2);
  const auto entry = [&](std::size_t index, std::uint32_t start, std::uint32_t length, std::uint8_t type) {
    put(disk, label + 148 + 16 * index, length, 4);
    put(disk, label + 152 + 16 * index, start, 4);
    put(disk, label + 160 + 16 * index, type, 1);
  };
  entry(0, 16, kFat, 8);
  entry(2, 0, 12000, 0);  // the slice itself
  entry(3, 6000, 1000, 7);
  copy_to(disk, 116, FatImage("INSLICE    ").bytes());
  Listed listed = list(disk);
  ASSERT_NE(listed.find("p1.1"), nullptr);
  EXPECT_EQ(listed.find("p1")->filesystem, "bsd-disklabel");
  EXPECT_EQ(listed.find("p1.1")->label, "INSLICE");
  EXPECT_EQ(listed.find("p1.1")->parent_slot, "p1");
  EXPECT_EQ(listed.find("p1.1")->offset, 116U * 512);
  EXPECT_EQ(listed.find("p1.2")->kind, "BSD d: 4.2BSD (UFS)");
  EXPECT_EQ(listed.find("p1.2")->offset, 6100U * 512);
  // The same counted from the start of the disk, as the frame says.
  entry(0, 116, kFat, 8);
  entry(2, 100, 12000, 0);
  entry(3, 6100, 1000, 7);
  listed = list(disk);
  EXPECT_EQ(listed.find("p1.1")->label, "INSLICE");
  EXPECT_EQ(listed.find("p1.2")->offset, 6100U * 512);
  const auto source = make_memory_source(disk);
  for (const char* slot : {"p1", "p1.1"})
    EXPECT_TRUE(open_file_system(*source, 512, *listed.find(slot))) << slot;
}

}  // namespace
}  // namespace touchstone

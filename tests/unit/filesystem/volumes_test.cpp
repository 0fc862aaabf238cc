#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/fat_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

std::vector<Volume> volumes_of(const Bytes& bytes) {
  std::vector<Problem> problems;
  return list_volumes(*make_memory_source(bytes), 512, problems);
}

const Volume* find(const std::vector<Volume>& volumes, const std::string& slot) {
  for (const Volume& volume : volumes) {
    if (volume.slot == slot) return &volume;
  }
  return nullptr;
}

TEST(ListVolumes, GivesP0WithoutAPartitionTable) {
  const auto volumes = volumes_of(FatImage("HOLIDAY    ").bytes());
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].slot, "p0");
  EXPECT_EQ(volumes[0].filesystem, "fat16");
  EXPECT_EQ(volumes[0].label, "HOLIDAY");
  EXPECT_EQ(volumes[0].state, VolumeState::read);
  EXPECT_EQ(volumes[0].offset, 0U);
  EXPECT_EQ(volumes[0].size, FatImage::kSectors * 512);
}

TEST(ListVolumes, LetsContentDecideNotThePartitionType) {
  Bytes disk(6000 * 512);
  put_mbr_entry(disk, 0, 0, 0x0b, 100, FatImage::kSectors);  // says FAT32
  copy_to(disk, 100, FatImage().bytes());
  const auto volumes = volumes_of(disk);
  ASSERT_EQ(volumes.size(), 3U);
  EXPECT_EQ(volumes[0].slot, "p1");
  EXPECT_EQ(volumes[0].filesystem, "fat16");
  EXPECT_THAT(volumes[0].kind, HasSubstr("FAT32"));
  EXPECT_EQ(volumes[0].offset, 100U * 512);
  EXPECT_EQ(volumes[1].slot, "u1");
  EXPECT_EQ(volumes[1].state, VolumeState::unallocated);
  EXPECT_EQ(volumes[1].offset, 0U);
  EXPECT_EQ(volumes[1].size, 100U * 512);
  EXPECT_EQ(volumes[2].slot, "u2");
  EXPECT_EQ(volumes[2].offset, 5100U * 512);
  EXPECT_EQ(volumes[2].size, 900U * 512);
}

TEST(ListVolumes, NumbersLogicalPartitionsAfterPrimaryOnes) {
  Bytes disk(16000 * 512);
  // Entry 0 lies last on the disk; entry 1 is an extended partition with two logical ones.
  put_mbr_entry(disk, 0, 0, 0x06, 10900, FatImage::kSectors);
  put_mbr_entry(disk, 0, 1, 0x05, 100, 10700);
  put_mbr_entry(disk, 100, 0, 0x06, 50, FatImage::kSectors);
  put_mbr_entry(disk, 100, 1, 0x05, 5200, 5300);
  put_mbr_entry(disk, 5300, 0, 0x06, 60, FatImage::kSectors);
  copy_to(disk, 10900, FatImage("FIRST      ").bytes());
  copy_to(disk, 150, FatImage("SECOND     ").bytes());
  copy_to(disk, 5360, FatImage("THIRD      ").bytes());
  const auto volumes = volumes_of(disk);
  ASSERT_NE(find(volumes, "p3"), nullptr);
  EXPECT_EQ(find(volumes, "p4"), nullptr);
  EXPECT_EQ(find(volumes, "p1")->label, "FIRST");
  EXPECT_EQ(find(volumes, "p2")->label, "SECOND");
  EXPECT_EQ(find(volumes, "p3")->label, "THIRD");
  EXPECT_EQ(find(volumes, "p3")->offset, 5360U * 512);
}

TEST(ListVolumes, ReadsGptBeyond127Slots) {
  Bytes disk(8000 * 512);
  put_gpt_header(disk, 160);
  for (std::size_t i = 0; i < 150; ++i)
    put_gpt_entry(disk, i, 100 + 10 * i, 109 + 10 * i, "part" + std::to_string(i));
  put_gpt_entry(disk, 150, 2000, 2000 + FatImage::kSectors - 1, "photos");
  copy_to(disk, 2000, FatImage().bytes());
  const auto volumes = volumes_of(disk);
  const Volume* last = find(volumes, "p151");
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->kind, "photos");
  EXPECT_EQ(last->filesystem, "fat16");
  EXPECT_EQ(last->offset, 2000U * 512);
  EXPECT_EQ(find(volumes, "p1")->offset, 100U * 512);
  EXPECT_EQ(find(volumes, "p130")->kind, "part129");
}

TEST(ListVolumes, NamesWhatItDoesNotRead) {
  struct Case {
    std::size_t offset;
    std::string magic;
    const char* filesystem;
    VolumeState state;
  };
  const std::vector<Case> cases = {
      {0x10040, "_BHRfS_M", "btrfs", VolumeState::unsupported},
      {0, "XFSB", "xfs", VolumeState::corrupt},
      {1024, "\x10\x20\xf5\xf2", "f2fs", VolumeState::unsupported},
      {32, "NXSB", "apfs", VolumeState::corrupt},  // nothing but its magic number
      {512, "LABELONE", "lvm2", VolumeState::unsupported},
      {4086, "SWAPSPACE2", "swap", VolumeState::unsupported},
      {0, std::string("LUKS\xba\xbe\x00\x02", 8), "luks", VolumeState::corrupt},
      {3, "-FVE-FS-", "bitlocker", VolumeState::corrupt},
  };
  for (const Case& one : cases) {
    Bytes disk(3000 * 512);
    put_mbr_entry(disk, 0, 0, 0x83, 100, 2900);
    put(disk, 100 * 512 + one.offset, one.magic);
    const auto volumes = volumes_of(disk);
    const Volume* volume = find(volumes, "p1");
    ASSERT_NE(volume, nullptr) << one.filesystem;
    EXPECT_EQ(volume->filesystem, one.filesystem);
    EXPECT_EQ(volume->state, one.state) << one.filesystem;
    EXPECT_FALSE(volume->reason.empty());
    const auto source = make_memory_source(disk);
    EXPECT_FALSE(open_file_system(*source, 512, *volume));
  }
}

TEST(ListVolumes, SaysThatNothingIsRecognised) {
  const auto text = volumes_of(to_bytes("A shopping list: bread, milk.\n"));
  ASSERT_EQ(text.size(), 1U);
  EXPECT_EQ(text[0].slot, "p0");
  EXPECT_EQ(text[0].state, VolumeState::unsupported);
  EXPECT_THAT(text[0].reason, HasSubstr("no file system"));
  const auto zeros = volumes_of(Bytes(1 << 20));
  ASSERT_EQ(zeros.size(), 1U);
  EXPECT_THAT(zeros[0].reason, HasSubstr("zeros"));
}

TEST(ListVolumes, SaysWhenTheImageEndsBeforeTheVolume) {
  FatImage fat;
  fat.bytes().resize(3000 * 512);
  const auto volumes = volumes_of(fat.bytes());
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::partly_read);
  EXPECT_THAT(volumes[0].reason, HasSubstr("ends after"));

  Bytes disk(200 * 512);
  put_mbr_entry(disk, 0, 0, 0x83, 100, 50);
  put_mbr_entry(disk, 0, 1, 0x83, 150, 4000000000U);
  for (const Volume& volume : volumes_of(disk))
    EXPECT_LE(volume.offset + volume.size, disk.size()) << volume.slot;
}

}  // namespace
}  // namespace touchstone

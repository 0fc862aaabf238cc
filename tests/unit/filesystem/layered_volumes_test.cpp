// Volumes of LVM2 and md, and reparse points: structures built after their format documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filesystem/filesystem.hpp"
#include "filesystem/lvm_volumes.hpp"
#include "filesystem/ntfs_reparse.hpp"
#include "unit/filesystem/fat_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

constexpr std::size_t kExtent = 8 * 512 * 128;  // 512 KiB

std::string lvm_text(const std::string& segments, int count) {
  return R"(photos_vg {
id = "Dy7rde-0t9M-eO4c-13w8-0Sb3-wls4-VpUxdJ"
seqno = 3
status = ["RESIZEABLE", "READ", "WRITE"]  # a comment
flags = []
extent_size = 1024
physical_volumes {
pv0 {
id = "0F1dX5-0U8j-S32i-OFzv-Fq4G-TKET-P88AXK"
pe_start = 2048
pe_count = 15
}
}
logical_volumes {
home {
id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
status = ["READ", "WRITE", "VISIBLE"]
segment_count = )" +
         std::to_string(count) + "\n" + segments + "}\n}\n}\ncontents = \"Text Format Volume Group\"\n";
}

std::string segment(int number, int start, int count, const std::string& stripes = "",
                    const char* type = "striped") {
  return "segment" + std::to_string(number) + " {\nstart_extent = " + std::to_string(start) +
         "\nextent_count = " + std::to_string(count) + "\ntype = \"" + type +
         "\"\nstripe_count = 1\nstripes = [\n" + stripes + "\n]\n}\n";
}

/// A physical volume with one label and one metadata area; extents begin at 1 MiB.
Bytes physical_volume(const std::string& text) {
  Bytes disk(std::size_t{9} << 20);
  put(disk, 512, "LABELONE");
  put(disk, 512 + 8, 1, 8);
  put(disk, 512 + 20, 32, 4);
  put(disk, 512 + 24, "LVM2 001");
  const std::size_t header = 512 + 32;
  put(disk, header, "0F1dX50U8jS32iOFzvFq4GTKETP88AXK");
  put(disk, header + 32, disk.size(), 8);
  put(disk, header + 40, 1 << 20, 8);  // data area
  put(disk, header + 72, 4096, 8);     // metadata area, after the empty entry that ends the first list
  put(disk, header + 80, (1 << 20) - 4096, 8);
  put(disk, 4096 + 4, std::string_view(" LVM2 x[5A%r0N*>", 16));
  put(disk, 4096 + 20, 1, 4);
  put(disk, 4096 + 24, 4096, 8);
  put(disk, 4096 + 32, (1 << 20) - 4096, 8);
  put(disk, 4096 + 40, 1024, 8);
  put(disk, 4096 + 48, text.size(), 8);
  put(disk, 4096 + 1024, text);
  return disk;
}

TEST(Lvm, LogicalVolumeInOnePieceIsOpened) {
  Bytes disk = physical_volume(lvm_text(segment(1, 0, 6, "\"pv0\", 2"), 1));
  FatImage fat("HOMEDISK   ");
  fat.add_file(FatImage::kRoot, "HELLO   TXT", "inside a logical volume");
  copy_to(disk, ((1 << 20) + 2 * kExtent) / 512, fat.bytes());
  std::vector<Problem> problems;
  const auto source = make_memory_source(disk);
  const auto volumes = list_volumes(*source, 512, problems);
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(volumes[0].filesystem, "lvm2");
  EXPECT_EQ(volumes[0].label, "photos_vg");
  EXPECT_THAT(volumes[0].reason, HasSubstr("Dy7rde-0t9M-eO4c-13w8-0Sb3-wls4-VpUxdJ"));
  EXPECT_EQ(volumes[1].slot, "p0.1");
  EXPECT_EQ(volumes[1].kind, "LVM2 logical volume photos_vg/home");
  EXPECT_EQ(volumes[1].label, "HOMEDISK");
  EXPECT_EQ(volumes[1].offset, (1U << 20) + 2 * kExtent);
}

TEST(Lvm, LogicalVolumeInPiecesIsPutTogether) {
  Bytes disk = physical_volume(lvm_text(segment(1, 0, 1, "\"pv0\", 9") + segment(2, 1, 5, "\"pv0\", 1"), 2));
  FatImage fat("PIECES     ");
  const std::string content(700'000, 'x');
  fat.add_file(FatImage::kRoot, "LARGE   TXT", content);
  Bytes bytes = fat.bytes();
  bytes.resize(6 * kExtent);
  std::memcpy(disk.data() + (1 << 20) + 9 * kExtent, bytes.data(), kExtent);
  std::memcpy(disk.data() + (1 << 20) + 1 * kExtent, bytes.data() + kExtent, 5 * kExtent);
  std::vector<Problem> problems;
  const auto source = make_memory_source(disk);
  const auto volumes = list_volumes(*source, 512, problems);
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(volumes[1].layer, "lvm2");
  EXPECT_EQ(volumes[1].label, "PIECES");
  auto files = open_file_system(*source, 512, volumes[1]);
  ASSERT_TRUE(files) << files.error().message;
  const Walked walked = walk(**files);
  ASSERT_NE(walked.find("/LARGE.TXT"), nullptr);
  EXPECT_EQ(content_of(**files, walked.find("/LARGE.TXT")->address), content);
}

TEST(Lvm, WhatLiesOnOtherDisksIsNamedAndNotRead) {
  const std::string uuid = "0F1dX50U8jS32iOFzvFq4GTKETP88AXK";
  const struct {
    std::string segments;
    const char* words;
  } cases[] = {{segment(1, 0, 6, "\"pv1\", 2"), "another disk"},
               {segment(1, 0, 6, "\"pv0\", 2, \"pv1\", 0"), "striped"},
               {segment(1, 0, 6, "\"pv0\", 2", "raid1"), "raid1"},
               {"", "incomplete"}};
  for (const auto& one : cases) {
    const auto group = detail::parse_lvm_metadata(lvm_text(one.segments, 1), uuid);
    ASSERT_TRUE(group) << one.words;
    ASSERT_EQ(group->volumes.size(), 1U);
    EXPECT_THAT(group->volumes[0].unreadable, HasSubstr(one.words));
  }
}

TEST(Lvm, BrokenMetadataIsAnError) {
  const std::string whole = lvm_text(segment(1, 0, 6, "\"pv0\", 2"), 1);
  EXPECT_FALSE(detail::parse_lvm_metadata("", ""));
  EXPECT_FALSE(detail::parse_lvm_metadata(whole.substr(0, whole.size() / 2), ""));
  EXPECT_FALSE(detail::parse_lvm_metadata(std::string(100'000, '{'), ""));
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "a {";
  EXPECT_FALSE(detail::parse_lvm_metadata(deep, ""));
}

TEST(Lvm, GroupWhoseVolumesHoldItselfEnds) {
  std::string text = lvm_text("", 0);
  text.replace(text.find("pe_start = 2048"), 15, "pe_start = 0   ");
  const std::size_t at = text.find("home {");
  text.erase(at, text.find("}\n}\n}\n", at) + 2 - at);
  for (int i = 0; i < 100; ++i) {
    text.insert(at, "v" + std::to_string(i) + " { status = [\"VISIBLE\"]\nsegment_count = 1\n" +
                        segment(1, 0, 18, "\"pv0\", 0") + "}\n");
  }
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*make_memory_source(physical_volume(text)), 512, problems);
  EXPECT_GT(volumes.size(), 100U);
  EXPECT_LE(volumes.size(), 257U);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.back().kind, ProblemKind::limit);
}

/// Metadata 1.2 of a mirror whose data begin at 1 MiB.
Bytes md_member(std::uint32_t level, std::uint32_t members) {
  Bytes disk(std::size_t{5} << 20);
  put(disk, 4096, 0xa92b4efc, 4);
  put(disk, 4100, 1, 4);
  put(disk, 4096 + 16,
      std::string_view("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16));
  put(disk, 4096 + 32, "nas:0");
  put(disk, 4096 + 72, level, 4);
  put(disk, 4096 + 92, members, 4);
  put(disk, 4096 + 128, 2048, 8);
  put(disk, 4096 + 136, 8000, 8);
  put(disk, 4096 + 144, 8, 8);
  copy_to(disk, 2048, FatImage("MIRRORED   ").bytes());
  return disk;
}

TEST(Md, MemberOfAMirrorIsReadAndSaysSo) {
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*make_memory_source(md_member(1, 2)), 512, problems);
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(volumes[0].filesystem, "md-raid");
  EXPECT_EQ(volumes[0].label, "nas:0");
  EXPECT_THAT(volumes[0].reason, HasSubstr("RAID1, 2 members, UUID 01234567-89ab-cdef-0123-456789abcdef"));
  EXPECT_EQ(volumes[1].slot, "p0.1");
  EXPECT_EQ(volumes[1].label, "MIRRORED");
  EXPECT_EQ(volumes[1].offset, 1U << 20);
}

TEST(Md, OtherArraysAreNamedAndNotAssembled) {
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*make_memory_source(md_member(5, 3)), 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::unsupported);
  EXPECT_THAT(volumes[0].reason, HasSubstr("RAID5, 3 members"));
}

TEST(Md, FileSystemInFrontOfAMirrorsMetadataIsReadAndSaysSo) {
  Bytes disk = FatImage("PLAIN      ").bytes();
  disk.resize(std::size_t{4} << 20);
  const std::size_t place = disk.size() - 65536;  // metadata 0.90
  put(disk, place, 0xa92b4efc, 4);
  put(disk, place + 28, 1, 4);
  put(disk, place + 32, (disk.size() - 65536) / 1024, 4);
  put(disk, place + 40, 2, 4);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*make_memory_source(disk), 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::read);
  EXPECT_EQ(volumes[0].label, "PLAIN");
  EXPECT_THAT(volumes[0].reason, HasSubstr("RAID1"));
}

// [MS-FSCC] 2.1.2.4: a symbolic link to "C:\x" shown as "x".
TEST(ReparsePoint, LinksHaveTheirTargetAndFiltersTheirReason) {
  Bytes link(64);
  put(link, 0, 0xa000000c, 4);
  put(link, 8, 0, 2);
  put(link, 10, 8, 2);
  put(link, 12, 8, 2);
  put(link, 14, 2, 2);
  put(link, 20, std::string_view("C\0:\0\\\0x\0x\0", 10));
  const auto symlink = detail::parse_reparse_point(link);
  EXPECT_EQ(symlink.kind, "symlink");
  EXPECT_EQ(symlink.target, "x");
  put(link, 14, 200, 2);  // beyond the end: the substitute name is taken
  EXPECT_EQ(detail::parse_reparse_point(link).target, "C:\\x");
  Bytes wof(24);
  put(wof, 0, 0x80000017, 4);
  EXPECT_THAT(detail::parse_reparse_point(wof).unread, HasSubstr("WofCompressedData"));
  put(wof, 0, 0x12345678, 4);
  EXPECT_EQ(detail::parse_reparse_point(wof).kind, "0x12345678");
  EXPECT_EQ(detail::parse_reparse_point(Bytes(4)).kind, "");
}

}  // namespace
}  // namespace touchstone

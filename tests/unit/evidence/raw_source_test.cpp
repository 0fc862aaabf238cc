// Split raw images: parts by their names, holes and cut parts said.
#include "evidence/raw_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

std::string read_all(ByteSource& source) {
  std::string text(source.size(), '?');
  const auto got = source.read_at(0, std::as_writable_bytes(std::span(text)));
  return got && *got == text.size() ? text : "";
}

TEST(RawPartName, CountsAsTheToolsDo) {
  EXPECT_EQ(raw_part_name("disk.001", 1), "disk.002");
  EXPECT_EQ(raw_part_name("disk.001", 999), "disk.1000");
  EXPECT_EQ(raw_part_name("disk.000", 10), "disk.010");
  EXPECT_EQ(raw_part_name("disk.dd.00", 1), "disk.dd.01");
  EXPECT_EQ(raw_part_name("disk.aa", 26), "disk.ba");  // split(1)
  EXPECT_EQ(raw_part_name("disk.aaa", 1), "disk.aab");
  EXPECT_EQ(raw_part_name("disk.AA", 1), "disk.AB");
  EXPECT_EQ(raw_part_name("disk.aa", 26 * 26), std::nullopt);
  EXPECT_EQ(raw_part_name("disk.dd", 1), std::nullopt);
  EXPECT_EQ(raw_part_name("disk.2024", 1), std::nullopt);
  EXPECT_EQ(raw_part_name("disk", 1), std::nullopt);
}

TEST(SplitRaw, IsOneImage) {
  for (const auto& [first, second, third] :
       {std::tuple{"d.001", "d.002", "d.003"}, std::tuple{"d.000", "d.001", "d.002"},
        std::tuple{"d.aa", "d.ab", "d.ac"}}) {
    const Scratch scratch;
    const std::string path = scratch.write(first, "aaaa");
    scratch.write(second, "bbbb");
    scratch.write(third, "cc");
    const auto image = open_exhibit(path);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(read_all(**image), "aaaabbbbcc");
    EXPECT_TRUE((*image)->info().problems.empty());
    EXPECT_EQ((*image)->info().files,
              (std::vector<std::string>{path, scratch.path(second), scratch.path(third)}));
    std::string middle(4, '?');
    ASSERT_TRUE((*image)->read_at(3, std::as_writable_bytes(std::span(middle))));
    EXPECT_EQ(middle, "abbb");
  }
}

TEST(SplitRaw, LeavesRoomForAMissingPart) {
  const Scratch scratch;
  const std::string path = scratch.write("d.001", "aaaa");
  scratch.write("d.002", "bbbb");
  scratch.write("d.005", "eeee");
  const auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ(read_all(**image), std::string("aaaabbbb") + std::string(8, '\0') + "eeee");
  ASSERT_EQ((*image)->info().problems.size(), 1U);
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("d.003 to d.004 are missing"));
  const auto gaps = (*image)->gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].offset, 8U);
  EXPECT_EQ(gaps[0].length, 4U);
  EXPECT_THAT(gaps[0].reason, HasSubstr("d.003"));
}

TEST(SplitRaw, SaysThatAPartIsShorter) {
  const Scratch scratch;
  const std::string path = scratch.write("d.001", "aaaa");
  scratch.write("d.002", "bb");
  scratch.write("d.003", "cccc");
  const auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ(read_all(**image), "aaaabbcccc");
  ASSERT_EQ((*image)->info().problems.size(), 1U);
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("d.002 of the split image has 2 bytes"));
}

TEST(SplitRaw, SendsSomeoneWhoGaveALaterPartToTheFirst) {
  const Scratch scratch;
  scratch.write("d.001", "aaaa");
  const std::string path = scratch.write("d.002", "bbbb");
  const auto image = open_exhibit(path);
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message, HasSubstr("give the first, d.001"));
}

TEST(SplitRaw, LeavesAloneWhatOnlyLooksNumbered) {
  const Scratch scratch;
  scratch.write("report.2023", "old");
  const std::string path = scratch.write("report.2024", "new");
  const auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ(read_all(**image), "new");
}

// A virtual disk cut into parts: its footer is in the last.
TEST(SplitRaw, IsRecognisedWhole) {
  if (!test::has_tool("qemu-img")) GTEST_SKIP() << "qemu-img (Debian package qemu-utils) is not installed";
  const Scratch scratch;
  const std::string raw = test::noise(3 << 20);
  scratch.write("raw.dd", raw);
  ASSERT_TRUE(test::run("cd '" + scratch.path("") +
                        "' && qemu-img convert -O vpc -o force_size=on raw.dd disk.vhd && " +
                        "split -b 1000000 -d -a 3 disk.vhd disk.vhd."));
  const auto image = open_exhibit(scratch.path("disk.vhd.000"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().format, "vhd");
  EXPECT_TRUE(read_all(**image) == raw);
}

}  // namespace
}  // namespace touchstone

// XFS made by mkfs.xfs from a prototype file, in the forms that it makes; content and times are known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <fstream>

#include "filesystem/filesystem.hpp"
#include "filesystem/xfs_directory.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/fat_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

std::string large() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + "\n";
  return text;
}

/// An XFS of 320 MB (a sparse file) with a few files and a directory of 400 names; empty without mkfs.xfs.
std::string make_xfs(const Scratch& scratch, const std::string& options) {
  if (!has_tool("mkfs.xfs")) return "";
  scratch.write("small", "hello\n");
  scratch.write("large", large());
  std::ofstream proto(scratch.path("proto"));
  proto << "/dummy\n0 0\nd--755 0 0\n";
  proto << " small ---640 1000 1001 " << scratch.path("small") << "\n";
  proto << " large ---644 0 0 " << scratch.path("large") << "\n";
  proto << " link l--777 0 0 many/name_1\n fifo p--600 0 0\n";
  proto << " many d--755 0 0\n";
  for (int i = 0; i < 400; ++i) proto << "  name_" << i << " ---644 0 0 " << scratch.path("small") << "\n";
  proto << " $\n$\n";
  proto.close();
  const std::string image = scratch.path("image");
  const bool made = run("truncate -s 320M '" + image + "' && mkfs.xfs -q -f -L XFSTEST " + options + " -p '" +
                        scratch.path("proto") + "' '" + image + "'");
  return made ? image : "";
}

class XfsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(XfsTest, GivesNamesBytesTimesAndOwners) {
  const Scratch scratch;
  const std::time_t before = std::time(nullptr);
  const std::string path = make_xfs(scratch, GetParam());
  if (path.empty()) GTEST_SKIP() << "mkfs.xfs is not installed or does not know " << GetParam();
  auto source = open_file_source(path);
  ASSERT_TRUE(source);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(**source, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].filesystem, "xfs");
  EXPECT_EQ(volumes[0].label, "XFSTEST");
  EXPECT_EQ(volumes[0].state, VolumeState::read);
  auto files = open_file_system(**source, 512, volumes[0]);
  ASSERT_TRUE(files) << files.error().message;
  const Walked walked = walk(**files);
  EXPECT_TRUE(walked.problems.empty());
  ASSERT_EQ(walked.entries.size(), 405U);
  const Entry* small = walked.find("/small");
  ASSERT_NE(small, nullptr);
  EXPECT_EQ(content_of(**files, small->address), "hello\n");
  EXPECT_THAT(small->detail, HasSubstr(R"("gid":1001,"mode":"rw-r-----","uid":1000)"));
  EXPECT_EQ(content_of(**files, walked.find("/large")->address), large());
  EXPECT_EQ(content_of(**files, walked.find("/many/name_399")->address), "hello\n");
  EXPECT_EQ(walked.find("/link")->kind, ItemKind::link);
  EXPECT_THAT(walked.find("/link")->detail, HasSubstr(R"("link_target":"many/name_1")"));
  EXPECT_THAT(walked.find("/fifo")->detail, HasSubstr(R"("type":"fifo")"));
  ASSERT_TRUE(small->times.modified);
  EXPECT_GE(*small->times.modified, (before - 1) * 1'000'000);
  EXPECT_LE(*small->times.modified, (std::time(nullptr) + 1) * 1'000'000);
  std::uint64_t free = 0;
  ASSERT_TRUE((*files)->unallocated([&](ByteRange range) { return (free += range.length) > 0; }, problems));
  EXPECT_TRUE(problems.empty());
  EXPECT_GT(free, 200ULL << 20);
  EXPECT_LT(free, 320ULL << 20);
}

INSTANTIATE_TEST_SUITE_P(Forms, XfsTest,
                         ::testing::Values("-m crc=0", "-m bigtime=0", "-m bigtime=1", "-i nrext64=1",
                                           "-m bigtime=1 -n size=16384", "-b size=1024"));

TEST(Xfs, FeaturesThatAreNotKnownAreNamedAndRefused) {
  const Scratch scratch;
  const std::string path = make_xfs(scratch, "");
  if (path.empty()) GTEST_SKIP() << "mkfs.xfs is not installed";
  {
    std::fstream image(path, std::ios::in | std::ios::out | std::ios::binary);
    image.seekp(218);
    image.put(1);  // bit 8 of the incompatible features: metadata directories
  }
  auto source = open_file_source(path);
  ASSERT_TRUE(source);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(**source, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::unsupported);
  EXPECT_THAT(volumes[0].reason, HasSubstr("metadir"));
}

// A free stretch keeps the names of the files that were removed: the second of them joined to the first.
TEST(Xfs, DeletedNamesAreFoundInFreeStretches) {
  Bytes block(512);
  const auto big = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      block.at(at + i) = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
  };
  const auto entry = [&](std::size_t at, std::uint64_t inode, std::string_view name, std::uint64_t mark) {
    big(at, inode, 8);
    big(at + 8, name.size(), 1);
    put(block, at + 9, name);
    big(at + 9 + name.size(), 1, 1);
    big(at + 22, mark, 2);
  };
  entry(64, 131, "kept.jpg", 64);
  entry(88, 132, "gone.jpg", 88);
  entry(112, 0x100000085, "gone2.jp", 88);
  big(88, 0xffff, 2);
  big(90, 48, 2);
  big(136, 0xffff, 2);
  big(138, 512 - 136, 2);
  std::vector<detail::XfsName> names;
  detail::read_xfs_directory_block(block, 64, block.size(), true, names);
  ASSERT_EQ(names.size(), 3U);
  EXPECT_FALSE(names[0].deleted);
  EXPECT_EQ(names[1].name, "gone.jpg");
  EXPECT_TRUE(names[1].deleted);
  EXPECT_EQ(names[1].inode, 132U);
  EXPECT_EQ(names[2].name, "gone2.jp");
  EXPECT_EQ(names[2].inode, 0x100000085U);
}

}  // namespace
}  // namespace touchstone

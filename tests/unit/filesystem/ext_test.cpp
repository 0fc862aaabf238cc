// ext4 volumes made by mke2fs from a folder whose content the test knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::Not;

class ExtTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!has_tool("mke2fs")) GTEST_SKIP() << "mke2fs (Debian package e2fsprogs) is not installed";
    std::filesystem::create_directories(scratch_.path("tree/inner"));
    big_ = noise(700'000);
    scratch_.write("tree/inner/big.bin", big_);
    scratch_.write("tree/" + odd_, "odd");
    scratch_.write("tree/first", "shared content");
    std::filesystem::create_hard_link(scratch_.path("tree/first"), scratch_.path("tree/second"));
    std::filesystem::create_symlink("inner/big.bin", scratch_.path("tree/link"));
    scratch_.write("tree/sparse", "start");
    std::filesystem::resize_file(scratch_.path("tree/sparse"), 3'000'000);
    ::chmod(scratch_.path("tree/first").c_str(), 04751);
    ASSERT_TRUE(run(std::string("mke2fs -q -F -t ") + GetParam() + " -L 'my label' -d '" +
                    scratch_.path("tree") + "' '" + scratch_.path("image") + "' 8M"));
    auto source = open_file_source(scratch_.path("image"));
    ASSERT_TRUE(source);
    source_ = source.take();
    std::vector<Problem> problems;
    volumes_ = list_volumes(*source_, 512, problems);
    auto fs = open_file_system(*source_, 512, volumes_.at(0));
    ASSERT_TRUE(fs) << fs.error().message;
    fs_ = fs.take();
  }

  // Everything a locator escapes, a carriage return, a right-to-left override and bytes that are not UTF-8.
  const std::string odd_ = "a%b!c@d;e,f#g:h\r\xe2\x80\xae\xff\xfe <b>";
  std::string big_;
  Scratch scratch_;
  std::unique_ptr<ByteSource> source_;
  std::vector<Volume> volumes_;
  std::unique_ptr<FileSystem> fs_;
};

TEST_P(ExtTest, NamesTypeAndLabel) {
  ASSERT_EQ(volumes_.size(), 1U);
  EXPECT_EQ(volumes_[0].filesystem, GetParam());
  EXPECT_EQ(volumes_[0].label, "my label");
  EXPECT_EQ(fs_->type(), GetParam());
}

TEST_P(ExtTest, GivesContentOfWholeAndSparseFiles) {
  const Walked walked = walk(*fs_);
  EXPECT_TRUE(walked.problems.empty());
  const Entry* big = walked.find("/inner/big.bin");
  ASSERT_NE(big, nullptr);
  EXPECT_EQ(content_of(*fs_, big->address), big_);
  auto piece = fs_->open(big->address);
  ASSERT_TRUE(piece);
  std::string middle(5000, '?');
  ASSERT_EQ(*(*piece)->read_at(123'456, std::as_writable_bytes(std::span(middle))), 5000U);
  EXPECT_EQ(middle, big_.substr(123'456, 5000));
  ASSERT_EQ(*(*piece)->read_at(699'000, std::as_writable_bytes(std::span(middle))), 1000U);
  const Entry* sparse = walked.find("/sparse");
  ASSERT_NE(sparse, nullptr);
  EXPECT_EQ(content_of(*fs_, sparse->address), "start" + std::string(3'000'000 - 5, '\0'));
}

TEST_P(ExtTest, KeepsOddNamesExactly) {
  const Walked walked = walk(*fs_);
  const auto odd = std::find_if(walked.entries.begin(), walked.entries.end(),
                                [&](const Entry& entry) { return entry.name_raw == odd_; });
  ASSERT_NE(odd, walked.entries.end());
  EXPECT_EQ(odd->path, "/a%25b%21c%40d%3Be%2Cf%23g:h%0D%E2%80%AE%FF%FE <b>");
  EXPECT_THAT(odd->name, HasSubstr("\xef\xbf\xbd"));
  EXPECT_EQ(content_of(*fs_, odd->address), "odd");
}

TEST_P(ExtTest, GivesTwoEntriesForHardLinksAndTheTargetOfALink) {
  const Walked walked = walk(*fs_);
  const Entry* first = walked.find("/first");
  const Entry* second = walked.find("/second");
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(first->address, second->address);
  EXPECT_THAT(first->detail, HasSubstr("\"links\":2"));
  EXPECT_THAT(first->detail, HasSubstr("\"mode\":\"rwsr-x--x\""));
  const Entry* link = walked.find("/link");
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->kind, ItemKind::link);
  EXPECT_FALSE(link->has_content);
  EXPECT_THAT(link->detail, HasSubstr("\"link_target\":\"inner/big.bin\""));
}

TEST_P(ExtTest, GivesTimesInUtc) {
  struct stat status {};
  ASSERT_EQ(::stat(scratch_.path("tree/inner/big.bin").c_str(), &status), 0);
  const Walked walked = walk(*fs_);
  const Entry* big = walked.find("/inner/big.bin");
  ASSERT_NE(big, nullptr);
  EXPECT_EQ(big->times.basis, TimeBasis::utc);
  ASSERT_TRUE(big->times.modified.has_value());
  EXPECT_EQ(*big->times.modified / 1'000'000, status.st_mtime);
}

TEST_P(ExtTest, MarksDeletedNames) {
  if (!has_tool("debugfs")) GTEST_SKIP() << "debugfs (Debian package e2fsprogs) is not installed";
  ASSERT_TRUE(run("debugfs -w -R 'rm /inner/big.bin' '" + scratch_.path("image") + "'"));
  auto source = open_file_source(scratch_.path("image"));
  ASSERT_TRUE(source);
  auto fs = open_file_system(**source, 512, volumes_.at(0));
  ASSERT_TRUE(fs);
  const Walked walked = walk(**fs);
  const Entry* big = walked.find("/inner/big.bin");
  ASSERT_NE(big, nullptr);
  EXPECT_FALSE(big->allocated);
  EXPECT_TRUE(walked.find("/first")->allocated);
  EXPECT_THAT(walked.find("/first")->detail, Not(HasSubstr("deleted_at")));
}

INSTANTIATE_TEST_SUITE_P(Types, ExtTest, ::testing::Values("ext2", "ext3", "ext4"),
                         [](const auto& type) { return std::string(type.param); });

// Linux 2.0 and before: no field behind the first 84 bytes of the superblock means anything, inodes have 128
// bytes. What stands where the size of inodes came to be later is zero there.
TEST(ExtOfTheFirstRevision, IsReadWithInodesOf128Bytes) {
  if (!has_tool("mke2fs")) GTEST_SKIP() << "mke2fs (Debian package e2fsprogs) is not installed";
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path("tree/inner"));
  scratch.write("tree/inner/note", "of another time");
  const std::string image = scratch.path("image");
  ASSERT_TRUE(run("mke2fs -q -F -t ext2 -r 0 -d '" + scratch.path("tree") + "' '" + image + "' 1M"));
  for (const std::uint64_t before : {std::uint64_t{0}, std::uint64_t{2048}}) {
    std::string bytes = std::string(before, '\0') + scratch.read("image");
    bytes.replace(before + 1024 + 84, 20, 20, '\0');
    scratch.write("old", bytes);
    auto source = open_file_source(scratch.path("old"));
    ASSERT_TRUE(source);
    Volume volume;
    volume.offset = before;
    volume.size = bytes.size() - before;
    volume.state = VolumeState::read;
    volume.filesystem = "ext2";
    auto fs = open_file_system(**source, 512, volume);
    ASSERT_TRUE(fs) << fs.error().message;
    const Walked walked = walk(**fs);
    const auto note = std::find_if(walked.entries.begin(), walked.entries.end(),
                                   [](const Entry& entry) { return entry.path == "/inner/note"; });
    ASSERT_NE(note, walked.entries.end()) << before;
    EXPECT_EQ(content_of(**fs, note->address), "of another time");
  }
}

// As of e2fsprogs' f_badroot: a volume that seems empty says why.
TEST(ExtWithADamagedRoot, IsNoEmptyVolume) {
  if (!has_tool("mke2fs") || !has_tool("debugfs")) GTEST_SKIP() << "e2fsprogs is not installed";
  const Scratch scratch;
  const std::string image = scratch.path("image");
  ASSERT_TRUE(run("mke2fs -q -F -t ext2 '" + image + "' 1M"));
  ASSERT_TRUE(run("debugfs -w -R 'set_inode_field <2> mode 0100644' '" + image + "' 2>&1"));
  auto source = open_file_source(image);
  ASSERT_TRUE(source);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(**source, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  auto fs = open_file_system(**source, 512, volumes[0]);
  ASSERT_TRUE(fs) << fs.error().message;
  const Walked walked = walk(**fs);
  ASSERT_FALSE(walked.problems.empty());
  EXPECT_THAT(walked.problems[0].message, HasSubstr("root directory"));
}

}  // namespace
}  // namespace touchstone

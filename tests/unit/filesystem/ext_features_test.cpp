// Features of ext volumes that mke2fs and debugfs make and The Sleuth Kit does not take in: what is expected
// is what was put in, or what debugfs was told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::Not;

class ExtFeatures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("mke2fs") || !has_tool("debugfs")) GTEST_SKIP() << "e2fsprogs is not installed";
    std::filesystem::create_directories(scratch_.path("tree/inner"));
    for (int i = 0; i < 300; ++i) {
      std::string name = "tree/inner/f";
      name += std::to_string(i);
      scratch_.write(name, name);
    }
    std::filesystem::create_symlink(target_, scratch_.path("tree/inner/slow"));
    std::filesystem::create_symlink("inner/f1", scratch_.path("tree/fast"));
  }
  void make(const std::string& options, const std::string& size = "16M") {
    std::string command = "mke2fs -q -F -L 'my label' -d '" + scratch_.path("tree") + "' ";
    command.append(options).append(" '").append(image()).append("' ").append(size);
    ASSERT_TRUE(run(command));
  }
  void debug(const std::string& request) {
    ASSERT_TRUE(run("debugfs -w -R '" + request + "' '" + image() + "'"));
  }
  void open() {
    auto source = open_file_source(image());
    ASSERT_TRUE(source);
    source_ = source.take();
    std::vector<Problem> problems;
    volumes_ = list_volumes(*source_, 512, problems);
    ASSERT_EQ(volumes_.size(), 1U);
    if (volumes_[0].state != VolumeState::read) return;
    auto fs = open_file_system(*source_, 512, volumes_[0]);
    ASSERT_TRUE(fs) << fs.error().message;
    fs_ = fs.take();
    walked_ = walk(*fs_);
  }
  const Entry& entry(const std::string& path) const {
    static const Entry none;
    const Entry* found = walked_.find(path);
    EXPECT_NE(found, nullptr) << path;
    return found == nullptr ? none : *found;
  }
  std::string image() const { return scratch_.path("image"); }

  const std::string target_ = std::string(150, 't') + "/end";
  Scratch scratch_;
  std::unique_ptr<ByteSource> source_;
  std::vector<Volume> volumes_;
  std::unique_ptr<FileSystem> fs_;
  Walked walked_;
};

TEST_F(ExtFeatures, TargetsOfLinksAreReadWhereverTheyStand) {
  for (const char* type : {"-t ext2", "-t ext4", "-t ext4 -b 4096 -O inline_data"}) {
    make(type);
    open();
    EXPECT_THAT(entry("/inner/slow").detail, HasSubstr("\"link_target\":\"" + target_ + "\"")) << type;
    EXPECT_THAT(entry("/fast").detail, HasSubstr("\"link_target\":\"inner/f1\"")) << type;
  }
}

TEST_F(ExtFeatures, DescriptorsThatLieInTheirGroupsAreFound) {
  // 64 groups of which 16 or 32 fit one block; eight inodes each, so that the files lie in all of them.
  for (const char* width : {"", ",^64bit"}) {
    make(std::string(
             "-t ext4 -b 1024 -g 256 -N 640 -O meta_bg,^resize_inode,^flex_bg,^metadata_csum,^uninit_bg") +
         width);
    open();
    EXPECT_TRUE(walked_.problems.empty());
    for (int i = 0; i < 300; ++i) {
      std::string name = "/inner/f";
      name += std::to_string(i);
      EXPECT_EQ(content_of(*fs_, entry(name).address), "tree" + name);
    }
    // What is free is what dumpe2fs counts.
    std::uint64_t free = 0;
    std::vector<Problem> problems;
    ASSERT_TRUE(fs_->unallocated(
        [&](ByteRange range) {
          free += range.length;
          return true;
        },
        problems));
    ASSERT_TRUE(run("dumpe2fs -h '" + image() + "' | sed -n 's/^Free blocks: *//p' > '" +
                    scratch_.path("free") + "'"));
    EXPECT_EQ(free, std::stoull(scratch_.read("free")) * 1024);
  }
}

TEST_F(ExtFeatures, TimesReachFrom1901To2446) {
  make("-t ext4 -I 256", "8M");
  debug("set_inode_field /inner/f1 mtime @-315521755");
  debug("set_inode_field /inner/f2 mtime @13569465600");
  open();
  EXPECT_EQ(entry("/inner/f1").times.modified.value_or(0) / 1'000'000,
            -315'521'755);  // date -u -d 1960-01-02T03:04:05
  EXPECT_EQ(entry("/inner/f2").times.modified.value_or(0) / 1'000'000, 13'569'465'600);
}

TEST_F(ExtFeatures, WhatFscryptEncryptsIsSaidToBe) {
  make("-t ext4 -O encrypt", "8M");
  constexpr const char* kFlags = "flags 0x80800";  // extents, encrypted
  for (const char* path : {"/inner/f7", "/inner/slow", "/inner"})
    debug(std::string("set_inode_field ") + path + " " + kFlags);
  open();
  EXPECT_THAT(volumes_[0].reason, HasSubstr("fscrypt"));
  for (const char* path : {"/inner/f7", "/inner/slow", "/inner"}) {
    EXPECT_THAT(entry(path).detail, HasSubstr("\"encrypted\":\"fscrypt\"")) << path;
    EXPECT_THAT(entry(path).detail, Not(HasSubstr("link_target"))) << path;
  }
  const auto locked = fs_->open(entry("/inner/f7").address);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::encrypted);
  EXPECT_EQ(content_of(*fs_, entry("/inner/f8").address), "tree/inner/f8");
}

TEST_F(ExtFeatures, WhatIsNotReadIsNamedAndNotCalledDamaged) {
  for (const auto& [options, says] : {std::pair("-t ext4 -O bigalloc -C 16384", "bigalloc"),
                                      std::pair("-b 4096 -O journal_dev", "journal")}) {
    std::string command = "mke2fs -q -F -L 'my label' ";
    command.append(options).append(" '").append(image()).append("' 16M");
    std::filesystem::remove(image());
    ASSERT_TRUE(run(command));
    open();
    EXPECT_EQ(volumes_[0].state, VolumeState::unsupported);
    EXPECT_EQ(volumes_[0].filesystem, "ext4");
    EXPECT_EQ(volumes_[0].label, "my label");
    EXPECT_THAT(volumes_[0].reason, HasSubstr(says));
  }
}

}  // namespace
}  // namespace touchstone

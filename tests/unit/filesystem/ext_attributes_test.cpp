// Extended attributes of ext: set by debugfs, and listed and read by it.
#include "filesystem/ext_attributes.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;

class ExtAttributesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("mke2fs") || !has_tool("debugfs")) GTEST_SKIP() << "e2fsprogs is not installed";
    std::filesystem::create_directories(scratch_.path("tree"));
    for (const char* name : {"tree/page.html", "tree/plain.txt"}) scratch_.write(name, name);
    scratch_.write("long", long_);
    scratch_.write("binary", binary_);
  }
  void make(const std::string& options) {
    ASSERT_TRUE(run("mke2fs -q -F -d '" + scratch_.path("tree") + "' " + options + " '" + image() + "' 2M"));
    for (const std::string& request :
         {std::string("ea_set /page.html user.xdg.origin.url https://example.com/page?a=1"),
          "ea_set -f " + scratch_.path("long") + " /page.html user.note",
          "ea_set -f " + scratch_.path("binary") + " /page.html security.capability"})
      ASSERT_TRUE(run("debugfs -w -R '" + request + "' '" + image() + "'")) << request;
  }
  nlohmann::json detail(const std::string& path) {
    auto source = open_file_source(image());
    EXPECT_TRUE(source);
    source_ = source.take();
    std::vector<Problem> problems;
    const auto volumes = list_volumes(*source_, 512, problems);
    auto files = open_file_system(*source_, 512, volumes.at(0));
    EXPECT_TRUE(files);
    const Walked walked = walk(**files);
    const Entry* found = walked.find(path);
    EXPECT_NE(found, nullptr) << path;
    return found == nullptr ? nlohmann::json() : nlohmann::json::parse(found->detail);
  }
  std::string image() const { return scratch_.path("image"); }

  const std::string long_ = std::string(600, 'n') + " end";
  const std::string binary_ = std::string("\1\0\0\2\0\4", 6) + std::string(14, '\0');
  Scratch scratch_;
  std::unique_ptr<ByteSource> source_;
};

TEST_F(ExtAttributesTest, InTheInodeAndInABlockAreThoseThatDebugfsLists) {
  // Of 256 bytes an inode, attributes stand behind its fields as far as they fit; of 128 all are in the
  // block.
  for (const char* options : {"-t ext4 -b 1024 -I 256", "-t ext4 -b 1024 -I 128", "-t ext2 -b 1024 -I 128"}) {
    SCOPED_TRACE(options);
    make(options);
    const nlohmann::json found = detail("/page.html")["attributes"];
    ASSERT_TRUE(found.is_object());
    EXPECT_EQ(found.value("user.xdg.origin.url", ""), "https://example.com/page?a=1");
    EXPECT_EQ(found.value("user.note", ""), long_);
    EXPECT_EQ(found.value("security.capability", ""),
              "0x01000002000400000000000000000000000000" + std::string(2, '0'));
    ASSERT_TRUE(run("debugfs -R 'ea_list /page.html' '" + image() + "' > '" + scratch_.path("list") + "'"));
    const std::string listed = scratch_.read("list");
    std::size_t lines = 0;
    for (const auto& [name, value] : found.items()) {
      EXPECT_NE(listed.find("  " + name + " ("), std::string::npos) << name << " in " << listed;
      ++lines;
    }
    EXPECT_EQ(static_cast<std::size_t>(std::count(listed.begin(), listed.end(), '(')), lines) << listed;
    EXPECT_FALSE(detail("/plain.txt").contains("attributes"));
  }
}

TEST_F(ExtAttributesTest, OfADeletedFileOnlyThoseInTheInodeAreTaken) {
  make("-t ext4 -b 1024 -I 256");
  ASSERT_TRUE(run("debugfs -w -R 'rm /page.html' '" + image() + "'"));
  const nlohmann::json left = detail("/page.html");
  EXPECT_EQ(left["attributes"].value("user.xdg.origin.url", ""), "https://example.com/page?a=1");
  EXPECT_FALSE(left["attributes"].contains("user.note"));
}

TEST(ExtAttributesParser, EndsOnBytesThatMakeNoSense) {
  std::vector<std::byte> inode(256), block(1024);
  inode[128] = std::byte{32};
  inode[160 + 2] = std::byte{0x02};
  inode[160 + 3] = std::byte{0xEA};
  for (std::size_t at = 164; at < inode.size(); ++at) inode[at] = std::byte{0xFF};
  EXPECT_FALSE(detail::parse_ext_attributes(inode, {}).is_whole);
  EXPECT_FALSE(detail::parse_ext_attributes(inode, block).is_whole) << "the block is none of attributes";
  for (std::size_t cut = 0; cut < inode.size(); ++cut)
    EXPECT_TRUE(detail::parse_ext_attributes(std::span(inode).first(cut), {}).list.empty()) << cut;
}

TEST(ExtAttributesParser, ManyNamesOfOneValueAreNotAsManyTimesItsBytes) {
  std::vector<std::byte> block(65536);
  block[2] = std::byte{0x02};
  block[3] = std::byte{0xEA};
  for (std::size_t at = 32; at + 20 < block.size(); at += 20) {
    block[at] = block[at + 1] = std::byte{1};  // "user." and a letter
    block[at + 9] = std::byte{0xF0};           // 61,440 bytes from the start
    block[at + 16] = std::byte{'a'};
  }
  const auto found = detail::parse_ext_attributes({}, block);
  EXPECT_EQ(found.list.size(), 1U);
  EXPECT_FALSE(found.is_whole);
}

}  // namespace
}  // namespace touchstone

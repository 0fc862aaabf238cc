// File systems that are only recognised, made by their own tools; names and identifiers as blkid gives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

struct Made {
  const char* name;
  const char* tool;
  const char* command;  ///< IMAGE and FOLDER stand for the image and a folder with a file
};

std::string value_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + "=")) return line.substr(key.size() + 1);
  }
  return "";
}

class SignatureTest : public ::testing::TestWithParam<Made> {};

TEST_P(SignatureTest, HasNameLabelAndIdentifierOfBlkid) {
  const Made& made = GetParam();
  if (!has_tool(made.tool) || !has_tool("blkid")) GTEST_SKIP() << made.tool << " or blkid is not installed";
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("folder"));
  scratch.write("folder/file", "content");
  std::string command = made.command;
  for (const auto& [from, to] : {std::pair("IMAGE", "image"), std::pair("FOLDER", "folder")}) {
    for (std::size_t at = command.find(from); at != std::string::npos; at = command.find(from))
      command.replace(at, std::strlen(from), "'" + scratch.path(to) + "'");
  }
  ASSERT_TRUE(run(command)) << command;
  run("PATH=$PATH:/sbin:/usr/sbin blkid -p -o export '" + scratch.path("image") + "' > '" +
      scratch.path("said") + "'");
  const std::string said = scratch.read("said");
  auto source = open_file_source(scratch.path("image"));
  ASSERT_TRUE(source);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(**source, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].filesystem, value_of(said, "TYPE"));
  EXPECT_EQ(volumes[0].label, value_of(said, "LABEL"));
  EXPECT_EQ(volumes[0].state, VolumeState::unsupported);
  EXPECT_THAT(volumes[0].reason, HasSubstr(value_of(said, "UUID")));
  EXPECT_FALSE(open_file_system(**source, 512, volumes[0]));
}

INSTANTIATE_TEST_SUITE_P(
    Tools, SignatureTest,
    ::testing::Values(Made{"btrfs", "mkfs.btrfs", "truncate -s 120M IMAGE && mkfs.btrfs -q -L Holiday IMAGE"},
                      Made{"f2fs", "mkfs.f2fs", "truncate -s 64M IMAGE && mkfs.f2fs -q -l userdata IMAGE"},
                      Made{"squashfs", "mksquashfs", "mksquashfs FOLDER IMAGE"},
                      Made{"erofs", "mkfs.erofs", "mkfs.erofs IMAGE FOLDER"},
                      Made{"hfs", "hformat", "truncate -s 2M IMAGE && hformat -l OldMac IMAGE"},
                      Made{"minix", "mkfs.minix", "truncate -s 1M IMAGE && mkfs.minix IMAGE"},
                      Made{"minix3", "mkfs.minix", "truncate -s 1M IMAGE && mkfs.minix -3 IMAGE"},
                      Made{"cramfs", "mkfs.cramfs", "mkfs.cramfs -n Small FOLDER IMAGE"},
                      Made{"swap", "mkswap", "truncate -s 1M IMAGE && mkswap -L SWAPPED IMAGE"}),
    [](const auto& made) { return std::string(made.param.name); });

// FreeBSD's struct fs ends with its magic number, 1372 bytes after the block begins.
TEST(Signature, UfsThatTheSleuthKitRefusesIsNamed) {
  for (const auto& [at, magic] : {std::pair(std::size_t{65536 + 1372}, "\x19\x01\x54\x19"),
                                  std::pair(std::size_t{8192 + 1372}, "\x54\x19\x01\x00")}) {
    std::vector<std::byte> bytes(256 * 1024);
    std::memcpy(&bytes[at], magic, 4);
    const auto source = make_memory_source(std::move(bytes));
    std::vector<Problem> problems;
    const auto volumes = list_volumes(*source, 512, problems);
    ASSERT_EQ(volumes.size(), 1U);
    EXPECT_EQ(volumes[0].filesystem, "ufs");
    EXPECT_EQ(volumes[0].state, VolumeState::unsupported);
  }
}

}  // namespace
}  // namespace touchstone

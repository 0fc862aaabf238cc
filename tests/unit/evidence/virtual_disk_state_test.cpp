// Disks that were not closed and disks that stand on others. qemu-img replays the log of a VHDX itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

class DiskState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("qemu-img")) GTEST_SKIP() << "qemu-img (Debian package qemu-utils) is not installed";
    scratch_.write("raw.dd", test::noise(3 << 20));
  }
  bool shell(const std::string& command) { return test::run("cd '" + scratch_.path("") + "' && " + command); }
  std::string bytes_of(const std::string& name) {
    auto image = open_exhibit(scratch_.path(name));
    EXPECT_TRUE(image) << (image ? "" : image.error().message);
    if (!image) return "";
    for (const Problem& problem : (*image)->info().problems) problems_ += problem.message + "\n";
    std::string text((*image)->size(), '?');
    const auto got = (*image)->read_at(0, std::as_writable_bytes(std::span(text)));
    return got ? text : "";
  }
  Scratch scratch_;
  std::string problems_;
};

TEST_F(DiskState, ALogThatGoesOnAtItsStartIsReplayedAsQemuDoes) {
  ASSERT_TRUE(shell("qemu-img convert -O vhdx raw.dd log.vhdx"));
  const std::size_t target = scratch_.read("log.vhdx").find(scratch_.read("raw.dd").substr(1 << 20, 4096));
  ASSERT_NE(target, std::string::npos);
  ASSERT_TRUE(test::run("python3 " + std::string(TOUCHSTONE_SOURCE_DIR) +
                        "/tests/unit/evidence/vhdx_log.py " + scratch_.path("log.vhdx") + " " +
                        std::to_string(target) + " 165"));
  const std::string ours = bytes_of("log.vhdx");
  EXPECT_THAT(problems_, HasSubstr("its log was replayed in memory (1 sectors"));
  ASSERT_TRUE(
      shell("cp log.vhdx by_qemu.vhdx && qemu-img check -q -r all by_qemu.vhdx; "
            "qemu-img convert -f vhdx -O raw by_qemu.vhdx by_qemu.dd"));
  const std::string theirs = scratch_.read("by_qemu.dd");
  EXPECT_TRUE(theirs != scratch_.read("raw.dd"));  // the entry counts for qemu, too
  EXPECT_TRUE(theirs.substr(1 << 20, 4096) == std::string(4096, '\xa5'));
  EXPECT_TRUE(ours == theirs);
}

TEST_F(DiskState, AVdiOnAnotherDiskNamesItsIdentifier) {
  ASSERT_TRUE(shell("qemu-img convert -O vdi raw.dd child.vdi"));
  // VirtualBox writes identifiers as Windows does: Python's bytes_le.
  ASSERT_TRUE(shell(
      "python3 -c \"import uuid\nf = open('child.vdi', 'r+b')\nf.seek(0x4c)\nf.write(bytes([4, 0, 0, 0]))\n"
      "f.seek(0x1b8)\nf.write(uuid.UUID('9d3f6a01-5c2e-4b7d-8e1f-0a1b2c3d4e5f').bytes_le)\""));
  const auto image = open_exhibit(scratch_.path("child.vdi"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::not_found);
  EXPECT_THAT(image.error().message, HasSubstr("9d3f6a01-5c2e-4b7d-8e1f-0a1b2c3d4e5f"));
  EXPECT_THAT(image.error().message, HasSubstr("VBoxManage clonemedium"));
}

}  // namespace
}  // namespace touchstone

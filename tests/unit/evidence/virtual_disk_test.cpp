// Virtual disks made by qemu-img from known bytes; what qemu-img itself converts them back to is the raw
// image.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

std::string read_all(ByteSource& source) {
  std::string text(source.size(), '?');
  for (std::size_t at = 0; at < text.size(); at += 100'001) {  // across every border
    const auto piece =
        std::as_writable_bytes(std::span(text).subspan(at, std::min<std::size_t>(100'001, text.size() - at)));
    const auto got = source.read_at(at, piece);
    if (!got || *got != piece.size()) return "";
  }
  return text;
}

class VirtualDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("qemu-img")) GTEST_SKIP() << "qemu-img (Debian package qemu-utils) is not installed";
    raw_ = test::noise(1 << 20) + std::string(2 << 20, '\0') + test::noise(700 * 512, 7);
    for (int i = 0; raw_.size() < (6 << 20); ++i) raw_ += "line " + std::to_string(i) + " of a text\n";
    raw_.resize(6 << 20);
    scratch_.write("raw.dd", raw_);
  }
  bool shell(const std::string& command) { return test::run("cd '" + scratch_.path("") + "' && " + command); }
  void make(const std::string& name, const std::string& options) {
    ASSERT_TRUE(shell("qemu-img convert -O " + options + " raw.dd " + name)) << options;
  }
  void expect_raw(const std::string& name, const std::string& format) {
    auto image = open_exhibit(scratch_.path(name));
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ((*image)->info().format, format);
    EXPECT_TRUE(read_all(**image) == raw_) << name;
    EXPECT_TRUE((*image)->gaps().empty()) << name;
    EXPECT_TRUE((*image)->info().problems.empty()) << name;
  }
  std::string error_of(const std::string& name) {
    auto image = open_exhibit(scratch_.path(name));
    return image ? "" : image.error().message;
  }
  Scratch scratch_;
  std::string raw_;
};

TEST_F(VirtualDisk, QcowOfAllVersionsAndClusters) {
  for (const char* options :
       {"qcow", "qcow2 -o compat=0.10", "qcow2 -c -o compat=0.10", "qcow2", "qcow2 -c",
        "qcow2 -o cluster_size=512", "qcow2 -o cluster_size=2M", "qcow2 -c -o cluster_size=4k",
        "qcow2 -o extended_l2=on,cluster_size=128k", "qcow2 -o data_file=d.bin,data_file_raw=off",
        "qcow2 -c -o compression_type=zstd"}) {
    std::filesystem::remove(scratch_.path("d.bin"));
    make("a.qcow2", options);
    expect_raw("a.qcow2", "qcow");
  }
}

// qemu-img 7.2 says that it failed, though all of the image is there.
TEST_F(VirtualDisk, QcowOfVersion1WithCompressedClusters) {
  ASSERT_TRUE(shell("qemu-img convert -c -O qcow raw.dd a.qcow; test -s a.qcow"));
  expect_raw("a.qcow", "qcow");
}

TEST_F(VirtualDisk, VdiVhdVhdxAndParallels) {
  make("a.vdi", "vdi");
  expect_raw("a.vdi", "vdi");
  make("a.vdi", "vdi -o static=on");
  expect_raw("a.vdi", "vdi");
  for (const char* options : {"vpc -o force_size=on", "vpc -o subformat=fixed,force_size=on"}) {
    make("a.vhd", options);
    expect_raw("a.vhd", "vhd");
  }
  for (const char* options : {"vhdx", "vhdx -o block_size=1M", "vhdx -o subformat=fixed"}) {
    make("a.vhdx", options);
    expect_raw("a.vhdx", "vhdx");
  }
  make("a.hds", "parallels");
  expect_raw("a.hds", "parallels");
}

TEST_F(VirtualDisk, VmdkOfAllKinds) {
  for (const char* kind : {"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
                           "streamOptimized", "monolithicSparse,zeroed_grain=on"}) {
    make("a.vmdk", std::string("vmdk -o subformat=") + kind);
    expect_raw("a.vmdk", "vmdk");
  }
}

TEST_F(VirtualDisk, OverlaysAreReadWithWhatTheyBuildOn) {
  make("base.qcow2", "qcow2");
  ASSERT_TRUE(
      shell("qemu-img create -f qcow2 -b base.qcow2 -F qcow2 over.qcow2 8M && "
            "qemu-io -c 'write -P 7 1M 64k' -c 'write -z 2M 64k' -c 'write -P 9 7M 4k' over.qcow2"));
  std::string expected = raw_ + std::string(2 << 20, '\0');
  expected.replace(1 << 20, 65536, std::string(65536, '\7'));
  expected.replace(2 << 20, 65536, std::string(65536, '\0'));
  expected.replace(7 << 20, 4096, std::string(4096, '\11'));
  auto image = open_exhibit(scratch_.path("over.qcow2"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(read_all(**image) == expected);
  EXPECT_EQ((*image)->info().files,
            (std::vector<std::string>{scratch_.path("over.qcow2"), scratch_.path("base.qcow2")}));
  EXPECT_EQ(*list_exhibit_files(scratch_.path("over.qcow2")), (*image)->info().files);
  // What is open stays readable when a sandbox closes the file system.
  std::filesystem::remove(scratch_.path("base.qcow2"));
  EXPECT_TRUE(read_all(**image) == expected);
  EXPECT_THAT(error_of("over.qcow2"),
              HasSubstr("builds on base.qcow2, but no file base.qcow2 lies beside it"));
}

TEST_F(VirtualDisk, AChainOfParentsThatLoopsEnds) {
  ASSERT_TRUE(
      shell("qemu-img create -f qcow2 -u -b b.qcow2 -F qcow2 a.qcow2 1M && "
            "qemu-img create -f qcow2 -u -b a.qcow2 -F qcow2 b.qcow2 1M"));
  EXPECT_THAT(error_of("a.qcow2"), HasSubstr("has no end"));
}

TEST_F(VirtualDisk, VmdkSnapshotNamesItsParentAndSaysIfItIsAnother) {
  make("base.vmdk", "vmdk");
  ASSERT_TRUE(shell(
      "qemu-img create -f vmdk -b base.vmdk -F vmdk snap.vmdk && qemu-io -c 'write -P 8 1M 64k' snap.vmdk"));
  std::string expected = raw_;
  expected.replace(1 << 20, 65536, std::string(65536, '\10'));
  auto image = open_exhibit(scratch_.path("snap.vmdk"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(read_all(**image) == expected);
  EXPECT_TRUE((*image)->info().problems.empty());
  std::string base = scratch_.read("base.vmdk");
  const std::size_t cid = base.find("\nCID=") + 5;
  base.replace(cid, 8, "0badf00d");
  scratch_.write("base.vmdk", base);
  image = open_exhibit(scratch_.path("snap.vmdk"));
  ASSERT_TRUE(image);
  ASSERT_EQ((*image)->info().problems.size(), 1U);
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("content identifier is 0badf00d"));
  std::filesystem::remove(scratch_.path("base.vmdk"));
  EXPECT_THAT(error_of("snap.vmdk"), HasSubstr("base.vmdk"));
}

TEST_F(VirtualDisk, MissingExtentIsAGapThatNamesIt) {
  make("a.vmdk", "vmdk -o subformat=monolithicFlat");
  std::string text = scratch_.read("a.vmdk");
  const std::size_t extent = text.find("RW 12288 FLAT \"a-flat.vmdk\" 0");
  ASSERT_NE(extent, std::string::npos);
  text.replace(extent, 29, "RW 4096 FLAT \"a-flat.vmdk\" 0\nRW 2048 ZERO\nRW 6144 FLAT \"b.vmdk\" 0");
  scratch_.write("a.vmdk", text);
  auto image = open_exhibit(scratch_.path("a.vmdk"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->size(), raw_.size());
  EXPECT_TRUE(read_all(**image) == raw_.substr(0, 2 << 20) + std::string(4 << 20, '\0'));
  ASSERT_EQ((*image)->gaps().size(), 1U);
  EXPECT_EQ((*image)->gaps()[0].offset, 3U << 20);
  EXPECT_THAT((*image)->gaps()[0].reason, HasSubstr("b.vmdk is missing"));
  std::filesystem::remove(scratch_.path("a-flat.vmdk"));
  EXPECT_THAT(error_of("a.vmdk"), HasSubstr("a-flat.vmdk is missing"));
}

TEST_F(VirtualDisk, CutImagesAreReadAsFarAsTheyGo) {
  make("a.vdi", "vdi");
  std::filesystem::resize_file(scratch_.path("a.vdi"), 2'000'000);
  auto image = open_exhibit(scratch_.path("a.vdi"));
  ASSERT_TRUE(image);
  EXPECT_EQ(read_all(**image).substr(0, 900'000), raw_.substr(0, 900'000));
  EXPECT_FALSE((*image)->gaps().empty());
}

TEST_F(VirtualDisk, EncryptedQcowIsSaidToBe) {
  // By the format's specification the big-endian word at byte 32 is the method: 1 AES, 2 LUKS. (qemu-img
  // measures the processor before it makes one, and now and then gives up.)
  ASSERT_TRUE(shell("qemu-img create -q -f qcow2 e.qcow2 1M"));
  const std::string plain = scratch_.read("e.qcow2");
  for (const auto& [method, name] : {std::pair<char, const char*>{1, "AES"}, {2, "LUKS"}}) {
    std::string bytes = plain;
    bytes[35] = method;
    const auto image = open_exhibit(scratch_.write("e.qcow2", bytes));
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().code, ErrorCode::encrypted);
    EXPECT_THAT(image.error().message, HasSubstr(name));
  }
}

TEST_F(VirtualDisk, AnImageInsideAnotherIsReadThroughItsSiblings) {
  make("base.qcow2", "qcow2");
  ASSERT_TRUE(shell("qemu-img create -f qcow2 -b /elsewhere/../base.qcow2 -F qcow2 -u over.qcow2 6M"));
  std::vector<std::string> asked;
  const auto sibling = [&](const std::string& name) -> std::unique_ptr<ByteSource> {
    asked.push_back(name);
    return name == "base.qcow2" ? make_memory_source(test::to_bytes(scratch_.read(name))) : nullptr;
  };
  auto image =
      open_image(make_memory_source(test::to_bytes(scratch_.read("over.qcow2"))), "over.qcow2", sibling);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(read_all(**image) == raw_);
  EXPECT_EQ(asked, std::vector<std::string>{"base.qcow2"});
  EXPECT_EQ((*image)->info().files, (std::vector<std::string>{"over.qcow2", "base.qcow2"}));
}

// python3's zlib, bz2 and lzma pack the blocks; qemu-img reads those of its kinds to the same bytes.
TEST_F(VirtualDisk, DmgOfTheKindsThatAreRead) {
  if (!test::has_tool("python3")) GTEST_SKIP() << "python3 is not installed";
  const std::string script = std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/unit/evidence/make_dmg.py";
  for (const char* kinds : {"zlib,raw,zero", "bz2", "lzma,adc"}) {
    ASSERT_TRUE(shell("python3 '" + script + "' raw.dd a.dmg " + kinds));
    expect_raw("a.dmg", "dmg");
  }
  ASSERT_TRUE(shell("python3 '" + script +
                    "' raw.dd a.dmg zlib,raw,zero && qemu-img compare -f dmg -F raw a.dmg raw.dd"));
  ASSERT_TRUE(shell("python3 '" + script + "' raw.dd a.dmg zlib,lzfse"));
  auto image = open_exhibit(scratch_.path("a.dmg"));
  ASSERT_TRUE(image);
  EXPECT_THAT((*image)->info().problems.at(0).message, HasSubstr("LZFSE"));
  EXPECT_EQ(read_all(**image).substr(0, 65536), raw_.substr(0, 65536));
  EXPECT_THAT((*image)->gaps().at(0).reason, HasSubstr("LZFSE"));
}

}  // namespace
}  // namespace touchstone

// What the sources of the corpus state of their images, and what qemu-img says of the same files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using test::Scratch;
using ::testing::HasSubstr;

const std::string kHypervisor = "fox-it+dissect.hypervisor/tests/_data/disk/";
const std::string kDfvfs = "log2timeline+dfvfs/test_data/";
const std::string kSleuthkit = "sleuthkit+sleuthkit/test/data/";
const std::string kRonin = "SecurityRonin+ewf-forensic/";

class ImageFacts : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string(TOUCHSTONE_CORPUS_DIR).empty() || !fs::is_directory(TOUCHSTONE_CORPUS_DIR))
      GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
  }
  static std::string corpus(const std::string& name) {
    return std::string(TOUCHSTONE_CORPUS_DIR) + "/" + name;
  }
  /// The file itself, or, of a name that ends with .gz, what is in it, under `as`.
  std::string unpacked(const std::string& name, const std::string& as = "") {
    std::string to = scratch_.path(as.empty() ? fs::path(name).stem().string() : as);
    EXPECT_TRUE(test::run("gzip -dc '" + corpus(name) + "' > '" + to + "'")) << name;
    return to;
  }
  std::unique_ptr<ExhibitSource> open(const std::string& path, const std::string& format) {
    auto image = open_exhibit(path);
    EXPECT_TRUE(image) << (image ? "" : image.error().message);
    if (!image) return nullptr;
    EXPECT_EQ((*image)->info().format, format);
    return image.take();
  }
  static std::string at(ByteSource& source, std::uint64_t offset, std::size_t size) {
    std::string text(size, '?');
    const auto got = source.read_at(offset, std::as_writable_bytes(std::span(text)));
    text.resize(got ? *got : 0);
    return text;
  }
  static std::string md5(ExhibitSource& image) {
    const auto verified = verify_image(image, nullptr);
    EXPECT_TRUE(verified && verified->gaps.empty());
    return verified ? verified->computed.md5 : "";
  }
  static std::string error_of(const std::string& path, ErrorCode code) {
    const auto image = open_exhibit(path);
    EXPECT_FALSE(image) << path;
    if (image) return "";
    EXPECT_EQ(image.error().code, code) << image.error().message;
    return image.error().message;
  }
  /// The MD5 of what qemu-img makes of it; empty without qemu-img.
  std::string by_qemu(const std::string& path, const std::string& options = "") {
    if (!test::has_tool("qemu-img")) return "";
    const std::string raw = scratch_.path("qemu.raw");
    EXPECT_TRUE(test::run("qemu-img convert " + options + " -O raw '" + path + "' '" + raw + "'")) << path;
    auto image = open(raw, "raw");
    std::string sum = image ? md5(*image) : "";
    fs::remove(raw);
    return sum;
  }
  void expect_as_qemu(const std::string& path, const std::string& format, const std::string& options = "") {
    auto image = open(path, format);
    ASSERT_TRUE(image) << path;
    const std::string wanted = by_qemu(path, options);
    EXPECT_TRUE(wanted.empty() || md5(*image) == wanted) << path;
  }
  Scratch scratch_;
};

#define NEED(name) \
  if (!fs::exists(corpus(name))) GTEST_SKIP() << (name) << " is not in the corpus"

// --- EWF ---

TEST_F(ImageFacts, StoredHashesOfSoundE01) {
  for (const auto& [name, sum] :
       {std::pair(kRonin + "core/tests/data/ntfs_sample.E01", "e4e9578a9c8bf6c6b375a80c630196a4"),
        std::pair(kRonin + "forensic/tests/data/exfat1.E01", "0777ee90c27ed5ff5868af2015bed635"),
        std::pair(kRonin + "forensic/tests/data/gpt_130_partitions.E01", "5dbf6daf7b9aa7daabbc05024e562a88"),
        std::pair(kSleuthkit + "imageformat_mmls_1.E01", "8ec671e301095c258224aad701740503")}) {
    NEED(name);
    auto image = open(corpus(name), "ewf");
    ASSERT_TRUE(image);
    EXPECT_EQ(image->info().stored_md5, sum);
    const auto verified = verify_image(*image, nullptr);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->computed.md5, sum);
    EXPECT_EQ(verified->matches, true);
    EXPECT_TRUE(image->info().problems.empty());
  }
}

// tests/test_ewf.py: 0xdeadbeef 1024 times and a line end, one byte more than eight sectors.
TEST_F(ImageFacts, DissectE01EndsWithinASector) {
  const std::string name = "fox-it+dissect.evidence/tests/data/ewf.E01";
  NEED(name);
  auto image = open(corpus(name), "ewf");
  ASSERT_TRUE(image);
  std::string expected;
  for (int i = 0; i < 1024; ++i) expected += "\xde\xad\xbe\xef";
  EXPECT_EQ(image->size(), 4097U);
  EXPECT_EQ(at(*image, 0, 5000), expected + "\n");
  EXPECT_EQ(verify_image(*image, nullptr)->matches, true);
}

// libewf drops the 458 bytes behind the last whole sector, and so computes another hash than the stored one.
TEST_F(ImageFacts, BulkExtractorE01FitsItsHashWithTheBytesBehindItsLastSector) {
  const std::string name = "simsong+bulk_extractor/src/tests/email_test.E01";
  NEED(name);
  auto image = open(corpus(name), "ewf");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->info().files.size(), 4U);
  EXPECT_EQ(image->size(), 3'538'432U + 458U);
  EXPECT_EQ(image->info().stored_md5, "b817ed2590eeeb39f42445088d369f6c");
  const auto verified = verify_image(*image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->computed.md5, "b817ed2590eeeb39f42445088d369f6c");
  ASSERT_EQ(image->info().problems.size(), 1U);
  EXPECT_THAT(image->info().problems[0].message, HasSubstr("458 bytes more"));
  EXPECT_THAT(at(*image, 0, 64), HasSubstr("user0@company.com"));
}

TEST_F(ImageFacts, EmptyAndForeignEwf) {
  NEED(kSleuthkit + "bogus.E01");
  EXPECT_THAT(error_of(corpus(kSleuthkit + "bogus.E01"), ErrorCode::io), HasSubstr("is empty"));
  EXPECT_THAT(error_of(corpus(kRonin + "forensic/tests/data/bogus.E01"), ErrorCode::io),
              HasSubstr("is empty"));
}

// README of the source: 128 sectors of zeros and their MD5.
TEST_F(ImageFacts, Ex01OfZeros) {
  const std::string name = kRonin + "forensic/tests/data/zeros_128s_compressed.Ex01";
  NEED(name);
  auto image = open(corpus(name), "ewf2");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->size(), 65'536U);
  EXPECT_EQ(image->info().stored_md5, "fcd6bcb56c1689fcef28b57c22475bad");
  EXPECT_EQ(verify_image(*image, nullptr)->matches, true);
  EXPECT_TRUE(image->info().problems.empty());
}

// A fuzzed copy of imageformat_mmls_1.E01: libewf opens it as 0 bytes. What is sound in it is the original's.
TEST_F(ImageFacts, FuzzedE01IsReadAsFarAsItIsSound) {
  const std::string name = kRonin + "forensic/tests/data/fuzz-crash-recover-alloc-too-big.E01";
  NEED(name);
  auto damaged = open(corpus(name), "ewf");
  auto original = open(corpus(kSleuthkit + "imageformat_mmls_1.E01"), "ewf");
  ASSERT_TRUE(damaged && original);
  EXPECT_FALSE(damaged->info().problems.empty());
  ASSERT_EQ(damaged->size(), original->size());
  const auto verified = verify_image(*damaged, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_FALSE(verified->matches.has_value());
  ASSERT_FALSE(verified->gaps.empty());
  std::string expected = at(*original, 0, original->size());
  for (const Gap& gap : verified->gaps) expected.replace(gap.offset, gap.length, gap.length, '\0');
  std::string read = at(*damaged, 0, damaged->size());
  for (const Gap& gap : verified->gaps) read.replace(gap.offset, gap.length, gap.length, '\0');
  EXPECT_TRUE(read == expected);
}

// --- one volume in several formats ---

TEST_F(ImageFacts, DfvfsExt2IsTheSameInEveryFormat) {
  NEED(kDfvfs + "ext2.E01");
  const std::string sum = "196066add11fb71c4c49cf1bb50d6d24";  // stored in the E01
  for (const auto& [name, format] : {std::pair("ext2.E01", "ewf"), std::pair("ext2.split.E01", "ewf"),
                                     std::pair("ext2.splitraw.000", "raw"), std::pair("ext2.qcow2", "qcow"),
                                     std::pair("ext2.vmdk", "vmdk")}) {
    auto image = open(corpus(kDfvfs + name), format);
    ASSERT_TRUE(image) << name;
    EXPECT_EQ(image->size(), 4'194'304U) << name;
    EXPECT_EQ(md5(*image), sum) << name;
  }
  // A VHD's size is rounded to whole cylinders: zeros follow.
  auto vhd = open(corpus(kDfvfs + "ext2.vhd"), "vhd");
  auto raw = open(corpus(kDfvfs + "ext2.splitraw.000"), "raw");
  ASSERT_TRUE(vhd && raw);
  EXPECT_EQ(at(*vhd, 0, 4'194'304), at(*raw, 0, 4'194'304));
  EXPECT_THAT(error_of(corpus(kDfvfs + "ext2.splitraw.001"), ErrorCode::invalid),
              HasSubstr("ext2.splitraw.000"));
}

TEST_F(ImageFacts, SleuthkitContainers) {
  NEED(kSleuthkit + "image.qcow");
  for (const auto& [name, format] :
       {std::pair("image.qcow", "qcow"), std::pair("image.vhd", "vhd"), std::pair("image.vmdk", "vmdk")})
    expect_as_qemu(corpus(kSleuthkit + name), format);
  auto e01 = open(corpus(kSleuthkit + "image.E01"), "ewf");
  auto dd = open(corpus(kSleuthkit + "image.dd"), "raw");
  ASSERT_TRUE(e01 && dd);
  EXPECT_EQ(md5(*e01), md5(*dd));
  auto iso = open(corpus(kSleuthkit + "image.iso"), "raw");
  ASSERT_TRUE(iso);
  EXPECT_EQ(at(*iso, 32769, 5), "CD001");
}

TEST_F(ImageFacts, WhatNothingRecognisesIsRaw) {
  NEED(kDfvfs + "bogus.001");
  auto image = open(corpus(kDfvfs + "bogus.001"), "raw");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->size(), 51'200U);
}

// --- dissect.hypervisor: tests/disk ---

TEST_F(ImageFacts, QcowOfPatterns) {
  NEED(kHypervisor + "qcow2/basic.qcow2.gz");
  for (const char* name : {"basic.qcow2", "basic-zstd.qcow2"}) {
    auto image = open(unpacked(kHypervisor + "qcow2/" + name + ".gz"), "qcow");
    ASSERT_TRUE(image);
    ASSERT_EQ(image->size(), 512U << 20);
    for (std::uint64_t i = 0; i < 255; ++i)
      ASSERT_EQ(at(*image, i << 20, 1 << 20), std::string(1 << 20, static_cast<char>(i))) << name << " " << i;
  }
}

TEST_F(ImageFacts, QcowBackingChain) {
  NEED(kHypervisor + "qcow2/backing-chain-1.qcow2.gz");
  std::string top;
  for (const char* name : {"backing-chain-3.qcow2", "backing-chain-2.qcow2", "backing-chain-1.qcow2"})
    top = unpacked(kHypervisor + "qcow2/" + name + ".gz");
  auto image = open(top, "qcow");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->info().files.size(), 3U);
  expect_as_qemu(top, "qcow");
  auto base = open(scratch_.path("backing-chain-3.qcow2"), "qcow");
  ASSERT_TRUE(base);
  EXPECT_EQ(at(*base, 0, 14), "Something here");
  fs::remove(scratch_.path("backing-chain-3.qcow2"));
  EXPECT_THAT(error_of(top, ErrorCode::not_found), HasSubstr("backing-chain-3.qcow2"));
}

TEST_F(ImageFacts, VdiVhdAndVhdx) {
  NEED(kHypervisor + "vdi/basic.vdi.gz");
  expect_as_qemu(unpacked(kHypervisor + "vdi/basic.vdi.gz"), "vdi");
  expect_as_qemu(unpacked(kHypervisor + "vhd/dynamic.vhd.gz"), "vhd");
  expect_as_qemu(unpacked(kHypervisor + "vhd/fixed.vhd.gz"), "vhd", "-f vpc");
  expect_as_qemu(unpacked(kHypervisor + "vhdx/fixed.vhdx.gz"), "vhdx");
  expect_as_qemu(unpacked(kHypervisor + "vhdx/dynamic.vhdx.gz"), "vhdx");
}

// Neither qemu-img nor libvhdi of Debian reads it; alone it cannot be read.
TEST_F(ImageFacts, DifferencingVhdxNeedsItsParent) {
  NEED(kHypervisor + "vhdx/differencing.avhdx.gz");
  const std::string path = unpacked(kHypervisor + "vhdx/differencing.avhdx.gz");
  const std::string wanted = "Generation 1_49C4BAF3-4B25-4406-8C4B-D39E65C32385.avhdx";
  EXPECT_THAT(error_of(path, ErrorCode::not_found), HasSubstr(wanted));
  const std::string parent = unpacked(kHypervisor + "vhdx/dynamic.vhdx.gz", wanted);
  auto image = open(path, "vhdx");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->info().files, (std::vector<std::string>{path, parent}));
  EXPECT_EQ(at(*image, 510, 2), "\x55\xaa");
}

TEST_F(ImageFacts, DifferencingVhdWithoutItsParentNamesIt) {
  NEED(kDfvfs + "fat-differential.vhd");
  EXPECT_THAT(error_of(corpus(kDfvfs + "fat-differential.vhd"), ErrorCode::not_found),
              HasSubstr("fat-parent.vhd"));
}

TEST_F(ImageFacts, SeSparseVmdk) {
  NEED(kHypervisor + "vmdk/sesparse.vmdk.gz");
  unpacked(kHypervisor + "vmdk/sesparse.vmdk.gz");
  // The text that names it is not in the corpus.
  const std::string described =
      scratch_.write("disk.vmdk",
                     "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
                     "createType=\"seSparse\"\nRW 1048576 SESPARSE \"sesparse.vmdk\"\n");
  expect_as_qemu(described, "vmdk");
}

TEST_F(ImageFacts, ParallelsFolders) {
  NEED(kHypervisor + "hdd/plain.hdd/DiskDescriptor.xml");
  const std::string id = ".{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds";
  std::vector<std::string> sums;
  for (const std::string kind : {"plain", "expanding"}) {
    std::string folder = kHypervisor;
    folder.append("hdd/").append(kind).append(".hdd/");
    fs::copy_file(corpus(folder + "DiskDescriptor.xml"), scratch_.path(kind + ".xml"));
    unpacked(folder.append(kind).append(".hdd.0").append(id).append(".gz"));
    auto image = open(scratch_.path(kind + ".xml"), "parallels");
    ASSERT_TRUE(image);
    EXPECT_EQ(image->size(), 100U << 20);
    sums.push_back(md5(*image));
  }
  EXPECT_EQ(sums[0], sums[1]);
  const std::string folder = kHypervisor + "hdd/split.hdd/";
  fs::copy_file(corpus(folder + "DiskDescriptor.xml"), scratch_.path("split.xml"));
  for (const char* number : {"0", "1", "2", "3", "4", "5"})
    unpacked(std::string(folder).append("split.hdd.").append(number).append(id).append(".gz"));
  auto split = open(scratch_.path("split.xml"), "parallels");
  ASSERT_TRUE(split);
  EXPECT_EQ(split->size(), std::uint64_t{10} << 30);
  EXPECT_EQ(split->info().files.size(), 7U);
  fs::remove(scratch_.path("split.hdd.3" + id));
  auto partly = open(scratch_.path("split.xml"), "parallels");
  ASSERT_TRUE(partly);
  EXPECT_THAT(partly->info().problems.at(0).message, HasSubstr("split.hdd.3"));
}

TEST_F(ImageFacts, Ad1IsNamedWithWhatToDo) {
  for (const char* name : {"ad1_long.ad1", "ad1_test.ad1", "ad1_test_compressed.ad1"}) {
    NEED(std::string("fox-it+dissect.evidence/tests/data/") + name);
    const std::string said =
        error_of(corpus(std::string("fox-it+dissect.evidence/tests/data/") + name), ErrorCode::unsupported);
    EXPECT_THAT(said, HasSubstr("AD1"));
    EXPECT_THAT(said, HasSubstr("export"));
  }
}

}  // namespace
}  // namespace touchstone

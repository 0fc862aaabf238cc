// Images of public repositories whose sources state what is in them.
#include <gmock/gmock.h>

#include <map>

#include "corpus/filesystem/corpus_image.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

class StatedFacts : public ::testing::Test {
 protected:
  /// Path of a corpus file, unpacked; skips the test if it is not there.
  std::string file(const std::string& name) {
    return kCorpus.empty() ? std::string() : unpacked(scratch_, kCorpus + "/" + name);
  }
  Scratch scratch_;
};

#define NEED(path) \
  if ((path).empty()) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) or this file of it is not there"

// dfvfs tests/vfs: sizes and times of the ext2 test volume.
TEST_F(StatedFacts, DfvfsExt2InRawE01AndSplitE01) {
  for (const char* name : {"ext2.E01", "ext2.split.E01"}) {
    const std::string path = file(std::string("log2timeline+dfvfs/test_data/") + name);
    NEED(path);
    OpenImage image = open_image(path);
    ASSERT_EQ(image.opened.size(), 1U);
    EXPECT_EQ(image.exhibit->size(), 4'194'304U);
    EXPECT_EQ(image.opened[0].volume.label, "ext2_test");
    const Walked& walked = image.opened[0].walked;
    ASSERT_NE(walked.find("/a_directory/a_file"), nullptr);
    EXPECT_EQ(walked.find("/a_directory/a_file")->size, 53U);
    EXPECT_EQ(walked.find("/a_directory/another_file")->size, 22U);
    EXPECT_EQ(walked.find("/passwords.txt")->size, 116U);
    EXPECT_EQ(walked.find("/a_link")->kind, ItemKind::link);
    // 2021-07-22 14:07:30 to 14:07:39 UTC.
    const TimeUs modified = walked.find("/passwords.txt")->times.modified.value_or(0) / 1'000'000;
    EXPECT_GE(modified, 1'626'962'850);
    EXPECT_LE(modified, 1'626'962'859);
  }
}

TEST_F(StatedFacts, DfvfsHfsPlusAndIso) {
  const std::string hfs = file("log2timeline+dfvfs/test_data/hfsplus.raw");
  const std::string iso = file("log2timeline+dfvfs/test_data/iso9660.raw");
  NEED(hfs);
  NEED(iso);
  OpenImage image = open_image(hfs);
  ASSERT_EQ(image.opened.size(), 1U);
  EXPECT_NE(image.opened[0].walked.find("/a_directory/a_resourcefork"), nullptr);
  const auto& entries = image.opened[0].walked.entries;
  // What the script that made the image wrote (dfVFS, its tests read the same).
  std::map<std::string, std::string> streams;
  for (const Entry& entry : entries) {
    if (entry.kind == ItemKind::stream) streams[entry.path] = content_of(*image.opened[0].fs, entry.address);
  }
  EXPECT_EQ(streams["/a_directory/a_resourcefork:RSRC"], "My resource fork\n");
  EXPECT_EQ(streams["/a_directory/a_file:myxattr"], "My extended attribute");
  OpenImage cd = open_image(iso);
  ASSERT_EQ(cd.opened.size(), 1U);
  EXPECT_NE(cd.opened[0].walked.find("/A_DIRECTORY/A_FILE"), nullptr);
  EXPECT_NE(cd.opened[0].walked.find("/PASSWORDS.TXT"), nullptr);
}

TEST_F(StatedFacts, DissectNtfsAndUfs) {
  const std::string ntfs = file("fox-it+dissect.ntfs/tests/data/ntfs.bin.gz");
  const std::string ufs = file("fox-it+dissect.ffs/tests/data/ffs.bin.gz");
  NEED(ntfs);
  NEED(ufs);
  OpenImage image = open_image(ntfs);
  ASSERT_EQ(image.opened.size(), 1U);
  OpenVolume& volume = image.opened[0];
  EXPECT_EQ(volume.volume.label, "New Volume");
  const Entry* file = volume.walked.find("/File.txt");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(content_of(*volume.fs, file->address), "Contents here");
  EXPECT_THAT(file->address, ::testing::MatchesRegex("[0-9]+-128-[0-9]+"));
  ASSERT_NE(volume.walked.find("/Large.txt"), nullptr);
  EXPECT_EQ(content_of(*volume.fs, volume.walked.find("/Large.txt")->address),
            std::string(2 * 1024 * 1024, 'A'));
  OpenImage bsd = open_image(ufs);
  ASSERT_EQ(bsd.opened.size(), 1U);
  ASSERT_NE(bsd.opened[0].walked.find("/test_file"), nullptr);
  EXPECT_EQ(content_of(*bsd.opened[0].fs, bsd.opened[0].walked.find("/test_file")->address),
            "test contents\n");
}

// bulk_extractor: four segments. Its stored MD5 covers 458 bytes behind the last whole sector, which libewf
// leaves out, and is right with them.
TEST_F(StatedFacts, BytesBehindTheLastSectorBelongToTheHash) {
  const std::string path = file("simsong+bulk_extractor/src/tests/email_test.E01");
  NEED(path);
  auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ((*image)->info().files.size(), 4U);
  EXPECT_EQ((*image)->size(), 3'538'890U);
  EXPECT_EQ((*image)->info().metadata.at("examiner_name"), "EXAMINER1");
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_TRUE(verified->gaps.empty());
  ASSERT_EQ((*image)->info().problems.size(), 1U);
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("458 bytes more"));
  std::string head(64, '?');
  ASSERT_TRUE((*image)->read_at(0, std::as_writable_bytes(std::span(head))));
  EXPECT_THAT(head, HasSubstr("user0@company.com"));
}

TEST_F(StatedFacts, DamagedAndForeignImagesAreNamed) {
  const std::string empty = file("sleuthkit+sleuthkit/test/data/bogus.E01");
  const std::string forged =
      file("SecurityRonin+ewf-forensic/forensic/tests/data/fuzz-crash-recover-alloc-too-big.E01");
  const std::string ex01 = file("SecurityRonin+ewf-forensic/forensic/tests/data/zeros_128s_compressed.Ex01");
  NEED(empty);
  NEED(forged);
  NEED(ex01);
  EXPECT_THAT(open_exhibit(empty).error().message, HasSubstr("is empty"));
  const auto damaged = open_exhibit(forged);
  ASSERT_TRUE(damaged);
  ASSERT_FALSE((*damaged)->info().problems.empty());
  EXPECT_THAT((*damaged)->info().problems[0].message, HasSubstr("damaged section descriptor"));
  // "128 sectors of zeros, compressed": the sum is that of 64 KiB of zeros.
  const auto zeros = open_exhibit(ex01);
  ASSERT_TRUE(zeros);
  EXPECT_EQ((*zeros)->size(), 128U * 512);
  const auto verified = verify_image(**zeros, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->computed.md5, "fcd6bcb56c1689fcef28b57c22475bad");
}

TEST_F(StatedFacts, SleuthkitE01WithTwoNtfsPartitions) {
  const std::string path = file("sleuthkit+sleuthkit/test/data/imageformat_mmls_1.E01");
  NEED(path);
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 2U);
  EXPECT_EQ(image.opened[0].volume.offset, 128U * 512);
  EXPECT_EQ(image.opened[1].volume.offset, 55424U * 512);
  EXPECT_EQ(image.opened[1].fs->type(), "ntfs");
  const auto verified = verify_image(*image.exhibit, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_EQ(verified->computed.md5, "8ec671e301095c258224aad701740503");
}

TEST_F(StatedFacts, A130thGptPartitionHasItsNumber) {
  const std::string path = file("SecurityRonin+ewf-forensic/forensic/tests/data/gpt_130_partitions.E01");
  NEED(path);
  const OpenImage image = open_image(path);
  ASSERT_NE(image.find("p130"), nullptr);
  const Volume* before = nullptr;
  for (int i = 1; i <= 130; ++i) {
    std::string slot = "p";
    slot += std::to_string(i);
    const Volume* volume = image.find(slot);
    ASSERT_NE(volume, nullptr) << i;
    if (before != nullptr) {
      EXPECT_GT(volume->offset, before->offset) << i;
    }
    before = volume;
  }
}

TEST_F(StatedFacts, ADirectoryLoopEnds) {
  const std::string path = file("msuhanov+dfir_ntfs/test_data/fat32_loop.raw.gz");
  NEED(path);
  const OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  EXPECT_LT(image.opened[0].walked.entries.size(), 200U);
  const auto& problems = image.opened[0].walked.problems;
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems[0].message, HasSubstr("not followed"));
}

TEST_F(StatedFacts, NamesThatAreNotAscii) {
  const std::string path = file("msuhanov+dfir_ntfs/test_data/win_exfat_7.raw.gz");
  NEED(path);
  const OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  for (const char* name : {"/Новый текстовый документ.txt", "/1", "/1/2", "/1/3", "/тест.txt"}) {
    EXPECT_NE(image.opened[0].walked.find(name), nullptr) << name;
  }
}

TEST_F(StatedFacts, EncryptedVolumesAreNamed) {
  const std::string bitlocker = file("fox-it+dissect.fve/tests/_data/bde/aes_256.bin.gz");
  const std::string luks = file("fox-it+dissect.fve/tests/_data/luks1/aes-ecb.bin.gz");
  NEED(bitlocker);
  NEED(luks);
  for (const auto& [path, type] : {std::pair(bitlocker, "bitlocker"), std::pair(luks, "luks")}) {
    const OpenImage image = open_image(path);
    ASSERT_EQ(image.volumes.size(), 1U);
    EXPECT_EQ(image.volumes[0].slot, "p0");
    EXPECT_EQ(image.volumes[0].filesystem, type);
    EXPECT_EQ(image.volumes[0].state, VolumeState::encrypted);
  }
}

// util-linux tests/expected/blkid: TYPE and LABEL by libblkid, which shares no code with this.
TEST_F(StatedFacts, NamesFileSystemsAsLibblkidDoes) {
  const struct {
    const char* image;
    const char* type;
    const char* label;
  } cases[] = {{"btrfs", "btrfs", ""},
               {"jfs", "jfs", "test-jfs"},
               {"nilfs2", "nilfs2", "test-nilfs2"},
               {"reiser3", "reiserfs", "TESTREISER"},
               {"squashfs4", "squashfs", ""},
               {"swap1", "swap", "SWAP-TEST"},
               {"zfs", "zfs", "tank"},
               {"luks1", "luks", ""},
               {"udf-hdd-win7", "udf", "My volume label"},
               {"bcachefs-3", "bcachefs", "FS Label"},
               {"ocfs2", "ocfs2", "test-ocfs2"},
               {"exfat", "exfat", "Новый том"},
               {"ntfs", "ntfs", "Новый том"},
               {"ext4", "ext4", "test-ext4"},
               {"fat32_label_64MB", "fat32", "BINGO"},
               {"fat32_mkdosfs_none_xp_label1", "fat32", "LABEL1"},
               {"fat32_mkdosfs_label1_mlabel_erase", "fat32", ""}};
  for (const auto& one : cases) {
    const std::string path =
        file(std::string("util-linux+util-linux/tests/ts/blkid/images-fs/") + one.image + ".img.xz");
    NEED(path);
    std::vector<Problem> problems;
    auto source = open_file_source(path);
    ASSERT_TRUE(source);
    const auto volumes = list_volumes(**source, 512, problems);
    ASSERT_EQ(volumes.size(), 1U) << one.image;
    EXPECT_EQ(volumes[0].filesystem, one.type) << one.image;
    EXPECT_EQ(volumes[0].label, one.label) << one.image;
  }
}

}  // namespace
}  // namespace touchstone::test

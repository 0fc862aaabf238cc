// What util-linux states of its own test images: partitions (tests/expected/partx) and names, labels and
// identifiers (tests/expected/blkid). It shares no code with this.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "corpus/filesystem/corpus_image.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

const std::string kUtil = kCorpus + "/util-linux+util-linux/tests/";

std::vector<Volume> volumes_of(const std::string& path) {
  std::vector<Problem> problems;
  auto source = open_file_source(path);
  return source ? list_volumes(**source, 512, problems) : std::vector<Volume>();
}

class PartitionImages : public ::testing::TestWithParam<const char*> {};

TEST_P(PartitionImages, HavePartitionsWherePartxSays) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kUtil + "ts/blkid/images-pt/" + GetParam() + ".img.xz");
  const std::string expected = kUtil + "expected/partx/partx-image-" + GetParam();
  if (path.empty() || !std::filesystem::exists(expected)) GTEST_SKIP() << "not in the corpus";
  const auto volumes = volumes_of(path);
  const std::uint64_t end = std::filesystem::file_size(path);
  std::istringstream lines(Scratch::slurp(expected));
  std::size_t checked = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::uint64_t number = 0, start = 0, last = 0, sectors = 0;
    if (!(fields >> number >> start >> last >> sectors)) continue;
    // SGI: the volume header and the whole volume are no partitions with files.
    if (std::string(GetParam()) == "sgi" && number > 8) continue;
    const bool found = std::any_of(volumes.begin(), volumes.end(), [&](const Volume& volume) {
      const std::uint64_t offset = std::min(start * 512, end);
      return volume.slot.starts_with("p") && volume.offset == offset &&
             volume.size == std::min(sectors * 512, end - offset);
    });
    EXPECT_TRUE(found) << line;
    ++checked;
  }
  EXPECT_GT(checked, 0U);
}

// bsd.img is a slice cut out of a disk whose label counts from the start of that disk: partx leaves that as
// it is.
INSTANTIATE_TEST_SUITE_P(UtilLinux, PartitionImages, ::testing::Values("dos+bsd", "gpt", "sgi", "sun"),
                         [](const auto& image) {
                           std::string name = image.param;
                           std::replace(name.begin(), name.end(), '+', '_');
                           return name;
                         });

TEST(PartitionImages, BsdSliceAloneCountsFromItsFrame) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kUtil + "ts/blkid/images-pt/bsd.img.xz");
  if (path.empty()) GTEST_SKIP() << "not in the corpus";
  const auto volumes = volumes_of(path);
  ASSERT_GE(volumes.size(), 2U);
  // partx: sectors 7936 and 12544 of a disk on which the slice begins at 7680.
  EXPECT_EQ(volumes[0].offset, (7936U - 7680) * 512);
  EXPECT_EQ(volumes[1].offset, (12544U - 7680) * 512);
}

std::string fact(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("ID_FS_" + key + "=")) return line.substr(key.size() + 7);
  }
  return "";
}

TEST(FileSystemImages, HaveLabelAndIdentifierOfBlkid) {
  std::size_t checked = 0;
  for (const char* name :
       {"bcachefs", "bcachefs-2", "bcachefs-3", "bfs",   "btrfs",       "isw-raid", "jfs",    "minix-BE",
        "minix-LE", "mpool",      "nilfs2",     "ocfs2", "reiser3",     "reiser4",  "romfs",  "squashfs4",
        "swap1",    "swap1-big",  "swap-luks",  "vdo",   "vmfs_volume", "vxfs-be",  "vxfs-le"}) {
    const Scratch scratch;
    const std::string path = unpacked(scratch, kUtil + "ts/blkid/images-fs/" + name + ".img.xz");
    const std::string expected = kUtil + "expected/blkid/low-probe-" + name;
    if (path.empty() || !std::filesystem::exists(expected)) continue;
    const std::string said = Scratch::slurp(expected);
    const auto volumes = volumes_of(path);
    ASSERT_EQ(volumes.size(), 1U) << name;
    EXPECT_EQ(volumes[0].state, VolumeState::unsupported) << name;
    EXPECT_FALSE(volumes[0].filesystem.empty()) << name;
    std::string label = volumes[0].label;
    std::replace(label.begin(), label.end(), ' ', '_');  // blkid prints it so
    EXPECT_EQ(label, fact(said, "LABEL")) << name;
    EXPECT_THAT(volumes[0].reason, HasSubstr(fact(said, "UUID"))) << name;
    ++checked;
  }
  if (checked == 0) GTEST_SKIP() << "the images of util-linux are not in the corpus";
}

// dfVFS states the tree of its APFS image; digests of the same files in its ext2 image are those here.
TEST(Apfs, VolumeOfAContainerIsReadThroughThePool) {
  const std::string path = kCorpus + "/log2timeline+dfvfs/test_data/apfs.raw";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  OpenImage image = open_image(path);
  ASSERT_NE(image.find("p0.1"), nullptr);
  EXPECT_EQ(image.find("p0.1")->label, "apfs_test");
  EXPECT_EQ(image.find("p0.1")->parent_slot, "p0");
  const auto opened = std::find_if(image.opened.begin(), image.opened.end(),
                                   [](const OpenVolume& volume) { return volume.volume.slot == "p0.1"; });
  ASSERT_NE(opened, image.opened.end());
  EXPECT_TRUE(opened->walked.problems.empty());
  for (const auto& [name, size] :
       {std::pair("/a_directory/a_file", 53U), std::pair("/a_directory/another_file", 22U),
        std::pair("/passwords.txt", 116U), std::pair("/a_directory/a_resourcefork", 0U)}) {
    const Entry* entry = opened->walked.find(name);
    ASSERT_NE(entry, nullptr) << name;
    EXPECT_EQ(entry->size, size) << name;
    EXPECT_EQ(content_of(*opened->fs, entry->address).size(), size) << name;
  }
  const Entry* link = opened->walked.find("/a_link");
  ASSERT_NE(link, nullptr);
  EXPECT_THAT(link->detail, HasSubstr(R"("link_target":"a_directory/another_file")"));
  const Entry* fork = opened->walked.find("/a_directory/a_resourcefork:com.apple.ResourceFork");
  ASSERT_NE(fork, nullptr);
  EXPECT_EQ(fork->size, 17U);
}

}  // namespace
}  // namespace touchstone::test

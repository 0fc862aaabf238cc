// Debian's forensics-samples: one image per file system, made by others, with the original files beside them.
// Folders whose names end in 2 were deleted after copying. Only PNG files differ from the originals: Debian's
// build of the package rewrites the dates inside them, so that they are compared by size.
#include <algorithm>
#include <fstream>

#include "corpus/filesystem/corpus_image.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

class SampleTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = unpacked(scratch_, kSamples + "fs." + GetParam() + ".xz");
    if (path_.empty() || !fs::exists(kSamples + "original-files")) {
      GTEST_SKIP() << "Debian packages forensics-samples-" << GetParam()
                   << " and -files (and xz) are not installed";
    }
  }
  Scratch scratch_;
  std::string path_;
};

/// Files that are not in a deleted folder, as "/pic1/debian.ppm" → path on this machine.
std::map<std::string, std::string> originals(bool deleted) {
  std::map<std::string, std::string> files;
  const std::string root = kSamples + "original-files";
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const bool in_deleted = entry.path().parent_path().string().ends_with("2");
    if (entry.is_regular_file() && in_deleted == deleted)
      files[entry.path().string().substr(root.size())] = entry.path().string();
  }
  return files;
}

TEST_P(SampleTest, GivesEveryAllocatedFileUnderItsNameWithItsBytes) {
  OpenImage image = open_image(path_);
  ASSERT_EQ(image.opened.size(), 1U);
  OpenVolume& volume = image.opened[0];
  EXPECT_EQ(volume.volume.slot, "p1");
  EXPECT_EQ(volume.volume.offset, 2048U * 512);
  EXPECT_TRUE(volume.walked.problems.empty());
  const auto expected = originals(false);
  ASSERT_EQ(expected.size(), 18U);
  for (const auto& [name, original] : expected) {
    const Entry* entry = volume.walked.find(name);
    ASSERT_NE(entry, nullptr) << name;
    EXPECT_TRUE(entry->allocated) << name;
    EXPECT_EQ(entry->size, fs::file_size(original)) << name;
    auto source = volume.fs->open(entry->address);
    ASSERT_TRUE(source) << name;
    if (!name.ends_with(".png")) {
      EXPECT_EQ(sha256_of(**source), sha256_of(original)) << name;
    }
  }
}

TEST_P(SampleTest, BringsDeletedFilesBackWhereTheirMetadataStillLeadsToThem) {
  OpenImage image = open_image(path_);
  ASSERT_EQ(image.opened.size(), 1U);
  const auto expected = originals(true);
  ASSERT_EQ(expected.size(), 18U);
  if (std::string(GetParam()).starts_with("ext")) {
    // ext clears the block list of a deleted file and the inodes of deleted directories: four names of
    // directories and one orphan for each of the files are all that is left.
    const Walked& walked = image.opened[0].walked;
    for (const char* name : {"/audio2", "/movie2", "/pic2", "/text2"}) {
      ASSERT_NE(walked.find(name), nullptr) << name;
      EXPECT_FALSE(walked.find(name)->allocated) << name;
    }
    const auto orphans = std::count_if(walked.entries.begin(), walked.entries.end(),
                                       [](const Entry& e) { return e.path.starts_with("/$OrphanFiles/"); });
    EXPECT_EQ(orphans, 18);
    return;
  }
  const std::set<std::string> found = digests_of(image.opened[0], true);
  std::size_t back = 0;
  for (const auto& [name, original] : expected) {
    if (name.ends_with(".png")) continue;
    EXPECT_TRUE(found.contains(sha256_of(original))) << name;
    ++back;
  }
  EXPECT_EQ(back, 17U);
}

TEST_P(SampleTest, HasWhatTskRecoverBringsBack) {
  if (!has_tool("tsk_recover")) GTEST_SKIP() << "tsk_recover (Debian package sleuthkit) is not installed";
  fs::create_directory(scratch_.path("recovered"));
  ASSERT_TRUE(run("tsk_recover -e -o 2048 '" + path_ + "' '" + scratch_.path("recovered") + "'"));
  OpenImage image = open_image(path_);
  ASSERT_EQ(image.opened.size(), 1U);
  std::set<std::string> found = digests_of(image.opened[0], true);
  found.merge(digests_of(image.opened[0], false));
  const auto recovered = digests_below(scratch_.path("recovered"));
  EXPECT_GE(recovered.size(), 15U);
  for (const auto& [digest, name] : recovered) EXPECT_TRUE(found.contains(digest)) << name;
}

TEST_P(SampleTest, ListsTheNamesThatFlsLists) {
  if (!has_tool("fls")) GTEST_SKIP() << "fls (Debian package sleuthkit) is not installed";
  OpenImage image = open_image(path_);
  ASSERT_EQ(image.opened.size(), 1U);
  const auto lines = [&](const char* option) {
    EXPECT_TRUE(run(std::string("fls -r -p ") + option + " -o 2048 '" + path_ + "' > '" +
                    scratch_.path("fls") + "'"));
    const std::string text = scratch_.read("fls");
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto& entries = image.opened[0].walked.entries;
  const auto deleted =
      std::count_if(entries.begin(), entries.end(), [](const Entry& e) { return !e.allocated; });
  EXPECT_EQ(deleted, lines("-d"));
  // fls also lists the indexes of NTFS metadata files ($Secure:$SDH …), which hold no content of anybody.
  const auto all = static_cast<std::ptrdiff_t>(entries.size());
  if (image.opened[0].fs->type() == "ntfs") {
    const auto listed = lines("");
    EXPECT_LE(all, listed);
    EXPECT_GE(all, listed - 8);
  } else {
    EXPECT_EQ(all, lines(""));
  }
}

TEST_P(SampleTest, ReadsTheSameFromE01) {
  if (!has_tool("ewfacquire")) GTEST_SKIP() << "ewfacquire (Debian package ewf-tools) is not installed";
  const std::string name = fs::path(path_).filename().string();
  ASSERT_TRUE(
      run("cd '" + scratch_.path("") + "' && ewfacquire -u -q -c fast -S 5MiB -t split '" + name + "'"));
  OpenImage raw = open_image(path_);
  OpenImage ewf = open_image(scratch_.path("split.E01"));
  EXPECT_GE(ewf.exhibit->info().files.size(), 6U);
  ASSERT_EQ(ewf.opened.size(), 1U);
  ASSERT_EQ(raw.opened.size(), 1U);
  EXPECT_EQ(digests_of(ewf.opened[0], false), digests_of(raw.opened[0], false));
  EXPECT_EQ(digests_of(ewf.opened[0], true), digests_of(raw.opened[0], true));
  const auto verified = verify_image(*ewf.exhibit, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_EQ(verified->computed.sha256, sha256_of(path_));
}

INSTANTIATE_TEST_SUITE_P(Debian, SampleTest, ::testing::Values("ext2", "ext4", "ntfs", "vfat", "exfat"),
                         [](const auto& type) { return std::string(type.param); });

TEST(Samples, ReadsThreeOfFourPartitionsAndNamesTheFourth) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kSamples + "fs.multiple.xz");
  if (path.empty()) GTEST_SKIP() << "Debian package forensics-samples-multiple (and xz) is not installed";
  OpenImage image = open_image(path);
  // Sectors as the package's README gives them.
  const struct {
    const char* slot;
    std::uint64_t sector;
    const char* type;
  } expected[] = {
      {"p1", 2048, "btrfs"}, {"p2", 227328, "ext4"}, {"p3", 309248, "exfat"}, {"p4", 391168, "ntfs"}};
  for (const auto& one : expected) {
    const Volume* volume = image.find(one.slot);
    ASSERT_NE(volume, nullptr) << one.slot;
    EXPECT_EQ(volume->offset, one.sector * 512);
    EXPECT_EQ(volume->filesystem, one.type);
  }
  EXPECT_EQ(image.find("p1")->state, VolumeState::unsupported);
  EXPECT_FALSE(image.find("p1")->reason.empty());
  ASSERT_EQ(image.opened.size(), 3U);
  for (OpenVolume& volume : image.opened) {
    const std::set<std::string> found = digests_of(volume, false);
    EXPECT_TRUE(found.contains(sha256_of(kSamples + "original-multiple/debian_logo.jpg")))
        << volume.volume.slot;
    EXPECT_TRUE(found.contains(sha256_of(kSamples + "original-multiple/test.txt"))) << volume.volume.slot;
  }
}

TEST(Samples, NamesBtrfs) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kSamples + "fs.btrfs.xz");
  if (path.empty()) GTEST_SKIP() << "Debian package forensics-samples-btrfs (and xz) is not installed";
  const OpenImage image = open_image(path);
  ASSERT_NE(image.find("p1"), nullptr);
  EXPECT_EQ(image.find("p1")->filesystem, "btrfs");
  EXPECT_EQ(image.find("p1")->state, VolumeState::unsupported);
  EXPECT_TRUE(image.opened.empty());
}

}  // namespace
}  // namespace touchstone::test

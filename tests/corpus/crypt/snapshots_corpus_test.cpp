// Volume shadow copies of Windows XP/2003 and Windows 10, with the digests of sectors that their maker
// states.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "corpus/filesystem/corpus_image.hpp"
#include "filesystem/snapshots_vss.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

const std::string kFolder = kCorpus + "/msuhanov+dfir_ntfs/test_data/";

/// The image inside an archive; empty if it is not there. They are sparse.
std::string untarred(const Scratch& scratch, const std::string& archive, const std::string& name) {
  if (!std::filesystem::exists(kFolder + archive)) return "";
  return run("tar -C '" + scratch.path("") + "' -xzf '" + kFolder + archive + "'") ? scratch.path(name) : "";
}

TEST(ShadowCopiesCorpus, HaveTheSectorsThatTheirMakerStates) {
  const Scratch scratch;
  const std::string path = untarred(scratch, "vss_2003.tgz", "vss_2003.raw");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  const OpenImage image = open_image(path);
  const Volume* ntfs = image.find("p1");
  ASSERT_NE(ntfs, nullptr);
  const auto window = make_window(*image.exhibit, ntfs->offset, ntfs->size);
  const auto copies = detail::ShadowCopies::open(*window);
  ASSERT_TRUE(copies) << copies.error().message;
  ASSERT_EQ((*copies)->list().size(), 6U);
  std::ifstream stated(kFolder + "vss_2003_hashes.txt");
  std::size_t blocks = 0;
  for (std::string line; std::getline(stated, line); ++blocks) {
    std::istringstream in(line);
    std::size_t number = 0, unused = 0;
    std::uint64_t offset = 0;
    in >> number >> offset >> unused;
    const auto bytes = detail::ShadowCopies::bytes(*copies, number - 1);
    ASSERT_TRUE(bytes);
    std::vector<std::byte> block(16384);
    const auto got = (*bytes)->read_at(offset, block);
    ASSERT_TRUE(got && *got == block.size());
    Hasher hasher;
    std::size_t sector = 0;
    for (std::string md5; in >> md5; ++sector) {
      hasher.update(std::span(block).subspan(sector * 512, 512));
      EXPECT_EQ(hasher.finish().md5, md5) << number << " " << offset << " " << sector;
    }
    EXPECT_EQ(sector, 32U);
  }
  EXPECT_EQ(blocks, 80U);
}

TEST(ShadowCopiesCorpus, AreVolumesOfWhichOnlyWhatDiffersIsListed) {
  const Scratch scratch;
  const std::string path = untarred(scratch, "vss_2003.tgz", "vss_2003.raw");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  OpenImage image = open_image(path);
  std::map<std::string, OpenVolume*> opened;
  for (OpenVolume& volume : image.opened) opened[volume.volume.slot] = &volume;
  ASSERT_TRUE(opened.contains("p1") && opened.contains("p1~1") && opened.contains("p1~6"));
  EXPECT_EQ(opened["p1~1"]->volume.parent_slot, "p1");
  EXPECT_THAT(opened["p1~1"]->volume.kind, HasSubstr("volume shadow copy of 2019-06-04T23:43:01Z"));
  EXPECT_THAT(opened["p1~6"]->volume.kind, HasSubstr("volume shadow copy of 2019-06-05T10:34:48Z"));

  // Each listed file is gone from the live volume, or differs there; of the others none is listed.
  std::set<std::string> live;
  for (const Entry& entry : opened["p1"]->walked.entries) {
    if (!entry.has_content || entry.descend) continue;
    auto source = opened["p1"]->fs->open(entry.address);
    if (source) live.insert(entry.path + ' ' + sha256_of(**source));
  }
  std::size_t gone = 0, changed = 0;
  for (const Entry& entry : opened["p1~1"]->walked.entries) {
    if (entry.descend || !entry.allocated) continue;
    EXPECT_THAT(entry.detail, HasSubstr("\"snapshot\":\"{"));
    EXPECT_THAT(entry.detail, HasSubstr("\"since_snapshot\":\""));
    gone += entry.detail.find("\"since_snapshot\":\"gone\"") != std::string::npos ? 1 : 0;
    changed += entry.detail.find("\"since_snapshot\":\"changed\"") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(gone, 0U);
  EXPECT_GT(gone + changed, 10U);

  // What is not listed is on the live volume, byte for byte: the shadow copy opened as a bare file system
  // says.
  const auto window = make_window(*image.exhibit, opened["p1"]->volume.offset, opened["p1"]->volume.size);
  const auto copies = detail::ShadowCopies::open(*window);
  ASSERT_TRUE(copies);
  auto bytes = detail::ShadowCopies::bytes(*copies, 0);
  ASSERT_TRUE(bytes);
  Volume whole;
  whole.slot = "p0";
  whole.size = (*bytes)->size();
  whole.filesystem = "ntfs";
  whole.state = VolumeState::read;
  auto fs = open_file_system(**bytes, 512, whole);
  ASSERT_TRUE(fs);
  const Walked all = walk(**fs);
  std::size_t left_out = 0;
  for (const Entry& entry : all.entries) {
    const bool own_file =
        entry.path.starts_with("/$") || entry.name.find("3808876b-c176") != std::string::npos;
    if (own_file || !entry.has_content || entry.descend || !entry.allocated) continue;
    if (opened["p1~1"]->walked.find(entry.path) != nullptr) continue;
    auto source = (*fs)->open(entry.address);
    ASSERT_TRUE(source);
    EXPECT_TRUE(live.contains(entry.path + ' ' + sha256_of(**source))) << entry.path;
    ++left_out;
  }
  EXPECT_GT(left_out, 0U);
}

TEST(ShadowCopiesCorpus, BringBackTheOlderVersionOfAFile) {
  const Scratch scratch;
  const std::string path = untarred(scratch, "vss_2_stor.tar.gz", "vss_2_stor.raw");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  OpenImage image = open_image(path);
  const OpenVolume* live = nullptr;
  const OpenVolume* older = nullptr;
  for (const OpenVolume& volume : image.opened) {
    if (volume.volume.slot == "p2") live = &volume;
    if (volume.volume.slot == "p2~1") older = &volume;
  }
  ASSERT_NE(live, nullptr);
  ASSERT_NE(older, nullptr);
  const Entry* now = live->walked.find("/test.txt");
  const Entry* then = older->walked.find("/test.txt");
  ASSERT_NE(now, nullptr);
  ASSERT_NE(then, nullptr);
  EXPECT_NE(now->size, then->size);
  EXPECT_THAT(then->detail, HasSubstr("\"snapshot_created\":\"2021-03-10T22:44:00Z\""));
}

}  // namespace
}  // namespace touchstone::test

// Windows of free space and slack against what blkls and dd give of the same images.
#include "filesystem/free_space.hpp"

#include <algorithm>

#include "corpus/filesystem/corpus_image.hpp"
#include "evidence/integers.hpp"

namespace touchstone::test {
namespace {

/// All windows of one kind, opened in order.
struct Windows {
  std::vector<Entry> entries;
  std::vector<std::unique_ptr<ByteSource>> sources;
  std::uint64_t bytes = 0;
  std::string sha256;  ///< of all of them behind each other
};

Windows windows_of(FileSystem& fs, ItemKind kind, const std::string& made_of = "") {
  Windows windows;
  std::vector<Problem> problems;
  Hasher hasher;
  std::vector<std::byte> block(std::size_t{1} << 20);
  for (const char* path : {"/$Unallocated", "/$Slack"}) {
    std::string address;
    EXPECT_TRUE(fs.list(
        {}, [&](Entry&& entry) { return entry.path != path || (address = entry.address, false); }, problems));
    if (address.empty()) continue;
    EXPECT_TRUE(fs.list(
        {path, address, {}},
        [&](Entry&& entry) {
          const bool behind = entry.detail.find("made_of") != std::string::npos;
          if (entry.kind == kind && behind == !made_of.empty()) windows.entries.push_back(std::move(entry));
          return true;
        },
        problems));
  }
  EXPECT_TRUE(problems.empty());
  for (const Entry& entry : windows.entries) {
    auto source = fs.open(entry.address);
    EXPECT_TRUE(source) << entry.address;
    if (!source) continue;
    EXPECT_EQ((*source)->size(), entry.size);
    EXPECT_LE(entry.size, kWindowBytes);
    for (std::uint64_t at = 0; at < entry.size;) {
      const auto got = (*source)->read_at(at, block);
      EXPECT_TRUE(got && *got > 0);
      if (!got || *got == 0) break;
      hasher.update(std::span(block).first(*got));
      at += *got;
    }
    windows.bytes += entry.size;
    windows.sources.push_back(source.take());
  }
  windows.sha256 = hasher.finish().sha256;
  return windows;
}

std::unique_ptr<FileSystem> with_windows(OpenImage& image, const Volume& volume) {
  VolumeOptions options;
  options.free_space = true;
  auto fs = open_file_system(*image.exhibit, 512, volume, options);
  EXPECT_TRUE(fs) << volume.slot;
  return fs ? fs.take() : nullptr;
}

class FreeSpaceTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = unpacked(scratch_, kSamples + "fs." + GetParam() + ".xz");
    if (path_.empty())
      GTEST_SKIP() << "Debian package forensics-samples-" << GetParam() << " is not installed";
    if (!has_tool("blkls")) GTEST_SKIP() << "blkls (Debian package sleuthkit) is not installed";
    image_ = open_image(path_);
    ASSERT_EQ(image_.opened.size(), 1U);
    fs_ = with_windows(image_, image_.opened[0].volume);
    ASSERT_NE(fs_, nullptr);
  }
  std::string blkls(const std::string& options) {
    EXPECT_TRUE(run("blkls " + options + " -o 2048 '" + path_ + "' > '" + scratch_.path("blocks") + "'"));
    return scratch_.path("blocks");
  }
  Scratch scratch_;
  std::string path_;
  OpenImage image_;
  std::unique_ptr<FileSystem> fs_;
};

TEST_P(FreeSpaceTest, IsWhatBlklsGives) {
  const std::string blocks = blkls("");
  const Windows windows = windows_of(*fs_, ItemKind::unallocated);
  ASSERT_FALSE(windows.entries.empty());
  EXPECT_EQ(windows.bytes, std::filesystem::file_size(blocks));
  EXPECT_EQ(windows.sha256, sha256_of(blocks));
}

TEST_P(FreeSpaceTest, AddsUpToTheVolumeWithWhatIsInUse) {
  const std::uint64_t used = std::filesystem::file_size(blkls("-a"));
  const Windows free = windows_of(*fs_, ItemKind::unallocated);
  const Windows behind = windows_of(*fs_, ItemKind::slack, "behind");
  EXPECT_EQ(free.bytes + used + behind.bytes, image_.opened[0].volume.size);
}

TEST_P(FreeSpaceTest, NamesThePlaceOfEveryByteOfAWindow) {
  const std::uint64_t start = image_.opened[0].volume.offset;
  for (const ItemKind kind : {ItemKind::unallocated, ItemKind::slack}) {
    const Windows windows = windows_of(*fs_, kind);
    for (const auto& source : windows.sources) {
      const RunMap* map = run_map(*source);
      ASSERT_NE(map, nullptr);
      // A range across the window's ends, and some in between.
      for (std::uint64_t at = 0; at < source->size(); at += source->size() / 7 + 1) {
        std::vector<std::byte> window(std::min<std::uint64_t>(50'000, source->size() - at)), place;
        ASSERT_TRUE(source->read_at(at, window));
        for (const ByteRange& range : map->place_of(at, window.size())) {
          std::vector<std::byte> part(range.length);
          ASSERT_TRUE(image_.exhibit->read_at(start + range.offset, part));
          place.insert(place.end(), part.begin(), part.end());
        }
        EXPECT_EQ(window, place);
      }
    }
  }
}

TEST_P(FreeSpaceTest, FindsTheSlackOfEachFile) {
  const Windows windows = windows_of(*fs_, ItemKind::slack);
  std::map<std::string, std::string> slack;
  for (const auto& source : windows.sources) {
    const RunMap& map = *run_map(*source);
    std::vector<std::byte> bytes(source->size());
    ASSERT_TRUE(source->read_at(0, bytes));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      slack[map.owner_of(at)] += static_cast<char>(bytes[at]);
    }
  }
  std::size_t checked = 0;
  for (const Entry& entry : image_.opened[0].walked.entries) {
    if (!entry.allocated || entry.kind != ItemKind::file || entry.size == 0) continue;
    // The metadata files of NTFS and FAT have sizes of their own making.
    if (entry.path.starts_with("/$")) continue;
    // icat -s gives the content and the slack behind it.
    ASSERT_TRUE(
        run("icat -s -o 2048 '" + path_ + "' " + entry.address + " > '" + scratch_.path("whole") + "'"));
    const std::string whole = scratch_.read("whole");
    ASSERT_GE(whole.size(), entry.size) << entry.path;
    EXPECT_EQ(slack[entry.address], whole.substr(entry.size)) << entry.path;
    ++checked;
  }
  EXPECT_GE(checked, 18U);
}

TEST_P(FreeSpaceTest, SaysWhereNothingLeadsToADeletedFilesBytes) {
  // The package's README: 18 files were deleted. ext keeps no size of theirs; the others lead to every byte.
  const auto& entries = image_.opened[0].walked.entries;
  const auto with = [&](const char* word) {
    return std::count_if(entries.begin(), entries.end(), [&](const Entry& entry) {
      return !entry.allocated && entry.detail.find(word) != std::string::npos;
    });
  };
  EXPECT_EQ(with("\"cleared\":true"), std::string(GetParam()).starts_with("ext") ? 18 : 0);
  EXPECT_EQ(with("\"overwritten\""), 0) << "nothing was written after the deletion";
}

INSTANTIATE_TEST_SUITE_P(Debian, FreeSpaceTest, ::testing::Values("ext2", "ext4", "ntfs", "vfat", "exfat"),
                         [](const auto& type) { return std::string(type.param); });

// The number that the space manager of the container itself states (Apple File System Reference,
// spaceman_phys_t), and the range that pstat gives.
TEST(FreeSpace, OfAnApfsContainerIsWhatItsSpaceManagerStates) {
  const std::string path = kCorpus + "/log2timeline+dfvfs/test_data/apfs.raw";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  OpenImage image = open_image(path);
  const Volume* container = image.find("p0");
  ASSERT_NE(container, nullptr);
  const auto fs = with_windows(image, *container);
  ASSERT_NE(fs, nullptr);
  std::vector<ByteRange> free;
  std::vector<Problem> problems;
  ASSERT_TRUE(fs->unallocated([&](ByteRange range) { return free.push_back(range), true; }, problems));
  std::uint64_t newest = 0, stated = 0;
  std::vector<std::byte> block(4096);
  for (std::uint64_t at = 0; at < image.exhibit->size(); at += block.size()) {
    ASSERT_TRUE(image.exhibit->read_at(at, block));
    const bool space_manager = little(block, 24, 4) == 0x8000'0005;
    if (!space_manager || little(block, 16, 8) < newest) continue;
    newest = little(block, 16, 8);
    stated = little(block, 72, 8);
  }
  ASSERT_EQ(free.size(), 1U);
  EXPECT_EQ(free[0].length, stated * 4096);
  EXPECT_EQ(free[0].offset, 0x6eU * 4096);
  const Windows windows = windows_of(*fs, ItemKind::unallocated);
  EXPECT_EQ(windows.bytes, stated * 4096);
}

TEST(FreeSpace, IsAllOfAVolumeThatNothingReads) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kSamples + "fs.multiple.xz");
  if (path.empty()) GTEST_SKIP() << "Debian package forensics-samples-multiple (and xz) is not installed";
  OpenImage image = open_image(path);
  // Sectors as mmls gives them: a btrfs volume, and the gap before it.
  const struct {
    const char* slot;
    std::uint64_t start, sectors;
  } expected[] = {{"p1", 2048, 225280}, {"u1", 0, 2048}};
  for (const auto& one : expected) {
    const Volume* volume = image.find(one.slot);
    ASSERT_NE(volume, nullptr) << one.slot;
    const auto fs = with_windows(image, *volume);
    ASSERT_NE(fs, nullptr);
    const Windows windows = windows_of(*fs, ItemKind::unallocated);
    ASSERT_TRUE(run("dd if='" + path + "' of='" + scratch.path("part") +
                    "' bs=512 skip=" + std::to_string(one.start) + " count=" + std::to_string(one.sectors)));
    EXPECT_EQ(windows.bytes, volume->size);
    EXPECT_EQ(windows.sha256, sha256_of(scratch.path("part")));
  }
}

}  // namespace
}  // namespace touchstone::test

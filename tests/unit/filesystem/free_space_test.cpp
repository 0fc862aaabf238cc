// Windows of free space over a made file system that gives any ranges, and over a FAT volume.
#include "filesystem/free_space.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "unit/filesystem/fat_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;

/// The byte at each offset is made from the offset: as large as one likes.
class PatternSource final : public ByteSource {
 public:
  explicit PatternSource(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t i = 0; i < count; ++i) out[i] = at(offset + i);
    return count;
  }
  std::vector<Gap> gaps() const override { return gaps_; }
  static std::byte at(std::uint64_t offset) {
    return static_cast<std::byte>(offset * 0x9E3779B97F4A7C15ULL >> 56);
  }

  std::vector<Gap> gaps_;

 private:
  std::uint64_t size_;
};

class MadeFileSystem final : public FileSystem {
 public:
  const std::string& type() const override { return type_; }
  Status list(const DirectoryRef&, const std::function<bool(Entry&&)>& sink, std::vector<Problem>&) override {
    for (const char* name : {"$A", "$Unallocated", "x"}) {
      Entry entry;
      entry.name = entry.name_raw = name;
      entry.path = std::string("/") + name;
      entry.address = "7";
      if (!sink(std::move(entry))) break;
    }
    return {};
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string&) override { return make_memory_source({}); }
  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>&) override {
    ++asked;
    for (const ByteRange& range : free) {
      if (!sink(range)) break;
    }
    return status;
  }
  Status slack(const std::function<bool(ByteRange, const std::string&)>& sink,
               std::vector<Problem>&) override {
    for (const auto& [range, address] : ends) {
      if (!sink(range, address)) break;
    }
    return {};
  }
  std::vector<ByteRange> free;
  std::vector<std::pair<ByteRange, std::string>> ends;
  Status status;
  int asked = 0;

 private:
  std::string type_ = "made";
};

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint64_t kVolume = 4096;  // where the volume begins in the image

class WindowsTest : public ::testing::Test {
 protected:
  void open(std::uint64_t volume_size) {
    fs_ = with_free_space(std::move(made_), image_, {kVolume, volume_size});
  }
  std::vector<Entry> windows(const std::string& path) {
    std::string address;
    std::vector<Entry> found;
    EXPECT_TRUE(fs_->list(
        {},
        [&](Entry&& entry) {
          if (entry.path == path && entry.kind == ItemKind::virtual_) address = entry.address;
          return true;
        },
        problems_));
    EXPECT_FALSE(address.empty());
    status_ = fs_->list(
        {path, address, {}}, [&](Entry&& entry) { return found.push_back(std::move(entry)), true; },
        problems_);
    return found;
  }

  PatternSource image_{1000 * kMiB};
  std::unique_ptr<MadeFileSystem> made_ = std::make_unique<MadeFileSystem>();
  MadeFileSystem& fake_ = *made_;
  std::unique_ptr<FileSystem> fs_;
  std::vector<Problem> problems_;
  Status status_;
};

TEST_F(WindowsTest, AreAtMost64MiBAndHoldEveryByteOnce) {
  fake_.free = {{0, 100 * kMiB}, {200 * kMiB, 1}, {300 * kMiB, 50 * kMiB}};
  open(500 * kMiB);
  const auto found = windows("/$Unallocated");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].window, (ByteRange{0, 64 * kMiB}));
  // The second takes the rest of the first range, the one byte, and the begin of the last.
  EXPECT_EQ(found[1].window, (ByteRange{64 * kMiB, 300 * kMiB + 28 * kMiB - 1 - 64 * kMiB}));
  EXPECT_EQ(found[2].window, (ByteRange{328 * kMiB - 1, 22 * kMiB + 1}));
  EXPECT_EQ(found[0].size + found[1].size + found[2].size, 150 * kMiB + 1);
  for (const Entry& entry : found) {
    EXPECT_EQ(entry.kind, ItemKind::unallocated);
    EXPECT_FALSE(entry.allocated);
    EXPECT_LE(entry.size, kWindowBytes);
  }
  EXPECT_EQ(fake_.asked, 1) << "ranges are worked out once";
}

TEST_F(WindowsTest, ReadAcrossRangesAndNameThem) {
  fake_.free = {{1000, 10}, {5000, 10}, {9000, 10}};
  open(500 * kMiB);
  const auto found = windows("/$Unallocated");
  ASSERT_EQ(found.size(), 1U);
  auto source = fs_->open(found[0].address);
  ASSERT_TRUE(source);
  ASSERT_EQ((*source)->size(), 30U);
  std::vector<std::byte> bytes(16);
  ASSERT_EQ(*(*source)->read_at(7, bytes), 16U);
  const std::uint64_t expected[] = {1007, 1008, 1009, 5000, 5001, 5002, 5003, 5004,
                                    5005, 5006, 5007, 5008, 5009, 9000, 9001, 9002};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(bytes[i], PatternSource::at(kVolume + expected[i])) << i;
  const RunMap* map = run_map(**source);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->place_of(7, 16), (std::vector<ByteRange>{{1007, 3}, {5000, 10}, {9000, 3}}));
  EXPECT_EQ(map->place_of(29, 100), (std::vector<ByteRange>{{9009, 1}}));
  EXPECT_TRUE(map->place_of(30, 1).empty());
  EXPECT_EQ(map->owner_of(3), "");
  EXPECT_EQ(*(*source)->read_at(25, bytes), 5U);
  EXPECT_EQ(*(*source)->read_at(30, bytes), 0U);
}

TEST_F(WindowsTest, OpenInAProcessThatHasListedNothing) {
  fake_.free = {{0, 100 * kMiB}};
  open(500 * kMiB);
  auto source = fs_->open("@67108864+37748736");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ((*source)->size(), 36 * kMiB);
  for (const char* wrong :
       {"@1+5", "@67108864+1", "@", "@x", "end@0+1", "slack@0+1", "@99999999999999999999+1"}) {
    EXPECT_FALSE(fs_->open(wrong)) << wrong;
  }
  EXPECT_TRUE(fs_->open("7")) << "the file system's own";
}

TEST_F(WindowsTest, SlackIsInOrderOfPlaceWithItsOwner) {
  fake_.ends = {{{9000, 4}, "12"}, {{3000, 6}, "64-128-1"}, {{400 * kMiB, 100}, ""}};
  open(500 * kMiB);
  const auto found = windows("/$Slack");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, ItemKind::slack);
  EXPECT_EQ(found[0].window, (ByteRange{3000, 6004}));
  auto source = fs_->open(found[0].address);
  ASSERT_TRUE(source);
  const RunMap* map = run_map(**source);
  EXPECT_EQ(map->owner_of(5), "64-128-1");
  EXPECT_EQ(map->owner_of(6), "12");
  EXPECT_EQ(map->owner_of(10), "");
  EXPECT_EQ(found[1].window, (ByteRange{400 * kMiB, 100})) << "behind the file system";
}

TEST_F(WindowsTest, HostileRangesGiveNoByteTwiceAndNoneBeyondTheVolume) {
  fake_.ends = {{{1000, 500}, "1"},         {{1200, 100}, "2"},
                {{1400, 1000}, "3"},        {{10 * kMiB - 1, UINT64_MAX}, "4"},
                {{UINT64_MAX - 1, 5}, "5"}, {{50, 0}, "6"}};
  open(10 * kMiB);
  const auto found = windows("/$Slack");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].size, 1400U + 1U);
  auto source = fs_->open(found[0].address);
  ASSERT_TRUE(source);
  EXPECT_EQ(run_map(**source)->place_of(0, 2000),
            (std::vector<ByteRange>{{1000, 500}, {1500, 900}, {10 * kMiB - 1, 1}}));
}

TEST_F(WindowsTest, KeepWhatCameBeforeAnError) {
  fake_.free = {{1000, 10}};
  fake_.status = Error{ErrorCode::corrupt, "the bitmap ends early"};
  open(10 * kMiB);
  EXPECT_EQ(windows("/$Unallocated").size(), 1U);
  EXPECT_FALSE(status_);
}

TEST_F(WindowsTest, StandInTheRootBesideARealEntryOfThatName) {
  open(10 * kMiB);
  std::vector<std::string> names;
  ASSERT_TRUE(fs_->list(
      {}, [&](Entry&& entry) { return names.push_back(entry.name + ";" + entry.address), true; }, problems_));
  EXPECT_THAT(names,
              ::testing::ElementsAre("$A;7", "$Slack;slack@", "$Unallocated;7", "$Unallocated;@", "x;7"));
}

TEST_F(WindowsTest, TellWhichOfTheirBytesCouldNotBeRead) {
  image_.gaps_ = {{kVolume + 5005, 3000, "lost"}, {0, 100, "before the volume"}};
  fake_.free = {{1000, 10}, {5000, 10}, {8000, 10}};
  open(10 * kMiB);
  auto source = fs_->open(windows("/$Unallocated").at(0).address);
  ASSERT_TRUE(source);
  const auto gaps = (*source)->gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].offset, 15U);
  EXPECT_EQ(gaps[0].length, 5U + 5U)
      << "the rest of the second range and the begin of the third are neighbours";
}

TEST(RawVolume, IsOneRangeOfAllItsBytes) {
  PatternSource image(70 * kMiB);
  Volume volume;
  volume.offset = kMiB;
  volume.size = 500 * kMiB;  // more than there is
  volume.state = VolumeState::unsupported;
  const auto fs = open_raw_volume(image, volume);
  const Walked walked = walk(*fs);
  ASSERT_EQ(walked.entries.size(), 3U);
  EXPECT_EQ(walked.entries[1].size + walked.entries[2].size, 69 * kMiB);
  EXPECT_FALSE(fs->open("12"));
}

std::size_t filled(const Result<std::size_t>& got) {
  return got ? *got : SIZE_MAX;
}

TEST(RawVolume, AWindowIsReadOnIntoTheNextOne) {
  PatternSource image(70 * kMiB);
  Volume volume;
  volume.offset = kMiB;
  volume.size = 69 * kMiB;
  volume.state = VolumeState::unsupported;
  const auto fs = open_raw_volume(image, volume);
  const auto first = fs->open(walk(*fs).entries.at(1).address);
  ASSERT_TRUE(first);
  ByteSource& window = **first;
  ASSERT_EQ(window.size(), kWindowBytes);
  std::array<std::byte, 8> bytes{};
  EXPECT_EQ(filled(window.read_at(kWindowBytes - 4, bytes)), 4U) << "the window itself ends";
  EXPECT_EQ(filled(read_on(window, kWindowBytes - 4, bytes)), 8U);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(bytes.at(i), PatternSource::at(kMiB + kWindowBytes - 4 + i)) << i;
  EXPECT_EQ(filled(read_on(window, 69 * kMiB - 3, bytes)), 3U) << "up to the end of the last window";
  EXPECT_EQ(filled(read_on(window, 69 * kMiB, bytes)), 0U);
  ASSERT_TRUE(run_map(window));
  EXPECT_EQ(run_map(window)->place_of(kWindowBytes - 4, 8), (std::vector<ByteRange>{{kWindowBytes - 4, 8}}));
  const auto memory = make_memory_source(std::vector<std::byte>(3));
  EXPECT_EQ(filled(read_on(*memory, 1, bytes)), 2U);
}

/// A FAT volume with a deleted file of three clusters and one in use behind it.
class FatFreeSpaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    first_ = image_.add_file(FatImage::kRoot, "A       TXT", std::string(1300, 'a'));
    image_.add_file(FatImage::kRoot, "B       TXT", std::string(1300, 'b'));
    image_.remove(FatImage::kRoot, "A       TXT");
  }
  void open() {
    source_ = make_memory_source(image_.bytes());
    std::vector<Problem> problems;
    const auto volumes = list_volumes(*source_, 512, problems);
    VolumeOptions options;
    options.free_space = true;
    auto fs = open_file_system(*source_, 512, volumes.at(0), options);
    ASSERT_TRUE(fs) << fs.error().message;
    fs_ = fs.take();
    walked_ = walk(*fs_);
  }
  FatImage image_;
  std::uint16_t first_ = 0;
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<FileSystem> fs_;
  Walked walked_;
};

TEST_F(FatFreeSpaceTest, FreeSpaceIsWhatTheTableLeaves) {
  open();
  std::vector<ByteRange> free;
  std::vector<Problem> problems;
  ASSERT_TRUE(fs_->unallocated([&](ByteRange range) { return free.push_back(range), true; }, problems));
  const std::uint64_t behind = FatImage::place(static_cast<std::uint16_t>(first_ + 6));
  EXPECT_EQ(free, (std::vector<ByteRange>{{FatImage::place(first_), 3 * 512},
                                          {behind, FatImage::kSectors * 512 - behind}}));
}

TEST_F(FatFreeSpaceTest, SlackIsBehindTheEndOfTheFile) {
  open();
  std::vector<std::pair<ByteRange, std::string>> ends;
  std::vector<Problem> problems;
  ASSERT_TRUE(fs_->slack(
      [&](ByteRange range, const std::string& address) { return ends.emplace_back(range, address), true; },
      problems));
  ASSERT_EQ(ends.size(), 1U) << "the deleted file's clusters are free space already";
  EXPECT_EQ(ends[0].first,
            (ByteRange{FatImage::place(static_cast<std::uint16_t>(first_ + 3)) + 1300, 3 * 512 - 1300}));
  EXPECT_EQ(ends[0].second, walked_.find("/B.TXT")->address);
}

TEST_F(FatFreeSpaceTest, ADeletedFileWhoseClustersAreFreeIsNotOverwritten) {
  open();
  const Entry* lost = walked_.find("/_.TXT");
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->note, "");
  auto source = fs_->open(lost->address);
  ASSERT_TRUE(source);
  EXPECT_TRUE(overwritten_of(**source).empty());
}

TEST_F(FatFreeSpaceTest, ADeletedFileWhoseClustersAreInUseIsOverwritten) {
  put(image_.bytes(), 512 + 2U * first_, 0xffff, 2);
  image_.add_entry(FatImage::kRoot, "C       TXT", 0x20, first_, 512);
  open();
  const Entry* lost = walked_.find("/_.TXT");
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->note, "overwritten: its blocks belong to another file now");
  EXPECT_THAT(lost->detail, ::testing::HasSubstr("\"overwritten\":\"all\""));
  auto source = fs_->open(lost->address);
  ASSERT_TRUE(source);
  EXPECT_EQ(overwritten_of(**source), (std::vector<ByteRange>{{0, 1300}}));
}

}  // namespace
}  // namespace touchstone

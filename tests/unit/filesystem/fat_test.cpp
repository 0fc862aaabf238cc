#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/fat_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

/// Noon on 1 July 2024 as the device's clock showed it, in microseconds as if UTC.
constexpr TimeUs kNoon = 1'719'835'200'000'000;
constexpr TimeUs kHour = 3'600'000'000;

/// A source in which one range cannot be read.
class DamagedSource : public ByteSource {
 public:
  DamagedSource(std::unique_ptr<ByteSource> base, Gap gap) : base_(std::move(base)), gap_(std::move(gap)) {}
  std::uint64_t size() const override { return base_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto got = base_->read_at(offset, out);
    for (std::size_t i = 0; got && i < *got; ++i) {
      if (offset + i >= gap_.offset && offset + i < gap_.offset + gap_.length) {
        out[i] = std::byte{0};
        met_ = true;
      }
    }
    return got;
  }
  std::vector<Gap> gaps() const override { return met_ ? std::vector<Gap>{gap_} : std::vector<Gap>{}; }

 private:
  std::unique_ptr<ByteSource> base_;
  Gap gap_;
  bool met_ = false;
};

struct Opened {
  std::unique_ptr<ByteSource> source;
  std::unique_ptr<FileSystem> fs;
};

Opened open(std::unique_ptr<ByteSource> source, const std::string& zone = "Europe/London") {
  Opened opened{std::move(source), nullptr};
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*opened.source, 512, problems);
  auto fs = open_file_system(*opened.source, 512, volumes.at(0), {zone, {}});
  if (!fs) throw std::runtime_error(fs.error().message);
  opened.fs = fs.take();
  return opened;
}

Opened open(FatImage& image, const std::string& zone = "Europe/London") {
  return open(make_memory_source(image.bytes()), zone);
}

TEST(FatFileSystem, ListsFilesAndDirectoriesWithTheirContent) {
  FatImage image;
  const auto dcim = image.add_directory(FatImage::kRoot, "DCIM       ");
  const std::string photo = noise(3000);
  image.add_file(dcim, "IMG_0001JPG", photo);
  image.add_file(FatImage::kRoot, "EMPTY   TXT", "");
  auto [source, fs] = open(image);
  EXPECT_EQ(fs->type(), "fat16");
  const Walked walked = walk(*fs);
  const Entry* file = walked.find("/DCIM/IMG_0001.JPG");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->kind, ItemKind::file);
  EXPECT_TRUE(file->allocated);
  EXPECT_TRUE(file->has_content);
  EXPECT_FALSE(file->descend);
  EXPECT_EQ(file->size, 3000U);
  EXPECT_EQ(content_of(*fs, file->address), photo);
  ASSERT_NE(walked.find("/DCIM"), nullptr);
  EXPECT_EQ(walked.find("/DCIM")->kind, ItemKind::directory);
  ASSERT_NE(walked.find("/EMPTY.TXT"), nullptr);
  EXPECT_EQ(content_of(*fs, walked.find("/EMPTY.TXT")->address), "");
  ASSERT_NE(walked.find("/$OrphanFiles"), nullptr);
  EXPECT_EQ(walked.find("/$OrphanFiles")->kind, ItemKind::virtual_);
  EXPECT_TRUE(walked.problems.empty());
}

TEST(FatFileSystem, BringsDeletedFilesAndDirectoriesBack) {
  FatImage image;
  const auto gone = image.add_directory(FatImage::kRoot, "GONE       ");
  const std::string letter = noise(1200);
  image.add_file(gone, "LETTER  TXT", letter);
  image.remove(gone, "LETTER  TXT");
  image.remove(FatImage::kRoot, "GONE       ");
  image.add_file(FatImage::kRoot, "STAYS   TXT", "here");
  auto [source, fs] = open(image);
  const Walked walked = walk(*fs);
  const Entry* directory = walked.find("/_ONE");
  ASSERT_NE(directory, nullptr);
  EXPECT_FALSE(directory->allocated);
  EXPECT_TRUE(directory->descend);
  const Entry* file = walked.find("/_ONE/_ETTER.TXT");
  ASSERT_NE(file, nullptr);
  EXPECT_FALSE(file->allocated);
  EXPECT_EQ(content_of(*fs, file->address), letter);
  EXPECT_TRUE(walked.find("/STAYS.TXT")->allocated);
}

TEST(FatFileSystem, TakesTimesAsLocalInTheGivenZone) {
  FatImage image;
  image.add_file(FatImage::kRoot, "NOON    TXT", "x");
  const struct {
    const char* zone;
    TimeUs modified;
  } cases[] = {{"Europe/London", kNoon - kHour}, {"UTC", kNoon}, {"America/New_York", kNoon + 4 * kHour}};
  for (const auto& one : cases) {
    auto [source, fs] = open(image, one.zone);
    const Walked walked = walk(*fs);
    const Entry* file = walked.find("/NOON.TXT");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(file->times.modified, one.modified) << one.zone;
    EXPECT_EQ(file->times.created, one.modified) << one.zone;
    EXPECT_FALSE(file->times.changed.has_value());
    EXPECT_EQ(file->times.basis, TimeBasis::assumed);
    EXPECT_THAT(file->detail, HasSubstr("\"accessed_precision\":\"day\""));
  }
}

TEST(FatFileSystem, DoesNotDependOnTheZoneOfTheProcess) {
  FatImage image;
  image.add_file(FatImage::kRoot, "NOON    TXT", "x");
  const char* before = std::getenv("TZ");
  const std::string saved = before == nullptr ? "" : before;
  for (const char* process_zone : {"UTC0", "Asia/Kathmandu", "America/New_York"}) {
    ::setenv("TZ", process_zone, 1);
    ::tzset();
    auto [source, fs] = open(image);
    EXPECT_EQ(walk(*fs).find("/NOON.TXT")->times.modified, kNoon - kHour) << process_zone;
  }
  if (before == nullptr) {
    ::unsetenv("TZ");
  } else {
    ::setenv("TZ", saved.c_str(), 1);
  }
  ::tzset();
}

TEST(FatFileSystem, RefusesAnUnknownZone) {
  FatImage image;
  EXPECT_THROW(open(image, "Nowhere/City"), std::runtime_error);
}

TEST(FatFileSystem, DoesNotFollowDirectoriesInCircles) {
  FatImage image;
  const auto outer = image.add_directory(FatImage::kRoot, "OUTER      ");
  const auto inner = image.add_directory(outer, "INNER      ");
  image.add_entry(inner, "LOOP       ", 0x10, outer, 0);
  image.add_file(inner, "FILE    TXT", "inside");
  auto [source, fs] = open(image);
  const Walked walked = walk(*fs, 1000);
  EXPECT_LT(walked.entries.size(), 50U);
  ASSERT_NE(walked.find("/OUTER/INNER/FILE.TXT"), nullptr);
  const Entry* loop = walked.find("/OUTER/INNER/LOOP");
  ASSERT_NE(loop, nullptr);
  EXPECT_FALSE(loop->descend);
  EXPECT_EQ(walked.find("/OUTER/INNER/LOOP/INNER"), nullptr);
  ASSERT_FALSE(walked.problems.empty());
  EXPECT_EQ(walked.problems[0].kind, ProblemKind::corrupt);
  EXPECT_THAT(walked.problems[0].message, HasSubstr("not followed"));
}

TEST(FatFileSystem, TellsNamesThatLeadToTheSameDirectory) {
  FatImage image;
  const auto one = image.add_directory(FatImage::kRoot, "ONE        ");
  image.add_entry(FatImage::kRoot, "TWO        ", 0x10, one, 0);
  image.add_directory(FatImage::kRoot, "THREE      ");
  auto [source, fs] = open(image);
  const Walked walked = walk(*fs);
  EXPECT_FALSE(walked.find("/ONE")->identity.empty());
  EXPECT_EQ(walked.find("/ONE")->identity, walked.find("/TWO")->identity);
  EXPECT_NE(walked.find("/ONE")->identity, walked.find("/THREE")->identity);
}

// 2^40 paths lead to the last: The Sleuth Kit would follow them all to find the directory above it.
TEST(FatFileSystem, ListsADirectoryOfWhichItHasNotListedThoseAbove) {
  FatImage image("DOUBLING   ");
  std::uint16_t at = FatImage::kRoot;
  for (int i = 0; i < 40; ++i) {
    const std::uint16_t next = image.add_directory(at, "RIGHT      ");
    image.add_entry(at, "LEFT       ", 0x10, next, 0);
    at = next;
  }
  image.add_file(at, "DEEP    TXT", "inside");
  std::vector<Problem> problems;
  const auto names_in = [&](FileSystem& fs, const DirectoryRef& directory, DirectoryRef& below) {
    std::vector<std::string> names;
    const Status status = fs.list(
        directory,
        [&](Entry&& entry) {
          names.push_back(entry.name);
          if (entry.name == "LEFT" && entry.descend) below = directory.child(entry);
          return true;
        },
        problems);
    EXPECT_TRUE(status);
    return names;
  };
  Opened first = open(image);
  DirectoryRef directory;
  for (int i = 0; i < 3; ++i) names_in(*first.fs, DirectoryRef(directory), directory);
  ASSERT_EQ(directory.path, "/LEFT/LEFT/LEFT");
  Opened second = open(image);
  EXPECT_THAT(names_in(*second.fs, DirectoryRef(directory), directory),
              ::testing::ElementsAre("LEFT", "RIGHT"));
}

TEST(FatFileSystem, StopsAtADepthAndSaysSo) {
  FatImage image;
  auto directory = FatImage::kRoot;
  for (std::size_t i = 0; i < kMaxDirectoryDepth + 5; ++i)
    directory = image.add_directory(directory, "D          ");
  auto [source, fs] = open(image);
  const Walked walked = walk(*fs, 5000);
  std::size_t limits = 0;
  for (const Problem& problem : walked.problems) limits += problem.kind == ProblemKind::limit ? 1 : 0;
  EXPECT_EQ(limits, 1U);
  EXPECT_GE(walked.entries.size(), kMaxDirectoryDepth - 2);
  EXPECT_LT(walked.entries.size(), kMaxDirectoryDepth + 10);
}

TEST(FatFileSystem, GivesEntriesInOrderAndStopsWhenAsked) {
  FatImage image;
  for (const char* name : {"ZEBRA   TXT", "ALPHA   TXT", "MIDDLE  TXT"})
    image.add_file(FatImage::kRoot, name, name);
  auto [source, fs] = open(image);
  std::vector<std::string> names;
  std::vector<Problem> problems;
  ASSERT_TRUE(fs->list(
      {},
      [&](Entry&& entry) {
        names.push_back(entry.name_raw);
        return true;
      },
      problems));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  std::size_t seen = 0;
  ASSERT_TRUE(fs->list(
      {}, [&](Entry&&) { return ++seen < 2; }, problems));
  EXPECT_EQ(seen, 2U);
}

TEST(FatFileSystem, ListsWhatCouldNotBeReadInsideAFile) {
  FatImage image;
  const std::string content = noise(4000);
  const auto cluster = image.add_file(FatImage::kRoot, "DAMAGED BIN", content);
  image.add_file(FatImage::kRoot, "WHOLE   BIN", content);
  const std::uint64_t bad = FatImage::place(cluster) + 1024;
  auto [source, fs] =
      open(std::make_unique<DamagedSource>(make_memory_source(image.bytes()), Gap{bad, 512, "bad sector"}));
  const Walked walked = walk(*fs);
  auto damaged = fs->open(walked.find("/DAMAGED.BIN")->address);
  ASSERT_TRUE(damaged);
  std::string text(content.size(), '?');
  ASSERT_TRUE((*damaged)->read_at(0, std::as_writable_bytes(std::span(text))));
  EXPECT_EQ(text, content.substr(0, 1024) + std::string(512, '\0') + content.substr(1536));
  ASSERT_EQ((*damaged)->gaps().size(), 1U);
  EXPECT_EQ((*damaged)->gaps()[0].offset, 1024U);
  EXPECT_EQ((*damaged)->gaps()[0].length, 512U);
  auto whole = fs->open(walked.find("/WHOLE.BIN")->address);
  ASSERT_TRUE(whole);
  EXPECT_TRUE((*whole)->gaps().empty());
}

TEST(FatFileSystem, ReportsADirectoryThatCouldNotBeRead) {
  FatImage image;
  const auto directory = image.add_directory(FatImage::kRoot, "LOST       ");
  image.add_file(directory, "FILE    TXT", "inside");
  auto [source, fs] = open(std::make_unique<DamagedSource>(
      make_memory_source(image.bytes()), Gap{FatImage::place(directory), 512, "bad sector"}));
  const Walked walked = walk(*fs);
  const bool told = std::any_of(walked.problems.begin(), walked.problems.end(), [](const Problem& problem) {
    return problem.kind == ProblemKind::unreadable && problem.message.find("/LOST") != std::string::npos;
  });
  EXPECT_TRUE(told);
}

TEST(FatFileSystem, RefusesForgedAddresses) {
  FatImage image;
  image.add_file(FatImage::kRoot, "FILE    TXT", "inside");
  auto [source, fs] = open(image);
  for (const char* address :
       {"", "x", "-1", "3-", "3-128", "3-128-", "3-128-1x", "99999999999999999999", "888888"}) {
    EXPECT_FALSE(fs->open(address)) << address;
  }
  std::vector<Problem> problems;
  EXPECT_FALSE(fs->list(
      {"/x", "no address", {}}, [](Entry&&) { return true; }, problems));
  EXPECT_FALSE(fs->list(
      {"/x", "888888", {}}, [](Entry&&) { return true; }, problems));
}

}  // namespace
}  // namespace touchstone

// Discs that genisoimage writes from a folder: what comes out is what stood in the folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "evidence/digest.hpp"
#include "evidence/exhibit_source.hpp"
#include "filesystem/entry_text.hpp"
#include "filesystem/iso_file_system.hpp"
#include "model/locator.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using test::Scratch;
using test::Walked;

const std::string kLongName(180, 'n');
const std::string kLongTarget = "far/" + std::string(200, 'a') + "/../" + std::string(200, 'b') + "/end";

struct Disc {
  std::unique_ptr<ExhibitSource> image;
  std::vector<Volume> volumes;
  std::unique_ptr<FileSystem> files;
  Walked walked;
};

class Iso : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("genisoimage")) GTEST_SKIP() << "genisoimage is not installed";
    fs::create_directories(in("sub/1/2/3/4/5/6/7/8/9"));
    put("sub/1/2/3/4/5/6/7/8/9/deep.txt", "deep");
    put("A name with spaces, \u00fcml\u00e4ut.text", "umlaut");
    put(kLongName + ".txt", "long");
    put("empty", "");
    put("sub/private", std::string(5'000, 'p'));
    fs::create_symlink("../sub/private", in("sub/link"));
    fs::create_symlink("/etc/passwd", in("absolute"));
    fs::permissions(in("sub/private"), fs::perms(0640));
    ASSERT_TRUE(test::run("touch -h -d '2001-02-03 04:05:06 UTC' " + in("sub/private")));
  }
  std::string in(const std::string& name) const { return scratch_.path("in/" + name); }
  void put(const std::string& name, const std::string& text) { scratch_.write("in/" + name, text); }
  Disc disc(const std::string& options,
            const std::string& maker = "genisoimage -quiet -input-charset utf-8") {
    const std::string path = scratch_.path("disc.iso");
    std::string command = maker;
    command.append(" ").append(options).append(" -V LABEL -o ").append(path).append(" ");
    EXPECT_TRUE(test::run(command + scratch_.path("in") + " 2>/dev/null"));
    Disc out;
    auto opened = open_exhibit(path);
    EXPECT_TRUE(opened);
    if (!opened) return out;
    out.image = opened.take();
    std::vector<Problem> problems;
    out.volumes = list_volumes(*out.image, 2048, problems);
    EXPECT_EQ(out.volumes.size(), 1U);
    EXPECT_EQ(out.volumes.at(0).filesystem, "iso9660");
    EXPECT_EQ(out.volumes.at(0).label, "LABEL");
    auto files = open_file_system(*out.image, 2048, out.volumes.at(0));
    EXPECT_TRUE(files);
    if (files) out.files = files.take();
    if (out.files) out.walked = test::walk(*out.files);
    return out;
  }
  /// Paths below the folder, as the file system of this machine lists them.
  std::set<std::string> expected() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_.path("in")))
      names.insert("/" + entry.path().lexically_relative(scratch_.path("in")).string());
    return names;
  }
  static std::set<std::string> names_of(const Walked& walked) {
    std::set<std::string> names;
    for (const Entry& entry : walked.entries) names.insert(*unescape_path(entry.path));
    return names;
  }
  void expect_folder(const Disc& made) const;
  Scratch scratch_;
};

void expect_as_in_folder(const Entry& entry, const std::string& path, FileSystem& files) {
  struct stat facts {};
  ASSERT_EQ(::lstat(path.c_str(), &facts), 0) << path;
  const auto detail = nlohmann::json::parse(entry.detail);
  EXPECT_EQ(detail.value("mode", ""), detail::mode_text(facts.st_mode)) << path;
  EXPECT_EQ(entry.times.modified.value_or(0) / 1'000'000, facts.st_mtime) << path;
  if (S_ISLNK(facts.st_mode)) {
    EXPECT_EQ(entry.kind, ItemKind::link) << path;
    EXPECT_EQ(detail.value("link_target", ""), fs::read_symlink(path).string());
  }
  if (S_ISREG(facts.st_mode)) {
    EXPECT_EQ(entry.size, static_cast<std::uint64_t>(facts.st_size)) << path;
    EXPECT_EQ(test::content_of(files, entry.address), Scratch::slurp(path)) << path;
  }
}

void Iso::expect_folder(const Disc& made) const {
  ASSERT_TRUE(made.files);
  EXPECT_TRUE(made.walked.problems.empty());
  auto names = names_of(made.walked);
  // Directories deeper than eight lie in one of its own and are led back; what is left of it is empty.
  names.erase("/rr_moved");
  EXPECT_EQ(names, expected());
  for (const Entry& entry : made.walked.entries) {
    const std::string path = *unescape_path(entry.path);
    if (path != "/rr_moved") expect_as_in_folder(entry, in(path.substr(1)), *made.files);
  }
  EXPECT_EQ(made.walked.find("/sub/private")->times.modified, 981'173'106'000'000);
}

TEST_F(Iso, RockRidgeGivesNamesModesTimesAndLinksOfTheFolder) {
  for (const char* options : {"-R", "-R -J -joliet-long", "-R -D"}) {
    SCOPED_TRACE(options);
    expect_folder(disc(options));
  }
}

TEST_F(Iso, RockRidgeOfXorrisoGivesTheSameAndLongTargetsOfLinks) {
  if (!test::has_tool("xorriso")) GTEST_SKIP() << "xorriso is not installed";
  fs::create_symlink(kLongTarget, in("far"));
  for (const char* options : {"-R", "-R -J"}) {
    SCOPED_TRACE(options);
    expect_folder(disc(options, "xorriso -as mkisofs -quiet"));
  }
}

// genisoimage writes only the first part of so long a target, and then something else.
TEST_F(Iso, ALinkWhoseTargetIsCutSaysSo) {
  fs::create_symlink(kLongTarget, in("far"));
  const Disc made = disc("-R");
  ASSERT_EQ(made.walked.problems.size(), 1U);
  EXPECT_THAT(made.walked.problems[0].message, ::testing::StartsWith("/far: "));
}

TEST_F(Iso, JolietGivesNamesAndBytesOfTheFolder) {
  fs::remove_all(in("sub/1"));  // too deep without -D
  Disc made = disc("-J -joliet-long");
  ASSERT_TRUE(made.files);
  std::set<std::string> wanted;
  for (const std::string& name : expected()) {
    // Links have no form there, and names no more than 103 characters.
    if (!fs::is_symlink(in(name.substr(1))) && name.find(kLongName) == std::string::npos) wanted.insert(name);
  }
  const auto names = names_of(made.walked);
  for (const std::string& name : wanted) EXPECT_TRUE(names.contains(name)) << name;
  const Entry* found = made.walked.find("/sub/private");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(test::content_of(*made.files, found->address), std::string(5'000, 'p'));
  EXPECT_EQ(found->times.modified, 981'173'106'000'000);
}

TEST_F(Iso, PlainNamesAreThoseOfIsoinfoWithoutVersions) {
  if (!test::has_tool("isoinfo")) GTEST_SKIP() << "isoinfo is not installed";
  fs::remove_all(in("sub/1"));
  Disc made = disc("-iso-level 3");
  ASSERT_TRUE(made.files);
  test::run("isoinfo -f -i " + scratch_.path("disc.iso") + " > " + scratch_.path("names"));
  std::set<std::string> theirs;
  std::istringstream lines(scratch_.read("names"));
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find(';'));
    theirs.insert(line.ends_with('.') ? line.substr(0, line.size() - 1) : line);
  }
  EXPECT_EQ(names_of(made.walked), theirs);
}

TEST_F(Iso, AFileThatStandsInOneTreeAloneIsListedAndSaysSo) {
  Disc made = disc("-R -J -joliet-long -hide 'empty' -hide 'private'");
  ASSERT_TRUE(made.files);
  const Entry* found = made.walked.find("/sub/private");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(nlohmann::json::parse(found->detail).value("tree", ""), "joliet");
  EXPECT_EQ(test::content_of(*made.files, found->address), std::string(5'000, 'p'));
}

TEST_F(Iso, FreeSpaceAndFilesTogetherAreTheDisc) {
  Disc made = disc("-R -J");
  ASSERT_TRUE(made.files);
  std::vector<Problem> problems;
  std::uint64_t free = 0, end = 0;
  ASSERT_TRUE(made.files->unallocated(
      [&](ByteRange range) {
        EXPECT_GE(range.offset, end);
        end = range.offset + range.length;
        free += range.length;
        return true;
      },
      problems));
  EXPECT_LE(end, made.image->size());
  // Padding at the end and the path tables.
  EXPECT_GE(free, std::uint64_t{150} * 2048);
  EXPECT_LT(free, made.image->size());
}

TEST_F(Iso, DamageEndsAndIsTold) {
  disc("-R");
  std::string bytes = scratch_.read("disc.iso");
  const std::size_t at = bytes.find("PRIVATE");  // 33 bytes behind the start of its record
  ASSERT_NE(at, std::string::npos);
  for (std::size_t i = 0; i < 33; ++i) bytes[at - 33 + i] = static_cast<char>(0xee);
  std::vector<std::byte> copy(bytes.size());
  std::transform(bytes.begin(), bytes.end(), copy.begin(), [](char c) { return static_cast<std::byte>(c); });
  const auto files = detail::open_iso9660(make_memory_source(std::move(copy)));
  const Walked walked = test::walk(*files);
  EXPECT_FALSE(walked.problems.empty());
  EXPECT_NE(walked.find("/empty"), nullptr);
}

}  // namespace
}  // namespace touchstone

// Lists of files that the publishers of images give with them, and what debugfs says of links and attributes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "corpus/filesystem/corpus_image.hpp"
#include "model/locator.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

class ImageContents : public ::testing::Test {
 protected:
  std::string file(const std::string& name) {
    return kCorpus.empty() ? std::string() : unpacked(scratch_, kCorpus + "/" + name);
  }
  Scratch scratch_;
};

#define NEED(path) \
  if ((path).empty()) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) or this file of it is not there"

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

std::int64_t seconds_of(const std::string& text) {
  std::tm parts{};
  std::istringstream in(text);
  in >> std::get_time(&parts, "%Y-%m-%d%n%H:%M:%S");
  return in.fail() ? 0 : static_cast<std::int64_t>(timegm(&parts));
}

/// Path → entry, unescaped, without what only The Sleuth Kit names ($MBR, $FAT1, volume label …).
std::map<std::string, const Entry*> files_of(const Walked& walked) {
  std::map<std::string, const Entry*> files;
  for (const Entry& entry : walked.entries) {
    const auto path = unescape_path(entry.path);
    if (!path || path->starts_with("/$") || path->find("(Volume Label Entry)") != std::string::npos) continue;
    files[*path] = &entry;
  }
  return files;
}

// dfir_ntfs test_exfat_full_1: the list has been made with another implementation (Linux), times of Moscow.
TEST_F(ImageContents, ExfatHasTheFilesSizesAndTimesOfItsPublishersList) {
  const std::string folder = "msuhanov+dfir_ntfs/test_data/";
  const std::string path = file(folder + "exfat_lin_part.raw.gz");
  NEED(path);
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  const auto files = files_of(image.opened[0].walked);
  std::size_t checked = 0;
  const std::string list = kCorpus + "/msuhanov+dfir_ntfs/test_data/exfat_lin_part.txt";
  for (const std::string& line : split(Scratch::slurp(list), '\n')) {
    const auto cells = split(line, '\t');  // "r/r 390:", name, modified, accessed, changed, created, size …
    if (line.starts_with("#") || cells.size() < 7) continue;
    SCOPED_TRACE(line);
    const auto found = files.find("/" + cells[1]);
    ASSERT_NE(found, files.end());
    EXPECT_EQ(std::to_string(found->second->size), cells[6]);
    const std::int64_t modified = found->second->times.modified.value_or(0) / 1'000'000;
    const std::int64_t shift = seconds_of(cells[2].substr(0, 19)) - modified;
    EXPECT_TRUE(shift == 0 || shift == 3 * 3600) << shift;
    ++checked;
  }
  EXPECT_GE(checked, 9U);
}

// dfir_ntfs test_fat32_full: names as deep and as long as they go.
TEST_F(ImageContents, Fat32HasTheFilesAndTimesOfItsPublishersList) {
  const std::string packed = kCorpus + "/msuhanov+dfir_ntfs/test_data/fat32_full_test.tgz";
  if (!std::filesystem::exists(packed)) GTEST_SKIP() << packed << " is not there";
  const std::string path = scratch_.path("fat32.raw");
  ASSERT_TRUE(run("tar -xzOf '" + packed + "' | dd conv=sparse bs=65536 of='" + path + "' 2>/dev/null"));
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  const auto files = files_of(image.opened[0].walked);
  std::size_t checked = 0;
  std::set<std::int64_t> shifts;
  for (const std::string& line :
       split(Scratch::slurp(kCorpus + "/msuhanov+dfir_ntfs/test_data/fat32_full_test.txt"), '\n')) {
    const auto cells = split(line, '\t');
    if (cells.size() < 2 || cells[0].empty() || cells[0] == "/") continue;
    // The Sleuth Kit fills longer names up to whole entries of 13 characters (docs/formats.md).
    constexpr std::size_t kLongestRight = 195;
    const std::string name = cells[0].substr(cells[0].rfind('/') + 1);
    const bool is_filled_up = cells[0].size() > kLongestRight + 1 && name.size() % 13 != 0;
    const auto found = files.find(cells[0]);
    EXPECT_TRUE(is_filled_up || found != files.end()) << line;
    ++checked;
    if (found == files.end()) continue;
    const auto time = found->second->times.modified;
    std::string stated = cells[1].substr(0, 19);
    stated[10] = ' ';
    if (time) shifts.insert(seconds_of(stated) - *time / 1'000'000);
  }
  EXPECT_GT(checked, 250U);
  // Local times of one zone.
  EXPECT_EQ(shifts.size(), 1U);
  EXPECT_EQ(*shifts.begin() % 3600, 0);
  std::size_t listed = 0;
  for (const Entry& entry : image.opened[0].walked.entries)
    listed += entry.allocated && !entry.path.starts_with("/$") ? 1 : 0;
  EXPECT_EQ(listed, checked);
}

// dissect.fat tests/test_exfat.py.
TEST_F(ImageContents, DissectExfat) {
  const std::string path = file("fox-it+dissect.fat/tests/_data/exfat.bin");
  NEED(path);
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  EXPECT_EQ(image.opened[0].volume.label, "THESIS");
  std::map<std::string, std::uint64_t> sizes;
  for (const Entry& entry : image.opened[0].walked.entries) sizes[entry.name] = entry.size;
  EXPECT_EQ(sizes["cat.jpg"], 88'786U);
  EXPECT_EQ(sizes["find_me.txt"], 9U);
}

// dissect.extfs tests/test_ext4.py.
TEST_F(ImageContents, DissectExt4) {
  const std::string path = file("fox-it+dissect.extfs/tests/data/ext4.bin.gz");
  NEED(path);
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  const Entry* entry = image.opened[0].walked.find("/test_file");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->size, 26U);
  EXPECT_EQ(content_of(*image.opened[0].fs, entry->address), "dissect test file in ext4\n");
}

/// Target of a link by debugfs: 'Fast link dest: "…"', or the content of a long one.
std::string target_by_debugfs(const std::string& image, const std::string& path, const Scratch& scratch) {
  run("debugfs -R 'stat \"" + path + "\"' '" + image + "' > '" + scratch.path("stat") + "' 2>/dev/null");
  const std::string said = scratch.read("stat");
  static const std::regex form("[Ff]ast_?\\s?link dest: \"([^\"]*)\"");
  std::smatch parts;
  if (std::regex_search(said, parts, form)) return parts[1];
  run("debugfs -R 'cat \"" + path + "\"' '" + image + "' > '" + scratch.path("cat") + "' 2>/dev/null");
  return scratch.read("cat");
}

TEST_F(ImageContents, LinksOfExt4LeadWhereDebugfsSays) {
  if (!has_tool("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  std::size_t checked = 0;
  for (const char* number : {"", "2", "3"}) {
    const std::string path =
        file("fox-it+dissect.extfs/tests/data/ext4_symlink_test" + std::string(number) + ".bin.gz");
    NEED(path);
    OpenImage image = open_image(path);
    ASSERT_EQ(image.opened.size(), 1U);
    for (const Entry& entry : image.opened[0].walked.entries) {
      if (entry.kind != ItemKind::link || !entry.allocated) continue;
      const std::string target = nlohmann::json::parse(entry.detail).value("link_target", "");
      EXPECT_FALSE(target.empty()) << entry.path;
      EXPECT_EQ(target, target_by_debugfs(path, *unescape_path(entry.path), scratch_)) << entry.path;
      ++checked;
    }
  }
  EXPECT_GE(checked, 3U);
}

// dissect.ffs tests/test_ffs.py: a chain of links that leads to path/to/dir.
TEST_F(ImageContents, LinksOfUfsHaveTargets) {
  for (const char* number : {"1", "2", "3"}) {
    const std::string path =
        file("fox-it+dissect.ffs/tests/data/ffs_symlink_test" + std::string(number) + ".bin.gz");
    NEED(path);
    OpenImage image = open_image(path);
    ASSERT_EQ(image.opened.size(), 1U);
    EXPECT_NE(image.opened[0].walked.find("/path/to/dir"), nullptr);
    std::size_t links = 0;
    for (const Entry& entry : image.opened[0].walked.entries) {
      if (entry.kind != ItemKind::link) continue;
      EXPECT_THAT(entry.detail, HasSubstr("\"link_target\":\"")) << entry.path;
      ++links;
    }
    EXPECT_GE(links, 1U);
  }
}

struct By7Zip {
  std::string size, modified, created, accessed, mode;
};

/// "Path = volume/…", "Size = …" of `7z l -slt`, times in UTC; streams of a file apart, "path:name".
std::map<std::string, By7Zip> listed_by_7zip(const std::string& image, const Scratch& scratch) {
  run("TZ=UTC 7z l -slt '" + image + "' > '" + scratch.path("7z") + "'");
  std::map<std::string, By7Zip> files;
  By7Zip* current = nullptr;
  const std::string text = scratch.read("7z");
  std::istringstream lines(text.substr(std::min(text.find("----------"), text.size())));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(" = ");
    if (at == std::string::npos) continue;
    const std::string key = line.substr(0, at), value = line.substr(at + 3);
    if (key == "Path") {
      const std::size_t slash = value.find('/');
      current = slash == std::string::npos ? nullptr : &files[value.substr(slash)];
    }
    if (current == nullptr) continue;
    if (key == "Size") current->size = value;
    if (key == "Modified") current->modified = value;
    if (key == "Created") current->created = value;
    if (key == "Accessed") current->accessed = value;
    if (key == "Mode") current->mode = value;
  }
  return files;
}

void expect_time(const std::optional<TimeUs>& ours, const std::string& theirs) {
  if (theirs.empty()) return;
  EXPECT_EQ(ours.value_or(0) / 1'000'000, seconds_of(theirs.substr(0, 19)));
}

// 7-Zip's reader of HFS+ shares no code with The Sleuth Kit's.
TEST_F(ImageContents, HfsPlusHasSizesTimesModesAndLinksAs7ZipReadsThem) {
  const std::string path = file("log2timeline+dfvfs/test_data/hfsplus.raw");
  NEED(path);
  if (!has_tool("7z")) GTEST_SKIP() << "7z is not installed";
  OpenImage image = open_image(path);
  ASSERT_EQ(image.opened.size(), 1U);
  const auto theirs = listed_by_7zip(path, scratch_);
  std::size_t compared = 0;
  for (const Entry& entry : image.opened[0].walked.entries) {
    const auto found = theirs.find(*unescape_path(entry.path));
    if (found == theirs.end() || entry.kind == ItemKind::stream) continue;
    SCOPED_TRACE(entry.path);
    ++compared;
    expect_time(entry.times.modified, found->second.modified);
    expect_time(entry.times.created, found->second.created);
    expect_time(entry.times.accessed, found->second.accessed);
    EXPECT_EQ(nlohmann::json::parse(entry.detail).value("mode", ""), found->second.mode.substr(1));
    if (entry.kind == ItemKind::file) {
      EXPECT_EQ(std::to_string(entry.size), found->second.size);
    }
  }
  EXPECT_GE(compared, 8U);
  // The target of the link, byte for byte as 7-Zip unpacks it. It does not show the fork, which stands among
  // the attributes.
  const Walked& walked = image.opened[0].walked;
  const Entry* link = walked.find("/a_link");
  ASSERT_NE(link, nullptr);
  run("7z x -so '" + path + "' hfsplus_test/a_link > '" + scratch_.path("link") + "'");
  EXPECT_EQ(nlohmann::json::parse(link->detail).value("link_target", ""), scratch_.read("link"));
}

}  // namespace
}  // namespace touchstone::test

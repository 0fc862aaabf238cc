// libarchive's own discs: names as isoinfo lists them, by the extension that isoinfo reads too, and bytes as
// 7-Zip unpacks them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "corpus/facts/manifest.hpp"
#include "corpus/filesystem/corpus_image.hpp"
#include "model/locator.hpp"
#include "support/uudecode.hpp"

namespace touchstone::test {
namespace {

using Names = std::set<std::string>;

/// Option: R (Rock Ridge), J (Joliet) or none.
Names names_of_isoinfo(const std::string& path, const std::string& option, const Scratch& scratch) {
  run("timeout 20 isoinfo " + option + " -f -i '" + path + "' > '" + scratch.path("names") + "' 2>/dev/null");
  Names names;
  std::istringstream lines(scratch.read("names"));
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t at = line.rfind(";1"); at != std::string::npos && at + 2 == line.size())
      line.resize(at);
    if (line.size() > 1 && line.ends_with('.')) line.pop_back();
    names.insert(line);
  }
  return names;
}

class DiscFacts : public ::testing::Test {
 protected:
  /// The disc of a row, decoded and unpacked.
  std::string disc(const ManifestRow& row) {
    const std::string name = std::filesystem::path(row.path).stem().string();
    scratch_.write(name, uudecode(Scratch::slurp(kCorpus + "/" + row.path)));
    run("gzip -dc '" + scratch_.path(name) + "' > '" + scratch_.path("disc.iso") + "' 2>/dev/null");
    return scratch_.path("disc.iso");
  }
  Scratch scratch_;
};

TEST_F(DiscFacts, OfLibarchiveHaveTheNamesThatIsoinfoLists) {
  if (!has_tool("isoinfo")) GTEST_SKIP() << "isoinfo is not installed";
  std::size_t compared = 0;
  for (const ManifestRow& row : manifest()) {
    if (!row.path.ends_with(".iso.Z.uu")) continue;
    SCOPED_TRACE(row.path);
    const std::string path = disc(row);
    OpenImage image = open_image(path);
    ASSERT_EQ(image.opened.size(), 1U);
    const bool is_loop = row.path.find("ce_loop") != std::string::npos;
    Names ours;
    for (const Entry& entry : image.opened[0].walked.entries) ours.insert(*unescape_path(entry.path));
    EXPECT_EQ(image.opened[0].walked.problems.empty(), !is_loop);
    ++compared;
    if (is_loop) continue;  // isoinfo goes round
    const bool rock =
        run("isoinfo -d -i '" + path + "' 2>/dev/null | grep -q 'Rock Ridge signatures version'");
    const bool joliet = row.path.find("joliet") != std::string::npos;
    Names theirs = names_of_isoinfo(path, rock ? "-R" : joliet ? "-J" : "", scratch_);
    // Where directories that lie too deep are kept; they are shown where they belong.
    std::erase_if(theirs, [](const std::string& name) { return name.find("rr_moved") != std::string::npos; });
    std::erase_if(ours, [](const std::string& name) { return name.find("rr_moved") != std::string::npos; });
    if (row.path.find("rr_moved") != std::string::npos) {
      for (const std::string& name : theirs) EXPECT_TRUE(ours.contains(name)) << name;
      EXPECT_TRUE(ours.contains("/dir1/dir2/dir3/dir4/dir5/dir6/dir7/dir8/dir9/dir10/deep"));
      continue;
    }
    EXPECT_EQ(ours, theirs);
  }
  if (compared == 0) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_EQ(compared, 11U);
}

TEST_F(DiscFacts, OfLibarchiveHaveTheBytesThat7ZipUnpacks) {
  if (!has_tool("7z")) GTEST_SKIP() << "7z is not installed";
  std::size_t compared = 0;
  for (const ManifestRow& row : manifest()) {
    // 7-Zip does not unpack zisofs.
    if (!row.path.ends_with(".iso.Z.uu") || row.path.find("ce_loop") != std::string::npos ||
        row.path.find("zisofs") != std::string::npos)
      continue;
    SCOPED_TRACE(row.path);
    const std::string path = disc(row), out = scratch_.path("out");
    std::filesystem::remove_all(out);
    std::string command = "timeout 20 7z x -y -o'";
    command.append(out).append("' '").append(path).append("' > /dev/null 2>&1");
    run(command);
    OpenImage image = open_image(path);
    ASSERT_EQ(image.opened.size(), 1U);
    std::set<std::string> ours = digests_of(image.opened[0], false);
    for (const auto& [digest, name] : digests_below(out)) {
      EXPECT_TRUE(ours.contains(digest)) << name;
      ++compared;
    }
  }
  if (manifest().empty()) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_GE(compared, 8U);
}

}  // namespace
}  // namespace touchstone::test

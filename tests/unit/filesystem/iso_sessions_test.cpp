// Discs of several sessions, written by genisoimage (as growisofs and wodim call it) and xorriso.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "evidence/exhibit_source.hpp"
#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using test::Scratch;
using ::testing::HasSubstr;

class IsoSessions : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("genisoimage") || !test::has_tool("xorriso"))
      GTEST_SKIP() << "genisoimage or xorriso is not installed";
    fs::create_directories(scratch_.path("first/kept"));
    fs::create_directories(scratch_.path("second"));
    scratch_.write("first/kept/same.txt", "in both");
    scratch_.write("first/changed.txt", "before");
    scratch_.write("first/removed.txt", "of the first session alone");
    scratch_.write("second/changed.txt", "after it was changed");
    scratch_.write("second/added.txt", "of the second");
  }
  std::string disc() const { return scratch_.path("disc.iso"); }
  void open() {
    auto opened = open_exhibit(disc());
    ASSERT_TRUE(opened);
    image_ = opened.take();
    std::vector<Problem> problems;
    volumes_ = list_volumes(*image_, 2048, problems);
    ASSERT_EQ(volumes_.size(), 1U);
    auto files = open_file_system(*image_, 2048, volumes_[0]);
    ASSERT_TRUE(files);
    files_ = files.take();
    walked_ = test::walk(*files_);
    EXPECT_TRUE(walked_.problems.empty());
  }
  /// Content of the files that are there, or only were, by path.
  std::multimap<std::string, std::string> contents(bool allocated) {
    std::multimap<std::string, std::string> found;
    for (const Entry& entry : walked_.entries) {
      if (entry.kind == ItemKind::file && entry.allocated == allocated)
        found.emplace(entry.path, test::content_of(*files_, entry.address));
    }
    return found;
  }
  Scratch scratch_;
  std::unique_ptr<ExhibitSource> image_;
  std::vector<Volume> volumes_;
  std::unique_ptr<FileSystem> files_;
  test::Walked walked_;
};

using Contents = std::multimap<std::string, std::string>;

TEST_F(IsoSessions, TheLastIsReadAndWhatOnlyEarlierOnesHaveIsDeleted) {
  // The second session of a CD begins 11,400 sectors behind the first, which lead-out and lead-in take.
  for (const std::uint64_t gap : {std::uint64_t{32}, std::uint64_t{11'400}}) {
    ASSERT_TRUE(test::run("genisoimage -quiet -R -J -V FIRST -o " + disc() + " " + scratch_.path("first")));
    const std::uint64_t start = (fs::file_size(disc()) / 2048 / 32 + 1) * 32 + gap;
    std::string command = "genisoimage -quiet -R -J -V SECOND -C 0,";
    command.append(std::to_string(start))
        .append(" -M ")
        .append(disc())
        .append(" -o ")
        .append(scratch_.path("more"));
    ASSERT_TRUE(test::run(command + " " + scratch_.path("second")));
    fs::resize_file(disc(), start * 2048);
    ASSERT_TRUE(test::run("cat " + scratch_.path("more") + " >> " + disc()));
    open();
    EXPECT_EQ(volumes_[0].label, "SECOND");
    EXPECT_EQ(volumes_[0].state, VolumeState::read);
    EXPECT_THAT(volumes_[0].reason, HasSubstr("2 sessions"));
    // genisoimage keeps what the earlier session had: removed.txt is still there.
    EXPECT_EQ(contents(true), (Contents{{"/added.txt", "of the second"},
                                        {"/changed.txt", "after it was changed"},
                                        {"/kept/same.txt", "in both"},
                                        {"/removed.txt", "of the first session alone"}}));
    EXPECT_EQ(contents(false), (Contents{{"/changed.txt", "before"}}));
  }
}

TEST_F(IsoSessions, FilesRemovedOnMediaThatCanBeOverwrittenAreFound) {
  const auto burn = [&](const std::string& what) {
    return test::run("xorriso -dev " + disc() + " -joliet on " + what + " -commit");
  };
  ASSERT_TRUE(
      test::run("xorriso -outdev " + disc() + " -joliet on -map " + scratch_.path("first") + " / -commit"));
  ASSERT_TRUE(burn("-rm /removed.txt -- -map " + scratch_.path("second/changed.txt") + " /changed.txt"));
  ASSERT_TRUE(burn("-map " + scratch_.path("second/added.txt") + " /added.txt"));
  open();
  EXPECT_THAT(volumes_[0].reason, HasSubstr("3 sessions"));
  EXPECT_EQ(contents(true), (Contents{{"/added.txt", "of the second"},
                                      {"/changed.txt", "after it was changed"},
                                      {"/kept/same.txt", "in both"}}));
  EXPECT_EQ(contents(false),
            (Contents{{"/changed.txt", "before"}, {"/removed.txt", "of the first session alone"}}));
  const Entry* removed = walked_.find("/removed.txt");
  ASSERT_NE(removed, nullptr);
  EXPECT_EQ(nlohmann::json::parse(removed->detail).value("session", 0), 1);
}

TEST_F(IsoSessions, ADiscThatLiesOnADiscAsAFileIsNoSession) {
  ASSERT_TRUE(test::run("genisoimage -quiet -R -V INNER -o " + scratch_.path("second/inner.iso") + " " +
                        scratch_.path("first")));
  ASSERT_TRUE(test::run("genisoimage -quiet -R -V OUTER -o " + disc() + " " + scratch_.path("second")));
  // A disc of which the descriptor says less than there is, so that what lies behind is looked through.
  ASSERT_TRUE(test::run("cat " + scratch_.path("second/inner.iso") + " >> " + disc()));
  open();
  EXPECT_EQ(volumes_[0].label, "OUTER");
  EXPECT_TRUE(contents(false).empty());
  EXPECT_EQ(contents(true).size(), 3U);
}

}  // namespace
}  // namespace touchstone

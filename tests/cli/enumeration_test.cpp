// Directories that lead to each other in 2^40 ways: the run ends at once, lists each of them once and says
// so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"
#include "unit/filesystem/fat_image.hpp"

namespace touchstone::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kDepth = 40;

/// Each directory has two names for the next one.
std::string doubling_directories() {
  test::FatImage fat("FORGED     ");
  std::uint16_t directory = test::FatImage::kRoot;
  for (int i = 0; i < kDepth; ++i) {
    const std::uint16_t next = fat.add_directory(directory, "RIGHT      ");
    fat.add_entry(directory, "LEFT       ", 0x10, next, 0);
    directory = next;
  }
  fat.add_file(directory, "DEEP    TXT", "inside");
  const auto& bytes = fat.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Enumeration, DirectoriesThatDoubleAtEachLevelAreListedOnce) {
  const FreshFolder folder;
  write_file(folder.path("forged.img"), doubling_directories());
  for (const char* jobs : {"1", "3", "0"}) {
    const std::string out = std::string("out") + jobs;
    const RunResult result = run({program(), "triage", "--quiet", "--jobs", jobs, "--out", folder.text(out),
                                  "F/1=" + folder.text("forged.img")});
    EXPECT_EQ(result.exit_code, 1) << result.error;
    EXPECT_THAT(query(folder.path(out), "SELECT count(*) FROM item WHERE name IN ('LEFT', 'RIGHT')"),
                ElementsAre(std::to_string(2 * kDepth)));
    std::string path;
    for (int i = 0; i < kDepth; ++i) path += "/LEFT";
    EXPECT_THAT(query(folder.path(out), "SELECT path, state FROM item WHERE name = 'DEEP.TXT'"),
                ElementsAre(path + "/DEEP.TXT|examined"));
    EXPECT_THAT(query(folder.path(out), "SELECT reason FROM item WHERE path = '/RIGHT'"),
                ElementsAre(HasSubstr("the same directory as F/1:p0/LEFT;")));
    EXPECT_THAT(
        query(folder.path(out),
              "SELECT message FROM problem WHERE kind = 'limit' AND message LIKE '%stand elsewhere%'"),
        SizeIs(kDepth));
    EXPECT_THAT(query(folder.path(out), "SELECT count(*) FROM item WHERE state = 'pending'"),
                ElementsAre("0"));
  }
  EXPECT_EQ(exports(folder.path("out1")), exports(folder.path("out3")));
}

}  // namespace
}  // namespace touchstone::testing

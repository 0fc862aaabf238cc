// The images of e2fsprogs' own tests, each damaged in a way that its source names: the whole program ends,
// says what it could not read, and nothing that the damage does not concern is lost.
#include <gmock/gmock.h>

#include <algorithm>

#include "corpus/triage/triage_run.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

class DamagedExt : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path cases = fs::path(kCorpus) / "tytso+e2fsprogs/tests";
    if (kCorpus.empty() || !fs::is_directory(cases))
      GTEST_SKIP() << "no images of e2fsprogs (TOUCHSTONE_CORPUS)";
    std::vector<std::string> command = {
        program(),    "triage", "--quiet",          "--only", "hashes",
        "--previews", "none",   "--no-unallocated", "--out",  out_.path("case").string()};
    for (const auto& each : fs::directory_iterator(cases)) {
      if (!fs::exists(each.path() / "image.gz")) continue;
      const fs::path image = out_.path(each.path().filename().string());
      // Some are of gigabytes, nearly all of them holes.
      ASSERT_EQ(run({"sh", "-c", R"(gzip -dc "$0" | dd conv=sparse bs=4096 of="$1")",
                     (each.path() / "image.gz").string(), image.string()})
                    .exit_code,
                0)
          << image;
      command.push_back(image.filename().string() + "=" + image.string());
      ++images_;
    }
    std::sort(command.end() - images_, command.end());
    result_ = run(command);
  }
  std::vector<std::string> rows(const std::string& sql) { return query(out_.path("case"), sql); }
  std::string one(const std::string& sql) {
    const auto found = rows(sql);
    return found.empty() ? "none" : found[0];
  }
  std::string problems_of(const std::string& image) {
    return one("SELECT count(*) FROM problem JOIN exhibit ON exhibit.id = exhibit_id WHERE ref = '" + image +
               "'");
  }

  FreshFolder out_;
  RunResult result_;
  std::ptrdiff_t images_ = 0;
};

TEST_F(DamagedExt, EachEndsAndSaysWhatCannotBeRead) {
  EXPECT_EQ(result_.exit_code, 1) << result_.error;
  expect_states_add_up(out_.path("case"));
  EXPECT_EQ(one("SELECT count(DISTINCT exhibit_id) FROM volume"), std::to_string(images_));
  EXPECT_EQ(one("SELECT count(*) FROM item WHERE state = 'timed_out'"), "0");
  EXPECT_EQ(one("SELECT count(*) FROM item WHERE state = 'failed' AND coalesce(reason, '') = ''"), "0");
  // Their source names: the root is a file; inode tables at impossible places; extents that are none.
  for (const char* image : {"f_badroot", "f_illitable", "f_illibitmap", "f_badsymlinks",
                            "f_extent_int_bad_magic", "f_extent_too_deep"}) {
    EXPECT_NE(problems_of(image), "0") << image;
  }
  // Sound, as their source says: "8193 block long filesystem", "clean check for intentionally shared blocks".
  for (const char* image : {"f_okgroup", "f_shared_blocks_ok", "f_desc_size_128"})
    EXPECT_EQ(problems_of(image), "0") << image;
  // Of the first revision: The Sleuth Kit itself sees nothing there. The names are those of e2fsck's answers.
  const auto names = [&](const std::string& image) {
    return rows("SELECT item.path FROM item JOIN exhibit ON exhibit.id = exhibit_id WHERE ref = '" + image +
                "'");
  };
  EXPECT_THAT(names("f_baddir"), ::testing::IsSupersetOf({"/zero", "/test"}));
  EXPECT_THAT(names("f_misstable"), ::testing::IsSupersetOf({"/etc", "/lost+found"}));
}

}  // namespace
}  // namespace touchstone::testing

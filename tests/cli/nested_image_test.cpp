// An image that is itself a file of an exhibit is opened in turn, and gives what it gives as an exhibit.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "casefile/sqlite.hpp"
#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

/// Digest by locator, with what stands before the volume cut off.
std::map<std::string, std::string> contents(const fs::path& folder, const std::string& prefix) {
  Database db((folder / "case.db").string(), Database::Mode::read_only);
  auto query = db.prepare("SELECT locator, sha256 FROM item WHERE sha256 IS NOT NULL AND kind <> 'virtual'");
  std::map<std::string, std::string> out;
  while (query.step()) {
    const std::string locator = query.text(0);
    if (locator.starts_with(prefix)) out[locator.substr(prefix.size())] = query.text(1);
  }
  return out;
}

class NestedImage : public ::testing::Test {
 protected:
  void SetUp() override {
    const RunResult unpacked =
        run({std::string(TOUCHSTONE_SOURCE_DIR) + "/sample_images/unpack", folder_.text("samples")});
    ASSERT_EQ(unpacked.exit_code, 0) << unpacked.error;
    ASSERT_EQ(triage("direct", "D=" + stick_), 0);
    direct_ = contents(folder_.path("direct"), "D:");
    ASSERT_GT(direct_.size(), 5U);
    fs::create_directories(folder_.path("tree/deep"));
  }
  int triage(const std::string& out, const std::string& exhibit) {
    const RunResult result = run({program(), "triage", "--quiet", "--previews", "none", "--without",
                                  "explicit", "--out", folder_.text(out), exhibit});
    EXPECT_LE(result.exit_code, 1) << result.error;
    return result.exit_code;
  }

  FreshFolder folder_;
  std::string stick_ = folder_.text("samples/usb_stick.img");
  std::map<std::string, std::string> direct_;
};

TEST_F(NestedImage, RawImageInAFolderIsOpened) {
  fs::copy_file(stick_, folder_.path("tree/deep/any.name"));
  triage("out", "T=" + folder_.text("tree"));
  EXPECT_EQ(contents(folder_.path("out"), "T:p0/deep/any.name!"), direct_);
}

TEST_F(NestedImage, ImageInAnArchiveInAnImageIsOpened) {
  if (!have("zip") || !have("mkfs.ext4")) GTEST_SKIP() << "needs zip and e2fsprogs";
  ASSERT_EQ(run({"zip", "-q", "-j", folder_.text("tree/deep/disk.zip"), stick_}).exit_code, 0);
  const std::string outer = folder_.text("outer.img");
  ASSERT_EQ(
      run({"mkfs.ext4", "-q", "-O", "^has_journal", "-d", folder_.text("tree"), outer, "64M"}).exit_code, 0);
  triage("out", "T=" + outer);
  const auto found = contents(folder_.path("out"), "T:p0/deep/disk.zip");
  std::map<std::string, std::string> inside;
  for (const auto& [locator, sha256] : found) {
    const std::size_t at = locator.find("usb_stick.img!p");
    if (at != std::string::npos) inside[locator.substr(at + 14)] = sha256;
  }
  EXPECT_EQ(inside, direct_);
}

TEST_F(NestedImage, VirtualDisksGiveTheSame) {
  if (!have("qemu-img")) GTEST_SKIP() << "needs qemu-utils";
  for (const char* format : {"vmdk", "qcow2", "vpc"}) {
    const std::string disk = folder_.text("tree/deep/" + std::string(format));
    ASSERT_EQ(run({"qemu-img", "convert", "-O", format, stick_, disk}).exit_code, 0);
  }
  triage("out", "T=" + folder_.text("tree"));
  // A disk of VirtualPC has whole cylinders: more space after the last volume, the same files.
  const auto files = [](std::map<std::string, std::string> all) {
    std::erase_if(all, [](const auto& each) { return each.first.find('@') != std::string::npos; });
    return all;
  };
  for (const char* format : {"vmdk", "qcow2", "vpc"}) {
    EXPECT_EQ(files(contents(folder_.path("out"), "T:p0/deep/" + std::string(format) + "!")), files(direct_))
        << format;
  }
}

TEST_F(NestedImage, IsoIsOpenedAsAFileAndInAnArchive) {
  if (!have("genisoimage") || !have("7z")) GTEST_SKIP() << "needs genisoimage and 7z";
  fs::create_directories(folder_.path("disc/letters"));
  write_file(folder_.path("disc/letters/note.txt"), "written on a disc\n");
  const std::string iso = folder_.text("tree/deep/disc.iso");
  ASSERT_EQ(run({"genisoimage", "-quiet", "-J", "-R", "-o", iso, folder_.text("disc")}).exit_code, 0);
  ASSERT_EQ(run({"7z", "a", folder_.text("tree/disc.7z"), iso}).exit_code, 0);
  triage("out", "T=" + folder_.text("tree"));
  const auto found = contents(folder_.path("out"), "T:p0/");
  std::map<std::string, int> notes;
  for (const auto& [locator, sha256] : found) {
    if (locator.find("/note.txt") == std::string::npos) continue;
    // printf 'written on a disc\n' | sha256sum
    EXPECT_EQ(sha256, "a9e884299b225fc5f777b6487115d9e2f856e6879f88c39d524daf05781ae221") << locator;
    ++notes[locator.substr(0, locator.find("!p0"))];
  }
  EXPECT_EQ(notes, (std::map<std::string, int>{{"deep/disc.iso", 1}, {"disc.7z!/disc.iso", 1}}));
}

TEST_F(NestedImage, IsTheSameWhateverTheWorkers) {
  fs::copy_file(stick_, folder_.path("tree/deep/any.name"));
  for (const char* jobs : {"0", "1", "3"}) {
    const RunResult result =
        run({program(), "triage", "--quiet", "--jobs", jobs, "--without", "explicit", "--out",
             folder_.text("jobs" + std::string(jobs)), "T=" + folder_.text("tree")});
    EXPECT_LE(result.exit_code, 1) << result.error;
  }
  const auto one = exports(folder_.path("jobs1"));
  EXPECT_EQ(exports(folder_.path("jobs0")), one);
  EXPECT_EQ(exports(folder_.path("jobs3")), one);
}

}  // namespace
}  // namespace touchstone::testing

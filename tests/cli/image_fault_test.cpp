// Exhibits as they should not be: a clear message, the right exit code, and nothing lost that could be read.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

class ImageFault : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have("mke2fs") || !have("ewfacquire")) GTEST_SKIP() << "mke2fs or ewfacquire is not installed";
    // Noise does not compress, so that chunks are spread over the segments.
    std::string noise(6 << 20, '\0');
    std::uint32_t state = 12345;
    for (char& c : noise) {
      state = state * 1664525U + 1013904223U;
      c = static_cast<char>(state >> 24);
    }
    write_file(folder_.path("files/noise.bin"), noise);
    write_file(folder_.path("files/aaa.txt"), "first");
    make_ext4(folder_.path("files"), folder_.path("image"), 12);
  }

  void acquire(const std::string& name, const std::string& segment_size) {
    const RunResult made = acquire_e01(folder_.text("image"), folder_.text(name), segment_size);
    ASSERT_EQ(made.exit_code, 0) << made.error;
  }

  RunResult triage(const std::string& exhibit, const std::string& out = "case") {
    return run({program(), "triage", "--quiet", "--without", "explicit", "--out", folder_.text(out),
                "X/1=" + exhibit});
  }
  void flip(const std::string& name, std::uint64_t offset) {
    std::fstream file(folder_.path(name), std::ios::in | std::ios::out | std::ios::binary);
    char byte = 0;
    file.seekg(static_cast<std::streamoff>(offset)).read(&byte, 1);
    byte = static_cast<char>(byte ^ 0x55);
    file.seekp(static_cast<std::streamoff>(offset)).write(&byte, 1);
  }
  std::vector<std::string> rows(const std::string& sql) { return query(folder_.path("case"), sql); }

  FreshFolder folder_;
};

TEST_F(ImageFault, SoundE01IsVerifiedAndCompleteAndLikeRaw) {
  acquire("whole", "1 GiB");
  EXPECT_EQ(triage(folder_.text("whole.E01")).exit_code, 0);
  EXPECT_EQ(rows("SELECT verified, md5 = stored_md5 FROM exhibit"), std::vector<std::string>{"1|1"});
  EXPECT_EQ(triage(folder_.text("image"), "raw").exit_code, 0);
  const std::string sql = "SELECT locator, sha256 FROM item ORDER BY locator";
  EXPECT_EQ(query(folder_.path("case"), sql), query(folder_.path("raw"), sql));
}

TEST_F(ImageFault, FlippedByteInAChunkIsNamedAndTheRestIsExamined) {
  acquire("bad", "1 GiB");
  flip("bad.E01", 3'000'000);
  const RunResult result = triage(folder_.text("bad.E01"));
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_NE(rows("SELECT count(*) FROM problem WHERE kind IN ('integrity', 'unreadable')"),
            std::vector<std::string>{"0"});
  EXPECT_EQ(rows("SELECT state FROM item WHERE name = 'aaa.txt'"), std::vector<std::string>{"examined"});
}

TEST_F(ImageFault, WrongStoredHashIsNotAnUnreadableImage) {
  acquire("hash", "1 GiB");
  // The hash section's MD5 stands in the last kilobyte, after the section's own name.
  const std::string bytes = read_file(folder_.path("hash.E01"));
  const std::size_t section = bytes.rfind("hash");
  ASSERT_NE(section, std::string::npos);
  flip("hash.E01", section + 76 + 3);
  const RunResult result = triage(folder_.text("hash.E01"));
  EXPECT_EQ(result.exit_code, 3) << result.out << result.error;
  EXPECT_EQ(rows("SELECT count(*) FROM item WHERE state = 'examined' AND name IN ('aaa.txt', 'noise.bin')"),
            std::vector<std::string>{"2"});
  EXPECT_EQ(rows("SELECT kind FROM problem WHERE exhibit_id = 1 GROUP BY 1"),
            std::vector<std::string>{"integrity"});
}

TEST_F(ImageFault, MissingSegmentIsNamed) {
  acquire("split", "2 MiB");
  ASSERT_TRUE(fs::exists(folder_.path("split.E03")));
  fs::remove(folder_.path("split.E03"));
  const RunResult result = triage(folder_.text("split.E01"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE((result.error + result.out).find("split.E03"), std::string::npos) << result.error << result.out;
}

TEST_F(ImageFault, TruncatedE01IsSaid) {
  acquire("cut", "1 GiB");
  fs::resize_file(folder_.path("cut.E01"), fs::file_size(folder_.path("cut.E01")) / 2);
  const RunResult result = triage(folder_.text("cut.E01"));
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_NE((result.error + result.out).find("cut.E01"), std::string::npos) << result.error << result.out;
}

TEST_F(ImageFault, EmptyFileIsSaid) {
  write_file(folder_.path("empty.dd"), "");
  const RunResult result = triage(folder_.text("empty.dd"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE((result.error + result.out).find("is empty"), std::string::npos) << result.error << result.out;
}

TEST_F(ImageFault, SnapshotsInsideAnImageAreSaidAndTheDiskIsWhole) {
  if (!have("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder_.text("image"),
                                 folder_.text("image.qcow2")},
        {"qemu-img", "snapshot", "-c", "before", folder_.text("image.qcow2")}})
    ASSERT_EQ(run(command).exit_code, 0);
  EXPECT_EQ(triage(folder_.text("image.qcow2")).exit_code, 1);
  EXPECT_EQ(rows("SELECT kind, message FROM problem"),
            std::vector<std::string>{"unsupported|the image holds 1 internal snapshots, which are not read"});
  EXPECT_EQ(rows("SELECT count(*) FROM item WHERE name = 'noise.bin' AND state = 'examined'"),
            std::vector<std::string>{"1"});
}

TEST_F(ImageFault, TextFileIsNoImageButLosesNothing) {
  write_file(folder_.path("notes.txt"), std::string(5000, 'x') + "these are notes, not an image");
  const RunResult result = triage(folder_.text("notes.txt"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(rows("SELECT state FROM volume"), std::vector<std::string>{"unsupported"});
  EXPECT_EQ(rows("SELECT length(sha256) FROM exhibit"), std::vector<std::string>{"64"});
}

TEST_F(ImageFault, MissingAndUnreadablePathsAreSaidAndTheOtherExhibitIsExamined) {
  const RunResult result =
      run({program(), "triage", "--quiet", "--without", "explicit", "--out", folder_.text("case"),
           "A/1=" + folder_.text("not-there.dd"), "A/2=" + folder_.text("image")});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE((result.error + result.out).find("not-there.dd"), std::string::npos);
  EXPECT_EQ(rows("SELECT count(*) FROM item WHERE name = 'aaa.txt' AND state = 'examined'"),
            std::vector<std::string>{"1"});
}

TEST_F(ImageFault, OutputInsideEvidenceIsRefused) {
  const RunResult inside =
      run({program(), "triage", "--out", folder_.text("files/case"), "X/1=" + folder_.text("files")});
  EXPECT_EQ(inside.exit_code, 2) << inside.error << inside.out;
  const RunResult around =
      run({program(), "triage", "--out", folder_.text(), "X/1=" + folder_.text("image")});
  EXPECT_EQ(around.exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_.path("case.db")));
}

TEST_F(ImageFault, FullDiskIsSaidAndResumedLater) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  fs::create_directories(folder_.path("small"));
  if (run({"mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder_.text("small")}).exit_code != 0)
    GTEST_SKIP() << "no mount here";
  const RunResult full = triage(folder_.text("image"), "small/case");
  EXPECT_EQ(full.exit_code, 4) << full.error << full.out;
  EXPECT_NE(full.error.find("full"), std::string::npos) << full.error;
  run({"mount", "-o", "remount,size=64m", folder_.text("small")});
  EXPECT_EQ(triage(folder_.text("image"), "small/case").exit_code, 0);
  EXPECT_EQ(query(folder_.path("small/case"),
                  "SELECT count(*) FROM item WHERE name = 'aaa.txt' AND state = 'examined'"),
            std::vector<std::string>{"1"});
  run({"umount", folder_.text("small")});
}

}  // namespace
}  // namespace touchstone::testing

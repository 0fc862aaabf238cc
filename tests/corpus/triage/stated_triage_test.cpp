// The whole program on images whose facts their publishers state, and on damaged and hostile ones.
#include <algorithm>

#include "corpus/triage/triage_run.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

fs::path in_corpus(const std::string& name) {
  return fs::path(kCorpus) / name;
}

#define NEED_CORPUS(path) \
  if (kCorpus.empty() || !fs::exists(path)) GTEST_SKIP() << (path) << " is not there (TOUCHSTONE_CORPUS)"

// bulk_extractor's own test: text in four segments. ewfverify leaves out the 458 bytes behind the last whole
// sector and finds another hash than the stored one; with them it fits, and the run says so.
TEST(StatedTriage, SaysThatTheHashCoversBytesBehindTheLastSector) {
  const fs::path image = in_corpus("simsong+bulk_extractor/src/tests/email_test.E01");
  NEED_CORPUS(image);
  const FreshFolder out;
  triage(image, out.path("case"));
  EXPECT_EQ(query(out.path("case"), "SELECT size, verified, stored_md5, md5 FROM exhibit"),
            std::vector<std::string>{
                "3538890|1|b817ed2590eeeb39f42445088d369f6c|b817ed2590eeeb39f42445088d369f6c"});
  EXPECT_EQ(query(out.path("case"), "SELECT kind FROM problem WHERE plugin = 'evidence'"),
            std::vector<std::string>{"integrity"});
  const RunResult verified = run({program(), "verify", image.string()});
  EXPECT_NE(verified.out.find("458 bytes more"), std::string::npos) << verified.out;
}

// The first is empty, the second is no first segment.
TEST(StatedTriage, NamesAnImageThatCannotBeOpened) {
  for (const char* name :
       {"sleuthkit+sleuthkit/test/data/bogus.E01", "simsong+bulk_extractor/src/tests/email_test.E02"}) {
    NEED_CORPUS(in_corpus(name));
    const FreshFolder out;
    const RunResult result = triage(in_corpus(name), out.path("case"));
    EXPECT_EQ(result.exit_code, 3) << name;
    EXPECT_NE((result.out + result.error).find(fs::path(name).filename().string()), std::string::npos)
        << name;
    EXPECT_EQ(query(out.path("case"), "SELECT kind FROM problem"), std::vector<std::string>{"unreadable"});
  }
}

// A fuzzed copy of a sound image, which libewf opens as an image of no bytes: half of it is there.
TEST(StatedTriage, ReadsADamagedImageAsFarAsItIsSoundAndIsIncomplete) {
  const fs::path image =
      in_corpus("SecurityRonin+ewf-forensic/forensic/tests/data/fuzz-crash-recover-alloc-too-big.E01");
  NEED_CORPUS(image);
  const FreshFolder out;
  const RunResult result = triage(image, out.path("case"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(query(out.path("case"), "SELECT count(*) FROM problem WHERE plugin = 'evidence'"),
            std::vector<std::string>{"0"});
}

// An image that ends early: what lies before its end is still evidence. Debian's sample, cut after 30 of 50
// MB; fls lists its directories all the same.
TEST(StatedTriage, ListsAndReadsWhatIsLeftOfATruncatedImage) {
  const fs::path packed = kSamples + "fs.ext4.xz";
  if (!fs::exists(packed) || !have("xz") || !have("fls")) {
    GTEST_SKIP() << "Debian package forensics-samples-ext4, xz or fls (sleuthkit) is not installed";
  }
  const FreshFolder out;
  fs::copy_file(unpacked(packed), out.path("cut"));
  fs::resize_file(out.path("cut"), 30'000'000);
  const RunResult listed = run({"fls", "-r", "-u", "-p", "-F", "-o", "2048", out.text("cut")});
  const auto lines = std::count(listed.out.begin(), listed.out.end(), '\n');
  EXPECT_GE(lines, 17);
  const RunResult result = triage(out.path("cut"), out.path("case"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(query(out.path("case"), "SELECT state FROM volume WHERE slot = 'p1'"),
            std::vector<std::string>{"partly_read"});
  EXPECT_EQ(query(out.path("case"), "SELECT count(*) FROM item WHERE kind = 'file' AND allocated"),
            std::vector<std::string>{std::to_string(lines)});
}

// e2fsprogs' f_illitable: the inode table lies at an illegal place, so that not even the root can be listed.
TEST(StatedTriage, DoesNotCallAFileSystemReadWhoseRootCannotBeListed) {
  const fs::path packed = in_corpus("tytso+e2fsprogs/tests/f_illitable/image.gz");
  NEED_CORPUS(packed);
  const FreshFolder out;
  const RunResult opened = run({"sh", "-c", R"(gzip -dc "$0" > "$1")", packed.string(), out.text("image")});
  ASSERT_EQ(opened.exit_code, 0) << opened.error;
  EXPECT_EQ(triage(out.path("image"), out.path("case")).exit_code, 1);
  EXPECT_EQ(query(out.path("case"), "SELECT count(*) FROM volume WHERE state = 'read'"),
            std::vector<std::string>{"0"});
}

// An archive that holds itself and pictures that claim to be huge, beside a file that must not suffer.
TEST(StatedTriage, EndsOnAnArchiveThatHoldsItself) {
  if (!have("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const std::string tika =
      "apache+tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-pkg-module/"
      "src/"
      "test/resources/test-documents/";
  const FreshFolder out;
  fs::create_directory(out.path("files"));
  for (const std::string& name :
       {tika + "droste.zip", std::string("python-pillow+Pillow/Tests/images/decompression_bomb.gif"),
        std::string("python-pillow+Pillow/Tests/images/decompression_bomb.ico")}) {
    NEED_CORPUS(in_corpus(name));
    fs::copy_file(in_corpus(name), out.path("files") / fs::path(name).filename());
  }
  write_file(out.path("files/plain.txt"), "plain");
  make_ext4(out.path("files"), out.path("image"), 8);
  EXPECT_LE(triage(out.path("image"), out.path("case")).exit_code, 1);
  const RunResult digest = run({"sha256sum", out.text("files/plain.txt")});
  EXPECT_EQ(query(out.path("case"), "SELECT state, sha256 FROM item WHERE name = 'plain.txt'"),
            std::vector<std::string>{"examined|" + digest.out.substr(0, 64)});
  EXPECT_LT(std::stoul(query(out.path("case"), "SELECT count(*) FROM item").at(0)), 200U);
  expect_states_add_up(out.path("case"));
}

}  // namespace
}  // namespace touchstone::testing

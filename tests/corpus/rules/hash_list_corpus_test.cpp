// Hash lists that other tools wrote. The counts are those of Python's csv and re modules.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "rules/hash_list.hpp"

namespace touchstone {
namespace {

struct Expected {
  const char* path;
  const char* format;
  std::size_t md5, sha1, sha256;
  std::uint64_t refused;
};

class RealHashList : public testing::TestWithParam<Expected> {};

TEST_P(RealHashList, IsReadWhole) {
  const std::string root = TOUCHSTONE_CORPUS_DIR;
  if (root.empty() || !std::filesystem::exists(root)) GTEST_SKIP() << "no corpus here";
  const Expected& expected = GetParam();
  const auto list = load_hash_list(root + "/" + expected.path, "notable");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->format, expected.format);
  EXPECT_EQ(list->md5.size(), expected.md5);
  EXPECT_EQ(list->sha1.size(), expected.sha1);
  EXPECT_EQ(list->sha256s.size(), expected.sha256);
  EXPECT_EQ(list->refused, expected.refused) << list->first_refused;
}

constexpr Expected kLists[] = {
    {"jessek+hashdeep/sample-hashes/hashdeep.txt", "hashdeep", 3, 0, 3, 0},
    {"jessek+hashdeep/sample-hashes/md5deep.txt", "sums", 4, 0, 0, 0},
    {"jessek+hashdeep/sample-hashes/md5deep-size.txt", "sums", 4, 0, 0, 0},
    {"jessek+hashdeep/sample-hashes/nsrl/NSRL-1.5.txt", "csv", 138, 138, 0, 0},
    {"jessek+hashdeep/sample-hashes/nsrl/NSRL-2.0.txt", "csv", 138, 138, 0, 0},
    {"jessek+hashdeep/tests/testfiles/nsrlfile.txt", "csv", 2, 2, 0, 0},
    {"jessek+hashdeep/sample-hashes/hashkeeper/Z00236.hsh", "csv", 6994, 0, 0, 0},
    {"jessek+hashdeep/tests/testfiles/bsd-hashes.txt", "bsd", 5, 0, 0, 0},
    {"jessek+hashdeep/tests/testfiles/known.txt", "sums", 1, 0, 0, 1},
    {"Cisco-Talos+clamav/unit_tests/input/clamav.hdb", "clamav", 0, 0, 1, 0},
    {"Cisco-Talos+clamav/unit_tests/input/other_sigs/alz.hdb", "clamav", 0, 13, 0, 0},
    {"Cisco-Talos+clamav/unit_tests/input/other_sigs/zstd.hdb", "clamav", 0, 2, 0, 0},
    {"Cisco-Talos+clamav/unit_tests/input/other_sigs/logo.hsb", "clamav", 0, 0, 1, 0},
};
INSTANTIATE_TEST_SUITE_P(Corpus, RealHashList, testing::ValuesIn(kLists));

TEST(RealHashLists, HoldTheDigestOfNoBytes) {
  const std::string root = TOUCHSTONE_CORPUS_DIR;
  if (root.empty() || !std::filesystem::exists(root)) GTEST_SKIP() << "no corpus here";
  const auto nsrl = load_hash_list(root + "/jessek+hashdeep/tests/testfiles/nsrlfile.txt", "known");
  ASSERT_TRUE(nsrl);
  EXPECT_TRUE(nsrl->contains("d41d8cd98f00b204e9800998ecf8427e", "", ""));
  EXPECT_TRUE(nsrl->contains("", "da39a3ee5e6b4b0d3255bfef95601890afd80709", ""));
}

}  // namespace
}  // namespace touchstone

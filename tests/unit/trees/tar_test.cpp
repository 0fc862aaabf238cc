#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::MadeTrees;
using test::Tree;
using ::testing::HasSubstr;

constexpr TimeUs kTime = 1'700'000'000'000'000;  // of make_trees.py
// A ustar name of one component has at most 100 bytes.
constexpr std::size_t kUstarNames = 100;

class TarOf : public ::testing::TestWithParam<const char*> {};

TEST_P(TarOf, GivesTheSameFilesAsPythonPutIn) {
  const std::string name = GetParam();
  Tree tree(MadeTrees::get().path(name));
  EXPECT_EQ(tree.format(), name.substr(name.find('.') + 1));
  EXPECT_EQ(tree.contents(), MadeTrees::get().expected(name == "ustar.tar" ? kUstarNames : SIZE_MAX));
  EXPECT_EQ(tree.problems(), "");
  const Entry& entry = tree.at("/a.txt");
  EXPECT_EQ(entry.times.modified, kTime);
  EXPECT_EQ(entry.times.basis, TimeBasis::utc);
  EXPECT_EQ(entry.detail, R"({"gid":1001,"group":"staff","mode":"rw-r-----","owner":"ann","uid":1000})");
  EXPECT_EQ(tree.at("/sub").kind, ItemKind::virtual_);
}

INSTANTIATE_TEST_SUITE_P(Tar, TarOf,
                         ::testing::Values("ustar.tar", "gnu.tar", "pax.tar", "pax.tar.gz", "members.tar.gz",
                                           "pax.tar.xz", "pax.tar.bz2"));

TEST(TarTree, ReadsLinksSpecialFilesAndTimes) {
  Tree tree(MadeTrees::get().path("odd.tar"));
  EXPECT_EQ(tree.content("/hard"), "the bytes of both");
  EXPECT_EQ(tree.at("/hard").size, 17U);
  EXPECT_THAT(tree.at("/hard").detail, HasSubstr(R"("hard_link_to":"target")"));
  EXPECT_EQ(tree.at("/soft").kind, ItemKind::link);
  EXPECT_THAT(tree.at("/soft").detail, HasSubstr(R"("link_target":"../../etc/passwd")"));
  EXPECT_FALSE(tree.at("/soft").has_content);
  EXPECT_THAT(tree.at("/fifo").detail, HasSubstr(R"("type":"fifo")"));
  EXPECT_THAT(tree.at("/device").detail, HasSubstr(R"("device":"1,3")"));
  EXPECT_EQ(tree.at("/folder").kind, ItemKind::directory);
  EXPECT_EQ(tree.content("/outside"), "o");
  EXPECT_EQ(tree.content("/root"), "r");
  EXPECT_THAT(tree.at("/root").detail, HasSubstr(R"("raw_name":"/root")"));
  const Times& times = tree.at("/times").times;
  EXPECT_EQ(times.modified, kTime + 250'000);
  EXPECT_EQ(times.accessed, kTime + 1'500'000);
  EXPECT_EQ(times.changed, -1'500'000);
  EXPECT_EQ(times.created, 1'600'000'000'000'000);
  EXPECT_THAT(tree.at("/times").detail, HasSubstr(R"("extended_attributes":["user.note"])"));
  EXPECT_EQ(tree.walked().count("/twin"), 2U);
  const auto contents = tree.contents();
  EXPECT_THAT(contents.at("/loose"), HasSubstr("not in the tar: not there"));
  EXPECT_THAT(contents.at("/circle1"), HasSubstr("in a circle"));
}

TEST(TarTree, ReadsOldConcatenatedAndUnendedTars) {
  Tree old(MadeTrees::get().path("v7.tar"));
  EXPECT_EQ(old.content("/old/file"), "v7");
  EXPECT_EQ(old.at("/old/empty").kind, ItemKind::directory);
  Tree two(MadeTrees::get().path("two.tar"));
  EXPECT_EQ(two.content("/first") + two.content("/second"), "122");
  EXPECT_EQ(two.problems(), "");
  Tree unended(MadeTrees::get().path("no_end.tar"));
  EXPECT_EQ(unended.content("/one"), "1");
}

TEST(TarTree, ReadsLargeAndNegativeNumbers) {
  Tree tree(MadeTrees::get().path("base256.tar"));
  EXPECT_EQ(tree.at("/huge").size, 9ULL << 30);
  EXPECT_EQ(tree.at("/huge").times.modified, -86'400'000'000);
}

TEST(TarTree, GoesOnBehindDamage) {
  Tree damaged(MadeTrees::get().path("damaged.tar"));
  EXPECT_EQ(damaged.content("/two"), "2");
  EXPECT_THAT(damaged.problems(), HasSubstr("1024 bytes from byte 1024"));
  Tree cut(MadeTrees::get().path("cut.tar"));
  EXPECT_EQ(cut.content("/whole"), "1");
  EXPECT_THAT(cut.contents().at("/half"), HasSubstr("1500 "));
  EXPECT_THAT(cut.contents().at("/half"), HasSubstr("the tar ends here"));
  EXPECT_THAT(cut.problems(), HasSubstr("in the middle of half"));
}

TEST(TarTree, SaysWhatIsWrongWithACompressedOne) {
  Tree wrong(MadeTrees::get().path("wrong_crc.tar.gz"));
  EXPECT_THAT(wrong.problems(), HasSubstr("CRC-32 of the gzip member"));
  EXPECT_THAT(wrong.contents().at("/a.txt"), HasSubstr("CRC-32"));
  Tree cut(MadeTrees::get().path("cut.tar.gz"));
  EXPECT_THAT(cut.problems(), HasSubstr("the compressed data is cut off"));
  EXPECT_EQ(cut.contents().at("/sub/noise.bin"), MadeTrees::get().expected().at("/sub/noise.bin"));
  EXPECT_THAT(cut.contents().at("/sub/deep/text.txt"), HasSubstr("the tar ends here"));
}

class SparseTar : public ::testing::TestWithParam<const char*> {};

TEST_P(SparseTar, GivesTheFileWithItsHoles) {
  if (!test::has_tool("tar")) GTEST_SKIP() << "tar is not installed";
  const test::Scratch scratch;
  // 60 stretches, so that the list needs more than one block.
  ASSERT_TRUE(
      test::run("cd " + scratch.path("") +
                " && truncate -s 30M holes && for i in $(seq 0 59); do printf part$i | dd of=holes bs=1 "
                "seek=$((i * 500000)) conv=notrunc; done && tar -S " +
                GetParam() + " -cf holes.tar holes"));
  const std::string tar = scratch.read("holes.tar");
  ASSERT_LT(tar.size(), 2U << 20) << "the tar is not sparse";
  Tree tree(scratch.path("holes.tar"));
  EXPECT_EQ(tree.at("/holes").size, 30U << 20);
  EXPECT_EQ(tree.problems(), "");
  auto original = open_file_source(scratch.path("holes"));
  ASSERT_TRUE(original);
  EXPECT_EQ(test::sha256_of(*tree.open("/holes")), test::sha256_of(**original));
  std::string part(6, '?');
  ASSERT_TRUE(tree.open("/holes")->read_at(29'500'000, std::as_writable_bytes(std::span(part))));
  EXPECT_EQ(part, "part59");
}

INSTANTIATE_TEST_SUITE_P(Tar, SparseTar,
                         ::testing::Values("--format=gnu", "--format=pax --sparse-version=0.0",
                                           "--format=pax --sparse-version=0.1",
                                           "--format=pax --sparse-version=1.0"));

TEST(TarTree, RefusesForgedAddresses) {
  Tree tree(MadeTrees::get().path("pax.tar"));
  for (const char* address : {"", "x", "-1", "6", "18446744073709551615"}) {
    EXPECT_FALSE(tree.files().open(address)) << address;
  }
}

}  // namespace
}  // namespace touchstone

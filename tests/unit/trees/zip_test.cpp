#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::MadeTrees;
using test::Tree;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr TimeUs kTime = 1'700'000'000'000'000;  // of make_trees.py

class ZipOf : public ::testing::TestWithParam<const char*> {};

TEST_P(ZipOf, GivesTheSameFilesAsPythonPutIn) {
  Tree tree(MadeTrees::get().path(std::string(GetParam()) + ".zip"));
  EXPECT_EQ(tree.format(), "zip");
  EXPECT_EQ(tree.contents(), MadeTrees::get().expected());
  EXPECT_EQ(tree.problems(), "");
}

INSTANTIATE_TEST_SUITE_P(Zip, ZipOf,
                         ::testing::Values("deflated", "stored", "bzip2", "lzma", "zip64", "streamed",
                                           "prefixed", "appended"));

class DamagedZip : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(DamagedZip, IsReadByItsLocalHeaders) {
  Tree tree(MadeTrees::get().path(std::string(GetParam().first) + ".zip"));
  EXPECT_EQ(tree.contents(), MadeTrees::get().expected());
  EXPECT_THAT(tree.problems(), HasSubstr(GetParam().second));
}

INSTANTIATE_TEST_SUITE_P(Zip, DamagedZip,
                         ::testing::Values(std::pair("no_directory", "no central directory"),
                                           std::pair("no_directory_streamed", "no central directory"),
                                           std::pair("damaged_directory", "6 entries and 1 can be read")));

TEST(ZipTree, KeepsWhatIsThereOfACutArchive) {
  Tree tree(MadeTrees::get().path("cut.zip"));
  const auto contents = tree.contents();
  ASSERT_EQ(contents.size(), 3U);
  EXPECT_EQ(contents.at("/a.txt"), MadeTrees::get().expected().at("/a.txt"));
  EXPECT_THAT(contents.at("/sub/noise.bin"), HasSubstr("cut off"));
  std::string head(50'000, '\0');
  ASSERT_TRUE(tree.open("/sub/noise.bin")->read_at(0, std::as_writable_bytes(std::span(head))));
  EXPECT_EQ(head, test::Scratch::slurp(MadeTrees::get().path("files/sub/noise.bin")).substr(0, 50'000));
}

TEST(ZipTree, RefusesPartsByTheirNumber) {
  for (const auto& [name, says] :
       {std::pair("part4.zip", "part 4 of a multi-part"), std::pair("part1.zip", "first part")}) {
    auto exhibit = open_exhibit(MadeTrees::get().path(name));
    ASSERT_TRUE(exhibit);
    auto files = open_tree(**exhibit, *find_tree(**exhibit), {});
    ASSERT_TRUE(files);
    std::vector<Problem> problems;
    const auto listed = (*files)->list(
        {}, [](Entry&&) { return true; }, problems);
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().code, ErrorCode::unsupported);
    EXPECT_THAT(listed.error().message, HasSubstr(says));
  }
}

TEST(ZipTree, TakesNamesAsTheyAreMeantAndKeepsThemInside) {
  Tree tree(MadeTrees::get().path("names.zip"));
  const std::map<std::string, std::string> expected = {{"/caf\u00e9.txt", "1"},
                                                       {"/caf\u00e9-2.txt", "2"},
                                                       {"/caf\u00e9-3.txt", "3"},
                                                       {"/\u20ac.txt", "4"},
                                                       {"/stale", "5"},
                                                       {"/etc/passwd", "6"},
                                                       {"/absolute/file", "7"},
                                                       {"/dos/path/file", "8"},
                                                       {"/unix\\name", "9"},
                                                       {"/both/inner", "inside"},
                                                       {"/nul%00name", "10"},
                                                       {"/(unnamed)", "no name"},
                                                       {"/hidden", "bytes of a directory"},
                                                       {"/x/y/z", "11"}};
  for (const auto& [path, content] : expected) EXPECT_EQ(tree.content(path), content) << path;
  EXPECT_THAT(tree.at("/etc/passwd").detail, HasSubstr(R"("raw_name":"../../etc/passwd")"));
  EXPECT_THAT(tree.at("/caf\u00e9.txt").detail, HasSubstr(R"("raw_name":"caf%82.txt")"));
  EXPECT_EQ(tree.at("/etc").kind, ItemKind::virtual_);
  EXPECT_TRUE(tree.at("/etc").descend);
  EXPECT_EQ(tree.at("/link").kind, ItemKind::link);
  EXPECT_THAT(tree.at("/link").detail, HasSubstr(R"("link_target":"a/target")"));
  EXPECT_THAT(tree.at("/pipe").detail, HasSubstr(R"("type":"fifo")"));
  for (const Entry& entry : tree.walked().entries) EXPECT_FALSE(entry.address_in_locator);
}

TEST(ZipTree, KeepsTwinsInTheirOrder) {
  Tree tree(MadeTrees::get().path("names.zip"));
  std::vector<std::string> twins, both;
  for (const Entry& entry : tree.walked().entries) {
    if (entry.path == "/twin") twins.push_back(test::content_of(tree.files(), entry.address));
    if (entry.path == "/both") both.push_back(to_text(entry.kind));
  }
  EXPECT_EQ(twins, (std::vector<std::string>{"first", "second"}));
  EXPECT_THAT(both, UnorderedElementsAre("file", "virtual"));
}

TEST(ZipTree, ReadsTimesOwnersAndModes) {
  Tree tree(MadeTrees::get().path("times.zip"));
  const Entry& dos = tree.at("/dos");  // 2023-11-14 22:13:20 in London is UTC
  EXPECT_EQ(dos.times.modified, kTime);
  EXPECT_EQ(dos.times.basis, TimeBasis::assumed);
  const Entry& unix_entry = tree.at("/unix");
  EXPECT_EQ(unix_entry.times.modified, kTime);
  EXPECT_EQ(unix_entry.times.accessed, kTime + 1'000'000);
  EXPECT_EQ(unix_entry.times.created, kTime + 2'000'000);
  EXPECT_EQ(unix_entry.times.basis, TimeBasis::utc);
  const Entry& ntfs = tree.at("/ntfs");
  EXPECT_EQ(ntfs.times.modified, kTime);
  EXPECT_EQ(ntfs.times.accessed, kTime + 1'000'000);
  EXPECT_EQ(ntfs.times.created, kTime + 2'000'000);
  EXPECT_EQ(tree.at("/before").times.modified, -86'400'000'000);
  EXPECT_FALSE(tree.at("/none").times.modified);
  EXPECT_EQ(tree.at("/owner").detail, R"({"gid":20,"mode":"rwsr-x--x","uid":10234})");
}

TEST(ZipTree, SaysWhatDoesNotAgree) {
  Tree tree(MadeTrees::get().path("wrong.zip"));
  const auto contents = tree.contents();
  EXPECT_THAT(contents.at("/crc"), HasSubstr("CRC-32"));
  EXPECT_THAT(contents.at("/short"), HasSubstr("more bytes follow"));
  EXPECT_THAT(contents.at("/long"), HasSubstr("ends before the stated size"));
  EXPECT_THAT(contents.at("/long"), HasSubstr("2900 "));
  EXPECT_THAT(contents.at("/damaged"), HasSubstr("is damaged"));
  EXPECT_THAT(contents.at("/strange"), HasSubstr("WavPack"));
  // A size of none over bytes that are there hides nothing: 100 times 29 bytes come out.
  EXPECT_THAT(contents.at("/nothing"), ::testing::StartsWith("2900 "));
  for (const char* says : {"/name: local header and central directory differ in name", "/size: local header",
                           "/local_crc: local header and central directory differ in CRC-32"}) {
    EXPECT_THAT(tree.problems(), HasSubstr(says));
  }
  EXPECT_EQ(tree.walked().problems.size(), 3U);
}

TEST(ZipTree, AnEmptyArchivesEndInACommentHidesNoFile) {
  for (const char* name : {"hidden_by_comment.zip", "empty_end_only.zip"}) {
    Tree tree(MadeTrees::get().path(name));
    EXPECT_THAT(tree.contents(), ::testing::Contains(::testing::Key("/a.txt"))) << name;
  }
}

TEST(ZipTree, WhatFollowsTheDataNeedNotStandBeforeIt) {
  Tree tree(MadeTrees::get().path("piped.zip"));
  EXPECT_THAT(tree.contents().at("/piped"), ::testing::StartsWith("2900 "));
  EXPECT_EQ(tree.problems(), "/cut: local header and central directory differ in size\n");
}

TEST(ZipTree, ReadsAtAnyPlaceOfAMember) {
  for (const char* name : {"deflated.zip", "stored.zip", "bzip2.zip"}) {
    Tree tree(MadeTrees::get().path(name));
    const std::string whole = test::Scratch::slurp(MadeTrees::get().path("files/sub/deep/text.txt"));
    const auto source = tree.open("/sub/deep/text.txt");
    for (const std::size_t at :
         {std::size_t{1'000'000}, std::size_t{10}, std::size_t{700'000}, std::size_t{131'000}}) {
      std::string part(1000, '\0');
      const auto got = source->read_at(at, std::as_writable_bytes(std::span(part)));
      ASSERT_TRUE(got && *got == part.size()) << name;
      EXPECT_EQ(part, whole.substr(at, part.size())) << name << " at " << at;
    }
  }
}

TEST(ZipTree, RefusesForgedAddresses) {
  Tree tree(MadeTrees::get().path("deflated.zip"));
  for (const char* address :
       {"", "x", "-1", "3", "99999999999999999999", "18446744073709551615", "4000000"}) {
    EXPECT_FALSE(tree.files().open(address)) << address;
  }
}

class EncryptedZip : public ::testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(EncryptedZip, OpensWithTheRightPasswordOnly) {
  const auto& [tool, command, method] = GetParam();
  if (!test::has_tool(tool)) GTEST_SKIP() << tool << " is not installed";
  const test::Scratch scratch;
  const std::string archive = scratch.path("locked.zip");
  ASSERT_TRUE(test::run("cd " + MadeTrees::get().path("files") + " && " + command + " " + archive +
                        " . < /dev/null"));
  Tree locked(archive);
  for (const auto& [path, content] : locked.contents()) {
    if (path == "/empty") continue;
    EXPECT_THAT(content, HasSubstr(std::string("encrypted (") + method + ")")) << path;
  }
  Tree wrong(archive, {{"not this", "nor this"}});
  EXPECT_THAT(wrong.contents().at("/sub/noise.bin"), HasSubstr("none of the given passwords"));
  Tree open(archive, {{"not this", "open sesame"}});
  EXPECT_EQ(open.contents(), MadeTrees::get().expected());
}

INSTANTIATE_TEST_SUITE_P(
    Zip, EncryptedZip,
    ::testing::Values(std::tuple("zip", "zip -r -q -P 'open sesame'", "ZipCrypto"),
                      std::tuple("7z", "7z a -tzip -mem=AES256 '-popen sesame'", "AES-256"),
                      std::tuple("7z", "7z a -tzip -mem=AES128 -mm=BZip2 '-popen sesame'", "AES-128")));

TEST(ZipTree, NamesTheMethodsThatItDoesNotRead) {
  if (!test::has_tool("7z")) GTEST_SKIP() << "7z is not installed";
  const test::Scratch scratch;
  const std::string archive = scratch.path("ppmd.zip");
  ASSERT_TRUE(test::run("cd " + MadeTrees::get().path("files") + " && 7z a -tzip -mm=PPMd " + archive +
                        " . < /dev/null"));
  Tree tree(archive);
  EXPECT_THAT(tree.contents().at("/sub/deep/text.txt"), HasSubstr("PPMd"));
}

}  // namespace
}  // namespace touchstone

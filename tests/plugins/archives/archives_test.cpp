// The archives in data/ were made by data/make with zip, tar, gzip, bzip2 and xz. What is expected is what
// `unzip -v`, `tar -tv` and `sha256sum` say of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMade = 1'714'771'800'000'000;  // 2024-05-03 21:30:00 UTC
constexpr const char* kNumbersSha256 =
    "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a";  // seq 1 20000

std::string read(const std::string& name) {
  std::string bytes = touchstone::test::contents_of(std::string(TOUCHSTONE_SOURCE_DIR) +
                                                    "/tests/plugins/archives/data/" + name);
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

class Archives : public testing::Test {
 protected:
  static TestItem item(const std::string& name, const std::string& media_type) {
    TestItem out;
    out.bytes = read(name);
    out.media_type = media_type;
    return out;
  }
  std::unique_ptr<PluginHost> host_ = PluginHost::load("archives");
};

/// plain.zip, plain.tar.gz and plain.tar.xz hold the same.
void expect_plain(const Outcome& listed, const Outcome& unpacked) {
  ASSERT_EQ(listed.members.size(), 6U);
  EXPECT_EQ(listed.status, TS_OK);
  EXPECT_TRUE(listed.problems.empty());
  const char* const paths[] = {"d", "d/hello.txt", "d/empty", "d/numbers.txt", "d/caf\xE9", "d/Zo\xC3\xAB"};
  const std::uint64_t sizes[] = {0, 6, 0, 108'894, 1, 1};
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(listed.members[i].ordinal, i);
    EXPECT_EQ(listed.members[i].path, paths[i]);
    EXPECT_EQ(listed.members[i].size, sizes[i]);
    EXPECT_EQ(listed.members[i].is_directory, i == 0);
    EXPECT_EQ(listed.members[i].modified, kMade);
  }
  EXPECT_EQ(unpacked.data.size(), 5U);  // all but the directory
  EXPECT_EQ(unpacked.data.at(1).bytes, "hello\n");
  EXPECT_EQ(unpacked.data.at(2).size, 0U);
  EXPECT_EQ(unpacked.data.at(3).sha256, kNumbersSha256);
  EXPECT_EQ(unpacked.data.at(4).bytes, "L");
  EXPECT_EQ(unpacked.data.at(5).bytes, "U");
  for (const auto& [ordinal, data] : unpacked.data) EXPECT_FALSE(data.damaged) << ordinal;
  EXPECT_TRUE(unpacked.problems.empty());
}

TEST_F(Archives, ListsAndUnpacksAZip) {
  const TestItem zip = item("plain.zip", "application/zip");
  ASSERT_TRUE(host_->matches(zip));
  const Outcome listed = host_->list(zip);
  expect_plain(listed, host_->extract(zip));
  EXPECT_EQ(listed.members[3].packed_size, 44'986U);
  EXPECT_EQ(listed.members[3].time_basis, 2) << "MS-DOS times have no zone";
}

TEST_F(Archives, TakesTimesWithAZoneWhereAZipHasThem) {
  const Outcome listed = host_->list(item("times.zip", "application/zip"));
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_EQ(listed.members[0].modified, kMade);
  EXPECT_EQ(listed.members[0].time_basis, 0);
}

TEST_F(Archives, ListsAndUnpacksPackedTars) {
  for (const auto& [name, type] :
       {std::pair("plain.tar.gz", "application/gzip"), std::pair("plain.tar.xz", "application/x-xz")}) {
    SCOPED_TRACE(name);
    const TestItem tar = item(name, type);
    ASSERT_TRUE(host_->matches(tar));
    expect_plain(host_->list(tar), host_->extract(tar));
  }
}

TEST_F(Archives, UnpacksOnlyTheGroupThatIsAskedFor) {
  for (const auto& [name, type] :
       {std::pair("plain.zip", "application/zip"), std::pair("plain.tar.gz", "application/gzip")}) {
    const Outcome unpacked = host_->extract(item(name, type), 2, 2);
    ASSERT_EQ(unpacked.data.size(), 2U) << name;
    EXPECT_EQ(unpacked.data.at(3).sha256, kNumbersSha256) << name;
  }
}

TEST_F(Archives, TakesOneLayerOffAPackedFile) {
  const TestItem named = item("named.gz", "application/gzip");
  Outcome outcome = host_->list(named);
  ASSERT_EQ(outcome.members.size(), 1U);
  EXPECT_EQ(outcome.members[0].path, "numbers.txt");
  EXPECT_EQ(outcome.members[0].modified, kMade);
  EXPECT_EQ(host_->extract(named).data.at(0).sha256, kNumbersSha256);

  const TestItem twice = item("twice.gz", "application/gzip");
  ASSERT_EQ(host_->list(twice).members.size(), 1U);
  EXPECT_EQ(host_->list(twice).members[0].path, "data");
  EXPECT_EQ(host_->extract(twice).data.at(0).bytes, named.bytes);

  EXPECT_EQ(host_->extract(item("numbers.bz2", "application/x-bzip2")).data.at(0).sha256, kNumbersSha256);
}

TEST_F(Archives, DoesNotTakeZerosForAnEmptyTar) {
  const TestItem zeros = item("zeros.gz", "application/gzip");
  EXPECT_EQ(host_->list(zeros).members.size(), 1U);
  EXPECT_EQ(host_->extract(zeros).data.at(0).bytes, std::string(200'000, '\0'));
}

TEST_F(Archives, FlagsEncryptedMembersAndUnpacksTheOthers) {
  const TestItem zip = item("encrypted.zip", "application/zip");
  const Outcome listed = host_->list(zip);
  ASSERT_EQ(listed.members.size(), 3U);
  EXPECT_TRUE(listed.members[0].is_encrypted);
  EXPECT_TRUE(listed.members[1].is_encrypted);
  EXPECT_FALSE(listed.members[2].is_encrypted);
  EXPECT_THAT(listed.problems, testing::ElementsAre(TestProblem{"encrypted", "2 members are encrypted"}));
  const Outcome unpacked = host_->extract(zip);
  EXPECT_EQ(unpacked.data.size(), 1U);
  EXPECT_TRUE(unpacked.data.contains(2));
}

TEST_F(Archives, GivesWhatIsLeftOfACutZip) {
  const TestItem zip = item("cut.zip", "application/zip");
  const Outcome listed = host_->list(zip);
  EXPECT_EQ(listed.members.size(), 4U);
  ASSERT_FALSE(listed.problems.empty());
  EXPECT_EQ(listed.problems[0].kind, "corrupt");
  const Outcome unpacked = host_->extract(zip);
  EXPECT_EQ(unpacked.data.at(1).bytes, "hello\n");
  EXPECT_TRUE(unpacked.data.at(3).damaged);
  EXPECT_TRUE(unpacked.data.at(3).bytes.starts_with("1\n2\n3\n"));
  ASSERT_FALSE(unpacked.problems.empty());
  EXPECT_EQ(unpacked.problems[0].kind, "corrupt");
}

// `gzip -dc cut.tar.gz | wc -c` says 44019: 4 headers of 512 bytes and one block of 512 stand before the
// numbers.
TEST_F(Archives, GivesWhatIsLeftOfACutTarGz) {
  const TestItem tar = item("cut.tar.gz", "application/gzip");
  EXPECT_EQ(host_->list(tar).members.size(), 4U);
  const Outcome unpacked = host_->extract(tar);
  EXPECT_EQ(unpacked.data.at(1).bytes, "hello\n");
  EXPECT_EQ(unpacked.data.at(3).size, 44'019U - 5 * 512);
  EXPECT_TRUE(unpacked.data.at(3).damaged);
  EXPECT_THAT(unpacked.problems,
              testing::ElementsAre(TestProblem{"corrupt", "member 3: ends within its packed data"}));
}

TEST_F(Archives, TellsOfAWrongChecksum) {
  const Outcome unpacked = host_->extract(item("checksum.zip", "application/zip"));
  EXPECT_TRUE(unpacked.data.at(1).damaged);
  ASSERT_EQ(unpacked.problems.size(), 2U);
  EXPECT_THAT(unpacked.problems[0].message,
              testing::StartsWith("member 0: not unpacked"));  // 4 GB in 100 bytes
  EXPECT_EQ(unpacked.problems[1], (TestProblem{"corrupt", "member 1: CRC error"}));
}

TEST_F(Archives, LeavesOutMembersBeyondTheRatio) {
  const TestItem zip = item("bomb.zip", "application/zip");  // 4,000,000,000 bytes in 100, and "hi"
  const Outcome listed = host_->list(zip);
  EXPECT_EQ(listed.members.size(), 2U);
  ASSERT_EQ(listed.problems.size(), 1U);
  EXPECT_EQ(listed.problems[0].kind, "limit");
  const Outcome unpacked = host_->extract(zip);
  EXPECT_EQ(unpacked.data.size(), 1U);
  EXPECT_EQ(unpacked.data.at(1).bytes, "hi");
}

TEST_F(Archives, CutsAPackedFileAtTheRatio) {
  const TestItem bomb = item("bomb.bz2", "application/x-bzip2");  // 1 GiB of zeros in 785 bytes
  const Outcome listed = host_->list(bomb);
  ASSERT_EQ(listed.problems.size(), 1U);
  EXPECT_EQ(listed.problems[0].kind, "limit");
  const Outcome unpacked = host_->extract(bomb);
  EXPECT_TRUE(unpacked.data.at(0).damaged);
  EXPECT_GE(unpacked.data.at(0).size, 256ULL << 20U);
  EXPECT_LE(unpacked.data.at(0).size, 257ULL << 20U);
  EXPECT_EQ(unpacked.problems.at(0).kind, "limit");
}

TEST_F(Archives, DoesNotUnpackTheSameBytesTwice) {
  const TestItem zip = item("overlap.zip", "application/zip");
  const Outcome listed = host_->list(zip);
  EXPECT_EQ(listed.members.size(), 8U);
  ASSERT_EQ(listed.problems.size(), 1U);
  EXPECT_EQ(listed.problems[0].kind, "limit");
  EXPECT_THAT(listed.problems[0].message, HasSubstr("7 members"));
  const Outcome unpacked = host_->extract(zip);
  EXPECT_EQ(unpacked.data.size(), 1U);
  EXPECT_EQ(unpacked.data.at(0).size, 1000U) << "no more than the directory states";
}

TEST_F(Archives, StopsWhenTheHostHasEnough) {
  TestItem zip = item("plain.zip", "application/zip");
  zip.max_members = 2;
  EXPECT_EQ(host_->list(zip).members.size(), 2U);
  for (const char* name : {"plain.zip", "plain.tar.gz"}) {
    TestItem small = item(name, name == std::string("plain.zip") ? "application/zip" : "application/gzip");
    small.max_member_bytes = 5;
    EXPECT_EQ(host_->extract(small).data.size(), 1U) << name;
  }
}

TEST_F(Archives, SaysOfOtherBytesThatTheyAreNone) {
  TestItem text;
  text.bytes = "no archive at all, whatever its type says";
  text.media_type = "application/x-tar";
  EXPECT_EQ(host_->list(text).status, TS_CORRUPT);
  text.media_type = "application/octet-stream";
  const Outcome outcome = host_->list(text);
  EXPECT_EQ(outcome.status, TS_OK);
  EXPECT_TRUE(outcome.members.empty());
  text.media_type = "text/plain";
  EXPECT_FALSE(host_->matches(text));
}

TEST_F(Archives, SurvivesEveryCutAndFlippedByte) {
  const std::string zip = read("times.zip"), gz = read("zeros.gz");
  for (const std::string& whole : {zip, gz}) {
    TestItem broken;
    broken.media_type = &whole == &zip ? "application/zip" : "application/gzip";
    for (std::size_t i = 0; i < whole.size(); ++i) {
      broken.bytes = whole.substr(0, i);
      host_->list(broken);
      host_->extract(broken);
      broken.bytes = whole;
      broken.bytes[i] = static_cast<char>(~broken.bytes[i]);
      const Outcome listed = host_->list(broken);
      EXPECT_LE(listed.members.size(), 2U);
      host_->extract(broken);
    }
  }
}

}  // namespace
}  // namespace touchstone::test

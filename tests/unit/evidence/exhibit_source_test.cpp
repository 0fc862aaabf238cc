#include "evidence/exhibit_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "evidence/ewf_segments.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

constexpr std::size_t kChunk = 32 * 1024;

std::string read_all(ByteSource& source) {
  std::string text(source.size(), '?');
  const auto got = source.read_at(0, std::as_writable_bytes(std::span(text)));
  return got && *got == text.size() ? text : "";
}

void flip_byte(const std::string& path, std::uint64_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

/// A raw image of 4 MiB and what ewfacquire makes of it.
class EwfTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("ewfacquire"))
      GTEST_SKIP() << "ewfacquire (Debian package ewf-tools) is not installed";
    raw_ = test::noise(2 * 1024 * 1024) + std::string(2 * 1024 * 1024, '\0');
    scratch_.write("raw.dd", raw_);
  }
  std::string acquire(const std::string& options, const std::string& target) {
    const bool made = test::run("cd '" + scratch_.path("") +
                                "' && ewfacquire -u -q -D description -C CASE/1 -E ABC/1 -e Examiner " +
                                options + " -t " + target + " raw.dd");
    EXPECT_TRUE(made);
    return scratch_.path(target + ".E01");
  }
  Scratch scratch_;
  std::string raw_;
};

TEST(OpenExhibit, OpensARawImage) {
  const Scratch scratch;
  const std::string path = scratch.write("phone.dd", "just text");
  auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ((*image)->info().format, "raw");
  EXPECT_EQ((*image)->info().size, 9U);
  EXPECT_EQ((*image)->info().files, std::vector<std::string>{path});
  EXPECT_TRUE((*image)->info().problems.empty());
  auto result = verify_image(**image, nullptr);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->matches.has_value());
  EXPECT_EQ(result->computed.md5, "c9899bae24fd393cf47fb393326f9aa6");  // printf 'just text' | md5sum
}

TEST(OpenExhibit, RefusesWhatIsEmptyOrMissing) {
  const Scratch scratch;
  const auto empty = open_exhibit(scratch.write("empty.dd", ""));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::io);
  EXPECT_THAT(empty.error().message, HasSubstr("is empty"));
  const auto missing = list_exhibit_files(scratch.path("no.dd"));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("no.dd"));
}

TEST(OpenExhibit, OpensFoldersAndArchivesAsTrees) {
  const Scratch scratch;
  scratch.write("file.txt", "in a folder");
  const auto folder = open_exhibit(scratch.path(""));
  ASSERT_TRUE(folder);
  EXPECT_EQ((*folder)->info().format, "folder");
  EXPECT_EQ((*folder)->size(), 0U);
  const auto files = list_exhibit_files(scratch.path("file.txt") + "/..");
  EXPECT_FALSE(files);  // what is no directory has nothing above it
  const auto zip = open_exhibit(scratch.write("a.bin", "PK\x03\x04 and more"));
  ASSERT_TRUE(zip);
  EXPECT_EQ((*zip)->info().format, "zip");
  EXPECT_EQ((*zip)->size(), 13U);
}

TEST(OpenExhibit, NamesFormatsThatItDoesNotRead) {
  const Scratch scratch;
  const std::string rest(2048, '\0');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {std::string("LEF2\r\n\x81\0", 8), "Lx01"},
      {std::string("ADCRYPT\0", 8), "AD encryption"},
      {std::string("PK\x03\x04") + std::string(26, '\0') + "container.description", "AFF4"},
      {std::string("ADSEGMENTEDFILE\0", 16), "AD1"},
      {std::string("encrcdsa"), "encrypted DMG"},
      {std::string("QED\0", 4), "QED"},
      {std::string("\x3a\xff\x26\xed"), "Android sparse image"},
      {std::string("MSWIM\0\0\0", 8), "WIM"},
      {std::string("\xfe\xef\x01"), "Ghost"},
      {std::string("070701"), "cpio"},
      {std::string("\x04\x22\x4d\x18"), "lz4"},
      {std::string("[Dumps]\r\nFileDump=x.zip\r\n[General]\r\n"), "UFD"},
      {std::string("<?xml version=\"1.0\"?><Jar><Extraction File=\"a.ufd\"/></Jar>"), "UFDX"}};
  for (const auto& [head, name] : cases) {
    const auto image = open_exhibit(scratch.write("image.dd", head + rest));
    ASSERT_FALSE(image) << name;
    EXPECT_EQ(image.error().code, ErrorCode::unsupported) << name;
    EXPECT_THAT(image.error().message, HasSubstr(name));
  }
}

TEST(OpenExhibit, SaysThatVirtualDisksAreDamagedWhereOnlyTheirSignatureIsThere) {
  const Scratch scratch;
  const std::string rest(2048, '\0');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {std::string("KDMV"), "VMDK"},
      {std::string("QFI\xfb\0\0\0\x02", 8), "QCOW"},
      {std::string("conectix"), "VHD"},
      {std::string("vhdxfile"), "VHDX"},
      {std::string("WithoutFreeSpace"), "Parallels"}};
  for (const auto& [head, name] : cases) {
    const auto image = open_exhibit(scratch.write("image.dd", head + rest));
    ASSERT_FALSE(image) << name;
    EXPECT_EQ(image.error().code, ErrorCode::corrupt) << name;
    EXPECT_THAT(image.error().message, HasSubstr(name));
  }
}

TEST(OpenExhibit, TakesADiskThatOnlyEndsLikeAnImageAsRaw) {
  const Scratch scratch;
  const std::string rest(2048, '\0');
  for (const char* tail : {"koly", "conectix"}) {
    const auto image =
        open_exhibit(scratch.write("image.dd", rest + tail + std::string(512 - strlen(tail), '\0')));
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ((*image)->info().format, "raw");
    EXPECT_EQ((*image)->size(), 2560U);
  }
}

// Names as the EWF specification, section 2.1, gives them.
TEST(EwfSegmentName, FollowsTheSpecification) {
  EXPECT_EQ(ewf_segment_name("a/photo.E01", 2), "a/photo.E02");
  EXPECT_EQ(ewf_segment_name("photo.E01", 99), "photo.E99");
  EXPECT_EQ(ewf_segment_name("photo.E01", 100), "photo.EAA");
  EXPECT_EQ(ewf_segment_name("photo.E01", 126), "photo.EBA");
  EXPECT_EQ(ewf_segment_name("photo.E01", 775), "photo.EZZ");
  EXPECT_EQ(ewf_segment_name("photo.E01", 776), "photo.FAA");
  EXPECT_EQ(ewf_segment_name("photo.e01", 100), "photo.eaa");
  EXPECT_EQ(ewf_segment_name("photo.bin", 2), std::nullopt);
  EXPECT_EQ(ewf_segment_name("photo.E01", 14972), std::nullopt);
}

TEST_F(EwfTest, GivesTheBytesOfTheRawImageAndItsStoredHash) {
  for (const char* compression : {"none", "fast"}) {
    const std::string path = acquire(std::string("-d sha1 -c ") + compression, compression);
    auto image = open_exhibit(path);
    ASSERT_TRUE(image) << image.error().message;
    const ImageInfo& info = (*image)->info();
    EXPECT_EQ(info.format, "ewf");
    EXPECT_EQ(info.size, raw_.size());
    EXPECT_EQ(info.metadata.at("case_number"), "CASE/1");
    EXPECT_EQ(info.metadata.at("evidence_number"), "ABC/1");
    EXPECT_EQ(info.metadata.at("examiner_name"), "Examiner");
    EXPECT_TRUE(info.problems.empty());
    EXPECT_EQ(read_all(**image), raw_);
    auto result = verify_image(**image, nullptr);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->matches, true);
    EXPECT_EQ(result->computed.md5, info.stored_md5);
    EXPECT_TRUE(result->gaps.empty());
  }
}

TEST_F(EwfTest, OpensSegmentsByContentNotByName) {
  const std::string path = acquire("-c fast", "single");
  std::filesystem::rename(path, scratch_.path("renamed.bin"));
  auto image = open_exhibit(scratch_.path("renamed.bin"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().format, "ewf");
}

TEST_F(EwfTest, FindsAllSegments) {
  const std::string path = acquire("-c none -S 1MiB", "split");
  const auto files = list_exhibit_files(path);
  ASSERT_TRUE(files);
  ASSERT_GE(files->size(), 4U);
  EXPECT_EQ(files->at(1), scratch_.path("split.E02"));
  auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  EXPECT_EQ((*image)->info().files, *files);
  EXPECT_EQ(read_all(**image), raw_);
  // The files are open: taking them away changes nothing, as when a sandbox closes the file system.
  for (const std::string& file : *files) std::filesystem::remove(file);
  EXPECT_EQ(read_all(**image), raw_);
}

// Noise without compression: 31 chunks a segment of 1 MiB.
TEST_F(EwfTest, ReadsWhatLiesBeforeAndBehindAMissingSegment) {
  const std::string path = acquire("-c none -S 1MiB", "split");
  std::filesystem::remove(scratch_.path("split.E03"));
  auto image = open_exhibit(path);
  ASSERT_TRUE(image) << image.error().message;
  const auto& problems = (*image)->info().problems;
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems[0].message, HasSubstr("split.E03 is missing: split.E02 says more follow"));
  EXPECT_THAT(problems[0].message, HasSubstr("split.E04 is there"));
  EXPECT_EQ((*image)->info().size, raw_.size());
  auto result = verify_image(**image, nullptr);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->gaps.size(), 1U);
  const std::uint64_t from = result->gaps[0].offset;
  const std::uint64_t length = result->gaps[0].length;
  EXPECT_THAT(result->gaps[0].reason, HasSubstr("missing"));
  EXPECT_GT(from, 1024U * 1024U);
  EXPECT_LT(length, 1024U * 1024U + kChunk);
  EXPECT_EQ(read_all(**image), raw_.substr(0, from) + std::string(length, '\0') + raw_.substr(from + length));
  const auto files = list_exhibit_files(path);
  ASSERT_TRUE(files);
  EXPECT_GE(files->size(), 4U);
  EXPECT_EQ(files->at(2), scratch_.path("split.E04"));
}

TEST_F(EwfTest, SaysWhatCannotBePlacedBetweenTwoMissingSegments) {
  const std::string path = acquire("-c none -S 1MiB", "split");
  std::filesystem::remove(scratch_.path("split.E02"));
  std::filesystem::remove(scratch_.path("split.E04"));
  auto image = open_exhibit(path);
  ASSERT_TRUE(image) << image.error().message;
  std::string all;
  for (const Problem& problem : (*image)->info().problems) all += problem.message + "\n";
  EXPECT_THAT(all, HasSubstr("split.E02 is missing"));
  EXPECT_THAT(all, HasSubstr("split.E04 is missing"));
  EXPECT_THAT(all, HasSubstr("split.E03 is there, but where the chunks belong cannot be known"));
  auto result = verify_image(**image, nullptr);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->gaps.size(), 1U);
  const std::uint64_t from = result->gaps[0].offset;
  const std::uint64_t length = result->gaps[0].length;
  EXPECT_GT(from, 512U * 1024U);
  EXPECT_LT(from + length, raw_.size());
  EXPECT_EQ(read_all(**image), raw_.substr(0, from) + std::string(length, '\0') + raw_.substr(from + length));
}

// One segment, one table, written behind all chunks: without the table the chunks speak for themselves.
TEST_F(EwfTest, ReadsTheChunksOfAnImageThatIsCutBeforeItsOnlyTable) {
  for (const char* options : {"-c none", "-c best", "-c fast"}) {
    const std::string path = acquire(options, "cut");
    std::string bytes = Scratch::slurp(path);
    const std::size_t table = bytes.find(std::string("table\0\0\0", 8));
    ASSERT_NE(table, std::string::npos);
    std::filesystem::resize_file(path, table - 100'000 * (options[3] == 'n' ? 1 : 0));
    auto image = open_exhibit(path);
    ASSERT_TRUE(image) << options << image.error().message;
    EXPECT_THAT((*image)->info().problems.at(0).message, HasSubstr("cut.E01 is cut short"));
    auto result = verify_image(**image, nullptr);
    ASSERT_TRUE(result);
    std::string expected = raw_;
    for (const Gap& gap : result->gaps) expected.replace(gap.offset, gap.length, gap.length, '\0');
    EXPECT_TRUE(read_all(**image) == expected) << options;
    // Four chunks at most are lost by 100,000 bytes; with whole data none is.
    ASSERT_LE(result->gaps.size(), 1U) << options;
    std::uint64_t lost = 0;
    for (const Gap& gap : result->gaps) lost += gap.length;
    EXPECT_LE(lost, options[3] == 'n' ? 4 * kChunk : 0U) << options;
    std::filesystem::remove(path);
  }
}

TEST_F(EwfTest, TellsThatTheLastSegmentIsMissing) {
  const std::string path = acquire("-c none -S 1MiB", "split");
  const auto files = list_exhibit_files(path);
  ASSERT_TRUE(files);
  std::filesystem::remove(files->back());
  auto image = open_exhibit(path);
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_FALSE((*image)->info().problems.empty());
  const std::string name = std::filesystem::path(files->back()).filename().string();
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr(name + " is missing"));
}

TEST_F(EwfTest, SendsSomeoneWhoGaveALaterSegmentToTheFirst) {
  acquire("-c none -S 1MiB", "split");
  const auto image = open_exhibit(scratch_.path("split.E02"));
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message, HasSubstr("is segment 2"));
  EXPECT_THAT(image.error().message, HasSubstr("split.E01"));
}

TEST_F(EwfTest, ListsAChunkWithAWrongChecksumAndReadsTheRest) {
  const std::string path = acquire("-c none", "flip");
  // Uncompressed chunks of noise lie one after the other; this is inside one of the first dozens.
  flip_byte(path, 1'000'000);
  auto image = open_exhibit(path);
  ASSERT_TRUE(image);
  auto result = verify_image(**image, nullptr);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->matches, false);
  ASSERT_EQ(result->gaps.size(), 1U);
  EXPECT_EQ(result->gaps[0].length, kChunk);
  const std::string read = read_all(**image);
  const std::uint64_t from = result->gaps[0].offset;
  EXPECT_EQ(read.substr(0, from), raw_.substr(0, from));
  EXPECT_EQ(read.substr(from + kChunk), raw_.substr(from + kChunk));
  EXPECT_NE(read, raw_);
}

TEST_F(EwfTest, ReadsATruncatedSegmentAsFarAsItGoesAndWhatFollows) {
  const std::string path = acquire("-c none -S 1MiB", "split");
  std::filesystem::resize_file(scratch_.path("split.E03"), 400'000);
  auto image = open_exhibit(path);
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_FALSE((*image)->info().problems.empty());
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("split.E03 is cut short"));
  auto result = verify_image(**image, nullptr);
  ASSERT_TRUE(result);
  // What is not in a gap is right: nothing of a later segment stands in the wrong place.
  ASSERT_EQ(result->gaps.size(), 1U);
  const std::uint64_t from = result->gaps[0].offset;
  const std::uint64_t length = result->gaps[0].length;
  EXPECT_LT(length, 700'000U);  // of 1 MiB
  EXPECT_EQ(read_all(**image), raw_.substr(0, from) + std::string(length, '\0') + raw_.substr(from + length));
}

TEST_F(EwfTest, CanBeStoppedWhileVerifying) {
  auto image = open_exhibit(acquire("-c fast", "stop"));
  ASSERT_TRUE(image);
  const auto result = verify_image(**image, [](std::uint64_t) { return false; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

TEST(OpenExhibit, SaysThatADamagedEwfHeaderIsDamaged) {
  const Scratch scratch;
  const std::string head("EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00", 13);
  const auto image = open_exhibit(scratch.write("bad.E01", head + std::string(500, '\x55')));
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message, HasSubstr("bad.E01"));
  EXPECT_THAT(image.error().message, HasSubstr("damaged"));
}

}  // namespace
}  // namespace touchstone

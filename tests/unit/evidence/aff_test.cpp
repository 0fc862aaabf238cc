// AFF images made by affconvert of AFFLIB, and some put together here by the published format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::noise;
using test::Scratch;
using ::testing::HasSubstr;

std::string all_of(ByteSource& source) {
  std::string text(source.size(), '?');
  for (std::size_t at = 0; at < text.size();) {
    const auto got = source.read_at(at, std::as_writable_bytes(std::span(text).subspan(
                                            at, std::min<std::size_t>(70'001, text.size() - at))));
    if (!got || *got == 0) break;
    at += *got;
  }
  return text;
}

/// 5 MiB and a sector: noise, zeros, text and noise at the end.
std::string media() {
  std::string all(5 * 1024 * 1024 + 512, '\0');
  all.replace(0, 200'000, noise(200'000));
  for (std::size_t at = 2 << 20; at < (3 << 20); at += 12) all.replace(at, 12, "text of disk");
  all.replace(all.size() - 700, 700, noise(700, 7));
  return all;
}

class Affconvert : public ::testing::TestWithParam<const char*> {};

TEST_P(Affconvert, ImagesGiveTheBytesThatWerePutIn) {
  if (!test::has_tool("affconvert")) GTEST_SKIP() << "affconvert (afflib-tools) is not installed";
  const Scratch scratch;
  const std::string raw = media();
  scratch.write("disk.raw", raw);
  ASSERT_TRUE(
      test::run("cd " + scratch.path("") + " && affconvert -q " + GetParam() + " -o disk.aff disk.raw"));
  auto image = open_exhibit(scratch.path("disk.aff"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().format, "aff");
  EXPECT_TRUE(all_of(**image) == raw);
  EXPECT_FALSE((*image)->info().stored_md5.empty());
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_TRUE(verified->gaps.empty());
  EXPECT_TRUE((*image)->info().problems.empty());
  EXPECT_THAT((*image)->info().metadata.at("acquiry_software_version"), HasSubstr("3."));
}

INSTANTIATE_TEST_SUITE_P(Aff, Affconvert,
                         ::testing::Values("-X1", "-X9", "-x", "-L", "-L -s 64k", "-s 1m", "-x -s 64k"));

TEST(AffImage, ReadsTheFilesOfAnAfdFolder) {
  if (!test::has_tool("affconvert")) GTEST_SKIP() << "affconvert (afflib-tools) is not installed";
  const Scratch scratch;
  const std::string raw = noise(9 << 20);
  scratch.write("disk.raw", raw);
  ASSERT_TRUE(test::run("cd " + scratch.path("") + " && affconvert -q -x -s 1m -M4m -o disk.afd disk.raw"));
  ASSERT_TRUE(std::filesystem::exists(scratch.path("disk.afd/file_001.aff")));
  auto image = open_exhibit(scratch.path("disk.afd/file_000.aff"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_GE((*image)->info().files.size(), 2U);
  EXPECT_TRUE(all_of(**image) == raw);
  EXPECT_EQ(verify_image(**image, nullptr)->matches, true);
}

TEST(AffImage, NamesWhatIsEncryptedAndWhatOnlyDescribes) {
  if (!test::has_tool("affconvert")) GTEST_SKIP() << "affconvert (afflib-tools) is not installed";
  const Scratch scratch;
  scratch.write("disk.raw", media());
  ASSERT_TRUE(test::run("cd " + scratch.path("") +
                        " && affconvert -q -o disk.aff disk.raw && affconvert -q -o disk.afm disk.raw && "
                        "affcrypto -e -N secret disk.aff"));
  const auto locked = open_exhibit(scratch.path("disk.aff"));
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::encrypted);
  EXPECT_THAT(locked.error().message, HasSubstr("affcrypto"));
  const auto described = open_exhibit(scratch.path("disk.afm"));
  ASSERT_FALSE(described);
  EXPECT_EQ(described.error().code, ErrorCode::unsupported);
  EXPECT_THAT(described.error().message, HasSubstr("AFM"));
}

// --- by hand ---

std::string number(std::uint64_t value, int bytes = 4) {
  std::string text;
  for (int i = bytes; i-- > 0;) text.push_back(static_cast<char>(value >> (8 * i) & 255));
  return text;
}

std::string segment(const std::string& name, const std::string& data, std::uint32_t argument) {
  return std::string("AFF\0", 4) + number(name.size()) + number(data.size()) + number(argument) + name +
         data + std::string("ATT\0", 4) + number(24 + name.size() + data.size());
}

std::string head(std::uint32_t page, std::uint64_t size) {
  return std::string("AFF10\r\n\0", 8) + segment("pagesize", "", page) + segment("sectorsize", "512", 0) +
         segment("imagesize", number(size & 0xffffffff) + number(size >> 32), 2) +
         segment("case_num", "C-7", 0) + segment("badsectors", number(3) + number(0), 2);
}

TEST(AffImage, MissingAndDamagedPagesAreGaps) {
  const Scratch scratch;
  const std::string page(65536, 'p');
  std::string packed(70'000, '\0');
  uLongf size = packed.size();
  ASSERT_EQ(::compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                       reinterpret_cast<const Bytef*>(page.data()), page.size()),
            Z_OK);
  packed.resize(size);
  std::string file = head(65536, 5 * 65536) + segment("page0", page, 0) + segment("page1", packed, 1);
  packed[6] ^= 0x55;  // in the block that tells how the rest is packed
  file += segment("page3", packed, 1) + "damage" + segment("page4", number(65536), 0x33);
  auto image = open_exhibit(scratch.write("a.aff", file));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(all_of(**image) == page + page + std::string(3 * 65536, '\0'));
  const auto gaps = (*image)->gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].offset, 2U * 65536);
  EXPECT_EQ(gaps[0].length, 65536U);
  EXPECT_THAT(gaps[0].reason, HasSubstr("page 2 is not in the image"));
  EXPECT_EQ(gaps[1].offset, 3U * 65536);
  EXPECT_EQ((*image)->info().metadata.at("case_number"), "C-7");
  ASSERT_EQ((*image)->info().problems.size(), 2U);
  EXPECT_THAT((*image)->info().problems[0].message, HasSubstr("next sound segment"));
  EXPECT_THAT((*image)->info().problems[1].message, HasSubstr("could not read 3 sectors"));
}

TEST(AffImage, RefusesWhatNoImageCanBe) {
  const Scratch scratch;
  const auto error = [&](const std::string& file) {
    const auto image = open_exhibit(scratch.write("a.aff", file));
    EXPECT_FALSE(image);
    return image ? "" : image.error().message;
  };
  EXPECT_THAT(error(head(65536, 65536)), HasSubstr("without any page"));
  EXPECT_THAT(error(head(7, 65536) + segment("page0", "x", 0)), HasSubstr("page size"));
  EXPECT_THAT(error(head(65536, UINT64_MAX) + segment("page0", "x", 0)),
              HasSubstr("more bytes than any disk"));
  EXPECT_THAT(error(head(65536, 65536) + segment("page18446744073709551615", "x", 0)),
              HasSubstr("more bytes than any disk"));
}

}  // namespace
}  // namespace touchstone

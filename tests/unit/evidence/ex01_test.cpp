// Ex01 images made by make_ex01.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

constexpr std::size_t kChunk = 32768;

class MadeImages {
 public:
  static const MadeImages& get() {
    static const MadeImages made;
    return made;
  }
  std::string path(const std::string& name) const { return scratch_.path(name); }
  const std::string& media() const { return media_; }

 private:
  MadeImages() {
    const std::string script = std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/unit/evidence/make_ex01.py";
    EXPECT_TRUE(test::run("python3 " + script + " " + scratch_.path(""))) << "python3 could not make them";
    media_ = Scratch::slurp(scratch_.path("media.raw"));
  }
  Scratch scratch_;
  std::string media_;
};

std::unique_ptr<ExhibitSource> open(const std::string& name) {
  auto image = open_exhibit(MadeImages::get().path(name));
  EXPECT_TRUE(image) << name << ": " << image.error().message;
  return image ? image.take() : nullptr;
}

std::string all_of(ByteSource& source) {
  std::string text(source.size(), '?');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t part = std::min<std::size_t>(10'007, text.size() - at);
    const auto got = source.read_at(at, std::as_writable_bytes(std::span(text)).subspan(at, part));
    if (!got || *got == 0) break;
    at += *got;
  }
  return text;
}

class Ex01 : public ::testing::TestWithParam<const char*> {};

TEST_P(Ex01, GivesTheBytesThatWerePutIn) {
  auto image = open(GetParam());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->info().format, "ewf2");
  EXPECT_TRUE(all_of(*image) == MadeImages::get().media());
  const auto verified = verify_image(*image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_FALSE(image->info().stored_sha1.empty());
  EXPECT_TRUE(verified->gaps.empty());
  EXPECT_TRUE(image->info().problems.empty());
}

INSTANTIATE_TEST_SUITE_P(Made, Ex01,
                         ::testing::Values("zlib.Ex01", "bzip2.Ex01", "blocks.Ex01", "stored.Ex01"));

TEST(Ex01Image, HasCaseAndDeviceData) {
  auto image = open("zlib.Ex01");
  ASSERT_TRUE(image);
  const auto& about = image->info().metadata;
  EXPECT_EQ(about.at("case_number"), "C-9");
  EXPECT_EQ(about.at("examiner_name"), "A. Example");
  EXPECT_EQ(about.at("notes"), "line one line two");
  EXPECT_EQ(about.at("acquiry_date"), "2012-07-13T17:20:00Z");  // date -u -d @1342200000
  EXPECT_EQ(about.at("serial_number"), "SER-1");
  EXPECT_EQ(about.at("model"), "Model \xc3\xa4");
  EXPECT_EQ(about.at("media_type"), "fixed disk");
  EXPECT_EQ(about.at("write_blocker"), "Tableau");
  EXPECT_EQ(image->info().files.size(), 3U);
}

TEST(Ex01Image, DamagedChunksAreGaps) {
  auto image = open("damaged.Ex01");
  ASSERT_TRUE(image);
  std::string expected = MadeImages::get().media();
  expected[100] = '?';
  expected.replace(11 * kChunk, kChunk, kChunk, '\0');
  EXPECT_TRUE(all_of(*image) == expected);
  const auto gaps = image->gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].offset, 11 * kChunk);
  EXPECT_EQ(gaps[1].offset, 0U);
  EXPECT_EQ(gaps[1].length, kChunk);
  EXPECT_THAT(gaps[1].reason, HasSubstr("does not fit its checksum"));
}

TEST(Ex01Image, ReadErrorsOfTheAcquisitionAreGaps) {
  auto image = open("errors.Ex01");
  ASSERT_TRUE(image);
  EXPECT_TRUE(all_of(*image) == MadeImages::get().media());
  const auto gaps = image->gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].offset, 5120U);
  EXPECT_EQ(gaps[0].length, 1536U);
  ASSERT_EQ(image->info().problems.size(), 1U);
  EXPECT_THAT(image->info().problems[0].message, HasSubstr("4 sectors"));
}

TEST(Ex01Image, IsReadWithoutAMiddleSegment) {
  const Scratch part;
  const MadeImages& made = MadeImages::get();
  for (const char* name : {"zlib.Ex01", "zlib.Ex03"}) part.write(name, Scratch::slurp(made.path(name)));
  auto image = open_exhibit(part.path("zlib.Ex01"));
  ASSERT_TRUE(image);
  const std::string read = all_of(**image);
  const auto gaps = (*image)->gaps();
  ASSERT_EQ(gaps.size(), 1U);
  const std::string& media = made.media();
  EXPECT_EQ(read.substr(0, gaps[0].offset), media.substr(0, gaps[0].offset));
  const std::size_t behind = gaps[0].offset + gaps[0].length;
  EXPECT_EQ(read.substr(behind), media.substr(behind));
  EXPECT_THAT((*image)->info().problems.at(0).message, HasSubstr("zlib.Ex02"));
}

TEST(Ex01Image, IsReadAsFarAsACutFileHasSections) {
  const Scratch part;
  const MadeImages& made = MadeImages::get();
  std::string whole = Scratch::slurp(made.path("stored.Ex01"));
  whole.resize(whole.size() - 200);  // of the stored hashes
  auto image = open_exhibit(part.write("cut.Ex01", whole));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(all_of(**image) == made.media());
  EXPECT_THAT((*image)->info().problems.at(0).message, HasSubstr("cut short"));
}

TEST(Ex01Image, NamesWhatItDoesNotRead) {
  const auto locked = open_exhibit(MadeImages::get().path("locked.Ex01"));
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::encrypted);
  const auto later = open_exhibit(MadeImages::get().path("zlib.Ex02"));
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("segment 2"));
}

}  // namespace
}  // namespace touchstone

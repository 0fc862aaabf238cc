// Damage in an E01 that costs no byte of the media: the image opens, all bytes are those of the raw image,
// and a problem names file and section. Images come from ewfacquire, the raw bytes are what is compared with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "evidence/exhibit_source.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

using test::Scratch;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr std::size_t kDescriptor = 76;

struct Section {
  std::string type;
  std::uint64_t at = 0;
  std::uint64_t next = 0;
};

std::uint64_t number_at(const std::string& bytes, std::uint64_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::vector<Section> sections_of(const std::string& bytes) {
  std::vector<Section> sections;
  for (std::uint64_t at = 13; at + kDescriptor <= bytes.size();) {
    const std::uint64_t next = number_at(bytes, at + 16);
    sections.push_back({bytes.substr(at, 16).c_str(), at, next});
    if (next <= at) break;
    at = next;
  }
  return sections;
}

/// zlib's Adler-32, written out.
std::string adler(const std::string& bytes) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  std::string text;
  for (const std::uint32_t half : {a, b}) {
    text.push_back(static_cast<char>(half & 255));
    text.push_back(static_cast<char>(half >> 8));
  }
  return text;
}

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

class EwfDamage : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("ewfacquire"))
      GTEST_SKIP() << "ewfacquire (Debian package ewf-tools) is not installed";
    raw_ = test::noise(1024 * 1024) + std::string(1024 * 1024, '\0');
    scratch_.write("raw.dd", raw_);
    acquire("good", "-d sha1 -f encase6");
  }
  void acquire(const std::string& name, const std::string& options) {
    ASSERT_TRUE(test::run("cd '" + scratch_.path("") +
                          "' && ewfacquire -u -q -D d -C CASE/1 -E ABC/1 -e Examiner -c none " + options +
                          " -t " + name + " raw.dd"));
    bytes_ = scratch_.read(name + ".E01");
    sections_ = sections_of(bytes_);
  }
  /// The nth section of a type.
  Section section(const std::string& type, std::size_t nth = 0) const {
    for (const Section& one : sections_) {
      if (one.type == type && nth-- == 0) return one;
    }
    ADD_FAILURE() << "no section " << type;
    return {};
  }
  void flip(std::uint64_t at) { bytes_[at] = static_cast<char>(bytes_[at] ^ 0x55); }
  Result<std::unique_ptr<ExhibitSource>> open(const std::string& name = "bad.E01") {
    return open_exhibit(scratch_.write(name, bytes_));
  }
  /// The damaged image opens, gives every byte, and says `message` as an integrity problem.
  void expect_whole(const std::string& message) {
    auto image = open();
    ASSERT_TRUE(image) << message << ": " << image.error().message;
    EXPECT_EQ((*image)->info().size, raw_.size());
    std::string read(raw_.size(), '?');
    ASSERT_TRUE((*image)->read_at(0, std::as_writable_bytes(std::span(read))));
    EXPECT_TRUE(read == raw_) << message;
    EXPECT_TRUE((*image)->gaps().empty()) << message;
    EXPECT_THAT(
        (*image)->info().problems,
        ElementsAre(AllOf(Field(&Problem::kind, ProblemKind::integrity),
                          Field(&Problem::message, AllOf(HasSubstr("bad.E01"), HasSubstr(message))))));
    info_ = (*image)->info();
  }

  Scratch scratch_;
  std::string raw_;
  std::string bytes_;
  std::vector<Section> sections_;
  ImageInfo info_;
};

TEST_F(EwfDamage, SoundImageHasNoProblem) {
  auto image = open();
  ASSERT_TRUE(image);
  EXPECT_TRUE((*image)->info().problems.empty());
}

TEST_F(EwfDamage, WrongStoredMd5IsShownAsItIsWrittenAndDoesNotMatch) {
  const std::uint64_t at = section("hash").at + kDescriptor;
  flip(at + 3);
  expect_whole("the checksum of its section hash at byte " + std::to_string(at - kDescriptor) + " is wrong");
  EXPECT_EQ(info_.stored_md5, hex(bytes_.substr(at, 16)));
  auto image = open();
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, false);
}

TEST_F(EwfDamage, WrongStoredSha1IsShownAsItIsWritten) {
  const std::uint64_t at = section("digest").at + kDescriptor;
  flip(at + 20);
  expect_whole("section digest at byte ");
  EXPECT_EQ(info_.stored_sha1, hex(bytes_.substr(at + 16, 20)));
  EXPECT_EQ(info_.stored_md5, hex(bytes_.substr(section("hash").at + kDescriptor, 16)));
}

TEST_F(EwfDamage, WrongStoredChecksumItselfLeavesTheHashRight) {
  flip(section("hash").at + kDescriptor + 32);
  expect_whole("section hash at byte ");
  auto image = open();
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
}

TEST_F(EwfDamage, DamagedHeadersAreReplacedByTheirCopies) {
  const std::string intact = bytes_;
  for (const auto& [type, nth] : {std::pair("header2", 0), std::pair("header2", 1), std::pair("header", 0)}) {
    bytes_ = intact;
    flip(section(type, static_cast<std::size_t>(nth)).at + kDescriptor + 20);
    expect_whole(std::string("section ") + type + " at byte ");
    EXPECT_EQ(info_.metadata["case_number"], "CASE/1") << type;
  }
}

TEST_F(EwfDamage, AllHeadersDamagedCostTheCaseDescriptionOnly) {
  for (const auto& [type, nth] : {std::pair("header2", 0), std::pair("header2", 1), std::pair("header", 0)})
    flip(section(type, static_cast<std::size_t>(nth)).at + kDescriptor + 20);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().problems.size(), 3U);
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
}

TEST_F(EwfDamage, EitherTableHeaderMendsTheOther) {
  const std::string intact = bytes_;
  for (const char* type : {"table", "table2"}) {
    for (const std::uint64_t at : {0U, 10U, 21U}) {  // count, base offset, checksum
      bytes_ = intact;
      flip(section(type).at + kDescriptor + at);
      expect_whole(std::string("section ") + type + " at byte ");
    }
  }
}

TEST_F(EwfDamage, CountIsFoundWhereBothTableHeadersAreDamaged) {
  flip(section("table").at + kDescriptor);
  flip(section("table2").at + kDescriptor + 20);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_EQ((*image)->info().problems.size(), 2U);
}

TEST_F(EwfDamage, VolumeAndDataMendEachOther) {
  const std::string intact = bytes_;
  for (const char* type : {"volume", "data"}) {
    for (const std::uint64_t at : {4U, 8U, 12U, 16U, 1048U}) {  // chunks, sectors, sizes, checksum
      bytes_ = intact;
      flip(section(type).at + kDescriptor + at);
      expect_whole(std::string("section ") + type + " at byte ");
    }
  }
}

TEST_F(EwfDamage, NumbersThatAgreeWithTheTablesAreEnoughWithoutASoundVolume) {
  flip(section("volume").at + kDescriptor + 500);
  flip(section("data").at + kDescriptor + 4);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().size, raw_.size());
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
}

TEST_F(EwfDamage, VolumeThatCannotBeTrustedIsAnErrorThatNamesIt) {
  flip(section("volume").at + kDescriptor + 4);
  flip(section("data").at + kDescriptor + 4);
  const auto image = open();
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::corrupt);
  EXPECT_THAT(image.error().message, AllOf(HasSubstr("bad.E01"), HasSubstr("section volume at byte ")));
}

// One flipped byte in each field of each descriptor: type, next, size, padding, checksum.
TEST_F(EwfDamage, DescriptorsAreMendedFromTheirNeighbours) {
  const std::string intact = bytes_;
  for (const Section& one : sections_) {
    for (const std::uint64_t field : {0U, 1U, 6U, 16U, 24U, 40U, 72U}) {
      bytes_ = intact;
      flip(one.at + field);
      expect_whole(" at byte " + std::to_string(one.at) + " is damaged");
      if (HasFatalFailure()) return;
    }
  }
}

// A list of read errors is rare, so one is put in: count, padding, checksum, entries, checksum.
TEST_F(EwfDamage, DamagedErrorListIsLeftOut) {
  const Section data = section("data");
  const std::string head = number(1, 4) + std::string(512, '\0');
  const std::string entry = number(8, 4) + number(1, 4);
  const std::string content = head + adler(head) + entry + adler(entry);
  const std::uint64_t size = kDescriptor + content.size();
  std::string descriptor =
      "error2" + std::string(10, '\0') + number(data.at + size, 8) + number(size, 8) + std::string(40, '\0');
  descriptor += adler(descriptor);
  // What comes after moves; only its own chain has to be told.
  std::string rest = bytes_.substr(data.at);
  for (const Section& one : sections_) {
    if (one.at < data.at) continue;
    std::string moved = rest.substr(one.at - data.at, 72);
    moved.replace(16, 8, number(one.next + size, 8));
    rest.replace(one.at - data.at, kDescriptor, moved + adler(moved));
  }
  const std::string with_list = bytes_.substr(0, data.at) + descriptor + content + rest;
  bytes_ = with_list;
  {
    auto image = open();
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_THAT((*image)->info().problems,
                ElementsAre(Field(&Problem::message, HasSubstr("could not read 1 sectors"))));
    const auto verified = verify_image(**image, nullptr);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->matches, true);
    ASSERT_EQ(verified->gaps.size(), 1U);
    EXPECT_EQ(verified->gaps[0].offset, 8U * 512U);
    EXPECT_EQ(verified->gaps[0].length, 512U);
  }
  for (const std::uint64_t at : {0U, 100U, 520U}) {
    bytes_ = with_list;
    flip(data.at + kDescriptor + at);
    expect_whole("section error2 at byte " + std::to_string(data.at));
  }
}

TEST_F(EwfDamage, FirstSegmentOfASetIsMendedToo) {
  acquire("bad", "-f encase6 -S 1MiB");
  flip(section("volume").at + kDescriptor + 4);
  flip(section("header2").at + kDescriptor + 20);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  const auto& info = (*image)->info();
  EXPECT_GE(info.files.size(), 2U);
  EXPECT_EQ(info.problems.size(), 2U);
  // The files are open: taking them away changes nothing, as when a sandbox closes the file system.
  for (const std::string& file : info.files) std::filesystem::remove(file);
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_TRUE(verified->gaps.empty());
}

TEST_F(EwfDamage, MissingSegmentIsStillNamedBesideIt) {
  acquire("bad", "-f encase6 -S 1MiB");
  std::filesystem::remove(scratch_.path("bad.E02"));
  flip(section("header2").at + kDescriptor + 20);
  flip(section("next").at);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_THAT((*image)->info().problems, Contains(Field(&Problem::message, HasSubstr("bad.E02 is missing"))));
  std::string first(512 * 1024, '?');
  ASSERT_TRUE((*image)->read_at(0, std::as_writable_bytes(std::span(first))));
  EXPECT_TRUE(first == raw_.substr(0, first.size()));
}

// Each segment holds a copy of the volume section, and in it the identifier of the set.
TEST_F(EwfDamage, SegmentOfAnotherSetIsNotUsed) {
  acquire("bad", "-f encase6 -c none -S 1MiB");
  for (const auto& [name, mark] : {std::pair("bad.E01", 'A'), std::pair("bad.E02", 'B')}) {
    std::string bytes = scratch_.read(name);
    for (const Section& one : sections_of(bytes)) {
      if (one.type != "volume" && one.type != "data") continue;
      const std::uint64_t at = one.at + kDescriptor;
      bytes.replace(at + 64, 16, 16, mark);
      bytes.replace(at + 1048, 4, adler(bytes.substr(at, 1048)));
    }
    scratch_.write(name, bytes);
  }
  auto image = open_exhibit(scratch_.path("bad.E01"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_THAT((*image)->info().problems,
              Contains(Field(&Problem::message, HasSubstr("bad.E02 belongs to another set"))));
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->gaps.size(), 1U);
  EXPECT_GT(verified->gaps[0].length, 900'000U);
}

// An entry that points elsewhere, in the first table only: the copy is sound.
TEST_F(EwfDamage, DamagedTableEntriesAreReadFromTheCopy) {
  flip(section("table").at + kDescriptor + 24 + 40);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->matches, true);
  EXPECT_TRUE(verified->gaps.empty());
  EXPECT_THAT((*image)->info().problems,
              ElementsAre(Field(&Problem::message, HasSubstr("its copy in section table2 is used"))));
}

// A chunk of the media that ends within a sector, as FTK Imager writes it: one byte more than its 8 sectors.
TEST_F(EwfDamage, BytesBehindTheLastWholeSectorAreRead) {
  const std::string raw = test::noise(4097);
  scratch_.write("raw.dd", raw.substr(0, 4096));
  acquire("bad", "-f encase6 -c none");
  const Section sectors = section("sectors");
  const std::string chunk = raw + adler(raw);
  std::string rest = bytes_.substr(sectors.next);
  const std::string before = bytes_.substr(0, sectors.at);
  const std::uint64_t moved = sectors.at + kDescriptor + chunk.size() - sectors.next;
  ASSERT_EQ(moved, 1U);
  std::string descriptor = bytes_.substr(sectors.at, 72);
  descriptor.replace(16, 16, number(sectors.next + moved, 8) + number(kDescriptor + chunk.size(), 8));
  for (const Section& one : sections_) {
    if (one.at < sectors.next) continue;
    std::string head = rest.substr(one.at - sectors.next, 72);
    head.replace(16, 8, number(one.next + moved, 8));
    rest.replace(one.at - sectors.next, kDescriptor, head + adler(head));
  }
  bytes_ = before + descriptor + adler(descriptor) + chunk + rest;
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ((*image)->info().size, 4097U);
  std::string read(4097, '?');
  ASSERT_TRUE((*image)->read_at(0, std::as_writable_bytes(std::span(read))));
  EXPECT_TRUE(read == raw);
  EXPECT_THAT((*image)->info().problems,
              ElementsAre(Field(&Problem::message, HasSubstr("holds 1 bytes more"))));
}

TEST_F(EwfDamage, WrongChunkIsStillAGapBesideIt) {
  flip(section("hash").at + kDescriptor);
  flip(section("sectors").at + kDescriptor + 500'000);
  auto image = open();
  ASSERT_TRUE(image) << image.error().message;
  const auto verified = verify_image(**image, nullptr);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->gaps.size(), 1U);
}

}  // namespace
}  // namespace touchstone

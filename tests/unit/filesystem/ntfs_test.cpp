// NTFS volumes by mkntfs and ntfscp, in which fields of one file record are set by hand. After Microsoft's
// NTFS documentation as the Linux-NTFS project gives it (FILE record, $STANDARD_INFORMATION, attribute
// flags).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone {
namespace {

using namespace test;
using ::testing::HasSubstr;

std::uint64_t number_at(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

/// The attribute of that type in the record at `record`; 0 if there is none.
std::size_t attribute_of(const std::string& bytes, std::size_t record, std::uint64_t type) {
  std::size_t at = record + number_at(bytes, record + 20, 2);
  for (int i = 0; i < 10 && number_at(bytes, at, 4) != 0xffffffff; ++i) {
    if (number_at(bytes, at, 4) == type) return at;
    at += number_at(bytes, at + 4, 4);
  }
  return 0;
}

class Ntfs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("mkntfs") || !has_tool("ntfscp")) GTEST_SKIP() << "ntfs-3g is not installed";
    scratch_.write("source", content_);  // too long to stand in its record
    std::filesystem::resize_file(scratch_.write("image", ""), 4'000'000);
    ASSERT_TRUE(run("mkntfs -q -F -L Label '" + scratch_.path("image") + "'"));
    ASSERT_TRUE(run("ntfscp -f '" + scratch_.path("image") + "' '" + scratch_.path("source") + "' /marked"));
    bytes_ = scratch_.read("image");
    const std::string name("m\0a\0r\0k\0e\0d", 11);
    for (std::size_t at = bytes_.find("FILE"); at != std::string::npos; at = bytes_.find("FILE", at + 4)) {
      if (at % 1024 == 0 && bytes_.substr(at, 1024).find(name) != std::string::npos &&
          attribute_of(bytes_, at, 0x80) != 0 && number_at(bytes_, at + 44, 4) > 16)
        record_ = at;
    }
    ASSERT_NE(record_, 0U);
  }
  void put(std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.at(at + i) = static_cast<char>(value >> 8 * i);
  }
  void open() {
    source_ = make_memory_source(to_bytes(bytes_));
    std::vector<Problem> problems;
    const auto volumes = list_volumes(*source_, 512, problems);
    ASSERT_EQ(volumes.size(), 1U);
    auto files = open_file_system(*source_, 512, volumes[0]);
    ASSERT_TRUE(files) << files.error().message;
    files_ = files.take();
    walked_ = walk(*files_);
  }
  const std::string content_ = noise(5'000);
  Scratch scratch_;
  std::string bytes_;
  std::size_t record_ = 0;
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<FileSystem> files_;
  Walked walked_;
};

TEST_F(Ntfs, TimesBefore1970AndAfter2106AreThoseStored) {
  const std::size_t information = attribute_of(bytes_, record_, 0x10);
  const std::size_t times = information + number_at(bytes_, information + 20, 2);
  constexpr std::uint64_t kTicks = 10'000'000, kFrom1601 = 11'644'473'600;
  put(times, (kFrom1601 - 315'521'755) * kTicks, 8);  // created: date -u -d 1960-01-02T03:04:05 +%s
  put(times + 8, (kFrom1601 + 13'569'465'600) * kTicks + 15,
      8);                 // modified: 2400-01-01, and 1.5 microseconds
  put(times + 16, 0, 8);  // none
  open();
  const Entry* marked = walked_.find("/marked");
  ASSERT_NE(marked, nullptr);
  EXPECT_EQ(content_of(*files_, marked->address), content_);
  EXPECT_EQ(marked->times.created, -315'521'755'000'000);
  EXPECT_EQ(marked->times.modified, 13'569'465'600'000'001);
  EXPECT_FALSE(marked->times.changed.has_value());
}

TEST_F(Ntfs, FilesThatWindowsEncryptedAreSaidToBe) {
  const std::size_t data = attribute_of(bytes_, record_, 0x80);
  put(data + 12, number_at(bytes_, data + 12, 2) | 0x4000, 2);
  open();
  const Entry* marked = walked_.find("/marked");
  ASSERT_NE(marked, nullptr);
  EXPECT_THAT(marked->detail, HasSubstr("\"encrypted\":true"));
  const auto opened = files_->open(marked->address);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::encrypted);
  EXPECT_THAT(opened.error().message, HasSubstr("EFS"));
}

}  // namespace
}  // namespace touchstone

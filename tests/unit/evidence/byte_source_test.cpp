#include "evidence/byte_source.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "evidence/gap_list.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

std::string read_text(ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  const auto got = source.read_at(offset, std::as_writable_bytes(std::span(text)));
  text.resize(got ? *got : 0);
  return text;
}

TEST(MemorySource, ReadsFewerBytesOnlyAtTheEnd) {
  const auto source = make_memory_source(test::to_bytes("0123456789"));
  EXPECT_EQ(source->size(), 10U);
  EXPECT_EQ(read_text(*source, 2, 3), "234");
  EXPECT_EQ(read_text(*source, 8, 5), "89");
  EXPECT_EQ(read_text(*source, 10, 5), "");
  EXPECT_EQ(read_text(*source, ~std::uint64_t{0}, 5), "");
}

TEST(Window, IsCutToItsBase) {
  const auto base = make_memory_source(test::to_bytes("0123456789"));
  const auto window = make_window(*base, 4, 100);
  EXPECT_EQ(window->size(), 6U);
  EXPECT_EQ(read_text(*window, 0, 100), "456789");
  EXPECT_EQ(read_text(*make_window(*base, 4, 2), 0, 100), "45");
  EXPECT_EQ(make_window(*base, 11, 2)->size(), 0U);
  EXPECT_EQ(make_window(*base, 4, ~std::uint64_t{0})->size(), 6U);
}

TEST(FileSource, ReadsAFile) {
  const test::Scratch scratch;
  const auto source = open_file_source(scratch.write("a", "hello world"));
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->size(), 11U);
  EXPECT_EQ(read_text(**source, 6, 99), "world");
  EXPECT_TRUE((*source)->gaps().empty());
}

TEST(FileSource, SaysWhatAPathIsWhenItIsNoFile) {
  const test::Scratch scratch;
  const auto directory = open_file_source(scratch.path(""));
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().message.find("is a directory"), std::string::npos);
  const auto missing = open_file_source(scratch.path("nowhere"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::io);
  EXPECT_NE(missing.error().message.find("nowhere"), std::string::npos);
}

TEST(FileSource, FillsWhatDisappearedWithZerosAndListsIt) {
  const test::Scratch scratch;
  const std::string path = scratch.write("a", std::string(1000, 'x'));
  const auto source = open_file_source(path);
  ASSERT_TRUE(source);
  std::filesystem::resize_file(path, 600);
  EXPECT_EQ(read_text(**source, 500, 500), std::string(100, 'x') + std::string(400, '\0'));
  ASSERT_EQ((*source)->gaps().size(), 1U);
  EXPECT_EQ((*source)->gaps()[0].offset, 600U);
  EXPECT_EQ((*source)->gaps()[0].length, 400U);
  const auto window = make_window(**source, 550, 100);
  ASSERT_EQ(window->gaps().size(), 1U);
  EXPECT_EQ(window->gaps()[0].offset, 50U);
  EXPECT_EQ(window->gaps()[0].length, 50U);
}

/// A file with `pieces` of text at their offsets and holes between them.
std::string sparse_file(const test::Scratch& scratch, std::uint64_t size,
                        const std::vector<std::pair<std::uint64_t, std::string>>& pieces) {
  std::string path = scratch.write("sparse", "");
  std::filesystem::resize_file(path, size);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (const auto& [offset, text] : pieces) {
    file.seekp(static_cast<std::streamoff>(offset));
    file << text;
  }
  return path;
}

TEST(FileSource, ReadsASparseFileAsAnyOtherProgramDoes) {
  const test::Scratch scratch;
  const std::string path = sparse_file(
      scratch, 5'000'001, {{0, "start"}, {1'000'003, std::string(70'000, 'x')}, {4'999'999, "z"}});
  const std::string expected = test::Scratch::slurp(path);
  auto source = open_file_source(path);
  ASSERT_TRUE(source);
  EXPECT_TRUE(read_text(**source, 0, 6'000'000) == expected);
  for (const std::uint64_t at : {4'990'000U, 1'069'000U, 999'000U, 0U, 2'000'000U, 4'999'999U})
    EXPECT_TRUE(read_text(**source, at, 20'000) == expected.substr(at, 20'000)) << at;
  EXPECT_TRUE((*source)->gaps().empty());
}

TEST(FileSource, DoesNotTakeWhatDisappearedForAHole) {
  const test::Scratch scratch;
  const std::string path = sparse_file(scratch, 4'000'000, {{0, "start"}});
  auto source = open_file_source(path);
  ASSERT_TRUE(source);
  std::filesystem::resize_file(path, 1'000'000);
  EXPECT_TRUE(read_text(**source, 500'000, 2'000'000) == std::string(2'000'000, '\0'));
  ASSERT_EQ((*source)->gaps().size(), 1U);
  EXPECT_EQ((*source)->gaps()[0].offset, 1'000'000U);
}

TEST(GapList, JoinsNeighboursAndRepeats) {
  GapList gaps;
  gaps.add(100, 50, "bad");
  gaps.add(150, 50, "bad");
  gaps.add(120, 10, "bad");
  gaps.add(400, 10, "bad");
  gaps.add(120, 10, "worse");
  ASSERT_EQ(gaps.list().size(), 3U);
  EXPECT_EQ(gaps.list()[0].offset, 100U);
  EXPECT_EQ(gaps.list()[0].length, 100U);
}

TEST(GapList, KeepsApartWhatLiesApartOnTheExhibit) {
  GapList gaps;
  gaps.add(0, 100, "bad", 5000);
  gaps.add(100, 100, "bad", 5100);
  EXPECT_EQ(gaps.list().size(), 1U);
  gaps.add(200, 100, "bad", 9000);
  ASSERT_EQ(gaps.list().size(), 2U);
  EXPECT_EQ(gaps.list()[0].length, 200U);
  EXPECT_EQ(gaps.list()[0].place, 5000U);
  EXPECT_EQ(gaps.list()[1].place_of(250), 9050U);
  gaps.add(150, 100, "bad");
  EXPECT_EQ(gaps.list().size(), 3U) << "what has no place is not given one";
}

TEST(GapList, StaysBoundedAndSaysSo) {
  GapList gaps;
  for (std::uint64_t i = 0; i < 5000; ++i) gaps.add(i * 1000, 10, "bad");
  EXPECT_TRUE(gaps.full());
  EXPECT_EQ(gaps.list().size(), ByteSource::kMaxGaps + 1);
  EXPECT_EQ(gaps.list().back().length, 0U);
  EXPECT_NE(gaps.list().back().reason.find("more"), std::string::npos);
}

}  // namespace
}  // namespace touchstone

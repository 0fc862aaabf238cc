// Compound files made by [MS-CFB] in the test, which 7-Zip reads as well where it is installed; and damaged
// ones.
#include "content/compound_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/cli_runner.hpp"
#include "support/made_compound.hpp"

namespace touchstone::test {
namespace {

std::string pattern(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 7 + i / 251 + seed) & 0xFFU);
  return out;
}

Result<CompoundFile> open(const std::string& bytes) {
  return CompoundFile::open(
      [&bytes](std::uint64_t offset, std::span<std::uint8_t> out) -> std::int64_t {
        if (offset >= bytes.size()) return 0;
        const auto part = std::min<std::size_t>(out.size(), bytes.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), part, out.begin());
        return static_cast<std::int64_t>(part);
      },
      bytes.size());
}

std::string content(const CompoundFile& file, const std::string& path) {
  const CompoundEntry* entry = file.find(path);
  if (!entry) return "(not there)";
  const auto bytes = file.read_all(*entry, 64U << 20U);
  return bytes ? std::string(bytes->begin(), bytes->end()) : "(cannot be read)";
}

const std::vector<MadeEntry> kEntries = {{u"small", pattern(100, 1)},
                                         {u"large", pattern(100'000, 2)},
                                         {u"edge", pattern(4096, 3)},
                                         {u"below", pattern(4095, 4)},
                                         {u"empty", ""},
                                         {u"\u00DCbung", {}, -1, true, 133'591'446'000'000'000},
                                         {u"inner", pattern(5000, 5), 5},
                                         {u"deep", {}, 5, true},
                                         {u"\x0005last", pattern(64, 6), 7}};

TEST(CompoundFile, GivesEachStreamAsItWasPut) {
  const std::string made = make_compound(kEntries);
  const auto file = open(made);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->problems().empty());
  ASSERT_EQ(file->entries().size(), kEntries.size() + 1);
  EXPECT_EQ(content(*file, "small"), kEntries[0].bytes);
  EXPECT_EQ(content(*file, "LARGE"), kEntries[1].bytes) << "case does not matter";
  EXPECT_EQ(content(*file, "edge"), kEntries[2].bytes);
  EXPECT_EQ(content(*file, "below"), kEntries[3].bytes);
  EXPECT_EQ(content(*file, "empty"), "");
  EXPECT_EQ(content(*file, "Übung/inner"), kEntries[6].bytes);
  EXPECT_EQ(content(*file, "Übung/deep/\x05last"), kEntries[8].bytes);
  EXPECT_EQ(file->find("Übung")->modified, 1'714'671'000'000'000) << "2024-05-02 17:30:00 UTC";
  EXPECT_EQ(file->find("absent"), nullptr);
}

TEST(CompoundFile, IsReadByAnotherToolAlike) {
  if (!testing::have("7z")) GTEST_SKIP() << "needs 7z";
  const testing::FreshFolder folder;
  testing::write_file(folder.path("made.doc"), make_compound(kEntries));
  ASSERT_EQ(testing::run({"7z", "x", "-o" + folder.text("out"), folder.text("made.doc")}).exit_code, 0);
  EXPECT_EQ(testing::read_file(folder.path("out/large")), kEntries[1].bytes);
  EXPECT_EQ(testing::read_file(folder.path("out/below")), kEntries[3].bytes);
  EXPECT_EQ(testing::read_file(folder.path("out/Übung/inner")), kEntries[6].bytes);
}

TEST(CompoundFile, ReadsFromAnyPlace) {
  const std::string made = make_compound(kEntries);
  const auto file = open(made);
  ASSERT_TRUE(file);
  for (const char* name : {"large", "below"}) {
    const auto stream = file->open_stream(*file->find(name));
    const std::string all = content(*file, name);
    for (std::uint64_t offset : {0U, 1U, 63U, 511U, 513U, 4000U}) {
      std::vector<std::uint8_t> out(700);
      const auto got = stream.read_at(offset, out);
      EXPECT_EQ(std::string(out.begin(), out.begin() + got), all.substr(offset, 700)) << name << offset;
    }
    EXPECT_EQ(stream.read_at(all.size(), std::span<std::uint8_t>()), 0);
  }
}

TEST(CompoundFile, EndsLoopsOfSectorsAndSiblings) {
  std::string made = make_compound(kEntries);
  // The first sector of "large" (100,000 bytes) follows itself.
  const std::size_t place = directory_place(made, 2);
  const auto first = static_cast<std::uint8_t>(made[place + 116]);
  put_little(made, 512 + std::size_t{first} * 4, first, 4);
  auto file = open(made);
  ASSERT_TRUE(file);
  const auto stream = file->open_stream(*file->find("large"));
  EXPECT_TRUE(stream.is_short());
  EXPECT_LT(stream.size(), 100'000U);

  made = make_compound(kEntries);
  put_little(made, directory_place(made, 3) + 72, 1, 4);  // "edge" leads back to "small"
  file = open(made);
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->problems().empty());
  EXPECT_EQ(content(*file, "edge"), kEntries[2].bytes);
  EXPECT_TRUE(std::any_of(file->entries().begin(), file->entries().end(), [](const CompoundEntry& entry) {
    return entry.is_orphan && entry.name == "below";
  })) << "what the loop cut off is still there";
}

TEST(CompoundFile, BelievesNoAbsurdSize) {
  std::string made = make_compound(kEntries);
  put_little(made, directory_place(made, 2) + 120, 0xFFFFFFFF, 4);
  auto file = open(made);
  ASSERT_TRUE(file);
  const auto stream = file->open_stream(*file->find("large"));
  EXPECT_TRUE(stream.is_short());
  EXPECT_EQ(stream.size(), 196U * 512) << "what its chain of sectors holds";

  put_little(made, 44, 0xFFFFFFFF, 4);  // sectors of the allocation table
  EXPECT_TRUE(open(made));
  put_little(made, 30, 40, 2);  // 2^40 bytes a sector
  EXPECT_EQ(open(made).error().code, ErrorCode::corrupt);
  EXPECT_FALSE(open(made.substr(0, 100)));
  EXPECT_FALSE(open(""));
}

TEST(CompoundFile, SurvivesEveryCutAndFlippedByte) {
  const std::string made = make_compound({{u"a", pattern(300, 1)}, {u"b", pattern(5000, 2)}});
  for (std::size_t at = 0; at < made.size(); at += at < 2048 ? 1 : 37) {
    std::string flipped = made;
    flipped[at] = static_cast<char>(flipped[at] ^ 0xFF);
    for (const std::string& bytes : {flipped, made.substr(0, at)}) {
      const auto file = open(bytes);
      if (!file) continue;
      for (const CompoundEntry& entry : file->entries()) {
        const auto all = file->read_all(entry, 1U << 20U);
        EXPECT_LE(all ? all->size() : 0, made.size() + 512);
      }
    }
  }
}

TEST(CompoundFile, DecodesNamesOfInstallers) {
  // The name of a table that each installer has, as it is stored.
  const std::u16string name = {0x4840, 0x3F3F, 0x4577, 0x446C, 0x3E6A, 0x44B2, 0x482F};
  bool is_table = false;
  EXPECT_EQ(decode_msi_name(name, is_table), "_StringPool");
  EXPECT_TRUE(is_table);
  EXPECT_EQ(decode_msi_name(u"\x0005SummaryInformation", is_table), "\x05SummaryInformation");
  EXPECT_FALSE(is_table);
}

}  // namespace
}  // namespace touchstone::test

// Records made byte by byte after Joachim Metz, "Windows Recycle.Bin file formats" and the freedesktop.org
// Trash specification; times as `date -u` gives them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

std::string little(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string utf16(std::u16string_view text) {
  std::string bytes;
  for (const char16_t c : text) bytes += little(c, 2);
  return bytes;
}

std::string padded(std::string bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}

// 2016-06-29 21:37:45.618 UTC: 1467236265618000 microseconds, and in 100 nanoseconds since 1601.
constexpr std::int64_t kAt = 1'467'236'265'618'000;
constexpr std::uint64_t kFiletime = 131'117'098'656'180'000;

std::string i_file(std::u16string_view name, int version = 2) {
  const std::string head =
      little(static_cast<std::uint64_t>(version), 8) + little(4321, 8) + little(kFiletime, 8);
  if (version == 1) return head + padded(utf16(name), 520);
  return head + little(name.size() + 1, 4) + utf16(name) + little(0, 2);
}

std::string info2_record(const std::string& ansi, std::u16string_view name, std::uint64_t index,
                         std::uint64_t drive) {
  return padded(ansi, 260) + little(index, 4) + little(drive, 4) + little(kFiletime, 8) + little(8192, 4) +
         padded(utf16(name), 520);
}

std::string info2_header(std::uint64_t record) {
  return little(5, 4) + little(0, 8) + little(record, 4) + little(0, 4);
}

nlohmann::json only_detail(const Outcome& outcome) {
  EXPECT_EQ(outcome.findings.size(), 1U);
  EXPECT_TRUE(outcome.problems.empty());
  return outcome.findings.empty() ? nlohmann::json() : nlohmann::json::parse(outcome.findings[0].detail);
}

class RecycleBinTest : public ::testing::Test {
 protected:
  std::unique_ptr<PluginHost> host_ = PluginHost::load("recyclebin");
};

TEST_F(RecycleBinTest, ReadsBothVersionsOfTheSmallFile) {
  for (const int version : {1, 2}) {
    TestItem item;
    item.path = "/$RECYCLE.BIN/S-1-5-21-1-2-3-1001/$IA1B2C3.jpg";
    item.bytes = i_file(u"C:\\Users\\sam\\Pictures\\caf\u00e9 \U0001F600.jpg", version);
    item.neighbours["$RA1B2C3.jpg"] = "x";
    ASSERT_TRUE(host_->matches(item));
    const Outcome outcome = host_->examine(item);
    const nlohmann::json detail = only_detail(outcome);
    EXPECT_EQ(detail["original"], "C:\\Users\\sam\\Pictures\\café 😀.jpg");
    EXPECT_EQ(detail["deleted_at"], kAt);
    EXPECT_EQ(detail["size"], 4321);
    EXPECT_EQ(detail["owner"], "S-1-5-21-1-2-3-1001");
    EXPECT_EQ(detail["tells_of"], "$RA1B2C3.jpg");
    EXPECT_EQ(detail["there"], true);
    EXPECT_EQ(outcome.findings[0].title,
              "Put into the recycle bin: C:\\Users\\sam\\Pictures\\café 😀.jpg, 2016-06-29 21:37:45 UTC");
    EXPECT_EQ(outcome.findings[0].category, "deleted");
  }
}

TEST_F(RecycleBinTest, SaysOfTheFileItselfWhereItCameFrom) {
  TestItem item;
  item.path = "/$Recycle.Bin/S-1-5-21-1-2-3-1001/$RA1B2C3.jpg";
  item.neighbours["$IA1B2C3.jpg"] = i_file(u"D:\\a.jpg");
  ASSERT_TRUE(host_->matches(item));
  const nlohmann::json detail = only_detail(host_->examine(item));
  EXPECT_EQ(detail["original"], "D:\\a.jpg");
  EXPECT_EQ(detail["told_by"], "$IA1B2C3.jpg");
  item.neighbours.clear();
  EXPECT_TRUE(host_->examine(item).findings.empty()) << "nothing remembers it";
}

TEST_F(RecycleBinTest, SaysItOfFilesInADeletedFolder) {
  TestItem item;
  item.path = "/$Recycle.Bin/S-1-5-21-1-2-3-1001/$RDDDDDD/inner/a%40b.txt";
  item.neighbours["../../$IDDDDDD"] = i_file(u"C:\\Users\\sam\\folder");
  ASSERT_TRUE(host_->matches(item));
  const nlohmann::json detail = only_detail(host_->examine(item));
  EXPECT_EQ(detail["original"], "C:\\Users\\sam\\folder\\inner\\a@b.txt");
  EXPECT_EQ(detail["folder"], "C:\\Users\\sam\\folder");
  EXPECT_FALSE(detail.contains("size")) << "the size is the folder's";
}

TEST_F(RecycleBinTest, ReadsEveryRecordOfInfo2) {
  TestItem item;
  item.path = "/RECYCLER/S-1-5-21-9/INFO2";
  item.bytes = info2_header(800) + info2_record("C:\\a.txt", u"C:\\a.txt", 1, 2) +
               info2_record(std::string("\0:\\b.jpg", 8), u"E:\\b.jpg", 2, 4);
  ASSERT_TRUE(host_->matches(item));
  const Outcome outcome = host_->examine(item);
  ASSERT_EQ(outcome.findings.size(), 2U);
  const auto first = nlohmann::json::parse(outcome.findings[0].detail);
  const auto second = nlohmann::json::parse(outcome.findings[1].detail);
  EXPECT_EQ(first["original"], "C:\\a.txt");
  EXPECT_EQ(first["deleted_at"], kAt);
  EXPECT_EQ(first["owner"], "S-1-5-21-9");
  EXPECT_FALSE(first.contains("gone"));
  EXPECT_EQ(second["original"], "E:\\b.jpg");
  EXPECT_EQ(second["gone"], true);
}

TEST_F(RecycleBinTest, FindsTheRecordOfAFileByItsNumber) {
  TestItem item;
  item.path = "/RECYCLER/S-1-5-21-9/De12.jpg";
  item.neighbours["INFO2"] = info2_header(800) + info2_record("C:\\a.txt", u"C:\\a.txt", 12, 2) +
                             info2_record("E:\\b.jpg", u"E:\\b.jpg", 12, 4);
  ASSERT_TRUE(host_->matches(item));
  EXPECT_EQ(only_detail(host_->examine(item))["original"], "E:\\b.jpg");
}

TEST_F(RecycleBinTest, ReadsShortRecordsOfOldWindows) {
  TestItem item;
  item.path = "/RECYCLED/INFO2";
  item.bytes = info2_header(280) + padded("C:\\caf\xe9.txt", 260) + little(3, 4) + little(2, 4) +
               little(kFiletime, 8) + little(512, 4);
  EXPECT_EQ(only_detail(host_->examine(item))["original"], "C:\\caf\uFFFD.txt")
      << "no code page is written down";
}

TEST_F(RecycleBinTest, ReadsTheTrashOfDesktops) {
  const std::string info =
      "[Trash Info]\nPath=/home/sam/a%20b%25.txt\nDeletionDate=2024-05-01T12:34:56\nPath=/no\n";
  TestItem item;
  item.path = "/home/sam/.local/share/Trash/info/a b%25.txt.trashinfo";
  item.bytes = info;
  ASSERT_TRUE(host_->matches(item));
  nlohmann::json detail = only_detail(host_->examine(item));
  EXPECT_EQ(detail["original"], "/home/sam/a b%.txt");
  EXPECT_EQ(detail["deleted_local"], "2024-05-01T12:34:56");
  EXPECT_FALSE(detail.contains("deleted_at")) << "the zone is not known";

  TestItem file;
  file.path = "/home/sam/.local/share/Trash/files/a b%25.txt";
  file.neighbours["../info/a b%.txt.trashinfo"] = info;
  ASSERT_TRUE(host_->matches(file));
  EXPECT_EQ(only_detail(host_->examine(file))["original"], "/home/sam/a b%.txt");
}

TEST_F(RecycleBinTest, SaysNothingOfOtherFilesWithSuchNames) {
  TestItem item;
  item.path = "/windows/$Install.dat";
  item.bytes = std::string(600, 'x');
  EXPECT_TRUE(host_->examine(item).findings.empty());
  EXPECT_TRUE(host_->examine(item).problems.empty());
  item.path = "/$Recycle.Bin/S-1-5-21-9/$IAAAAAA.txt";
  EXPECT_EQ(host_->examine(item).problems.size(), 1U) << "in the bin it should be one";
  item.path = "/home/sam/picture.jpg";
  EXPECT_FALSE(host_->matches(item));
}

TEST_F(RecycleBinTest, SurvivesEveryTruncation) {
  const std::string v1 = i_file(u"C:\\a.txt", 1), v2 = i_file(u"C:\\a.txt", 2);
  const std::string list = info2_header(800) + info2_record("C:\\a.txt", u"C:\\a.txt", 1, 2);
  for (const std::string* whole : {&v1, &v2, &list}) {
    for (std::size_t size = 0; size < whole->size(); ++size) {
      TestItem item;
      item.path = whole == &list ? "/RECYCLER/S-1/INFO2" : "/$Recycle.Bin/S-1/$IAAAAAA";
      item.bytes = whole->substr(0, size);
      const Outcome outcome = host_->examine(item);
      // Version 1 is whole without its last byte; the name of version 2 without its NUL is not.
      if (!(whole == &v1 && size + 1 == v1.size())) {
        EXPECT_TRUE(outcome.findings.empty()) << size;
      }
    }
  }
}

TEST_F(RecycleBinTest, DoesNotBelieveALengthThatIsNotThere) {
  TestItem item;
  item.path = "/$Recycle.Bin/S-1/$IAAAAAA";
  item.bytes = little(2, 8) + little(1, 8) + little(kFiletime, 8) + little(0x80000001, 4) + utf16(u"C:\\a");
  EXPECT_TRUE(host_->examine(item).findings.empty());
}

}  // namespace
}  // namespace touchstone::test

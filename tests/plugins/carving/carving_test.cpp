// Files of each kind on a piece of disk full of noise: whole, in pieces, cut off, overwritten, inside each
// other.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/carving/made_files.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

constexpr std::size_t kCluster = 4096;

struct Carve {
  Outcome listed, bytes;
  /// Members, each with its bytes.
  const TestMember* at(std::uint64_t offset) const {
    const auto found = std::find_if(listed.members.begin(), listed.members.end(),
                                    [&](const TestMember& m) { return m.offset == offset; });
    return found == listed.members.end() ? nullptr : &*found;
  }
  std::string bytes_at(std::uint64_t offset) const {
    const TestMember* member = at(offset);
    const auto found = member ? bytes.data.find(member->ordinal) : bytes.data.end();
    return found == bytes.data.end() ? "" : found->second.bytes;
  }
  std::string all() const {
    std::string out;
    for (const TestMember& m : listed.members) out += m.path + " ";
    return out;
  }
};

class Carving : public testing::Test {
 protected:
  void SetUp() override {
    host_ = PluginHost::load("carving");
    ASSERT_TRUE(host_);
  }
  static TestItem window(const std::string& bytes) {
    TestItem item;
    item.bytes = bytes;
    item.media_type = "application/x-touchstone-unallocated";
    return item;
  }
  Carve carve(const std::string& bytes) { return carve(window(bytes)); }
  Carve carve(const TestItem& item) {
    EXPECT_TRUE(host_->matches(item));
    return {host_->list(item), host_->extract(item)};
  }
  std::unique_ptr<PluginHost> host_;
};

nlohmann::json detail(const TestMember& member) {
  return nlohmann::json::parse(member.detail);
}

struct Kind {
  const char* extension;
  std::string bytes;
  int least;
};

std::vector<Kind> kinds() {
  return {
      {"jpg", picture(".jpg", 400, 300, 1), 1000},
      {"jpg", picture(".jpg", 400, 300, 2, {2 /* IMWRITE_JPEG_PROGRESSIVE */, 1}), 1000},
      {"jpg", picture(".jpg", 400, 300, 3, {4 /* IMWRITE_JPEG_RST_INTERVAL */, 3}), 1000},
      {"jpg", jpeg_with_thumbnail(), 1000},
      {"png", picture(".png", 100, 80, 4), 1000},
      {"gif", gif(120, 90), 1000},
      {"webp", picture(".webp", 200, 150, 5), 900},
      {"bmp", picture(".bmp", 90, 70, 6), 700},
      {"ppm", picture(".ppm", 64, 48, 7), 500},
      {"docx", zip({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", noise(9000, 8)}}), 1000},
      {"odt", zip({{"mimetype", "application/vnd.oasis.opendocument.text"}, {"content.xml", "<x/>"}}), 1000},
      {"zip", zip({{"a.bin", noise(5000, 9)}, {"b.txt", std::string(20000, 'b')}}), 1000},
      {"gz", gzip(std::string(50000, 'g') + noise(6000, 10)), 1000},
      {"sqlite", database(2000), 900},
      {"sqlite-wal", write_ahead_log(), 900},
      {"pdf", pdf(0), 900},
      {"pdf", pdf(2), 900},
      {"mp4", mp4(true, 60), 900},
      {"mp4", mp4(false, 60), 900},
      {"wav", wave(30000), 900},
      {"eml", mail_in_parts(), 600},
      {"plist", binary_plist(), 900},
      {"plist",
       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"x\" \"y\">\n<plist "
       "version=\"1.0\">\n"
       "<dict/>\n</plist>\n",
       900},
      {"ab", android_backup(), 1000},
      {"vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nTEL:+44 7700 900123\r\nEND:VCARD\r\n", 900},
      {"ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", 900},
      {"rtf", "{\\rtf1\\ansi Some {\\b bold} text\\}.\\par}\n", 900}};
}

TEST_F(Carving, EveryKindIsFoundWholeWhereItLies) {
  const auto all = kinds();
  Disk disk(6U << 20U, 100);
  std::vector<std::size_t> places;
  std::size_t at = kCluster;
  for (const Kind& kind : all) {
    disk.put(at, kind.bytes);
    places.push_back(at);
    at += (kind.bytes.size() / kCluster + 3) * kCluster;
  }
  ASSERT_LT(at, disk.bytes().size());
  const Carve carved = carve(disk.bytes());
  EXPECT_EQ(carved.listed.status, TS_OK) << carved.listed.reason;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TestMember* member = carved.at(places[i]);
    ASSERT_TRUE(member) << all[i].extension << " " << i << " of: " << carved.all();
    EXPECT_EQ(member->path, std::to_string(places[i]) + "." + all[i].extension);
    EXPECT_TRUE(member->is_carved);
    EXPECT_GE(member->confidence, all[i].least) << all[i].extension;
    EXPECT_EQ(member->length, all[i].bytes.size()) << all[i].extension;
    EXPECT_TRUE(carved.bytes_at(places[i]) == all[i].bytes) << all[i].extension << " " << i;
    EXPECT_EQ(detail(*member)["complete"], true);
  }
  EXPECT_EQ(carved.listed.members.size(), all.size()) << carved.all();
}

TEST_F(Carving, NothingIsFoundInNoiseOrZeros) {
  EXPECT_EQ(carve(noise(8U << 20U, 200)).all(), "");
  EXPECT_EQ(carve(std::string(2U << 20U, '\0')).all(), "");
  EXPECT_EQ(carve(std::string(1U << 20U, '\xFF')).all(), "");
}

TEST_F(Carving, StrongFormatsAreFoundWhereNoSectorBegins) {
  Disk disk(1U << 20U, 101);
  const std::string jpeg = picture(".jpg", 300, 200, 11), text = mail_in_parts();
  disk.put(10001, jpeg);
  disk.put(500001, text);
  const Carve carved = carve(disk.bytes());
  ASSERT_EQ(carved.all(), "10001.jpg ");
  EXPECT_TRUE(carved.bytes_at(10001) == jpeg);
  EXPECT_EQ(carved.at(10001)->confidence, 900);
}

TEST_F(Carving, WhatLiesInsideAFileIsNotAFileOfItsOwn) {
  Disk disk(1U << 20U, 102);
  const std::string archive = zip({{"mimetype", picture(".png", 60, 50, 12)}});
  disk.put(kCluster, archive);
  EXPECT_EQ(carve(disk.bytes()).all(), "4096.zip ");
}

/// A file cut at `cut` bytes, its second part elsewhere.
void put_in_two(Disk& disk, const std::string& file, std::size_t cut, std::size_t first, std::size_t second) {
  disk.put(first, file.substr(0, cut));
  disk.put(second, file.substr(cut));
}

TEST_F(Carving, APictureInTwoFragmentsIsPiecedTogether) {
  const std::string jpeg = picture(".jpg", 800, 600, 13), other = picture(".jpg", 800, 600, 14);
  ASSERT_GT(jpeg.size(), 20 * kCluster);
  Disk disk(4U << 20U, 103);
  // The gap holds another picture's middle and noise.
  put_in_two(disk, jpeg, 10 * kCluster, 16 * kCluster, 40 * kCluster);
  disk.put(26 * kCluster, other.substr(5 * kCluster, 10 * kCluster));
  disk.put(200 * kCluster, other);
  const Carve carved = carve(disk.bytes());
  ASSERT_TRUE(carved.at(16 * kCluster)) << carved.all();
  EXPECT_TRUE(carved.bytes_at(16 * kCluster) == jpeg);
  EXPECT_EQ(carved.at(16 * kCluster)->confidence, 900);
  EXPECT_EQ(carved.at(16 * kCluster)->length, 10 * kCluster);
  EXPECT_EQ(carved.at(16 * kCluster)->size, jpeg.size());
  EXPECT_EQ(detail(*carved.at(16 * kCluster))["runs"],
            nlohmann::json({{16 * kCluster, 10 * kCluster}, {40 * kCluster, jpeg.size() - 10 * kCluster}}));
  EXPECT_TRUE(carved.bytes_at(200 * kCluster) == other);
  EXPECT_EQ(carved.listed.members.size(), 2U) << carved.all();
}

TEST_F(Carving, TheSecondFragmentMayLieBeforeTheFirst) {
  const std::string jpeg = picture(".jpg", 800, 600, 15);
  Disk disk(3U << 20U, 104);
  put_in_two(disk, jpeg, 12 * kCluster, 300 * kCluster, 7 * 1024);
  const Carve carved = carve(disk.bytes());
  EXPECT_TRUE(carved.bytes_at(300 * kCluster) == jpeg) << carved.all();
}

TEST_F(Carving, AProgressivePictureIsPiecedTogetherToo) {
  const std::string jpeg = picture(".jpg", 800, 600, 16, {2, 1});
  for (const std::size_t cut : {5 * kCluster, 30 * kCluster}) {
    ASSERT_GT(jpeg.size(), cut);
    Disk disk(2U << 20U, 105);
    put_in_two(disk, jpeg, cut, 10 * kCluster, 60 * kCluster);
    EXPECT_TRUE(carve(disk.bytes()).bytes_at(10 * kCluster) == jpeg) << cut;
  }
}

TEST_F(Carving, AProgressivePictureWithoutItsLaterScansIsNotWhole) {
  // EOI behind the first scan, as when the end of another picture is taken for its own.
  std::string jpeg = picture(".jpg", 400, 300, 18, {2, 1});
  const std::size_t first = jpeg.find("\xFF\xDA"), second = jpeg.find("\xFF\xDA", first + 2);
  ASSERT_NE(second, std::string::npos);
  const std::size_t tables = jpeg.find("\xFF\xC4", first);
  Disk disk(1U << 20U, 113);
  disk.put(kCluster, jpeg.substr(0, std::min(second, tables)) + "\xFF\xD9");
  const Carve carved = carve(disk.bytes());
  ASSERT_EQ(carved.all(), "4096.jpg ");
  EXPECT_LE(carved.listed.members[0].confidence, 700);
}

TEST_F(Carving, TheBeginningOfAPictureIsGivenWithLowConfidence) {
  const std::string jpeg = picture(".jpg", 800, 600, 17);
  Disk disk(1U << 20U, 106);
  disk.put(kCluster, jpeg.substr(0, 20 * kCluster));
  const Carve carved = carve(disk.bytes());
  ASSERT_EQ(carved.all(), "4096.jpg ");
  const TestMember& member = carved.listed.members[0];
  EXPECT_LE(member.confidence, 300);
  EXPECT_EQ(detail(member)["complete"], false);
  EXPECT_GE(member.size, 20 * kCluster);
  EXPECT_LT(member.size, 20 * kCluster + 2048) << "the fault shows soon after the cut";
}

TEST_F(Carving, AnOverwrittenMiddleIsNoticed) {
  const auto all = kinds();
  for (const char* extension : {"jpg", "png", "gif", "docx", "zip", "gz", "mp4", "sqlite"}) {
    const auto kind = std::find_if(all.begin(), all.end(), [&](const Kind& k) {
      return std::string(k.extension) == extension && k.bytes.size() > 4096;
    });
    ASSERT_NE(kind, all.end()) << extension;
    Disk disk(1U << 20U, 107);
    disk.put(kCluster, kind->bytes);
    const std::size_t middle =
        kCluster + std::min<std::size_t>(kind->bytes.size() / 2 / 512 * 512, 5 * kCluster);
    disk.put(middle, noise(1024, 21));
    const Carve carved = carve(disk.bytes());
    const TestMember* member = carved.at(kCluster);
    if (member) {
      EXPECT_LE(member->confidence, 500) << extension;
    }
  }
}

TEST_F(Carving, PagesOfADatabaseWithoutItsHeaderAreGathered) {
  const std::string whole = database(5000);
  Disk disk(4U << 20U, 108);
  // The first page is gone; the others lie one after the other.
  disk.put(8 * kCluster, whole.substr(4096));
  const Carve carved = carve(disk.bytes());
  ASSERT_EQ(carved.listed.members.size(), 1U) << carved.all();
  const TestMember& member = carved.listed.members[0];
  EXPECT_TRUE(member.path.ends_with(".sqlite-pages"));
  EXPECT_EQ(detail(member)["page_size"], 4096);
  EXPECT_EQ(detail(member)["media_type"], "application/x-sqlite3-pages");
  EXPECT_EQ(member.size, static_cast<std::uint64_t>(leaf_pages(5000)) * 4096);
  const std::string bytes = carved.bytes_at(member.offset);
  for (std::size_t at = 0; at < bytes.size(); at += 4096) EXPECT_EQ(bytes[at], '\x0D');
  EXPECT_NE(bytes.find("message number 4321 of a made"), std::string::npos);
}

TEST_F(Carving, AZipWithoutItsDirectoryGivesItsSoundMembers) {
  const std::string whole = zip({{"a.bin", noise(5000, 22)}, {"b.bin", noise(5000, 23)}});
  const std::size_t directory = whole.find("PK\1\2");
  ASSERT_NE(directory, std::string::npos);
  Disk disk(1U << 20U, 109);
  disk.put(kCluster, whole.substr(0, directory));
  const Carve carved = carve(disk.bytes());
  ASSERT_EQ(carved.all(), "4096.zip ");
  EXPECT_LE(carved.listed.members[0].confidence, 300);
  EXPECT_TRUE(carved.bytes_at(kCluster) == whole.substr(0, directory));
}

TEST_F(Carving, AFileMayGoOnBeyondItsWindow) {
  const std::string jpeg = picture(".jpg", 800, 600, 24);
  Disk disk(1U << 20U, 110);
  disk.put(100 * kCluster, jpeg);
  TestItem item = window("");
  const std::string bytes = disk.bytes();
  item.size = 104 * kCluster;  // the window ends inside the file
  item.read_at = [&](std::uint64_t offset, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
    if (offset >= bytes.size()) return 0;
    const std::size_t count = std::min<std::uint64_t>(capacity, bytes.size() - offset);
    std::copy_n(bytes.data() + offset, count, out);
    return static_cast<std::int64_t>(count);
  };
  EXPECT_TRUE(carve(item).bytes_at(100 * kCluster) == jpeg);
  item.size = 99 * kCluster;  // and here before it begins
  EXPECT_EQ(carve(item).all(), "");
}

TEST_F(Carving, EveryKindMayGoOnBeyondItsWindow) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.extension);
    Disk disk(1U << 20U, 115);
    disk.put(kCluster, kind.bytes);
    const std::string bytes = disk.bytes();
    TestItem item = window("");
    item.size = kCluster + kind.bytes.size() / 2;
    item.read_at = [&](std::uint64_t offset, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
      if (offset >= bytes.size()) return 0;
      const std::size_t count = std::min<std::uint64_t>(capacity, bytes.size() - offset);
      std::copy_n(bytes.data() + offset, count, out);
      return static_cast<std::int64_t>(count);
    };
    const Carve carved = carve(item);
    EXPECT_TRUE(carved.bytes_at(kCluster) == kind.bytes) << carved.all();
  }
}

TEST_F(Carving, AFileMayEndWithItsWindow) {
  const std::string jpeg = picture(".jpg", 900, 700, 25);
  ASSERT_GT(jpeg.size(), 128U << 10U);
  Disk disk(jpeg.size(), 114);
  disk.put(0, jpeg);
  EXPECT_TRUE(carve(disk.bytes()).bytes_at(0) == jpeg);
}

TEST_F(Carving, MembersMayBeAskedForInAnyGroupWithoutAList) {
  Disk disk(1U << 20U, 111);
  std::vector<std::string> files;
  for (unsigned i = 0; i < 4; ++i) {
    files.push_back(picture(".png", 40, 30, 30 + i));
    disk.put((1 + 20 * i) * kCluster, files.back());
  }
  const TestItem item = window(disk.bytes());
  const Outcome last = host_->extract(item, 2, 2);
  ASSERT_EQ(last.data.size(), 2U);
  EXPECT_TRUE(last.data.at(2).bytes == files[2]);
  EXPECT_TRUE(last.data.at(3).bytes == files[3]);
  EXPECT_TRUE(host_->extract(item, 0, 1).data.at(0).bytes == files[0]);
}

TEST_F(Carving, AStoppedSearchSaysSo) {
  Disk disk(1U << 20U, 112);
  TestItem item = window(disk.bytes());
  item.cancelled = true;
  const Outcome outcome = host_->list(item);
  EXPECT_EQ(outcome.status, TS_LIMIT);
  EXPECT_NE(outcome.reason, "");
}

TEST_F(Carving, OtherFilesAreLeftAlone) {
  TestItem item = window(std::string(1000, 'x'));
  item.media_type = "image/jpeg";
  EXPECT_FALSE(host_->matches(item));
}

}  // namespace
}  // namespace touchstone::test

// Compound files and stores of thumbnails, made by their published descriptions: what comes out is what was
// put in.
#include <algorithm>
#include <utility>

#include "containers_fixture.hpp"
#include "support/made_compound.hpp"

namespace touchstone::test {
namespace {

/// A picture as far as its structure goes: an APP1 that holds another picture, a scan, the end.
std::string small_jpeg(char fill) {
  const std::string scan =
      std::string("\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00", 10) + std::string(40, fill);
  const std::string inner = std::string("\xFF\xD8", 2) + scan + "\xFF\xD9";
  std::string out = std::string("\xFF\xD8\xFF\xE1\x00", 5) + static_cast<char>(inner.size() + 2) + inner;
  return out + scan + std::string("\xFF\x00", 2) + std::string(20, fill) + "\xFF\xD9";
}

TEST_F(Containers, StreamsOfCompoundFilesAreMembers) {
  const TestItem made = item(make_compound({{u"one", first_}, {u"folder", {}, -1, true}, {u"two", "2", 1}}),
                             "application/x-ole-storage");
  ASSERT_TRUE(host_->matches(made));
  const Outcome listed = host_->list(made);
  EXPECT_EQ(listed.members.size(), 3U);
  EXPECT_TRUE(listed.problems.empty());
  EXPECT_TRUE(named(listed, "folder")->is_directory);
  EXPECT_EQ(content(made, "one"), first_);
  EXPECT_EQ(content(made, "folder/two"), "2");
  EXPECT_FALSE(host_->matches(item("", "application/vnd.ms-outlook"))) << "messages are another plugin's";
}

TEST_F(Containers, StreamsThatShareSectorsAreUnpackedOnce) {
  std::string made = make_compound({{u"one", first_}, {u"two", second_}});
  const std::size_t one = directory_place(made, 1), two = directory_place(made, 2);
  std::copy_n(made.begin() + static_cast<std::ptrdiff_t>(one) + 116, 12,
              made.begin() + static_cast<std::ptrdiff_t>(two) + 116);
  const Outcome listed = host_->list(item(made));
  ASSERT_EQ(listed.problems.size(), 1U);
  EXPECT_EQ(listed.problems[0].kind, "limit");
  EXPECT_EQ(host_->extract(item(made)).data.size(), 1U);
}

TEST_F(Containers, EncryptedDocumentsAreTold) {
  std::string word(5000, '\0'), sheet(5000, '\0'), show(5000, '\0'), user(24, '\0');
  put_little(word, 0, 0xA5EC, 2);
  put_little(word, 10, 0x0100, 2);
  put_little(sheet, 0, 0x00100809, 4);
  put_little(sheet, 20, 0x0036002F, 4);
  put_little(user, 12, 0xF3D1C4DF, 4);
  const std::vector<std::vector<MadeEntry>> documents = {
      {{u"WordDocument", word}, {u"other", "x"}},
      {{u"Workbook", sheet}, {u"other", "x"}},
      {{u"PowerPoint Document", show}, {u"Current User", user}},
      {{u"EncryptedPackage", show}, {u"EncryptionInfo", "x"}}};
  for (const auto& document : documents) {
    const Outcome listed = host_->list(item(make_compound(document)));
    ASSERT_EQ(listed.problems.size(), 1U);
    EXPECT_EQ(listed.problems[0].kind, "encrypted");
    ASSERT_EQ(listed.members.size(), 2U);
    EXPECT_TRUE(listed.members[0].is_encrypted);
    EXPECT_FALSE(listed.members[1].is_encrypted);
    EXPECT_EQ(host_->extract(item(make_compound(document))).data.size(), 1U);
  }
  put_little(word, 10, 0, 2);
  EXPECT_TRUE(host_->list(item(make_compound({{u"WordDocument", word}}))).problems.empty());
}

TEST_F(Containers, ThumbsDbGivesPicturesUnderTheirNames) {
  const std::string jpeg = small_jpeg('t');
  std::string catalog(16, '\0'), head(12, '\0');
  put_little(catalog, 0, 16, 2);
  put_little(catalog, 2, 7, 2);
  put_little(catalog, 4, 1, 4);
  const std::u16string name = u"H\u00E4user am Meer.JPG";
  std::string entry(16 + (name.size() + 1) * 2 + 2, '\0');
  put_little(entry, 0, entry.size(), 4);
  put_little(entry, 4, 12, 4);
  put_little(entry, 8, 133'591'446'000'000'000, 8);
  for (std::size_t i = 0; i < name.size(); ++i) put_little(entry, 16 + i * 2, name[i], 2);
  put_little(head, 0, 12, 4);
  put_little(head, 8, jpeg.size(), 4);
  const TestItem thumbs = item(make_compound({{u"21", head + jpeg}, {u"Catalog", catalog + entry}}));
  const Outcome listed = host_->list(thumbs);
  ASSERT_EQ(listed.members.size(), 2U);
  EXPECT_EQ(listed.members[0].path, "Häuser am Meer.JPG");
  EXPECT_EQ(listed.members[0].modified, 1'714'671'000'000'000);
  EXPECT_EQ(content(thumbs, "Häuser am Meer.JPG"), jpeg);
}

/// A picture as [MS-ODRAW] 2.2.27 keeps it: header, one or two digests, a byte, the bytes.
std::string blip(const std::string& picture, bool two_digests) {
  const std::size_t digests = two_digests ? 32 : 16;
  std::string head(8, '\0');
  put_little(head, 0, two_digests ? 0x46B0 : 0x46A0, 2);
  put_little(head, 2, 0xF01D, 2);
  put_little(head, 4, digests + 1 + picture.size(), 4);
  return head + std::string(digests, 'd') + '\xFF' + picture;
}

TEST_F(Containers, PicturesOfDocumentsAreMembers) {
  const std::string one = small_jpeg('1'), two = small_jpeg('2');
  const std::string stream = blip(one, false) + std::string(2'000'000, '\xFF') + blip(two, true);
  for (const char16_t* name : {u"Pictures", u"Data"}) {
    const TestItem made = item(make_compound({{name, stream}}));
    const std::string base = name[0] == u'P' ? "Pictures" : "Data";
    EXPECT_EQ(host_->list(made).members.size(), 3U) << "the stream and two pictures, none within them";
    EXPECT_EQ(content(made, base + "/picture1.jpg"), one);
    EXPECT_EQ(content(made, base + "/picture2.jpg"), two);
  }
}

TEST_F(Containers, PicturesOfWorkbooksAreJoinedFromTheirRecords) {
  std::string big = small_jpeg('3');
  big.insert(big.size() - 2, std::string(20'000, 'x'));
  const std::string drawing = blip(big, false);
  std::string book(20, '\0');
  put_little(book, 0, 0x00100809, 4);
  for (std::size_t at = 0; at < drawing.size(); at += 8224) {
    const std::string part = drawing.substr(at, 8224);
    std::string head(4, '\0');
    put_little(head, 0, at == 0 ? 0x00EB : 0x003C, 2);
    put_little(head, 2, part.size(), 2);
    book += head + part;
  }
  EXPECT_EQ(content(item(make_compound({{u"Workbook", book}})), "Workbook/picture1.jpg"), big);
}

TEST_F(Containers, PackagesInDocumentsHaveTheirNames) {
  const std::string file = numbers(0, 3000);
  std::string native(6, '\0');
  native += std::string("plan.txt\0C:\\plan.txt\0", 21);
  native += std::string("\x00\x00\x03\x00\x0C\x00\x00\x00", 8) + std::string("C:\\plan.txt\0", 12);
  std::string size(4, '\0');
  put_little(size, 0, file.size(), 4);
  native += size + file;
  const TestItem made = item(make_compound({{u"\x0001Ole10Native", native}}));
  EXPECT_EQ(content(made, "\x01Ole10Native/plan.txt"), file);
}

TEST_F(Containers, NamesOfInstallersAreDecoded) {
  const std::u16string pool = {0x4840, 0x3F3F, 0x4577, 0x446C, 0x3E6A, 0x44B2, 0x482F};
  EXPECT_EQ(content(item(make_compound({{pool, "abc"}}), "application/x-msi"), "!_StringPool"), "abc");
}

/// An entry of Windows' thumbnail cache: 7 (version 21) or 8 and later (32).
std::string cache_entry(unsigned version, const std::string& picture) {
  const std::size_t head_bytes = version < 30 ? 48 : 56;
  const std::u16string id = u"1a2b3c4d5e6f7a8b";
  std::string head(head_bytes, '\0'), name(id.size() * 2, '\0');
  for (std::size_t i = 0; i < id.size(); ++i) put_little(name, i * 2, id[i], 2);
  head.replace(0, 4, "CMMM");
  put_little(head, 4, head_bytes + name.size() + 2 + picture.size(), 4);
  put_little(head, 16, name.size(), 4);
  put_little(head, 20, 2, 4);
  put_little(head, 24, picture.size(), 4);
  return head + name + std::string(2, '\0') + picture;
}

TEST_F(Containers, WindowsThumbnailCachesAreRead) {
  for (const unsigned version : {21U, 32U}) {
    std::string cache(version < 30 ? 24 : 28, '\0');
    cache.replace(0, 4, "CMMM");
    put_little(cache, 4, version, 4);
    cache += cache_entry(version, small_jpeg('a')) + cache_entry(version, "");
    std::string broken = cache_entry(version, "zz");
    put_little(broken, 24, 0xFFFFFFF0, 4);
    cache += broken + cache_entry(version, small_jpeg('b'));
    const TestItem made = item(cache);
    const Outcome listed = host_->list(made), unpacked = host_->extract(made);
    ASSERT_EQ(listed.members.size(), 2U) << version;
    EXPECT_EQ(listed.members[0].path, "1a2b3c4d5e6f7a8b.jpg");
    EXPECT_EQ(unpacked.data.at(0).bytes, small_jpeg('a'));
    EXPECT_EQ(unpacked.data.at(1).bytes, small_jpeg('b'));
    ASSERT_EQ(listed.problems.size(), 1U);
    EXPECT_EQ(listed.problems[0].kind, "corrupt");
  }
}

TEST_F(Containers, GalleryCachesOfAndroidAreRead) {
  std::string cache("\x10\x85\x24\xBD", 4);
  const std::string key = "/local/image/item/42+1714771800+1";
  for (const char fill : {'g', 'h'}) {
    std::string value;
    for (const char c : key) value += std::string{c, '\0'};
    value += small_jpeg(fill);
    std::string head(20, '\0');
    put_little(head, 12, cache.size(), 4);
    put_little(head, 16, value.size(), 4);
    cache += head + value;
  }
  const TestItem made = item(cache + std::string(1000, '\0'));
  const Outcome listed = host_->list(made), unpacked = host_->extract(made);
  ASSERT_EQ(listed.members.size(), 2U);
  EXPECT_EQ(listed.members[0].path, key + ".jpg");
  EXPECT_EQ(unpacked.data.at(1).bytes, small_jpeg('h'));
  EXPECT_TRUE(listed.problems.empty());
}

TEST_F(Containers, ThumbdataAndIthmbAreReadByTheirNames) {
  const auto host = PluginHost::load("thumbnails");
  std::string data;
  for (const auto& [slot, fill] : {std::pair(3U, 'p'), std::pair(7U, 'q')}) {
    data.resize(slot * 10'000U);
    std::string head(13, '\0');
    head[0] = 1;
    head[12] = static_cast<char>(small_jpeg(fill).size());
    data += head + small_jpeg(fill);
  }
  TestItem made = item(data);
  made.path = "/DCIM/.thumbnails/.thumbdata3-1967290299";
  ASSERT_TRUE(host->matches(made));
  const Outcome listed = host->list(made), unpacked = host->extract(made);
  ASSERT_EQ(listed.members.size(), 2U);
  EXPECT_EQ(listed.members[0].path, "image-3.jpg");
  EXPECT_EQ(listed.members[1].path, "image-7.jpg");
  EXPECT_EQ(unpacked.data.at(1).bytes, small_jpeg('q'));

  made = item(std::string(3000, '\x21') + small_jpeg('x') + std::string(100, '\0') + small_jpeg('y'));
  made.path = "/PhotoData/Thumbnails/F00.ithmb";
  ASSERT_TRUE(host->matches(made));
  const Outcome carved = host->extract(made);
  ASSERT_EQ(carved.data.size(), 2U) << "and none of those within them";
  EXPECT_EQ(carved.data.at(0).bytes, small_jpeg('x'));
  EXPECT_EQ(carved.data.at(1).bytes, small_jpeg('y'));

  made.bytes = std::string(9000, '\x21');
  const Outcome raw = host->list(made);
  ASSERT_EQ(raw.problems.size(), 1U);
  EXPECT_EQ(raw.problems[0].kind, "unsupported");
  made.path = "/other.bin";
  EXPECT_FALSE(host->matches(made));
}

TEST_F(Containers, CachesAndCompoundFilesSurviveCutsAndFlips) {
  std::string cache(28, '\0');
  cache.replace(0, 4, "CMMM");
  put_little(cache, 4, 32, 4);
  cache += cache_entry(32, small_jpeg('a')) + cache_entry(32, small_jpeg('b'));
  const std::string native(6, 'n');
  const std::string compound = make_compound(
      {{u"Pictures", blip(small_jpeg('c'), true)}, {u"Catalog", cache}, {u"\x0001Ole10Native", native}});
  for (const std::string& whole : {cache, compound}) {
    for (std::size_t at = 0; at < whole.size(); at += 3) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 0xFF);
      for (const std::string& bytes : {flipped, whole.substr(0, at)}) {
        const Outcome listed = host_->list(item(bytes)), unpacked = host_->extract(item(bytes));
        for (const auto& entry : unpacked.data) EXPECT_LT(entry.first, listed.members.size());
      }
    }
  }
}

}  // namespace
}  // namespace touchstone::test

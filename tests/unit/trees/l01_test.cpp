// Logical evidence made by make_l01.py; that libewf lists and exports the same files is checked as well.
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/locator.hpp"
#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::Tree;
using ::testing::HasSubstr;

class MadeEvidence {
 public:
  static const MadeEvidence& get() {
    static const MadeEvidence made;
    return made;
  }
  std::string path(const std::string& name) const { return scratch_.path(name); }
  /// Path to "size MD5", by Python's hashlib.
  std::map<std::string, std::string> expected() const {
    std::map<std::string, std::string> all;
    std::ifstream in(path("expected.tsv"));
    for (std::string line; std::getline(in, line);) {
      const std::size_t tab = line.find('\t');
      std::string rest = line.substr(tab + 1);
      rest[rest.find('\t')] = ' ';
      all[line.substr(0, tab)] = rest;
    }
    return all;
  }

 private:
  MadeEvidence() {
    const std::string script = std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/unit/trees/make_l01.py";
    EXPECT_TRUE(test::run("python3 " + script + " " + scratch_.path(""))) << "python3 could not make them";
  }
  test::Scratch scratch_;
};

std::string md5_of(ByteSource& source) {
  Hasher hasher;
  std::vector<std::byte> block(30'000);
  std::uint64_t at = 0;
  while (true) {
    const auto got = source.read_at(at, block);
    if (!got) return got.error().message;
    if (*got == 0) break;
    hasher.update(std::span(block).first(*got));
    at += *got;
  }
  return std::to_string(at) + ' ' + hasher.finish().md5;
}

std::map<std::string, std::string> contents(Tree& tree) {
  std::map<std::string, std::string> all;
  for (const Entry& entry : tree.walked().entries) {
    if (!entry.has_content || entry.size == 0) continue;
    auto source = tree.files().open(entry.address);
    EXPECT_TRUE(source) << entry.path;
    if (!source) continue;
    const auto path = unescape_path(entry.path);
    all[path ? *path : entry.path] = md5_of(**source);
    for (const Gap& gap : (*source)->gaps()) all[entry.path] += " gap: " + gap.reason;
  }
  return all;
}

class LogicalEvidence : public ::testing::TestWithParam<const char*> {};

TEST_P(LogicalEvidence, GivesTheFilesThatWerePutIn) {
  Tree tree(MadeEvidence::get().path(GetParam()));
  EXPECT_EQ(tree.format(), "l01");
  EXPECT_EQ(contents(tree), MadeEvidence::get().expected());
  EXPECT_EQ(tree.problems(), "");
}

INSTANTIATE_TEST_SUITE_P(L01, LogicalEvidence, ::testing::Values("plain.L01", "packed.L01", "encase6.L01"));

TEST(L01Tree, SaysOfAFileWhatItsLineSays) {
  Tree tree(MadeEvidence::get().path("plain.L01"));
  const Entry& notes = tree.at("/C/notes.txt");
  EXPECT_EQ(notes.times.created, 1'142'163'845'000'000);
  EXPECT_EQ(notes.times.modified, 1'142'163'846'000'000);
  EXPECT_EQ(notes.times.accessed, 1'142'163'847'000'000);
  EXPECT_EQ(notes.times.changed, 1'142'163'848'000'000);
  EXPECT_TRUE(notes.allocated);
  const auto detail = nlohmann::json::parse(notes.detail);
  EXPECT_EQ(detail["stored_md5"], "8dba2598d447ac9595c7a01cc4c75d13");
  EXPECT_EQ(detail["attributes"], nlohmann::json::parse(R"(["hidden","archive"])"));
  EXPECT_EQ(detail["short_name"], "NOTES~1.TXT");
  const Entry& gone = tree.at("/C/gone.jpg");
  EXPECT_FALSE(gone.allocated);
  EXPECT_EQ(nlohmann::json::parse(gone.detail)["deleted_time"], 1'300'000'000'000'000);
  EXPECT_EQ(tree.at("/C/nothing inside").kind, ItemKind::directory);
  EXPECT_EQ(tree.at("/C/empty.txt").size, 0U);
  EXPECT_EQ(tree.at("/C/record.plist").kind, ItemKind::directory);
  EXPECT_EQ(tree.at("/C/record.plist:data").kind, ItemKind::stream);
}

TEST(L01Tree, HasCaseDataAndTheSizeOfAllFiles) {
  auto image = open_exhibit(MadeEvidence::get().path("packed.L01"));
  ASSERT_TRUE(image);
  const ImageInfo& info = (*image)->info();
  EXPECT_EQ(info.files.size(), 3U);
  EXPECT_EQ(info.metadata.at("examiner_name"), "A. Example");
  EXPECT_EQ(info.metadata.at("media_type"), "logical evidence");
  EXPECT_EQ((*image)->size(), 175'173U);  // "Media size" of ewfinfo
  EXPECT_TRUE(info.problems.empty());
}

TEST(L01Tree, ReadsWhatLibewfExports) {
  if (!test::has_tool("ewfexport")) GTEST_SKIP() << "ewfexport is not installed";
  const test::Scratch out;
  ASSERT_TRUE(test::run("ewfexport -u -f files -t " + out.path("out") + " " +
                        MadeEvidence::get().path("encase6.L01")));
  Tree tree(MadeEvidence::get().path("encase6.L01"));
  for (const char* name : {"/C/notes.txt", "/C/gone.jpg", "/C/zeros.bin", "/C/first.bin", "/C/second.bin",
                           "/C/folder/deep/file.bin", "/C/record.plist/record.plist"}) {
    const std::string exported = test::Scratch::slurp(out.path("out") + name);
    EXPECT_FALSE(exported.empty()) << name;
    EXPECT_TRUE(tree.content(name) == exported) << name;
  }
}

TEST(L01Tree, SaysWhatIsDamaged) {
  Tree cut(MadeEvidence::get().path("cut_list.L01"));
  EXPECT_THAT(cut.problems(), HasSubstr("breaks off"));
  EXPECT_EQ(contents(cut).size(), 3U);
  Tree wrong(MadeEvidence::get().path("wrong_list.L01"));
  EXPECT_THAT(wrong.problems(), HasSubstr("does not have the MD5"));
  EXPECT_EQ(contents(wrong).count("/C/motes.txt"), 1U);
  Tree hash(MadeEvidence::get().path("wrong_hash.L01"));
  EXPECT_THAT(contents(hash).at("/C/gone.jpg"), HasSubstr("stored is 12121212"));
  Tree lost(MadeEvidence::get().path("lost_runs.L01"));
  auto source = lost.open("/C/notes.txt");
  std::vector<std::byte> bytes(27);
  ASSERT_TRUE(source->read_at(0, bytes));
  ASSERT_FALSE(source->gaps().empty());
  EXPECT_THAT(source->gaps()[0].reason, HasSubstr("the image ends before"));
}

TEST(L01Tree, IsReadWithoutTheNumberOfAllBytes) {
  Tree tree(MadeEvidence::get().path("no_total.L01"));
  auto all = contents(tree);
  auto expected = MadeEvidence::get().expected();
  const std::string last = "/C/folder/deep/file.bin";
  EXPECT_THAT(all.at(last), ::testing::StartsWith(expected.at(last)));
  all.erase(last);
  expected.erase(last);
  EXPECT_EQ(all, expected);
}

TEST(L01Tree, NamesTheSegmentThatHasTheList) {
  const test::Scratch part;
  for (const char* name : {"packed.L01", "packed.L02"})
    part.write(name, test::Scratch::slurp(MadeEvidence::get().path(name)));
  const auto image = open_exhibit(part.path("packed.L01"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::not_found);
  EXPECT_THAT(image.error().message, HasSubstr("packed.L03"));
}

}  // namespace
}  // namespace touchstone

// Rows of pages whose database is gone, by the tables of databases that are there.
#include "content/sqlite/page_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "content/database_empty.hpp"
#include "unit/content_sqlite/messages.hpp"

namespace touchstone::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kPersons =
    "CREATE TABLE person(_id INTEGER PRIMARY KEY, first TEXT, last TEXT, phone TEXT, score REAL)";

class PageRows : public ::testing::Test {
 protected:
  /// The bytes of the file without its first page.
  static std::unique_ptr<ByteSource> pages_of(const std::string& path) {
    made::Bytes bytes = made::read_file(path);
    bytes.erase(bytes.begin(), bytes.begin() + 4096);
    return make_memory_source(std::move(bytes));
  }
  static std::vector<TableShape> shapes(const std::vector<const char*>& statements) {
    std::vector<TableShape> result;
    result.reserve(statements.size());
    for (const char* sql : statements) result.push_back(*parse_create_table(sql));
    return result;
  }
  static std::multiset<int> numbers(int first, int last) {
    std::multiset<int> result;
    for (int i = first; i <= last; ++i) result.insert(i);
    return result;
  }
  made::Folder folder_;
  std::string path_ = folder_.path("lost.db");
};

TEST_F(PageRows, GoToTheDatabaseThatHasTheirTableAndAreNeverCertain) {
  made::Writer writer(path_);
  writer.run(made::kMessages);
  writer.run(kPersons);
  made::add_messages(writer, 200);
  writer.run("BEGIN");
  for (int id = 1; id <= 50; ++id)
    writer.run(
        fmt::format("INSERT INTO person VALUES({}, 'Ann', 'Example', '+447700900{:03}', 1.5)", id, id));
  writer.run("COMMIT");
  const auto pages = pages_of(path_);
  const auto found = recover_pages_of(*pages, {shapes({kPersons}), shapes({made::kMessages, kPersons})});
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(3));
  EXPECT_THAT((*found)[0].rows, SizeIs(50));
  EXPECT_EQ(made::recovered_ids((*found)[1]), numbers(1, 200));
  EXPECT_THAT((*found)[2].rows, IsEmpty());
  for (const Recovery& recovery : *found) {
    for (const RecoveredRow& row : recovery.rows) {
      EXPECT_FALSE(row.certain);
      EXPECT_LE(row.confidence, kMostOfLoosePages);
      EXPECT_EQ(std::uint64_t{row.page - 1} * 4096 + row.offset, row.file_offset);
    }
  }
}

TEST_F(PageRows, OfNoKnownTableAreLeftOut) {
  made::Writer writer(path_);
  writer.run("CREATE TABLE reading(_id INTEGER PRIMARY KEY, a REAL, b REAL, c REAL, d REAL, e REAL)");
  writer.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
      "INSERT INTO reading SELECT i, i + 0.25, 0.5, 7.125, 1.5, 2.5 FROM n");
  const auto pages = pages_of(path_);
  const auto found = recover_pages_of(*pages, {shapes({made::kMessages, kPersons})});
  ASSERT_TRUE(found);
  EXPECT_THAT((*found)[0].rows, IsEmpty());
}

TEST_F(PageRows, HaveTheirTextInWhateverEncoding) {
  for (const char* encoding : {"UTF-16le", "UTF-16be", "UTF-8"}) {
    const std::string path = folder_.path(encoding);
    made::Writer writer(path);
    writer.run(fmt::format("PRAGMA encoding='{}'", encoding));
    writer.run(made::kMessages);
    made::add_messages(writer, 150);
    const auto pages = pages_of(path);
    const auto found = recover_pages_of(*pages, {shapes({made::kMessages})});
    ASSERT_TRUE(found);
    EXPECT_EQ(made::recovered_ids((*found)[0]), numbers(1, 150)) << encoding;
  }
}

TEST_F(PageRows, AreComparedWithTheRowsThatStand) {
  made::Writer lost(path_);
  lost.run(made::kMessages);
  made::add_messages(lost, 100);
  const std::string live_path = folder_.path("live.db");
  made::Writer live(live_path);
  live.run(made::kMessages);
  made::add_messages(live, 60);
  live.run("UPDATE message SET seen = 12 WHERE _id = 7");
  live.run(
      "UPDATE message SET thread = 88, address = '+447700900999', date = 1, body = 'of someone else' "
      "WHERE _id = 9");
  const made::Files files = made::Files::copy(live_path);
  auto database = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(database);
  const std::vector<TableShape> tables = shapes_of(**database, 100);
  ASSERT_THAT(tables, SizeIs(1));
  EXPECT_EQ(tables[0].name, "message");
  const auto pages = pages_of(path_);
  auto found = recover_pages_of(*pages, {tables});
  ASSERT_TRUE(found);
  Recovery& recovery = (*found)[0];
  add_live_rows(recovery, **database);
  std::vector<std::int64_t> standing, older;
  std::multiset<int> recovered;
  for (const RecoveredRow& row : recovery.rows) {
    if (row.source == RowSource::live_row) {
      standing.push_back(*row.row_id);
      continue;
    }
    recovered.insert(static_cast<int>(*row.row_id));
    if (row.older_version) older.push_back(*row.row_id);
  }
  EXPECT_THAT(standing, ElementsAre(7, 9));
  EXPECT_THAT(older, ElementsAre(7)) << "nothing of the ninth is the same";
  std::multiset<int> expected = numbers(61, 100);
  expected.insert({7, 9});
  EXPECT_EQ(recovered, expected);
}

TEST_F(PageRows, MakeAnEmptyDatabaseThatHasTheTables) {
  auto bytes = make_empty_database(shapes({made::kMessages, "CREATE TABLE \"a\"\"b\"(x TEXT, y)"}));
  ASSERT_TRUE(bytes);
  auto database = EvidenceDatabase::open({bytes->get(), nullptr, nullptr}, DatabaseState::current);
  ASSERT_TRUE(database);
  EXPECT_THAT(made::rows(**database, "SELECT count(*) FROM message"), ElementsAre("0"));
  EXPECT_THAT(made::rows(**database, "SELECT count(*) FROM \"a\"\"b\" WHERE y = 1"), ElementsAre("0"));
}

}  // namespace
}  // namespace touchstone::sqlite

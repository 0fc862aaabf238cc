// What was deleted comes back, once, and nothing else does.
#include "content/sqlite/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>

#include "support/file_contents.hpp"
#include "unit/content_sqlite/messages.hpp"

namespace touchstone::sqlite {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::multiset<int> numbers(int from, int to) {
  std::multiset<int> result;
  for (int i = from; i <= to; ++i) result.insert(i);
  return result;
}

/// Whether the address, six bytes of date and the text of a message stand in a row, as in a cell of its
/// table.
bool has_cell(const std::string& file, int id) {
  const std::string address = fmt::format("+447700900{:03}", id % 1000), body = made::body_of(id);
  for (std::size_t at = file.find(address); at != std::string::npos; at = file.find(address, at + 1))
    if (file.compare(at + address.size() + 6, body.size(), body) == 0) return true;
  return false;
}

class SqliteRecovery : public ::testing::Test {
 protected:
  Recovery recover(const RecoverySettings& settings = {}) {
    files_ = made::Files::copy(path_);
    auto recovery = recover_rows(files_.files(), settings);
    EXPECT_TRUE(recovery) << recovery.error().message;
    return recovery ? recovery.take() : Recovery{};
  }
  made::Folder folder_;
  std::string path_ = folder_.path("msg.db");
  made::Files files_;
};

TEST_F(SqliteRecovery, FindsNothingWhereNothingWasDeleted) {
  made::Writer writer(path_);
  writer.run(made::kMessages);
  made::add_messages(writer, 500);
  EXPECT_THAT(recover().rows, IsEmpty());
}

TEST_F(SqliteRecovery, PagesOfIndexesYieldNoRowAndHideNone) {
  made::Writer writer(path_);
  writer.run("PRAGMA secure_delete=OFF");
  writer.run(made::kMessages);
  // Entries come in no order: pages split, and each keeps what was moved to another.
  writer.run(
      "CREATE INDEX by_words ON message(body, address, date); CREATE INDEX by_seen ON message(seen, body)");
  made::add_messages(writer, 3000);
  EXPECT_THAT(recover().rows, IsEmpty());
  writer.run("DELETE FROM message WHERE _id BETWEEN 1000 AND 1200");
  const auto ids = made::recovered_ids(recover());
  EXPECT_EQ(ids.count(-1), 0U);
  const std::string bytes = touchstone::test::contents_of(path_);
  std::size_t whole = 0;
  for (int id = 1000; id <= 1200; ++id) {
    // Pages that were freed were taken again by the same statement: a row is there while its cell is.
    const bool there = has_cell(bytes, id);
    EXPECT_EQ(ids.count(id), there ? 1U : 0U) << id;
    whole += there ? 1 : 0;
  }
  EXPECT_GT(whole, 100U);
}

TEST_F(SqliteRecovery, BringsBackWhatTheLogHasBeneathItsLastState) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run(made::kMessages);
  made::add_messages(writer, 200);
  writer.run("DELETE FROM message WHERE _id BETWEEN 50 AND 60");
  const Recovery recovery = recover();
  EXPECT_EQ(made::recovered_ids(recovery), numbers(50, 60));
  for (const RecoveredRow& row : recovery.rows) {
    EXPECT_EQ(row.source, RowSource::wal_frame);
    EXPECT_EQ(row.confidence, 1000);
    EXPECT_TRUE(row.certain);
    EXPECT_FALSE(row.older_version);
    EXPECT_EQ(row.row_id, row.values[0].integer);
  }
}

TEST_F(SqliteRecovery, ReadsFramesOfAnEarlierGeneration) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run(made::kMessages);
  made::add_messages(writer, 200);
  writer.run("DELETE FROM message WHERE _id BETWEEN 50 AND 60; VACUUM; PRAGMA wal_checkpoint(RESTART)");
  writer.run("UPDATE message SET seen = 1 WHERE _id = 1");
  const auto ids = made::recovered_ids(recover());
  for (int id = 51; id <= 60; ++id) EXPECT_EQ(ids.count(id), 1U) << id;
}

TEST_F(SqliteRecovery, KeepsAnEditedMessageAsAnOlderVersion) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run(made::kMessages);
  made::add_messages(writer, 50);
  writer.run("UPDATE message SET body = 'nothing happened' WHERE _id = 7");
  const Recovery recovery = recover();
  ASSERT_THAT(recovery.rows, SizeIs(1));
  EXPECT_TRUE(recovery.rows[0].older_version);
  EXPECT_EQ(recovery.rows[0].row_id, 7);
  EXPECT_EQ(recovery.rows[0].values[4].bytes, made::body_of(7));
}

TEST_F(SqliteRecovery, ReadsAJournalWhoseHeaderWasZeroed) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=PERSIST; PRAGMA secure_delete=ON");
  writer.run(made::kMessages);
  made::add_messages(writer, 200);
  writer.run("DELETE FROM message WHERE _id BETWEEN 50 AND 60");
  const Recovery recovery = recover();
  EXPECT_EQ(made::recovered_ids(recovery), numbers(50, 60));
  for (const RecoveredRow& row : recovery.rows) EXPECT_EQ(row.source, RowSource::journal);
}

TEST_F(SqliteRecovery, TellsADroppedTableByItsOwnDefinition) {
  made::Writer writer(path_);
  writer.run("PRAGMA secure_delete=OFF; CREATE TABLE other(a INTEGER, b BLOB)");
  writer.run(made::kMessages);
  made::add_messages(writer, 150);
  writer.run("DROP TABLE message");
  const Recovery recovery = recover();
  std::set<int> ids;
  for (const int id : made::recovered_ids(recovery)) ids.insert(id);
  // The root page lists the freed pages now; leaves are whole.
  EXPECT_EQ(ids.count(-1), 0U);
  EXPECT_GE(ids.size(), 149U);
  for (const RecoveredRow& row : recovery.rows) EXPECT_TRUE(recovery.shapes[row.shape].dropped);
}

struct Form {
  int page_size;
  const char* encoding;
  const char* more;
};
class SqliteForms : public ::testing::TestWithParam<Form> {};

/// Rows deleted one by one from the middle of full pages: their first four bytes become a freeblock's header.
TEST_P(SqliteForms, RebuildsCellsWhoseStartIsOverwritten) {
  made::Folder folder;
  const std::string path = folder.path("a.db");
  made::Writer writer(path);
  writer.run(fmt::format("PRAGMA page_size={}; PRAGMA encoding='{}'; PRAGMA secure_delete=OFF; {}",
                         GetParam().page_size, GetParam().encoding, GetParam().more));
  writer.run(
      "CREATE TABLE message(_id INTEGER PRIMARY KEY, thread INTEGER, address TEXT, date INTEGER, body TEXT)");
  made::add_messages(writer, 100);
  std::multiset<int> deleted;
  // Not next to each other, so that no two freeblocks merge.
  for (int id = 12; id <= 95; id += 7) {
    writer.run(fmt::format("DELETE FROM message WHERE _id = {}", id));
    deleted.insert(id);
  }
  const made::Files files = made::Files::copy(path);
  const auto recovery = recover_rows(files.files());
  ASSERT_TRUE(recovery);
  EXPECT_EQ(made::recovered_ids(*recovery), deleted);
  for (const RecoveredRow& row : recovery->rows) {
    if (row.row_id) continue;
    EXPECT_FALSE(row.certain);
    EXPECT_LE(row.confidence, 700);
    EXPECT_FALSE(row.known[0]);
  }
}
INSTANTIATE_TEST_SUITE_P(Forms, SqliteForms,
                         ::testing::Values(Form{512, "UTF-8", ""}, Form{4096, "UTF-8", ""},
                                           Form{65536, "UTF-8", ""}, Form{1024, "UTF-16le", ""},
                                           Form{16384, "UTF-16be", ""},
                                           Form{4096, "UTF-8", "PRAGMA auto_vacuum=FULL"}));

TEST_F(SqliteRecovery, ReadsRowsWithoutRowId) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE kv(n INTEGER, k TEXT, v TEXT, PRIMARY KEY(k)) WITHOUT ROWID");
  writer.run("INSERT INTO kv VALUES(1, 'one', 'first'), (2, 'two', 'second'), (3, 'three', 'third')");
  writer.run("DELETE FROM kv WHERE k = 'two'");
  const Recovery recovery = recover();
  ASSERT_THAT(recovery.rows, SizeIs(1));
  const TableShape& shape = recovery.shapes[recovery.rows[0].shape];
  EXPECT_EQ(shape.columns[0].name, "k");  // the key's column is stored first
  EXPECT_EQ(recovery.rows[0].values[0].bytes, "two");
  EXPECT_EQ(recovery.rows[0].values[1].integer, 2);
}

TEST_F(SqliteRecovery, FollowsOverflowPagesIntoTheFreelistWithoutCallingItCertain) {
  made::Writer writer(path_);
  writer.run("PRAGMA page_size=1024; PRAGMA secure_delete=OFF");
  writer.run(made::kMessages);
  writer.run("CREATE TABLE filler(x)");
  made::add_messages(writer, 30);
  const std::string text(5000, 'y');
  writer.run(fmt::format(
      "INSERT INTO message(thread, address, date, body) VALUES(1, '+447700900123', 5, '{}')", text));
  // A page freed first becomes the one that lists the others.
  writer.run(
      "INSERT INTO filler VALUES(zeroblob(9000)); DELETE FROM filler; DELETE FROM message WHERE _id = 31");
  bool found = false;
  for (const RecoveredRow& row : recover().rows) {
    if (!row.known[4] || row.values[4].bytes != text) continue;
    found = true;
    EXPECT_FALSE(row.certain);
    EXPECT_LE(row.confidence, 850);
  }
  EXPECT_TRUE(found);
}

TEST_F(SqliteRecovery, FillsColumnsThatWereAddedLater) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run("CREATE TABLE message(_id INTEGER PRIMARY KEY, address TEXT, body TEXT)");
  writer.run("INSERT INTO message VALUES(1, '+447700900001', 'kept'), (2, '+447700900002', 'gone')");
  writer.run("ALTER TABLE message ADD COLUMN kind INTEGER DEFAULT 4");
  writer.run("DELETE FROM message WHERE _id = 2");
  const Recovery recovery = recover();
  ASSERT_THAT(recovery.rows, SizeIs(1));
  EXPECT_EQ(recovery.rows[0].values[2].bytes, "gone");
  EXPECT_EQ(recovery.rows[0].values[3].integer, 4);
}

TEST_F(SqliteRecovery, ReadsPagesThatLieAroundWithoutADatabase) {
  made::Writer writer(path_);
  writer.run("PRAGMA page_size=2048");
  writer.run(made::kMessages);
  made::add_messages(writer, 100);
  made::Bytes bytes = made::read_file(path_);
  bytes.erase(bytes.begin(), bytes.begin() + 2048);  // the first page is lost
  const auto pages = make_memory_source(std::move(bytes));
  EXPECT_EQ(guess_page_size(*pages), 2048U);
  const auto shape = parse_create_table(made::kMessages);
  ASSERT_TRUE(shape);
  const auto recovery = recover_pages(*pages, 0, {*shape});
  ASSERT_TRUE(recovery);
  EXPECT_EQ(made::recovered_ids(*recovery), numbers(1, 100));
}

TEST_F(SqliteRecovery, StopsAtItsMemoryAndSaysSo) {
  made::Writer writer(path_);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run(made::kMessages);
  made::add_messages(writer, 200);
  writer.run("DELETE FROM message");
  RecoverySettings settings;
  settings.memory_bytes = 10'000;
  const Recovery recovery = recover(settings);
  EXPECT_LT(recovery.rows.size(), 100U);
  ASSERT_THAT(recovery.problems, SizeIs(1));
  EXPECT_EQ(recovery.problems[0].code, ErrorCode::limit);
}

TEST_F(SqliteRecovery, TellsGapsInRowNumbers) {
  made::Writer writer(path_);
  writer.run(made::kMessages);
  made::add_messages(writer, 100);
  writer.run("DELETE FROM message WHERE _id BETWEEN 50 AND 60 OR _id = 5 OR _id > 97");
  files_ = made::Files::copy(path_);
  auto database = EvidenceDatabase::open(files_.files(), DatabaseState::current);
  ASSERT_TRUE(database);
  const auto gaps = find_row_gaps(**database, "Message");
  ASSERT_TRUE(gaps);
  EXPECT_EQ(gaps->gaps, 3U);
  EXPECT_EQ(gaps->missing, 15U);
  ASSERT_THAT(gaps->largest, SizeIs(3));
  EXPECT_EQ(gaps->largest[1].after, 49);
  EXPECT_EQ(gaps->largest[1].before, 61);
  EXPECT_EQ(gaps->largest[1].missing, 11U);
  EXPECT_TRUE(gaps->largest[2].at_end);
  EXPECT_EQ(gaps->largest[2].missing, 3U);
  EXPECT_FALSE(find_row_gaps(**database, "no_such_table"));
}

}  // namespace
}  // namespace touchstone::sqlite

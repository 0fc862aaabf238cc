// What the three states of a database show. The expected numbers come from how each database was written.
#include "content/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/content_database/made_database.hpp"

namespace touchstone {
namespace {

using made::Bytes;
using made::Files;
using made::first;
using made::Folder;
using made::rows;
using made::Writer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kCount = "SELECT count(*) FROM m";

/// 10 rows in the main file, 5 more and a deletion in the WAL; the writer is still open, as on a seized
/// phone.
Files database_with_wal(Folder& folder, Writer& writer) {
  writer.run(
      "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE m(_id INTEGER PRIMARY KEY, body "
      "TEXT);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<10) INSERT INTO m SELECT i,'old "
      "'||i FROM n;"
      "PRAGMA wal_checkpoint(TRUNCATE);"
      "WITH RECURSIVE n(i) AS (SELECT 11 UNION ALL SELECT i+1 FROM n WHERE i<15) INSERT INTO m SELECT i,'new "
      "'||i FROM n;"
      "DELETE FROM m WHERE _id=3;");
  return Files::copy(folder.path("a.db"));
}

/// 2,000 rows, then a transaction that has rewritten pages of the main file and was never committed.
Files database_with_hot_journal(Folder& folder, Writer& writer) {
  writer.run(
      "PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE; PRAGMA page_size=1024; CREATE TABLE m(_id "
      "INTEGER PRIMARY KEY, body TEXT);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000)"
      " INSERT INTO m SELECT i,'committed text number '||i FROM n;"
      "PRAGMA cache_size=5; PRAGMA cache_spill=1; BEGIN; UPDATE m SET body='half-written text '||_id; "
      "INSERT INTO m SELECT _id+2000, body FROM m;");
  return Files::copy(folder.path("a.db"));
}

TEST(EvidenceDatabase, ReadsTheWalOrLeavesItOutAsAsked) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  const Files files = database_with_wal(folder, writer);
  ASSERT_TRUE(files.wal);
  EXPECT_EQ(first(files, DatabaseState::current, kCount), "14");
  EXPECT_EQ(first(files, DatabaseState::without_wal, kCount), "10");
  EXPECT_EQ(first(files, DatabaseState::without_wal, "SELECT body FROM m WHERE _id=3"), "old 3");
  EXPECT_EQ(first(files, DatabaseState::current, "SELECT body FROM m WHERE _id=3"), "");
}

TEST(EvidenceDatabase, LosesTheWalWhenItIsNotGiven) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  Files files = database_with_wal(folder, writer);
  files.wal.reset();
  EXPECT_EQ(first(files, DatabaseState::current, kCount), "10");
}

TEST(EvidenceDatabase, RollsAHotJournalBackInMemoryOnly) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  const Files files = database_with_hot_journal(folder, writer);
  ASSERT_TRUE(files.journal);
  const Bytes before = made::read_file(folder.path("a.db"));
  constexpr auto kHalf = "SELECT count(*) FROM m WHERE body LIKE 'half%'";
  EXPECT_EQ(first(files, DatabaseState::current, kHalf), "0");
  EXPECT_EQ(first(files, DatabaseState::current, kCount), "2000");
  EXPECT_EQ(first(files, DatabaseState::without_wal, kCount), "2000");
  // What stands there is the unfinished transaction, as far as it came.
  EXPECT_NE(first(files, DatabaseState::before_rollback, kHalf), "0");
  Bytes after(before.size());
  ASSERT_TRUE(files.main->read_at(0, after));
  EXPECT_EQ(after, before);
}

TEST(EvidenceDatabase, SaysWhetherAJournalWasRolledBack) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  const Files files = database_with_hot_journal(folder, writer);
  auto current = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(current);
  EXPECT_TRUE((*current)->facts().rolled_back);
  auto before = EvidenceDatabase::open(files.files(), DatabaseState::before_rollback);
  ASSERT_TRUE(before);
  EXPECT_FALSE((*before)->facts().rolled_back);
  EXPECT_THAT((*current)->facts().tables, ElementsAre("m"));
}

TEST(EvidenceDatabase, StopsWhenARollBackOutgrowsItsMemory) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  const Files files = database_with_hot_journal(folder, writer);
  DatabaseLimits limits;
  limits.overlay_bytes = 8192;
  auto opened = EvidenceDatabase::open(files.files(), DatabaseState::current, limits);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::limit);
}

TEST(EvidenceDatabase, LooksForNoFileThatAJournalNames) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  Files files = database_with_hot_journal(folder, writer);
  // A super-journal record at the journal's end, https://www.sqlite.org/fileformat2.html does not give it: it
  // is the name, its length, its byte sum and the journal's magic number. This file exists, so that SQLite
  // would go on.
  Bytes journal = made::read_file(folder.path("a.db-journal"));
  const std::string name = folder.path("a.db");
  const auto put = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      journal.push_back(static_cast<std::byte>(value >> shift & 0xff));
  };
  put(0x40000000 / 1024 + 1);
  std::uint32_t sum = 0;
  for (const char c : name) {
    journal.push_back(static_cast<std::byte>(c));
    sum += static_cast<unsigned char>(c);
  }
  put(static_cast<std::uint32_t>(name.size()));
  put(sum);
  put(0xd9d505f9);
  put(0x20a163d7);
  files.journal = make_memory_source(journal);
  EXPECT_NE(first(files, DatabaseState::current, "SELECT count(*) FROM m WHERE body LIKE 'half%'"), "0");
}

TEST(EvidenceDatabase, OpensADatabaseLeftEmptyByItsWal) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run(
      "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE m(a); INSERT INTO m "
      "VALUES(1),(2);");
  const Files files = Files::copy(folder.path("a.db"));
  EXPECT_EQ(first(files, DatabaseState::current, kCount), "2");
  EXPECT_THAT(first(files, DatabaseState::without_wal, kCount), HasSubstr("no such table"));
}

TEST(EvidenceDatabase, BindsParametersAndKeepsTypes) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run("CREATE TABLE m(a); INSERT INTO m VALUES(1),(2.5),('text'),(x'00ff'),(NULL);");
  const Files files = Files::copy(folder.path("a.db"));
  auto database = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(database);
  auto query =
      (*database)->query("SELECT a, ?1, ?2 FROM m ORDER BY rowid", {Value(std::int64_t{7}), Value("x")});
  ASSERT_TRUE(query) << query.error().message;
  std::vector<EvidenceQuery::Type> types;
  while (true) {
    auto more = (*query)->step();
    ASSERT_TRUE(more);
    if (!*more) break;
    (*query)->bytes(0);  // must not change what type() says
    types.push_back((*query)->type(0));
    EXPECT_EQ((*query)->integer(1), 7);
    EXPECT_EQ((*query)->bytes(2), "x");
  }
  using Type = EvidenceQuery::Type;
  EXPECT_THAT(types, ElementsAre(Type::integer, Type::real, Type::text, Type::blob, Type::null));
  EXPECT_EQ((*query)->column_name(0), "a");
  EXPECT_THAT(rows(**database, "SELECT ?1"), ElementsAre(StartsWith("error")));
}

TEST(EvidenceDatabase, ReadsUtf16AndKeepsBrokenUtf8) {
  Folder folder;
  Writer utf16(folder.path("a.db"));
  utf16.run(
      "PRAGMA encoding='UTF-16le'; CREATE TABLE m(a TEXT); INSERT INTO m VALUES('caf' || char(233) || "
      "char(128512));");
  EXPECT_EQ(first(Files::copy(folder.path("a.db")), DatabaseState::current, "SELECT a FROM m"),
            "caf\u00e9\U0001F600");
  Writer broken(folder.path("b.db"));
  broken.run("CREATE TABLE m(a TEXT); INSERT INTO m VALUES(CAST(x'61ff62' AS TEXT));");
  EXPECT_EQ(first(Files::copy(folder.path("b.db")), DatabaseState::current, "SELECT a FROM m"),
            "a\xff"
            "b");
}

TEST(EvidenceDatabase, SortsMoreThanItsCacheWithinTheMemoryItHas) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run(
      "CREATE TABLE m(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60000)"
      " INSERT INTO m SELECT printf('%06d %0500d', 60001-i, i) FROM n;");
  const Files files = Files::copy(folder.path("a.db"));
  constexpr auto kSort = "SELECT substr(a,1,6) FROM m ORDER BY a";
  EXPECT_EQ(first(files, DatabaseState::current, kSort), "000001");
  DatabaseLimits limits;
  limits.overlay_bytes = 1 << 20;
  EXPECT_THAT(first(files, DatabaseState::current, kSort, limits), HasSubstr("memory"));
}

TEST(EvidenceDatabase, EndsAQueryAtItsLimits) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run("CREATE TABLE m(a); INSERT INTO m VALUES(1),(2),(3),(zeroblob(100000));");
  const Files files = Files::copy(folder.path("a.db"));
  DatabaseLimits limits;
  limits.rows = 2;
  auto few = EvidenceDatabase::open(files.files(), DatabaseState::current, limits);
  ASSERT_TRUE(few);
  EXPECT_THAT(rows(**few, "SELECT a FROM m"), ElementsAre("1", "2", HasSubstr("more than 2 rows")));
  limits = {};
  limits.value_bytes = 50'000;
  auto small = EvidenceDatabase::open(files.files(), DatabaseState::current, limits);
  ASSERT_TRUE(small);
  EXPECT_THAT(rows(**small, "SELECT a FROM m"), ElementsAre("1", "2", "3", HasSubstr("larger than 50000")));
  limits = {};
  limits.steps = 100'000;
  auto slow = EvidenceDatabase::open(files.files(), DatabaseState::current, limits);
  ASSERT_TRUE(slow);
  EXPECT_THAT(
      rows(**slow, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"),
      ElementsAre(HasSubstr("stopped after 100000 steps")));
}

/// Counts what is read, to show that a database is not copied.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(ByteSource& base) : base_(&base) {}
  std::uint64_t size() const override { return base_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    read += out.size();
    return base_->read_at(offset, out);
  }
  std::uint64_t read = 0;

 private:
  ByteSource* base_;
};

TEST(EvidenceDatabase, ReadsOnlyThePagesItNeeds) {
  Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run(
      "CREATE TABLE m(_id INTEGER PRIMARY KEY, a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
      "FROM n WHERE"
      " i<20000) INSERT INTO m SELECT i, randomblob(1000) FROM n;");
  const Files files = Files::copy(folder.path("a.db"));
  CountingSource counting(*files.main);
  auto database = EvidenceDatabase::open({&counting, nullptr, nullptr}, DatabaseState::current);
  ASSERT_TRUE(database);
  EXPECT_THAT(rows(**database, "SELECT length(a) FROM m WHERE _id=777"), ElementsAre("1000"));
  EXPECT_GT(files.main->size(), 20'000'000U);
  EXPECT_LT(counting.read, 100'000U);
}

}  // namespace
}  // namespace touchstone

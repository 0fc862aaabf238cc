// Databases that try something: nothing of their schema may run, and damage costs only what it hits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "content/database.hpp"
#include "unit/content_database/made_database.hpp"

namespace touchstone {
namespace {

using made::Bytes;
using made::Files;
using made::Folder;
using made::rows;
using made::Writer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<std::unique_ptr<EvidenceDatabase>> open_bytes(std::unique_ptr<ByteSource>& source, Bytes bytes) {
  source = make_memory_source(std::move(bytes));
  return EvidenceDatabase::open({source.get(), nullptr, nullptr}, DatabaseState::current);
}

class HostileSchema : public ::testing::Test {
 protected:
  void SetUp() override {
    Writer writer(folder_.path("a.db"));
    writer.run(
        "CREATE TABLE plain(a); INSERT INTO plain VALUES(1),(2);"
        "CREATE VIEW seen AS SELECT a FROM plain;"
        "CREATE TRIGGER t AFTER INSERT ON plain BEGIN DELETE FROM plain; END;"
        "CREATE VIRTUAL TABLE words USING fts4(body); INSERT INTO words VALUES('indexed text');"
        "CREATE VIRTUAL TABLE boxes USING rtree(id,x,y);"
        "CREATE TABLE \"a \"\"b;--\"(\"select\"); INSERT INTO \"a \"\"b;--\" VALUES('odd name');"
        "CREATE TABLE computed(a, b AS (a * 2)); INSERT INTO computed(a) VALUES(21);");
    files_ = Files::copy(folder_.path("a.db"));
    auto opened = EvidenceDatabase::open(files_.files(), DatabaseState::current);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = opened.take();
  }
  /// The only row of a query, which is an error in most of these tests.
  std::string only(const std::string& sql) {
    const auto all = rows(*database_, sql);
    return all.size() == 1 ? all.front() : std::to_string(all.size()) + " rows";
  }
  Folder folder_;
  Files files_;
  std::unique_ptr<EvidenceDatabase> database_;
};

TEST_F(HostileSchema, ServesOrdinaryTables) {
  EXPECT_EQ(only("SELECT count(*) FROM plain"), "2");
  EXPECT_EQ(only("SELECT \"select\" FROM \"a \"\"b;--\""), "odd name");
  EXPECT_EQ(only("SELECT a FROM computed"), "21");
  EXPECT_EQ(only("SELECT count(*) FROM sqlite_schema WHERE type='view'"), "1");
  EXPECT_EQ(only("SELECT group_concat(value) FROM json_each('[1,2,3]')"), "1,2,3");
}

TEST_F(HostileSchema, LeavesWhatItWouldComputeEmptyAndSaysSo) {
  auto query = database_->query("SELECT a, b FROM computed LIMIT 0", {});
  ASSERT_TRUE(query);
  ASSERT_TRUE((*query)->step());
  EXPECT_EQ((*query)->take_note(), "");  // no row, nothing lost
  query = database_->query("SELECT a, b FROM computed", {});
  ASSERT_TRUE(query);
  ASSERT_TRUE(*(*query)->step());
  EXPECT_EQ((*query)->integer(0), 21);
  EXPECT_EQ((*query)->type(1), EvidenceQuery::Type::null);
  EXPECT_EQ((*query)->take_note(),
            "columns that the database's own schema computes were not read: computed.b");
  EXPECT_EQ((*query)->take_note(), "");
}

// The expressions end in an error as soon as they are worked out, and one names a function of ours: rows are
// read all the same, so nothing was.
TEST(HostileDatabase, RunsNoExpressionOfTheSchema) {
  const Folder folder;
  Writer writer(folder.path("a.db"));
  writer.run(
      "CREATE TABLE t(a, b AS (a), c AS (upper(a)) STORED, d AS (a), CHECK (length(a) < 90));"
      "INSERT INTO t(a) VALUES('x'),('y'); CREATE INDEX i ON t(a) WHERE a > 'b';"
      "CREATE TABLE u(a DEFAULT (upper('z')), b AS (a)); INSERT INTO u(a) VALUES('w');"
      "PRAGMA writable_schema=ON;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'b AS (a)', 'b AS (json_extract(''{'', ''$''))');"
      "UPDATE sqlite_schema SET sql = replace(sql, 'd AS (a)', 'd AS (phone(a))');"
      "UPDATE sqlite_schema SET sql = replace(sql, 'length(a) < 90', 'json_extract(''{'', ''$'')');");
  const Files files = Files::copy(folder.path("a.db"));
  auto database = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_THAT(rows(**database, "SELECT * FROM t WHERE a >= 'c' ORDER BY b"),
              ElementsAre("x|NULL|X|NULL", "y|NULL|Y|NULL"));
  EXPECT_THAT(rows(**database, "SELECT a, b FROM u"), ElementsAre("w|NULL"));
}

TEST_F(HostileSchema, RefusesViewsAndVirtualTables) {
  EXPECT_THAT(only("SELECT a FROM seen"), StartsWith("error"));
  EXPECT_THAT(only("SELECT count(*) FROM seen"), StartsWith("error"));
  EXPECT_THAT(only("SELECT 1 FROM seen"), StartsWith("error"));
  EXPECT_THAT(only("WITH w AS (SELECT * FROM seen) SELECT * FROM w"), StartsWith("error"));
  EXPECT_THAT(only("SELECT body FROM words"), StartsWith("error"));
  EXPECT_THAT(only("SELECT count(*) FROM words"), StartsWith("error"));
  EXPECT_THAT(only("SELECT count(*) FROM pragma_table_info('plain')"), StartsWith("error"));
  EXPECT_THAT(only("SELECT x FROM boxes"), StartsWith("error"));
  EXPECT_THAT(only("SELECT name FROM pragma_table_info('plain')"), StartsWith("error"));
  EXPECT_THAT(only("SELECT name FROM dbstat"), StartsWith("error"));
  EXPECT_THAT(only("SELECT * FROM sqlite_stmt"), StartsWith("error"));
}

TEST_F(HostileSchema, ReadsTheTextOfAnIndexWithoutItsModule) {
  EXPECT_EQ(only("SELECT c0body FROM words_content"), "indexed text");
}

TEST_F(HostileSchema, RefusesEverythingButOneSelect) {
  for (const char* sql : {"INSERT INTO plain VALUES(3)",
                          "DELETE FROM plain",
                          "UPDATE plain SET a=1",
                          "CREATE TABLE x(a)",
                          "CREATE TEMP TABLE x(a)",
                          "DROP TABLE plain",
                          "ATTACH '/etc/passwd' AS p",
                          "PRAGMA journal_mode=DELETE",
                          "PRAGMA user_version",
                          "VACUUM",
                          "VACUUM INTO '/tmp/x'",
                          "BEGIN",
                          "REINDEX",
                          "ANALYZE",
                          "EXPLAIN SELECT 1",
                          "SELECT 1; SELECT 2",
                          "",
                          " ",
                          "-- nothing",
                          "SELECT",
                          "WITH x AS (SELECT 1) DELETE FROM plain"})
    EXPECT_THAT(only(sql), StartsWith("error")) << sql;
  EXPECT_EQ(only("SELECT count(*) FROM plain"), "2");
  EXPECT_EQ(only("SELECT 1 ; \n"), "1");
}

TEST_F(HostileSchema, RefusesFunctionsThatReachOutside) {
  EXPECT_THAT(only("SELECT load_extension('x')"), StartsWith("error"));
  EXPECT_THAT(only("SELECT fts3_tokenizer('simple')"), StartsWith("error"));
  EXPECT_THAT(only("SELECT random()"), HasSubstr("not allowed"));
  EXPECT_THAT(only("SELECT sqlite_version()"), HasSubstr("not allowed"));
  EXPECT_EQ(only("SELECT upper('a') || hex('b') || strftime('%Y','now')"), "A621970");
}

/// A schema whose rows lie: SQLite believes the statement, so must the policy.
TEST(HostileDatabase, IsNotFooledByASchemaThatLies) {
  Folder folder;
  {
    Writer writer(folder.path("a.db"));
    writer.run(
        "CREATE TABLE a(x); INSERT INTO a VALUES(1); CREATE TABLE fine(x); INSERT INTO fine VALUES('still "
        "here');"
        "PRAGMA writable_schema=ON;"
        "INSERT INTO sqlite_schema VALUES('table','v','v',0,'CREATE VIEW v AS SELECT x FROM a');"
        "INSERT INTO sqlite_schema VALUES('table','w','w',0,'CREATE VIRTUAL TABLE w USING fts4(body)');");
  }
  const Files files = Files::copy(folder.path("a.db"));
  auto database = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_THAT(rows(**database, "SELECT * FROM v"), ElementsAre(StartsWith("error")));
  EXPECT_THAT(rows(**database, "SELECT * FROM w"), ElementsAre(StartsWith("error")));
  EXPECT_THAT(rows(**database, "SELECT x FROM fine"), ElementsAre("still here"));
}

TEST(HostileDatabase, ServesWhatASchemaWithAbsurdRowsLeaves) {
  Folder folder;
  {
    Writer writer(folder.path("a.db"));
    writer.run(
        "CREATE TABLE sms(body); INSERT INTO sms VALUES('kept'); CREATE TABLE bad(x);"
        "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='CREATE TABLE bad(x' WHERE name='bad';");
  }
  const Files files = Files::copy(folder.path("a.db"));
  auto database = EvidenceDatabase::open(files.files(), DatabaseState::current);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_THAT((*database)->facts().schema_error, HasSubstr("malformed database schema"));
  EXPECT_THAT(rows(**database, "SELECT body FROM sms"), ElementsAre("kept"));
}

/// 500 rows of 400 bytes in 1 KiB pages.
Bytes many_pages() {
  Folder folder;
  {
    Writer writer(folder.path("a.db"));
    writer.run(
        "PRAGMA page_size=1024; CREATE TABLE m(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
        "FROM n WHERE"
        " i<500) INSERT INTO m SELECT printf('%0400d', i) FROM n;");
  }
  return made::read_file(folder.path("a.db"));
}

TEST(HostileDatabase, YieldsTheRowsBeforeADamagedPageAndSaysSo) {
  Bytes bytes = many_pages();
  std::fill(bytes.begin() + 100 * 1024, bytes.begin() + 101 * 1024, std::byte{0xee});
  std::unique_ptr<ByteSource> source;
  auto database = open_bytes(source, bytes);
  ASSERT_TRUE(database);
  const auto all = rows(**database, "SELECT a FROM m");
  EXPECT_GT(all.size(), 50U);
  EXPECT_LT(all.size(), 500U);
  EXPECT_THAT(all.back(), StartsWith("error 1"));  // ErrorCode::corrupt
}

TEST(HostileDatabase, SurvivesTruncation) {
  const Bytes whole = many_pages();
  for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 99UL, 100UL, 1023UL, 1024UL, 5000UL, 50000UL}) {
    std::unique_ptr<ByteSource> source;
    auto database =
        open_bytes(source, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    if (!database) continue;
    const auto all = rows(**database, "SELECT a FROM m");
    ASSERT_FALSE(all.empty()) << size;
    EXPECT_THAT(all.back(), StartsWith("error")) << size;
  }
}

TEST(HostileDatabase, EndsOnPagesThatPointInACircle) {
  Bytes bytes = many_pages();
  // The root of m (page 2) is an interior page; its right-most pointer, at offset 8, points to itself.
  const std::size_t root = 1024;
  ASSERT_EQ(bytes[root], std::byte{5});
  bytes[root + 8] = bytes[root + 9] = bytes[root + 10] = std::byte{0};
  bytes[root + 11] = std::byte{2};
  // And a freelist trunk that is its own successor.
  const auto put = [&](std::size_t at, unsigned value) {
    for (int i = 0; i < 4; ++i)
      bytes[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
  };
  put(32, 50);
  put(36, 1000);
  put(49 * 1024, 50);
  std::unique_ptr<ByteSource> source;
  auto database = open_bytes(source, bytes);
  ASSERT_TRUE(database);
  const auto all = rows(**database, "SELECT a FROM m");
  EXPECT_THAT(all.back(), StartsWith("error 1"));
}

TEST(HostileDatabase, TellsOtherFilesFromDatabases) {
  std::unique_ptr<ByteSource> source;
  Bytes text(8192, std::byte{'a'});
  auto opened = open_bytes(source, text);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
  // Bytes without any structure: what an encrypted database looks like.
  std::uint64_t state = 88172645463325252ULL;
  for (std::byte& b : text) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    b = static_cast<std::byte>(state & 0xff);
  }
  opened = open_bytes(source, text);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::encrypted);
  EXPECT_THAT(opened.error().message, HasSubstr("encrypted or damaged"));
}

/// A source that fails beyond its first page.
class BrokenSource final : public ByteSource {
 public:
  explicit BrokenSource(ByteSource& base) : base_(&base) {}
  std::uint64_t size() const override { return base_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset + out.size() > 4096) return Error{ErrorCode::io, "the cable was pulled"};
    return base_->read_at(offset, out);
  }

 private:
  ByteSource* base_;
};

TEST(HostileDatabase, PassesOnWhyTheEvidenceCannotBeRead) {
  const auto whole = make_memory_source(many_pages());
  BrokenSource broken(*whole);
  auto database = EvidenceDatabase::open({&broken, nullptr, nullptr}, DatabaseState::current);
  ASSERT_TRUE(database) << database.error().message;
  const auto all = rows(**database, "SELECT a FROM m");
  EXPECT_THAT(all.back(), HasSubstr("the cable was pulled"));
}

}  // namespace
}  // namespace touchstone

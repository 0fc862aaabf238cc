// Databases that were made to hurt: no crash, no endless walk, and a problem for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "content/sqlite/recovered_database.hpp"
#include "unit/content_sqlite/messages.hpp"

namespace touchstone::sqlite {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void put32(made::Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    bytes[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(value >> (24 - 8 * i));
}

class HostilePages : public ::testing::Test {
 protected:
  void SetUp() override {
    made::Folder folder;
    made::Writer writer(folder.path("a.db"));
    writer.run("PRAGMA page_size=1024; PRAGMA secure_delete=OFF");
    writer.run(made::kMessages);
    made::add_messages(writer, 300);
    writer.run("DELETE FROM message WHERE _id > 100");
    bytes_ = made::read_file(folder.path("a.db"));
  }
  Recovery recover() const {
    const auto main = make_memory_source(bytes_);
    auto recovery = recover_rows({main.get(), nullptr, nullptr});
    return recovery ? recovery.take() : Recovery{{}, {}, {recovery.error()}};
  }
  static auto told(const char* text) { return Contains(Field(&Error::message, HasSubstr(text))); }
  std::uint32_t trunk() const {
    std::uint32_t page = 0;
    for (std::size_t i = 32; i < 36; ++i) page = page << 8 | std::to_integer<std::uint32_t>(bytes_[i]);
    return page;
  }
  made::Bytes bytes_;
};

TEST_F(HostilePages, FreelistThatLeadsBackToItself) {
  ASSERT_GT(trunk(), 0U);
  put32(bytes_, (trunk() - 1) * 1024, trunk());
  EXPECT_THAT(recover().problems, told("in use elsewhere"));
}

TEST_F(HostilePages, FreelistPageThatNamesMoreThanItHolds) {
  put32(bytes_, (trunk() - 1) * 1024 + 4, 0xffffffff);
  EXPECT_THAT(recover().problems, told("names more pages than it can hold"));
}

TEST_F(HostilePages, FreelistOutsideTheFile) {
  put32(bytes_, 32, 0x7fffffff);
  EXPECT_THAT(recover().problems, told("not there"));
}

TEST_F(HostilePages, PageCountThatLies) {
  put32(bytes_, 28, 0xfffffff0);
  EXPECT_THAT(recover().problems, told("are there"));
}

TEST_F(HostilePages, TreeThatLeadsBackToItself) {
  // Page 2 is the table's root and an interior page: its right-most child becomes itself.
  ASSERT_EQ(std::to_integer<int>(bytes_[1024]), 5);
  put32(bytes_, 1024 + 8, 2);
  EXPECT_THAT(recover().problems, told("leads back to itself"));
}

TEST_F(HostilePages, RootPageThatIsNoPage) {
  for (std::size_t i = 0; i < 16; ++i) bytes_[1024 + i] = std::byte{0xff};
  const Recovery recovery = recover();
  EXPECT_THAT(recovery.problems, Not(IsEmpty()));
  // Its leaves are reached by nobody; so their rows are recovered.
  EXPECT_GE(made::recovered_ids(recovery).size(), 90U);
}

TEST_F(HostilePages, AbsurdSizesOfTheLog) {
  made::Bytes log(32 + 3 * 1048 + 11);
  put32(log, 0, 0x377f0683);
  put32(log, 8, 0x80000000);
  const auto main = make_memory_source(bytes_), wal = make_memory_source(log);
  auto recovery = recover_rows({main.get(), wal.get(), nullptr});
  ASSERT_TRUE(recovery);
  EXPECT_THAT(recovery->problems, told("another page size"));
}

TEST_F(HostilePages, AnyByteChanged) {
  const made::Bytes good = bytes_;
  std::mt19937 chance(7);  // the same bytes in every run
#if defined(__SANITIZE_ADDRESS__)
  const int rounds = 60;  // a round takes thirty times as long; the fuzz target goes on where this ends
#else
  const int rounds = 300;
#endif
  for (int round = 0; round < rounds; ++round) {
    bytes_ = good;
    for (int i = 0; i < 20; ++i) {
      const std::size_t at = chance() % (round % 2 ? 4096 : bytes_.size());
      bytes_[at] = static_cast<std::byte>(chance());
    }
    if (round % 5 == 0) bytes_.resize(chance() % bytes_.size());
    const Recovery recovery = recover();
    for (const RecoveredRow& row : recovery.rows) {
      ASSERT_LT(row.shape, recovery.shapes.size());
      ASSERT_EQ(row.values.size(), recovery.shapes[row.shape].columns.size());
    }
  }
}

TEST(HostileSchema, TriggersViewsAndAbsurdNamesRunNothing) {
  made::Folder folder;
  made::Writer writer(folder.path("a.db"));
  writer.run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
  writer.run(
      "CREATE TABLE \"a\"\"); DROP TABLE x; --\"(\"b\"\");\" INTEGER PRIMARY KEY, \"'\" TEXT, \"\" TEXT, "
      "[select] TEXT)");
  writer.run("CREATE VIEW v AS SELECT * FROM sqlite_schema");
  writer.run("CREATE TABLE plain(_id INTEGER PRIMARY KEY, body TEXT, who TEXT)");
  writer.run(
      "CREATE TRIGGER t AFTER INSERT ON plain BEGIN INSERT INTO \"a\"\"); DROP TABLE x; --\" VALUES(NULL, 1, "
      "2, 3); END");
  writer.run("CREATE VIRTUAL TABLE f USING fts5(body)");
  writer.run(
      "INSERT INTO plain VALUES(1, 'gone for good', 'x'); DELETE FROM plain; DELETE FROM \"a\"\"); DROP "
      "TABLE x; --\"");
  const made::Files files = made::Files::copy(folder.path("a.db"));
  auto database = RecoveredDatabase::open(files.files());
  ASSERT_TRUE(database);
  EXPECT_EQ((*database)->count("plain"), 1U);
  EXPECT_EQ((*database)->count("a\"); DROP TABLE x; --"), 1U);
  auto query =
      (*database)->query("a\"); DROP TABLE x; --",
                         "SELECT \"b\"\");\" AS source_row, \"'\" FROM \"a\"\"); DROP TABLE x; --\"", {});
  ASSERT_TRUE(query) << query.error().message;
  const auto row = (*query)->step();
  ASSERT_TRUE(row && *row);
  EXPECT_EQ((*query)->bytes(1), "1");
}

}  // namespace
}  // namespace touchstone::sqlite

// CREATE TABLE statements as apps and attackers write them.
#include "content/sqlite/table_shape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace touchstone::sqlite {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(const TableShape& shape) {
  std::vector<std::string> result;
  for (const Column& column : shape.columns) result.push_back(column.name);
  return result;
}

TEST(TableShape, ReadsColumnsTypesAndDefaults) {
  const auto shape = parse_create_table(
      "CREATE TABLE IF NOT EXISTS [a b](\"_id\" INTEGER PRIMARY KEY AUTOINCREMENT, `x y` VARCHAR(20) NOT "
      "NULL DEFAULT "
      "'it''s', n DECIMAL(10, 2) DEFAULT -5, r DOUBLE DEFAULT 2, CHECK (n > 0), FOREIGN KEY (n) REFERENCES "
      "t(a, b))");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->name, "a b");
  EXPECT_THAT(names(*shape), ElementsAre("_id", "x y", "n", "r"));
  EXPECT_EQ(shape->row_id_column, 0U);
  EXPECT_TRUE(shape->autoincrement);
  EXPECT_EQ(shape->columns[1].affinity, Affinity::text);
  EXPECT_TRUE(shape->columns[1].not_null);
  EXPECT_EQ(shape->columns[1].default_value.bytes, "it's");
  EXPECT_EQ(shape->columns[2].affinity, Affinity::numeric);
  EXPECT_EQ(shape->columns[2].default_value.integer, -5);
  EXPECT_EQ(shape->columns[3].default_value.real, 2.0);
}

TEST(TableShape, KnowsWhichColumnIsTheRowId) {
  EXPECT_EQ(parse_create_table("CREATE TABLE t(a, b INTEGER, PRIMARY KEY(b))")->row_id_column, 1U);
  EXPECT_EQ(parse_create_table("CREATE TABLE t(a INT PRIMARY KEY)")->row_id_column, std::nullopt);
  EXPECT_EQ(parse_create_table("CREATE TABLE t(a INTEGER PRIMARY KEY DESC)")->row_id_column, std::nullopt);
  EXPECT_EQ(parse_create_table("CREATE TABLE t(a INTEGER, b, PRIMARY KEY(a, b))")->row_id_column,
            std::nullopt);
}

TEST(TableShape, PutsTheKeyFirstWithoutRowIds) {
  const auto shape = parse_create_table("CREATE TABLE t(a, b, c, PRIMARY KEY(c, b)) WITHOUT ROWID");
  ASSERT_TRUE(shape);
  EXPECT_TRUE(shape->without_rowid);
  EXPECT_THAT(names(*shape), ElementsAre("c", "b", "a"));
}

TEST(TableShape, LeavesOutWhatIsNotStored) {
  EXPECT_THAT(
      names(*parse_create_table("CREATE TABLE t(a, b AS (a + 1), c GENERATED ALWAYS AS (a) STORED, d)")),
      ElementsAre("a", "c", "d"));
}

TEST(TableShape, IsAbsentForAnythingElse) {
  for (const char* sql :
       {"", "CREATE", "CREATE TABLE", "CREATE TABLE t", "CREATE TABLE t(", "CREATE TABLE t()",
        "CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE INDEX i ON t(a)", "DROP TABLE t"})
    EXPECT_FALSE(parse_create_table(sql)) << sql;
  EXPECT_TRUE(parse_create_table("CREATE TABLE \"\"(\"\" \"\" \"\", '\n' ''')') /* open"));
}

}  // namespace
}  // namespace touchstone::sqlite

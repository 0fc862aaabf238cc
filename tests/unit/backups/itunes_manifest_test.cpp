#include "filesystem/trees/itunes_manifest.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>

#include "unit/backups/made_backups.hpp"

namespace touchstone {
namespace {

struct Listing {
  std::vector<std::string> names;
  std::vector<std::uint64_t> places;
  std::vector<Problem> problems;
};

Listing list(BackupManifest& manifest) {
  Listing found;
  const auto keep = [&](const BackupManifest::Row& row) {
    found.names.push_back(std::string(row.domain) + "-" + std::string(row.path));
    found.places.push_back(row.place);
    return true;
  };
  EXPECT_TRUE(manifest.for_each(keep, found.problems));
  return found;
}

/// A database made by the statements, as bytes.
std::vector<std::byte> database(const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_open(":memory:", &db);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_int64 size = 0;
  unsigned char* raw = sqlite3_serialize(db, "main", &size, 0);
  const auto bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(size)));
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  sqlite3_free(raw);
  sqlite3_close(db);
  return copy;
}

TEST(ItunesManifest, MbdbHasTheSameFilesAsTheDatabase) {
  auto db = open_manifest_db(test::file_bytes(test::made_backups() / "itunes" / "Manifest.db"));
  auto mbdb = open_manifest_mbdb(test::file_bytes(test::made_backups() / "mbdb" / "Manifest.mbdb"));
  ASSERT_TRUE(db) << db.error().message;
  ASSERT_TRUE(mbdb) << mbdb.error().message;
  const Listing of_db = list(**db), of_mbdb = list(**mbdb);
  EXPECT_EQ(of_db.names, of_mbdb.names);
  ASSERT_EQ(of_db.names.size(), 10U);
  for (std::size_t i = 0; i < of_db.places.size(); ++i) {
    const auto a = (*db)->read(of_db.places[i]), b = (*mbdb)->read(of_mbdb.places[i]);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->kind, b->kind) << of_db.names[i];
    EXPECT_EQ(a->size, b->size);
    EXPECT_EQ(a->mode, b->mode);
    EXPECT_EQ(a->uid, 501U);
    EXPECT_EQ(b->gid, 501U);
    EXPECT_EQ(a->inode, 4242U);
    EXPECT_EQ(a->times.modified, 1714770000'000000);
    EXPECT_EQ(b->times.modified, 1714770000'000000);
    EXPECT_EQ(a->times.created, 1714760000'000000);
    EXPECT_EQ(a->protection_class, b->protection_class);
    EXPECT_EQ(a->link_target, b->link_target);
    if (a->kind == BackupKind::file) {
      EXPECT_EQ(a->id, b->id);  // worked out from the names in one of them
    }
  }
  EXPECT_FALSE((*db)->read(99));
  EXPECT_FALSE((*mbdb)->read(UINT64_MAX));
  EXPECT_FALSE((*mbdb)->read(0));
}

TEST(ItunesManifest, DamageEndsTheListAndIsSaid) {
  auto bytes = test::file_bytes(test::made_backups() / "mbdb" / "Manifest.mbdb");
  bytes.resize(bytes.size() - 10);
  auto manifest = open_manifest_mbdb(bytes);
  ASSERT_TRUE(manifest);
  const Listing cut = list(**manifest);
  EXPECT_EQ(cut.names.size(), 9U);
  ASSERT_EQ(cut.problems.size(), 1U);
  EXPECT_EQ(cut.problems[0].kind, ProblemKind::corrupt);

  auto table = test::file_bytes(test::made_backups() / "itunes" / "Manifest.db");
  std::fill(table.begin() + 4096, table.end(), std::byte{0xee});
  auto damaged = open_manifest_db(table);
  if (damaged) {
    const Listing none = list(**damaged);
    EXPECT_FALSE(none.problems.empty());
  }
}

TEST(ItunesManifest, NothingOfTheDatabasesSchemaRuns) {
  // A view in place of the table, one that never ends, and a computed column that calls a function.
  EXPECT_FALSE(open_manifest_db(
      database("CREATE TABLE other(a); CREATE VIEW Files AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
               "SELECT i + 1 FROM n) "
               "SELECT i AS fileID, i AS domain, i AS relativePath, 1 AS flags, i AS file FROM n")));
  EXPECT_FALSE(open_manifest_db(database(
      "CREATE TABLE Files(fileID TEXT, domain TEXT, relativePath TEXT AS (upper(domain)), flags INTEGER, "
      "file BLOB); INSERT INTO Files(fileID, domain, flags) VALUES('a', 'b', 1)")));
  EXPECT_FALSE(open_manifest_db(database("CREATE TABLE Files(a, b)")) &&
               open_manifest_db(database("CREATE TABLE Files(a, b)")).take()->read(0));
  EXPECT_FALSE(open_manifest_db(database("CREATE TABLE other(a)")));
  EXPECT_FALSE(open_manifest_db(std::vector<std::byte>(5000)));
}

TEST(ItunesManifest, ADatabaseThatWasInWalModeIsRead) {
  auto bytes = test::file_bytes(test::made_backups() / "itunes" / "Manifest.db");
  bytes[18] = bytes[19] = std::byte{2};
  auto manifest = open_manifest_db(bytes);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(list(**manifest).names.size(), 10U);
}

}  // namespace
}  // namespace touchstone

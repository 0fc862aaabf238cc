// The database facet on real databases: row counts that their sources state, and every SQLite file of the
// corpus against SQLite itself on an ordinary copy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "content/database.hpp"
#include "corpus/zip_files.hpp"
#include "plugins/appdata/made_app.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using test::each_file_of_zip;
using test::file_of_zip;
using test::read_text;

const fs::path& corpus() {
  static const fs::path folder = TOUCHSTONE_CORPUS_DIR;
  return folder;
}

std::unique_ptr<ByteSource> source_of(const std::string& bytes) {
  std::vector<std::byte> copy(bytes.size());
  std::transform(bytes.begin(), bytes.end(), copy.begin(), [](char c) { return static_cast<std::byte>(c); });
  return make_memory_source(std::move(copy));
}

/// A database with what stands beside it.
struct Sources {
  explicit Sources(const std::string& bytes, const std::string& wal_bytes = {})
      : main(source_of(bytes)), wal(wal_bytes.empty() ? nullptr : source_of(wal_bytes)) {}
  explicit Sources(const fs::path& path)
      : Sources(read_text(path.string()), read_text(path.string() + "-wal")) {}
  std::int64_t count(DatabaseState state, const std::string& table) const {
    auto database = EvidenceDatabase::open({main.get(), wal.get(), nullptr}, state);
    if (!database) return -1;
    auto query = (*database)->query("SELECT count(*) FROM \"" + table + "\"", {});
    if (!query) return -2;
    auto row = (*query)->step();
    return row && *row ? (*query)->integer(0) : -3;
  }
  std::unique_ptr<ByteSource> main, wal;
};

class CorpusDatabases : public ::testing::Test {
 protected:
  void SetUp() override {
    if (corpus().empty() || !fs::exists(corpus())) GTEST_SKIP() << "no corpus (TOUCHSTONE_CORPUS)";
  }
};

TEST_F(CorpusDatabases, HaveTheRowsThatTheirSourcesState) {
  const Sources plaso(corpus() / "log2timeline+plaso/test_data/wal_database.db");
  EXPECT_EQ(plaso.count(DatabaseState::without_wal, "MyTable"), 10);
  EXPECT_EQ(plaso.count(DatabaseState::current, "MyTable"), 11);
  // All of this one's tables are in its WAL.
  const Sources locks(corpus() / "den4uk+andriller/tests/data/other/locks/locksettings.db");
  EXPECT_EQ(locks.count(DatabaseState::without_wal, "locksettings"), -2);
  EXPECT_EQ(locks.count(DatabaseState::current, "locksettings"), 12);
  EXPECT_EQ(locks.count(DatabaseState::current, "android_metadata"), 1);
  const Sources calls(corpus() /
                      "den4uk+andriller/tests/data/data/com.android.providers.contacts/db/calllog.db");
  EXPECT_EQ(calls.count(DatabaseState::current, "calls"), 1);
  const fs::path discord = corpus() /
                           "abrignoni+iLEAPP/admin/test/cases/data/discord_cache/"
                           "testdata.discord_cache.discord_cache.josh_ios15_ffs.zip";
  const Sources cache(file_of_zip(discord, "/Cache.db"), file_of_zip(discord, "/Cache.db-wal"));
  EXPECT_EQ(cache.count(DatabaseState::without_wal, "cfurl_cache_response"), 59);
  EXPECT_EQ(cache.count(DatabaseState::current, "cfurl_cache_response"), 65);
}

/// Lines of the manifest that state tables and entries, and no deletions: path → (tables, entries).
std::map<std::string, std::pair<int, int>> stated_counts() {
  std::map<std::string, std::pair<int, int>> result;
  std::ifstream manifest(corpus() / "MANIFEST.tsv");
  for (std::string line; std::getline(manifest, line);) {
    const auto at = line.find("stated: tables=");
    if (at == std::string::npos || line.find("marked deleted") != std::string::npos) continue;
    int tables = 0, entries = 0;
    if (std::sscanf(line.c_str() + at, "stated: tables=%d entries=%d", &tables, &entries) == 2)
      result[line.substr(0, line.find('\t'))] = {tables, entries};
  }
  return result;
}

TEST_F(CorpusDatabases, OfTheForensicCorpusHaveTheirStatedEntries) {
  const auto stated = stated_counts();
  ASSERT_GT(stated.size(), 20U);
  for (const auto& [path, counts] : stated) {
    const Sources sources(corpus() / path);
    auto database = EvidenceDatabase::open({sources.main.get(), nullptr, nullptr}, DatabaseState::current);
    ASSERT_TRUE(database) << path << ": " << database.error().message;
    std::int64_t entries = 0;
    int tables = 0;
    for (const std::string& table : (*database)->facts().tables) {
      if (table.starts_with("sqlite_")) continue;
      ++tables;
      std::string quoted;
      for (const char c : table) quoted += c == '"' ? "\"\"" : std::string(1, c);
      entries += sources.count(DatabaseState::current, quoted);
    }
    EXPECT_EQ(tables, counts.first) << path;
    EXPECT_EQ(entries, counts.second) << path;
  }
}

/// "name=rows" for each ordinary table, by SQLite on a copy with its -wal; "name!" where it fails.
std::string counted_by_sqlite(const fs::path& path) {
  const test::Folder folder;
  const std::string copy = folder.path("copy.db");
  for (const char* suffix : {"", "-wal"}) {
    if (!fs::exists(path.string() + suffix)) continue;
    std::ofstream(copy + suffix, std::ios::binary) << read_text(path.string() + suffix);
  }
  sqlite3* db = nullptr;
  sqlite3_open(copy.c_str(), &db);
  std::ostringstream result;
  sqlite3_stmt* names = nullptr;
  if (sqlite3_prepare_v2(
          db,
          "SELECT name, format('SELECT count(*) FROM \"%w\"', name) FROM sqlite_schema WHERE type='table'"
          " AND sql LIKE 'CREATE TABLE%'",
          -1, &names, nullptr) == SQLITE_OK) {
    while (sqlite3_step(names) == SQLITE_ROW) {
      result << reinterpret_cast<const char*>(sqlite3_column_text(names, 0));
      sqlite3_stmt* count = nullptr;
      sqlite3_prepare_v2(db, reinterpret_cast<const char*>(sqlite3_column_text(names, 1)), -1, &count,
                         nullptr);
      if (count && sqlite3_step(count) == SQLITE_ROW) {
        result << '=' << sqlite3_column_int64(count, 0) << '\n';
      } else {
        result << "!\n";
      }
      sqlite3_finalize(count);
    }
  }
  sqlite3_finalize(names);
  sqlite3_close(db);
  return result.str();
}

std::string counted_by_us(const fs::path& path) {
  const Sources sources(path);
  auto database =
      EvidenceDatabase::open({sources.main.get(), sources.wal.get(), nullptr}, DatabaseState::current);
  if (!database) return "";
  std::ostringstream result;
  for (const std::string& table : (*database)->facts().tables) {
    std::string quoted;
    for (const char c : table) quoted += c == '"' ? "\"\"" : std::string(1, c);
    auto query = (*database)->query("SELECT count(*) FROM \"" + quoted + "\"", {});
    result << table;
    auto row = query ? (*query)->step() : Result<bool>(query.error());
    if (row && *row) {
      result << '=' << (*query)->integer(0) << '\n';
    } else {
      result << "!\n";
    }
  }
  return result.str();
}

/// Compares every database below a folder; how many there were, and how many of them have a WAL.
std::pair<int, int> compare_all(const fs::path& folder) {
  int compared = 0, with_wal = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.file_size() < 512) continue;
    char magic[16] = {};
    std::ifstream(entry.path(), std::ios::binary).read(magic, sizeof magic);
    if (std::string_view(magic, 15) != "SQLite format 3") continue;
    EXPECT_EQ(counted_by_us(entry.path()), counted_by_sqlite(entry.path())) << entry.path();
    ++compared;
    std::error_code none;
    with_wal += fs::file_size(entry.path().string() + "-wal", none) > 0 && !none ? 1 : 0;
  }
  return {compared, with_wal};
}

TEST_F(CorpusDatabases, AreReadAsSqliteReadsACopy) {
  EXPECT_GT(compare_all(corpus()).first, 100);
}

/// Databases and their -wal out of a zip, each folder of it as a folder of its own.
void unpack_databases(const fs::path& zip, const fs::path& to) {
  std::map<std::string, int> folders;
  each_file_of_zip(zip, [&](const fs::path& name, const std::string& bytes) {
    const int number =
        folders.emplace(name.parent_path().string(), static_cast<int>(folders.size())).first->second;
    const fs::path folder = to / (zip.stem().string() + "-" + std::to_string(number));
    fs::create_directories(folder);
    std::ofstream(folder / name.filename(), std::ios::binary) << bytes;
    return true;
  });
}

TEST_F(CorpusDatabases, OfRealPhonesAreReadWithTheirWalAsSqliteReadsACopy) {
  const test::Folder folder;
  for (const auto& entry : fs::recursive_directory_iterator(corpus() / "abrignoni+iLEAPP"))
    if (entry.path().extension() == ".zip") unpack_databases(entry.path(), folder.path(""));
  const auto [compared, with_wal] = compare_all(folder.path(""));
  EXPECT_GT(compared, 20);
  EXPECT_GT(with_wal, 5);
}

}  // namespace
}  // namespace touchstone

// Databases of messages in free space, with and without their first page, from the command line to the case.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

/// A table as Android's telephony provider has it, with what the definition asks for.
constexpr auto kSchema =
    "CREATE TABLE sms(_id INTEGER PRIMARY KEY, thread_id INTEGER, address TEXT, person INTEGER, date "
    "INTEGER, "
    "date_sent INTEGER DEFAULT 0, protocol INTEGER, read INTEGER DEFAULT 0, status INTEGER DEFAULT -1, type "
    "INTEGER, reply_path_present INTEGER, subject TEXT, body TEXT, service_center TEXT, locked INTEGER "
    "DEFAULT 0, error_code INTEGER DEFAULT 0, creator TEXT, seen INTEGER DEFAULT 0);"
    "CREATE TABLE threads(_id INTEGER PRIMARY KEY AUTOINCREMENT, date INTEGER DEFAULT 0, recipient_ids TEXT);"
    "CREATE TABLE canonical_addresses(_id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT);";

std::string text_of(const std::string& what, int id) {
  return what + " message " + std::to_string(id);
}

std::multiset<std::string> texts(const std::string& what, int first, int last) {
  std::multiset<std::string> result;
  for (int id = first; id <= last; ++id) result.insert(text_of(what, id));
  return result;
}

class CarvedPages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have("mke2fs")) GTEST_SKIP() << "mke2fs is not installed (e2fsprogs)";
    const std::string home = "phone/data/com.android.providers.telephony/databases";
    std::filesystem::create_directories(folder_.path(home));
    make_database(folder_.text(home + "/mmssms.db"), "old", 1, 100);
    make_ext4(folder_.path("phone"), folder_.path("part"), 8);
  }

  static void make_database(const std::string& path, const std::string& what, int first, int last) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    const std::string sql =
        "PRAGMA page_size=4096;" + std::string(kSchema) +
        "INSERT INTO canonical_addresses VALUES(1, '+447700900001'), (2, '+447700900002');"
        "INSERT INTO threads VALUES(1, 0, '1'), (2, 0, '2');"
        "WITH RECURSIVE n(i) AS (SELECT " +
        std::to_string(first) + " UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(last) +
        ") INSERT INTO sms(_id, thread_id, address, date, date_sent, read, type, body, creator, seen) "
        "SELECT i, 1 + i % 2, '+44770090000' || (1 + i % 2), 1714000000000 + i * 60000, 1714000000000 + i * "
        "60000 - 500, 1, 1 + i % 2, '" +
        what + " message ' || i, 'com.example.messages', 1 FROM n";
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  /// Bytes that are nothing, and the same each time.
  static std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint64_t state = 88172645463325252ULL;
    for (char& byte : bytes) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      byte = static_cast<char>(state >> 32U);
    }
    return bytes;
  }

  /// A disk with the phone's file system on its one partition and `behind` in the space after it.
  void make_disk(const std::string& behind) {
    const std::string part = read_file(folder_.path("part"));
    std::string disk(std::size_t{2048} * 512, '\0');
    const auto put32 = [&](std::size_t at, std::size_t value) {
      for (std::size_t i = 0; i < 4; ++i) disk[at + i] = static_cast<char>((value >> (8 * i)) & 0xFFU);
    };
    disk[450] = static_cast<char>(0x83);
    put32(454, 2048);
    put32(458, part.size() / 512);
    disk[510] = 0x55;
    disk[511] = static_cast<char>(0xAA);
    const std::string between = noise(std::size_t{256} * 1024);
    disk.append(part).append(between).append(behind).append(between);
    disk.resize((disk.size() + 1048575) / 1048576 * 1048576, '\0');
    write_file(folder_.path("disk.img"), disk);
  }

  /// The pages of the database but for the first.
  std::string pages_of(const std::string& name) const {
    return read_file(folder_.path(name)).replace(0, 4096, noise(4096));
  }

  void triage(const std::string& jobs = "2", const std::string& out = "case") {
    const RunResult result = run({program(), "triage", "--quiet", "--jobs", jobs, "--without", "explicit",
                                  "--out", folder_.text(out), folder_.text("disk.img")});
    EXPECT_LE(result.exit_code, 1) << result.error;
  }

  std::vector<std::string> ask(const std::string& sql) const { return query(folder_.path("case"), sql); }
  std::multiset<std::string> bodies(const std::string& where) const {
    const auto rows = ask("SELECT body FROM message WHERE " + where);
    return {rows.begin(), rows.end()};
  }

  FreshFolder folder_;
};

TEST_F(CarvedPages, GiveTheMessagesThatTheLiveDatabaseHasNoMore) {
  make_database(folder_.text("lost.db"), "old", 1, 300);
  make_disk(pages_of("lost.db"));
  triage();
  EXPECT_EQ(bodies("recovered IS NOT 1"), texts("old", 1, 100));
  EXPECT_EQ(bodies("recovered = 1"), texts("old", 101, 300)) << "what still stands is not said again";
  EXPECT_EQ(
      ask("SELECT DISTINCT app || '|' || source_table || '|' || (status LIKE '%recovered from carved "
          "pages, confidence ___ of 1000, not certain%') || '|' || (source_row GLOB 'carved page [0-9]* "
          "offset [0-9]*') || '|' || deleted FROM message WHERE recovered = 1"),
      std::vector<std::string>{"sms|sms|1|1|1"});
  // By the statements that made the 150th: its time, and an even number is one received.
  EXPECT_EQ(
      ask("SELECT received || ' ' || direction || ' ' || sender FROM message WHERE body = 'old message 150'"),
      std::vector<std::string>{"1714009000000000 in +447700900001"});
  EXPECT_EQ(ask("SELECT direction FROM message WHERE body = 'old message 151'"),
            std::vector<std::string>{"out"});
}

TEST_F(CarvedPages, SayTheSameWhateverTheNumberOfWorkers) {
  make_database(folder_.text("lost.db"), "old", 1, 150);
  make_disk(pages_of("lost.db"));
  triage("1", "one");
  triage("3", "three");
  EXPECT_EQ(exports(folder_.path("one")), exports(folder_.path("three")));
}

TEST_F(CarvedPages, OfAnotherFormAreNoMessages) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.text("other.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(db,
                   "CREATE TABLE log(_id INTEGER PRIMARY KEY, level INTEGER, tag TEXT, pid INTEGER, "
                   "note TEXT, x REAL, y REAL); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
                   "1 FROM n WHERE i < 400) "
                   "INSERT INTO log SELECT i, 3, 'tag', i, 'a note of the program', i / 7.0, 0.25 FROM n",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(db);
  make_disk(pages_of("other.db"));
  triage();
  EXPECT_EQ(ask("SELECT count(*) > 0 FROM item WHERE media_type = 'application/x-sqlite3-pages'"),
            std::vector<std::string>{"1"});
  EXPECT_EQ(bodies("1"), texts("old", 1, 100));
}

TEST_F(CarvedPages, WholeDatabasesAreReadByTheDefinitionThatFitsThem) {
  make_database(folder_.text("gone.db"), "gone", 1001, 1300);
  make_disk(read_file(folder_.path("gone.db")));
  triage();
  EXPECT_EQ(bodies("body LIKE 'gone%' AND app = 'sms'"), texts("gone", 1001, 1300));
  EXPECT_EQ(ask("SELECT DISTINCT i.kind || ' ' || i.allocated FROM message m JOIN item i ON i.id = m.item_id "
                "WHERE m.body LIKE 'gone%'"),
            std::vector<std::string>{"carved 0"});
}

TEST_F(CarvedPages, DatabasesThatAreCutGiveWhatIsLeftOfThem) {
  make_database(folder_.text("gone.db"), "gone", 1001, 1300);
  const std::string gone = read_file(folder_.path("gone.db"));
  const std::string left = gone.substr(0, gone.size() * 3 / 4 / 4096 * 4096);
  make_disk(left);
  triage();
  // Texts whose bytes are still there, as a search for them tells.
  std::multiset<std::string> expected;
  for (int id = 1001; id <= 1300; ++id)
    if (left.find(text_of("gone", id)) != std::string::npos) expected.insert(text_of("gone", id));
  ASSERT_GT(expected.size(), 50U);
  EXPECT_EQ(bodies("body LIKE 'gone%' AND app = 'sms'"), expected);
}

}  // namespace
}  // namespace touchstone::testing

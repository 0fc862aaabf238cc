// Deleted rows of the SQLite Forensic Corpus (Nemetz, Schmitt, Freiling; versions 1.0 and 2.0). What is true
// comes from the corpus's own SQL files, replayed without their deletions; what is live from SQLite. A row's
// bytes are whole where the record that SQLite writes for its values stands in the file in one piece. The
// table that this prints is in docs/validation-recovery.md.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "content/sqlite/recovery.hpp"
#include "support/file_contents.hpp"

namespace touchstone::sqlite {
namespace {

namespace fs = std::filesystem;
using Row = std::vector<SqlValue>;

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

std::string read_file(const fs::path& path) {
  return touchstone::test::contents_of(path);
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

/// The body of the record that SQLite stores for the values.
std::string body_of(const Row& row) {
  std::string body;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int i = bytes; i-- > 0;) body += static_cast<char>(value >> (8 * i));
  };
  const auto put_integer = [&](std::int64_t value) {
    if (value == 0 || value == 1) return;
    for (const int bytes : {1, 2, 3, 4, 6, 8}) {
      const int bits = 8 * bytes - 1;
      if (bytes < 8 && (value >= (std::int64_t{1} << bits) || value < -(std::int64_t{1} << bits))) continue;
      put(static_cast<std::uint64_t>(value), bytes);
      return;
    }
  };
  for (const SqlValue& value : row) {
    if (value.kind == SqlValue::Kind::integer) put_integer(value.integer);
    if (value.kind == SqlValue::Kind::real) {
      // A whole number is stored as one.
      const auto whole = static_cast<std::int64_t>(value.real);
      if (static_cast<double>(whole) == value.real && std::abs(whole) < (std::int64_t{1} << 47))
        put_integer(whole);
      else
        put(std::bit_cast<std::uint64_t>(value.real), 8);
    }
    body += value.bytes;
  }
  return body;
}

/// Rows of all tables, as far as SQLite reads them.
std::vector<Row> all_rows(sqlite3* db) {
  std::vector<Row> rows;
  std::vector<std::string> tables;
  const auto each = [&](const std::string& sql, const auto& take) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) return;
    const Statement statement(raw);
    while (sqlite3_step(raw) == SQLITE_ROW) take(raw);
  };
  each("SELECT name FROM sqlite_schema WHERE type = 'table'", [&](sqlite3_stmt* s) {
    tables.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(s, 0)));
  });
  for (const std::string& table : tables) {
    char* quoted = sqlite3_mprintf("SELECT * FROM \"%w\"", table.c_str());
    each(quoted, [&](sqlite3_stmt* s) {
      Row row;
      for (int i = 0; i < sqlite3_column_count(s); ++i) {
        SqlValue value;
        const int type = sqlite3_column_type(s, i);
        if (type == SQLITE_INTEGER) value = {SqlValue::Kind::integer, sqlite3_column_int64(s, i), 0, {}};
        if (type == SQLITE_FLOAT) value = {SqlValue::Kind::real, 0, sqlite3_column_double(s, i), {}};
        if (type == SQLITE_TEXT)
          value = {SqlValue::Kind::text, 0, 0, reinterpret_cast<const char*>(sqlite3_column_text(s, i))};
        row.push_back(value);
      }
      rows.push_back(std::move(row));
    });
    sqlite3_free(quoted);
  }
  return rows;
}

/// The rows that were put in at any time.
std::vector<Row> inserted_rows(const fs::path& sql) {
  sqlite3* raw = nullptr;
  sqlite3_open(":memory:", &raw);
  const Connection db(raw);
  const std::string text = read_file(sql);
  const char* at = text.c_str();
  while (*at) {
    sqlite3_stmt* statement_raw = nullptr;
    const char* tail = nullptr;
    // What was dropped is kept here, so that what follows still finds its table.
    if (sqlite3_prepare_v2(raw, at, -1, &statement_raw, &tail) != SQLITE_OK || tail == at) break;
    const Statement statement(statement_raw);
    const std::string kind = upper(std::string(at, tail));
    at = tail;
    const std::size_t word = kind.find_first_not_of(" \t\r\n");
    if (word == std::string::npos || !statement_raw || kind.compare(word, 6, "DELETE") == 0 ||
        kind.compare(word, 4, "DROP") == 0)
      continue;
    while (sqlite3_step(statement_raw) == SQLITE_ROW) {
    }
  }
  return all_rows(raw);
}

std::vector<Row> live_rows(const fs::path& database) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(database.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
  const Connection db(raw);
  return all_rows(raw);
}

struct Count {
  std::size_t deleted = 0, whole = 0, recovered = 0, missed = 0, partial = 0, false_certain = 0,
              false_uncertain = 0, duplicates = 0;
};

Count examine(const fs::path& sql, const fs::path& database) {
  const std::string bytes = read_file(database);
  std::set<std::string> live, deleted;
  for (const Row& row : live_rows(database)) live.insert(body_of(row));
  for (const Row& row : inserted_rows(sql))
    if (const std::string body = body_of(row); !live.contains(body)) deleted.insert(body);
  Count count;
  count.deleted = deleted.size();
  auto source = open_file_source(database);
  if (!source) return count;
  const auto recovery = recover_rows({source->get(), nullptr, nullptr});
  if (!recovery) return count;
  std::set<std::string> found;
  for (const RecoveredRow& row : recovery->rows) {
    if (row.partial) {
      ++count.partial;
      if (row.certain) ++count.false_certain;
      continue;
    }
    const std::string body = body_of(row.values);
    if (live.contains(body) || !found.insert(body).second) ++count.duplicates;
    if (deleted.contains(body)) continue;
    (row.certain ? count.false_certain : count.false_uncertain) += 1;
  }
  for (const std::string& body : deleted) {
    const bool recovered = found.contains(body), whole = bytes.find(body) != std::string::npos;
    if (recovered) ++count.recovered;
    if (whole) ++count.whole;
    if (whole && !recovered) ++count.missed;
  }
  return count;
}

TEST(SqliteForensicCorpus, EveryWholeRowComesBackAndNoFalseOneIsCertain) {
  const fs::path root = fs::path(TOUCHSTONE_CORPUS_DIR) / "compositionsystems+sqlite-forensic-corpus";
  if (!fs::exists(root)) GTEST_SKIP() << "no corpus at " << root;
  std::vector<std::pair<fs::path, fs::path>> cases;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".sql") continue;
    fs::path database = entry.path();
    database.replace_extension(".db");
    if (!fs::exists(database))
      database = entry.path().parent_path() / (entry.path().stem().string() + "_antifor.db");
    if (fs::exists(database)) cases.emplace_back(entry.path(), database);
  }
  std::sort(cases.begin(), cases.end());
  ASSERT_GE(cases.size(), 60U);
  std::cout << "| database | deleted or hidden | of them whole | recovered | whole but missed | partial | "
               "false, certain | "
               "false, uncertain |\n|---|---|---|---|---|---|---|---|\n";
  Count sum;
  for (const auto& [sql, database] : cases) {
    const Count c = examine(sql, database);
    std::cout << fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", database.filename().string(),
                             c.deleted, c.whole, c.recovered, c.missed, c.partial, c.false_certain,
                             c.false_uncertain);
    EXPECT_EQ(c.missed, 0U) << database;
    EXPECT_EQ(c.false_certain, 0U) << database;
    EXPECT_EQ(c.duplicates, 0U) << database;
    for (auto member : {&Count::deleted, &Count::whole, &Count::recovered, &Count::missed, &Count::partial,
                        &Count::false_certain, &Count::false_uncertain})
      sum.*member += c.*member;
  }
  std::cout << fmt::format("| **all** | {} | {} | {} | {} | {} | {} | {} |\n", sum.deleted, sum.whole,
                           sum.recovered, sum.missed, sum.partial, sum.false_certain, sum.false_uncertain);
  // Tables that were dropped, with and without deleting their rows first: 20 rows each.
  EXPECT_GE(sum.recovered, 100U);
  EXPECT_LE(sum.false_uncertain, 10U);
}

}  // namespace
}  // namespace touchstone::sqlite

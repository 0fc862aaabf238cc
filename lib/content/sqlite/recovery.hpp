// Rows that are no longer in a database's tables: from frames of the write-ahead log (those that were written
// over by later ones, and those of earlier generations behind its end), from the rollback journal, from pages
// of the main file beneath the log, from the freelist, from unallocated space within pages, from pages that
// no table reaches and from dropped tables. Never a row that stands in a live table, never one twice; an
// older version of a live row is kept and marked.
//
// Confidence, 0-1000, says how much of a row's form is confirmed by the bytes, docs/formats.md has the table:
//   1000 listed by the cell pointers of a page whose checksum holds    950 the same, of a page without
//   checksum
//    900 whole cell in free space    850 at most, where it continues on freed pages
//    700 first four bytes rebuilt, end confirmed    450 rebuilt, end not confirmed    300 partly overwritten
// less up to 200 where values and column types disagree. `certain`: whole, of a known table, nothing rebuilt,
// nothing overlapping.
//
// Three passes: over what was deleted (only hashes are kept), over the live rows (one at a time), and again
// over what was deleted, keeping rows that were not met alive. Memory: RecoverySettings and 3 bytes a page; a
// database is never copied. One thread; sources are borrowed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "content/database.hpp"
#include "content/sqlite/page_store.hpp"
#include "content/sqlite/table_shape.hpp"

namespace touchstone::sqlite {

enum class RowSource : std::uint8_t {
  wal_frame,     ///< of the write-ahead log
  journal,       ///< of the rollback journal
  main_file,     ///< in the main file, replaced by the log or the journal
  freelist,      ///< a page of the freelist
  unallocated,   ///< free space within a page in use
  unreachable,   ///< a page that no table leads to
  carved_pages,  ///< pages without a database
  live_row       ///< no recovered one: stands in the table under the number of one, see add_live_rows()
};
std::string_view name_of(RowSource source);

struct RecoveredRow {
  std::size_t shape = 0;  ///< in Recovery::shapes
  bool mapped = true;     ///< false: several tables fit, `shape` is one of them
  std::optional<std::int64_t> row_id;
  std::vector<SqlValue> values;
  std::vector<bool> known;  ///< per column: its value stands as a whole
  RowSource source = RowSource::unallocated;
  PageFile file = PageFile::main;
  std::uint32_t page = 0;    ///< number in the database; of carved pages, which of them; 0 if unknown
  std::uint32_t offset = 0;  ///< of the cell in its page
  std::uint64_t file_offset = 0;
  int confidence = 0;
  bool certain = false;
  bool partial = false;        ///< some column is unknown or cut
  bool older_version = false;  ///< a live row has this row id and other values
};

struct RecoverySettings {
  std::size_t memory_bytes = 128U << 20;  ///< of the rows kept
  std::size_t candidates = 4'000'000;     ///< hashes kept, 16 to 40 bytes each
  std::function<bool()> cancelled;        ///< may be empty
};

struct Recovery {
  std::vector<TableShape> shapes;  ///< live tables first, then dropped ones
  std::vector<RecoveredRow> rows;  ///< by table, then file, then offset
  std::vector<Error> problems;     ///< damage met and limits reached
};

/// Error corrupt where there is no database to begin with.
Result<Recovery> recover_rows(const DatabaseFiles& files, const RecoverySettings& settings = {});

/// Rows of leaf pages found without their database: a run of pages of one size (guessed where 0), tables by
/// `shapes` and by what the pages hold of a schema. Only the form of a row says which table it is of: so none
/// is certain, confidence is at most kMostOfLoosePages, and what agrees with a table by halves is left out.
/// The encoding of text is told by where its zeros stand. Error unsupported where the bytes are no such
/// pages.
Result<Recovery> recover_pages(ByteSource& pages, std::uint32_t page_size, std::vector<TableShape> shapes,
                               const RecoverySettings& settings = {});
constexpr int kMostOfLoosePages = 800;
/// The page size at which most blocks begin like a b-tree page; 0 if none does.
std::uint32_t guess_page_size(ByteSource& pages);

/// Rows missing between two that are there.
struct RowGap {
  std::int64_t after = 0, before = 0;  ///< `before` is 0 with `at_end`
  std::uint64_t missing = 0;
  bool at_end = false;  ///< by the counter of an AUTOINCREMENT table
};
struct RowGaps {
  std::vector<RowGap> largest;  ///< at most `limit`, in the order of the rows
  std::uint64_t gaps = 0, missing = 0;
};
/// Of a table whose INTEGER PRIMARY KEY numbers its rows. Error invalid where it has none.
Result<RowGaps> find_row_gaps(EvidenceDatabase& database, std::string_view table, std::size_t limit = 1000);
/// The gaps as rows of (after, before, missing, at_end), then one of (NULL, NULL, all missing, count of
/// gaps).
std::unique_ptr<EvidenceQuery> make_gap_query(RowGaps gaps);

}  // namespace touchstone::sqlite

// The database facet: an SQLite database on the exhibit, read in place through a VFS over ByteSource together
// with its -wal and -journal. The WAL index lives in heap (locking_mode=EXCLUSIVE); what a hot journal's
// roll-back writes goes to a bounded overlay in memory. Nothing of the schema runs: trusted_schema off,
// defensive, and an authorizer that lets through only SELECT on ordinary tables (no views, triggers, virtual
// tables, attach, pragma, extension); columns that the schema computes as they are read are NULL. Definition
// SQL may also use json_each and json_tree; FTS shadow tables are plain tables here and may be read. The
// clock stands at 1970 and nothing is random, so that results depend on the evidence alone. A journal that
// names a super-journal (a transaction over several databases) is not rolled back: SQLite takes the
// transaction as committed where the super-journal is gone, and that file is never looked for. One thread.
// Sources are borrowed and must outlive the object, and a database must outlive its queries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "content/sqlite/table_shape.hpp"
#include "evidence/byte_source.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace touchstone {

/// Which state of the database a query sees.
enum class DatabaseState {
  current,          ///< as the app would open it: WAL applied, hot journal rolled back
  without_wal,      ///< the main file alone, with a hot journal rolled back
  before_rollback,  ///< the main file and WAL as they stand, a hot journal ignored
};

struct DatabaseFiles {
  ByteSource* main = nullptr;
  ByteSource* wal = nullptr;  ///< null if there is none
  ByteSource* journal = nullptr;
};

struct DatabaseLimits {
  std::uint64_t overlay_bytes = 256ULL << 20;  ///< pages rewritten by roll-back
  std::uint64_t rows = 50'000'000;             ///< a query yields at most
  std::uint64_t steps = 20'000'000'000;        ///< virtual-machine steps of a query
  std::uint64_t value_bytes = 64ULL << 20;     ///< of one cell or row
  std::string country = "GB";                  ///< of national telephone numbers, for the function phone()
};

/// What opening came to, for the record.
struct DatabaseFacts {
  bool wal_read = false;     ///< a write-ahead log was given and applies to this state
  bool rolled_back = false;  ///< a hot journal was rolled back in memory
  std::string schema_error;  ///< why part of the schema could not be read; what could be is still served
  std::vector<std::string> tables;  ///< ordinary tables, in the order of the schema, at most kMaxTables
  static constexpr std::size_t kMaxTables = 100'000;
};

class EvidenceQuery;

/// Rows from elsewhere that are to stand under a table's name, see EvidenceDatabase::hide_table().
struct StandInRows {
  /// A column more under hide_table(), with the row's number: by it a result leads back to its row.
  static constexpr const char* kNumberColumn = "touchstone_row";
  std::vector<sqlite::Column> columns;
  struct Row {
    std::int64_t row_id = 0;                                ///< unique among them
    const std::vector<sqlite::SqlValue>* values = nullptr;  ///< by column; unknown ones become NULL
  };
  std::vector<Row> rows;
};

class EvidenceDatabase {
 public:
  virtual ~EvidenceDatabase() = default;
  /// Error corrupt, unsupported or encrypted (no SQLite header: says so).
  static Result<std::unique_ptr<EvidenceDatabase>> open(const DatabaseFiles& files, DatabaseState state,
                                                        const DatabaseLimits& limits = {});
  virtual const DatabaseFacts& facts() const = 0;
  /// One SELECT (or WITH … SELECT). Tables of the schema may be read; helper functions of docs/apps.md may
  /// be called. Error invalid where the SQL is wrong or not allowed: another query may still work.
  virtual Result<std::unique_ptr<EvidenceQuery>> query(std::string_view sql,
                                                       const std::vector<Value>& parameters) = 0;

  // For queries over recovered rows (sqlite/recovered_database.hpp). Temporary tables, under the budget of
  // the overlay, take the names of tables; so the same SQL runs over other rows. No query may be open.
  /// From now on the table's name means these rows alone.
  virtual Status hide_table(std::string_view table, const StandInRows& rows) = 0;
  /// From now on the table's name means its own rows and these.
  virtual Status extend_table(std::string_view table, const StandInRows& rows) = 0;
  /// The table itself again.
  virtual Status show_table(std::string_view table) = 0;
};

class EvidenceQuery {
 public:
  virtual ~EvidenceQuery() = default;
  /// True: a row. Error: corrupt page, limit; the rows before it stand.
  virtual Result<bool> step() = 0;
  virtual std::size_t columns() const = 0;
  virtual std::string column_name(std::size_t column) const = 0;
  /// Text and blobs live until the next step(). Invalid UTF-8 in text is kept as it is.
  virtual std::int64_t integer(std::size_t column) const = 0;
  virtual double real(std::size_t column) const = 0;
  virtual std::string_view bytes(std::size_t column) const = 0;
  /// Once, after the first row: what of it is empty because nothing of the schema runs. Else empty.
  virtual std::string take_note() { return {}; }
  enum class Type { null, integer, real, text, blob };
  virtual Type type(std::size_t column) const = 0;
};

}  // namespace touchstone

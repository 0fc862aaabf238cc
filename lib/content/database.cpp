#include "content/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <new>
#include <set>
#include <utility>

#include "content/database_policy.hpp"
#include "content/database_stand_in.hpp"
#include "content/database_vfs.hpp"
#include "content/functions/sql_functions.hpp"

namespace touchstone {
namespace {

/// How many virtual-machine steps pass between two looks at the limit.
constexpr int kStepsPerCheck = 1000;
/// Bytes of names in one note.
constexpr std::size_t kMaxNote = 300;

struct CloseConnection {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;

class Database final : public EvidenceDatabase {
 public:
  Database(ByteSource& main, ByteSource* wal, ByteSource* journal, const DatabaseLimits& limits)
      : limits_(limits), vfs_(main, wal, journal, limits.overlay_bytes) {}

  Status connect();
  DatabaseFacts facts_;
  const DatabaseFacts& facts() const override { return facts_; }
  Result<std::unique_ptr<EvidenceQuery>> query(std::string_view sql,
                                               const std::vector<Value>& parameters) override;
  Status hide_table(std::string_view table, const StandInRows& rows) override {
    return stand_in([&] { return detail::hide_table(db_.get(), policy_, table, rows); });
  }
  Status extend_table(std::string_view table, const StandInRows& rows) override {
    return stand_in([&] { return detail::extend_table(db_.get(), policy_, table, rows); });
  }
  Status show_table(std::string_view table) override {
    return stand_in([&] { return detail::show_table(db_.get(), table); });
  }

  /// Those of these computed columns that were not told yet, in words.
  std::string note_of(const std::set<std::string>& columns);
  /// What SQLite's result code means here.
  Error error(int rc);
  void start_counting() { steps_ = 0; }
  sqlite3* handle() const { return db_.get(); }
  const DatabaseLimits& limits() const { return limits_; }

 private:
  Status read_schema();
  void find_computed_columns();
  static int count_steps(void* self);
  template <typename Make>
  Status stand_in(const Make& make) {
    start_counting();
    policy_.set_paused(true);
    const int rc = make();
    policy_.set_paused(false);
    return rc == SQLITE_OK ? Status() : Status(error(rc));
  }

  DatabaseLimits limits_;
  detail::EvidenceVfs vfs_;
  detail::DatabasePolicy policy_;
  Connection db_;  // closed before the policy and the VFS go
  std::uint64_t steps_ = 0;
  std::set<std::string> told_;
};

class Query final : public EvidenceQuery {
 public:
  Query(Database& database, Statement statement, std::set<std::string> emptied)
      : database_(&database), statement_(std::move(statement)), emptied_(std::move(emptied)) {}

  Result<bool> step() override;
  std::size_t columns() const override {
    return static_cast<std::size_t>(sqlite3_column_count(statement_.get()));
  }
  std::string column_name(std::size_t column) const override {
    const char* name = sqlite3_column_name(statement_.get(), static_cast<int>(column));
    return name ? name : "";
  }
  std::int64_t integer(std::size_t column) const override {
    return sqlite3_column_int64(statement_.get(), static_cast<int>(column));
  }
  double real(std::size_t column) const override {
    return sqlite3_column_double(statement_.get(), static_cast<int>(column));
  }
  std::string_view bytes(std::size_t column) const override;
  std::string take_note() override {
    if (rows_ == 0 || emptied_.empty()) return {};
    return database_->note_of(std::exchange(emptied_, {}));
  }
  /// As stored: types are noted at each step, since asking for a number as text would change what SQLite
  /// says.
  Type type(std::size_t column) const override {
    return column < types_.size() ? types_[column] : Type::null;
  }

 private:
  Database* database_;
  Statement statement_;
  std::set<std::string> emptied_;
  std::vector<Type> types_;
  std::uint64_t rows_ = 0;
  bool ended_ = false;
};

Error not_a_database(bool looks_encrypted) {
  return {looks_encrypted ? ErrorCode::encrypted : ErrorCode::corrupt,
          "not an SQLite database (encrypted or damaged)"};
}

/// Nearly every byte value within 4 KiB: ciphertext. Tables, text and zeroed pages have far fewer.
bool looks_random(std::span<const std::byte> start) {
  std::bitset<256> seen;
  for (const std::byte b : start) seen.set(std::to_integer<std::size_t>(b));
  return start.size() >= 4096 && seen.count() >= 250;
}

/// Looks at the first 16 bytes, https://www.sqlite.org/fileformat2.html#the_database_header. Where a journal
/// may bring page 1 back, SQLite decides.
Status check_header(const DatabaseFiles& files, bool decided_here) {
  if (files.main->size() == 0) return Error{ErrorCode::corrupt, "an empty file, no SQLite database"};
  std::vector<std::byte> start(static_cast<std::size_t>(std::min<std::uint64_t>(files.main->size(), 4096)));
  auto got = files.main->read_at(0, start);
  if (!got) return got.error();
  start.resize(*got);
  static constexpr std::string_view kMagic{"SQLite format 3\0", 16};
  if (!decided_here || (start.size() >= 16 && std::memcmp(start.data(), kMagic.data(), 16) == 0)) return {};
  return not_a_database(looks_random(start));
}

Status Database::connect() {
  sqlite3* raw = nullptr;
  const int rc =
      sqlite3_open_v2(detail::EvidenceVfs::kDatabaseName, &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, vfs_.name());
  db_.reset(raw);
  if (rc != SQLITE_OK) return error(rc);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_progress_handler(raw, kStepsPerCheck, count_steps, this);
  if (auto done = detail::DatabasePolicy::prepare_connection(raw, limits_.value_bytes); !done) return done;
  if (auto done = register_sql_functions(raw, limits_.country); !done) return done;
  if (auto done = read_schema(); !done) return done;
  find_computed_columns();
  policy_.enforce(raw);
  facts_.rolled_back = vfs_.main_written();
  return {};
}

/// Notes the ordinary tables.
Status Database::read_schema() {
  sqlite3_stmt* raw = nullptr;
  int rc = SQLITE_OK;
  for (int attempt = 0; attempt < 2; ++attempt) {
    start_counting();
    rc = sqlite3_prepare_v2(db_.get(), "SELECT name, sql FROM sqlite_schema", -1, &raw, nullptr);
    if (rc == SQLITE_OK) break;
    Error failed = error(rc);
    if (failed.code != ErrorCode::corrupt || rc == SQLITE_NOTADB || attempt == 1) return failed;
    facts_.schema_error = std::move(failed.message);
    if (auto tolerant = detail::DatabasePolicy::tolerate_damaged_schema(db_.get()); !tolerant)
      return tolerant.error();
  }
  const Statement statement(raw);
  while ((rc = sqlite3_step(raw)) == SQLITE_ROW) {
    const auto text = [&](int column) {
      const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(raw, column));
      return data ? std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(raw, column)))
                  : std::string_view();
    };
    const std::string name(text(0));
    if (!detail::is_ordinary_table(text(1))) continue;
    if (facts_.tables.size() >= DatabaseFacts::kMaxTables) {
      facts_.schema_error =
          fmt::format("more than {} tables; the rest is left out", DatabaseFacts::kMaxTables);
      break;
    }
    policy_.allow_table(name);
    facts_.tables.push_back(name);
  }
  if (rc == SQLITE_DONE || rc == SQLITE_ROW) return {};
  // A schema that breaks off in the middle: its first tables may well be whole.
  Error failed = error(rc);
  if (facts_.tables.empty() || failed.code != ErrorCode::corrupt) return failed;
  facts_.schema_error = std::move(failed.message);
  return {};
}

/// Columns GENERATED ALWAYS AS, unless STORED: https://www.sqlite.org/gencol.html
void Database::find_computed_columns() {
  for (const std::string& table : facts_.tables) {
    start_counting();
    sqlite3_stmt* raw = nullptr;
    std::string sql = "PRAGMA main.table_xinfo(\"";
    for (const char c : table) sql.append(c == '"' ? 2 : 1, c);
    sql += "\")";
    const int rc = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    const Statement statement(raw);
    if (rc != SQLITE_OK) continue;
    constexpr int kNameColumn = 1, kHiddenColumn = 6, kVirtual = 2;
    while (sqlite3_step(raw) == SQLITE_ROW) {
      const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(raw, kNameColumn));
      if (name && sqlite3_column_int(raw, kHiddenColumn) == kVirtual) policy_.empty_column(table, name);
    }
  }
}

std::string Database::note_of(const std::set<std::string>& columns) {
  std::string names;
  for (const std::string& column : columns) {
    if (!told_.insert(column).second || names.size() > kMaxNote) continue;
    names += (names.empty() ? "" : ", ") + column.substr(0, kMaxNote);
  }
  return names.empty() ? names : "columns that the database's own schema computes were not read: " + names;
}

int Database::count_steps(void* self) {
  auto& database = *static_cast<Database*>(self);
  database.steps_ += kStepsPerCheck;
  return database.steps_ > database.limits_.steps ? 1 : 0;
}

Error Database::error(int rc) {
  const char* said = db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(rc);
  if (std::string refusal = policy_.take_refusal(); !refusal.empty())
    return {ErrorCode::invalid, fmt::format("{} ({})", refusal, said)};
  switch (rc & 0xff) {
    case SQLITE_NOTADB:
      return not_a_database(false);
    case SQLITE_CORRUPT:
      return {ErrorCode::corrupt, fmt::format("damaged SQLite database: {}", said)};
    case SQLITE_INTERRUPT:
      return {ErrorCode::limit, fmt::format("the query was stopped after {} steps", limits_.steps)};
    case SQLITE_FULL:
      return {ErrorCode::limit, fmt::format("rolling back or sorting takes more than {} bytes of memory",
                                            limits_.overlay_bytes)};
    case SQLITE_TOOBIG:
      return {ErrorCode::limit, fmt::format("a cell or row is larger than {} bytes", limits_.value_bytes)};
    case SQLITE_NOMEM:
      return {ErrorCode::limit, "SQLite ran out of memory"};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
      if (auto source = vfs_.source_error()) return *source;
      if (vfs_.overlay_full()) return error(SQLITE_FULL);
      return {ErrorCode::corrupt, fmt::format("damaged SQLite database: {}", said)};
    }
    default:
      return {ErrorCode::invalid, said};
  }
}

/// Error invalid unless `sql` is one statement that only reads.
Result<Statement> prepare(Database& database, std::string_view sql) {
  if (sql.size() > (1U << 20)) return Error{ErrorCode::invalid, "a query of more than 1 MiB"};
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int rc = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &raw, &tail);
  Statement statement(raw);
  if (rc != SQLITE_OK) return database.error(rc);
  const std::string_view rest = sql.substr(static_cast<std::size_t>(tail - sql.data()));
  if (!raw || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos || !sqlite3_stmt_readonly(raw) ||
      sqlite3_stmt_isexplain(raw) || sqlite3_column_count(raw) == 0)
    return Error{ErrorCode::invalid, "not one SELECT statement"};
  return statement;
}

Status bind(sqlite3_stmt* statement, const std::vector<Value>& parameters) {
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) > parameters.size())
    return Error{ErrorCode::invalid, fmt::format("the query has {} parameters, {} are given",
                                                 sqlite3_bind_parameter_count(statement), parameters.size())};
  const auto count = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  for (std::size_t i = 0; i < count; ++i) {
    const int at = static_cast<int>(i) + 1;
    int rc = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&parameters[i])) {
      rc = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&parameters[i])) {
      rc = sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&parameters[i])) {
      rc = sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    if (rc != SQLITE_OK)
      return Error{ErrorCode::limit, fmt::format("parameter {}: {}", at, sqlite3_errstr(rc))};
  }
  return {};
}

Result<std::unique_ptr<EvidenceQuery>> Database::query(std::string_view sql,
                                                       const std::vector<Value>& parameters) {
  start_counting();
  auto statement = prepare(*this, sql);
  if (!statement) return statement.error();
  if (auto bound = bind(statement->get(), parameters); !bound) return bound.error();
  return std::unique_ptr<EvidenceQuery>(
      std::make_unique<Query>(*this, statement.take(), policy_.take_emptied()));
}

Result<bool> Query::step() {
  if (ended_) return false;
  types_.clear();
  const int rc = sqlite3_step(statement_.get());
  if (rc != SQLITE_ROW) {
    ended_ = true;
    if (rc == SQLITE_DONE) return false;
    return database_->error(rc);
  }
  if (++rows_ > database_->limits().rows) {
    ended_ = true;
    return Error{ErrorCode::limit,
                 fmt::format("the query yields more than {} rows", database_->limits().rows)};
  }
  const int count = sqlite3_column_count(statement_.get());
  for (int column = 0; column < count; ++column) {
    switch (sqlite3_column_type(statement_.get(), column)) {
      case SQLITE_INTEGER:
        types_.push_back(Type::integer);
        break;
      case SQLITE_FLOAT:
        types_.push_back(Type::real);
        break;
      case SQLITE_TEXT:
        types_.push_back(Type::text);
        break;
      case SQLITE_BLOB:
        types_.push_back(Type::blob);
        break;
      default:
        types_.push_back(Type::null);
    }
  }
  return true;
}

std::string_view Query::bytes(std::size_t column) const {
  const int at = static_cast<int>(column);
  const void* data = type(column) == Type::blob ? sqlite3_column_blob(statement_.get(), at)
                                                : sqlite3_column_text(statement_.get(), at);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), at));
  return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view();
}

}  // namespace

Result<std::unique_ptr<EvidenceDatabase>> EvidenceDatabase::open(const DatabaseFiles& files,
                                                                 DatabaseState state,
                                                                 const DatabaseLimits& limits) {
  if (!files.main) return Error{ErrorCode::not_found, "no database file"};
  ByteSource* wal = state == DatabaseState::without_wal ? nullptr : files.wal;
  ByteSource* journal = state == DatabaseState::before_rollback ? nullptr : files.journal;
  // An empty -wal or -journal is what a clean close leaves behind: as if it were not there.
  if (wal && wal->size() == 0) wal = nullptr;
  if (journal && journal->size() == 0) journal = nullptr;
  if (auto header = check_header(files, !wal && !journal); !header) return header.error();
  auto database = std::make_unique<Database>(*files.main, wal, journal, limits);
  database->facts_.wal_read = wal != nullptr;
  if (auto connected = database->connect(); !connected) return connected.error();
  return std::unique_ptr<EvidenceDatabase>(std::move(database));
}

}  // namespace touchstone

// Manifest.db by SQLite, from a copy in memory that is never written to. Nothing of its schema runs: only the
// one ordinary table is read, by an authorizer that refuses all else.
#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <span>

#include "filesystem/trees/itunes_manifest.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};
/// One cell; an MBFile list has about 500 bytes.
constexpr int kMaxCell = 1 << 20;
/// Calls of the progress handler, each after a thousand steps: far more than a table of eight million rows
/// needs, and an end for one that leads in circles.
constexpr int kStepsACall = 1000;
constexpr std::uint64_t kMaxCalls = 1'000'000;

struct ConnectionCloser {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, ConnectionCloser>;
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

bool is_files_table(const char* name) {
  return name && (sqlite3_stricmp(name, "Files") == 0 || sqlite3_stricmp(name, "sqlite_master") == 0 ||
                  sqlite3_stricmp(name, "sqlite_schema") == 0);
}

int authorize(void*, int action, const char* first, const char*, const char*, const char* inner) {
  if (inner) return SQLITE_DENY;  // a view or trigger of the evidence
  if (action == SQLITE_SELECT) return SQLITE_OK;
  return action == SQLITE_READ && is_files_table(first) ? SQLITE_OK : SQLITE_DENY;
}

std::string_view text(sqlite3_stmt* row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  const int size = sqlite3_column_bytes(row, column);
  return bytes ? std::string_view(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

BackupKind kind_of(sqlite3_int64 flags) {
  switch (flags) {
    case 1:
      return BackupKind::file;
    case 2:
      return BackupKind::directory;
    case 4:
      return BackupKind::link;
    default:
      return BackupKind::unknown;
  }
}

class ManifestDb final : public BackupManifest {
 public:
  explicit ManifestDb(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  Status open() {
    // A copy of a database in WAL mode without its log is whole but for the mark of that mode, with which a
    // database in memory is not opened.
    if (bytes_.size() > 20) {
      for (const std::size_t at : {std::size_t{18}, std::size_t{19}})
        if (bytes_[at] == std::byte{2}) bytes_[at] = std::byte{1};
    }
    sqlite3* db = nullptr;
    const int opened = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    if (opened != SQLITE_OK) return failure("no database can be opened");
    const auto size = static_cast<sqlite3_int64>(bytes_.size());
    if (sqlite3_deserialize(db, "main", reinterpret_cast<unsigned char*>(bytes_.data()), size, size,
                            SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
      return failure("it cannot be opened");
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kMaxCell);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_progress_handler(db, kStepsACall, count_steps, this);
    const bool computed = has_computed_columns();  // a pragma, which the authorizer would refuse
    sqlite3_set_authorizer(db, authorize, nullptr);
    if (computed) return failure("its Files has computed columns, as none of Apple's has");
    return require_table();
  }

  Status for_each(const std::function<bool(const Row&)>& sink, std::vector<Problem>& problems) override {
    calls_ = 0;
    rows_.clear();
    const Statement rows =
        prepare("SELECT rowid, fileID, domain, relativePath, flags FROM Files ORDER BY rowid");
    if (!rows) return failure("its table cannot be read");
    int rc = SQLITE_ROW;
    std::uint64_t count = 0;
    while ((rc = sqlite3_step(rows.get())) == SQLITE_ROW) {
      Row row;
      row.place = rows_.size();
      rows_.push_back(sqlite3_column_int64(rows.get(), 0));
      row.id = text(rows.get(), 1);
      row.domain = text(rows.get(), 2);
      row.path = text(rows.get(), 3);
      row.kind = kind_of(sqlite3_column_int64(rows.get(), 4));
      ++count;
      if (!sink(row)) return {};
    }
    if (rc != SQLITE_DONE) {
      Problem problem;
      problem.plugin = "filesystem";
      problem.kind = calls_ >= kMaxCalls ? ProblemKind::limit : ProblemKind::corrupt;
      problem.message = fmt::format(
          "Manifest.db: reading it broke off after {} rows ({}); files that are named "
          "behind them are listed without their names",
          count, sqlite3_errmsg(db_.get()));
      problems.push_back(std::move(problem));
    }
    return {};
  }

  Result<BackupFile> read(std::uint64_t place) override {
    if (place >= rows_.size()) return Error{ErrorCode::not_found, "the manifest has no such row"};
    if (!one_) one_ = prepare("SELECT fileID, domain, relativePath, flags, file FROM Files WHERE rowid = ?1");
    if (!one_) return failure("its table cannot be read").error();
    calls_ = 0;
    sqlite3_reset(one_.get());
    sqlite3_bind_int64(one_.get(), 1, rows_[static_cast<std::size_t>(place)]);
    if (sqlite3_step(one_.get()) != SQLITE_ROW) return failure("a row cannot be read").error();
    BackupFile file;
    file.id = text(one_.get(), 0);
    file.domain = text(one_.get(), 1);
    file.path = text(one_.get(), 2);
    file.kind = kind_of(sqlite3_column_int64(one_.get(), 3));
    const auto blob = std::as_bytes(std::span(text(one_.get(), 4)));
    file.damaged = !read_mbfile({blob.begin(), blob.end()}, file);
    sqlite3_reset(one_.get());
    return file;
  }

 private:
  static int count_steps(void* self) { return ++static_cast<ManifestDb*>(self)->calls_ >= kMaxCalls ? 1 : 0; }

  Statement prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_.get(), sql, -1, &statement, nullptr);
    return Statement(statement);
  }

  bool has_computed_columns() {
    constexpr int kHidden = 6;
    const Statement columns = prepare("PRAGMA table_xinfo(Files)");
    while (columns && sqlite3_step(columns.get()) == SQLITE_ROW)
      if (sqlite3_column_int(columns.get(), kHidden) != 0) return true;
    return false;
  }

  Status require_table() {
    const Statement schema = prepare("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'Files'");
    if (!schema || sqlite3_step(schema.get()) != SQLITE_ROW) return failure("it has no table Files");
    const std::string_view sql = text(schema.get(), 0);
    if (sql.size() < 12 || sqlite3_strnicmp(sql.data(), "CREATE TABLE", 12) != 0)
      return failure("its Files is no ordinary table");
    return {};
  }

  Status failure(const char* what) const {
    const bool said =
        db_ && sqlite3_errcode(db_.get()) != SQLITE_OK && sqlite3_errcode(db_.get()) < SQLITE_ROW;
    return Error{ErrorCode::corrupt,
                 said ? fmt::format("Manifest.db: {}: {}", what, to_valid_utf8(sqlite3_errmsg(db_.get())))
                      : fmt::format("Manifest.db: {}", what)};
  }

  std::vector<std::byte> bytes_;  // before the connection that reads from it
  Connection db_;
  Statement one_;
  std::vector<sqlite3_int64> rows_;  ///< by place
  std::uint64_t calls_ = 0;
};

}  // namespace

Result<std::unique_ptr<BackupManifest>> open_manifest_db(std::vector<std::byte> bytes) {
  if (bytes.size() > kMaxManifest)
    return Error{ErrorCode::limit,
                 fmt::format("Manifest.db has {} bytes, more than {}", bytes.size(), kMaxManifest)};
  if (bytes.size() < 512 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return Error{ErrorCode::corrupt, "Manifest.db is no SQLite database"};
  auto manifest = std::make_unique<ManifestDb>(std::move(bytes));
  if (auto opened = manifest->open(); !opened) return opened.error();
  return std::unique_ptr<BackupManifest>(std::move(manifest));
}

}  // namespace touchstone

// Services of the host table: rows of pages of tables whose database is gone, by the tables of databases of
// the same exhibit.
#include <utility>
#include <vector>

#include "content/database_empty.hpp"
#include "content/sqlite/page_rows.hpp"
#include "plugin/host_services.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kPagesMediaType = "application/x-sqlite3-pages";
/// Tables of all databases together that rows are compared with.
constexpr std::size_t kMostTables = 2000;

DatabaseLimits limits_of(ts_job* job) {
  DatabaseLimits limits;
  limits.country = job->item->country;
  return limits;
}

Result<std::unique_ptr<EvidenceDatabase>> open_database(ts_job* job, const KinDatabase::Files& files) {
  if (!files.main) return Error{ErrorCode::not_found, "no database file"};
  return EvidenceDatabase::open({files.main.get(), files.wal.get(), files.journal.get()},
                                DatabaseState::current, limits_of(job));
}

sqlite::RecoverySettings settings_of(ts_job* job) {
  sqlite::RecoverySettings settings;
  settings.cancelled = job->item->cancelled;
  return settings;
}

/// Databases to whose tables no row fits are closed again.
void sort_rows(ts_job* job) {
  std::vector<KinDatabase::Files> files;
  std::vector<std::vector<sqlite::TableShape>> schemas;
  std::size_t room = kMostTables;
  for (const KinDatabase& kin : job->item->kin) {
    files.push_back(kin.open());
    schemas.emplace_back();
    // What can't be read of it has been said where it was read for its own sake.
    if (auto database = open_database(job, files.back()))
      schemas.back() = sqlite::shapes_of(**database, room);
    room -= schemas.back().size();
  }
  auto rows = sqlite::recover_pages_of(job->content->source(), schemas, settings_of(job));
  if (!rows) return;
  for (const Error& problem : rows->back().problems) job->report(kind_of(problem.code), problem.message);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    ts_job::PageDatabase found;
    found.rows = std::move((*rows)[i]);
    if (found.rows.rows.empty()) continue;
    if (i < files.size()) {
      found.path = job->item->kin[i].path;
      found.files = std::move(files[i]);
      if (auto database = open_database(job, found.files)) sqlite::add_live_rows(found.rows, **database);
      if (found.rows.rows.empty()) continue;
    } else if (auto empty = sqlite::make_empty_database(found.rows.shapes)) {
      found.files.main = empty.take();
    }
    job->page_databases.push_back(std::move(found));
  }
}

std::uint32_t host_page_databases(ts_job* job) {
  if (!job->item->recover || job->current->table().scope != TS_SCOPE_ITEM ||
      job->content->media_type() != kPagesMediaType)
    return 0;
  if (!std::exchange(job->pages_tried, true)) sort_rows(job);
  return static_cast<std::uint32_t>(job->page_databases.size());
}

ts_str host_use_page_database(ts_job* job, std::uint32_t index) {
  if (index >= job->page_databases.size()) return {"", 0};
  ts_job::PageDatabase& database = job->page_databases[index];
  auto& current = job->databases[1][TS_DB_CURRENT];
  current.reset();
  job->recovered.reset();
  job->recovery_tried = true;
  if (auto opened = open_database(job, database.files)) current = opened.take();
  if (auto opened = open_database(job, database.files))
    job->recovered = sqlite::RecoveredDatabase::of(database.rows, opened.take());
  return abi(database.path);
}

}  // namespace

void fill_page_services(ts_host_v1& api) {
  api.page_databases = host_page_databases;
  api.use_page_database = host_use_page_database;
}

}  // namespace touchstone

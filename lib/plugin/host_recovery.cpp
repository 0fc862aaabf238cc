// Services of the host table: rows deleted from the item's database, and numbers missing among those there.
#include <vector>

#include "plugin/host_services.hpp"

namespace touchstone {
namespace {

DatabaseFiles files_of(ts_job* job) {
  open_companions(job);
  return {&job->content->source(), job->wal.get(), job->journal.get()};
}

/// What was recovered of the item; null if nothing may or can be.
sqlite::RecoveredDatabase* recovered(ts_job* job) {
  if (!job->item->recover || job->current->table().scope != TS_SCOPE_ITEM) return nullptr;
  if (!job->recovery_tried) {
    job->recovery_tried = true;
    sqlite::RecoverySettings settings;
    settings.cancelled = job->item->cancelled;
    DatabaseLimits limits;
    limits.country = job->item->country;
    auto opened = sqlite::RecoveredDatabase::open(files_of(job), settings, limits);
    // That the database itself can't be read has been said where it was read.
    if (!opened) return nullptr;
    job->recovered = opened.take();
    for (const Error& problem : job->recovered->recovery().problems)
      job->report(kind_of(problem.code), problem.message);
  }
  return job->recovered.get();
}

ts_query* host_query_recovered(ts_job* job, ts_str table, ts_str sql, const ts_value* parameters,
                               std::size_t count) {
  sqlite::RecoveredDatabase* database = recovered(job);
  const std::string_view name(table.data ? table.data : "", table.size);
  if (!database || database->count(name) == 0) return nullptr;
  std::vector<Value> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(value_of(parameters[i]));
  auto query = database->query(name, {sql.data, sql.size}, values);
  if (!query) {
    const std::string said = "rows recovered of table " + std::string(name) + ": " + query.error().message;
    if (job->recovery_told.insert(said).second) job->report(kind_of(query.error().code), said);
    return nullptr;
  }
  return new ts_query{job, query.take(), {}, true};  // freed by query_close
}

ts_query* host_row_gaps(ts_job* job, ts_str table) {
  if (!job->item->recover || job->current->table().scope != TS_SCOPE_ITEM) return nullptr;
  auto database = EvidenceDatabase::open(files_of(job), DatabaseState::current);
  if (!database) return nullptr;
  auto gaps = sqlite::find_row_gaps(**database, {table.data ? table.data : "", table.size});
  if (!gaps) return nullptr;
  return new ts_query{job, sqlite::make_gap_query(gaps.take()), {}};  // freed by query_close
}

}  // namespace

void fill_recovery_services(ts_host_v1& api) {
  api.query_recovered = host_query_recovered;
  api.row_gaps = host_row_gaps;
}

}  // namespace touchstone

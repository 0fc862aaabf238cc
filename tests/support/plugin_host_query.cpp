// The database facet of the test host: lib/content's, over the item's bytes and its neighbours NAME-wal and
// NAME-journal. A failed query becomes a problem as in the real host.
#include <algorithm>

#include "content/sqlite/recovered_database.hpp"
#include "support/plugin_host_job.hpp"

struct ts_query {
  ts_job* job;
  std::unique_ptr<touchstone::EvidenceQuery> rows;
  std::string name;
};

namespace touchstone::test {
namespace {

/// The item's bytes where they come by a function.
class ItemSource final : public ByteSource {
 public:
  explicit ItemSource(const TestItem& item) : item_(&item) {}
  std::uint64_t size() const override { return item_->read_at ? item_->size : item_->bytes.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto* bytes = reinterpret_cast<std::uint8_t*>(out.data());
    if (item_->read_at) {
      const std::int64_t got = item_->read_at(offset, bytes, out.size());
      if (got < 0) return Error{ErrorCode::io, "cannot be read"};
      return static_cast<std::size_t>(got);
    }
    if (offset >= item_->bytes.size()) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(out.size(), item_->bytes.size() - offset);
    std::copy_n(item_->bytes.data() + offset, count, bytes);
    return count;
  }

 private:
  const TestItem* item_;
};

std::unique_ptr<ByteSource> companion(const TestItem& item, const char* suffix) {
  const std::string name = item.path.substr(item.path.rfind('/') + 1) + suffix;
  const auto found = item.neighbours.find(name);
  if (found == item.neighbours.end()) return nullptr;
  std::vector<std::byte> bytes(found->second.size());
  std::transform(found->second.begin(), found->second.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return make_memory_source(std::move(bytes));
}

void report(ts_job* job, const Error& error) {
  const char* kind = error.code == ErrorCode::limit       ? "limit"
                     : error.code == ErrorCode::encrypted ? "encrypted"
                                                          : "corrupt";
  job->outcome.problems.push_back({kind, error.message});
}

EvidenceDatabase* database(ts_job* job, ts_database_state state) {
  if (state < TS_DB_CURRENT || state > TS_DB_BEFORE_ROLLBACK) return nullptr;
  auto& slot = job->databases[static_cast<std::size_t>(state)];
  if (!slot.database) {
    slot.main = std::make_unique<ItemSource>(*job->item);
    slot.wal = companion(*job->item, "-wal");
    slot.journal = companion(*job->item, "-journal");
    auto opened = EvidenceDatabase::open({slot.main.get(), slot.wal.get(), slot.journal.get()},
                                         static_cast<DatabaseState>(state));
    if (!opened) {
      report(job, opened.error());
      return nullptr;
    }
    slot.database = opened.take();
  }
  return slot.database.get();
}

ts_query* start(ts_job* job, ts_database_state state, ts_str sql, const ts_value* parameters,
                std::size_t count) {
  EvidenceDatabase* const opened = database(job, state);
  if (!opened) return nullptr;
  std::vector<Value> values;
  for (std::size_t i = 0; i < count; ++i) {
    const ts_value& value = parameters[i];
    if (value.kind == TS_INTEGER) {
      values.emplace_back(value.integer);
    } else if (value.kind == TS_REAL) {
      values.emplace_back(value.real);
    } else if (value.kind == TS_NULL) {
      values.emplace_back();
    } else {
      values.emplace_back(std::string(value.text.data ? value.text.data : "", value.text.size));
    }
  }
  auto query = opened->query({sql.data, sql.size}, values);
  if (!query) {
    report(job, query.error());
    return nullptr;
  }
  return new ts_query{job, query.take(), {}};  // freed by query_close
}

/// A query that owns what it reads.
class OwningQuery final : public EvidenceQuery {
 public:
  std::unique_ptr<ByteSource> main, wal, journal;
  std::unique_ptr<sqlite::RecoveredDatabase> database;
  std::unique_ptr<EvidenceQuery> rows;
  Result<bool> step() override { return rows->step(); }
  std::size_t columns() const override { return rows->columns(); }
  std::string column_name(std::size_t column) const override { return rows->column_name(column); }
  std::int64_t integer(std::size_t column) const override { return rows->integer(column); }
  double real(std::size_t column) const override { return rows->real(column); }
  std::string_view bytes(std::size_t column) const override { return rows->bytes(column); }
  Type type(std::size_t column) const override { return rows->type(column); }
};

std::unique_ptr<OwningQuery> with_files(ts_job* job) {
  auto query = std::make_unique<OwningQuery>();
  query->main = std::make_unique<ItemSource>(*job->item);
  query->wal = companion(*job->item, "-wal");
  query->journal = companion(*job->item, "-journal");
  return query;
}

ts_query* start_recovered(ts_job* job, ts_str table, ts_str sql, const ts_value*, size_t) {
  auto query = with_files(job);
  auto opened = sqlite::RecoveredDatabase::open({query->main.get(), query->wal.get(), query->journal.get()});
  if (!opened) return nullptr;
  query->database = opened.take();
  for (const Error& problem : query->database->recovery().problems) {
    const TestProblem told{problem.code == ErrorCode::limit ? "limit" : "corrupt", problem.message};
    auto& problems = job->outcome.problems;
    if (std::find(problems.begin(), problems.end(), told) == problems.end()) problems.push_back(told);
  }
  const std::string_view name(table.data, table.size);
  if (query->database->count(name) == 0) return nullptr;
  auto rows = query->database->query(name, {sql.data, sql.size}, {});
  if (!rows) {
    report(job, rows.error());
    return nullptr;
  }
  query->rows = rows.take();
  return new ts_query{job, std::move(query), {}};  // freed by query_close
}

ts_query* start_gaps(ts_job* job, ts_str table) {
  const auto files = with_files(job);
  auto opened = EvidenceDatabase::open({files->main.get(), files->wal.get(), files->journal.get()},
                                       DatabaseState::current);
  if (!opened) return nullptr;
  auto gaps = sqlite::find_row_gaps(**opened, {table.data, table.size});
  if (!gaps) return nullptr;
  return new ts_query{job, sqlite::make_gap_query(gaps.take()), {}};  // freed by query_close
}

int step(ts_query* query) {
  const auto row = query->rows->step();
  if (row) {
    if (const std::string note = query->rows->take_note(); !note.empty())
      query->job->outcome.problems.push_back({"unsupported", note});
    return *row ? 1 : 0;
  }
  report(query->job, row.error());
  return -1;
}

ts_value value(ts_query* query, std::size_t column) {
  ts_value result{TS_NULL, 0, 0, {nullptr, 0}};
  switch (query->rows->type(column)) {
    case EvidenceQuery::Type::null:
      break;
    case EvidenceQuery::Type::integer:
      result.kind = TS_INTEGER;
      result.integer = query->rows->integer(column);
      break;
    case EvidenceQuery::Type::real:
      result.kind = TS_REAL;
      result.real = query->rows->real(column);
      break;
    case EvidenceQuery::Type::text:
    case EvidenceQuery::Type::blob: {
      result.kind = query->rows->type(column) == EvidenceQuery::Type::text ? TS_TEXT : TS_BLOB;
      const std::string_view bytes = query->rows->bytes(column);
      result.text = {bytes.data(), bytes.size()};
    }
  }
  return result;
}

}  // namespace

void add_query_services(ts_host_v1& host) {
  host.query = start;
  host.query_step = step;
  host.query_columns = [](ts_query* query) -> std::size_t { return query->rows->columns(); };
  host.query_column_name = [](ts_query* query, std::size_t column) -> ts_str {
    query->name = query->rows->column_name(column);
    return {query->name.data(), query->name.size()};
  };
  host.query_value = value;
  host.query_recovered = start_recovered;
  host.row_gaps = start_gaps;
  host.query_close = [](ts_query* query) { delete query; };
}

}  // namespace touchstone::test

// Services of the host table: the picture and database facets.
#include "plugin/host_services.hpp"
#include "plugin/matcher.hpp"

namespace touchstone {

void open_companions(ts_job* job) {
  if (job->companions_opened) return;
  job->companions_opened = true;
  if (!job->item->neighbour) return;
  const std::string raw = job->item->name;
  job->wal = job->item->neighbour(raw + "-wal");
  job->journal = job->item->neighbour(raw + "-journal");
}

namespace {

/// Asks provider plugins for a facet of this content until one gives it.
bool ask_providers(ts_job* job, ts_facet facet) {
  for (auto& plugin : *job->plugins) {
    const ts_plugin_v1& table = plugin->table();
    if (!plugin->ready || !(table.roles & TS_ROLE_PROVIDER) || !(table.provides & facet)) continue;
    if (!matches(table, *job->item, *job->content) || job->item->skip.contains(plugin->file->name)) continue;
    const ts_status status = job->call(*plugin, [&](void* self) { return table.provide(self, job, facet); });
    if (status == TS_OK || status == TS_DONE) return true;
  }
  return false;
}

ts_status host_picture(ts_job* job, std::uint32_t /*min_side*/, ts_picture* out) {
  // Always decoded at full size: what a classifier sees must not depend on who asked first.
  if (!job->picture_tried) {
    job->picture_tried = true;
    bool damaged = false;
    auto picture = is_decodable_picture(job->content->media_type())
                       ? decode_picture(job->content->source(), job->content->media_type(), 0, &damaged)
                       : Result<Picture>(Error{ErrorCode::unsupported, ""});
    if (picture) {
      job->picture = picture.take();
      if (damaged) job->report(ProblemKind::corrupt, "the picture is damaged; decoded as far as it goes");
    } else if (picture.error().code != ErrorCode::unsupported) {
      job->report(kind_of(picture.error().code), picture.error().message);
    } else if (!ask_providers(job, TS_FACET_PICTURE) || !job->picture) {
      job->report(ProblemKind::unsupported, "no decoder for " + job->content->media_type());
    }
  }
  if (!job->picture) return TS_UNSUPPORTED;
  const Picture& picture = *job->picture;
  *out = {sizeof(ts_picture),   picture.width,         picture.height,
          picture.source_width, picture.source_height, picture.pixels.data()};
  return TS_OK;
}

ts_query* host_query(ts_job* job, ts_database_state state, ts_str sql, const ts_value* parameters,
                     std::size_t count) {
  if (state < TS_DB_CURRENT || state > TS_DB_BEFORE_ROLLBACK) return nullptr;
  // A content-scope plugin sees the bytes alone: its results must hold wherever they lie.
  const bool of_item = job->current->table().scope == TS_SCOPE_ITEM;
  auto& database = job->databases[of_item ? 1 : 0][state];
  if (!database) {
    if (of_item) open_companions(job);
    DatabaseLimits limits;
    limits.country = job->item->country;
    auto opened = EvidenceDatabase::open(
        {&job->content->source(), of_item ? job->wal.get() : nullptr, of_item ? job->journal.get() : nullptr},
        static_cast<DatabaseState>(state), limits);
    if (!opened) {
      job->report(kind_of(opened.error().code), opened.error().message);
      return nullptr;
    }
    database = opened.take();
    if (const std::string& damage = database->facts().schema_error; !damage.empty())
      job->report(ProblemKind::corrupt, damage);
  }
  std::vector<Value> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(value_of(parameters[i]));
  auto query = database->query({sql.data, sql.size}, values);
  if (!query) {
    job->report(kind_of(query.error().code), query.error().message);
    return nullptr;
  }
  return new ts_query{job, query.take(), {}};  // freed by query_close
}

int host_query_step(ts_query* query) {
  const auto row = query->query->step();
  if (row) {
    if (const std::string note = query->query->take_note(); !note.empty())
      query->job->report(ProblemKind::unsupported, note);
    return *row ? 1 : 0;
  }
  if (!query->recovered || query->job->recovery_told.insert(row.error().message).second)
    query->job->report(kind_of(row.error().code), row.error().message);
  return -1;
}
std::size_t host_query_columns(ts_query* query) {
  return query->query->columns();
}
ts_str host_query_column_name(ts_query* query, std::size_t column) {
  query->name = query->query->column_name(column);
  return abi(query->name);
}
ts_value host_query_value(ts_query* query, std::size_t column) {
  ts_value value{TS_NULL, 0, 0, {nullptr, 0}};
  switch (query->query->type(column)) {
    case EvidenceQuery::Type::null:
      return value;
    case EvidenceQuery::Type::integer:
      value.kind = TS_INTEGER;
      value.integer = query->query->integer(column);
      return value;
    case EvidenceQuery::Type::real:
      value.kind = TS_REAL;
      value.real = query->query->real(column);
      return value;
    case EvidenceQuery::Type::text:
    case EvidenceQuery::Type::blob:
      value.kind = query->query->type(column) == EvidenceQuery::Type::text ? TS_TEXT : TS_BLOB;
      const std::string_view bytes = query->query->bytes(column);
      value.text = {bytes.data(), bytes.size()};
      return value;
  }
  return value;
}
void host_query_close(ts_query* query) {
  delete query;
}

}  // namespace

void fill_facet_services(ts_host_v1& api) {
  api.picture = host_picture;
  api.query = host_query;
  api.query_step = host_query_step;
  api.query_columns = host_query_columns;
  api.query_column_name = host_query_column_name;
  api.query_value = host_query_value;
  api.query_close = host_query_close;
}

}  // namespace touchstone

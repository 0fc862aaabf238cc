#include "plugin/job.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <functional>

#include "model/locator.hpp"
#include "plugin/matcher.hpp"

namespace touchstone {
namespace {

// What a plugin may hand over in one piece. More is cut, and said.
constexpr std::size_t kMaxText = 1 << 20;
// Findings of one rule in one item; beyond it one problem with the count.
constexpr std::uint32_t kMaxFindingsPerRule = 1000;

std::string text_of(ts_str text) {
  if (!text.data) return {};
  std::size_t size = std::min(text.size, kMaxText);
  // Never cut inside a UTF-8 sequence.
  while (size < text.size && size > 0 && (static_cast<unsigned char>(text.data[size]) & 0xC0) == 0x80) --size;
  return to_valid_utf8({text.data, size});
}

Value value_of(const ts_value& raw) {
  switch (raw.kind) {
    case TS_INTEGER:
      return raw.integer;
    case TS_REAL:
      return raw.real;
    case TS_TEXT:
    case TS_BLOB:
      return text_of(raw.text);
    default:
      return std::monostate{};
  }
}

ProblemKind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::limit:
      return ProblemKind::limit;
    case ErrorCode::encrypted:
      return ProblemKind::encrypted;
    case ErrorCode::unsupported:
      return ProblemKind::unsupported;
    case ErrorCode::io:
      return ProblemKind::unreadable;
    default:
      return ProblemKind::corrupt;
  }
}

ts_str abi(const std::string& text) { return {text.data(), text.size()}; }

std::int64_t read_source(ByteSource& source, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  const auto got = source.read_at(offset, std::as_writable_bytes(std::span(out, capacity)));
  return got ? static_cast<std::int64_t>(*got) : -1;
}

// --- create() ---

ts_str host_settings(const ts_host_v1* host) { return abi(HostedPlugin::of(host).settings); }

void host_log(const ts_host_v1*, ts_str) {}

void host_declare_rule(const ts_host_v1* host, ts_str rule, ts_str version, ts_str title) {
  HostedPlugin& plugin = HostedPlugin::of(host);
  if (plugin.rules) plugin.rules->push_back({plugin.file->name, text_of(rule), text_of(version), text_of(title)});
}

void host_fail(const ts_host_v1* host, ts_job*, ts_str reason) { HostedPlugin::of(host).failure = text_of(reason); }

// --- bytes ---

std::uint64_t host_size(ts_job* job) { return job->content->size(); }

std::int64_t host_read_at(ts_job* job, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  return read_source(job->content->source(), offset, out, capacity);
}

ts_str host_media_type(ts_job* job) { return abi(job->content->media_type()); }

ts_str host_digest(ts_job* job, ts_str algorithm) {
  // Unreadable ranges were read as zeros: such digests must never match a hash set.
  if (!job->content->gaps().empty()) return {nullptr, 0};
  const Digests& digests = job->content->digests();
  const std::string_view name(algorithm.data, algorithm.size);
  if (name == "md5") return abi(digests.md5);
  if (name == "sha1") return abi(digests.sha1);
  if (name == "sha256") return abi(digests.sha256);
  return {nullptr, 0};
}

int host_cancelled(ts_job* job) { return job->item->cancelled && job->item->cancelled() ? 1 : 0; }

bool item_scope(const ts_job* job) { return job->current && job->current->table().scope == TS_SCOPE_ITEM; }

ts_str host_path(ts_job* job) { return item_scope(job) ? abi(job->item->path) : ts_str{nullptr, 0}; }
ts_str host_locator(ts_job* job) { return item_scope(job) ? abi(job->item->locator) : ts_str{nullptr, 0}; }

ts_source* host_neighbour_open(ts_job* job, ts_str relative) {
  if (!item_scope(job) || !job->item->neighbour) return nullptr;
  auto source = job->item->neighbour({relative.data, relative.size});
  return source ? new ts_source{std::move(source)} : nullptr;  // freed by neighbour_close
}
std::uint64_t host_neighbour_size(ts_source* source) { return source->source->size(); }
std::int64_t host_neighbour_read_at(ts_source* source, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  return read_source(*source->source, offset, out, capacity);
}
void host_neighbour_close(ts_source* source) { delete source; }

// --- facets ---

/// Asks provider plugins for a facet of this content until one gives it.
bool ask_providers(ts_job* job, ts_facet facet) {
  HostedPlugin* const asking = job->current;
  for (auto& plugin : *job->plugins) {
    const ts_plugin_v1& table = plugin->table();
    if (!plugin->ready || !(table.roles & TS_ROLE_PROVIDER) || !(table.provides & facet)) continue;
    if (!matches(table, *job->item, *job->content) || job->item->skip.contains(plugin->file->name)) continue;
    const ts_status status = job->call(*plugin, [&](void* self) { return table.provide(self, job, facet); });
    job->current = asking;
    if (status == TS_OK || status == TS_DONE) return true;
  }
  return false;
}

ts_status host_picture(ts_job* job, std::uint32_t /*min_side*/, ts_picture* out) {
  // Always decoded at full size: what a classifier sees must not depend on who asked first.
  if (!job->picture_tried) {
    job->picture_tried = true;
    HostedPlugin* const asking = job->current;
    job->watch->enter(-1);
    bool damaged = false;
    auto picture = is_decodable_picture(job->content->media_type())
                       ? decode_picture(job->content->source(), job->content->media_type(), 0, &damaged)
                       : Result<Picture>(Error{ErrorCode::unsupported, ""});
    job->watch->enter(asking->index);
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
  *out = {sizeof(ts_picture), picture.width, picture.height, picture.source_width, picture.source_height, picture.pixels.data()};
  return TS_OK;
}

/// The -wal and -journal beside the item.
void open_companions(ts_job* job) {
  if (job->companions_opened) return;
  job->companions_opened = true;
  if (!job->item->neighbour) return;
  const std::string raw = job->item->name;
  job->wal = job->item->neighbour(raw + "-wal");
  job->journal = job->item->neighbour(raw + "-journal");
}

ts_query* host_query(ts_job* job, ts_database_state state, ts_str sql, const ts_value* parameters, std::size_t count) {
  if (state < TS_DB_CURRENT || state > TS_DB_BEFORE_ROLLBACK) return nullptr;
  auto& database = job->databases[state];
  if (!database) {
    open_companions(job);
    auto opened = EvidenceDatabase::open({&job->content->source(), job->wal.get(), job->journal.get()},
                                         static_cast<DatabaseState>(state));
    if (!opened) {
      job->report(kind_of(opened.error().code), opened.error().message);
      return nullptr;
    }
    database = opened.take();
    if (const std::string& damage = database->facts().schema_error; !damage.empty()) job->report(ProblemKind::corrupt, damage);
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
  if (row) return *row ? 1 : 0;
  query->job->report(kind_of(row.error().code), row.error().message);
  return -1;
}
std::size_t host_query_columns(ts_query* query) { return query->query->columns(); }
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
void host_query_close(ts_query* query) { delete query; }

// --- results ---

/// An attachment names the source row of its message; the key of that message follows from it.
void link_attachment(ts_job* job, Record& record, const std::string& maker) {
  if (record.kind != "attachment") return;
  const auto text = [&](std::string_view column) -> std::string {
    const Value* value = record.find(column);
    if (!value) return {};
    if (const auto* integer = std::get_if<std::int64_t>(value)) return std::to_string(*integer);
    const auto* found = std::get_if<std::string>(value);
    return found ? *found : std::string();
  };
  const std::string row = text("message_row");
  if (row.empty() || record.find("message_key")) return;
  record.fields.emplace_back("message_key", join_key({"message", job->item->locator, maker, text("message_table"), row}));
}

/// Whether the scope lets a row leave the worker. An attachment goes with its message: it has no party or time itself.
bool in_scope(ts_job& job, const Record& record) {
  if (!job.item->passes) return true;
  if (record.kind == "attachment") {
    const Value* message = record.find("message_key");
    const auto* key = message ? std::get_if<std::string>(message) : nullptr;
    return key && job.passed_messages.contains(*key);
  }
  if (!job.item->passes(record)) return false;
  if (record.kind == "message") job.passed_messages.insert(record.key);
  return true;
}

ts_str host_emit_record(ts_job* job, ts_str kind, ts_str app, ts_str table, ts_str row, const ts_field* fields, std::size_t count) {
  Record record;
  record.kind = text_of(kind);
  const std::string app_name = text_of(app), table_name = text_of(table), row_name = text_of(row);
  for (std::size_t i = 0; i < count; ++i) {
    Value value = value_of(fields[i].value);
    std::string name = text_of(fields[i].name);
    if (name == "taken_local") {  // a clock reading without a zone: the exhibit's zone makes it a time
      if (const auto* local = std::get_if<std::int64_t>(&value); local && job->item->local_to_utc) {
        record.fields.emplace_back("taken", job->item->local_to_utc(*local));
        record.fields.emplace_back("time_basis", std::string(to_text(TimeBasis::assumed)));
      }
      continue;
    }
    record.fields.emplace_back(std::move(name), std::move(value));
  }
  if (!app_name.empty() && !record.find("app")) record.fields.emplace_back("app", app_name);
  if (!table_name.empty() && !record.find("source_table")) record.fields.emplace_back("source_table", table_name);
  if (!row_name.empty() && !record.find("source_row")) record.fields.emplace_back("source_row", row_name);
  link_attachment(job, record, app_name.empty() ? job->current->file->name : app_name);
  const std::string& maker = app_name.empty() ? job->current->file->name : app_name;
  record.key = job->unique_key(join_key({record.kind, job->item->locator, maker, table_name, row_name}));
  job->last_key = record.key;
  if (!in_scope(*job, record)) return abi(job->last_key);
  job->sink->record(Record(record), job->current->file->name);
  job->pending_records.push_back(std::move(record));
  return abi(job->last_key);
}

void host_emit_finding(ts_job* job, const ts_finding* raw) {
  if (raw->struct_size < sizeof(ts_finding)) return;
  const HostedPlugin& plugin = *job->current;
  Finding finding;
  finding.plugin = plugin.file->name;
  finding.plugin_version = plugin.table().version;
  finding.rule = text_of(raw->rule);
  finding.category = text_of(raw->category);
  finding.title = text_of(raw->title);
  finding.detail = text_of(raw->detail);
  finding.position = text_of(raw->position);
  finding.record_kind = text_of(raw->record_kind);
  finding.record_key = text_of(raw->record_key);
  finding.confidence = std::clamp(raw->confidence, 0, 1000);
  const bool of_content = plugin.table().scope == TS_SCOPE_CONTENT && finding.record_key.empty();
  const std::uint32_t count = ++job->rule_counts[finding.plugin + '|' + finding.rule];
  if (count > kMaxFindingsPerRule) {
    if (count == kMaxFindingsPerRule + 1) {
      job->report(ProblemKind::limit, fmt::format("more than {} findings of rule {}; the rest are not listed", kMaxFindingsPerRule, finding.rule));
    }
    return;
  }
  const std::string& subject = !finding.record_key.empty() ? finding.record_key
                               : of_content                ? job->content->digests().sha256
                                                           : job->item->locator;
  finding.key = job->unique_key(join_key({"finding", finding.plugin, finding.rule, subject, finding.position}));
  if (of_content) finding.content_sha256 = job->content->digests().sha256;
  if (finding.plugin == "hashes" && finding.category == "known") job->known = true;
  if (finding.record_key.empty()) job->content_findings.emplace_back(finding.plugin, finding);
  job->sink->finding(std::move(finding), of_content);
}

void host_emit_problem(ts_job* job, ts_str kind, ts_str message) {
  job->report(parse_problem_kind(text_of(kind)).value_or(ProblemKind::corrupt), text_of(message));
}

int host_emit_member(ts_job* job, const ts_member* raw) {
  if (!job->on_member || raw->struct_size < sizeof(ts_member)) return 1;
  MemberInfo member;
  member.ordinal = raw->ordinal;
  member.path.assign(raw->path.data ? raw->path.data : "", std::min<std::size_t>(raw->path.size, 65535));
  member.size = raw->size;
  member.directory = raw->is_directory != 0;
  member.encrypted = raw->is_encrypted != 0;
  if (raw->has_modified) member.times.modified = raw->modified;
  member.times.basis = raw->time_basis == 1 ? TimeBasis::offset : raw->time_basis == 2 ? TimeBasis::assumed : TimeBasis::utc;
  if (member.times.modified && raw->time_basis == 2 && job->item->local_to_utc) {
    member.times.modified = job->item->local_to_utc(*member.times.modified);
  }
  return job->on_member(std::move(member)) ? 0 : 1;
}

int host_emit_member_data(ts_job* job, std::uint32_t ordinal, ts_pull pull, void* context) {
  if (!job->on_member_data) return 1;
  const auto bytes = [&](std::span<std::uint8_t> out) { return pull(context, out.data(), out.size()); };
  return job->on_member_data(ordinal, bytes) ? 0 : 1;
}

void host_emit_text(ts_job* job, ts_str text) {
  if (job->text_out && text.data) job->text_out->push(to_valid_utf8({text.data, text.size}));
}

void host_emit_picture(ts_job* job, const ts_picture* picture) {
  if (picture->struct_size < sizeof(ts_picture) || !picture->pixels || picture->width == 0 || picture->height == 0) return;
  const std::uint64_t pixels = static_cast<std::uint64_t>(picture->width) * picture->height;
  if (pixels > kMaxPicturePixels) {
    job->report(ProblemKind::limit, fmt::format("a picture of {} × {} pixels is too large", picture->width, picture->height));
    return;
  }
  Picture kept;
  kept.width = picture->width, kept.height = picture->height;
  kept.source_width = picture->source_width, kept.source_height = picture->source_height;
  kept.pixels.assign(picture->pixels, picture->pixels + pixels * 3);
  job->picture = std::move(kept);
}

void host_findings(ts_job* job, int (*each)(void*, ts_str, const ts_finding*), void* context) {
  for (const auto& [plugin, finding] : job->content_findings) {
    const ts_finding raw{sizeof(ts_finding),     finding.confidence,   abi(finding.rule),     abi(finding.category), abi(finding.title),
                         abi(finding.detail),    abi(finding.position), abi(finding.record_kind), abi(finding.record_key)};
    if (each(context, abi(plugin), &raw) != 0) return;
  }
}

}  // namespace

void fill_host_table(ts_host_v1& api) {
  api = {sizeof(ts_host_v1), TS_ABI_MAJOR,       TS_ABI_MINOR,          host_settings,        host_log,
         host_declare_rule,  host_fail,          host_size,             host_read_at,         host_media_type,
         host_digest,        host_cancelled,     host_path,             host_locator,         host_neighbour_open,
         host_neighbour_size, host_neighbour_read_at, host_neighbour_close, host_picture,     host_query,
         host_query_step,    host_query_columns, host_query_column_name, host_query_value,    host_query_close,
         host_emit_record,   host_emit_finding,  host_emit_problem,     host_emit_member,     host_emit_member_data,
         host_emit_text,     host_emit_picture,  host_findings};
}

}  // namespace touchstone

namespace {

touchstone::ProblemKind problem_of(ts_status status) {
  using touchstone::ProblemKind;
  switch (status) {
    case TS_UNSUPPORTED:
      return ProblemKind::unsupported;
    case TS_ENCRYPTED:
      return ProblemKind::encrypted;
    case TS_LIMIT:
      return ProblemKind::limit;
    case TS_MEMORY:
      return ProblemKind::memory;
    case TS_UNKNOWN_SCHEMA:
      return ProblemKind::unknown_schema;
    case TS_MODEL_MISSING:
      return ProblemKind::model_missing;
    default:
      return ProblemKind::corrupt;
  }
}

}  // namespace

std::string ts_job::unique_key(std::string key) {
  const std::uint32_t count = ++keys_seen[std::hash<std::string>{}(key)];
  if (count > 1) key += '#' + std::to_string(count);
  return key;
}

void ts_job::worsen(touchstone::ItemState state, std::string_view reason) {
  using touchstone::ItemState;
  // From mild to grave for what plugins can leave; an encrypted part is named before a merely damaged one.
  const auto rank = [](ItemState s) { return s == ItemState::examined ? 0 : s == ItemState::partly_examined ? 1 : 2; };
  if (rank(state) <= rank(examination->state)) return;
  examination->state = state;
  examination->reason = reason;
}

void ts_job::report(touchstone::ProblemKind kind, std::string_view message) {
  using namespace touchstone;
  const bool of_content = current && current->table().scope == TS_SCOPE_CONTENT;
  const std::string name = current ? current->file->name : "content";
  worsen(kind == ProblemKind::encrypted ? ItemState::encrypted : ItemState::partly_examined, fmt::format("{}: {}", name, message));
  sink->problem(name, kind, message, of_content);
}

ts_status ts_job::call(touchstone::HostedPlugin& plugin, const std::function<ts_status(void*)>& function) {
  using touchstone::ProblemKind;
  current = &plugin;
  plugin.failure.clear();
  timespec before{}, after{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  watch->enter(plugin.index);
  const ts_status status = function(plugin.self);
  const std::string refused = watch->leave();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  plugin.timing.cpu_us +=
      static_cast<std::uint64_t>((after.tv_sec - before.tv_sec) * 1'000'000 + (after.tv_nsec - before.tv_nsec) / 1000);
  ++plugin.timing.calls;
  if (!refused.empty()) report(ProblemKind::sandbox, refused);
  if (status != TS_OK && status != TS_DONE && (status != TS_UNSUPPORTED || !plugin.failure.empty())) {
    report(problem_of(status), plugin.failure.empty() ? "failed without a reason" : plugin.failure);
  }
  return status;
}

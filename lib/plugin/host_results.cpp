// Services of the host table: what plugins emit.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "model/locator.hpp"
#include "plugin/host_services.hpp"

namespace touchstone {
namespace {

// Findings of one rule in one item; beyond it one problem with the count.
constexpr std::uint32_t kMaxFindingsPerRule = 1000;
constexpr const char* kTimeColumns[] = {"sent",   "received", "started", "taken",   "visited",
                                        "starts", "ends",     "created", "modified"};
constexpr std::string_view kLocalSuffix = "_local";

/// "taken_local" and the like.
bool is_local_time(std::string_view name) {
  if (!name.ends_with(kLocalSuffix)) return false;
  name.remove_suffix(kLocalSuffix.size());
  return std::find(std::begin(kTimeColumns), std::end(kTimeColumns), name) != std::end(kTimeColumns);
}

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
  record.fields.emplace_back("message_key",
                             join_key({"message", job->item->locator, maker, text("message_table"), row}));
}

/// Whether the scope lets a row leave the worker. An attachment goes with its message: it has no party or
/// time itself.
bool in_scope(ts_job& job, const Record& record) {
  if (!job.item->passes) return true;
  if (record.kind == "attachment") {
    const Value* message = record.find("message_key");
    const auto* key = message ? std::get_if<std::string>(message) : nullptr;
    return key && job.passed_messages.contains(std::hash<std::string>{}(*key));
  }
  if (!job.item->passes(record)) return false;
  if (record.kind == "message") job.passed_messages.insert(std::hash<std::string>{}(record.key));
  return true;
}

ts_str host_emit_record(ts_job* job, ts_str kind, ts_str app, ts_str table, ts_str row,
                        const ts_field* fields, std::size_t count) {
  job->pass_records_on();
  Record record;
  record.fields.reserve(count + 5);  // and what is added below
  record.kind = text_of(kind);
  const std::string app_name = text_of(app), table_name = text_of(table), row_name = text_of(row);
  for (std::size_t i = 0; i < count; ++i) {
    Value value = value_of(fields[i].value);
    if (fields[i].value.text.data && fields[i].value.text.size > kMaxText) {
      job->report(ProblemKind::limit, fmt::format("a text of {} bytes in {} {} was cut to {}",
                                                  fields[i].value.text.size, table_name, row_name, kMaxText));
    }
    std::string name = text_of(fields[i].name);
    if (is_local_time(name)) {  // a clock reading without a zone: the exhibit's zone makes it a time
      if (const auto* local = std::get_if<std::int64_t>(&value); local && job->item->local_to_utc) {
        const std::string column = name.substr(0, name.size() - kLocalSuffix.size());
        std::erase_if(record.fields, [&](const auto& field) { return field.first == column; });
        record.fields.emplace_back(column, job->item->local_to_utc(*local));
        record.fields.emplace_back("time_basis", std::string(to_text(TimeBasis::assumed)));
      }
      continue;
    }
    record.fields.emplace_back(std::move(name), std::move(value));
  }
  // A time without a word on its basis was converted from a count since an epoch: it is UTC.
  const bool timed = std::any_of(std::begin(kTimeColumns), std::end(kTimeColumns), [&](const char* column) {
    const Value* value = record.find(column);
    return value && std::holds_alternative<std::int64_t>(*value);
  });
  if (timed && !record.find("time_basis"))
    record.fields.emplace_back("time_basis", std::string(to_text(TimeBasis::utc)));
  if (!app_name.empty() && !record.find("app")) record.fields.emplace_back("app", app_name);
  if (!table_name.empty() && !record.find("source_table"))
    record.fields.emplace_back("source_table", table_name);
  if (!row_name.empty() && !record.find("source_row")) record.fields.emplace_back("source_row", row_name);
  link_attachment(job, record, app_name.empty() ? job->current->file->name : app_name);
  const std::string& maker = app_name.empty() ? job->current->file->name : app_name;
  record.key = job->given_keys.unique(
      join_key({record.kind, job->item->locator, maker, table_name, row_name}), row_name);
  job->last_key = record.key;
  if (!in_scope(*job, record)) return abi(job->last_key);
  if (job->keep_records) job->pending_records.push_back(record);
  job->sink->record(std::move(record), job->current->file->name);
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
      job->report(ProblemKind::limit, fmt::format("more than {} findings of rule {}; the rest are not listed",
                                                  kMaxFindingsPerRule, finding.rule));
    }
    return;
  }
  const std::string& subject = !finding.record_key.empty() ? finding.record_key
                               : of_content                ? job->content->digests().sha256
                                                           : job->item->locator;
  finding.key =
      job->given_keys.unique(join_key({"finding", finding.plugin, finding.rule, subject, finding.position}));
  if (of_content) finding.content_sha256 = job->content->digests().sha256;
  if (finding.plugin == "hashes" && finding.category == "known") job->known = true;
  if (finding.record_key.empty()) job->content_findings.emplace_back(finding.plugin, finding);
  job->sink->finding(std::move(finding), of_content);
}

void host_emit_problem(ts_job* job, ts_str kind, ts_str message) {
  job->report(parse_problem_kind(text_of(kind)).value_or(ProblemKind::corrupt), text_of(message));
}

// Size of ts_member before minor 1: plugins built then say so. (Where is_carved begins was padding.)
constexpr std::size_t kMemberWithoutCarving = 72;

int host_emit_member(ts_job* job, const ts_member* raw) {
  if (!job->on_member || raw->struct_size < kMemberWithoutCarving) return 1;
  MemberInfo member;
  if (raw->struct_size >= sizeof(ts_member) && raw->is_carved != 0) {
    member.carved = CarvedInfo{raw->offset, raw->length, std::clamp(raw->confidence, 0, 1000),
                               std::string(raw->detail.data ? raw->detail.data : "",
                                           std::min<std::size_t>(raw->detail.size, kMaxCarvedDetail))};
  }
  member.ordinal = raw->ordinal;
  member.path.assign(raw->path.data ? raw->path.data : "", std::min<std::size_t>(raw->path.size, 65535));
  member.size = raw->size;
  member.directory = raw->is_directory != 0;
  member.encrypted = raw->is_encrypted != 0;
  if (raw->has_modified) member.times.modified = raw->modified;
  member.times.basis = raw->time_basis == 1   ? TimeBasis::offset
                       : raw->time_basis == 2 ? TimeBasis::assumed
                                              : TimeBasis::utc;
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
  if (picture->struct_size < sizeof(ts_picture) || !picture->pixels || picture->width == 0 ||
      picture->height == 0)
    return;
  const std::uint64_t pixels = static_cast<std::uint64_t>(picture->width) * picture->height;
  if (pixels > kMaxPicturePixels) {
    job->report(ProblemKind::limit,
                fmt::format("a picture of {} × {} pixels is too large", picture->width, picture->height));
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
    const ts_finding raw{sizeof(ts_finding),    finding.confidence,       abi(finding.rule),
                         abi(finding.category), abi(finding.title),       abi(finding.detail),
                         abi(finding.position), abi(finding.record_kind), abi(finding.record_key)};
    if (each(context, abi(plugin), &raw) != 0) return;
  }
}

}  // namespace

void fill_result_services(ts_host_v1& api) {
  api.emit_record = host_emit_record;
  api.emit_finding = host_emit_finding;
  api.emit_problem = host_emit_problem;
  api.emit_member = host_emit_member;
  api.emit_member_data = host_emit_member_data;
  api.emit_text = host_emit_text;
  api.emit_picture = host_emit_picture;
  api.findings = host_findings;
}

}  // namespace touchstone

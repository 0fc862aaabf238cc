#include "plugin/job.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "model/locator.hpp"
#include "plugin/host_services.hpp"

namespace touchstone {
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

ts_str abi(const std::string& text) {
  return {text.data(), text.size()};
}

namespace {

std::int64_t read_source(ByteSource& source, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  const auto got = source.read_at(offset, std::as_writable_bytes(std::span(out, capacity)));
  return got ? static_cast<std::int64_t>(*got) : -1;
}

// --- create() ---

ts_str host_settings(const ts_host_v1* host) {
  return abi(HostedPlugin::of(host).settings);
}

void host_log(const ts_host_v1*, ts_str) {}

void host_declare_rule(const ts_host_v1* host, ts_str rule, ts_str version, ts_str title) {
  HostedPlugin& plugin = HostedPlugin::of(host);
  if (plugin.rules)
    plugin.rules->push_back({plugin.file->name, text_of(rule), text_of(version), text_of(title)});
}

void host_fail(const ts_host_v1* host, ts_job*, ts_str reason) {
  HostedPlugin::of(host).failure = text_of(reason);
}

// --- bytes ---

std::uint64_t host_size(ts_job* job) {
  return job->content->size();
}

std::int64_t host_read_at(ts_job* job, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  if (job->for_members && offset >= job->content->size()) {
    const auto got = job->content->read_behind(offset, std::as_writable_bytes(std::span(out, capacity)));
    return got ? static_cast<std::int64_t>(*got) : -1;
  }
  return read_source(job->content->source(), offset, out, capacity);
}

ts_str host_media_type(ts_job* job) {
  return abi(job->content->media_type());
}

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

int host_cancelled(ts_job* job) {
  return job->item->cancelled && job->item->cancelled() ? 1 : 0;
}

bool item_scope(const ts_job* job) {
  return job->current && job->current->table().scope == TS_SCOPE_ITEM;
}

ts_str host_path(ts_job* job) {
  return item_scope(job) ? abi(job->item->path) : ts_str{nullptr, 0};
}
ts_str host_locator(ts_job* job) {
  return item_scope(job) ? abi(job->item->locator) : ts_str{nullptr, 0};
}

ts_source* host_neighbour_open(ts_job* job, ts_str relative) {
  if (!item_scope(job) || !job->item->neighbour) return nullptr;
  auto source = job->item->neighbour({relative.data, relative.size});
  return source ? new ts_source{std::move(source)} : nullptr;  // freed by neighbour_close
}
std::uint64_t host_neighbour_size(ts_source* source) {
  return source->source->size();
}
std::int64_t host_neighbour_read_at(ts_source* source, std::uint64_t offset, std::uint8_t* out,
                                    std::size_t capacity) {
  return read_source(*source->source, offset, out, capacity);
}
void host_neighbour_close(ts_source* source) {
  delete source;
}

}  // namespace

void fill_host_table(ts_host_v1& api) {
  api.struct_size = sizeof(ts_host_v1);
  api.abi_major = TS_ABI_MAJOR;
  api.abi_minor = TS_ABI_MINOR;
  api.settings = host_settings;
  api.log = host_log;
  api.declare_rule = host_declare_rule;
  api.fail = host_fail;
  api.size = host_size;
  api.read_at = host_read_at;
  api.media_type = host_media_type;
  api.digest = host_digest;
  api.cancelled = host_cancelled;
  api.path = host_path;
  api.locator = host_locator;
  api.neighbour_open = host_neighbour_open;
  api.neighbour_size = host_neighbour_size;
  api.neighbour_read_at = host_neighbour_read_at;
  api.neighbour_close = host_neighbour_close;
  fill_facet_services(api);
  fill_recovery_services(api);
  fill_page_services(api);
  fill_result_services(api);
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

void ts_job::worsen(touchstone::ItemState state, std::string_view reason) {
  using touchstone::ItemState;
  // From mild to grave for what plugins can leave; an encrypted part is named before a merely damaged one.
  const auto rank = [](ItemState s) {
    return s == ItemState::examined ? 0 : s == ItemState::partly_examined ? 1 : 2;
  };
  if (rank(state) <= rank(examination->state)) return;
  examination->state = state;
  examination->reason = reason;
}

void ts_job::report(touchstone::ProblemKind kind, std::string_view message) {
  using namespace touchstone;
  const bool of_content = current && current->table().scope == TS_SCOPE_CONTENT;
  const std::string name = current ? current->file->name : "content";
  worsen(kind == ProblemKind::encrypted ? ItemState::encrypted : ItemState::partly_examined,
         fmt::format("{}: {}", name, message));
  sink->problem(name, kind, message, of_content);
}

ts_status ts_job::call(touchstone::HostedPlugin& plugin, const std::function<ts_status(void*)>& function) {
  using touchstone::ProblemKind;
  // Providers, and classifiers that take records, are called from inside another plugin: blame and reports go
  // back to that one afterwards.
  touchstone::HostedPlugin* const outer = current;
  if (outer) {
    if (const std::string refused = watch->leave(); !refused.empty()) report(ProblemKind::sandbox, refused);
  }
  current = &plugin;
  plugin.failure.clear();
  const std::uint64_t nested_before = std::exchange(nested_cpu_us, 0);
  timespec before{}, after{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  watch->enter(plugin.index);
  const ts_status status = function(plugin.self);
  const std::string refused = watch->leave();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const auto spent = static_cast<std::uint64_t>((after.tv_sec - before.tv_sec) * 1'000'000 +
                                                (after.tv_nsec - before.tv_nsec) / 1000);
  plugin.timing.cpu_us += spent - std::min(spent, nested_cpu_us);
  nested_cpu_us = nested_before + spent;
  ++plugin.timing.calls;
  if (!refused.empty()) report(ProblemKind::sandbox, refused);
  if (status != TS_OK && status != TS_DONE && (status != TS_UNSUPPORTED || !plugin.failure.empty())) {
    report(problem_of(status), plugin.failure.empty() ? "failed without a reason" : plugin.failure);
  }
  current = outer;
  if (outer) watch->enter(outer->index);
  return status;
}

#include "plugin/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plugin/job.hpp"
#include "plugin/matcher.hpp"

namespace touchstone {
namespace {

ts_value abi_value(const Value& value) {
  ts_value raw{TS_NULL, 0, 0, {nullptr, 0}};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    raw.kind = TS_INTEGER, raw.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&value)) {
    raw.kind = TS_REAL, raw.real = *real;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    raw.kind = TS_TEXT, raw.text = {text->data(), text->size()};
  }
  return raw;
}

}  // namespace

struct PluginSession::State {
  Watch* watch = nullptr;
  std::vector<std::unique_ptr<HostedPlugin>> plugins;
  std::vector<PluginStatus> status;
  std::vector<DeclaredRule> rules;

  ts_job new_job(const ItemContext& item, Content& content, ResultSink& sink, Examination& out) {
    ts_job job;
    job.item = &item;
    job.content = &content;
    job.sink = &sink;
    job.examination = &out;
    job.plugins = &plugins;
    job.watch = watch;
    return job;
  }
};

namespace {

/// How far each plugin is with one item.
enum class Phase { idle, open, done, closed };  // done: no more input, but finish() is due

/// One pass of all plugins over one item.
class Pass {
 public:
  Pass(ts_job& job, PluginSession::State& state)
      : job_(job), state_(state), phase_(state.plugins.size(), Phase::idle) {}

  /// Plugins that are due for this item, and what becomes of those left out.
  void select() {
    for (const auto& plugin : state_.plugins) {
      const std::size_t i = static_cast<std::size_t>(plugin->index);
      const ts_plugin_v1& table = plugin->table();
      const std::string& name = plugin->file->name;
      if (!plugin->ready || !(table.roles & (TS_ROLE_EXTRACTOR | TS_ROLE_CLASSIFIER))) continue;
      if (job_.item->rows_only && name != "appdata") continue;
      if (!job_.item->only.empty() && !job_.item->only.contains(name)) continue;
      if (!matches(table, *job_.item, *job_.content)) continue;
      if (job_.item->skip.contains(name)) {
        job_.examination->not_run.push_back(static_cast<std::uint32_t>(i));
        job_.worsen(ItemState::partly_examined, name + " was left out after it failed twice");
        continue;
      }
      job_.examination->ran.push_back(static_cast<std::uint32_t>(i));
      // What depends on bytes alone was given before; but records of this item still want their classifiers.
      const bool reused = job_.examination->reused && table.scope == TS_SCOPE_CONTENT;
      if (!reused) due_.push_back(plugin.get());
      if (reused && (table.inputs & TS_INPUT_RECORDS)) records_only_.push_back(plugin.get());
    }
    const auto takes_records = [](const HostedPlugin* p) {
      return (p->table().inputs & TS_INPUT_RECORDS) != 0;
    };
    job_.keep_records = !records_only_.empty() || std::any_of(due_.begin(), due_.end(), takes_records);
    job_.flush_records = [this] { flush_records(false); };
  }

  bool wants(std::uint32_t input) const {
    return std::any_of(due_.begin(), due_.end(),
                       [&](const HostedPlugin* p) { return (p->table().inputs & input) != 0; });
  }

  /// Content too large for memory: every plugin that takes data sees the blocks while they are read.
  bool stream(std::uint64_t offset, std::span<const std::byte> block) {
    bool any = false;
    for (HostedPlugin* plugin : due_) {
      if (!(plugin->table().inputs & TS_INPUT_DATA)) continue;
      if (!open(*plugin)) continue;
      any = give_data(*plugin, offset, block) || any;
    }
    streamed_ = true;
    return any;
  }

  void run() {
    for (HostedPlugin* plugin : due_) {
      const ts_plugin_v1& table = plugin->table();
      if (table.costly && job_.known) {
        // Spared: it neither ran nor failed to.
        phase_[index(*plugin)] = Phase::closed;
        std::erase(job_.examination->ran, static_cast<std::uint32_t>(plugin->index));
        continue;
      }
      if (!open(*plugin)) {
        if (phase_[index(*plugin)] == Phase::done && !takes_more(*plugin)) close(*plugin);
        continue;
      }
      if ((table.inputs & TS_INPUT_DATA) && !streamed_) give_all_data(*plugin);
      if (!takes_more(*plugin)) close(*plugin);
      flush_records(false);
    }
    give_text();
    // What extractors say last still goes to classifiers.
    for (HostedPlugin* plugin : due_) {
      if (plugin->table().roles & TS_ROLE_EXTRACTOR) close(*plugin);
    }
    flush_records(true);
    for (HostedPlugin* plugin : due_) close(*plugin);
    for (HostedPlugin* plugin : records_only_) close(*plugin);
  }

 private:
  static bool takes_more(const HostedPlugin& plugin) {
    return (plugin.table().inputs & (TS_INPUT_TEXT | TS_INPUT_RECORDS)) != 0;
  }
  static std::size_t index(const HostedPlugin& plugin) { return static_cast<std::size_t>(plugin.index); }

  bool open(HostedPlugin& plugin) {
    Phase& phase = phase_[index(plugin)];
    if (phase != Phase::idle) return phase == Phase::open;
    const ts_status status = job_.call(plugin, [&](void* self) { return plugin.table().begin(self, &job_); });
    phase = status == TS_OK ? Phase::open : status == TS_DONE ? Phase::done : Phase::closed;
    return phase == Phase::open;
  }

  void close(HostedPlugin& plugin) {
    Phase& phase = phase_[index(plugin)];
    if (phase != Phase::open && phase != Phase::done) return;
    phase = Phase::closed;
    job_.call(plugin, [&](void* self) { return plugin.table().finish(self, &job_); });
  }

  bool give_data(HostedPlugin& plugin, std::uint64_t offset, std::span<const std::byte> block) {
    if (phase_[index(plugin)] != Phase::open) return false;
    const ts_bytes bytes{reinterpret_cast<const std::uint8_t*>(block.data()), block.size()};
    plugin.timing.bytes += block.size();
    const ts_status status =
        job_.call(plugin, [&](void* self) { return plugin.table().data(self, &job_, offset, bytes); });
    if (status == TS_OK) return true;
    // TS_DONE: enough data, but text and records may still come.
    const bool more = (plugin.table().inputs & (TS_INPUT_TEXT | TS_INPUT_RECORDS)) != 0;
    if (status != TS_DONE) phase_[index(plugin)] = Phase::closed;
    if (status == TS_DONE && !more) phase_[index(plugin)] = Phase::done;
    return false;
  }

  void give_all_data(HostedPlugin& plugin) {
    const auto bytes = job_.content->bytes();
    for (std::size_t offset = 0; offset < bytes.size(); offset += Content::kBlock) {
      const auto block = bytes.subspan(offset, std::min(Content::kBlock, bytes.size() - offset));
      if (!give_data(plugin, offset, block)) return;
    }
  }

  void give_text() {
    std::vector<HostedPlugin*> readers;
    for (HostedPlugin* plugin : due_) {
      if ((plugin->table().inputs & TS_INPUT_TEXT) && phase_[index(*plugin)] == Phase::open)
        readers.push_back(plugin);
    }
    if (readers.empty() || job_.content->size() == 0) return;
    TextWindows windows([&](std::uint64_t offset, std::size_t overlap, std::string_view window) {
      bool any = false;
      for (HostedPlugin*& reader : readers) {
        if (!reader) continue;
        const ts_status status = job_.call(*reader, [&](void* self) {
          return reader->table().text(self, &job_, offset, overlap, {window.data(), window.size()});
        });
        if (status != TS_OK) reader = nullptr;
        any = any || reader;
      }
      return any;
    });
    make_text(windows);
    windows.finish();
  }

  void make_text(TextWindows& windows) {
    state_.watch->enter(-1);
    std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(job_.content->size(), 65536)), '\0');
    const auto got = job_.content->source().read_at(0, std::as_writable_bytes(std::span(head)));
    head.resize(got ? *got : 0);
    const std::string encoding = detect_text_encoding(head, job_.content->media_type());
    if (!encoding.empty()) {
      const auto replaced = convert_text(job_.content->source(), encoding, windows);
      job_.current = nullptr;
      if (!replaced) job_.report(ProblemKind::unsupported, replaced.error().message);
      return;
    }
    job_.text_out = &windows;
    for (const auto& plugin : state_.plugins) {
      const ts_plugin_v1& table = plugin->table();
      if (!plugin->ready || !(table.roles & TS_ROLE_PROVIDER) || !(table.provides & TS_FACET_TEXT)) continue;
      if (!matches(table, *job_.item, *job_.content) || job_.item->skip.contains(plugin->file->name))
        continue;
      if (job_.call(*plugin, [&](void* self) { return table.provide(self, &job_, TS_FACET_TEXT); }) !=
          TS_UNSUPPORTED)
        break;
    }
    job_.text_out = nullptr;
  }

  void flush_records(bool all) {
    if (std::exchange(flushing_, true)) return;  // a classifier that gives records itself
    while (job_.pending_records.size() >= ts_job::kRecordBatch || (all && !job_.pending_records.empty())) {
      const std::size_t count = std::min(ts_job::kRecordBatch, job_.pending_records.size());
      std::vector<std::vector<ts_field>> fields(count);
      std::vector<ts_record> batch(count);
      for (std::size_t i = 0; i < count; ++i) {
        const Record& record = job_.pending_records[i];
        for (const auto& [name, value] : record.fields)
          fields[i].push_back({{name.data(), name.size()}, abi_value(value)});
        batch[i] = {{record.kind.data(), record.kind.size()},
                    {record.key.data(), record.key.size()},
                    fields[i].data(),
                    fields[i].size()};
      }
      for (auto* list : {&due_, &records_only_}) {
        for (HostedPlugin* plugin : *list) give_records(*plugin, batch);
      }
      job_.pending_records.erase(job_.pending_records.begin(),
                                 job_.pending_records.begin() + static_cast<std::ptrdiff_t>(count));
    }
    flushing_ = false;
  }

  void give_records(HostedPlugin& plugin, const std::vector<ts_record>& batch) {
    const ts_plugin_v1& table = plugin.table();
    if (!(table.inputs & TS_INPUT_RECORDS) || (table.costly && job_.known)) return;
    std::vector<ts_record> wanted;
    for (const ts_record& record : batch) {
      if (matches_record_kind(table.matcher, {record.kind.data, record.kind.size})) wanted.push_back(record);
    }
    if (wanted.empty() || !open(plugin)) return;
    const ts_status status = job_.call(
        plugin, [&](void* self) { return table.records(self, &job_, wanted.data(), wanted.size()); });
    if (status != TS_OK) phase_[index(plugin)] = status == TS_DONE ? Phase::done : Phase::closed;
  }

  ts_job& job_;
  PluginSession::State& state_;
  std::vector<Phase> phase_;
  std::vector<HostedPlugin*> due_, records_only_;
  bool streamed_ = false, flushing_ = false;
};

}  // namespace

PluginSession::PluginSession(const std::vector<PluginSetup>& plugins, Watch& watch)
    : state_(std::make_unique<State>()) {
  state_->watch = &watch;
  for (const PluginSetup& setup : plugins) {
    auto plugin = std::make_unique<HostedPlugin>();
    fill_host_table(plugin->api);
    plugin->file = setup.file;
    plugin->settings = setup.settings;
    plugin->index = static_cast<int>(state_->plugins.size());
    plugin->rules = &state_->rules;
    watch.enter(plugin->index);
    const ts_status status = plugin->table().create(&plugin->api, &plugin->self);
    watch.leave();
    plugin->ready = status == TS_OK;
    PluginStatus result{setup.file->name, plugin->table().version, plugin->ready, ProblemKind::crash,
                        plugin->failure};
    if (status == TS_MODEL_MISSING) result.kind = ProblemKind::model_missing;
    if (!plugin->ready && result.reason.empty()) result.reason = "could not be set up";
    state_->status.push_back(std::move(result));
    state_->plugins.push_back(std::move(plugin));
  }
}

PluginSession::~PluginSession() {
  for (auto& plugin : state_->plugins) {
    if (plugin->ready) plugin->table().destroy(plugin->self);
  }
}

const std::vector<PluginStatus>& PluginSession::status() const {
  return state_->status;
}
const std::vector<DeclaredRule>& PluginSession::rules() const {
  return state_->rules;
}
std::size_t PluginSession::count() const {
  return state_->plugins.size();
}
const ts_plugin_v1& PluginSession::table(std::size_t plugin) const {
  return state_->plugins[plugin]->table();
}

std::vector<StageTiming> PluginSession::take_timings() {
  std::vector<StageTiming> timings;
  for (auto& plugin : state_->plugins) timings.push_back(std::exchange(plugin->timing, {}));
  return timings;
}

Status PluginSession::examine(const ItemContext& item, Content& content, Hasher& hasher,
                              const MediaTyper& typer, ResultSink& sink, Examination& out) {
  ts_job job = state_->new_job(item, content, sink, out);
  Pass pass(job, *state_);
  bool selected = false;
  const bool large = content.size() > Content::kInMemory;
  const auto on_block = [&](std::uint64_t offset, std::span<const std::byte> block) {
    if (!selected) pass.select();
    selected = true;
    return pass.stream(offset, block);
  };
  const std::function<bool(std::uint64_t, std::span<const std::byte>)> none;
  if (auto read = content.read(hasher, typer, large ? on_block : none); !read) return read.error();
  for (const Gap& gap : content.gaps()) {
    job.current = nullptr;
    job.report(ProblemKind::unreadable, text_of(gap));
  }
  if (!selected) {
    // Content that was streamed was not known to be a repeat when its plugins began.
    out.reused =
        content.gaps().empty() && item.reuse_content_if && item.reuse_content_if(content.digests().sha256);
    pass.select();
  }
  pass.run();
  state_->watch->enter(-1);
  return {};
}

std::vector<int> PluginSession::container_readers(const ItemContext& item, Content& content) const {
  std::vector<int> by_name, others;
  if (item.rows_only) return by_name;
  for (const auto& plugin : state_->plugins) {
    const ts_plugin_v1& table = plugin->table();
    if (!plugin->ready || !(table.inputs & TS_INPUT_MEMBERS)) continue;
    if (!item.only.empty() && !item.only.contains(plugin->file->name)) continue;
    if (item.skip.contains(plugin->file->name) || !matches(table, item, content)) continue;
    // One that asks for a name knows better than one that takes anything.
    const bool asks_for_name =
        table.scope == TS_SCOPE_ITEM && table.matcher.name_globs && *table.matcher.name_globs;
    (asks_for_name ? by_name : others).push_back(plugin->index);
  }
  by_name.insert(by_name.end(), others.begin(), others.end());
  return by_name;
}

void PluginSession::list_members(int plugin, const ItemContext& item, Content& content, ResultSink& sink,
                                 const std::function<bool(MemberInfo&&)>& each, Examination& out) {
  ts_job job = state_->new_job(item, content, sink, out);
  job.on_member = each;
  job.for_members = true;
  HostedPlugin& hosted = *state_->plugins[static_cast<std::size_t>(plugin)];
  job.call(hosted, [&](void* self) { return hosted.table().list(self, &job); });
  state_->watch->enter(-1);
}

void PluginSession::extract_members(int plugin, const ItemContext& item, Content& content, ResultSink& sink,
                                    std::uint32_t first, std::uint32_t count,
                                    const std::function<bool(std::uint32_t, const Pull&)>& each,
                                    Examination& out) {
  ts_job job = state_->new_job(item, content, sink, out);
  HostedPlugin& hosted = *state_->plugins[static_cast<std::size_t>(plugin)];
  job.for_members = true;
  job.on_member_data = [&](std::uint32_t ordinal, const Pull& pull) {
    state_->watch->enter(hosted.index);
    return each(ordinal, pull);
  };
  job.call(hosted, [&](void* self) { return hosted.table().extract(self, &job, first, count); });
  state_->watch->enter(-1);
}

}  // namespace touchstone

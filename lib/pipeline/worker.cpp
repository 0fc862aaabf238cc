#include "pipeline/worker.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "content/picture.hpp"
#include "content/text.hpp"
#include "model/locator.hpp"
#include "pipeline/worker_state.hpp"
#include "pipeline/worker_windows.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kPartBytes = 4U << 20;

std::uint64_t cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
}

const char* stage_name(wire::UnitKind kind) {
  switch (kind) {
    case wire::UNIT_VOLUMES:
      return "volumes";
    case wire::UNIT_VERIFY:
      return "verify";
    case wire::UNIT_DIRECTORY:
      return "enumerate";
    case wire::UNIT_ITEM:
      return "read and identify";
    case wire::UNIT_MEMBERS:
      return "members";
    case wire::UNIT_PREVIEW:
      return "previews";
    default:
      return "other";
  }
}

void set_value(wire::Value& out, Value&& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out.set_integer(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out.set_real(*real);
  } else if (auto* text = std::get_if<std::string>(&value)) {
    out.set_text(std::move(*text));
  }
}

}  // namespace

void set_problem(wire::Problem& out, std::uint32_t index, std::string_view key, std::string_view plugin,
                 ProblemKind kind, std::string_view message) {
  out.set_index(index);
  out.set_key(std::string(key));
  out.set_plugin(std::string(plugin));
  out.set_kind(to_text(kind));
  out.set_message(std::string(message));
}

ProblemKind problem_kind(ErrorCode code) {
  switch (code) {
    case ErrorCode::io:
    case ErrorCode::not_found:
      return ProblemKind::unreadable;
    case ErrorCode::unsupported:
      return ProblemKind::unsupported;
    case ErrorCode::encrypted:
      return ProblemKind::encrypted;
    case ErrorCode::limit:
      return ProblemKind::limit;
    case ErrorCode::integrity:
      return ProblemKind::integrity;
    default:
      return ProblemKind::corrupt;
  }
}

void set_failed(wire::Examined& examined, const Error& error) {
  examined.set_state(to_text(error.code == ErrorCode::encrypted     ? ItemState::encrypted
                             : error.code == ErrorCode::unsupported ? ItemState::unsupported
                                                                    : ItemState::failed));
  examined.set_reason(error.message);
}

void UnitOutput::grew(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ < kPartBytes) return;
  // Only what belongs to items goes early: what depends on bytes alone is sent with the final part, whole.
  wire::Result part;
  part.set_unit(result_.unit());
  const auto of_content = [](const wire::Record& record) {
    return record.kind() == "picture" || record.kind() == "video" || record.kind() == "document";
  };
  if (std::none_of(result_.records().begin(), result_.records().end(), of_content)) {
    part.mutable_records()->Swap(result_.mutable_records());
  } else {
    google::protobuf::RepeatedPtrField<wire::Record> kept_records;
    for (auto& record : *result_.mutable_records())
      (of_content(record) ? kept_records : *part.mutable_records()).Add(std::move(record));
    result_.mutable_records()->Swap(&kept_records);
  }
  google::protobuf::RepeatedPtrField<wire::Finding> kept_findings;
  for (auto& finding : *result_.mutable_findings()) {
    (finding.of_content() ? kept_findings : *part.mutable_findings()).Add(std::move(finding));
  }
  result_.mutable_findings()->Swap(&kept_findings);
  // Groups point at items of the same part.
  part.mutable_new_items()->Swap(result_.mutable_new_items());
  part.mutable_groups()->Swap(result_.mutable_groups());
  emit_(part);
  // What a record takes is taken again for the next ones.
  if (result_.records().empty()) {
    part.mutable_records()->Clear();
    part.mutable_records()->Swap(result_.mutable_records());
  }
  bytes_ = 0;
}

void UnitOutput::finish() {
  result_.set_final(true);
  emit_(result_);
}

void ItemSink::record(Record&& record, const std::string& plugin) {
  wire::Record& out = *output_.result().add_records();
  out.set_index(index_);
  std::size_t bytes = record.key.size() + 64;
  out.set_kind(std::move(record.kind));
  out.set_key(std::move(record.key));
  out.set_plugin(plugin);
  out.mutable_fields()->Reserve(static_cast<int>(record.fields.size()));
  for (auto& [name, value] : record.fields) {
    wire::Field& field = *out.add_fields();
    bytes += name.size() + 16;
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    field.set_name(std::move(name));
    set_value(*field.mutable_value(), std::move(value));
  }
  output_.grew(bytes);
}

void ItemSink::finding(Finding&& finding, bool of_content) {
  if (of_content && of_place_) {
    // The bytes stand for this place alone: so does what is found in them.
    const std::size_t at = finding.key.find(finding.content_sha256);
    if (!finding.content_sha256.empty() && at != std::string::npos)
      finding.key.replace(at, finding.content_sha256.size(), locator_);
    finding.content_sha256.clear();
    of_content = false;
    if (window_ != nullptr) finding.position = window_position(*window_, finding.position);
  }
  wire::Finding& out = *output_.result().add_findings();
  out.set_index(index_);
  out.set_of_content(of_content);
  out.set_key(finding.key);
  out.set_plugin(finding.plugin);
  out.set_plugin_version(finding.plugin_version);
  out.set_rule(finding.rule);
  out.set_category(finding.category);
  out.set_title(finding.title);
  out.set_detail(finding.detail);
  out.set_position(finding.position);
  out.set_record_kind(finding.record_kind);
  out.set_record_key(finding.record_key);
  out.set_confidence(finding.confidence);
  output_.grew(finding.key.size() + finding.title.size() + finding.detail.size() + 128);
}

void ItemSink::problem(const std::string& plugin, ProblemKind kind, std::string_view message,
                       bool of_content) {
  std::string key = join_key({"problem", plugin, to_text(kind), locator_, message});
  if (const int count = ++seen_[key]; count > 1) key += '#' + std::to_string(count);
  wire::Problem& out = *output_.result().add_problems();
  set_problem(out, index_, key, plugin, kind, message);
  out.set_of_content(of_content);
  if (of_content) content_problems_.push_back(output_.result().problems_size() - 1);
}

void ItemSink::set_content(const std::string& sha256) {
  if (sha256.empty()) return;
  for (const int each : content_problems_) {
    wire::Problem& problem = *output_.result().mutable_problems(each);
    const std::size_t at = problem.key().find(locator_);
    if (at != std::string::npos) problem.mutable_key()->replace(at, locator_.size(), sha256);
  }
}

Worker::Worker(Watch& watch, std::function<std::string(const wire::Config&)> before_units)
    : state_(std::make_unique<State>()) {
  state_->watch = &watch;
  state_->before_units = std::move(before_units);
}

Worker::~Worker() = default;

namespace {

void open_exhibits(Worker::State& state, wire::Ready& ready) {
  for (const wire::ExhibitConfig& config : state.config.exhibits()) {
    OpenExhibit exhibit;
    exhibit.ref = config.ref();
    exhibit.volume_options.zone = config.time_zone();
    exhibit.volume_options.secrets.candidates = {state.config.secrets().begin(),
                                                 state.config.secrets().end()};
    exhibit.volume_options.free_space = !state.config.no_free_space();
    wire::ExhibitReady& out = *ready.add_exhibits();
    auto gate = ScopeGate::make(state.case_file.get(), config.ref(),
                                parse_role(config.role()).value_or(Role::unknown), state.config.rules_dir(),
                                state.apps);
    if (!gate) {
      ready.set_error(gate.error().message);
      return;
    }
    exhibit.gate = std::make_unique<ScopeGate>(gate.take());
    if (auto zone = TimeZone::load(config.time_zone())) exhibit.time_zone = zone.take();
    auto source = open_exhibit(config.path(), exhibit.volume_options.secrets);
    if (source) {
      exhibit.source = source.take();
      const ImageInfo& info = exhibit.source->info();
      exhibit.problems_at_opening = info.problems.size();
      out.set_format(info.format);
      out.set_size(info.size);
      out.set_stored_md5(info.stored_md5);
      out.set_stored_sha1(info.stored_sha1);
      out.set_metadata(
          nlohmann::json(info.metadata).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
      for (const Problem& problem : info.problems) {
        set_problem(*out.add_problems(), 0,
                    join_key({"problem", "evidence", to_text(problem.kind), config.ref(), problem.message}),
                    "evidence", problem.kind, problem.message);
      }
    } else {
      exhibit.error = source.error().message;
      out.set_error(exhibit.error);
    }
    state.exhibits.push_back(std::move(exhibit));
  }
}

void load_session(Worker::State& state, wire::Ready& ready) {
  std::vector<PluginSetup> setups;
  state.plugin_files.reserve(static_cast<std::size_t>(state.config.plugins_size()));
  for (const wire::PluginConfig& config : state.config.plugins()) {
    state.plugin_files.push_back(load_plugin(config.path()));
    if (state.plugin_files.back().usable()) setups.push_back({&state.plugin_files.back(), config.settings()});
  }
  state.session = std::make_unique<PluginSession>(setups, *state.watch);
  for (const PluginStatus& status : state.session->status()) {
    wire::PluginReady& out = *ready.add_plugins();
    out.set_name(status.name);
    out.set_version(status.version);
    out.set_ok(status.ok);
    out.set_kind(to_text(status.kind));
    out.set_reason(status.reason);
  }
  for (const DeclaredRule& rule : state.session->rules()) {
    wire::DeclaredRule& out = *ready.add_rules();
    out.set_plugin(rule.plugin);
    out.set_rule(rule.rule);
    out.set_version(rule.version);
    out.set_title(rule.title);
  }
}

/// Everything that libraries load when first used, before the sandbox closes.
void warm_up(wire::Ready& ready) {
  cv::setNumThreads(1);
  for (const std::string& missing : {warm_up_text(), warm_up_pictures()}) {
    if (!missing.empty()) ready.add_warnings(missing);
  }
}

}  // namespace

wire::Ready Worker::configure(const wire::Config& config) {
  wire::Ready ready;
  state_->config = config;
  if (!config.case_file().empty()) {
    auto parsed = parse_case_file(config.case_file(), config.case_file_path());
    if (!parsed) {
      ready.set_error(parsed.error().message);
      return ready;
    }
    state_->case_file = std::make_unique<CaseFile>(parsed.take());
  }
  auto apps = load_app_definitions(config.rules_dir());
  auto order = load_order_rules(config.rules_dir());
  auto typer = MediaTyper::load();
  for (const Error* error :
       {apps ? nullptr : &apps.error(), order ? nullptr : &order.error(), typer ? nullptr : &typer.error()}) {
    if (!error) continue;
    ready.set_error(error->message);
    return ready;
  }
  state_->apps = std::make_shared<const std::vector<AppDefinition>>(apps.take());
  state_->order = order.take();
  state_->typer = typer.take();
  open_exhibits(*state_, ready);
  if (!ready.error().empty()) return ready;
  load_session(*state_, ready);
  warm_up(ready);
  state_->watch->enter(-1);
  ready.set_sandbox(state_->before_units(config));
  return ready;
}

void Worker::run(const wire::Unit& unit, const std::function<void(wire::Result&)>& emit) {
  UnitOutput output(unit.id(), emit);
  State& state = *state_;
  const std::uint64_t before = cpu_us();
  state.forget_nested();
  try {
    switch (unit.kind()) {
      case wire::UNIT_VOLUMES:
        state.list_volumes_of(unit, output);
        break;
      case wire::UNIT_VERIFY:
        state.verify(unit, output);
        break;
      case wire::UNIT_DIRECTORY:
        state.list_directory(unit, output);
        break;
      case wire::UNIT_ITEM:
        state.examine_item(unit, output);
        break;
      case wire::UNIT_MEMBERS:
        state.examine_members(unit, output);
        break;
      case wire::UNIT_PREVIEW:
        state.make_preview_of(unit, output);
        break;
      default:
        break;
    }
  } catch (const std::exception& error) {
    // Outside a plugin: memory ran out, or one of our own invariants broke. It costs this unit, not the run.
    const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    Problem problem;
    problem.kind = memory ? ProblemKind::memory : ProblemKind::crash;
    problem.message = memory ? "not enough memory for this item" : error.what();
    problem.plugin = "content";
    state.add_problem(output, unit, problem,
                      unit.kind() == wire::UNIT_VOLUMES || unit.kind() == wire::UNIT_VERIFY);
    wire::Examined& examined = *output.result().add_examined();
    examined.set_state(to_text(ItemState::failed));
    examined.set_reason(problem.message);
  }
  std::uint64_t in_plugins = 0;
  const auto timings = state.session->take_timings();
  for (std::size_t i = 0; i < timings.size(); ++i) {
    if (timings[i].calls == 0) continue;
    in_plugins += timings[i].cpu_us;
    wire::Timing& timing = *output.result().add_timings();
    timing.set_stage(state.session->status()[i].name);
    timing.set_calls(timings[i].calls);
    timing.set_cpu_us(timings[i].cpu_us);
    timing.set_bytes(timings[i].bytes);
  }
  wire::Timing& own = *output.result().add_timings();
  own.set_stage(stage_name(unit.kind()));
  own.set_calls(1);
  const std::uint64_t spent = cpu_us() - before;
  own.set_cpu_us(spent > in_plugins ? spent - in_plugins : 0);
  own.set_bytes(output.result().bytes_read());
  output.finish();
}

}  // namespace touchstone

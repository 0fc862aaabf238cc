#include "pipeline/coordinator.hpp"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/locator.hpp"
#include "pipeline/worker.hpp"

namespace touchstone {
namespace {

// Metadata of a volume are at most about this part of it.
constexpr std::uint64_t kMetadataShare = 64;

// Units a worker holds at once: enough that it never waits, few enough that little is given back when it
// ends.
constexpr std::size_t kGiven = 16;
constexpr int kPollMs = 50;
constexpr std::uint64_t kCommitUs = 500'000;
constexpr int kChargesAllowed = 2;
// A wall-clock stop comes after this many times the CPU allowance: it catches what sleeps.
constexpr std::uint64_t kWallFactor = 10;
constexpr std::size_t kSetupDeaths = 3;
constexpr std::size_t kSetupKills = 50;

std::string plugin_name(const Triage::State& state, int plugin) {
  if (plugin < 0 || static_cast<std::size_t>(plugin) >= state.plugins.size()) return {};
  return state.plugins[static_cast<std::size_t>(plugin)]->name;
}

}  // namespace

Coordinator::Coordinator(Triage::State& state, Progress& progress)
    : state_(state),
      writer_(*state.writer),
      progress_(progress),
      results_(state, progress),
      directories_(state, progress) {}

Coordinator::~Coordinator() = default;

void Coordinator::queue(const ResultWriter::NewUnit& unit) {
  ++progress_.units_open;
  if (unit.directory) {
    directories_.add(unit);
  } else {
    pending_[unit.level].push({unit.priority, unit.id});
  }
}

void Coordinator::open_directories() {
  for (const ResultWriter::NewUnit& unit : directories_.take_open())
    pending_[unit.level].push({unit.priority, unit.id});
}

void Coordinator::finished(std::int64_t unit) {
  --progress_.units_open;
  directories_.done(unit);
  open_directories();
}

void Coordinator::load_pending() {
  writer_.begin();
  for (const std::int64_t id : writer_.partial_units()) writer_.take_back(id);
  writer_.commit();
  directories_.load();
  writer_.each_open_unit([&](std::int64_t id, int level, std::int64_t priority, UnitState) {
    if (directories_.holds(id)) {
      ++progress_.units_open;
    } else {
      queue({id, level, priority, {}});
    }
  });
  open_directories();
}

bool Coordinator::anything_left() const {
  if (!again_.empty()) return true;
  return std::any_of(pending_.begin(), pending_.end(), [](const auto& each) { return !each.second.empty(); });
}

bool Coordinator::fetch(Task& task) {
  if (!again_.empty()) {
    task = std::move(again_.front());
    again_.pop_front();
    ++under_way_[task.row.level];
    return true;
  }
  for (auto& [level, open] : pending_) {
    if (level > open_level_) {
      limit_container_places(writer_, level);
      open_level_ = level;
    }
    while (!open.empty()) {
      const Pending next = open.top();
      open.pop();
      auto row = writer_.find_unit(next.id);
      if (!row) {  // its container was one of too many
        finished(next.id);
        continue;
      }
      task.row = std::move(*row);
      if (!task.spec.ParseFromString(task.row.spec))
        throw CaseError(fmt::format("case.db: unit {} cannot be read", next.id));
      task.spec.set_id(static_cast<std::uint64_t>(next.id));
      if (task.spec.last()) add_kin(writer_, task.row.exhibit_id, task.spec);
      ++under_way_[level];
      return true;
    }
    // Members wait until everything around them was seen: which of many equal containers are opened must not
    // depend on who was first.
    if (under_way_[level] > 0) return false;
  }
  return false;
}

void Coordinator::give(Crew& crew) {
  while (crew.ready && crew.given.size() < kGiven) {
    Task task;
    if (!fetch(task)) return;
    wire::ToWorker message;
    *message.mutable_unit() = task.spec;
    crew.given.push_back(std::move(task));
    if (!crew.process->channel().send(message)) return;  // its end is noticed by the poll
  }
}

std::uint64_t Coordinator::allowance_us(const Task& task) const {
  std::uint64_t bytes = 0;
  if (task.spec.kind() == wire::UNIT_VERIFY)
    bytes = UINT64_MAX / 4;  // as long as the image is; CPU only while it reads
  for (const wire::Member& member : task.spec.members()) bytes += member.size();
  // Where free space lies is worked out by each worker that comes to it first, from the metadata of the whole
  // volume.
  std::uint64_t more = state_.exhibits[task.spec.place().exhibit()].packed_bytes;
  if (task.spec.place().address().find('@') != std::string::npos)
    more = task.spec.place().volume().size() / kMetadataShare;
  // A tree's index is made by each worker that comes to it first; of a compressed tar that means to decode
  // all of it.
  const std::string& tree = task.spec.place().volume().filesystem();
  if (tree.starts_with("tar.")) more += task.spec.place().volume().size();
  if (tree == "zip" || tree == "tar") more += task.spec.place().volume().size() / kMetadataShare;
  if (bytes == 0 && task.row.item_id != 0) {
    auto query = writer_.database().prepare("SELECT size FROM item_row WHERE id = ?1");
    query.bind(1, task.row.item_id);
    if (query.step()) bytes = static_cast<std::uint64_t>(query.integer(0));
  }
  // Four CPU seconds a 10 MB on top: slow, but no honest reader is slower.
  return static_cast<std::uint64_t>(state_.options.item_timeout) * 1'000'000U +
         (bytes + more) / 10'000'000U * 4'000'000U;
}

void Coordinator::start_worker(Crew& crew) {
  crew = Crew{};
  crew.process = WorkerHandle::spawn(state_.options.sandbox, state_.options.verbose);
  wire::ToWorker message;
  *message.mutable_config() = state_.config;
  crew.process->channel().send(message);
}

void Coordinator::setup_failed(Crew& crew, const WorkerHandle::End& end) {
  const std::string plugin = plugin_name(state_, crew.process->page().plugin.load());
  const std::string& how = end.text;
  // A kill from outside says nothing about the plugin; but what kills every worker ends the run in the end.
  if (end.by_signal && end.code == SIGKILL && ++kills_in_setup_ < kSetupKills) return;
  if (++deaths_in_setup_ > kSetupDeaths * (state_.plugins.size() + 1))
    throw std::runtime_error("workers cannot be set up: " + how);
  if (plugin.empty()) {
    if (deaths_in_setup_ >= kSetupDeaths) throw std::runtime_error("workers cannot be set up: " + how);
    return;
  }
  // A plugin that cannot even be set up is left out of the run, which says so.
  throw std::runtime_error(fmt::format(
      "the plugin {} ends its worker while it is set up ({}): run with --without {}", plugin, how, plugin));
}

void Coordinator::take_messages(Crew& crew) {
  const bool open = crew.process->channel().fill();
  while (true) {
    // Of many small parts, which are given back together.
    google::protobuf::Arena arena;
    wire::FromWorker& message = *google::protobuf::Arena::CreateMessage<wire::FromWorker>(&arena);
    const Channel::Next next = crew.process->channel().next(message);
    if (next == Channel::Next::none) break;
    bool sound = next == Channel::Next::message;
    if (sound && message.has_ready()) {
      if (!message.ready().error().empty()) throw std::runtime_error(message.ready().error());
      crew.ready = true;
      writer_.begin();
      results_.ready(message.ready());
      record_setup(message.ready());
    } else if (sound && message.has_result()) {
      sound = take_result(crew, message.result());
    }
    if (!sound) {
      crew.killed_for = "protocol";
      crew.process->kill();
      break;
    }
  }
  if (!open) worker_ended(crew);
}

bool Coordinator::take_result(Crew& crew, const wire::Result& result) {
  if (crew.given.empty() || crew.given.front().spec.id() != result.unit()) return false;
  Task& task = crew.given.front();
  if (!ResultWriter::is_sound(task.spec, result)) return false;
  writer_.begin();
  const auto next = results_.apply(task.row, task.spec, result);
  rows_since_commit_ += static_cast<std::uint64_t>(result.new_items_size() + result.records_size() + 2);
  if (!result.final()) {
    if (!crew.partial) writer_.mark_partial(task.row.id, true);
    crew.partial = true;
    crew.held_back.insert(crew.held_back.end(), next.begin(), next.end());
    return true;
  }
  if (crew.partial) writer_.mark_partial(task.row.id, false);
  crew.partial = false;
  writer_.set_unit_state(task.row.id, UnitState::done);
  for (const auto& unit : std::exchange(crew.held_back, {})) queue(unit);
  for (const auto& unit : next) queue(unit);
  --under_way_[task.row.level];
  finished(task.row.id);
  crew.given.pop_front();
  return true;
}

void Coordinator::check_deadline(Crew& crew) {
  if (!crew.ready || crew.given.empty() || !crew.killed_for.empty()) return;
  const WorkerPage& page = crew.process->page();
  const Task& task = crew.given.front();
  if (page.unit.load() != task.spec.id()) return;
  const std::uint64_t allowed = allowance_us(task);
  const std::uint64_t now = process_cpu_us(crew.process->pid());
  const std::uint64_t used = page.before_us.load() + (now - std::min(now, page.entered_us.load()));
  const std::uint64_t waited = wall_us() - page.entered_wall_us.load();
  if (used > allowed) {
    crew.killed_for = fmt::format("took more than {} CPU seconds", allowed / 1'000'000U);
  } else if (waited > allowed * kWallFactor && allowed < UINT64_MAX / kWallFactor / 4) {
    crew.killed_for = fmt::format("did not end within {} seconds of waiting (depends on the machine)",
                                  allowed * kWallFactor / 1'000'000U);
  } else {
    return;
  }
  crew.process->kill();
}

void Coordinator::worker_ended(Crew& crew) {
  const auto& page = crew.process->page();
  const std::uint64_t unit = page.unit.load();
  const int plugin = page.plugin.load();
  const bool no_memory = page.memory_refused.load() != 0;
  const WorkerHandle::End end = crew.process->wait();
  if (!crew.ready) {
    setup_failed(crew, end);
    start_worker(crew);
    return;
  }
  // What it did not begin goes to others, uncharged.
  std::deque<Task> given = std::move(crew.given);
  const bool partial = crew.partial;
  if (!given.empty() && partial) {
    writer_.begin();
    writer_.take_back(given.front().row.id);
  }
  for (std::size_t i = given.size(); i-- > 1;) put_back(std::move(given[i]));
  const bool ours = !crew.killed_for.empty();
  // A SIGKILL that we did not send came from outside: the administrator, or the kernel out of memory.
  const bool foreign = !ours && end.by_signal && end.code == SIGKILL;
  if (!given.empty()) {
    Task first = std::move(given.front());
    if (foreign || (unit != first.spec.id() && crew.killed_for.empty())) {
      put_back(std::move(first));
    } else {
      const bool late = ours && crew.killed_for != "protocol";
      const ProblemKind kind = late                                  ? ProblemKind::timeout
                               : no_memory                           ? ProblemKind::memory
                               : end.by_signal && end.code == SIGSYS ? ProblemKind::sandbox
                                                                     : ProblemKind::crash;
      blame(std::move(first), plugin, kind,
            late        ? crew.killed_for
            : no_memory ? "ran out of memory"
                        : "ended its worker: " + end.text);
    }
  }
  start_worker(crew);
}

void Coordinator::put_back(Task&& task) {
  --under_way_[task.row.level];
  again_.push_front(std::move(task));
}

void Coordinator::split_group(const Task& task) {
  for (int i = 0; i < task.spec.members_size(); ++i) {
    UnitRow row = task.row;
    wire::Unit one = task.spec;
    one.clear_members();
    *one.add_members() = task.spec.members(i);
    one.set_id(0);
    row.item_id = task.row.item_id + i;
    row.spec = one.SerializeAsString();
    queue({writer_.add_unit(row), row.level, row.priority, {}});
  }
  writer_.set_unit_state(task.row.id, UnitState::done);
  finished(task.row.id);
}

void Coordinator::blame(Task task, int plugin, ProblemKind kind, const std::string& how) {
  writer_.begin();
  --under_way_[task.row.level];
  if (task.spec.kind() == wire::UNIT_MEMBERS && task.spec.members_size() > 1) {
    split_group(task);  // find the one member that does it, so that the others keep their results
    return;
  }
  auto charges = nlohmann::json::parse(task.row.charges.empty() ? "{}" : task.row.charges, nullptr, false);
  if (!charges.is_object()) charges = nlohmann::json::object();
  const std::string name = plugin_name(state_, plugin);
  const std::string who = name.empty() ? "host" : name;
  const int count = charges.value(who, 0) + 1;
  charges[who] = count;
  task.row.charges = charges.dump();
  if (count >= kChargesAllowed && name.empty()) {
    results_.fail(task.row, task.spec,
                  kind == ProblemKind::timeout ? ItemState::timed_out : ItemState::failed, kind,
                  "reading it " + how);
    writer_.set_unit(task.row.id, UnitState::done, task.row.charges, task.row.spec);
    finished(task.row.id);
    return;
  }
  if (count >= kChargesAllowed) {
    task.spec.add_skip(name);
    wire::Problem problem;
    const std::string& locator =
        task.spec.members_size() == 1 ? task.spec.members(0).locator() : task.spec.place().locator();
    problem.set_key(join_key({"problem", name, to_text(kind), locator}));
    problem.set_plugin(name);
    problem.set_kind(to_text(kind));
    problem.set_message(fmt::format("{} {}; it was left out for this item", name, how));
    wire::Unit stored = task.spec;
    stored.set_id(0);
    task.row.spec = stored.SerializeAsString();
    // Kept apart from the unit's rows, which are taken back when an attempt fails.
    ResultWriter::add_problem(writer_, problem, task.row.item_id, task.row.exhibit_id, 0, 0);
    ++progress_.problems;
  }
  writer_.set_unit(task.row.id, UnitState::pending, task.row.charges, task.row.spec);
  again_.push_back(std::move(task));
}

void Coordinator::commit_if_due(bool now) {
  const std::uint64_t time = wall_us();
  if (!now && time - last_commit_us_ < kCommitUs && rows_since_commit_ < 20'000) return;
  writer_.commit();
  last_commit_us_ = time;
  rows_since_commit_ = 0;
}

void Coordinator::record_setup(const wire::Ready& ready) {
  if (setup_recorded_) return;
  setup_recorded_ = true;
  for (const wire::PluginReady& plugin : ready.plugins()) {
    writer_.database()
        .prepare("UPDATE plugin SET version = ?2, state = ?3, reason = ?4 WHERE name = ?1")
        .bind(1, plugin.name())
        .bind(2, plugin.version())
        .bind(3, plugin.ok() ? "ran" : plugin.kind())
        .bind(4, plugin.reason())
        .run();
    if (plugin.ok()) continue;
    writer_.database()
        .prepare("DELETE FROM problem WHERE key = ?1")
        .bind(1, join_key({"problem", plugin.name(), "run"}))
        .run();
    wire::Problem problem;
    problem.set_key(join_key({"problem", plugin.name(), "run"}));
    problem.set_plugin(plugin.name());
    problem.set_kind(plugin.kind());
    problem.set_message(plugin.name() + " did not take part in this run: " + plugin.reason());
    ResultWriter::add_problem(writer_, problem, 0, 0, 0, 0);
    ++progress_.problems;
  }
  writer_.set_setting("sandbox", ready.sandbox());
  for (const std::string& warning : ready.warnings()) state_.notes.push_back(warning);
}

RunEnd Coordinator::run(const std::function<void(const Progress&)>& report,
                        const std::function<int()>& stop) {
  load_pending();
  if (!anything_left()) return RunEnd::complete;
  if (state_.jobs == 0) return run_in_process(report, stop);
  crews_.resize(static_cast<std::size_t>(state_.jobs));
  for (Crew& crew : crews_) start_worker(crew);
  RunEnd end = RunEnd::complete;
  while (true) {
    const int wish = stop();
    if (wish == 2) {
      end = RunEnd::stopped;
      break;
    }
    if (wish == 0) {
      for (Crew& crew : crews_) give(crew);
    }
    const bool busy =
        std::any_of(crews_.begin(), crews_.end(), [](const Crew& crew) { return !crew.given.empty(); });
    const bool setting_up =
        std::any_of(crews_.begin(), crews_.end(), [](const Crew& crew) { return !crew.ready; });
    if (!busy && (wish != 0 || (!anything_left() && !setting_up))) {
      if (wish != 0 && anything_left()) end = RunEnd::stopped;
      break;
    }
    std::vector<pollfd> polled;
    for (const Crew& crew : crews_) polled.push_back({crew.process->fd(), POLLIN, 0});
    poll(polled.data(), polled.size(), kPollMs);
    for (std::size_t i = 0; i < crews_.size(); ++i) {
      if (polled[i].revents != 0) take_messages(crews_[i]);
      check_deadline(crews_[i]);
    }
    commit_if_due(false);
    report(progress_);
  }
  for (Crew& crew : crews_) {
    // Rows of a unit that was cut off go with it.
    if (!crew.given.empty() && crew.partial) {
      writer_.begin();
      writer_.take_back(crew.given.front().row.id);
    }
  }
  crews_.clear();
  commit_if_due(true);
  report(progress_);
  return end;
}

RunEnd Coordinator::run_in_process(const std::function<void(const Progress&)>& report,
                                   const std::function<int()>& stop) {
  PageWatch watch(nullptr);
  Worker worker(watch, [](const wire::Config&) {
    return nlohmann::json{{"level", "none: in one process"}}.dump();
  });
  const wire::Ready ready = worker.configure(state_.config);
  if (!ready.error().empty()) throw std::runtime_error(ready.error());
  writer_.begin();
  results_.ready(ready);
  record_setup(ready);
  Crew crew;
  Task task;
  while (stop() == 0 && fetch(task)) {
    crew.given.push_back(std::move(task));
    const wire::Unit spec = crew.given.front().spec;
    watch.start_unit(spec.id());
    worker.run(spec, [&](const wire::Result& result) { take_result(crew, result); });
    commit_if_due(false);
    report(progress_);
    task = Task{};
  }
  commit_if_due(true);
  return anything_left() ? RunEnd::stopped : RunEnd::complete;
}

}  // namespace touchstone

#include "pipeline/triage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "model/locator.hpp"
#include "pipeline/coordinator.hpp"
#include "rules/check.hpp"
#include "rules/keyword_pack.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

TimeUs now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What two fingerprints differ in, in words.
std::string difference(const std::string& before, const std::string& after) {
  const auto a = nlohmann::json::parse(before, nullptr, false),
             b = nlohmann::json::parse(after, nullptr, false);
  std::string text;
  for (const auto& change : nlohmann::json::diff(a, b)) {
    if (!text.empty()) text += ", ";
    std::string path = change.value("path", std::string("/")).substr(1);
    for (std::size_t at = path.find("~1"); at != std::string::npos; at = path.find("~1", at))
      path.replace(at, 2, "/");
    text += path;
    if (text.size() > 400) return text + " …";
  }
  return text;
}

void add_first_units(Triage::State& state) {
  CaseWriter& writer = *state.writer;
  for (std::size_t i = 0; i < state.exhibits.size(); ++i) {
    ExhibitPlan& exhibit = state.exhibits[i];
    exhibit.id = writer.add_exhibit(exhibit.ref, exhibit.role, exhibit.path);
    for (const wire::UnitKind kind : {wire::UNIT_VOLUMES, wire::UNIT_VERIFY}) {
      wire::Unit spec;
      spec.set_kind(kind);
      spec.mutable_place()->set_exhibit(static_cast<std::uint32_t>(i));
      UnitRow row;
      row.exhibit_id = exhibit.id;
      row.kind = kind;
      // The verification is one long chain: begun early, beside the rest.
      row.priority = INT32_MAX + (kind == wire::UNIT_VOLUMES ? 2LL : 1LL);
      row.spec = spec.SerializeAsString();
      writer.add_unit(row);
    }
  }
}

void record_plan(Triage::State& state) {
  CaseWriter& writer = *state.writer;
  Database& db = writer.database();
  // How a plugin's set-up went is known once workers start; when nothing is left to do, as the last run saw
  // it.
  std::map<std::string, std::pair<std::string, std::string>> seen;
  auto before =
      db.prepare("SELECT sha256, state, reason FROM plugin WHERE state NOT IN ('left_out', 'unusable')");
  while (before.step()) seen[before.text(0)] = {before.text(1), before.text(2)};
  db.execute("DELETE FROM plugin; DELETE FROM rule_file;");
  for (const PluginFile& file : state.plugin_files) {
    const bool chosen = std::any_of(state.plugins.begin(), state.plugins.end(),
                                    [&](const PluginFile* each) { return each->name == file.name; });
    auto insert = db.prepare(
        "INSERT INTO plugin(name, version, summary, licence, roles, scope, sha256, path, state, reason) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
    insert.bind(1, file.name)
        .bind(7, file.sha256)
        .bind(8, file.path)
        .bind(9, !file.usable() ? "unusable"
                 : chosen       ? "chosen"
                                : "left_out")
        .bind(10, file.error);
    if (const auto known = seen.find(file.sha256); chosen && known != seen.end())
      insert.bind(9, known->second.first).bind(10, known->second.second);
    if (file.usable()) {
      insert.bind(2, file.table->version).bind(3, file.table->summary).bind(4, file.table->licence);
      insert.bind(5, roles_text(file.table->roles))
          .bind(6, file.table->scope == TS_SCOPE_ITEM ? "item" : "content");
    }
    insert.run();
  }
  for (const RuleCheck& check : check_rules(state.rules_dir)) {
    db.prepare(
          "INSERT OR REPLACE INTO rule_file(path, sha256, kind, id, version, title) VALUES(?1, ?2, ?3, ?4, "
          "?5, ?6)")
        .bind(1, fs::path(check.info.path).lexically_relative(state.rules_dir).string())
        .bind(2, check.info.sha256)
        .bind(3, to_text(check.info.kind))
        .bind(4, check.info.id)
        .bind(5, check.info.version)
        .bind(6, check.info.title)
        .run();
  }
  for (const std::string& path : state.options.keywords) {
    const auto pack = load_keyword_pack(path);
    if (!pack) continue;  // it was read a moment ago
    db.prepare(
          "INSERT OR REPLACE INTO rule_file(path, sha256, kind, id, version, title) VALUES(?1, ?2, "
          "'keywords', ?3, ?4, ?5)")
        .bind(1, path)
        .bind(2, pack->info.sha256)
        .bind(3, pack->info.id)
        .bind(4, pack->info.version)
        .bind(5, pack->info.title)
        .run();
  }
  db.execute("DELETE FROM person");
  if (!state.case_file) return;
  for (const CasePerson& person : state.case_file->persons) {
    const std::string name = person.names.empty() ? person.id : person.names.front();
    db.prepare("INSERT INTO person(key, name, role, identifiers, names) VALUES(?1, ?2, ?3, ?4, ?5)")
        .bind(1, "person|" + person.id)
        .bind(2, name)
        .bind(3, to_text(person.role))
        .bind(4, nlohmann::json(person.identifiers).dump())
        .bind(5, nlohmann::json(person.names).dump())
        .run();
  }
}

/// Whether the folder holds the finished results of just this plan. Looks without changing a byte.
bool finished_before(const Triage::State& state) {
  const std::string path = state.options.out + "/case.db";
  std::error_code error;
  if (!fs::exists(path, error) || !fs::exists(state.options.out + "/manifest.sha256", error) ||
      fs::exists(path + "-wal", error))
    return false;
  const Database db(path, Database::Mode::read_only);
  auto query = db.prepare(
      "SELECT (SELECT value FROM setting WHERE name = 'fingerprint'), (SELECT count(*) FROM unit WHERE state "
      "<> 2), "
      "(SELECT count(*) FROM setting WHERE name = 'finalised'), (SELECT complete FROM run ORDER BY id DESC "
      "LIMIT 1)");
  return query.step() && query.text(0) == state.fingerprint && query.integer(1) == 0 &&
         query.integer(2) == 1 && query.integer(3) == 1;
}

/// Opens or makes the folder; refuses one that was made for something else.
Status open_folder(Triage::State& state) {
  std::error_code error;
  fs::create_directories(state.options.out + "/log", error);
  if (error)
    return Error{ErrorCode::invalid,
                 fmt::format("{}: cannot be made: {}", state.options.out, error.message())};
  state.writer = std::make_unique<CaseWriter>(state.options.out);
  CaseWriter& writer = *state.writer;
  const auto before = writer.setting("fingerprint");
  const bool changed = before && *before != state.fingerprint;
  if (changed && !state.options.update) {
    return Error{ErrorCode::invalid,
                 fmt::format("{} was made with something else that decides results: {}. Say --update to "
                             "examine again what that touches, choose another folder, or undo the change",
                             state.options.out, difference(*before, state.fingerprint))};
  }
  writer.begin();
  if (changed) {
    if (auto updated = update_folder(state, *before); !updated) return updated;
  }
  auto exhibits = writer.database().prepare("SELECT count(*) FROM exhibit");
  exhibits.step();
  if (!before || exhibits.integer(0) == 0) add_first_units(state);
  if (!before || changed) {
    writer.set_setting("fingerprint", state.fingerprint);
    writer.set_setting("case_file", state.case_text);
    if (state.case_file) {
      writer.set_setting("reference", state.case_file->reference);
      writer.set_setting("title", state.case_file->title);
      writer.set_setting("time_zone", state.case_file->time_zone);
    }
  }
  if (before) {
    for (ExhibitPlan& exhibit : state.exhibits) {
      auto query = writer.database().prepare("SELECT id FROM exhibit WHERE ref = ?1");
      query.bind(1, exhibit.ref);
      if (query.step()) exhibit.id = query.integer(0);
    }
  }
  record_plan(state);
  const std::string fingerprint = sha256_hex(state.fingerprint);
  auto insert = writer.database().prepare(
      "INSERT INTO run(started, version, command, operator, settings, fingerprint, components, complete) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,0)");
  const nlohmann::json settings = {{"jobs", state.jobs},
                                   {"memory_per_worker", state.config.memory()},
                                   {"item_timeout_s", state.options.item_timeout},
                                   {"previews", state.options.previews},
                                   {"sandbox", state.options.sandbox}};
  insert.bind(1, now_us())
      .bind(2, nlohmann::json::parse(state.components)["touchstone"].get<std::string>())
      .bind(3, state.options.command);
  insert.bind(4, state.options.operator_name)
      .bind(5, settings.dump())
      .bind(6, fingerprint)
      .bind(7, state.components)
      .run();
  state.run_id = writer.database().last_insert_id();
  writer.commit();
  return {};
}

/// Where an item's bytes are, from the unit that examined it: its own, or that of its group of members.
bool place_of_item(CaseWriter& writer, std::int64_t item_id, wire::Unit& spec, std::int64_t& exhibit_id) {
  auto query = writer.database().prepare(
      "SELECT spec, exhibit_id, item_id FROM unit WHERE item_id <= ?1 AND kind IN (?2, ?3) ORDER BY item_id "
      "DESC, id DESC LIMIT 1");
  query.bind(1, item_id)
      .bind(2, static_cast<int>(wire::UNIT_ITEM))
      .bind(3, static_cast<int>(wire::UNIT_MEMBERS));
  if (!query.step() || !spec.ParseFromString(query.blob(0))) return false;
  exhibit_id = query.integer(1);
  const std::int64_t index = item_id - query.integer(2);
  if (spec.kind() == wire::UNIT_ITEM) return index == 0;
  if (index >= spec.members_size()) return false;
  wire::Step& step = *spec.mutable_place()->add_steps();
  step.set_plugin(spec.reader());
  step.set_ordinal(spec.members(static_cast<int>(index)).ordinal());
  *step.mutable_runs() = spec.members(static_cast<int>(index)).runs();
  step.set_media_type(spec.place().media_type());
  spec.clear_members();
  return true;
}

}  // namespace

Triage::Triage() : state_(std::make_unique<State>()) {}
Triage::~Triage() = default;

Result<std::unique_ptr<Triage>> Triage::prepare(const TriageOptions& options) {
  std::unique_ptr<Triage> triage(new Triage);
  triage->state_->options = options;
  if (auto planned = plan_triage(*triage->state_); !planned) return planned.error();
  triage->state_->complete_before = finished_before(*triage->state_);
  if (triage->state_->complete_before) return triage;
  if (auto opened = open_folder(*triage->state_); !opened) return opened.error();
  return triage;
}

bool Triage::was_complete() const {
  return state_->complete_before;
}
CaseWriter& Triage::writer() {
  return *state_->writer;
}
const CaseFile* Triage::case_file() const {
  return state_->case_file.get();
}
const std::string& Triage::rules_dir() const {
  return state_->rules_dir;
}
std::int64_t Triage::run_id() const {
  return state_->run_id;
}
const std::vector<std::string>& Triage::notes() const {
  return state_->notes;
}

RunEnd Triage::run(const std::function<void(const Progress&)>& progress, const std::function<int()>& stop) {
  Progress now;
  now.phase = "examining";
  {
    // Ended before the work begins: an open read would keep the write-ahead log from being folded in.
    auto counts = state_->writer->database().prepare(
        "SELECT count(*), count(*) FILTER (WHERE state <> 'pending') FROM item_row");
    counts.step();
    now.items = static_cast<std::uint64_t>(counts.integer(0));
    now.items_done = static_cast<std::uint64_t>(counts.integer(1));
  }
  return Coordinator(*state_, now).run(progress, stop);
}

RunEnd Triage::make_previews(const std::vector<PreviewWish>& wishes, const std::function<int()>& stop) {
  CaseWriter& writer = *state_->writer;
  writer.begin();
  for (const PreviewWish& wish : wishes) {
    if (writer.has_preview(wish.sha256)) continue;
    UnitRow row;
    wire::Unit spec;
    if (!place_of_item(writer, wish.item_id, spec, row.exhibit_id)) continue;
    row.kind = wire::UNIT_PREVIEW;
    spec.set_kind(wire::UNIT_PREVIEW);
    spec.set_sha256(wish.sha256);
    row.spec = spec.SerializeAsString();
    writer.add_unit(row);
  }
  writer.commit();
  Progress now;
  now.phase = "previews";
  return Coordinator(*state_, now).run([](const Progress&) {}, stop);
}

namespace {

/// What became of the evidence's files goes to the run's settings, and a change is a problem of its exhibit.
void compare_evidence(Triage::State& state) {
  CaseWriter& writer = *state.writer;
  std::size_t files = 0, changed = 0;
  for (const ExhibitPlan& exhibit : state.exhibits) {
    files += exhibit.stamps.size();
    for (const std::string& path : changed_since(exhibit.stamps)) {
      ++changed;
      Problem problem;
      problem.plugin = "evidence";
      problem.kind = ProblemKind::integrity;
      problem.message = fmt::format("{} was changed or replaced while it was examined", path);
      problem.key = join_key({"problem", "evidence", "integrity", exhibit.ref, "changed", path});
      writer.add_problem(problem, 0, exhibit.id, 0, 0);
    }
  }
  writer.database()
      .prepare(
          "UPDATE run SET settings = json_set(settings, '$.evidence_files', ?2, '$.evidence_files_changed', "
          "?3) "
          "WHERE id = ?1")
      .bind(1, state.run_id)
      .bind(2, static_cast<std::int64_t>(files))
      .bind(3, static_cast<std::int64_t>(changed))
      .run();
}

}  // namespace

void Triage::finish(bool complete) {
  compare_evidence(*state_);
  state_->writer->database()
      .prepare("UPDATE run SET finished = ?2, complete = ?3 WHERE id = ?1")
      .bind(1, state_->run_id)
      .bind(2, now_us())
      .bind(3, complete ? 1 : 0)
      .run();
}

}  // namespace touchstone

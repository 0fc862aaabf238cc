#include "pipeline/triage.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "casefile/finalise.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "pipeline/worker_process.hpp"
#include "ranking/ranking.hpp"
#include "report/audit.hpp"
#include "report/manifest.hpp"
#include "report/report.hpp"

namespace touchstone::cli {
namespace {

namespace fs = std::filesystem;

std::atomic<int> stop_wish{0};

void on_stop(int) {
  stop_wish.store(std::min(2, stop_wish.load() + 1));
}

constexpr const char* kHelp =
    "Examine exhibits and write a prioritised report.\n\n"
    "Usage: touchstone triage [--case case.toml] --out DIR [EXHIBIT ...]\n\n"
    "EXHIBIT is PATH, REF=PATH or REF:role=PATH (role: suspect complainant witness unknown).\n"
    "The same command again resumes what was not finished; a finished folder is left as it is.\n\n"
    "Example: touchstone triage --case case.toml --out case ABC/1:suspect=phone.E01\n";

options::options_description visible_options() {
  options::options_description visible("Options");
  const auto list = [] { return options::value<std::vector<std::string>>()->composing(); };
  visible.add_options()                                                                            //
      ("out", options::value<std::string>(), "folder for the results (made, or resumed)")          //
      ("case", options::value<std::string>(), "case file: windows, places, persons, scope")        //
      ("role", options::value<std::string>(), "role of every exhibit that names none")             //
      ("keywords", list(), "further keyword pack (.toml) or list (one term a line)")               //
      ("hashset", list(), "FILE[:category], category known or notable (default)")                  //
      ("password-file", options::value<std::string>(), "passwords and recovery keys, one a line")  //
      ("only", list(), "run only these plugins: a,b")                                              //
      ("without", list(), "run all plugins but these")                                             //
      ("plugin-path", list(), "further folder with plugins")                                       //
      ("no-unallocated", "leave out unallocated space, slack and volumes that nothing reads")      //
      ("previews", options::value<std::string>()->default_value("leads"), "none, leads or all")    //
      ("jobs", options::value<int>()->default_value(-1),
       "worker processes; 0: in this one; -1: one a core")                                              //
      ("memory", options::value<std::string>(), "for all workers together, e.g. 4G (default: half)")    //
      ("item-timeout", options::value<int>()->default_value(60), "CPU seconds of a plugin on an item")  //
      ("update", "allow changed rules, plugins or case file: redo what that touches")                   //
      ("operator", options::value<std::string>(), "who runs this, for the audit")                       //
      ("rules", options::value<std::string>(), "another rules folder")                                  //
      ("sandbox", options::value<std::string>()->default_value("on"), "on, or off for debugging")       //
      ("stats", "print CPU seconds by stage and plugin")                                                //
      ("json", "print the summary as JSON")                                                             //
      ("quiet,q", "no progress")                                                                        //
      ("verbose,v", "let workers write to the terminal");
  return visible;
}

std::string text_option(const options::variables_map& values, const char* name) {
  return values.count(name) ? values[name].as<std::string>() : std::string();
}

Role role_of(const std::string& text) {
  const auto role = parse_role(text);
  if (!role) throw UsageError("\"" + text + "\" is no role: suspect, complainant, witness or unknown");
  return *role;
}

/// PATH, REF=PATH or REF:role=PATH. A path that holds "=" and exists as it stands is a path.
ExhibitOption exhibit_option(const std::string& text, Role role) {
  std::error_code error;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || fs::exists(text, error)) return {"", text, role};
  ExhibitOption option{text.substr(0, equals), text.substr(equals + 1), role};
  if (const std::size_t colon = option.ref.rfind(':'); colon != std::string::npos) {
    option.role = role_of(option.ref.substr(colon + 1));
    option.ref.resize(colon);
  }
  if (option.path.empty()) throw UsageError("\"" + text + "\": the path after '=' is empty");
  if (option.ref.empty()) throw UsageError("\"" + text + "\": the reference before '=' is empty");
  return option;
}

TriageOptions triage_options(const options::variables_map& values,
                             const std::vector<std::string>& arguments) {
  TriageOptions result;
  result.out = text_option(values, "out");
  if (result.out.empty()) throw UsageError("--out DIR is needed: the folder for the results");
  result.case_path = text_option(values, "case");
  const Role role = values.count("role") ? role_of(text_option(values, "role")) : Role::unknown;
  if (values.count("exhibit")) {
    for (const std::string& each : values["exhibit"].as<std::vector<std::string>>())
      result.exhibits.push_back(exhibit_option(each, role));
  }
  result.jobs = values["jobs"].as<int>();
  if (result.jobs < -1 || result.jobs > 1024) throw UsageError("--jobs is a number from 0 to 1024");
  if (values.count("memory")) result.memory = parse_size(text_option(values, "memory"));
  result.item_timeout = values["item-timeout"].as<int>();
  if (result.item_timeout < 1) throw UsageError("--item-timeout is a number of seconds from 1");
  result.only = names(values, "only");
  result.without = names(values, "without");
  if (values.count("plugin-path")) result.plugin_path = values["plugin-path"].as<std::vector<std::string>>();
  if (values.count("keywords")) result.keywords = values["keywords"].as<std::vector<std::string>>();
  if (values.count("hashset")) {
    for (const std::string& each : values["hashset"].as<std::vector<std::string>>()) {
      const std::size_t colon = each.rfind(':');
      std::error_code error;
      const bool whole = colon == std::string::npos || fs::exists(each, error);
      result.hash_sets.emplace_back(whole ? each : each.substr(0, colon),
                                    whole ? "notable" : each.substr(colon + 1));
    }
  }
  result.previews = text_option(values, "previews");
  if (result.previews != "none" && result.previews != "leads" && result.previews != "all")
    throw UsageError("--previews is none, leads or all");
  result.operator_name = text_option(values, "operator");
  result.rules_dir = text_option(values, "rules");
  result.password_file = text_option(values, "password-file");
  result.update = values.count("update") != 0;
  result.free_space = values.count("no-unallocated") == 0;
  const std::string sandbox = text_option(values, "sandbox");
  if (sandbox != "on" && sandbox != "off") throw UsageError("--sandbox is on or off");
  result.sandbox = sandbox == "on";
  result.verbose = values.count("verbose") != 0;
  result.command = "touchstone triage";
  for (const std::string& argument : arguments) result.command += " " + argument;
  return result;
}

std::string progress_text(const Progress& progress, std::uint64_t begun_us) {
  const double seconds = static_cast<double>(wall_us() - begun_us) / 1e6;
  const double rate = seconds > 0 ? static_cast<double>(progress.bytes) / 1e6 / seconds : 0;
  std::string text = fmt::format("{}: {} of {} items, {}, {:.1f} MB/s, {} findings", progress.phase,
                                 human_count(progress.items_done), human_count(progress.items),
                                 human_bytes(progress.bytes), rate, human_count(progress.findings));
  if (progress.items_done > 50 && progress.items > progress.items_done) {
    const double left = seconds / static_cast<double>(progress.items_done) *
                        static_cast<double>(progress.items - progress.items_done);
    text += fmt::format(", about {:.0f} s left", left);
  }
  return text;
}

/// Pictures of which previews are wanted: of leads, or all; never of what a hash set grades, never out of
/// scope.
std::vector<PreviewWish> preview_wishes(Triage& triage, const std::string& which) {
  std::vector<PreviewWish> wishes;
  if (which == "none") return wishes;
  const std::string leads = which == "all" ? ""
                                           : "AND (c.id IN (SELECT i.content_id FROM lead l JOIN item_row i "
                                             "ON i.id = l.item_id) OR c.id IN (SELECT i.content_id FROM "
                                             "attachment a JOIN item_row i ON i.id = a.item_id JOIN lead l "
                                             "ON l.subject_kind IN ('message', 'conversation') AND "
                                             "(l.subject_id = a.message_id AND l.subject_kind = 'message' OR "
                                             "l.subject_kind = 'conversation' AND l.subject_id IN "
                                             "(SELECT v.id FROM conversation v JOIN message m ON "
                                             "m.conversation = v.key WHERE m.id = a.message_id)))) ";
  auto query = triage.writer().database().prepare(
      "SELECT (SELECT i.id FROM item_row i WHERE i.content_id = c.id ORDER BY i.locator LIMIT 1), "
      "lower(hex(c.sha256)) FROM content c "
      "WHERE c.media_type LIKE 'image/%' " +
      leads +
      "AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.content_id = c.id AND f.plugin = 'hashes') ORDER BY "
      "c.sha256");
  while (query.step()) {
    auto exhibit = triage.writer().database().prepare(
        "SELECT e.ref FROM item_row i JOIN exhibit e ON e.id = i.exhibit_id WHERE i.id = ?1");
    exhibit.bind(1, query.integer(0));
    if (!exhibit.step()) continue;
    const CaseExhibit* known = triage.case_file() ? triage.case_file()->exhibit(exhibit.text(0)) : nullptr;
    const bool limited = known && known->scope;
    const auto granted = [&] {
      return std::find(known->scope->grant.begin(), known->scope->grant.end(), "previews") !=
             known->scope->grant.end();
    };
    if (!limited || granted()) wishes.push_back({query.integer(0), query.text(1)});
  }
  return wishes;
}

int exit_code(const Completeness& state, bool stopped) {
  if (stopped || state.units_open > 0) return kStopped;
  if (state.exhibits_bad > 0) return kExhibit;
  if (state.falls_short()) return kIncomplete;
  return kComplete;
}

Status close_folder(const TriageOptions& chosen, int code) {
  if (auto written = write_report({chosen.out}); !written) return written;
  AuditEntry entry;
  entry.at = std::chrono::duration_cast<std::chrono::microseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
                 .count();
  entry.command = chosen.command;
  entry.operator_name = chosen.operator_name;
  entry.version = TOUCHSTONE_VERSION;
  entry.outcome = fmt::format("exit {}", code);
  if (auto appended = append_audit(chosen.out, entry); !appended) return appended;
  return write_manifest(chosen.out);
}

int body(const std::vector<std::string>& arguments) {
  const auto values = parse(arguments, visible_options(), "exhibit", kHelp);
  if (!values) return kComplete;
  const TriageOptions chosen = triage_options(*values, arguments);
  auto prepared = Triage::prepare(chosen);
  if (!prepared) {
    complain(prepared.error().message);
    return kUsage;
  }
  Triage& triage = **prepared;
  const SummaryOptions summary{values->count("json") != 0, values->count("stats") != 0, false};
  if (triage.was_complete()) {
    Database db(chosen.out + "/case.db", Database::Mode::read_only);
    const int code = exit_code(completeness(db), false);
    print_summary(db, chosen.out, summary, code, "nothing was left to do");
    return code;
  }
  signal(SIGINT, on_stop);
  signal(SIGTERM, on_stop);
  signal(SIGPIPE, SIG_IGN);
  ProgressLine line(values->count("quiet") != 0);
  const std::uint64_t begun = wall_us();
  const auto wish = [] { return stop_wish.load(); };
  RunEnd end = triage.run([&](const Progress& progress) { line.show(progress_text(progress, begun)); }, wish);
  line.end();
  finalise_case(triage.writer());
  auto rules = load_ranking_rules(triage.rules_dir());
  if (!rules) {
    complain(rules.error().message);
    return kUsage;
  }
  if (auto ranked = rank(triage.writer().database(), triage.case_file(), *rules); !ranked) {
    complain(ranked.error().message);
    return kInternal;
  }
  if (end == RunEnd::complete) end = triage.make_previews(preview_wishes(triage, chosen.previews), wish);
  const int code = exit_code(completeness(triage.writer().database()), end == RunEnd::stopped);
  triage.finish(code != kStopped);
  print_notes(triage.notes());
  triage.writer().close();
  if (auto closed = close_folder(chosen, code); !closed) {
    complain(closed.error().message);
    return kStopped;
  }
  Database db(chosen.out + "/case.db", Database::Mode::read_only);
  print_summary(db, chosen.out, summary, code, "");
  return code;
}

}  // namespace

int run_triage(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli

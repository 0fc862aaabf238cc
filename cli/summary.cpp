#include "cli/summary.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "casefile/finalise.hpp"
#include "cli/terminal.hpp"
#include "ranking/ranking.hpp"

namespace touchstone::cli {
namespace {

using nlohmann::json;

constexpr int kLeadsShown = 10;

json leads_json(const Database& db, int most) {
  json leads = json::array();
  auto query = db.prepare(
      "SELECT l.key, l.lane, l.band, l.score, l.title, l.reasons, i.locator FROM lead l LEFT JOIN item_row i "
      "ON i.id = l.item_id "
      // A message of a conversation that is a lead itself is shown with it, not twice.
      "WHERE NOT (l.subject_kind = 'message' AND EXISTS (SELECT 1 FROM message m JOIN conversation c ON "
      "c.key = "
      "m.conversation JOIN lead x ON x.subject_kind = 'conversation' AND x.subject_id = c.id AND x.lane = "
      "l.lane "
      "WHERE m.id = l.subject_id)) "
      "ORDER BY l.lane DESC, l.score DESC, l.key LIMIT ?1");
  query.bind(1, most);
  while (query.step()) {
    json reasons = json::parse(query.text(5), nullptr, false);
    leads.push_back({{"key", query.text(0)},
                     {"lane", query.text(1)},
                     {"band", query.text(2)},
                     {"score", query.integer(3)},
                     {"title", query.text(4)},
                     {"reasons", reasons.is_array() ? reasons : json::array()},
                     {"locator", query.text(6)}});
  }
  return leads;
}

json summary_json(Database& db, const std::string& folder, int exit_code) {
  json summary = {{"folder", folder}, {"exit_code", exit_code}, {"report", folder + "/report/index.html"}};
  for (const StateCount& count : state_counts(db)) summary["items"][count.exhibit][count.state] = count.items;
  const Completeness state = completeness(db);
  summary["incomplete"] = {{"units_open", state.units_open},
                           {"items", state.items_short},
                           {"volumes", state.volumes_not_read},
                           {"plugins", state.plugins_absent},
                           {"exhibits", state.exhibits_bad}};
  summary["leads"] = leads_json(db, 100);
  auto problems = db.prepare("SELECT kind, count(*) FROM problem GROUP BY 1 ORDER BY 1");
  while (problems.step()) summary["problems"][problems.text(0)] = problems.integer(1);
  return summary;
}

void print_leads(Database& db) {
  const json leads = leads_json(db, 1'000'000'000);
  if (leads.empty()) {
    auto examined = db.prepare("SELECT count(*) FROM item_row WHERE state <> 'pending'");
    const bool any = examined.step() && examined.integer(0) > 0;
    fmt::print(
        "{}\n",
        any ? "No leads: nothing examined matched a rule. That is a result of these rules, not a verdict."
            : "No leads: nothing was examined.");
    return;
  }
  int shown = 0;
  std::string lane;
  for (const json& lead : leads) {
    if (lead["lane"] != lane) {
      lane = lead["lane"].get<std::string>();
      fmt::print("\n{}\n", lane == "away" ? "May undermine the case or assist the defence"
                                          : "Leads, most promising first");
      shown = 0;
    }
    if (++shown > kLeadsShown) continue;
    fmt::print("  {:>4} {:<8} {}\n", lead["score"].get<int>(), lead["band"].get<std::string>(),
               inert(lead["title"].get<std::string>()));
    if (!lead["reasons"].empty())
      fmt::print("                {}\n", inert(lead["reasons"][0].value("text", std::string())));
    fmt::print("                {}\n", inert(lead["locator"].get<std::string>()));
  }
  if (leads.size() > static_cast<std::size_t>(kLeadsShown))
    fmt::print("  {} leads in all: the report has every one\n", human_count(leads.size()));
}

void print_incomplete(const Database& db) {
  const auto list = [&](const char* sql, const char* title) {
    auto query = db.prepare(sql);
    bool first = true;
    while (query.step()) {
      if (first) fmt::print("\n{}\n", title);
      first = false;
      fmt::print("  {}\n", inert(query.text(0)));
    }
  };
  list(
      "SELECT e.ref || ' ' || v.slot || ': ' || v.state || coalesce(', ' || nullif(v.reason, ''), '') FROM "
      "volume v JOIN exhibit e ON "
      "e.id = v.exhibit_id WHERE v.state NOT IN ('read', 'unallocated') ORDER BY 1",
      "VOLUMES NOT READ");
  list(
      "SELECT e.ref || ': ' || p.message FROM problem p JOIN exhibit e ON e.id = p.exhibit_id WHERE p.plugin "
      "= 'evidence' AND p.item_id IS NULL AND p.kind = 'unsupported' AND e.size IS NOT NULL ORDER BY 1 LIMIT "
      "20",
      "PARTS OF EXHIBITS THAT ARE NOT READ");
  list(
      "SELECT e.ref || ': ' || p.message FROM problem p JOIN exhibit e ON e.id = p.exhibit_id WHERE p.plugin "
      "= 'evidence' AND p.item_id IS NULL AND (p.kind <> 'unsupported' OR e.size IS NULL) "
      "ORDER BY p.message GLOB '[0-9]* bytes at offset*', 1 LIMIT 20",
      "EXHIBITS THAT COULD NOT BE READ OR VERIFIED");
  list("SELECT message FROM problem WHERE kind = 'model_missing' ORDER BY 1", "DID NOT RUN");
}

void print_states(const Database& db) {
  fmt::print("\nItems by state\n");
  std::int64_t sum = 0;
  for (const StateCount& count : state_counts(db)) {
    fmt::print("  {:<20} {:<16} {:>10}\n", inert(count.exhibit), count.state,
               human_count(static_cast<std::uint64_t>(count.items)));
    sum += count.items;
  }
  auto out_of_scope = db.prepare("SELECT coalesce(sum(items), 0) FROM out_of_scope");
  out_of_scope.step();
  if (out_of_scope.integer(0) > 0)
    fmt::print("  {:<37} {:>10}\n", "out of scope, not looked at",
               human_count(static_cast<std::uint64_t>(out_of_scope.integer(0))));
  fmt::print("  {:<37} {:>10}\n", "enumerated", human_count(static_cast<std::uint64_t>(sum)));
}

void print_stats(const Database& db) {
  fmt::print("\nCPU seconds by stage and plugin\n");
  auto query = db.prepare(
      "SELECT stage, sum(calls), sum(cpu_us), sum(bytes) FROM timing GROUP BY 1 ORDER BY 3 DESC, 1");
  double all = 0;
  while (query.step()) {
    all += query.real(2) / 1e6;
    fmt::print("  {:<20} {:>10.2f} s  {:>12} calls  {:>10}\n", query.text(0), query.real(2) / 1e6,
               human_count(static_cast<std::uint64_t>(query.integer(1))),
               human_bytes(static_cast<std::uint64_t>(query.integer(3))));
  }
  fmt::print("  {:<20} {:>10.2f} s\n", "all", all);
}

}  // namespace

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", inert(note));
}

void print_summary(Database& db, const std::string& folder, const SummaryOptions& options, int exit_code,
                   const std::string& note) {
  if (options.json) {
    fmt::print("{}\n",
               summary_json(db, folder, exit_code).dump(2, ' ', false, json::error_handler_t::replace));
    return;
  }
  print_leads(db);
  print_states(db);
  print_incomplete(db);
  if (options.stats) print_stats(db);
  const char* meaning =
      exit_code == 0   ? "complete"
      : exit_code == 1 ? "complete, but something could not be examined: see above and the report's coverage"
      : exit_code == 3
          ? "an exhibit could not be opened or failed verification; all that was readable is examined"
      : exit_code == 4 ? options.live ? "RUNNING" : "STOPPED before the end: the same command resumes"
                       : "";
  fmt::print("\n{}{}{}\n", meaning, note.empty() ? "" : "; ", note);
  const std::filesystem::path page = std::filesystem::absolute(folder) / "report/index.html";
  if (std::filesystem::exists(page)) fmt::print("Report: {}\n", page.string());
}

}  // namespace touchstone::cli

// Which version of a definition reads a database, what is said of one that was not tried, and what is read by
// guess where none fits.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "extraction.hpp"

namespace touchstone::appdata {
namespace {

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

/// "; these columns unknown: …; these expected columns missing: …", as far as there are any.
std::string in_words(const SchemaDifference& difference, const std::vector<std::string>& missing) {
  std::string text;
  if (!difference.unknown.empty()) text += "; these columns unknown: " + listed(difference.unknown);
  if (!missing.empty()) text += "; these expected columns missing: " + listed(missing);
  return text;
}

}  // namespace

const AppVersion* Extraction::choose_version() {
  const auto fitting = [&](const AppVersion& version) { return schema_.misfit(*job_, version).empty(); };
  const auto found = std::find_if(source_->versions.begin(), source_->versions.end(), fitting);
  return found == source_->versions.end() ? nullptr : &*found;
}

const AppVersion* Extraction::nearest_version() {
  const AppVersion* nearest = nullptr;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const AppVersion& version : source_->versions) {
    const std::size_t missing = difference(*job_, schema_, version).missing.size();
    if (missing >= least) continue;
    least = missing;
    nearest = &version;
  }
  return nearest;
}

/// The version that takes the least to read the database, though it lacks some of what that requires.
const AppVersion* Extraction::adapt() {
  const AppVersion* best = nullptr;
  for (const AppVersion& version : source_->versions) {
    auto found = adapted(*job_, schema_, version);
    if (!found || (best && found->notes.size() >= adapted_->notes.size())) continue;
    adapted_ = std::move(found);
    best = &version;
  }
  return best;
}

bool Extraction::has_records(const AppVersion& version) {
  return std::any_of(version.queries.begin(), version.queries.end(), [&](const AppQuery& query) {
    Query rows = job_->query(fmt::format("SELECT 1 FROM (\n{}\n) LIMIT 1", sql_of(query, version)));
    return rows && rows.step();
  });
}

std::size_t Extraction::likeness() {
  // A call log has five columns that say so; what has fewer can be of any app.
  constexpr std::size_t kLeastColumns = 5;
  if (!schema_.read(*job_)) return 0;
  const AppVersion* version = choose_version();
  if (!version) return 0;
  std::size_t named = 0, there = 0;
  for (const AppRequiredTable& table : version->required) {
    named += table.columns.size();
    there += schema_.columns(*job_, table.table).size();
  }
  if (named < kLeastColumns) return 0;
  const std::size_t unknown = difference(*job_, schema_, *version).unknown.size();
  return unknown * 2 <= there && has_records(*version) ? named : 0;
}

std::size_t Extraction::distance() {
  if (!schema_.read(*job_)) return std::numeric_limits<std::size_t>::max();
  const AppVersion* nearest = nearest_version();
  return nearest ? difference(*job_, schema_, *nearest).missing.size() : 0;
}

std::size_t Extraction::required_columns() {
  const AppVersion* version = schema_.read(*job_) ? choose_version() : nullptr;
  std::size_t columns = 0;
  if (version)
    for (const AppRequiredTable& table : version->required) columns += table.columns.size();
  return columns;
}

std::string Extraction::misfits() {
  if (!schema_.read(*job_)) return {};
  std::string reasons;
  for (const AppVersion& version : source_->versions)
    reasons += fmt::format("; {}: {}", version.name, schema_.misfit(*job_, version));
  return reasons;
}

/// Which version reads the database, and the database's fingerprint, which `tested` may name: whether it
/// does.
bool Extraction::tell_schema(const AppVersion& version) {
  const std::string fingerprint = schema_.fingerprint(*job_);
  const bool tested = std::any_of(version.tested.begin(), version.tested.end(), [&](const std::string& text) {
    return text.find(fingerprint) != std::string::npos;
  });
  const nlohmann::json detail{
      {"fingerprint", fingerprint}, {"source", source_->id}, {"tested", tested}, {"version", version.name}};
  const std::string title =
      fmt::format("{}: read by the definition for \"{}\"; schema {}, {}", app_->info.title, version.name,
                  fingerprint, tested ? "tested" : "not among those it was tested on");
  job_->emit_finding(1000, {.rule = rule_,
                            .category = "schema",
                            .title = title,
                            .detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                            .position = {},
                            .record_kind = {},
                            .record_key = {}});
  return tested;
}

/// What the database has that the definition does not know, or lacks; empty if there is nothing to say.
std::string Extraction::untried_schema(const AppVersion& version, bool tested) {
  const SchemaDifference found = difference(*job_, schema_, version);
  const std::string schema = schema_.fingerprint(*job_);
  std::string text;
  if (elsewhere_)
    text = fmt::format("no definition names this place; its tables are those of \"{}\" (schema {})",
                       version.name, schema);
  const std::size_t read = found.tables_read + (adapted_ ? adapted_->renamed.size() : 0);
  if ((tested || found.unknown.empty()) && !adapted_) return text;
  if (!text.empty()) text += "; ";
  text += fmt::format("database of {} (schema {}): {} read by the definition for \"{}\"",
                      adapted_ ? "an unknown version" : "a version that was not tried", schema,
                      counted(read, "table", "tables"), version.name);
  if (adapted_)
    for (const std::string& note : adapted_->notes) text += "; " + note;
  return text + in_words(found, adapted_ ? std::vector<std::string>() : found.absent_optional);
}

/// Of a database that a version reads: what it has that the definition does not know. Tables that look like
/// messages are told even of a schema that was tried. Where the definition found no message at all, they and
/// those that it should have found them in are read by guess; else they may well be copies of what it found.
void Extraction::tell_untried(const AppVersion& version, bool tested) {
  std::string text = untried_schema(version, tested);
  const AppVersion& used = adapted_ ? adapted_->version : version;
  std::vector<std::string> names, empty;
  std::set<std::string> folded;
  for (const UnreadTable& table : unread_message_tables(*job_, schema_, used)) {
    names.push_back(fmt::format("{} ({} rows)", valid_utf8(table.name.substr(0, 60)), table.rows));
    folded.insert(fold(table.name));
  }
  const bool found_none = messages_ == 0;
  for (const AppQuery& query : used.queries) {
    if (!found_none || tested || query.kind != "message" || rows_[query.table] > 0) continue;
    const std::int64_t rows = schema_.rows(*job_, query.table);
    if (rows > 1 && folded.insert(fold(query.table)).second)
      empty.push_back(fmt::format("{} ({} rows)", query.table, rows));
  }
  const auto add = [&](std::string_view what, const std::vector<std::string>& tables) {
    if (!tables.empty()) text += fmt::format("{}{}{}", text.empty() ? "" : "; ", what, listed(tables));
  };
  add("tables that look like messages were not read: ", names);
  add("the definition finds no message in tables that should have them: ", empty);
  if (!folded.empty() && !tested && found_none) text += run_guesses({.skip = {}, .only = &folded});
  if (!text.empty()) job_->emit_problem("unknown_schema", fmt::format("{}: {}", app_->info.title, text));
}

void Extraction::tell_unknown() {
  std::string text =
      fmt::format("database of an unknown version (schema {}): nothing read by the definition{}{}",
                  schema_.fingerprint(*job_), misfits(), other_misfits_);
  if (const AppVersion* nearest = nearest_version()) {
    const SchemaDifference found = difference(*job_, schema_, *nearest);
    text += fmt::format("; it has {} of \"{}\"{}", counted(found.tables_read, "table", "tables"),
                        nearest->name, in_words(found, found.missing));
  }
  text += run_guesses({});
  job_->emit_problem("unknown_schema", fmt::format("{}: {}", app_->info.title, text));
}

void Extraction::run_unclaimed() {
  rule_ = kGuessed;
  const std::string guesses = run_guesses({});
  if (guesses.empty() || !schema_.read(*job_)) return;
  job_->emit_problem("unknown_schema", fmt::format("{}: no definition knows this database (schema {}){}",
                                                   app_->info.title, schema_.fingerprint(*job_), guesses));
}

/// What was taken, in words; empty if nothing was.
std::string Extraction::run_guesses(const GuessLimits& limits) {
  std::size_t left_out = 0;
  const std::vector<GuessedTable> guessed = guess_messages(*job_, limits, left_out);
  if (guessed.empty()) return {};
  AppVersion version;
  version.queries.reserve(guessed.size());
  for (const GuessedTable& table : guessed) version.queries.push_back(table.query);
  // What is deleted must be announced before anything is listed: in an extraction of its own.
  Extraction apart(*job_, *app_, *source_);
  apart.rule_ = rule_;
  apart.run_version(version);
  std::string text;
  for (std::size_t i = 0; i < guessed.size(); ++i)
    text += fmt::format("{}{} of {}", i == 0 ? "; taken for messages by guess: " : ", ",
                        counted(apart.rows_[guessed[i].query.table], "row", "rows"), guessed[i].told);
  if (left_out > 0) text += fmt::format("; {} more tables that look like messages were left out", left_out);
  return text;
}

}  // namespace touchstone::appdata

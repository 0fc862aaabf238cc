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

std::size_t Extraction::distance() {
  if (!schema_.read(*job_)) return std::numeric_limits<std::size_t>::max();
  const AppVersion* nearest = nearest_version();
  return nearest ? difference(*job_, schema_, *nearest).missing.size() : 0;
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

/// Of a database that a version reads: what it has that the definition does not know. Tables that look like
/// messages are told even of a schema that was tried. Where the definition found no message at all, they are
/// read by guess; else they may well be copies of what it did find.
void Extraction::tell_untried(const AppVersion& version, bool tested) {
  const SchemaDifference found = difference(*job_, schema_, version);
  std::string text;
  if (!tested && !found.unknown.empty())
    text = fmt::format(
        "database of a version that was not tried (schema {}): {} read by the definition for \"{}\"{}",
        schema_.fingerprint(*job_), counted(found.tables_read, "table", "tables"), version.name,
        in_words(found, found.absent_optional));
  std::vector<std::string> names;
  std::set<std::string> folded;
  for (const UnreadTable& table : unread_message_tables(*job_, schema_, version)) {
    names.push_back(fmt::format("{} ({} rows)", valid_utf8(table.name.substr(0, 60)), table.rows));
    folded.insert(fold(table.name));
  }
  if (!names.empty()) {
    text += fmt::format("{}tables that look like messages were not read: {}", text.empty() ? "" : "; ",
                        listed(names));
    const bool found_none = std::none_of(
        version.queries.begin(), version.queries.end(),
        [&](const AppQuery& query) { return query.kind == "message" && rows_[query.table] > 0; });
    if (!tested && found_none) text += run_guesses({.skip = {}, .only = &folded});
  }
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

#include "gaps.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace touchstone::appdata {

Gaps::Gaps(Job& job, std::string_view table) : table_(table) {
  Query rows = job.row_gaps(table);
  if (!rows) return;
  while (rows.step()) {
    const ts_value after = rows.value(0), before = rows.value(1);
    if (after.kind != TS_INTEGER) {
      all_missing_ = rows.value(2).integer;
      all_gaps_ = rows.value(3).integer;
      break;
    }
    Gap gap{after.integer, std::nullopt, rows.value(2).integer};
    if (before.kind == TS_INTEGER) gap.before = before.integer;
    gaps_.push_back(gap);
  }
  const auto larger = [](const Gap& a, const Gap& b) { return a.missing > b.missing; };
  std::stable_sort(gaps_.begin(), gaps_.end(), larger);
  if (gaps_.size() > kMaxTold) gaps_.resize(kMaxTold);
  std::sort(gaps_.begin(), gaps_.end(), [](const Gap& a, const Gap& b) { return a.after < b.after; });
  for (const Gap& gap : gaps_) {
    beside_.emplace(gap.after, std::nullopt);
    if (gap.before) beside_.emplace(*gap.before, std::nullopt);
  }
}

void Gaps::note_live(std::int64_t number, std::optional<std::int64_t> time) {
  if (const auto found = beside_.find(number); found != beside_.end()) found->second = time;
}

std::string Gaps::row_name(std::int64_t number) const {
  const auto found = beside_.find(number);
  if (found == beside_.end() || !found->second) return fmt::format("row {}", number);
  const std::int64_t time = *found->second;
  const std::time_t seconds = time >= 0 ? time / 1'000'000 : -((-time + 999'999) / 1'000'000);
  return fmt::format("row {} ({:%Y-%m-%d %H:%M:%S} UTC)", number, fmt::gmtime(seconds));
}

std::size_t Gaps::recovered_in(const Gap& gap) const {
  std::vector<std::int64_t> within;
  for (const std::int64_t number : recovered_)
    if (number > gap.after && (!gap.before || number < *gap.before)) within.push_back(number);
  std::sort(within.begin(), within.end());
  return static_cast<std::size_t>(std::unique(within.begin(), within.end()) - within.begin());
}

void Gaps::tell_one(Job& job, std::string_view app, std::string_view title, const Gap& gap) const {
  const std::string rows = gap.missing == 1 ? "1 row is" : fmt::format("{} rows are", gap.missing);
  std::string text = fmt::format("{}: {} missing ", title, rows);
  if (gap.after == 0 && gap.before) {
    text += "before " + row_name(*gap.before);
  } else if (gap.before) {
    text += fmt::format("between {} and {}", row_name(gap.after), row_name(*gap.before));
  } else {
    text += fmt::format("after {}, the last", row_name(gap.after));
  }
  text += fmt::format(" of table {}", table_);
  const std::size_t recovered = recovered_in(gap);
  if (recovered > 0) text += fmt::format("; {} of them recovered", recovered);
  const nlohmann::json detail{{"after", gap.after},
                              {"before", gap.before ? nlohmann::json(*gap.before) : nlohmann::json()},
                              {"missing", gap.missing},
                              {"recovered", recovered},
                              {"table", table_}};
  const std::string as_json = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string position =
      fmt::format("table {} rows {}-{}", table_, gap.after + 1, gap.after + gap.missing);
  job.emit_finding(1000, {.rule = app,
                          .category = "gap",
                          .title = text,
                          .detail = as_json,
                          .position = position,
                          .record_kind = {},
                          .record_key = {}});
}

void Gaps::tell(Job& job, std::string_view app, std::string_view title) const {
  std::int64_t told = 0;
  for (const Gap& gap : gaps_) {
    tell_one(job, app, title, gap);
    told += gap.missing;
  }
  const std::int64_t left = all_gaps_ - static_cast<std::int64_t>(gaps_.size());
  if (left <= 0) return;
  const std::string text = fmt::format("{}: {} smaller gaps in the rows of table {}, {} rows missing in them",
                                       title, left, table_, all_missing_ - told);
  job.emit_finding(1000, {.rule = app,
                          .category = "gap",
                          .title = text,
                          .detail = "{}",
                          .position = fmt::format("table {}", table_),
                          .record_kind = {},
                          .record_key = {}});
}

}  // namespace touchstone::appdata

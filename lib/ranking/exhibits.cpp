#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "ranking/ranking.hpp"

namespace touchstone {
namespace {

std::string sentence(const ExhibitRank& rank) {
  if (rank.best == 0) return fmt::format("Nothing on {} scored.", rank.ref);
  std::string counts;
  const auto add = [&counts](std::uint64_t n, const char* band) {
    if (n) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, band);
  };
  add(rank.critical, "critical");
  add(rank.high, "high");
  add(rank.medium, "medium");
  add(rank.low, "low");
  return fmt::format("Its best lead scores {}; leads by band: {}.", rank.best, counts);
}

}  // namespace

std::vector<ExhibitRank> rank_exhibits(Database& case_db) {
  std::vector<ExhibitRank> out;
  auto query = case_db.prepare(
      "WITH scored AS (SELECT i.exhibit_id AS exhibit, l.lane, l.band, l.score FROM lead l JOIN item_row i "
      "ON i.id = l.item_id) "
      "SELECT e.ref, e.role, coalesce(max(s.score) FILTER (WHERE s.lane = 'towards'), 0), "
      "count(*) FILTER (WHERE s.lane = 'towards' AND s.band = 'critical'), "
      "count(*) FILTER (WHERE s.lane = 'towards' AND s.band = 'high'), "
      "count(*) FILTER (WHERE s.lane = 'towards' AND s.band = 'medium'), "
      "count(*) FILTER (WHERE s.lane = 'towards' AND s.band = 'low'), count(*) FILTER (WHERE s.lane = "
      "'away') "
      "FROM exhibit e LEFT JOIN scored s ON s.exhibit = e.id GROUP BY e.id");
  while (query.step()) {
    const auto count = [&query](int column) { return static_cast<std::uint64_t>(query.integer(column)); };
    ExhibitRank rank{query.text(0), query.text(1), static_cast<int>(query.integer(2)),
                     count(3),      count(4),      count(5),
                     count(6),      count(7),      {}};
    rank.text = sentence(rank);
    out.push_back(std::move(rank));
  }
  std::sort(out.begin(), out.end(), [](const ExhibitRank& a, const ExhibitRank& b) {
    return std::tuple(b.best, b.critical, b.high, b.medium, b.low, std::string_view(a.ref)) <
           std::tuple(a.best, a.critical, a.high, a.medium, a.low, std::string_view(b.ref));
  });
  return out;
}

}  // namespace touchstone

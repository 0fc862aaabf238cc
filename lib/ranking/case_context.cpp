#include "ranking/case_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace touchstone::ranking {

double distance_m(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kEarthRadius = 6'371'008.8;
  constexpr double kRadians = std::numbers::pi / 180.0;
  const double sin_lat = std::sin((latitude_b - latitude_a) * kRadians / 2);
  const double sin_lon = std::sin((longitude_b - longitude_a) * kRadians / 2);
  const double h = sin_lat * sin_lat +
                   std::cos(latitude_a * kRadians) * std::cos(latitude_b * kRadians) * sin_lon * sin_lon;
  return 2 * kEarthRadius * std::asin(std::min(1.0, std::sqrt(h)));
}

CaseContext::CaseContext(const CaseFile* case_file) : file_(case_file) {
  if (!file_) return;
  if (auto zone = TimeZone::load(file_->time_zone)) {
    zone_ = zone.take();
    zone_name_ = file_->time_zone;
  }
}

WindowRelation CaseContext::window(TimeUs time, bool assumed) const {
  WindowRelation best;
  if (!file_) return best;
  const TimeUs slack = assumed ? kAssumedSlack : 0;
  for (const CaseWindow& window : file_->windows) {
    const TimeUs before = window.from - slack - time, after = time - window.to - slack;
    const TimeUs distance = std::max<TimeUs>({0, before, after});
    if (!best.window || distance < best.distance) best = {&window, distance};
  }
  return best;
}

PlaceRelation CaseContext::place(double latitude, double longitude, double accuracy_m) const {
  PlaceRelation best;
  if (!file_) return best;
  for (const CasePlace& place : file_->places) {
    const double distance = distance_m(latitude, longitude, place.latitude, place.longitude);
    const bool inside = distance <= place.radius_m + std::max(0.0, accuracy_m);
    const bool nearer =
        !best.place || (inside && !best.inside) || (inside == best.inside && distance < best.distance_m);
    if (nearer) best = {&place, distance, inside};
  }
  return best;
}

const CasePerson* CaseContext::person(const std::string& identifier, const std::string& app) {
  if (!file_ || identifier.empty()) return nullptr;
  const auto [at, fresh] = people_.try_emplace(app + '\n' + identifier, nullptr);
  if (fresh) at->second = file_->person_by_identifier(identifier, app);
  return at->second;
}

std::string CaseContext::time_text(TimeUs time, bool assumed) const {
  std::int64_t seconds = time / 1'000'000 - (time % 1'000'000 < 0 ? 1 : 0);
  if (zone_) seconds += zone_->offset_at(seconds);
  const std::int64_t day_number = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  const std::int64_t rest = seconds - day_number * 86400;
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(day_number))};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} ({}{})", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), rest / 3600,
                     rest / 60 % 60, rest % 60, zone_name_, assumed ? ", assumed" : "");
}

}  // namespace touchstone::ranking

#include "ranking/case_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <numbers>

namespace touchstone::ranking {

namespace {

/// "BST" in Britain, else the distance from UTC.
std::string zone_text(const std::string& name, std::int32_t offset) {
  static constexpr std::string_view kBritish[] = {"Europe/London", "Europe/Belfast",     "Europe/Guernsey",
                                                  "Europe/Jersey", "Europe/Isle_of_Man", "GB"};
  const bool british = std::find(std::begin(kBritish), std::end(kBritish), name) != std::end(kBritish);
  if (british && offset == 0) return "GMT";
  if (british && offset == 3600) return "BST";
  if (offset == 0) return "UTC";
  const std::int32_t minutes = std::abs(offset) / 60;
  return fmt::format("UTC{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace

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
  if (!fresh) return at->second;
  at->second = file_->person_by_identifier(identifier, app);
  if (at->second || linked_.empty()) return at->second;
  const std::string plain = normalise_identifier(identifier);
  auto known = linked_.find(app + ':' + plain);
  if (known == linked_.end()) known = linked_.find(plain);
  if (known != linked_.end()) at->second = known->second;
  return at->second;
}

void CaseContext::add_linked(std::string_view person_id, const std::string& identifier) {
  if (const CasePerson* person = file_ ? file_->person(person_id) : nullptr)
    linked_.try_emplace(identifier, person);
}

std::string CaseContext::time_text(TimeUs time, bool assumed) const {
  // Short months as CLDR has them for English in Britain.
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar",  "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"};
  std::int64_t seconds = time / 1'000'000 - (time % 1'000'000 < 0 ? 1 : 0);
  const std::int32_t offset = zone_ ? zone_->offset_at(seconds) : 0;
  seconds += offset;
  const std::int64_t day_number = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  const std::int64_t rest = seconds - day_number * 86400;
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(day_number))};
  return fmt::format("{} {} {}, {:02}:{:02}:{:02} {}{}", static_cast<unsigned>(day.day()),
                     kMonths[static_cast<unsigned>(day.month()) - 1], static_cast<int>(day.year()),
                     rest / 3600, rest / 60 % 60, rest % 60, zone_text(zone_name_, offset),
                     assumed ? " (zone assumed)" : "");
}

}  // namespace touchstone::ranking

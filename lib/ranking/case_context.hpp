// What the case file knows that ranking asks again and again: windows, places, people, and times as text.
// Made for one run of rank(); one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filesystem/time_zone.hpp"
#include "rules/case_file.hpp"

namespace touchstone::ranking {

/// Local times whose zone was assumed may be wrong by summer time: windows are wider for them by this much.
constexpr TimeUs kAssumedSlack = 3'600'000'000;

/// How a time lies to the nearest window of the case.
struct WindowRelation {
  const CaseWindow* window = nullptr;
  TimeUs distance = 0;  ///< 0: inside
};

struct PlaceRelation {
  const CasePlace* place = nullptr;
  double distance_m = 0;
  bool inside = false;  ///< within its radius
};

class CaseContext {
 public:
  explicit CaseContext(const CaseFile* case_file);
  const CaseFile* file() const { return file_; }
  WindowRelation window(TimeUs time, bool assumed) const;
  /// The nearest place. A point is inside if its circle of uncertainty may reach the place's radius.
  PlaceRelation place(double latitude, double longitude, double accuracy_m) const;
  const CasePerson* person(const std::string& identifier, const std::string& app);
  /// Identifiers that address books add to a person of the case (person.linked of the case database).
  void add_linked(std::string_view person_id, const std::string& identifier);
  /// As the report's page writes it: "3 May 2024, 22:12:05 BST", elsewhere "… UTC+02:00"; in UTC without a
  /// case file. An assumed zone is said.
  std::string time_text(TimeUs time, bool assumed) const;

 private:
  const CaseFile* file_;
  std::optional<TimeZone> zone_;
  std::string zone_name_ = "UTC";
  std::unordered_map<std::string, const CasePerson*>
      people_;  // by identifier and app: few differ, each occurs often
  std::unordered_map<std::string, const CasePerson*> linked_;  // by identifier, of a handle with its app
};

/// Great-circle distance on a sphere of the mean Earth radius (IUGG), metres.
double distance_m(double latitude_a, double longitude_a, double latitude_b, double longitude_b);

}  // namespace touchstone::ranking

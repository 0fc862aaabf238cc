#include "pipeline/place.hpp"

namespace touchstone {

int depth_of(const wire::Place& place) {
  int depth = place.steps_size() + place.outer_size();
  for (const wire::Outer& outer : place.outer()) depth += outer.steps_size();
  return depth;
}

std::string volume_slot(const wire::Place& place) {
  if (place.outer_size() == 0) return place.volume().slot();
  const std::string& locator = place.outer().rbegin()->locator();
  return locator.substr(locator.find(':') + 1) + "!" + place.volume().slot();
}

std::string inside_outer(const wire::Place& place, std::string locator) {
  if (place.outer_size() == 0) return locator;
  return place.outer().rbegin()->locator() + "!" + locator.substr(locator.find(':') + 1);
}

}  // namespace touchstone

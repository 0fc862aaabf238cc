// Where something lies: on a volume of the exhibit, or on one of an image that is itself an item. Internal to
// lib/pipeline.
#pragma once

#include <string>

#include "protocol.pb.h"

namespace touchstone {

/// Level of units that wait for all others.
inline constexpr int kLastLevel = 1'000'000;
/// How deep a place lies in images and containers.
int depth_of(const wire::Place& place);
/// The volume's name in the database: that of the exhibit's own, or ITEM!p1 without the exhibit's reference.
std::string volume_slot(const wire::Place& place);
/// A locator on the exhibit (REF:…) as that of the same place on the innermost image.
std::string inside_outer(const wire::Place& place, std::string locator);

}  // namespace touchstone

// Version of The Sleuth Kit in use, for the run's components.
#pragma once

#include <string>

namespace touchstone {

std::string sleuthkit_version();

}  // namespace touchstone

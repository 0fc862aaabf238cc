// Version of the image library in use, for the run's components.
#pragma once

#include <string>

namespace touchstone {

std::string libewf_version();

}  // namespace touchstone

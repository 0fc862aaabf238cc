#include "evidence/versions.hpp"

#include <libewf.h>

namespace touchstone {

std::string libewf_version() {
  return libewf_get_version();
}

}  // namespace touchstone

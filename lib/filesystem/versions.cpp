#include "filesystem/versions.hpp"

#include <tsk/libtsk.h>

namespace touchstone {

std::string sleuthkit_version() {
  return tsk_version_get_str();
}

}  // namespace touchstone

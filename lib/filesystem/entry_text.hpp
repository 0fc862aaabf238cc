// Words for the facts of an Entry that all readers give. Private to lib/filesystem.
#pragma once

#include <string>

namespace touchstone::detail {

/// "rwxr-sr-t" of the lower twelve bits of a UNIX mode.
std::string mode_text(unsigned mode);
/// "fifo", "socket" … of a UNIX mode with its type bits; null for files, directories and links.
const char* special_type(unsigned mode);

}  // namespace touchstone::detail

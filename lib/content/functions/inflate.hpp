// Bytes that apps keep packed: gzip (RFC 1952) and zlib (RFC 1950). Pure; bounded by kMaxOutput, whatever the
// packed bytes claim of their size.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

/// What was packed, as a blob; NULL for what is neither, is damaged or cut off, or unpacks to more than
/// kMaxOutput. Bytes behind the end of the stream are left out.
Decoded inflated(std::string_view bytes);

}  // namespace touchstone::functions

// Values of property lists, binary or XML, and of NSKeyedArchiver archives. An archive is resolved as it is
// walked: UIDs lead to their objects, NS.keys and NS.objects are dictionaries and arrays again, NS.string,
// NS.time and NS.data plain values. What refers to itself ends there as null. Pure functions.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

/// By key path: parts separated by '/', arrays by number, '~1' for '/' and '~0' for '~' within a key
/// (RFC 6901). Dictionaries and arrays as JSON text, dates as microseconds since 1970.
Decoded plist_value(std::string_view list, std::string_view path);
/// The whole list as JSON: data in base64, dates as microseconds, a UID of no archive as {"CF$UID":n}.
Decoded plist_json(std::string_view list);

}  // namespace touchstone::functions

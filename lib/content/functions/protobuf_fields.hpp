// Fields of protobuf messages without their schema, by the wire format:
// https://protobuf.dev/programming-guides/encoding/. Nothing is built of a message; a message that does not
// hold together to its last byte is none. Pure functions.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

/// The field at `path` ('1.4.2', '3[1]' for the second of its kind) read as `as`: auto text blob int sint
/// double float.
Decoded protobuf_field(std::string_view message, std::string_view path, std::string_view as);
/// How many fields the last number of the path has; 0 where there is none.
Decoded protobuf_count(std::string_view message, std::string_view path);
/// The whole message as JSON: {"1":[…],"2":[…]}; bytes that are neither text nor a message as {"hex":"…"}.
Decoded protobuf_json(std::string_view message);

}  // namespace touchstone::functions

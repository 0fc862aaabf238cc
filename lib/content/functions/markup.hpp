// Texts that apps keep in a dress: markup, base64. Pure functions; the result is never longer than what is
// given.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

/// The text of what is HTML or the like (messages of Teams and Skype): without tags, with a line feed where a
/// paragraph or line ends, entities resolved. No parser of documents: scripts and styles are not expected.
Decoded markup_text(std::string_view markup);

/// The bytes of base64 (RFC 4648, either alphabet, white space and missing padding allowed); NULL if it is
/// none.
Decoded base64_bytes(std::string_view text);

}  // namespace touchstone::functions

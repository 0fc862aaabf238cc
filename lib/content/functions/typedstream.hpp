// The string at the top of an NSArchiver "typedstream": an NSString or NSAttributedString, plain or mutable,
// as Messages keeps it in attributedBody. Only as much as leads to that string is read. The form (no
// published specification): tagged integers, type encodings and classes that are shared by number; seen in
// real data.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

/// NULL where the bytes are no such stream, or its string is empty of bytes that can be read as UTF-8.
Decoded typedstream_text(std::string_view bytes);

}  // namespace touchstone::functions

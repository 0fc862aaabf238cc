// Texts that apps keep as bytes. Pure functions.
#pragma once

#include <string_view>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

bool is_valid_utf8(std::string_view bytes);
/// Their longest start that is valid UTF-8.
std::string_view valid_start(std::string_view bytes);
/// Whether a byte is a control character: below U+0020, or U+007F.
bool has_control(std::string_view bytes);
/// Valid UTF-8 without control characters other than tab, line feed and carriage return.
bool is_plain_text(std::string_view bytes);

/// UTF-16, little-endian unless a byte order mark says otherwise; zeros at the end are left out.
Decoded utf16_text(std::string_view bytes);
/// The bytes as text, where they are UTF-8.
Decoded utf8_text(std::string_view bytes);

}  // namespace touchstone::functions

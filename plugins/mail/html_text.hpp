// What a reader sees of HTML, as plain text: no scripts, styles, comments or tags; entities decoded; a new
// line for what stands on a line of its own. Not a browser: text that a style sheet hides is kept, since it
// is evidence. Linear in its input, never larger than it but for a few bytes; takes any bytes.
#pragma once

#include <string>
#include <string_view>

namespace touchstone::mail {

std::string html_text(std::string_view html);

/// Adds a character in UTF-8; surrogates and what lies beyond Unicode become U+FFFD.
void append_utf8(std::string& out, char32_t code);

}  // namespace touchstone::mail

// Text from evidence made safe for the places the report puts it: JSON, CSV cells, shell and SQL command
// lines. Pure functions over values; any thread. Input may hold any bytes; output is always valid UTF-8. CSV:
// RFC 4180 with LF line ends. Formula prefixes: OWASP "CSV Injection". JSON: RFC 8259.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchstone::report {

/// One step of reading UTF-8. `length` is at least 1 as long as there is input; invalid bytes come one at a
/// time.
struct CodePoint {
  std::uint32_t value = 0;
  unsigned length = 0;
  bool valid = false;
};
CodePoint next_code_point(std::string_view text);

/// True for controls that reorder or hide what stands around them: U+061C, U+200E/F, U+202A-202E,
/// U+2066-2069.
bool is_bidi_control(std::uint32_t code_point);

/// Appends a JSON string literal. The text is kept exactly; only invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
/// Appends the shortest text that reads back as the same number; "null" for what JSON cannot say.
void append_json_number(std::string& out, double value);

/// The same JSON with sorted keys and no white space; false where `text` is not JSON or nests too deeply.
bool append_canonical_json(std::string& out, std::string_view text);

/// JSON that may stand inside a classic script: "<", U+2028 and U+2029 as escapes.
std::string script_safe(std::string_view json);

/// One cell holding text: made inert for spreadsheets, controls shown as pictures, quoted where needed.
std::string csv_cell(std::string_view text);

/// Controls as pictures (U+2400 ...), bidirectional and other invisible controls as "\u202e".
std::string visible_text(std::string_view text);

/// One word for bash; anything but printable ASCII is written so that a terminal shows no surprise.
std::string shell_quote(std::string_view text);
/// An SQLite identifier or string literal.
std::string sql_identifier(std::string_view name);
std::string sql_literal(std::string_view text);

/// At most `limit` bytes of it, cut between characters; `cut` says whether something was left out.
std::string shortened(std::string_view text, std::size_t limit, bool* cut = nullptr);

}  // namespace touchstone::report

// A record as one line of JSON in printable ASCII: written by hand, since millions are. One thread.
#pragma once

#include <string>
#include <string_view>

#include "model/types.hpp"

namespace touchstone::cli {

/// In quotes; all but printable ASCII escaped, bytes that are no UTF-8 as U+FFFD.
void append_ascii_json(std::string& out, std::string_view text);

/// {"fields":{…},"kind":…} and a line feed; fields by name, those without a value left out.
void append_record_line(std::string& out, const Record& record);

/// The kind of a line that append_record_line() wrote, without parsing it; empty if it is none.
std::string_view kind_of_record_line(std::string_view line);

}  // namespace touchstone::cli

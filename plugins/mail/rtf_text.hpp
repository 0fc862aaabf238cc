// Text of RTF as Outlook keeps it: unpacked (LZFu, [MS-OXRTFCP]), with HTML taken out where RTF only wraps it
// ([MS-OXRTFEX]), else without its control words. Takes any bytes; never more than `limit` of output, groups
// of any depth cost one entry each up to a bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchstone::mail {

/// Absent if the bytes are neither compressed RTF nor the plain kind that has the same header. Damage ends it
/// early.
std::optional<std::string> unpack_rtf(std::string_view packed, std::size_t limit);

/// What a reader sees of RTF, in UTF-8. HTML inside becomes text as html_text() makes it.
std::string rtf_text(std::string_view rtf, std::size_t limit);

/// UTF-8 of bytes in a code page of Windows; of one that is not known, as Windows-1252.
std::string text_of_code_page(std::string_view bytes, std::int64_t code_page);

}  // namespace touchstone::mail

// Names inside image headers as UTF-8. Hostile bytes: what is no character becomes U+FFFD.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace touchstone {

/// UTF-16 up to its first NUL. A byte order mark decides over `big_endian`.
std::string utf16_text(std::span<const std::byte> bytes, bool big_endian);

/// Without control characters and with valid UTF-8, for messages and metadata.
std::string printable(const std::string& text);

}  // namespace touchstone

// Where text ends: shared by the carvers of text formats.
#pragma once

#include <cstdint>

#include "view.hpp"

namespace touchstone::carving {

/// How far text goes from `offset`: valid UTF-8 or single bytes of 0xA0 and above, no control characters but
/// white space. `limit` is the most.
std::uint64_t text_end(View& view, std::uint64_t offset, std::uint64_t limit);

/// Behind the end of the line that `at` lies in.
std::uint64_t line_end(View& view, std::uint64_t at, std::uint64_t limit);

}  // namespace touchstone::carving

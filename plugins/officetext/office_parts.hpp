// Which parts of a zip file hold the words of an office document, in the order in which they are read. Pure
// functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml_text.hpp"

namespace touchstone::officetext {

struct Part {
  std::size_t index = 0;  ///< among the names given
  PartKind kind = PartKind::office;
};

/// Absent for a part without words.
std::optional<PartKind> kind_of_part(std::string_view name);
/// Of these names those with words: the body first, then notes, comments and headers, properties last; slides
/// and sheets by number. Empty where it is no office document.
std::vector<Part> parts_with_words(const std::vector<std::string>& names);

}  // namespace touchstone::officetext

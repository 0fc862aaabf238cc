// The bundled page, generated at build time from web/ (see CMakeLists.txt) and compiled in.
#pragma once

#include <string_view>

namespace touchstone::report {

std::string_view page_script();
std::string_view page_style();

}  // namespace touchstone::report

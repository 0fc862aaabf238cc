// A lexical look at the SQL of app definitions. For this folder. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "model/result.hpp"

namespace touchstone {

/// The statement without surrounding white space and final ";", if it is one SELECT or WITH and holds neither
/// a second statement nor a parameter; comments are left in it.
Result<std::string> single_select(std::string_view sql);
std::string lower_ascii(std::string_view text);

}  // namespace touchstone

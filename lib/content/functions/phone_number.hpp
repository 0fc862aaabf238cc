// Telephone numbers in the one form E.164, by libphonenumber. Its tables (some 4 MB, 6 ms) are read when the
// first number is seen, from the library itself: no file is opened. A number costs it some 70 µs; so answers
// are kept. One thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "content/functions/decoded.hpp"

namespace touchstone::functions {

class PhoneNumbers {
 public:
  /// `country`: ISO 3166 alpha-2, in which national numbers are read. A number that is valid there, or has an
  /// international or national prefix and the right length (ranges are opened faster than libraries are
  /// renewed), becomes E.164; anything else stays as it is, without blanks around it.
  Decoded normal_form(std::string_view text, std::string_view country);

 private:
  static std::string convert(std::string_view text, std::string_view country);
  static constexpr std::size_t kMaxKept = 50'000;
  std::unordered_map<std::string, std::string> kept_;
};

/// Whether libphonenumber knows the country: two capital letters.
bool is_country(std::string_view country);

}  // namespace touchstone::functions

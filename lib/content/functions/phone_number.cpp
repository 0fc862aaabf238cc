#include "content/functions/phone_number.hpp"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>

#include "content/functions/text_functions.hpp"

namespace touchstone::functions {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t kMaxNumber = 64;  // characters: no number is longer, whatever stands between its digits

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// The user part of a WhatsApp address without the device, where `text` is one.
std::string_view whatsapp_user(std::string_view text) {
  for (const std::string_view domain : {"@s.whatsapp.net", "@c.us"}) {
    if (!text.ends_with(domain)) continue;
    text.remove_suffix(domain.size());
    text = text.substr(0, text.find_first_of(":."));
    return all_digits(text) && text.size() >= 7 && text.size() <= 15 ? text : std::string_view();
  }
  return {};
}

/// Digits and what people write between them. Letters would be read as the digits of a keypad: no.
bool may_be_number(std::string_view text) {
  if (text.size() > kMaxNumber) return false;
  const auto digits = std::count_if(text.begin(), text.end(), is_digit);
  const auto foreign = [](char c) {
    return !is_digit(c) && static_cast<unsigned char>(c) < 0x80 &&
           std::string_view("+-/(). ").find(c) == std::string_view::npos;
  };
  const bool wide = std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  return (digits >= 5 || wide) && std::none_of(text.begin(), text.end(), foreign);
}

}  // namespace

bool is_country(std::string_view country) {
  if (country.size() != 2) return false;
  return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(std::string(country)) != 0;
}

std::string PhoneNumbers::convert(std::string_view text, std::string_view country) {
  const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  const std::string region(country);
  if (util.ParseAndKeepRawInput(std::string(text), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
    return std::string(text);
  bool good = util.IsValidNumber(number);
  if (!good && util.IsPossibleNumberWithReason(number) == PhoneNumberUtil::IS_POSSIBLE) {
    const auto source = number.country_code_source();
    std::string national_prefix;
    util.GetNddPrefixForRegion(region, true, &national_prefix);
    const bool international =
        source == PhoneNumber::FROM_NUMBER_WITH_PLUS_SIGN || source == PhoneNumber::FROM_NUMBER_WITH_IDD;
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
    good = international || (!national_prefix.empty() && digits.starts_with(national_prefix));
  }
  if (!good) return std::string(text);
  std::string out;
  util.Format(number, PhoneNumberUtil::E164, &out);
  return out;
}

Decoded PhoneNumbers::normal_form(std::string_view text, std::string_view country) {
  if (text.size() > kMaxOutput || !is_valid_utf8(text)) return {};
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (const std::string_view user = whatsapp_user(text); !user.empty())
    return Decoded::text("+" + std::string(user));
  std::string_view number = text;
  for (const std::string_view scheme : {"tel:", "sms:"})
    if (number.starts_with(scheme)) number.remove_prefix(scheme.size());
  if (!may_be_number(number)) return Decoded::text(std::string(text));
  std::string key = std::string(country) + std::string(number);
  if (const auto found = kept_.find(key); found != kept_.end()) return Decoded::text(found->second);
  std::string made = convert(number, country);
  if (made == number) made = text;
  if (kept_.size() >= kMaxKept) kept_.clear();
  return Decoded::text(kept_.emplace(std::move(key), std::move(made)).first->second);
}

}  // namespace touchstone::functions

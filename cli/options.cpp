#include "cli/options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <sstream>

#include "cli/command.hpp"
#include "cli/terminal.hpp"

namespace touchstone::cli {

std::optional<options::variables_map> parse(const std::vector<std::string>& arguments,
                                            const options::options_description& visible,
                                            const std::string& positional, const std::string& help) {
  options::options_description all;
  all.add(visible);
  all.add_options()("help,h", "this text");
  options::positional_options_description places;
  if (!positional.empty()) {
    all.add_options()(positional.c_str(), options::value<std::vector<std::string>>());
    places.add(positional.c_str(), -1);
  }
  options::variables_map values;
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(places).run(), values);
    options::notify(values);
  } catch (const options::error& error) {
    throw UsageError(error.what());
  }
  if (values.count("help") == 0) return values;
  std::ostringstream listed;
  listed << visible;
  fmt::print("{}\n{}", help, listed.str());
  return std::nullopt;
}

std::vector<std::string> names(const options::variables_map& values, const char* option) {
  std::vector<std::string> list;
  if (values.count(option) == 0) return list;
  for (const std::string& each : values[option].as<std::vector<std::string>>()) {
    std::stringstream parts(each);
    for (std::string part; std::getline(parts, part, ',');) {
      if (!part.empty()) list.push_back(part);
    }
  }
  return list;
}

std::uint64_t parse_size(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "KiB" || unit == "k") shift = 10;
  if (unit == "M" || unit == "MiB") shift = 20;
  if (unit == "G" || unit == "GiB") shift = 30;
  if (unit == "T" || unit == "TiB") shift = 40;
  if (error != std::errc() || shift < 0 || (value >> (63 - shift)) != 0)
    throw UsageError("\"" + text + "\" is no size: write 512M or 4G");
  return value << shift;
}

int guarded(int (*body)(const std::vector<std::string>&), const std::vector<std::string>& arguments) {
  try {
    return body(arguments);
  } catch (const UsageError& error) {
    complain(error.what());
    return kUsage;
  }
}

}  // namespace touchstone::cli

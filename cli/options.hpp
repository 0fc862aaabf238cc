// Options by Boost.Program_options in GNU style, with one way to fail: a message and exit code 2.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace touchstone::cli {

namespace options = boost::program_options;

/// A usage error: printed, exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses; prints `help` and returns nothing when --help was given. Throws UsageError.
std::optional<options::variables_map> parse(const std::vector<std::string>& arguments,
                                            const options::options_description& visible,
                                            const std::string& positional, const std::string& help);
/// "a,b" and repeated options as one list.
std::vector<std::string> names(const options::variables_map& values, const char* option);
/// "512M", "4G", "1000000" → bytes.
std::uint64_t parse_size(const std::string& text);
/// Runs `body`, turning a UsageError into its message and exit code 2.
int guarded(int (*body)(const std::vector<std::string>&), const std::vector<std::string>& arguments);

}  // namespace touchstone::cli

// `rules try`: what an app definition yields from a database. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace touchstone::cli {

/// Prints what comes; the exit code: incomplete where there were problems. Throws UsageError.
int try_rules(const std::string& definition, const std::string& database, bool as_json);

/// Prints lines of JSON (kind, fields …) as they are, or as text for a terminal.
class TryPrinter {
 public:
  explicit TryPrinter(bool as_json) : as_json_(as_json) {}
  void line(std::string_view json);
  /// The counts.
  void end() const;
  std::size_t problems() const { return problems_; }

 private:
  bool as_json_;
  std::size_t problems_ = 0;
  std::map<std::string, std::size_t> records_;  ///< by kind
};

}  // namespace touchstone::cli

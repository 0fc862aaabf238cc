// A sub-command of the program: one file each. Parses its options, calls the library, prints, returns an exit
// code.
#pragma once

#include <string>
#include <vector>

namespace touchstone::cli {

/// Exit codes; if several hold, the first of internal, usage, stopped, exhibit, incomplete.
enum ExitCode : int {
  kComplete = 0,
  kIncomplete = 1,
  kUsage = 2,
  kExhibit = 3,
  kStopped = 4,
  kInternal = 70
};

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

int run_triage(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_verify(const std::vector<std::string>& arguments);
int run_status(const std::vector<std::string>& arguments);
int run_plugins(const std::vector<std::string>& arguments);
int run_rules(const std::vector<std::string>& arguments);

}  // namespace touchstone::cli

// All rule files below a root, read and checked: for `touchstone rules check` and `list`, and before a run.
#pragma once

#include <string>
#include <vector>

#include "rules/rule_file.hpp"

namespace touchstone {

/// One rule file and what is wrong with it.
struct RuleCheck {
  RuleFileInfo info;                ///< id, version and title are empty where the file could not be read
  std::vector<std::string> errors;  ///< "file:line:column: message"; empty: sound
  std::size_t entries = 0;          ///< terms, rules, queries …
  bool ok() const { return errors.empty(); }
};

/// Every file of every kind, sorted by kind then path; examples are run, SQL is prepared, ids are unique per
/// kind. A folder that cannot be read is an entry with an error. A file in a folder of no known kind is one,
/// too. A `root` that is a file is checked alone, as what its `schema` says.
std::vector<RuleCheck> check_rules(const std::string& root);

}  // namespace touchstone

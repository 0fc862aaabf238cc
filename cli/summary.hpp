// What the terminal says when a run ended, and what `touchstone status` says at any time: leads, states that
// add up, what is incomplete, where the report is.
#pragma once

#include <string>
#include <vector>

#include "casefile/sqlite.hpp"

namespace touchstone::cli {

struct SummaryOptions {
  bool json = false, stats = false;
  bool live = false;  ///< a run holds the folder
};

void print_summary(Database& db, const std::string& folder, const SummaryOptions& options, int exit_code,
                   const std::string& note);
void print_notes(const std::vector<std::string>& notes);

}  // namespace touchstone::cli

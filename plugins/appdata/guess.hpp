// What looks like messages in a database that no definition reads: tables with a column of written text, a
// time and a party. Names and values must both say so (guess_names.hpp, guess_values.hpp). Each table found
// becomes a query as a definition has them, so that its rows, deleted ones too, take the usual way; their
// status begins with kGuessed. Reads a sample of each table that could be one. One thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "rules/app_definition.hpp"

namespace touchstone::appdata {

/// Rule of findings and start of the status of such records.
constexpr std::string_view kGuessed = "guessed";

struct GuessedTable {
  AppQuery query;
  std::string told;  ///< "table (text COLUMN, time COLUMN as …, party COLUMN)"
};

/// The tables, those with the most text first; at most kMaxGuessed. `left_out`: how many more there were.
/// Tables named in `skip` (folded) are not looked at; with `only`, no others are.
struct GuessLimits {
  std::set<std::string> skip;
  const std::set<std::string>* only = nullptr;
};
std::vector<GuessedTable> guess_messages(Job& job, const GuessLimits& limits, std::size_t& left_out);
constexpr std::size_t kMaxGuessed = 8;

/// Whose database this is by its path: the app's package or bundle, else the file's name.
std::string app_of_path(std::string_view path);

}  // namespace touchstone::appdata

// The public tables of the case database as they leave it: no row id, each reference as the locator, key,
// exhibit reference, volume slot or SHA-256 of what it points to, rows in the order of those. Data for
// export.cpp.
#pragma once

#include <span>
#include <string_view>

namespace touchstone::report {

struct TableExport {
  std::string_view name;  ///< of the table, and of its two files
  std::string_view sql;   ///< rows in their final order; column names are those of the export
  std::string_view
      json_columns;  ///< names with a space on both sides: text holding JSON, nested in JSON Lines
};

/// Every table that is a result. `run`, `timing`, `unit` and `setting` are about one run on one machine and
/// would make the same result differ from run to run; the page and case.db show them.
std::span<const TableExport> exported_tables();

}  // namespace touchstone::report

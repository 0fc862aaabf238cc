// JSON Lines and CSV: one file of each for every public table, also for an empty one. Rows are streamed;
// memory does not grow with their number (sorting spills to SQLite's temporary files). JSON keeps text
// exactly; CSV makes it inert.
#pragma once

#include <filesystem>

#include "casefile/sqlite.hpp"
#include "model/result.hpp"

namespace touchstone::report {

Status export_tables(const Database& db, const std::filesystem::path& folder, bool jsonl, bool csv);

}  // namespace touchstone::report

// The helper functions that the SQL of app definitions may call (docs/apps.md): deterministic, without side
// effects, bounded. They give NULL for NULL and for bytes that are not what they claim, and never fail a
// query. One thread a connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

struct sqlite3;

namespace touchstone {

/// Makes them known to the connection, which owns what they need. `country`: of national telephone numbers.
Status register_sql_functions(sqlite3* db, const std::string& country);
/// Whether `name` (lower case) is one of them.
bool is_sql_function(std::string_view name);
/// Their names, sorted.
const std::vector<std::string_view>& sql_function_names();

}  // namespace touchstone

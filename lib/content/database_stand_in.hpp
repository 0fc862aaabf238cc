// Temporary tables and views that stand under the names of an evidence database's tables: SQLite looks a name
// up in the temporary schema first, https://www.sqlite.org/lang_naming.html. Each call returns SQLite's
// result code. For database.cpp only; one thread.
#pragma once

#include <sqlite3.h>

#include <string_view>

#include "content/database.hpp"
#include "content/database_policy.hpp"

namespace touchstone::detail {

int hide_table(sqlite3* db, DatabasePolicy& policy, std::string_view table, const StandInRows& rows);
int extend_table(sqlite3* db, DatabasePolicy& policy, std::string_view table, const StandInRows& rows);
int show_table(sqlite3* db, std::string_view table);

}  // namespace touchstone::detail

// A version of a definition over a database that lacks some of what it requires, as updates of apps leave it:
// a table that has another name now, a side table that is gone, a side table without a column. What a
// message, call, visit, entry or note itself stands in must be whole; what it only refers to may be missing,
// as a single row of it may be. Asks the host's database facet; plain values. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "rules/app_definition.hpp"
#include "schema.hpp"

namespace touchstone::appdata {

struct AdaptedVersion {
  AppVersion version;  ///< queries name the database's own tables; those that cannot be run are left out
  /// Common table expressions, "name AS (…), …", that give the queries the names they were written for.
  std::string tables;
  std::map<std::string, std::string> renamed;  ///< folded name in the definition → name in the database
  std::vector<std::string> notes;              ///< what was done, in words; never empty

  /// The name that a table of the definition has in the database.
  std::string_view name_of(std::string_view table) const;
};

/// Absent where the database has all that `version` names, or so little that it can't be read by it.
/// Optional tables are looked for under another name too.
std::optional<AdaptedVersion> adapted(Job& job, Schema& schema, const AppVersion& version);

/// `sql` with these expressions before it.
std::string with_tables(const std::string& tables, const std::string& sql);

}  // namespace touchstone::appdata

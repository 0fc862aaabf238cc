// What tables and columns a database has, and which version of an app's definition fits it. Asked of the
// host's database facet; answers are cached for the item. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "rules/app_definition.hpp"

namespace touchstone::appdata {

/// ASCII lower case: how SQLite compares names.
std::string fold(std::string_view name);
/// As an SQL identifier, whatever is in it.
std::string quoted(std::string_view name);

/// SQL with the file's name, as a literal, for each `'{file_name}'`.
std::string with_file_name(std::string_view sql, std::string_view name);

class Schema {
 public:
  /// False if the database cannot be read; the host has recorded why.
  bool read(Job& job);
  bool has(std::string_view table) const { return tables_.contains(fold(table)); }
  /// Folded names; empty for an unknown table.
  const std::set<std::string>& columns(Job& job, std::string_view table);
  /// Rows of a table; 0 where it cannot be read.
  std::int64_t rows(Job& job, std::string_view table) const;
  /// Folded name → name as written.
  const std::map<std::string, std::string>& tables() const { return tables_; }
  /// 16 hex digits that are the same for databases with the same tables and columns, in any order and case;
  /// SQLite's own tables do not count.
  std::string fingerprint(Job& job);
  /// Why the version does not fit; empty if it does.
  std::string misfit(Job& job, const AppVersion& version);

 private:
  std::map<std::string, std::string> tables_;
  std::map<std::string, std::set<std::string>> columns_;
};

/// What a database has more and less than a version of a definition knows, in the tables that it reads.
struct SchemaDifference {
  std::size_t tables_read = 0;               ///< tables that the version's queries read and the database has
  std::vector<std::string> unknown;          ///< "table.column": there, and neither read nor known
  std::vector<std::string> missing;          ///< "table.column" or "table": required and not there
  std::vector<std::string> absent_optional;  ///< the same of what may be missing
};
SchemaDifference difference(Job& job, Schema& schema, const AppVersion& version);

/// The first of the names with commas between, and how many more there are. Each is cut and made valid text.
std::string listed(const std::vector<std::string>& names);

/// A table with rows that looks like one of messages and that no query of `version` reads.
struct UnreadTable {
  std::string name;
  std::int64_t rows = 0;
};
std::vector<UnreadTable> unread_message_tables(Job& job, Schema& schema, const AppVersion& version);

}  // namespace touchstone::appdata

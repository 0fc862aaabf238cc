// rules/apps/*.toml (touchstone.app/1): an app as data. The appdata plugin runs what this describes.
//
//   schema = "touchstone.app/1"
//   id = "sms"                            # unique; also what a scope's `apps` names and the records' `app`
//   version = "1"
//   title = "Android SMS and MMS"
//   [[source]]                            # a database file of the app
//   id = "mmssms"                         # optional, unique in the file
//   paths = ["**/com.android.providers.telephony/databases/mmssms.db"]   # globs (glob.hpp), ASCII case
//   folded format = "sqlite"                     # the only one so far, and the default
//   encrypted = "the key of the phone's keystore"   # optional: the file may be; what it takes to read it
//     [[source.version]]                  # tried in this order; the first that fits is used
//     name = "Android 4 and later"
//     tested = ["AOSP template 2017"]     # what it was tried on; free text
//     absent = []                         # tables that must not be there
//     when = "SELECT …"                   # optional: its first value must be true (not NULL, not 0)
//       [source.version.requires]         # table = [columns]: all must be there; names compare without case
//       sms = ["_id", "address", "date", "type", "body"]
//       [source.version.optional]         # as requires, but may be missing: a query reads `opt_TABLE`, which
//       threads = ["_id", "archived"]     # has NULL for a column and no row for a table that is not there
//       [source.version.known]            # as requires: what is known to be there and is not read; a
//       database sms = ["seen"]                    # with other columns than these has a schema that was not
//       tried
//       [[source.version.message]]        # one query; also call contact account location visit attachment
//       table = "sms"                     # becomes source_table; required
//       sql = '''SELECT _id AS source_row, date * 1000 AS sent, …  FROM sms'''
//       constants = { direction = "unknown" }   # optional: columns with one value for all rows of the query
//
// Result columns are those of record_columns(kind); times are microseconds UTC, booleans 0/1, `recipients`
// and `identifiers` JSON arrays. `source_row` must be there (text or integer), for attachments also
// `message_row`, the source_row of its message and `message_table` where that is not this version's only
// message table. In SQL `'{file_name}'` is the name of the database file. `app` is the definition's id and
// `time_basis` "utc" unless the query gives them. Plain values; no thread rules.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/types.hpp"
#include "rules/glob.hpp"
#include "rules/rule_file.hpp"

namespace touchstone {

struct AppQuery {
  std::string kind;   ///< message call contact account location visit event note attachment
  std::string table;  ///< value of source_table
  std::string sql;    ///< one SELECT or WITH statement without a final ";"
  std::vector<std::pair<std::string, std::string>> constants;  ///< column, value
  SourcePlace place;                                           ///< of the SQL's first character
};

struct AppRequiredTable {
  std::string table;
  std::vector<std::string> columns;
};

struct AppVersion {
  std::string name;
  std::vector<std::string> tested;
  std::vector<AppRequiredTable> required;
  std::vector<AppRequiredTable> optional;  ///< read as opt_TABLE; what is missing of it is empty
  std::vector<AppRequiredTable> known;     ///< no query reads it, and it is nothing new
  std::vector<std::string> absent;
  std::string when;
  std::vector<AppQuery> queries;  ///< in the order of kinds above, then of the text
  SourcePlace place;
};

struct AppSource {
  std::string id;
  std::vector<Glob> paths;
  std::string format;
  std::string encrypted;  ///< what it takes to read the file where it is encrypted; empty: never is
  std::vector<AppVersion> versions;
};

struct AppDefinition {
  RuleFileInfo info;  ///< info.id is the app's id
  std::vector<AppSource> sources;
  /// Whether one of its sources may lie at this path.
  bool matches(std::string_view path) const;
};

/// What a query of this kind may yield; empty for an unknown kind.
const std::vector<std::string_view>& record_columns(std::string_view kind);
/// The kinds, in order.
const std::vector<std::string_view>& record_kinds();

/// Whether a database has the table and, unless that is empty, the column.
using HasColumn = std::function<bool(std::string_view table, std::string_view column)>;
/// A query of `version` as it can run on a database: with an opt_TABLE for each table that `optional` names.
std::string runnable_sql(std::string_view sql, const AppVersion& version, const HasColumn& has);

Result<AppDefinition> parse_app_definition(std::string_view text, const std::string& name);
Result<AppDefinition> load_app_definition(const std::string& path);
/// All of `root`/apps, sorted by path; ids must be unique.
Result<std::vector<AppDefinition>> load_app_definitions(const std::string& root);
/// Ids of those that match, sorted: for the scope gate.
std::vector<std::string> matching_apps(const std::vector<AppDefinition>& apps, std::string_view path);
/// Prepares each query in an empty database with the required tables: SQL errors, unknown columns in the
/// result, and columns read that `requires` does not name. Slower than a load: for `touchstone rules check`.
Status check_app_queries(const AppDefinition& app);

}  // namespace touchstone

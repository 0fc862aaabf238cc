// One database of an app, by its definition: chooses the schema version, runs the queries, emits the records:
// those that stand in the database, then those recovered from what was deleted, and the gaps between them.
// One thread; borrows everything for the length of run().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fields.hpp"
#include "gaps.hpp"
#include "rules/app_definition.hpp"
#include "schema.hpp"
#include "seen.hpp"

namespace touchstone::appdata {

class Extraction {
 public:
  Extraction(Job& job, const AppDefinition& app, const AppSource& source)
      : job_(&job), app_(&app), source_(&source) {}
  void run();
  /// Whether a version of the source fits the database.
  bool fits();

 private:
  struct Columns;
  const AppVersion* choose_version();
  void tell_schema(const AppVersion& version);
  std::string sql_of(const AppQuery& query, const AppVersion& version);
  void note_messages_with_attachments(const AppVersion& version);
  void run_query(const AppQuery& query, const AppVersion& version);
  void run_recovered(const AppQuery& query, const AppVersion& version);
  void note_rows_beneath_log(const AppQuery& query, const AppVersion& version);
  void note_live(const AppQuery& query, Query& rows, const Columns& columns, const std::string& row,
                 std::vector<Field>& fields);
  bool mark_recovered(const AppQuery& query, Query& rows, const Columns& columns, std::string& row,
                      std::vector<Field>& fields);
  void emit_row(const AppQuery& query, Query& rows, const Columns& columns);
  void emit_own_attachment(const AppQuery& query, Query& rows, const Columns& columns, const std::string& row,
                           const std::string& message_key);
  void tell(const AppQuery& query, const Columns& columns, std::uint64_t rows);

  Job* job_;
  const AppDefinition* app_;
  const AppSource* source_;
  Schema schema_;
  FieldMaker maker_;
  SeenRecords seen_;
  std::map<std::string, Gaps> gaps_;                           ///< by table of messages or calls
  std::optional<std::vector<std::uint64_t>> beneath_log_;      ///< hashes of the query's rows without the log
  std::deque<std::string> status_;                             ///< texts that fields point to, for one row
  std::unordered_set<std::uint64_t> wanted_;                   ///< hashes of messages that have attachments
  std::unordered_map<std::string, std::string> message_keys_;  ///< of those: table and row → key
};

}  // namespace touchstone::appdata

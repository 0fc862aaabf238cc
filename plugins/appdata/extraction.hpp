// One database of an app, by its definition: chooses the schema version, runs the queries, emits the records:
// those that stand in the database, then those recovered from what was deleted, and the gaps between them.
// Where no version fits, and in databases of no app, what looks like messages is read by guess (guess.hpp).
// One thread; borrows everything for the length of run().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "adapted.hpp"
#include "fields.hpp"
#include "gaps.hpp"
#include "guess.hpp"
#include "message_keys.hpp"
#include "rules/app_definition.hpp"
#include "schema.hpp"
#include "seen.hpp"

namespace touchstone::appdata {

class Extraction {
 public:
  Extraction(Job& job, const AppDefinition& app, const AppSource& source)
      : job_(&job), app_(&app), source_(&source) {}
  void run();
  /// Of pages of tables whose database is gone, by the tables of the one in use (Job::use_page_database):
  /// only what was recovered, and what the database has of the same rows is not said again. False: no version
  /// fits.
  bool run_pages();
  /// Of the database that the pages may be of; else the item's.
  void set_path(std::string path) { path_ = std::move(path); }
  /// Of a database that no definition claims: `app` and `source` only name it.
  void run_unclaimed();
  /// Of a database that lies where no definition says, and has the tables of this one.
  void run_elsewhere() {
    elsewhere_ = true;
    run();
  }
  /// Whether a version of the source fits the database.
  bool fits();
  /// How well a version fits, where the tables alone must say whose they are: columns that it names. 0: not,
  /// or too few of them to tell, or no record is in them.
  std::size_t likeness();
  /// Columns that the version which fits asks for; 0 if none fits.
  std::size_t required_columns();
  /// Why no version fits: the first thing of each.
  std::string misfits();
  /// What the nearest version of those that do not fit lacks.
  std::size_t distance();
  /// What to say besides of why nothing fits.
  void set_other_misfits(std::string text) { other_misfits_ = std::move(text); }

 private:
  struct Columns;
  const AppVersion* choose_version();
  const AppVersion* nearest_version();
  const AppVersion* adapt();
  bool has_records(const AppVersion& version);
  bool tell_schema(const AppVersion& version);
  std::string untried_schema(const AppVersion& version, bool tested);
  void tell_untried(const AppVersion& version, bool tested);
  void tell_unknown();
  std::string run_guesses(const GuessLimits& limits);
  void run_version(const AppVersion& version);
  std::string sql_of(const AppQuery& query, const AppVersion& version);
  void announce_recovered(const AppVersion& version);
  std::vector<Field> fields_of(const AppQuery& query, Query& rows, const Columns& columns);
  /// Rows listed of the database as it stands.
  std::uint64_t run_query(const AppQuery& query, const AppVersion& version);
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
  std::string rule_ = app_->info.id;  ///< of findings
  std::string other_misfits_;
  std::string path_;
  std::map<std::string, std::uint64_t> rows_;  ///< listed, by table
  std::uint64_t messages_ = 0;                 ///< listed, of all tables
  Schema schema_;
  bool elsewhere_ = false;
  std::optional<AdaptedVersion> adapted_;  ///< where the database lacks some of what the version requires
  FieldMaker maker_;
  SeenRecords seen_;
  std::map<std::string, Gaps> gaps_;                       ///< by table of messages or calls
  std::optional<std::vector<std::uint64_t>> beneath_log_;  ///< hashes of the query's rows without the log
  std::deque<std::string> status_;                         ///< texts that fields point to, for one row
  bool of_pages_ = false;                                  ///< run_pages()
  bool attachments_follow_ = false;                        ///< in a query of their own
  MessageKeys message_keys_;
};

}  // namespace touchstone::appdata

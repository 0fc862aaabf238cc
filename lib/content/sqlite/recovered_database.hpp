// Queries over recovered rows: the same SQL that reads a table runs over the rows recovered from it. The
// table's name is given to the recovered rows for the time of the query; the other tables have their live
// rows and those recovered ones whose numbers no live row has, so that joins find what was deleted together.
// Results carry columns more, which say where the row came from: ts_place ("page 12 offset 3456", with the
// file where it is not the main one), ts_source, ts_confidence, ts_certain, ts_partial, ts_older (0/1).
// Sources are borrowed. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "content/database.hpp"
#include "content/sqlite/recovery.hpp"

namespace touchstone::sqlite {

class RecoveredDatabase {
 public:
  /// Error as of recover_rows() and EvidenceDatabase::open().
  static Result<std::unique_ptr<RecoveredDatabase>> open(const DatabaseFiles& files,
                                                         const RecoverySettings& settings = {},
                                                         const DatabaseLimits& limits = {});
  /// The same of rows that were found otherwise, under tables of this database.
  static std::unique_ptr<RecoveredDatabase> of(Recovery recovery, std::unique_ptr<EvidenceDatabase> database);
  const Recovery& recovery() const { return recovery_; }
  /// Rows recovered from this table.
  std::size_t count(std::string_view table) const;
  /// One SELECT that reads `table`. A result row belongs to the recovered row whose number its column
  /// `source_row` has; where that does not tell, to the one whose number is asked for beside the query's own
  /// columns. Where the query's form allows neither (it groups, or joins the table with itself), it runs for
  /// one recovered row at a time, for at most kMaxSingleRows of them. One query at a time.
  Result<std::unique_ptr<EvidenceQuery>> query(std::string_view table, std::string_view sql,
                                               const std::vector<Value>& parameters);

  static constexpr std::size_t kBatchRows = 4000;
  static constexpr std::size_t kMaxSingleRows = 2000;

 private:
  friend class RecoveredQuery;
  RecoveredDatabase(Recovery recovery, std::unique_ptr<EvidenceDatabase> database)
      : recovery_(std::move(recovery)), database_(std::move(database)) {}
  void extend_tables();
  Status stand_in(std::string_view table, const std::vector<const RecoveredRow*>& rows,
                  const std::vector<std::int64_t>& numbers);
  void restore(const std::string& table);

  Recovery recovery_;
  std::unique_ptr<EvidenceDatabase> database_;
  std::map<std::string, std::vector<std::size_t>> rows_;  ///< folded table → recovered rows
  std::map<std::string, StandInRows> extensions_;         ///< folded table → rows that extend it
  bool extended_ = false;
};

}  // namespace touchstone::sqlite

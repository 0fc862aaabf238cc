// Rows of leaf pages without their database, put to the tables of databases that are at hand: those of the
// same exhibit, whose apps may have written the pages too. Which database a row belonged to, its form alone
// tells; where two have the same table the first is meant. Plain functions; sources are borrowed.
#pragma once

#include <memory>
#include <vector>

#include "content/database.hpp"
#include "content/sqlite/recovery.hpp"

namespace touchstone::sqlite {

/// Tables as the database's schema defines them, at most `limit`.
std::vector<TableShape> shapes_of(EvidenceDatabase& database, std::size_t limit);

/// What recover_pages() finds: for each of `schemas` the rows of its tables, and behind them those of tables
/// that the pages themselves define. Shapes of each count as tables that stand.
Result<std::vector<Recovery>> recover_pages_of(ByteSource& pages,
                                               const std::vector<std::vector<TableShape>>& schemas,
                                               const RecoverySettings& settings = {});

/// Takes out the rows that stand in the database with the same number and values. Of others whose number a
/// row of the database has, that row is put in front, marked live_row, so that what queries make of the two
/// can be compared; where most values are the same, the recovered one is an older version of it.
void add_live_rows(Recovery& recovery, EvidenceDatabase& database);

}  // namespace touchstone::sqlite

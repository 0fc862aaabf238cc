// A database made of table shapes alone, so that queries of rows without their database have something to run
// on.
#pragma once

#include <memory>
#include <vector>

#include "content/sqlite/recovery.hpp"
#include "evidence/byte_source.hpp"
#include "model/result.hpp"

namespace touchstone::sqlite {

/// Its bytes: these tables and no row. A table that SQLite refuses is left out.
Result<std::unique_ptr<ByteSource>> make_empty_database(const std::vector<TableShape>& shapes);

}  // namespace touchstone::sqlite

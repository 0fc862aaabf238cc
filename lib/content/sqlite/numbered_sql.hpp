// A query over stand-in rows that also tells which of them each result is made of. Pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace touchstone::sqlite {

/// The SELECT with `column` in front of its own columns, in each part of a compound. Absent where a result
/// may be made of several rows, or where results are counted: GROUP BY and LIMIT of the statement itself, set
/// operations other than UNION ALL. Whether the column can be named there, preparing it tells.
std::optional<std::string> with_column_in_front(std::string_view sql, std::string_view column);

}  // namespace touchstone::sqlite

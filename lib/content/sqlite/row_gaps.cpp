// Row numbers that are missing: see find_row_gaps().
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "content/sqlite/recovery.hpp"

namespace touchstone::sqlite {
namespace {

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    result += c;
    if (c == '"') result += c;
  }
  return result + '"';
}

class Gaps {
 public:
  explicit Gaps(std::size_t limit) : limit_(limit) {}
  void add(const RowGap& gap) {
    ++result_.gaps;
    result_.missing += gap.missing;
    result_.largest.push_back(gap);
    if (result_.largest.size() > 2 * limit_ + 16) trim();
  }
  RowGaps take() {
    trim();
    std::sort(result_.largest.begin(), result_.largest.end(),
              [](const RowGap& a, const RowGap& b) { return a.after < b.after; });
    return std::move(result_);
  }

 private:
  void trim() {
    std::sort(result_.largest.begin(), result_.largest.end(), [](const RowGap& a, const RowGap& b) {
      return a.missing != b.missing ? a.missing > b.missing : a.after < b.after;
    });
    if (result_.largest.size() > limit_) result_.largest.resize(limit_);
  }
  std::size_t limit_;
  RowGaps result_;
};

/// The highest number that was ever given out, as AUTOINCREMENT keeps it; 0 if that is not known.
std::int64_t counter_of(EvidenceDatabase& database, std::string_view table) {
  auto query = database.query("SELECT seq FROM sqlite_sequence WHERE name = ?1", {Value(std::string(table))});
  if (!query) return 0;
  const auto row = (*query)->step();
  return row && *row ? (*query)->integer(0) : 0;
}

/// The gaps as rows of (after, before, missing, at_end).
class GapQuery final : public EvidenceQuery {
 public:
  explicit GapQuery(RowGaps gaps) : gaps_(std::move(gaps)) {}
  Result<bool> step() override { return ++at_ <= static_cast<std::ptrdiff_t>(gaps_.largest.size()); }
  std::size_t columns() const override { return std::size(kNames); }
  std::string column_name(std::size_t column) const override {
    return column < columns() ? kNames[column] : "";
  }
  std::int64_t integer(std::size_t column) const override { return value(column).value_or(0); }
  double real(std::size_t column) const override { return static_cast<double>(integer(column)); }
  std::string_view bytes(std::size_t) const override { return {}; }
  Type type(std::size_t column) const override { return value(column) ? Type::integer : Type::null; }

 private:
  static constexpr const char* kNames[] = {"after", "before", "missing", "at_end"};
  std::optional<std::int64_t> value(std::size_t column) const {
    if (at_ < 0) return std::nullopt;
    const auto row = static_cast<std::size_t>(at_);
    if (row >= gaps_.largest.size()) {
      if (column == 2) return static_cast<std::int64_t>(gaps_.missing);
      if (column == 3) return static_cast<std::int64_t>(gaps_.gaps);
      return std::nullopt;
    }
    const RowGap& gap = gaps_.largest[row];
    switch (column) {
      case 0:
        return gap.after;
      case 1:
        return gap.at_end ? std::nullopt : std::optional(gap.before);
      case 2:
        return static_cast<std::int64_t>(gap.missing);
      default:
        return gap.at_end ? 1 : 0;
    }
  }
  RowGaps gaps_;
  std::ptrdiff_t at_ = -1;
};

}  // namespace

Result<RowGaps> find_row_gaps(EvidenceDatabase& database, std::string_view table, std::size_t limit) {
  auto definition = database.query("SELECT sql, name FROM sqlite_schema WHERE lower(name) = lower(?1)",
                                   {Value(std::string(table))});
  if (!definition) return definition.error();
  const auto found = (*definition)->step();
  if (!found) return found.error();
  if (!*found) return Error{ErrorCode::not_found, fmt::format("there is no table {}", table)};
  const auto shape = parse_create_table((*definition)->bytes(0));
  const std::string name((*definition)->bytes(1));
  if (!shape || !shape->row_id_column)
    return Error{ErrorCode::invalid, fmt::format("the rows of table {} are not numbered", table)};
  const std::string column = quoted(shape->columns[*shape->row_id_column].name);
  auto rows = database.query(fmt::format("SELECT {} FROM {} ORDER BY {}", column, quoted(name), column), {});
  if (!rows) return rows.error();
  Gaps gaps(limit);
  std::int64_t last = 0;
  for (;;) {
    const auto row = (*rows)->step();
    if (!row) return row.error();
    if (!*row) break;
    const std::int64_t number = (*rows)->integer(0);
    if (number <= 0) continue;
    if (number > last + 1) gaps.add({last, number, static_cast<std::uint64_t>(number - last - 1), false});
    last = number;
  }
  if (shape->autoincrement)
    if (const std::int64_t counter = counter_of(database, name); counter > last)
      gaps.add({last, 0, static_cast<std::uint64_t>(counter - last), true});
  return gaps.take();
}

std::unique_ptr<EvidenceQuery> make_gap_query(RowGaps gaps) {
  return std::make_unique<GapQuery>(std::move(gaps));
}

}  // namespace touchstone::sqlite

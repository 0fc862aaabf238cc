#include "content/sqlite/recovered_database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <unordered_map>

#include "content/sqlite/numbered_sql.hpp"

namespace touchstone::sqlite {
namespace {

std::string fold(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// A row whose number is lost gets one that no row has: joins by it find nothing.
constexpr std::int64_t kFirstMadeUpNumber = -0x4000000000000000LL;

std::string place_of(const RecoveredRow& row) {
  if (row.source == RowSource::carved_pages)
    return fmt::format("carved page {} offset {}", row.page, row.offset);
  std::string place = row.page > 0 ? fmt::format("page {} offset {}", row.page, row.offset)
                                   : fmt::format("offset {}", row.file_offset);
  if (row.file == PageFile::wal) place += fmt::format(" (write-ahead log, byte {})", row.file_offset);
  if (row.file == PageFile::journal) place += fmt::format(" (rollback journal, byte {})", row.file_offset);
  return place;
}

}  // namespace

/// Runs one batch after the other and keeps the results of one.
class RecoveredQuery final : public EvidenceQuery {
 public:
  RecoveredQuery(RecoveredDatabase& database, std::string table, std::string_view sql,
                 const std::vector<Value>& parameters)
      : database_(&database), table_(std::move(table)), sql_(sql), parameters_(parameters) {
    for (const std::size_t row : database_->rows_[table_])
      pending_.push_back(&database_->recovery_.rows[row]);
    // The best first, and of equals the latest: what follows may be the same row in an earlier state.
    std::stable_sort(pending_.begin(), pending_.end(), [](const RecoveredRow* a, const RecoveredRow* b) {
      // Where a row's number is lost, the same row with its number comes before it.
      if (a->row_id.has_value() != b->row_id.has_value()) return a->row_id.has_value();
      if (a->confidence != b->confidence) return a->confidence > b->confidence;
      if (a->file != b->file) return a->file > b->file;
      return a->file_offset > b->file_offset;
    });
    const auto& shapes = database_->recovery_.shapes;
    numbered_ = !pending_.empty() && shapes[pending_[0]->shape].row_id_column.has_value();
  }
  ~RecoveredQuery() override { database_->restore(table_); }
  RecoveredQuery(const RecoveredQuery&) = delete;
  RecoveredQuery& operator=(const RecoveredQuery&) = delete;

  /// Runs the first batch, so that wrong SQL is known at once.
  Status start() { return next_batch(); }

  Result<bool> step() override {
    for (;;) {
      if (at_ + 1 < static_cast<std::ptrdiff_t>(results_.size())) {
        ++at_;
        return true;
      }
      if (pending_.empty()) {
        results_.clear();
        at_ = -1;
        if (left_out_ == 0) return false;
        const std::size_t count = std::exchange(left_out_, 0);
        return Error{ErrorCode::limit,
                     fmt::format("{} recovered rows of table {} were left out, since its query is "
                                 "too slow for so many",
                                 count, table_)};
      }
      if (auto done = next_batch(); !done) {
        pending_.clear();
        return done.error();
      }
    }
  }
  std::size_t columns() const override { return names_.size() + std::size(kExtra); }
  std::string column_name(std::size_t column) const override {
    return column < names_.size() ? names_[column] : kExtra[column - names_.size()];
  }
  std::int64_t integer(std::size_t column) const override { return cell(column).integer; }
  double real(std::size_t column) const override { return cell(column).real; }
  std::string_view bytes(std::size_t column) const override { return cell(column).bytes; }
  Type type(std::size_t column) const override {
    switch (cell(column).kind) {
      case SqlValue::Kind::integer:
        return Type::integer;
      case SqlValue::Kind::real:
        return Type::real;
      case SqlValue::Kind::text:
        return Type::text;
      case SqlValue::Kind::blob:
        return Type::blob;
      case SqlValue::Kind::null:
      case SqlValue::Kind::unknown:
        break;
    }
    return Type::null;
  }

 private:
  static constexpr const char* kExtra[] = {"ts_place",   "ts_source",  "ts_confidence",
                                           "ts_certain", "ts_partial", "ts_older"};
  using ResultRow = std::vector<SqlValue>;

  const SqlValue& cell(std::size_t column) const {
    static const SqlValue null;
    const bool there = at_ >= 0 && column < results_[static_cast<std::size_t>(at_)].size();
    return there ? results_[static_cast<std::size_t>(at_)][column] : null;
  }

  Status next_batch() {
    results_.clear();
    at_ = -1;
    std::vector<const RecoveredRow*> batch, rest;
    std::vector<std::int64_t> numbers;
    std::set<std::int64_t> used;
    const std::size_t most = by_number_ ? RecoveredDatabase::kBatchRows : 1;
    for (const RecoveredRow* row : pending_) {
      const bool made_up = !row->row_id;
      const std::int64_t number =
          row->row_id.value_or(kFirstMadeUpNumber + static_cast<std::int64_t>(batch.size()));
      if (batch.size() >= most ||
          (!batch.empty() && (batch[0]->shape != row->shape || batch[0]->row_id.has_value() == made_up)) ||
          (made_up && !numbered_ && !batch.empty() && by_number_ && !told_by_column_) ||
          !used.insert(number).second) {
        rest.push_back(row);
        continue;
      }
      batch.push_back(row);
      numbers.push_back(number);
    }
    if (auto run = run_batch(batch, numbers); !run) return run.error();
    pending_ = std::move(rest);
    if (!by_number_ && ++single_rows_ >= RecoveredDatabase::kMaxSingleRows) {
      left_out_ += pending_.size();
      pending_.clear();
    }
    return {};
  }

  Status run_batch(const std::vector<const RecoveredRow*>& batch, const std::vector<std::int64_t>& numbers) {
    bool told_apart = true;
    if (auto run = run_rows(batch, numbers, told_apart); !run) return run.error();
    if (told_apart) return {};
    // What the query calls its row does not lead back: the number of the row is asked for beside it.
    results_.clear();
    if (ask_for_number()) return run_rows(batch, numbers, told_apart);
    // One by one.
    by_number_ = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (++single_rows_ > RecoveredDatabase::kMaxSingleRows) {
        left_out_ += batch.size() - i;
        return {};
      }
      if (auto run = run_rows({batch[i]}, {numbers[i]}, told_apart); !run) return run.error();
    }
    return {};
  }

  /// Makes the query tell of which row each result is. False: its form does not allow that.
  bool ask_for_number() {
    if (std::exchange(asked_for_number_, true)) return false;
    auto sql = with_column_in_front(sql_, StandInRows::kNumberColumn);
    if (!sql || !database_->database_->query(*sql, parameters_)) return false;
    sql_ = std::move(*sql);
    told_by_column_ = true;
    source_row_ = 0;
    return true;
  }

  /// `told_apart`: each result belongs to a known row.
  Status run_rows(const std::vector<const RecoveredRow*>& batch, const std::vector<std::int64_t>& numbers,
                  bool& told_apart) {
    if (auto ready = database_->stand_in(table_, batch, numbers); !ready) return ready.error();
    // Rows without numbers of their own are known by the column alone.
    if (!numbered_) ask_for_number();
    auto query = database_->database_->query(sql_, parameters_);
    if (!query) return query.error();
    if (names_.empty()) {
      for (std::size_t i = told_by_column_ ? 1 : 0; i < (*query)->columns(); ++i) {
        names_.push_back((*query)->column_name(i));
        if (!told_by_column_ && fold(names_.back()) == "source_row") source_row_ = i;
      }
    }
    std::unordered_map<std::int64_t, const RecoveredRow*> by_number;
    for (std::size_t i = 0; i < batch.size(); ++i) by_number.emplace(numbers[i], batch[i]);
    for (;;) {
      auto row = (*query)->step();
      if (!row) return row.error();
      if (!*row) return {};
      ResultRow result = read(**query);
      const RecoveredRow* of = batch.size() == 1 && !told_by_column_ ? batch[0] : owner(result, by_number);
      if (!of && told_by_column_) continue;  // of no recovered row at all
      if (!of) {
        told_apart = false;
        return {};
      }
      if (told_by_column_) result.erase(result.begin());
      append_origin(result, *of);
      results_.push_back(std::move(result));
    }
  }

  ResultRow read(EvidenceQuery& query) const {
    ResultRow row(query.columns());
    for (std::size_t i = 0; i < row.size(); ++i) {
      switch (query.type(i)) {
        case Type::null:
          break;
        case Type::integer:
          row[i] = {SqlValue::Kind::integer, query.integer(i), 0, {}};
          break;
        case Type::real:
          row[i] = {SqlValue::Kind::real, 0, query.real(i), {}};
          break;
        case Type::text:
          row[i] = {SqlValue::Kind::text, 0, 0, std::string(query.bytes(i))};
          break;
        case Type::blob:
          row[i] = {SqlValue::Kind::blob, 0, 0, std::string(query.bytes(i))};
          break;
      }
    }
    return row;
  }

  const RecoveredRow* owner(const ResultRow& result,
                            const std::unordered_map<std::int64_t, const RecoveredRow*>& by_number) const {
    if (!source_row_) return nullptr;
    const SqlValue& cell = result[*source_row_];
    std::int64_t number = cell.integer;
    if (cell.kind == SqlValue::Kind::text) {
      const char* end = cell.bytes.data() + cell.bytes.size();
      if (const auto [stop, failed] = std::from_chars(cell.bytes.data(), end, number);
          failed != std::errc() || stop != end)
        return nullptr;
    } else if (cell.kind != SqlValue::Kind::integer) {
      return nullptr;
    }
    const auto found = by_number.find(number);
    return found == by_number.end() ? nullptr : found->second;
  }

  static void append_origin(ResultRow& result, const RecoveredRow& row) {
    // A number that was made up is no fact.
    if (!row.row_id)
      for (SqlValue& value : result)
        if (value.kind == SqlValue::Kind::integer && value.integer < kFirstMadeUpNumber + 1'000'000 &&
            value.integer >= kFirstMadeUpNumber)
          value = {};
    using Kind = SqlValue::Kind;
    result.push_back({Kind::text, 0, 0, place_of(row)});
    result.push_back({Kind::text, 0, 0, std::string(name_of(row.source))});
    result.push_back({Kind::integer, row.confidence, 0, {}});
    result.push_back({Kind::integer, row.certain ? 1 : 0, 0, {}});
    result.push_back({Kind::integer, row.partial ? 1 : 0, 0, {}});
    result.push_back({Kind::integer, row.older_version ? 1 : 0, 0, {}});
  }

  RecoveredDatabase* database_;
  std::string table_, sql_;
  std::vector<Value> parameters_;
  std::vector<const RecoveredRow*> pending_;
  std::vector<std::string> names_;
  std::optional<std::size_t> source_row_;
  std::vector<ResultRow> results_;
  std::ptrdiff_t at_ = -1;
  std::size_t single_rows_ = 0, left_out_ = 0;
  bool by_number_ = true, numbered_ = false;
  bool asked_for_number_ = false, told_by_column_ = false;  ///< see ask_for_number()
};

Result<std::unique_ptr<RecoveredDatabase>> RecoveredDatabase::open(const DatabaseFiles& files,
                                                                   const RecoverySettings& settings,
                                                                   const DatabaseLimits& limits) {
  auto recovery = recover_rows(files, settings);
  if (!recovery) return recovery.error();
  auto database = EvidenceDatabase::open(files, DatabaseState::current, limits);
  if (!database) return database.error();
  return of(recovery.take(), database.take());
}

std::unique_ptr<RecoveredDatabase> RecoveredDatabase::of(Recovery recovery,
                                                         std::unique_ptr<EvidenceDatabase> database) {
  std::unique_ptr<RecoveredDatabase> result(new RecoveredDatabase(std::move(recovery), std::move(database)));
  for (std::size_t i = 0; i < result->recovery_.rows.size(); ++i) {
    const RecoveredRow& row = result->recovery_.rows[i];
    if (row.mapped) result->rows_[fold(result->recovery_.shapes[row.shape].name)].push_back(i);
  }
  return result;
}

std::size_t RecoveredDatabase::count(std::string_view table) const {
  const auto found = rows_.find(fold(table));
  return found == rows_.end() ? 0 : found->second.size();
}

void RecoveredDatabase::extend_tables() {
  if (std::exchange(extended_, true)) return;
  for (const auto& [table, rows] : rows_) {
    StandInRows more;
    std::set<std::int64_t> used;
    for (const std::size_t i : rows) {
      const RecoveredRow& row = recovery_.rows[i];
      const TableShape& shape = recovery_.shapes[row.shape];
      if (shape.dropped || row.older_version || !row.row_id || !used.insert(*row.row_id).second ||
          row.source == RowSource::live_row)
        continue;
      more.columns = shape.columns;
      more.rows.push_back({*row.row_id, &row.values});
    }
    if (more.rows.empty()) continue;
    if (database_->extend_table(table, more)) extensions_.emplace(table, std::move(more));
  }
}

Status RecoveredDatabase::stand_in(std::string_view table, const std::vector<const RecoveredRow*>& rows,
                                   const std::vector<std::int64_t>& numbers) {
  StandInRows stand_in;
  const TableShape& shape = recovery_.shapes[rows[0]->shape];
  stand_in.columns = shape.columns;
  std::vector<std::vector<SqlValue>> numbered;
  numbered.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const TableShape& own = recovery_.shapes[rows[i]->shape];
    const std::vector<SqlValue>* values = &rows[i]->values;
    if (own.row_id_column && !rows[i]->row_id) {
      numbered.push_back(*values);
      numbered.back()[*own.row_id_column] = {SqlValue::Kind::integer, numbers[i], 0, {}};
      values = &numbered.back();
    }
    stand_in.rows.push_back({numbers[i], values});
  }
  return database_->hide_table(table, stand_in);
}

void RecoveredDatabase::restore(const std::string& table) {
  const auto extension = extensions_.find(table);
  const Status done = extension == extensions_.end() ? database_->show_table(table)
                                                     : database_->extend_table(table, extension->second);
  if (!done) extensions_.erase(table);
}

Result<std::unique_ptr<EvidenceQuery>> RecoveredDatabase::query(std::string_view table, std::string_view sql,
                                                                const std::vector<Value>& parameters) {
  const std::string folded = fold(table);
  if (count(folded) == 0) return Error{ErrorCode::not_found, "nothing was recovered of this table"};
  extend_tables();
  auto query = std::make_unique<RecoveredQuery>(*this, folded, sql, parameters);
  auto started = query->start();
  if (!started && started.error().code == ErrorCode::invalid && !extensions_.empty()) {
    // A view has no row numbers: a query that asks for them sees the live rows of other tables alone.
    query.reset();
    for (const auto& [name, rows] : extensions_)
      if (auto shown = database_->show_table(name); !shown) return shown.error();
    extensions_.clear();
    query = std::make_unique<RecoveredQuery>(*this, folded, sql, parameters);
    started = query->start();
  }
  if (!started) return started.error();
  return std::unique_ptr<EvidenceQuery>(std::move(query));
}

}  // namespace touchstone::sqlite

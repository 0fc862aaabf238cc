#include "extraction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace touchstone::appdata {
namespace {

constexpr std::string_view kAttachmentPrefix = "attachment_";

/// A cell as it stands in a key: integers and text as they are.
std::string plain_text(const ts_value& value) {
  switch (value.kind) {
    case TS_INTEGER:
      return std::to_string(value.integer);
    case TS_REAL:
      return fmt::format("{}", value.real);
    case TS_TEXT:
    case TS_BLOB: {
      const std::string_view text = from_abi(value.text);
      return valid_utf8(text.substr(0, 1000));
    }
    default:
      return {};
  }
}

/// An attachment that has a path and no name is named by the path's last part.
void name_by_path(std::vector<Field>& fields) {
  const auto find = [&](std::string_view name) {
    return std::find_if(fields.begin(), fields.end(),
                        [&](const Field& f) { return f.name == name && f.cell.value.kind == TS_TEXT; });
  };
  const auto path = find("path");
  if (path == fields.end() || find("name") != fields.end()) return;
  const std::string_view text = from_abi(path->cell.value.text);
  const Cell name(text.substr(text.rfind('/') + 1));
  std::erase_if(fields, [](const Field& f) { return f.name == "name"; });
  fields.push_back({"name", name});
}

/// The table of an attachment's message where the query does not say: the version's only message table.
std::string message_table(const AppVersion& version) {
  std::string table;
  for (const AppQuery& query : version.queries) {
    if (query.kind != "message") continue;
    if (!table.empty() && table != query.table) return {};
    table = query.table;
  }
  return table;
}

/// Where the column ts_older stands, from ts_place on: a live row has the number.
constexpr std::size_t kOlder = 5;

/// Rows that are compared with those beneath the write-ahead log: 8 bytes each.
constexpr std::size_t kMaxRowsBeneathLog = 4'000'000;

/// What people said and wrote: kinds whose records tell what became of them.
bool is_spoken(const AppQuery& query) {
  return query.kind == "message" || query.kind == "call" || query.kind == "event" || query.kind == "note";
}

/// Kinds whose rows say in a column of their own that they were recovered.
bool has_recovered(const AppQuery& query) {
  return query.kind != "attachment";
}

void add_to_status(std::vector<Field>& fields, std::deque<std::string>& texts, const std::string& more) {
  const auto status =
      std::find_if(fields.begin(), fields.end(), [](const Field& f) { return f.name == "status"; });
  std::string text = more;
  if (status != fields.end()) {
    const ts_value& value = status->cell.value;
    if (value.kind == TS_TEXT && value.text.size > 0)
      text = fmt::format("{}; {}", from_abi(value.text), more);
    fields.erase(status);
  }
  fields.push_back({"status", Cell(std::string_view(texts.emplace_back(std::move(text))))});
}

/// A row that stands in the database under the number of a recovered one: listed for comparison.
bool is_live(Query& rows, std::size_t origin) {
  return from_abi(rows.value(origin + 1).text) == "live row";
}

/// A row whose table only its form tells is none of messages or calls if its time is no time: the years 2000
/// to 2040. One of a live database needs no such check.
bool has_likely_time(const std::vector<Field>& fields) {
  constexpr std::int64_t kFirst = 946'684'800'000'000, kLast = 2'208'988'800'000'000;
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    const ts_value& value = field.cell.value;
    return form_of(field.name) == FieldForm::time && value.kind == TS_INTEGER && value.integer >= kFirst &&
           value.integer < kLast;
  });
}

}  // namespace

/// Where in a result the columns of the record stand.
struct Extraction::Columns {
  struct Field {
    std::size_t index;
    std::string name;
    FieldForm form;
  };
  std::vector<Field> fields;
  std::vector<Field> attachment;  ///< of a message that names its one attachment itself
  std::optional<std::size_t> source_row, message_row, message_table;
  std::optional<std::size_t> origin;  ///< of a recovered row: ts_place and what follows it
  std::string default_message_table;

  Columns(const AppQuery& query, const Query& rows) {
    const auto& known = record_columns(query.kind);
    for (std::size_t i = 0; i < rows.columns(); ++i) {
      const std::string name = fold(rows.column_name(i));
      if (name == "source_row") {
        source_row = i;
      } else if (name == "ts_place") {
        origin = i;
      } else if (query.kind == "attachment" && name == "message_row") {
        message_row = i;
      } else if (query.kind == "attachment" && name == "message_table") {
        message_table = i;
      } else if (query.kind == "message" && name.starts_with(kAttachmentPrefix)) {
        attachment.push_back({i, name.substr(kAttachmentPrefix.size()), FieldForm::plain});
      } else if (std::find(known.begin(), known.end(), name) != known.end()) {
        fields.push_back({i, name, form_of(name)});
      }
    }
  }
  bool has(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  }
  std::string table_of_message(const Query& rows) const {
    return message_table ? plain_text(rows.value(*message_table)) : default_message_table;
  }
};

void Extraction::run() {
  if (!schema_.read(*job_)) return;
  const AppVersion* version = choose_version();
  if (version)
    adapted_ = adapted(*job_, schema_, *version);
  else
    version = adapt();
  if (!version) return tell_unknown();
  const bool tested = tell_schema(*version);
  run_version(adapted_ ? adapted_->version : *version);
  if (!job_->cancelled()) tell_untried(*version, tested);
}

void Extraction::run_version(const AppVersion& version) {
  announce_recovered(version);
  for (const AppQuery& query : version.queries) {
    if (job_->cancelled()) return;
    const std::uint64_t rows = run_query(query, version);
    rows_[query.table] += rows;
    if (query.kind == "message") messages_ += rows;
    run_recovered(query, version);
  }
  for (const auto& [table, gaps] : gaps_) gaps.tell(*job_, rule_, app_->info.title);
}

bool Extraction::run_pages() {
  if (!schema_.read(*job_)) return false;
  const AppVersion* version = choose_version();
  if (version)
    adapted_ = adapted(*job_, schema_, *version);
  else
    version = adapt();
  if (!version) return false;
  if (adapted_) version = &adapted_->version;
  of_pages_ = true;
  announce_recovered(*version);
  for (const AppQuery& query : version->queries) run_recovered(query, *version);
  return true;
}

bool Extraction::fits() {
  return schema_.read(*job_) && choose_version() != nullptr;
}

/// What was recovered, before anything live is told: then only live records that repeat it need be
/// remembered.
void Extraction::announce_recovered(const AppVersion& version) {
  for (const AppQuery& query : version.queries) {
    attachments_follow_ = attachments_follow_ || query.kind == "attachment";
    Query rows = job_->query_recovered(query.table, sql_of(query, version));
    if (!rows) continue;
    const Columns columns(query, rows);
    for (std::uint64_t count = 0; rows.step(); ++count) {
      if (count % 1024 == 0 && job_->cancelled()) return;
      maker_.clear();
      const std::string row =
          columns.source_row ? plain_text(rows.value(*columns.source_row)) : std::string();
      seen_.announce(query.kind, query.table, row, fields_of(query, rows, columns));
    }
  }
}

std::vector<Field> Extraction::fields_of(const AppQuery& query, Query& rows, const Columns& columns) {
  std::vector<Field> fields;
  fields.reserve(columns.fields.size() + query.constants.size() + 4);
  for (const Columns::Field& field : columns.fields)
    fields.push_back({field.name, maker_.make(field.form, rows.value(field.index))});
  for (const auto& [name, value] : query.constants)
    if (!columns.has(name)) fields.push_back({name, Cell(value)});
  return fields;
}

std::string Extraction::sql_of(const AppQuery& query, const AppVersion& version) {
  std::string sql = runnable_sql(query.sql, version, [&](std::string_view table, std::string_view column) {
    if (adapted_) table = adapted_->name_of(table);
    return column.empty() ? schema_.has(table) : schema_.columns(*job_, table).contains(fold(column));
  });
  if (adapted_) sql = with_tables(adapted_->tables, sql);
  const std::string_view path = path_.empty() ? job_->path() : std::string_view(path_);
  return with_file_name(sql, path.substr(path.rfind('/') + 1));
}

std::uint64_t Extraction::run_query(const AppQuery& query, const AppVersion& version) {
  maker_.notes = {};
  if (is_spoken(query)) {
    gaps_.try_emplace(query.table, *job_, query.table);
    note_rows_beneath_log(query, version);
  }
  Query rows = job_->query(sql_of(query, version));
  if (!rows) return 0;  // the host has recorded why
  Columns columns(query, rows);
  columns.default_message_table = message_table(version);
  std::uint64_t count = 0;
  for (; rows.step(); ++count) {
    if (count % 1024 == 0 && job_->cancelled()) return count;
    emit_row(query, rows, columns);
  }
  if (rows.failed())
    job_->emit_problem("corrupt",
                       fmt::format("{}: reading table {} broke off after {} rows; what follows is not listed",
                                   app_->info.title, query.table, count));
  tell(query, columns, count);
  return count;
}

void Extraction::emit_row(const AppQuery& query, Query& rows, const Columns& columns) {
  maker_.clear();
  std::vector<Field> fields = fields_of(query, rows, columns);
  const std::string named = columns.source_row ? plain_text(rows.value(*columns.source_row)) : std::string();
  std::string row = named;
  status_.clear();
  if (of_pages_ && columns.origin && is_live(rows, *columns.origin)) {
    seen_.add_live(query.kind, query.table, row, fields);
    return;
  }
  if (of_pages_ && is_spoken(query) && !has_likely_time(fields)) return;
  if (!columns.origin) {
    note_live(query, rows, columns, row, fields);
    if (has_recovered(query) && !columns.has("recovered")) fields.push_back({"recovered", Cell(0)});
  } else if (!mark_recovered(query, rows, columns, row, fields)) {
    return;
  }
  const std::string& app = app_->info.id;
  if (query.kind == "attachment") {
    name_by_path(fields);
    std::string table = columns.table_of_message(rows);
    if (adapted_) table = adapted_->name_of(table);
    const std::string message =
        columns.message_row ? plain_text(rows.value(*columns.message_row)) : std::string();
    const std::string key = message_keys_.find(table, message);
    if (!key.empty()) {
      fields.push_back({"message_key", Cell(std::string_view(status_.emplace_back(key)))});
    } else {
      fields.push_back({"message_table", Cell(table)});
      fields.push_back({"message_row", Cell(message)});
    }
    job_->emit_record(query.kind, app, query.table, row, fields);
    return;
  }
  const std::string key = job_->emit_record(query.kind, app, query.table, row, fields);
  if (!columns.attachment.empty()) emit_own_attachment(query, rows, columns, row, key);
  if (query.kind != "message" || !attachments_follow_ || named.empty()) return;
  // Of an older state of a message that still stands the attachments are the latter's.
  const bool older = columns.origin && rows.value(*columns.origin + kOlder).integer != 0;
  if (!older) message_keys_.add(query.table, named, key, !columns.origin);
}

void Extraction::emit_own_attachment(const AppQuery& query, Query& rows, const Columns& columns,
                                     const std::string& row, const std::string& message_key) {
  std::vector<Field> fields;
  for (const Columns::Field& field : columns.attachment) {
    const Cell cell = maker_.make(field.form, rows.value(field.index));
    if (cell.value.kind != TS_NULL) fields.push_back({field.name, cell});
  }
  if (fields.empty()) return;
  name_by_path(fields);
  fields.push_back({"message_key", Cell(message_key)});
  fields.push_back({"ordinal", Cell(0)});
  job_->emit_record("attachment", app_->info.id, query.table, row, fields);
}

void Extraction::run_recovered(const AppQuery& query, const AppVersion& version) {
  maker_.notes = {};
  Query rows = job_->query_recovered(query.table, sql_of(query, version));
  if (!rows) return;
  Columns columns(query, rows);
  columns.default_message_table = message_table(version);
  for (std::uint64_t count = 0; rows.step(); ++count) {
    if (count % 1024 == 0 && job_->cancelled()) return;
    emit_row(query, rows, columns);
  }
}

/// The rows that stand in the database without its write-ahead log, where there is one.
void Extraction::note_rows_beneath_log(const AppQuery& query, const AppVersion& version) {
  beneath_log_.reset();
  const std::string_view path = job_->path();
  if (!job_->has_neighbour(std::string(path.substr(path.rfind('/') + 1)) + "-wal")) return;
  beneath_log_.emplace();
  if (job_->size() == 0) return;
  Query there = job_->query("SELECT count(*) FROM sqlite_schema WHERE lower(name) = lower(?1)",
                            {Cell(std::string_view(query.table))}, TS_DB_WITHOUT_WAL);
  if (!there || !there.step() || there.value(0).integer == 0) return;
  Query rows = job_->query(sql_of(query, version), {}, TS_DB_WITHOUT_WAL);
  while (rows && rows.step()) {
    if (beneath_log_->size() >= kMaxRowsBeneathLog) {
      beneath_log_.reset();
      job_->emit_problem("limit",
                         fmt::format("{}: which rows of table {} stand in the write-ahead log alone is not "
                                     "said, since there are more than {}",
                                     app_->info.title, query.table, kMaxRowsBeneathLog));
      return;
    }
    beneath_log_->push_back(hash_cells(rows));
  }
  std::sort(beneath_log_->begin(), beneath_log_->end());
}

void Extraction::note_live(const AppQuery& query, Query& rows, const Columns& columns, const std::string& row,
                           std::vector<Field>& fields) {
  seen_.add_live(query.kind, query.table, row, fields);
  if (!is_spoken(query)) return;
  if (columns.source_row && rows.value(*columns.source_row).kind == TS_INTEGER) {
    std::optional<std::int64_t> time;
    for (const Field& field : fields)
      if (!time && field.cell.value.kind == TS_INTEGER && form_of(field.name) == FieldForm::time)
        time = field.cell.value.integer;
    gaps_.at(query.table).note_live(rows.value(*columns.source_row).integer, time);
  }
  if (beneath_log_ && !std::binary_search(beneath_log_->begin(), beneath_log_->end(), hash_cells(rows)))
    add_to_status(fields, status_, "in the write-ahead log only");
}

/// False: it says what another record says already. The row is then known by its place.
bool Extraction::mark_recovered(const AppQuery& query, Query& rows, const Columns& columns, std::string& row,
                                std::vector<Field>& fields) {
  if (seen_.repeats(query.kind, query.table, row, fields)) return false;
  const std::size_t origin = *columns.origin;
  const bool older = rows.value(origin + kOlder).integer != 0;
  if (has_recovered(query)) {
    std::erase_if(fields, [](const Field& f) { return f.name == "recovered"; });
    fields.push_back({"recovered", Cell(1)});
  }
  if (is_spoken(query)) {
    if (const ts_value number = columns.source_row ? rows.value(*columns.source_row) : ts_value{};
        number.kind == TS_INTEGER && !of_pages_)
      gaps_.at(query.table).note_recovered(number.integer);
    std::erase_if(fields, [](const Field& f) { return f.name == "deleted"; });
    fields.push_back({"deleted", Cell(older ? 0 : 1)});
    if (older && query.kind == "message") {
      std::erase_if(fields, [](const Field& f) { return f.name == "edited"; });
      fields.push_back({"edited", Cell(1)});
    }
    add_to_status(fields, status_,
                  fmt::format("recovered from {}, confidence {} of 1000{}{}",
                              from_abi(rows.value(origin + 1).text), rows.value(origin + 2).integer,
                              rows.value(origin + 4).integer   ? ", incomplete"
                              : rows.value(origin + 3).integer ? ""
                                                               : ", not certain",
                              older ? ", an older version" : ""));
  }
  row = std::string(from_abi(rows.value(origin).text));
  return true;
}

void Extraction::tell(const AppQuery& query, const Columns& columns, std::uint64_t rows) {
  const FieldNotes& notes = maker_.notes;
  const auto say = [&](std::string_view kind, std::uint64_t count, std::string_view what) {
    if (count > 0)
      job_->emit_problem(
          kind, fmt::format("{}: {} cells of table {} {}", app_->info.title, count, query.table, what));
  };
  say("limit", notes.cut, fmt::format("are longer than {} bytes and were cut", kMaxFieldBytes));
  say("corrupt", notes.bad_times, "are no time and were left empty");
  say("corrupt", notes.binary, "hold bytes that are no text and were left empty");
  if (!columns.source_row && rows > 0)
    job_->emit_problem("corrupt",
                       fmt::format("{}: the query on {} names no source_row", app_->info.title, query.table));
}

}  // namespace touchstone::appdata

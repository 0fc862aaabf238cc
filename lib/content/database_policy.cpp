#include "content/database_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "content/functions/sql_functions.hpp"

namespace touchstone::detail {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Built-in functions without side effects, https://www.sqlite.org/lang_corefunc.html and its siblings. Not
/// here: load_extension, fts3_tokenizer, random, randomblob, changes, last_insert_rowid and what reports on
/// the library.
bool is_allowed_function(std::string_view name) {
  static const std::unordered_set<std::string_view> allowed = {"abs",
                                                               "avg",
                                                               "ceil",
                                                               "ceiling",
                                                               "char",
                                                               "coalesce",
                                                               "count",
                                                               "cume_dist",
                                                               "date",
                                                               "datetime",
                                                               "dense_rank",
                                                               "exp",
                                                               "first_value",
                                                               "floor",
                                                               "format",
                                                               "glob",
                                                               "group_concat",
                                                               "hex",
                                                               "ifnull",
                                                               "iif",
                                                               "instr",
                                                               "json",
                                                               "json_array",
                                                               "json_array_length",
                                                               "json_extract",
                                                               "json_group_array",
                                                               "json_group_object",
                                                               "json_object",
                                                               "json_quote",
                                                               "json_type",
                                                               "json_valid",
                                                               "->",
                                                               "->>",
                                                               "julianday",
                                                               "lag",
                                                               "last_value",
                                                               "lead",
                                                               "length",
                                                               "like",
                                                               "likelihood",
                                                               "likely",
                                                               "ln",
                                                               "log",
                                                               "log10",
                                                               "log2",
                                                               "lower",
                                                               "ltrim",
                                                               "max",
                                                               "min",
                                                               "mod",
                                                               "nth_value",
                                                               "ntile",
                                                               "nullif",
                                                               "percent_rank",
                                                               "pow",
                                                               "power",
                                                               "printf",
                                                               "quote",
                                                               "rank",
                                                               "replace",
                                                               "round",
                                                               "row_number",
                                                               "rtrim",
                                                               "sign",
                                                               "sqrt",
                                                               "strftime",
                                                               "substr",
                                                               "substring",
                                                               "sum",
                                                               "time",
                                                               "total",
                                                               "trim",
                                                               "trunc",
                                                               "typeof",
                                                               "unicode",
                                                               "unixepoch",
                                                               "unlikely",
                                                               "upper",
                                                               "zeroblob"};
  return allowed.contains(name) || is_sql_function(name);
}

/// SQLite's own tables and the two table functions over JSON text; the rest of its virtual tables is dropped.
bool is_builtin_table(std::string_view name) {
  return name == "sqlite_schema" || name == "sqlite_master" || name == "json_each" || name == "json_tree";
}

Status run(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Error{ErrorCode::unsupported, fmt::format("{} is refused: {}", sql, sqlite3_errmsg(db))};
}

}  // namespace

bool is_ordinary_table(std::string_view sql) {
  constexpr std::string_view kStart = "create table";
  return sql.size() > kStart.size() && lower(sql.substr(0, kStart.size())) == kStart;
}

Status DatabasePolicy::prepare_connection(sqlite3* db, std::uint64_t value_bytes) {
  // None of these reads the file yet. The page cache stays at SQLite's 2 MB; sorters go to the overlay's
  // memory. EXCLUSIVE before the first read keeps the WAL index in heap:
  // https://www.sqlite.org/wal.html#noshm
  for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA mmap_size=0", "PRAGMA temp_store=FILE",
                          "PRAGMA cell_size_check=ON"})
    if (auto done = run(db, sql); !done) return done;
  const std::pair<int, int> switches[] = {
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},           {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
      {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}};
  for (const auto& [option, value] : switches)
    if (sqlite3_db_config(db, option, value, nullptr) != SQLITE_OK)
      return Error{ErrorCode::unsupported, fmt::format("SQLite refuses the setting {}", option)};
  const std::pair<int, int> limits[] = {
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
      {SQLITE_LIMIT_COMPOUND_SELECT, 100},
      {SQLITE_LIMIT_SQL_LENGTH, 4 << 20},
      {SQLITE_LIMIT_LENGTH,
       static_cast<int>(std::min<std::uint64_t>(std::max<std::uint64_t>(value_bytes, 1024), 1 << 30))}};
  for (const auto& [option, value] : limits) sqlite3_limit(db, option, value);
  // A virtual table of the evidence is connected before an authorizer hears of it: without its module it
  // can't be.
  const char* keep[] = {"json_each", "json_tree", nullptr};
  if (sqlite3_drop_modules(db, keep) != SQLITE_OK)
    return Error{ErrorCode::unsupported, "SQLite refuses to drop its virtual tables"};
  return run(db, "PRAGMA query_only=ON");
}

Status DatabasePolicy::tolerate_damaged_schema(sqlite3* db) {
  return run(db, "PRAGMA writable_schema=ON");
}

void DatabasePolicy::allow_table(std::string_view name) {
  tables_.insert(lower(name));
}

void DatabasePolicy::empty_column(std::string_view table, std::string_view column) {
  computed_.insert(lower(table) + '\0' + lower(column));
}

std::set<std::string> DatabasePolicy::take_emptied() {
  return std::exchange(emptied_, {});
}

void DatabasePolicy::allow_temporary(std::string_view name) {
  temporary_.insert(lower(name));
}

void DatabasePolicy::enforce(sqlite3* db) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // SQLite declares the columns of its own table functions when they are first named, which no authorizer of
  // ours allows.
  for (const char* sql : {"SELECT 1 FROM json_each('[]')", "SELECT 1 FROM json_tree('[]')"}) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
    sqlite3_finalize(statement);
  }
  sqlite3_set_authorizer(db, authorize, this);
}

std::string DatabasePolicy::take_refusal() {
  return std::exchange(refusal_, {});
}

int DatabasePolicy::authorize(void* self, int action, const char* first, const char* second,
                              const char* schema, const char* /*inner*/) {
  try {
    return static_cast<DatabasePolicy*>(self)->decide(action, first, second, schema);
  } catch (...) {
    return SQLITE_DENY;
  }
}

int DatabasePolicy::decide(int action, const char* first, const char* second, const char* schema) {
  const auto refuse = [&](std::string reason) {
    if (refusal_.empty()) refusal_ = std::move(reason);
    return SQLITE_DENY;
  };
  if (paused_) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION: {
      const std::string name = lower(second ? second : "");
      return is_allowed_function(name) ? SQLITE_OK : refuse(fmt::format("function {} is not allowed", name));
    }
    case SQLITE_READ: {
      // Views fail by ENABLE_VIEW and no trigger fires on SELECT; what SQLite calls the inner-most view here
      // may as well be a WITH clause of ours.
      const std::string table = lower(first ? first : "");
      if (schema && std::string_view(schema) == "temp" && temporary_.contains(table)) return SQLITE_OK;
      if (schema && std::string_view(schema) != "main") return refuse("only the database itself may be read");
      // count(*) reads no column; so it looks also where the name is that of a WITH clause.
      if (second && *second == '\0' && !schema) return SQLITE_OK;
      if (second && computed_.contains(table + '\0' + lower(second))) {
        emptied_.insert(fmt::format("{}.{}", first, second));
        return SQLITE_IGNORE;
      }
      if (tables_.contains(table) || is_builtin_table(table)) return SQLITE_OK;
      return refuse(fmt::format("{} is not an ordinary table", table));
    }
    default:
      return refuse("only SELECT is allowed");
  }
}

}  // namespace touchstone::detail

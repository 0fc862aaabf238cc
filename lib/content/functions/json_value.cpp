#include "content/functions/json_value.hpp"

#include <sqlite3.h>

#include "content/functions/text_functions.hpp"

namespace touchstone::functions {

void JsonValues::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}
void JsonValues::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Decoded JsonValues::get(std::string_view json, std::string_view path) {
  if (json.size() > kMaxInput || !is_valid_utf8(json)) return {};
  if (!statement_) {
    sqlite3* db = nullptr;
    const int opened = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    sqlite3_stmt* statement = nullptr;
    if (opened == SQLITE_OK) sqlite3_prepare_v2(db, "SELECT json_extract(?1, ?2)", -1, &statement, nullptr);
    statement_.reset(statement);
    if (!statement_) return {};
  }
  sqlite3_stmt* const run = statement_.get();
  sqlite3_bind_text64(run, 1, json.data(), json.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text64(run, 2, path.data(), path.size(), SQLITE_STATIC, SQLITE_UTF8);
  Decoded out;
  if (sqlite3_step(run) == SQLITE_ROW) {
    switch (sqlite3_column_type(run, 0)) {
      case SQLITE_INTEGER:
        out = Decoded::of(std::int64_t{sqlite3_column_int64(run, 0)});
        break;
      case SQLITE_FLOAT:
        out = Decoded::of(sqlite3_column_double(run, 0));
        break;
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(run, 0));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(run, 0));
        if (text && size <= kMaxOutput) out = Decoded::text(std::string(text, size));
        break;
      }
      default:
        break;
    }
  }
  sqlite3_reset(run);
  sqlite3_clear_bindings(run);
  return out;
}

}  // namespace touchstone::functions

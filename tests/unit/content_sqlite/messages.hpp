// Databases of messages as SQLite leaves them after deletions: what is true of them is known from the
// statements that made them.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>

#include "content/sqlite/recovery.hpp"
#include "unit/content_database/made_database.hpp"

namespace touchstone::made {

constexpr auto kMessages =
    "CREATE TABLE message(_id INTEGER PRIMARY KEY AUTOINCREMENT, thread INTEGER, address TEXT NOT NULL, "
    "date INTEGER, body TEXT, seen INTEGER DEFAULT 0)";

inline std::string body_of(int id) {
  return fmt::format("message number {} says hello", id);
}

/// Rows 1 to `count`, in one transaction.
inline void add_messages(Writer& writer, int count) {
  writer.run("BEGIN");
  for (int id = 1; id <= count; ++id)
    writer.run(fmt::format(
        "INSERT INTO message(thread, address, date, body) VALUES({}, '+447700900{:03}', {}, '{}')", id % 7,
        id % 1000, 1700000000000 + id, body_of(id)));
  writer.run("COMMIT");
}

/// Of whole bodies: "message number N …" → N. Anything else is -1.
inline std::multiset<int> recovered_ids(const sqlite::Recovery& recovery, std::size_t body = 4) {
  std::multiset<int> ids;
  for (const sqlite::RecoveredRow& row : recovery.rows) {
    if (recovery.shapes[row.shape].name != "message" || !row.known[body]) continue;
    int id = -1;
    const std::string& text = row.values[body].bytes;
    if (text.starts_with("message number ")) id = std::stoi(text.substr(15));
    ids.insert(id > 0 && text == body_of(id) ? id : -1);
  }
  return ids;
}

}  // namespace touchstone::made

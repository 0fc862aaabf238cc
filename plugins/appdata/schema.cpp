#include "schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fields.hpp"
#include "guess_names.hpp"
#include "rules/rule_file.hpp"

namespace touchstone::appdata {
namespace {

/// More tables than any app has; a hostile schema must not fill the memory.
constexpr std::size_t kMaxTables = 10'000;

/// A problem is read by a person, and names come from the evidence.
constexpr std::size_t kMaxListed = 20, kMaxListedName = 80;

std::string text_of(const ts_value& value) {
  return value.kind == TS_TEXT || value.kind == TS_BLOB ? std::string(from_abi(value.text)) : std::string();
}

bool is_true(const ts_value& value) {
  switch (value.kind) {
    case TS_INTEGER:
      return value.integer != 0;
    case TS_REAL:
      return value.real != 0;
    case TS_TEXT:
      return value.text.size > 0 && from_abi(value.text) != "0";
    default:
      return false;
  }
}

/// What the queries read is what `requires` names: the check of a definition sees to it.
bool is_read_by(const AppVersion& version, const std::string& table) {
  const auto required = [&](const AppRequiredTable& r) { return fold(r.table) == table; };
  return std::any_of(version.required.begin(), version.required.end(), required) ||
         std::any_of(version.optional.begin(), version.optional.end(), required) ||
         std::any_of(version.known.begin(), version.known.end(), required);
}

/// A table named for messages, with a text, a time and a party among its columns, whatever their names.
bool may_have_messages(const std::string& table, const std::set<std::string>& columns) {
  if (!is_named_for_messages(table) || speaks_of_other_things(table, {columns.begin(), columns.end()}))
    return false;
  bool text = false, time = false, party = false;
  for (const std::string& column : columns) {
    const ColumnGuess guess = guess_column(column);
    text = text || (guess.role == ColumnRole::text && guess.rank > kWeakRank);
    time = time || guess.role == ColumnRole::time;
    party = party || guess.role == ColumnRole::sender || guess.role == ColumnRole::other_party ||
            guess.role == ColumnRole::conversation;
  }
  return text && time && party;
}

/// A table of messages has a text, a time and a party. The names are those of the messengers seen so far.
bool looks_like_messages(const std::set<std::string>& columns) {
  static constexpr std::array kText{"body", "text", "text_data", "data", "content", "message"};
  static constexpr std::array kTime{"date", "date_sent", "timestamp",
                                    "time", "sent_date", "created_timestamp"};
  static constexpr std::array kParty{"address",           "sender",      "sender_id", "key_remote_jid",
                                     "sender_jid_row_id", "chat_row_id", "thread_id", "conversation_id"};
  const auto any = [&](const auto& names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return columns.contains(name); });
  };
  return any(kText) && any(kTime) && any(kParty);
}

}  // namespace

std::string fold(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    result += c;
    if (c == '"') result += c;
  }
  return result + '"';
}

std::string with_file_name(std::string_view sql, std::string_view name) {
  static constexpr std::string_view kParameter = "'{file_name}'";
  std::string literal = "'";
  for (const char c : name.substr(0, 255)) {
    if (c == '\0') continue;
    literal += c;
    if (c == '\'') literal += c;
  }
  literal += '\'';
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t next = sql.find(kParameter, at);
    result += sql.substr(at, next - at);
    if (next == std::string_view::npos) return result;
    result += literal;
    at = next + kParameter.size();
  }
}

bool Schema::read(Job& job) {
  Query query = job.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'");
  if (!query) return false;
  while (tables_.size() < kMaxTables && query.step()) {
    std::string name = text_of(query.value(0));
    tables_.emplace(fold(name), std::move(name));
  }
  return true;
}

const std::set<std::string>& Schema::columns(Job& job, std::string_view table) {
  const auto found = tables_.find(fold(table));
  static const std::set<std::string> none;
  if (found == tables_.end()) return none;
  const auto [entry, is_new] = columns_.try_emplace(found->first);
  if (is_new) {
    if (Query query = job.query("SELECT * FROM " + quoted(found->second) + " LIMIT 0"))
      for (std::size_t i = 0; i < query.columns(); ++i) entry->second.insert(fold(query.column_name(i)));
  }
  return entry->second;
}

std::int64_t Schema::rows(Job& job, std::string_view table) const {
  const auto found = tables_.find(fold(table));
  if (found == tables_.end()) return 0;
  Query query = job.query("SELECT count(*) FROM " + quoted(found->second));
  return query && query.step() ? query.value(0).integer : 0;
}

std::string Schema::fingerprint(Job& job) {
  std::string all;
  for (const auto& [folded, name] : tables_) {
    if (folded.starts_with("sqlite_")) continue;
    all += folded + '(';
    for (const std::string& column : columns(job, name)) all += column + ',';
    all += ")\n";
  }
  return sha256_hex(all).substr(0, 16);
}

std::string Schema::misfit(Job& job, const AppVersion& version) {
  for (const AppRequiredTable& required : version.required) {
    if (!has(required.table)) return fmt::format("there is no table {}", required.table);
    const std::set<std::string>& have = columns(job, required.table);
    for (const std::string& column : required.columns)
      if (!have.contains(fold(column)))
        return fmt::format("table {} lacks column {}", required.table, column);
  }
  for (const std::string& table : version.absent)
    if (has(table)) return fmt::format("there is a table {}", table);
  if (!version.when.empty()) {
    Query query = job.query(version.when);
    if (!query || !query.step() || !is_true(query.value(0))) return "its condition does not hold";
  }
  return {};
}

SchemaDifference difference(Job& job, Schema& schema, const AppVersion& version) {
  SchemaDifference result;
  std::map<std::string, std::set<std::string>> read, known;  // folded
  const auto note = [&](const std::vector<AppRequiredTable>& tables, std::vector<std::string>& missing) {
    for (const AppRequiredTable& table : tables) {
      std::set<std::string>& columns = read[fold(table.table)];
      for (const std::string& column : table.columns) columns.insert(fold(column));
      if (!schema.has(table.table)) {
        missing.push_back(table.table);
        continue;
      }
      const std::set<std::string>& have = schema.columns(job, table.table);
      for (const std::string& column : table.columns)
        if (!have.contains(fold(column))) missing.push_back(fmt::format("{}.{}", table.table, column));
    }
  };
  note(version.required, result.missing);
  note(version.optional, result.absent_optional);
  for (const AppRequiredTable& table : version.known)
    for (const std::string& column : table.columns) known[fold(table.table)].insert(fold(column));
  for (const auto& [table, columns] : read) {
    if (!schema.has(table)) continue;
    ++result.tables_read;
    for (const std::string& column : schema.columns(job, table))
      if (!columns.contains(column) && !known[table].contains(column))
        result.unknown.push_back(fmt::format("{}.{}", schema.tables().at(table), column));
  }
  return result;
}

std::string listed(const std::vector<std::string>& names) {
  std::string result;
  for (std::size_t i = 0; i < names.size() && i < kMaxListed; ++i) {
    if (i > 0) result += ", ";
    result += valid_utf8(names[i].substr(0, kMaxListedName));
  }
  if (names.size() > kMaxListed) result += fmt::format(" and {} more", names.size() - kMaxListed);
  return result;
}

std::vector<UnreadTable> unread_message_tables(Job& job, Schema& schema, const AppVersion& version) {
  std::vector<UnreadTable> result;
  for (const auto& [folded, name] : schema.tables()) {
    if (is_read_by(version, folded)) continue;
    const std::set<std::string>& columns = schema.columns(job, folded);
    if (!looks_like_messages(columns) && !may_have_messages(name, columns)) continue;
    if (const std::int64_t rows = schema.rows(job, name); rows > 0) result.push_back({name, rows});
  }
  return result;
}

}  // namespace touchstone::appdata

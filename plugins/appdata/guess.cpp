#include "guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "content/sqlite/table_shape.hpp"
#include "fields.hpp"
#include "guess_names.hpp"
#include "guess_values.hpp"
#include "schema.hpp"

namespace touchstone::appdata {
namespace {

/// Rows looked at, bytes of each text, and columns asked for in one query.
constexpr std::size_t kSampleRows = 500, kSampleBytes = 2000, kMaxColumns = 40;
constexpr std::size_t kMaxTables = 2000, kMaxTexts = 4;
/// Fewer texts are messages only where a name or a direction says so.
constexpr std::size_t kFewTexts = 5;
constexpr double kMostTimes = 0.9;

struct Candidate {
  std::size_t column = 0;
  ColumnGuess guess;
};

struct Table {
  sqlite::TableShape shape;
  std::string sql;
  bool named = false;
  bool shadow = false;             ///< what a full-text index keeps of another table
  std::vector<Candidate> columns;  ///< those with a role
  bool has(ColumnRole role) const {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const Candidate& c) { return c.guess.role == role; });
  }
  const std::string& name_of(std::size_t column) const { return shape.columns[column].name; }
};

bool is_direction(ColumnRole role) {
  return role == ColumnRole::outgoing || role == ColumnRole::incoming || role == ColumnRole::direction;
}

/// What a sample says of one column.
struct Evidence {
  std::size_t filled = 0;        ///< neither NULL, empty nor 0
  std::set<std::string> values;  ///< at most a few
  bool flags = true, words = true,
       integers = true;  ///< only 0 and 1; only in, out and the like; only integers
  TimeEvidence time;
};

bool is_direction_word(std::string_view word, bool& out) {
  const std::string folded = fold(word);
  static constexpr std::array kOut{"out", "outgoing", "sent", "outbound", "send"};
  static constexpr std::array kIn{"in", "incoming", "received", "inbound", "receive"};
  out = std::find(kOut.begin(), kOut.end(), folded) != kOut.end();
  return out || std::find(kIn.begin(), kIn.end(), folded) != kIn.end();
}

void note(Evidence& evidence, const ts_value& value) {
  evidence.time.note(value);
  std::string text;
  if (value.kind == TS_INTEGER) text = std::to_string(value.integer);
  if (value.kind == TS_REAL) text = fmt::format("{}", value.real);
  if (value.kind == TS_TEXT) text = std::string(from_abi(value.text).substr(0, 200));
  if (value.kind == TS_BLOB) text = "blob";
  bool out = false;
  if (value.kind != TS_NULL) {
    evidence.flags = evidence.flags && value.kind == TS_INTEGER && (value.integer == 0 || value.integer == 1);
    evidence.words = evidence.words && value.kind == TS_TEXT && is_direction_word(text, out);
    evidence.integers = evidence.integers && value.kind == TS_INTEGER;
  }
  if (text.empty() || text == "0" || text == "-1" || value.kind == TS_BLOB) return;
  ++evidence.filled;
  if (evidence.values.size() < 3) evidence.values.insert(std::move(text));
}

/// Whether a name can stand in SQL of ours, quoted.
bool is_plain(std::string_view name) {
  return name.find('\0') == std::string_view::npos && name.find("{file_name}") == std::string_view::npos;
}

/// How one table would be read.
struct Reading {
  std::size_t text = 0, time = 0;
  std::size_t written = 0;  ///< texts of the sample
  int rank = 0;             ///< of the text's column
  bool markup = false;      ///< many texts are HTML or the like
  Epoch epoch = Epoch::unix_s;
  std::optional<std::size_t> sender, other_party, recipient, conversation, direction;
  ColumnRole direction_role = ColumnRole::none;
  std::map<std::size_t, bool> integers;  ///< by column: whether a party is a number, which may lead to a name
};

/// FTS names the columns of its shadow table docid, c0…, c1…:
/// https://www.sqlite.org/fts3.html#_shadow_tables_
bool is_shadow(const std::vector<std::string>& columns) {
  for (std::size_t i = 1; i < columns.size(); ++i)
    if (!columns[i].starts_with("c" + std::to_string(i - 1))) return false;
  return columns.size() > 1;
}

class Guesser {
 public:
  Guesser(Job& job, const GuessLimits& limits) : job_(&job), limits_(&limits) {}
  std::vector<GuessedTable> run(std::size_t& left_out);

 private:
  void read_tables();
  void add_table(const std::string& name, std::string sql);
  std::optional<Reading> read(const Table& table);
  std::optional<Reading> read(const Table& table, const Candidate& text);
  bool choose(const Table& table, const std::map<std::size_t, Evidence>& evidence, std::size_t texts,
              Reading& reading) const;
  std::string person_sql(const Table& table, const Reading& reading, std::size_t column, std::string& joins);
  GuessedTable query_of(const Table& table, const Reading& reading);

  Job* job_;
  const GuessLimits* limits_;
  std::map<std::string, sqlite::TableShape> all_;  ///< folded name → what it looks like
  std::vector<Table> tables_;                      ///< those that may have messages
};

/// Names of the schema are read by a query of its own kind: nothing of the evidence is asked yet.
void Guesser::read_tables() {
  Query query = job_->query(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' AND length(sql) "
      "< 1000000");
  if (!query) return;
  while (query.step() && all_.size() < kMaxTables) {
    const ts_value name = query.value(0), sql = query.value(1);
    if (name.kind != TS_TEXT || sql.kind != TS_TEXT) continue;
    add_table(std::string(from_abi(name.text)), std::string(from_abi(sql.text)));
  }
}

void Guesser::add_table(const std::string& name, std::string sql) {
  auto shape = sqlite::parse_create_table(sql);
  // What SQLite itself would call it is what counts; where the two differ the schema lies.
  if (!shape || fold(shape->name) != fold(name) || !is_plain(name)) return;
  const std::string folded = fold(name);
  all_.emplace(folded, *shape);
  if (folded.starts_with("sqlite_") || limits_->skip.contains(folded)) return;
  if (limits_->only && !limits_->only->contains(folded)) return;
  Table table{std::move(*shape), std::move(sql), is_named_for_messages(name), false, {}};
  std::vector<std::string> names;
  names.reserve(table.shape.columns.size());
  for (const sqlite::Column& column : table.shape.columns) names.push_back(column.name);
  if (speaks_of_other_things(name, names)) return;
  table.shadow = is_shadow(names);
  for (std::size_t i = 0; i < names.size() && table.columns.size() < kMaxColumns; ++i)
    if (const ColumnGuess guess = guess_column(names[i]);
        guess.role != ColumnRole::none && is_plain(names[i]))
      table.columns.push_back({i, guess});
  const bool has_party = table.has(ColumnRole::sender) || table.has(ColumnRole::other_party) ||
                         table.has(ColumnRole::conversation);
  if (table.has(ColumnRole::text) && table.has(ColumnRole::time) && has_party)
    tables_.push_back(std::move(table));
}

std::optional<Reading> Guesser::read(const Table& table) {
  std::vector<Candidate> texts;
  for (const Candidate& candidate : table.columns)
    if (candidate.guess.role == ColumnRole::text) texts.push_back(candidate);
  const auto better = [](const Candidate& a, const Candidate& b) { return a.guess.rank > b.guess.rank; };
  std::stable_sort(texts.begin(), texts.end(), better);
  if (texts.size() > kMaxTexts) texts.resize(kMaxTexts);
  std::optional<Reading> best;
  for (const Candidate& text : texts) {
    if (text.guess.rank <= kWeakRank && (!table.named || best)) continue;
    auto reading = read(table, text);
    if (reading && (!best || reading->written > best->written)) best = std::move(reading);
  }
  return best;
}

std::optional<Reading> Guesser::read(const Table& table, const Candidate& text) {
  std::string sql = fmt::format("SELECT substr({}, 1, {})", quoted(table.name_of(text.column)), kSampleBytes);
  std::vector<std::size_t> asked;
  for (const Candidate& candidate : table.columns) {
    if (candidate.guess.role == ColumnRole::text) continue;
    asked.push_back(candidate.column);
    sql += ", " + quoted(table.name_of(candidate.column));
  }
  const std::string column = quoted(table.name_of(text.column));
  sql += fmt::format(" FROM {} WHERE typeof({}) = 'text' AND {} <> '' LIMIT {}", quoted(table.shape.name),
                     column, column, kSampleRows);
  Query rows = job_->query(sql);
  if (!rows) return std::nullopt;
  TextEvidence texts;
  std::map<std::size_t, Evidence> evidence;
  while (rows.step()) {
    texts.note(from_abi(rows.value(0).text));
    for (std::size_t i = 0; i < asked.size(); ++i) note(evidence[asked[i]], rows.value(i + 1));
  }
  Reading reading;
  reading.text = text.column;
  reading.written = texts.written();
  reading.rank = table.shadow ? 0 : text.guess.rank;
  reading.markup = texts.is_markup();
  if (!choose(table, evidence, texts.seen(), reading)) return std::nullopt;
  const bool told = table.named || reading.direction;
  if (!texts.looks_written(!told) || (texts.seen() < kFewTexts && !told)) return std::nullopt;
  // A conversation's number alone is a party only in what is otherwise a table of messages.
  if (!reading.sender && !reading.other_party && !told) return std::nullopt;
  return reading;
}

bool Guesser::choose(const Table& table, const std::map<std::size_t, Evidence>& evidence, std::size_t texts,
                     Reading& reading) const {
  int time_rank = 0, direction_rank = 0;
  std::map<ColumnRole, int> ranks;
  const auto take = [&](ColumnRole role, const Candidate& candidate, std::optional<std::size_t>& place,
                        int bonus) {
    const int rank = candidate.guess.rank + bonus;
    if (rank <= ranks[role]) return;
    ranks[role] = rank;
    place = candidate.column;
  };
  for (const Candidate& candidate : table.columns) {
    const auto found = evidence.find(candidate.column);
    if (found == evidence.end()) continue;
    const Evidence& of = found->second;
    const auto [role, rank] = candidate.guess;
    reading.integers[candidate.column] = of.integers;
    if (role == ColumnRole::time) {
      const auto epoch = of.time.epoch();
      const bool most = static_cast<double>(of.time.times()) >= kMostTimes * static_cast<double>(texts);
      if (!epoch || !most || rank <= time_rank) continue;
      time_rank = rank;
      reading.time = candidate.column;
      reading.epoch = *epoch;
    } else if (is_direction(role)) {
      const bool plain = role == ColumnRole::direction ? of.words : of.flags;
      if (!plain || rank <= direction_rank) continue;
      direction_rank = rank;
      reading.direction = candidate.column;
      reading.direction_role = role;
    } else if (of.filled > 0 && !of.time.epoch()) {
      // One value in all rows is the owner's, or says nothing.
      const int bonus = of.values.size() > 1 ? 20 : 0;
      if (role == ColumnRole::sender) take(role, candidate, reading.sender, bonus);
      if (role == ColumnRole::other_party) take(role, candidate, reading.other_party, bonus);
      if (role == ColumnRole::recipient) take(role, candidate, reading.recipient, bonus);
      if (role == ColumnRole::conversation) take(role, candidate, reading.conversation, bonus);
    }
  }
  // "user" and the like mean the owner where another column names the other side.
  if (reading.sender && ranks[ColumnRole::sender] <= 60 && reading.other_party) reading.sender.reset();
  return time_rank > 0 && (reading.sender || reading.other_party || reading.conversation);
}

/// The column of another table in which its people are named.
std::optional<std::string> identity_column(const sqlite::TableShape& shape) {
  static constexpr std::array kNames{
      "address",  "phone_number", "phone",      "number",       "msisdn",      "jid",  "email",    "handle",
      "username", "user_name",    "raw_string", "display_name", "displayname", "name", "nickname", "id"};
  for (const char* name : kNames)
    for (std::size_t i = 0; i < shape.columns.size(); ++i)
      if (fold(shape.columns[i].name) == name && shape.row_id_column != i &&
          shape.columns[i].affinity != sqlite::Affinity::integer)
        return shape.columns[i].name;
  return std::nullopt;
}

/// The table that a declared foreign key of the column leads to.
std::string referenced_table(const std::string& sql, const std::string& column) {
  const std::string text = fold(sql), name = fold(column);
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = text.find_first_of(",)", at);
    const std::size_t key = text.find("references", at);
    if (key == std::string::npos || end == std::string::npos || key > end) continue;
    const std::size_t from = text.find_first_not_of(" \t\r\n\"`['", key + 10);
    const std::size_t to = text.find_first_of(" \t\r\n\"`]'(,)", from);
    if (from != std::string::npos && to != std::string::npos) return text.substr(from, to - from);
  }
  return {};
}

/// SQL for a person in words: the column itself, or what it leads to by foreign key or by a table of its
/// name.
std::string Guesser::person_sql(const Table& table, const Reading& reading, std::size_t column,
                                std::string& joins) {
  std::string own = "m." + quoted(table.name_of(column));
  if (const auto number = reading.integers.find(column); number == reading.integers.end() || !number->second)
    return own;
  std::vector<std::string> names{referenced_table(table.sql, table.name_of(column))};
  std::string stem = fold(table.name_of(column));
  for (const char* end : {"_id", "_row_id", "id"}) {
    if (!stem.ends_with(end)) continue;
    const std::string bare = stem.substr(0, stem.size() - std::string_view(end).size());
    names.push_back(bare);
    names.push_back(bare + "s");
  }
  for (const std::string& name : names) {
    const auto found = name.empty() ? all_.end() : all_.find(name);
    if (found == all_.end() || !found->second.row_id_column) continue;
    const auto identity = identity_column(found->second);
    if (!identity) continue;
    const std::string alias = fmt::format("p{}", column);
    joins += fmt::format(" LEFT JOIN {} {} ON {}.{} = {}", quoted(found->second.name), alias, alias,
                         quoted(found->second.columns[*found->second.row_id_column].name), own);
    return fmt::format("coalesce(nullif({}.{}, ''), {})", alias, quoted(*identity), own);
  }
  return own;
}

std::string row_sql(const sqlite::TableShape& shape) {
  if (shape.row_id_column) return "m." + quoted(shape.columns[*shape.row_id_column].name);
  if (shape.without_rowid) return "m." + quoted(shape.columns.front().name);
  for (const char* name : {"rowid", "_rowid_", "oid"})
    if (std::none_of(shape.columns.begin(), shape.columns.end(),
                     [&](const sqlite::Column& column) { return fold(column.name) == name; }))
      return std::string("m.") + name;
  return "m." + quoted(shape.columns.front().name);
}

std::string direction_sql(const Table& table, const Reading& reading) {
  if (!reading.direction) return "'unknown'";
  const std::string column = "m." + quoted(table.name_of(*reading.direction));
  if (reading.direction_role == ColumnRole::outgoing)
    return fmt::format("CASE {} WHEN 1 THEN 'out' WHEN 0 THEN 'in' ELSE 'unknown' END", column);
  if (reading.direction_role == ColumnRole::incoming)
    return fmt::format("CASE {} WHEN 1 THEN 'in' WHEN 0 THEN 'out' ELSE 'unknown' END", column);
  return fmt::format(
      "CASE WHEN lower({0}) IN ('out', 'outgoing', 'sent', 'outbound', 'send') THEN 'out' "
      "WHEN lower({0}) IN ('in', 'incoming', 'received', 'inbound', 'receive') THEN 'in' ELSE 'unknown' END",
      column);
}

GuessedTable Guesser::query_of(const Table& table, const Reading& reading) {
  const auto column = [&](std::size_t at) { return "m." + quoted(table.name_of(at)); };
  std::string joins, sender = "NULL", recipients = "NULL", conversation = "NULL";
  const std::string direction = direction_sql(table, reading);
  if (reading.sender) sender = person_sql(table, reading, *reading.sender, joins);
  if (reading.recipient)
    recipients = fmt::format("CASE WHEN {0} IS NOT NULL THEN json_array({0}) END",
                             person_sql(table, reading, *reading.recipient, joins));
  if (reading.other_party) {
    const std::string other = person_sql(table, reading, *reading.other_party, joins);
    if (!reading.sender) sender = fmt::format("CASE WHEN {} = 'in' THEN {} END", direction, other);
    if (!reading.recipient)
      recipients =
          fmt::format("CASE WHEN {0} = 'out' AND {1} IS NOT NULL THEN json_array({1}) END", direction, other);
    conversation = other;
  }
  if (reading.conversation) {
    const std::string named = person_sql(table, reading, *reading.conversation, joins);
    conversation =
        conversation == "NULL" ? named : fmt::format("coalesce(nullif({}, ''), {})", conversation, named);
  }
  const std::string text = column(reading.text);
  const std::string body =
      reading.markup
          ? fmt::format("CASE WHEN substr({0}, 1, 1) = '<' THEN markup_text({0}) ELSE {0} END", text)
          : text;
  GuessedTable result;
  result.query.kind = "message";
  result.query.table = table.shape.name;
  result.query.sql = fmt::format(
      "SELECT {} AS source_row, CAST({} AS TEXT) AS conversation, {} AS sent, {} AS direction, "
      "CAST({} AS TEXT) AS sender, {} AS recipients, {} AS body, 0 AS deleted, 0 AS edited\n"
      "FROM {} m{} WHERE typeof({}) = 'text' AND {} <> ''",
      row_sql(table.shape), conversation, time_sql(reading.epoch, column(reading.time)), direction, sender,
      recipients, body, quoted(table.shape.name), joins, text, text);
  result.query.constants.emplace_back("status", std::string(kGuessed));
  std::vector<std::string> parties;
  for (const auto& party : {reading.sender, reading.other_party, reading.recipient, reading.conversation})
    if (party) parties.push_back(table.name_of(*party));
  result.told = fmt::format("{} (text {}, time {} as {}, party {})", listed({table.shape.name}),
                            listed({table.name_of(reading.text)}), listed({table.name_of(reading.time)}),
                            name_of(reading.epoch), listed(parties));
  return result;
}

std::vector<GuessedTable> Guesser::run(std::size_t& left_out) {
  read_tables();
  std::vector<std::pair<std::size_t, std::size_t>> order;  // texts in the sample, index into tables_
  std::map<std::size_t, Reading> readings;
  bool found_strong = false;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (job_->cancelled()) break;
    auto reading = read(tables_[i]);
    if (!reading) continue;
    found_strong = found_strong || reading->rank > kWeakRank;
    order.emplace_back(reading->written, i);
    readings.emplace(i, std::move(*reading));
  }
  // A list of conversations repeats the last message of each.
  std::erase_if(
      order, [&](const auto& entry) { return found_strong && readings.at(entry.second).rank <= kWeakRank; });
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  left_out = order.size() > kMaxGuessed ? order.size() - kMaxGuessed : 0;
  if (left_out > 0) order.resize(kMaxGuessed);
  std::vector<GuessedTable> result;
  result.reserve(order.size());
  for (const auto& [written, index] : order) result.push_back(query_of(tables_[index], readings.at(index)));
  return result;
}

}  // namespace

std::vector<GuessedTable> guess_messages(Job& job, const GuessLimits& limits, std::size_t& left_out) {
  return Guesser(job, limits).run(left_out);
}

std::string app_of_path(std::string_view path) {
  static constexpr std::array kFirst{"com", "org", "net", "io", "me", "de", "uk",   "co", "app",
                                     "jp",  "kr",  "ru",  "cn", "fr", "tv", "im",   "it", "es",
                                     "nl",  "se",  "ch",  "us", "eu", "in", "group"};
  const std::string_view file = path.substr(path.rfind('/') + 1);
  std::string_view rest = path.substr(0, path.size() - file.size());
  while (!rest.empty()) {
    rest.remove_suffix(1);
    const std::size_t slash = rest.rfind('/');
    std::string_view part = rest.substr(slash == std::string_view::npos ? 0 : slash + 1);
    rest = rest.substr(0, rest.size() - part.size());
    // Backups of iOS: AppDomain-com.example.chat.
    if (const std::size_t dash = part.find('-');
        part.starts_with("AppDomain") && dash != std::string_view::npos)
      part = part.substr(dash + 1);
    const std::string first = fold(part.substr(0, part.find('.')));
    const bool is_plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
             c == '_' || c == '-';
    });
    if (is_plain && part.size() <= 128 && std::count(part.begin(), part.end(), '.') >= 1 &&
        std::find(kFirst.begin(), kFirst.end(), first) != kFirst.end())
      return std::string(part);
  }
  return valid_utf8(file.substr(0, 128));
}

}  // namespace touchstone::appdata

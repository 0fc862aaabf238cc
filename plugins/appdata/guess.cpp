#include "guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "fields.hpp"
#include "guess_names.hpp"
#include "guess_tables.hpp"
#include "guess_values.hpp"
#include "schema.hpp"

namespace touchstone::appdata {
namespace {

/// Rows looked at, bytes of each text, and texts of a table that are tried.
constexpr std::size_t kSampleRows = 500, kSampleBytes = 2000, kMaxTexts = 4;
/// Fewer texts are messages only where a name or a direction says so.
constexpr std::size_t kFewTexts = 5;
constexpr double kMostTimes = 0.9;

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

/// How one table would be read.
struct Reading {
  std::size_t text = 0, time = 0;  ///< these and the following by number of the table's places
  std::size_t written = 0;         ///< texts of the sample
  int rank = 0;                    ///< of the text's column
  bool markup = false;             ///< many texts are HTML or the like
  Epoch epoch = Epoch::unix_s;
  std::optional<std::size_t> sender, other_party, recipient, conversation, direction;
  ColumnRole direction_role = ColumnRole::none;
  std::map<std::size_t, bool> integers;  ///< whether a party is a number, which may lead to a name
};

class Guesser {
 public:
  Guesser(Job& job, const GuessLimits& limits) : job_(&job), limits_(&limits) {}
  std::vector<GuessedTable> run(std::size_t& left_out);

 private:
  std::optional<Reading> read(const GuessTable& table);
  std::optional<Reading> read(const GuessTable& table, std::size_t text);
  bool choose(const GuessTable& table, const std::map<std::size_t, Evidence>& evidence, std::size_t texts,
              Reading& reading) const;
  std::string person_sql(const GuessTable& table, const Reading& reading, std::size_t place,
                         std::string& joins);
  GuessedTable query_of(const GuessTable& table, const Reading& reading);

  void look_at(const std::vector<GuessTable>& tables);

  Job* job_;
  const GuessLimits* limits_;
  GuessTables tables_;
  struct Found {
    const GuessTable* table;
    Reading reading;
  };
  std::vector<Found> found_;
};

std::optional<Reading> Guesser::read(const GuessTable& table) {
  std::vector<std::size_t> texts;
  for (std::size_t i = 0; i < table.places.size(); ++i)
    if (table.places[i].guess.role == ColumnRole::text) texts.push_back(i);
  const auto rank = [&](std::size_t place) { return table.places[place].guess.rank; };
  std::stable_sort(texts.begin(), texts.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) > rank(b); });
  if (texts.size() > kMaxTexts) texts.resize(kMaxTexts);
  std::optional<Reading> best;
  for (const std::size_t text : texts) {
    if (rank(text) <= kWeakRank && (!table.named || best)) continue;
    auto reading = read(table, text);
    if (reading && (!best || reading->written > best->written)) best = std::move(reading);
  }
  return best;
}

std::optional<Reading> Guesser::read(const GuessTable& table, std::size_t text) {
  const std::string& written = table.places[text].sql;
  std::string sql = fmt::format("SELECT substr({}, 1, {})", written, kSampleBytes);
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < table.places.size(); ++i) {
    if (table.places[i].guess.role == ColumnRole::text) continue;
    asked.push_back(i);
    sql.append(", ").append(table.places[i].sql);
  }
  sql += fmt::format(" FROM {} m{} WHERE typeof({}) = 'text' AND {} <> '' LIMIT {}", quoted(table.shape.name),
                     table.joins, written, written, kSampleRows);
  Query rows = job_->query(sql);
  if (!rows) return std::nullopt;
  TextEvidence texts;
  std::map<std::size_t, Evidence> evidence;
  while (rows.step()) {
    texts.note(from_abi(rows.value(0).text));
    for (std::size_t i = 0; i < asked.size(); ++i) note(evidence[asked[i]], rows.value(i + 1));
  }
  Reading reading;
  reading.text = text;
  reading.written = texts.written();
  reading.rank = table.shadow ? 0 : table.places[text].guess.rank;
  reading.markup = texts.is_markup();
  if (!choose(table, evidence, texts.seen(), reading)) return std::nullopt;
  const bool told = table.named || reading.direction;
  if (!texts.looks_written(!told) || (texts.seen() < kFewTexts && !told)) return std::nullopt;
  // A conversation's number alone is a party only in what is otherwise a table of messages.
  if (!reading.sender && !reading.other_party && !told) return std::nullopt;
  return reading;
}

bool Guesser::choose(const GuessTable& table, const std::map<std::size_t, Evidence>& evidence,
                     std::size_t texts, Reading& reading) const {
  int time_rank = 0, direction_rank = 0;
  std::map<ColumnRole, int> ranks;
  const auto take = [&](std::size_t at, std::optional<std::size_t>& place, int bonus) {
    const auto [role, own_rank] = table.places[at].guess;
    const int rank = own_rank + bonus;
    if (rank <= ranks[role]) return;
    ranks[role] = rank;
    place = at;
  };
  for (const auto& [at, of] : evidence) {
    const auto [role, rank] = table.places[at].guess;
    reading.integers[at] = of.integers;
    if (role == ColumnRole::time) {
      const auto epoch = of.time.epoch();
      const bool most = static_cast<double>(of.time.times()) >= kMostTimes * static_cast<double>(texts);
      if (!epoch || !most || rank <= time_rank) continue;
      time_rank = rank;
      reading.time = at;
      reading.epoch = *epoch;
    } else if (is_direction(role)) {
      const bool plain = role == ColumnRole::direction ? of.words : of.flags;
      if (!plain || rank <= direction_rank) continue;
      direction_rank = rank;
      reading.direction = at;
      reading.direction_role = role;
    } else if (of.filled > 0 && !of.time.epoch()) {
      // One value in all rows is the owner's, or says nothing.
      const int bonus = of.values.size() > 1 ? 20 : 0;
      if (role == ColumnRole::sender) take(at, reading.sender, bonus);
      if (role == ColumnRole::other_party) take(at, reading.other_party, bonus);
      if (role == ColumnRole::recipient) take(at, reading.recipient, bonus);
      if (role == ColumnRole::conversation) take(at, reading.conversation, bonus);
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
std::string Guesser::person_sql(const GuessTable& table, const Reading& reading, std::size_t place,
                                std::string& joins) {
  const GuessPlace& party = table.places[place];
  const std::string& own = party.sql;
  if (const auto number = reading.integers.find(place); number == reading.integers.end() || !number->second)
    return own;
  std::vector<std::string> names{referenced_table(*party.ddl, party.column)};
  std::string stem = fold(party.column);
  for (const char* end : {"_id", "_row_id", "id"}) {
    if (!stem.ends_with(end)) continue;
    const std::string bare = stem.substr(0, stem.size() - std::string_view(end).size());
    names.push_back(bare);
    names.push_back(bare + "s");
  }
  for (const std::string& name : names) {
    const auto found = name.empty() ? tables_.all.end() : tables_.all.find(name);
    if (found == tables_.all.end() || !found->second.row_id_column) continue;
    const auto identity = identity_column(found->second);
    if (!identity) continue;
    const std::string alias = fmt::format("p{}", place);
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

std::string direction_sql(const GuessTable& table, const Reading& reading) {
  if (!reading.direction) return "'unknown'";
  const std::string& column = table.places[*reading.direction].sql;
  if (reading.direction_role == ColumnRole::outgoing)
    return fmt::format("CASE {} WHEN 1 THEN 'out' WHEN 0 THEN 'in' ELSE 'unknown' END", column);
  if (reading.direction_role == ColumnRole::incoming)
    return fmt::format("CASE {} WHEN 1 THEN 'in' WHEN 0 THEN 'out' ELSE 'unknown' END", column);
  return fmt::format(
      "CASE WHEN lower({0}) IN ('out', 'outgoing', 'sent', 'outbound', 'send') THEN 'out' "
      "WHEN lower({0}) IN ('in', 'incoming', 'received', 'inbound', 'receive') THEN 'in' ELSE 'unknown' END",
      column);
}

GuessedTable Guesser::query_of(const GuessTable& table, const Reading& reading) {
  const auto place = [&](std::size_t at) -> const std::string& { return table.places[at].sql; };
  const auto name = [&](std::size_t at) { return listed({table.places[at].name}); };
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
  const std::string& text = place(reading.text);
  const std::string body =
      reading.markup
          ? fmt::format("CASE WHEN substr({0}, 1, 1) = '<' THEN markup_text({0}) ELSE {0} END", text)
          : text;
  GuessedTable result;
  result.query.kind = "message";
  result.query.table = table.shape.name;
  result.query.sql = fmt::format(
      "SELECT {} AS source_row, CAST({} AS TEXT) AS conversation, {} AS {}, {} AS direction, "
      "CAST({} AS TEXT) AS sender, {} AS recipients, {} AS body, 0 AS deleted, 0 AS edited\n"
      "FROM {} m{} WHERE typeof({}) = 'text' AND {} <> ''",
      row_sql(table.shape), conversation, time_sql(reading.epoch, place(reading.time)),
      reading.epoch == Epoch::local_8601 ? "sent_local" : "sent", direction, sender, recipients, body,
      quoted(table.shape.name), table.joins + joins, text, text);
  result.query.constants.emplace_back("status", std::string(kGuessed));
  std::vector<std::string> parties;
  for (const auto& party : {reading.sender, reading.other_party, reading.recipient, reading.conversation})
    if (party) parties.push_back(table.places[*party].name);
  result.told = fmt::format("{} (text {}, time {} as {}, party {})", listed({table.shape.name}),
                            name(reading.text), name(reading.time), name_of(reading.epoch), listed(parties));
  return result;
}

void Guesser::look_at(const std::vector<GuessTable>& tables) {
  for (const GuessTable& table : tables) {
    if (job_->cancelled()) return;
    // What stands in columns is not read again out of JSON or by way of another table, nor are two tables
    // that refer to each other.
    const auto same = [&](const Found& found) {
      const std::string of = fold(found.table->shape.name), own = fold(table.shape.name);
      return of == own || of == table.joined || found.table->joined == own;
    };
    if (std::any_of(found_.begin(), found_.end(), same)) continue;
    if (auto reading = read(table)) found_.push_back({&table, std::move(*reading)});
  }
}

std::vector<GuessedTable> Guesser::run(std::size_t& left_out) {
  tables_ = find_guess_tables(*job_, limits_->skip, limits_->only);
  for (const auto* tables : {&tables_.plain, &tables_.joined, &tables_.json}) look_at(*tables);
  const bool found_strong = std::any_of(found_.begin(), found_.end(),
                                        [](const Found& found) { return found.reading.rank > kWeakRank; });
  // A list of conversations repeats the last message of each.
  std::erase_if(found_, [&](const Found& found) { return found_strong && found.reading.rank <= kWeakRank; });
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) { return a.reading.written > b.reading.written; });
  left_out = found_.size() > kMaxGuessed ? found_.size() - kMaxGuessed : 0;
  if (left_out > 0) found_.erase(found_.begin() + static_cast<std::ptrdiff_t>(kMaxGuessed), found_.end());
  std::vector<GuessedTable> result;
  result.reserve(found_.size());
  for (const Found& found : found_) result.push_back(query_of(*found.table, found.reading));
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

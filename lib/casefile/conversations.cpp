#include "casefile/conversations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "casefile/disjoint_sets.hpp"
#include "model/locator.hpp"
#include "rules/case_file.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMostParticipants = 1000;
// Numbers up to here may be counted by each database for itself; longer ones are given by the app's servers.
constexpr std::size_t kLongestCount = 9;
constexpr std::size_t kMostKnown = 32;       // of a thread
constexpr std::ptrdiff_t kFewestDigits = 6;  // of a name that nobody thought of
constexpr std::size_t kMostNames = 3;        // in a title

/// A thread of one database: what is put together.
struct Thread {
  std::int64_t item = 0;
  std::string exhibit, app, account, name;
  std::string first_key;                  // of its messages, in their order
  std::set<std::string> participants;     // as the app writes them
  std::unordered_set<std::string> known;  // what was added already: direction, sender and recipients
  bool outgoing_named = false;            // a message that was sent says to whom
  std::optional<std::int64_t> first, last;
  std::int64_t messages = 0;
  std::string subject;  // of the first mail, where the thread is one of mails
};

constexpr const char* kMail =
    "email";  // its threads are named by a Message-ID, which says nothing to a reader
constexpr std::size_t kLongestSubject = 200;

/// A mail's body begins with its subject.
std::string subject_of(const std::string& body) {
  std::string line = body.substr(0, std::min(body.find('\n'), kLongestSubject));
  while (!line.empty() && line.size() == kLongestSubject &&
         (static_cast<unsigned char>(line.back()) & 0x80) != 0)
    line.pop_back();
  return line;
}

void add_participants(Thread& thread, std::string_view direction, std::string_view sender,
                      std::string_view recipients) {
  if (thread.participants.size() >= kMostParticipants) return;
  // The same few write to each other again and again.
  std::string said;
  said.reserve(direction.size() + sender.size() + recipients.size() + 2);
  said.append(direction).append(1, '\0').append(sender).append(1, '\0').append(recipients);
  if (thread.known.contains(said)) return;
  if (thread.known.size() < kMostKnown) thread.known.insert(std::move(said));
  if (!sender.empty() && direction != "out") thread.participants.emplace(sender);
  const auto list = nlohmann::json::parse(recipients, nullptr, false);
  if (!list.is_array()) return;
  for (const auto& each : list) {
    if (!each.is_string() || each.get_ref<const std::string&>().empty()) continue;
    // What came in was sent to the owner of the device, and to others where there are several.
    if (direction == "in" && list.size() == 1) continue;
    thread.participants.insert(each.get<std::string>());
    if (direction == "out") thread.outgoing_named = true;
  }
}

/// A bare number, or "thread" and a number, as definitions write it where nothing better is known.
bool counted_by_a_database(std::string_view name) {
  constexpr std::string_view kThread = "thread ";
  if (name.starts_with(kThread)) name.remove_prefix(kThread.size());
  return name.size() <= kLongestCount &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "chat123456789", "19:uni01_vfk7…@thread.v2": given by a server, said by nobody.
bool is_numbered(std::string_view name) {
  const auto digits = std::count_if(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return counted_by_a_database(name) || name.find("@thread.") != std::string_view::npos ||
         (digits >= kFewestDigits && name.find(' ') == std::string_view::npos);
}

/// Names of the address books on one exhibit, by identifier in the form in which they are compared; what two
/// entries name differently has no name.
class AddressBook {
 public:
  explicit AddressBook(const Database& db) {
    auto contacts = db.prepare(
        "SELECT e.ref, c.name, c.identifiers FROM contact c JOIN item_row i ON i.id = c.item_id JOIN exhibit "
        "e ON e.id = i.exhibit_id "
        "WHERE c.name IS NOT NULL AND c.name <> '' ORDER BY c.key");
    while (contacts.step()) {
      const auto list = nlohmann::json::parse(contacts.text(2), nullptr, false);
      if (!list.is_array()) continue;
      for (const auto& each : list) {
        if (!each.is_object() || !each.contains("value") || !each["value"].is_string()) continue;
        auto& name = names_[{contacts.text(0), normalise_identifier(each["value"].get<std::string>())}];
        name = name.empty() || name == contacts.text(1) ? contacts.text(1) : "?";
      }
    }
  }
  /// Empty if there is none.
  std::string name(const std::string& exhibit, const std::string& identifier) const {
    const auto found = names_.find({exhibit, normalise_identifier(identifier)});
    return found == names_.end() || found->second == "?" ? "" : found->second;
  }
  /// "Name (identifier)", or the identifier.
  std::string title(const std::string& exhibit, const std::string& identifier) const {
    const std::string plain = identifier.substr(0, identifier.find("@s.whatsapp.net"));
    const std::string known = name(exhibit, identifier);
    return known.empty() ? plain : fmt::format("{} ({})", known, plain);
  }

 private:
  std::map<std::pair<std::string, std::string>, std::string> names_;
};

class Conversations {
 public:
  explicit Conversations(const Database& db) : db_(db) {}

  void make() {
    load_threads();
    DisjointSets sets(threads_.size());
    unite_same_names(sets);
    unite_same_party(sets);
    unite_copies(sets);
    write(sets);
  }

 private:
  using Place = std::pair<std::int64_t, std::string>;  // item and thread
  std::vector<std::string> scope_of(const Thread& thread) const {
    return {thread.exhibit, thread.app, thread.account};
  }

  /// Threads in the order of their items and of their first message's key. To sort all messages takes longer
  /// than all else here, so it is done where their order says more than that alone: which mail names a
  /// thread, and who of very many take part.
  void load_threads() {
    load_messages("m.app IS NOT 'email'", false);
    const bool crowded = std::any_of(threads_.begin(), threads_.end(), [](const Thread& thread) {
      return thread.participants.size() >= kMostParticipants;
    });
    if (crowded) {
      threads_.clear();
      places_.clear();
      load_messages("m.app IS NOT 'email'", true);
    }
    load_messages("m.app = 'email'", true);
    sort_threads();
  }

  void load_messages(const char* which, bool sorted) {
    auto messages =
        db_.prepare(fmt::format("SELECT m.item_id, coalesce(m.account, ''), m.thread, m.key, m.app, "
                                "m.direction, m.sender, m.recipients, "
                                "coalesce(m.sent, m.received), m.folded_into IS NULL, CASE m.app WHEN "
                                "'email' THEN substr(m.body, 1, 300) "
                                "END FROM message m{} WHERE m.thread IS NOT NULL AND {}{}",
                                sorted ? " JOIN item_row i ON i.id = m.item_id" : "", which,
                                sorted ? " ORDER BY i.locator, m.key" : ""));
    std::size_t last = SIZE_MAX;  // messages of a thread often follow each other
    while (messages.step()) {
      const std::int64_t item = messages.integer(0);
      const bool same = last != SIZE_MAX && threads_[last].item == item &&
                        threads_[last].account == messages.text_view(1) &&
                        threads_[last].name == messages.text_view(2);
      if (!same) {
        const auto found = thread_of(item, messages);
        if (!found) continue;
        last = *found;
      }
      Thread& thread = threads_[last];
      if (messages.text_view(3) < thread.first_key) thread.first_key = messages.text_view(3);
      add_participants(thread, messages.text_view(5), messages.text_view(6), messages.text_view(7));
      if (messages.integer(9) == 0) continue;
      const bool opens = !thread.first || messages.optional_integer(8).value_or(INT64_MAX) < *thread.first;
      if (opens && !messages.text_view(10).empty()) thread.subject = subject_of(messages.text(10));
      if (const auto time = messages.optional_integer(8)) {
        thread.first = std::min(thread.first.value_or(*time), *time);
        thread.last = std::max(thread.last.value_or(*time), *time);
      }
      ++thread.messages;
    }
  }

  /// The thread of a message, made where it is new; absent where its item is of no exhibit.
  std::optional<std::size_t> thread_of(std::int64_t item, const Statement& message) {
    const auto [at, fresh] =
        places_.try_emplace({item, message.text(1) + '\0' + message.text(2)}, threads_.size());
    if (!fresh) return at->second;
    auto [known, is_new] = items_.try_emplace(item);
    if (is_new) {
      auto place = db_.prepare(
          "SELECT e.ref, i.locator FROM item_row i JOIN exhibit e ON e.id = i.exhibit_id WHERE i.id = ?1");
      place.bind(1, item);
      if (place.step()) known->second = {place.text(0), place.text(1)};
    }
    if (known->second.second.empty()) {
      places_.erase(at);
      return std::nullopt;
    }
    Thread& thread = threads_.emplace_back();
    thread.item = item;
    thread.exhibit = known->second.first;
    thread.app = message.text(4);
    thread.account = message.text(1);
    thread.name = message.text(2);
    thread.first_key = message.text(3);
    return threads_.size() - 1;
  }

  void sort_threads() {
    std::vector<std::size_t> order(threads_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto place = [&](std::size_t i) {
      return std::tie(items_.at(threads_[i].item).second, threads_[i].first_key);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
    std::vector<std::size_t> rank(order.size());
    std::vector<Thread> sorted;
    sorted.reserve(order.size());
    for (const std::size_t i : order) {
      rank[i] = sorted.size();
      sorted.push_back(std::move(threads_[i]));
    }
    threads_ = std::move(sorted);
    for (auto& [name, index] : places_) index = rank[index];
  }

  void unite_same_names(DisjointSets& sets) const {
    std::map<std::vector<std::string>, std::size_t> known;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (counted_by_a_database(threads_[i].name)) continue;
      auto key = scope_of(threads_[i]);
      // One number may be written in several ways.
      key.push_back(normalise_identifier(threads_[i].name));
      sets.unite(known.try_emplace(std::move(key), i).first->second, i);
    }
  }

  void unite_same_party(DisjointSets& sets) const {
    std::map<std::vector<std::string>, std::size_t> known;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      const Thread& thread = threads_[i];
      if (!thread.outgoing_named || !counted_by_a_database(thread.name)) continue;
      std::set<std::string> parties;
      for (const std::string& each : thread.participants) parties.insert(normalise_identifier(each));
      if (parties.size() != 1) continue;
      auto key = scope_of(thread);
      key.push_back(*parties.begin());
      sets.unite(known.try_emplace(std::move(key), i).first->second, i);
    }
  }

  void unite_copies(DisjointSets& sets) const {
    auto copies = db_.prepare(
        "SELECT DISTINCT a.item_id, coalesce(a.account, ''), a.thread, b.item_id, coalesce(b.account, ''), "
        "b.thread FROM message a JOIN message b ON b.id = a.folded_into WHERE a.thread IS NOT NULL AND "
        "b.thread IS NOT NULL");
    while (copies.step()) {
      const auto a = places_.find({copies.integer(0), copies.text(1) + '\0' + copies.text(2)});
      const auto b = places_.find({copies.integer(3), copies.text(4) + '\0' + copies.text(5)});
      if (a != places_.end() && b != places_.end()) sets.unite(a->second, b->second);
    }
  }

  void write(DisjointSets& sets) {
    db_.execute("DELETE FROM conversation");
    db_.execute(
        "CREATE TEMP TABLE thread_key(item INTEGER, account TEXT, thread TEXT, key TEXT, PRIMARY "
        "KEY(item, account, thread)) WITHOUT ROWID");
    auto place = db_.prepare("INSERT INTO thread_key VALUES(?1, ?2, ?3, ?4)");
    // Threads come in order of locator and key: the first of a set names it, whatever ran first.
    std::map<std::size_t, Thread> whole;
    std::map<std::size_t, std::string> keys;
    std::set<std::string> used;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      const Thread& thread = threads_[i];
      const std::size_t set = sets.find(i);
      const auto [at, fresh] = whole.try_emplace(set, thread);
      if (fresh) {
        keys[set] = key_of(thread, used);
      } else {
        add_thread(at->second, thread);
      }
      place.bind(1, thread.item).bind(2, thread.account).bind(3, thread.name).bind(4, keys[set]).run();
    }
    db_.execute(
        "UPDATE message SET conversation = (SELECT t.key FROM thread_key t WHERE t.item = message.item_id "
        "AND "
        "t.account = coalesce(message.account, '') AND t.thread = message.thread) WHERE thread IS NOT NULL");
    db_.execute("DROP TABLE thread_key");
    auto insert = db_.prepare(
        "INSERT INTO conversation(key, app, account, title, participants, first, last, messages, gaps) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,0)");
    const AddressBook book(db_);
    for (const auto& [set, thread] : whole) {
      insert.bind(1, keys[set]).bind(2, thread.app).bind(3, thread.account).bind(4, title(book, thread));
      insert.bind(5, nlohmann::json(thread.participants).dump()).bind(6, thread.first).bind(7, thread.last);
      insert.bind(8, thread.messages).run();
    }
    count_gaps();
  }

  /// Gaps are findings that name the rows on both sides.
  void count_gaps() const {
    db_.execute(R"(
      DELETE FROM message_gap;
      CREATE TEMP TABLE gap_side(item INTEGER, source_table TEXT, source_row TEXT, side INTEGER, finding INTEGER,
        missing INTEGER, PRIMARY KEY(item, source_table, source_row, side, finding)) WITHOUT ROWID;
      INSERT OR IGNORE INTO gap_side SELECT i.id, f.detail ->> 'table', CAST(f.detail ->> s.value AS TEXT), s.key, f.id,
          f.detail ->> 'missing' FROM finding f JOIN json_each('["after", "before"]') s JOIN item_row i ON
          i.id = f.item_id OR (f.item_id IS NULL AND i.content_id = f.content_id)
        WHERE f.category = 'gap' AND json_valid(f.detail) AND f.detail ->> s.value IS NOT NULL;
      CREATE TEMP TABLE gap_message AS SELECT m.id, m.conversation, g.finding, g.item, g.side, g.missing FROM message m
        CROSS JOIN gap_side g ON g.item = m.item_id AND g.source_table = m.source_table AND g.source_row = m.source_row
        WHERE m.folded_into IS NULL;
      INSERT OR IGNORE INTO message_gap SELECT b.id, sum(coalesce(b.missing, 0)) FROM gap_message a JOIN gap_message b ON
        b.finding = a.finding AND b.item = a.item AND b.conversation = a.conversation AND a.side = 0 AND b.side = 1
        GROUP BY b.id;
      UPDATE conversation SET gaps = g.gaps FROM (SELECT m.conversation, count(*) AS gaps FROM message_gap
        JOIN message m ON m.id = message_id GROUP BY 1) g WHERE g.conversation = conversation.key;
      DROP TABLE gap_side;
      DROP TABLE gap_message;)");
  }

  /// Two databases may count the same thread number for different people: the second key says which database.
  std::string key_of(const Thread& thread, std::set<std::string>& used) const {
    std::string key = join_key({"conversation", thread.exhibit, thread.app, thread.account, thread.name});
    if (used.insert(key).second) return key;
    auto locator = db_.prepare("SELECT locator FROM item_row WHERE id = ?1");
    locator.bind(1, thread.item).step();
    key =
        join_key({"conversation", thread.exhibit, thread.app, thread.account, thread.name, locator.text(0)});
    used.insert(key);
    return key;
  }

  static void add_thread(Thread& whole, const Thread& part) {
    for (const std::string& each : part.participants) {
      if (whole.participants.size() < kMostParticipants) whole.participants.insert(each);
    }
    if (part.first && part.first < whole.first.value_or(INT64_MAX) && !part.subject.empty())
      whole.subject = part.subject;
    if (part.first) whole.first = std::min(whole.first.value_or(*part.first), *part.first);
    if (part.last) whole.last = std::max(whole.last.value_or(*part.last), *part.last);
    whole.messages += part.messages;
  }

  /// A number that a database counted says nothing to a reader: its other party does, if there is one.
  static std::string title(const AddressBook& book, const Thread& thread) {
    if (thread.app == kMail && !thread.subject.empty()) return thread.subject;
    if (counted_by_a_database(thread.name) && thread.participants.size() == 1)
      return book.title(thread.exhibit, *thread.participants.begin());
    if (book.name(thread.exhibit, thread.name).empty()) {
      const std::string names = names_in(book, thread);
      if (!names.empty()) return fmt::format("{} ({})", names, thread.name);
    }
    return book.title(thread.exhibit, thread.name);
  }

  /// "Name, name, name and 2 others" of those who are not the owner; empty where nobody has a name, or where
  /// the thread seems to have one of its own.
  static std::string names_in(const AddressBook& book, const Thread& thread) {
    if (!is_numbered(thread.name)) return "";
    std::string names;
    std::size_t named = 0, others = 0;
    for (const std::string& each : thread.participants) {
      if (each == thread.name || each == thread.account) continue;
      const std::string name = book.name(thread.exhibit, each);
      if (name.empty() || named == kMostNames) {
        ++others;
      } else {
        names += (named++ ? ", " : "") + name;
      }
    }
    if (named > 0 && others > 0) names += fmt::format(" and {} other{}", others, others == 1 ? "" : "s");
    return names;
  }

  const Database& db_;
  std::vector<Thread> threads_;
  std::map<Place, std::size_t> places_;
  std::map<std::int64_t, std::pair<std::string, std::string>> items_;  // exhibit and locator
};

}  // namespace

void fold_copies(const Database& db) {
  db.execute("UPDATE message SET folded_into = NULL WHERE folded_into IS NOT NULL");
  // Apps with one database on an exhibit, the most, are left out of the sorting.
  db.execute(R"(
    CREATE TEMP TABLE folded AS
    WITH app_of(exhibit_id, app) AS MATERIALIZED (
      SELECT i.exhibit_id, m.app FROM (SELECT DISTINCT item_id, app FROM message) m JOIN item_row i ON i.id = m.item_id
      GROUP BY 1, 2 HAVING count(*) > 1),
    candidate AS MATERIALIZED (
      SELECT m.id, m.key, m.item_id, i.exhibit_id, m.app, coalesce(m.sent, m.received) AS at, m.direction, m.sender, m.body,
        CASE WHEN coalesce(m.body, '') = '' THEN m.source_table || ' ' || m.source_row END AS row_name,
        m.recovered IS 1 AS recovered, i.allocated, i.locator
      FROM message m JOIN item_row i ON i.id = m.item_id JOIN app_of a ON a.exhibit_id = i.exhibit_id AND a.app IS m.app
      WHERE coalesce(m.sent, m.received) IS NOT NULL),
    -- A copy that does not say which way it went is one of those that do, where the sender says it for both.
    way_of(exhibit_id, app, at, sender, body, way) AS MATERIALIZED (
      SELECT exhibit_id, app, at, sender, body, max(direction) FROM candidate
      WHERE sender <> '' AND body <> '' AND direction <> 'unknown'
        AND EXISTS (SELECT 1 FROM candidate WHERE direction = 'unknown')
      GROUP BY 1, 2, 3, 4, 5 HAVING min(direction) = max(direction)),
    said AS MATERIALIZED (
      SELECT c.*, coalesce(w.way, c.direction) AS way,
        row_number() OVER (PARTITION BY c.item_id, c.app, c.at, coalesce(w.way, c.direction), c.sender, c.body, c.row_name
          ORDER BY c.recovered, c.key) AS nth
      FROM candidate c LEFT JOIN way_of w ON c.direction = 'unknown' AND w.exhibit_id = c.exhibit_id AND w.app IS c.app
        AND w.at = c.at AND w.sender = c.sender AND w.body = c.body)
    SELECT id, first_value(id) OVER (PARTITION BY exhibit_id, app, at, way, sender, body, row_name, nth
      ORDER BY recovered, direction = 'unknown', allocated DESC, locator, key) AS shown FROM said)");
  db.execute("DELETE FROM folded WHERE id = shown");
  db.execute("UPDATE message SET folded_into = f.shown FROM folded f WHERE f.id = message.id");
  db.execute("DROP TABLE folded");
}

void make_conversations(const Database& db) {
  Conversations(db).make();
}

}  // namespace touchstone

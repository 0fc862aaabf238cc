#include "casefile/persons.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "casefile/disjoint_sets.hpp"
#include "model/locator.hpp"
#include "rules/case_file.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMostContacts = 1'000'000;
// An entry with more is a list, not a person.
constexpr std::size_t kMostIdentifiers = 50;
constexpr std::size_t kLongestName = 200;

struct Entry {
  std::string key, name, book;  // book: exhibit and app
  std::string exhibit;
  std::vector<std::string> identifiers;
};

struct CaseEntry {
  std::string key;
  std::vector<std::string> names;
  std::set<std::string> stated;
};

bool is_phone(const std::string& text) {
  return text.size() >= 7 && text.size() <= 15 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(const std::string& text) {
  const auto at = text.find('@');
  return at != std::string::npos && at > 0 && text.find('.', at) != std::string::npos;
}

/// In the form of the case file: phones and addresses hold everywhere, the rest within its app.
std::string qualified(const std::string& kind, const std::string& value, const std::string& app) {
  std::string plain = normalise_identifier(value);
  if (plain.empty()) return plain;
  const bool everywhere = kind == "phone" || kind == "email" || is_address(plain) ||
                          (is_phone(plain) && (value.front() == '+' || value.find('@') != std::string::npos));
  return everywhere || app.empty() ? plain : app + ":" + plain;
}

/// Lower case and single spaces, or empty where it is not a full name.
std::string full_name(const std::string& name) {
  std::string out, word;
  std::size_t words = 0;
  const auto end_word = [&] {
    if (word.empty()) return;
    words += word.size() >= 2 ? 1 : 0;
    out += (out.empty() ? "" : " ") + word;
    word.clear();
  };
  for (const char c : name) {
    if (c == ' ' || c == '\t' || c == '\n') {
      end_word();
    } else {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  end_word();
  return words >= 2 && out.size() <= kLongestName ? out : std::string();
}

class Persons {
 public:
  explicit Persons(const Database& db) : db_(db) {}

  void link() {
    load_case();
    load_contacts();
    DisjointSets sets(entries_.size());
    unite_identifiers(sets);
    unite_names(sets);
    write(sets);
  }

 private:
  /// What an earlier call added goes first.
  void load_case() {
    db_.execute("DELETE FROM person WHERE role IS NULL");
    auto query = db_.prepare("SELECT key, name, identifiers, names, linked FROM person ORDER BY key");
    while (query.step()) {
      CaseEntry person;
      person.key = query.text(0);
      const auto names = nlohmann::json::parse(query.text(3), nullptr, false);
      if (names.is_array()) person.names = names.get<std::vector<std::string>>();
      std::set<std::string> added;
      const auto linked = nlohmann::json::parse(query.text(4), nullptr, false);
      if (linked.is_array()) {
        for (const auto& one : linked) added.insert(one.value("identifier", ""));
      }
      const auto identifiers = nlohmann::json::parse(query.text(2), nullptr, false);
      if (identifiers.is_array()) {
        for (const auto& one : identifiers) {
          if (one.is_string() && !added.count(one.get<std::string>()))
            person.stated.insert(one.get<std::string>());
        }
      }
      case_.push_back(std::move(person));
    }
  }

  void load_contacts() {
    auto query = db_.prepare(
        "SELECT c.key, c.name, c.identifiers, coalesce(c.app, ''), e.ref FROM contact c JOIN item_row i ON "
        "i.id = c.item_id JOIN exhibit e ON e.id = i.exhibit_id ORDER BY c.key");
    while (query.step() && entries_.size() < kMostContacts) {
      const auto list = nlohmann::json::parse(query.text(2), nullptr, false);
      if (!list.is_array() || list.size() > kMostIdentifiers) continue;
      Entry entry{query.text(0), query.text(1), query.text(4) + '\n' + query.text(3), query.text(4), {}};
      for (const auto& one : list) {
        if (!one.is_object() || !one.contains("value") || !one["value"].is_string()) continue;
        const std::string kind = one.contains("kind") && one["kind"].is_string() ? one["kind"] : "";
        std::string identifier = qualified(kind, one["value"], query.text(3));
        if (!identifier.empty()) entry.identifiers.push_back(std::move(identifier));
      }
      if (!entry.identifiers.empty()) entries_.push_back(std::move(entry));
    }
  }

  void unite_identifiers(DisjointSets& sets) {
    std::map<std::pair<std::string, std::string>, std::string> names;  // book and identifier → name
    for (const Entry& entry : entries_) {
      for (const std::string& one : entry.identifiers) {
        const auto [at, fresh] = names.try_emplace({entry.book, one}, entry.name);
        if (!fresh && at->second != entry.name) shared_.insert(one);
      }
    }
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      for (const std::string& one : entries_[i].identifiers) {
        if (!shared_.count(one)) sets.unite(first.try_emplace(one, i).first->second, i);
      }
    }
  }

  /// Unless a book has the name twice, for different people.
  void unite_names(DisjointSets& sets) {
    struct Named {
      std::map<std::string, std::set<std::size_t>> sets_of_book;
      std::set<std::size_t> entries;
    };
    std::map<std::pair<std::string, std::string>, Named> names;  // exhibit and name
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::string name = full_name(entries_[i].name);
      if (name.empty()) continue;
      Named& named = names[{entries_[i].exhibit, name}];
      named.sets_of_book[entries_[i].book].insert(sets.find(i));
      named.entries.insert(i);
    }
    for (const auto& [name, named] : names) {
      const bool once = std::all_of(named.sets_of_book.begin(), named.sets_of_book.end(),
                                    [](const auto& book) { return book.second.size() == 1; });
      if (!once || named.sets_of_book.size() < 2) continue;
      for (const std::size_t i : named.entries) sets.unite(*named.entries.begin(), i);
    }
  }

  struct Whole {
    std::vector<std::size_t> entries;
    std::set<std::string> names;  // full ones
    std::set<std::size_t> persons_by_identifier, persons_by_name;
  };

  std::map<std::size_t, Whole> gather(DisjointSets& sets) {
    std::map<std::string, std::set<std::size_t>> by_identifier, by_name;
    for (std::size_t p = 0; p < case_.size(); ++p) {
      for (const std::string& one : case_[p].stated) by_identifier[one].insert(p);
      for (const std::string& name : case_[p].names) {
        if (const std::string full = full_name(name); !full.empty()) by_name[full].insert(p);
      }
    }
    std::map<std::size_t, Whole> wholes;
    std::map<std::string, std::set<std::size_t>> sets_of_name;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Whole& whole = wholes[sets.find(i)];
      whole.entries.push_back(i);
      for (const std::string& one : entries_[i].identifiers) {
        const auto at = shared_.count(one) ? by_identifier.end() : by_identifier.find(one);
        if (at != by_identifier.end())
          whole.persons_by_identifier.insert(at->second.begin(), at->second.end());
      }
      const std::string name = full_name(entries_[i].name);
      if (const auto at = by_name.find(name); at != by_name.end() && at->second.size() == 1) {
        whole.persons_by_name.insert(at->second.begin(), at->second.end());
        sets_of_name[entries_[i].exhibit + '\n' + name].insert(sets.find(i));
        whole.names.insert(entries_[i].exhibit + '\n' + name);
      }
    }
    // A name that stands for several on one device says nothing of whom the case file means.
    for (auto& [set, whole] : wholes) {
      if (std::any_of(whole.names.begin(), whole.names.end(),
                      [&](const std::string& name) { return sets_of_name[name].size() > 1; }))
        whole.persons_by_name.clear();
    }
    return wholes;
  }

  void write(DisjointSets& sets) {
    std::map<std::size_t, nlohmann::json> linked;
    std::map<std::size_t, std::set<std::string>> all;
    std::set<std::string> taken;
    for (std::size_t p = 0; p < case_.size(); ++p) {
      all[p] = case_[p].stated;
      taken.insert(case_[p].stated.begin(), case_[p].stated.end());
    }
    auto insert = db_.prepare("INSERT INTO person(key, name, identifiers) VALUES(?1, ?2, ?3)");
    for (const auto& [set, whole] : gather(sets)) {
      const bool by_identifier = !whole.persons_by_identifier.empty();
      const auto& persons = by_identifier ? whole.persons_by_identifier : whole.persons_by_name;
      if (persons.size() > 1) continue;
      std::set<std::string> mine;
      std::string name;
      for (const std::size_t i : whole.entries) {
        if (name.empty()) name = entries_[i].name;
        for (const std::string& one : entries_[i].identifiers) {
          if (shared_.count(one) || taken.count(one) || !mine.insert(one).second) continue;
          if (persons.empty()) continue;
          const std::size_t p = *persons.begin();
          all[p].insert(one);
          linked[p].push_back({{"identifier", one},
                               {"by", by_identifier ? "address book" : "full name"},
                               {"contact", entries_[i].key}});
        }
      }
      taken.insert(mine.begin(), mine.end());
      if (!persons.empty() || mine.empty() || name.empty()) continue;  // nobody is named
      insert.bind(1, join_key({"person", "", *mine.begin()}))
          .bind(2, name)
          .bind(3, nlohmann::json(mine).dump())
          .run();
    }
    auto update = db_.prepare("UPDATE person SET identifiers = ?2, linked = ?3 WHERE key = ?1");
    for (std::size_t p = 0; p < case_.size(); ++p) {
      update.bind(1, case_[p].key)
          .bind(2, nlohmann::json(all[p]).dump())
          .bind(3, linked.count(p) ? linked[p].dump() : "[]")
          .run();
    }
  }

  const Database& db_;
  std::vector<CaseEntry> case_;
  std::vector<Entry> entries_;
  std::set<std::string> shared_;  // stands under different names in one book
};

}  // namespace

void link_persons(const Database& db) {
  Persons(db).link();
}

}  // namespace touchstone

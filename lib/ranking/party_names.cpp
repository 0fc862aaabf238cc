#include "ranking/party_names.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rules/case_file.hpp"

namespace touchstone {
namespace {

// Contacts of a device are as many as their owner made them; more than this is no address book.
constexpr std::size_t kMostContacts = 1'000'000;
// Longer names are no names; a title has to stay readable.
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostKnown = 100'000;

std::string cut_name(std::string name) {
  if (name.size() <= kLongestName) return name;
  std::size_t end = kLongestName;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "…";
}

std::string contact_key(std::int64_t exhibit, const std::string& identifier) {
  return std::to_string(exhibit) + "\n" + identifier;
}

nlohmann::json array_of(const std::string& text) {
  auto array = nlohmann::json::parse(text, nullptr, false);
  return array.is_array() ? array : nlohmann::json::array();
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

PartyNames::PartyNames(const Database& db) {
  load_contacts(db);
  load_persons(db);
}

void PartyNames::load_contacts(const Database& db) {
  auto query = db.prepare(
      "SELECT i.exhibit_id, c.name, c.identifiers FROM contact c JOIN item_row i ON i.id = c.item_id "
      "WHERE c.name <> '' ORDER BY c.key");
  while (query.step() && contacts_.size() < kMostContacts) {
    const std::string name = cut_name(query.text(1));
    for (const auto& one : array_of(query.text(2))) {
      if (!one.is_object() || !one.contains("value") || !one["value"].is_string()) continue;
      const std::string plain = normalise_identifier(one["value"].get<std::string>());
      if (!plain.empty()) contacts_.try_emplace(contact_key(query.integer(0), plain), name);
    }
  }
}

void PartyNames::load_persons(const Database& db) {
  auto query = db.prepare("SELECT name, role, identifiers FROM person WHERE role IS NOT NULL ORDER BY key");
  while (query.step()) {
    for (const auto& one : array_of(query.text(2))) {
      if (one.is_string()) persons_.try_emplace(one.get<std::string>(), Person{query.text(0), query.text(1)});
    }
  }
}

PartyName PartyNames::look_up(std::int64_t exhibit, const std::string& identifier,
                              const std::string& app) const {
  PartyName out;
  const std::string plain = normalise_identifier(identifier);
  if (plain.empty()) return out;
  if (const auto at = contacts_.find(contact_key(exhibit, plain)); at != contacts_.end())
    out.contact = at->second;
  auto person = persons_.find(plain);
  if (person == persons_.end() && !app.empty()) person = persons_.find(lower(app) + ":" + plain);
  if (person != persons_.end()) {
    out.person = person->second.name;
    out.role = person->second.role;
  }
  return out;
}

const PartyName& PartyNames::of(std::int64_t exhibit, const std::string& identifier, const std::string& app) {
  if (known_.size() >= kMostKnown) known_.clear();
  const auto [at, fresh] = known_.try_emplace(contact_key(exhibit, app + "\n" + identifier));
  if (fresh) at->second = look_up(exhibit, identifier, app);
  return at->second;
}

}  // namespace touchstone

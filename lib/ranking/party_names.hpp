// Who stands behind a phone number, an address or a handle: the name that the address books of the same
// exhibit give it, and the person of the case. Read once from the tables `contact` and `person` of a finished
// case; identifiers are compared as normalise_identifier() leaves them. One thread. Database failures throw
// CaseError.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "casefile/sqlite.hpp"

namespace touchstone {

struct PartyName {
  std::string contact;  ///< as the device names it, cut where it is very long, or empty
  std::string person;   ///< as the case file names it, or empty
  std::string role;     ///< of the person, or empty
  /// The device's name, else the case's, else empty.
  const std::string& shown() const { return contact.empty() ? person : contact; }
};

class PartyNames {
 public:
  explicit PartyNames(const Database& db);
  /// `exhibit`: id of the exhibit whose address books count. The answer holds until the next call.
  const PartyName& of(std::int64_t exhibit, const std::string& identifier, const std::string& app);

 private:
  struct Person {
    std::string name, role;
  };
  void load_contacts(const Database& db);
  void load_persons(const Database& db);
  PartyName look_up(std::int64_t exhibit, const std::string& identifier, const std::string& app) const;

  std::unordered_map<std::string, std::string> contacts_;  // exhibit and identifier → name
  std::unordered_map<std::string, Person> persons_;   // identifier, of a handle with its service → person
  std::unordered_map<std::string, PartyName> known_;  // few differ, each occurs often
};

}  // namespace touchstone

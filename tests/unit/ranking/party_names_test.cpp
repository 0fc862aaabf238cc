#include "ranking/party_names.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace touchstone {
namespace {

/// Two devices: on the first a contact stored with a national number and a group, on the second another name
/// for the same number.
Database address_books() {
  Database db(":memory:", Database::Mode::create);
  std::ifstream file(std::string(TOUCHSTONE_SOURCE_DIR) + "/lib/casefile/schema.sql");
  std::stringstream sql;
  sql << file.rdbuf();
  db.execute(sql.str());
  db.execute(R"(
    INSERT INTO exhibit(id, ref, role, path) VALUES(1, 'ABC/1', 'suspect', 'x'), (2, 'DEF/1', 'unknown', 'y');
    INSERT INTO item_row(id, locator, exhibit_id, path, name, kind, allocated, size, state) VALUES
      (1, 'ABC/1:p0/c.db', 1, '', 'c.db', 'file', 1, 1, 'examined'), (2, 'DEF/1:p0/c.db', 2, '', 'c.db', 'file', 1, 1, 'examined');
    INSERT INTO contact(key, item_id, name, identifiers) VALUES
      ('c1', 1, 'Kay', '[{"kind":"phone","value":"07700 900456"}]'),
      ('c2', 1, '', '[{"kind":"phone","value":"+447700900789"}]'),
      ('c3', 2, 'Her', '[{"kind":"phone","value":"+44 7700 900456"}]'),
      ('c4', 1, 'Damaged', 'no JSON'), ('c5', 1, 'Odd', '[7, {"value":8}, null]');
    INSERT INTO person(key, name, role, identifiers) VALUES
      ('person|C1', 'K', 'complainant', '["447700900456","signal:kk"]'), ('person|W1', 'J', 'witness', '["447700900789"]');)");
  return db;
}

TEST(PartyNames, ANumberIsFoundInWhicheverWayItIsWritten) {
  const Database db = address_books();
  PartyNames names(db);
  for (const char* number :
       {"+447700900456", "07700900456", "447700900456@s.whatsapp.net", "0044 7700 900456"}) {
    const PartyName& name = names.of(1, number, "whatsapp");
    EXPECT_EQ(name.contact, "Kay") << number;
    EXPECT_EQ(name.person, "K") << number;
    EXPECT_EQ(name.role, "complainant") << number;
  }
}

TEST(PartyNames, EachDeviceHasItsOwnAddressBook) {
  const Database db = address_books();
  PartyNames names(db);
  EXPECT_EQ(names.of(2, "+447700900456", "sms").shown(), "Her");
  EXPECT_EQ(names.of(3, "+447700900456", "sms").shown(), "K") << "no address book: the case file's name";
  EXPECT_EQ(names.of(1, "+447700900789", "sms").shown(), "J") << "a contact without a name gives none";
}

TEST(PartyNames, AVeryLongNameIsCutBetweenCharacters) {
  const Database db = address_books();
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "é";
  db.prepare("UPDATE contact SET name = ?1 WHERE key = 'c1'").bind(1, "a" + name).run();
  const std::string shown = PartyNames(db).of(1, "+447700900456", "sms").contact;
  EXPECT_EQ(shown, "a" + name.substr(0, 198) + "…");
}

TEST(PartyNames, AHandleHoldsForItsServiceOnly) {
  const Database db = address_books();
  PartyNames names(db);
  EXPECT_EQ(names.of(1, "@KK", "Signal").person, "K");
  EXPECT_EQ(names.of(1, "@KK", "telegram").person, "");
  EXPECT_EQ(names.of(1, "", "sms").shown(), "");
}

}  // namespace
}  // namespace touchstone

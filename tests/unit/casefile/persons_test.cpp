// Who is the same person: by identifiers and full names, never by a first name.
#include "casefile/persons.hpp"

#include <nlohmann/json.hpp>

#include "casefile/finalise.hpp"
#include "unit/casefile/made_case.hpp"

namespace touchstone {
namespace {

using test::MadeCase;
using Identifiers = std::vector<std::pair<std::string, std::string>>;

class Persons : public ::testing::Test {
 protected:
  void SetUp() override {
    unit_ = made_.unit();
    for (const char* name : {"contacts.db", "wa.db", "direct.db"})
      books_.push_back(made_.item(std::string("/data/") + name, unit_, ItemState::examined));
  }
  /// Book 0 is the phone's, 1 WhatsApp's, 2 that of an app with handles.
  void contact(std::size_t book, const std::string& name, const Identifiers& identifiers) {
    auto list = nlohmann::json::array();
    for (const auto& [kind, value] : identifiers) list.push_back({{"kind", kind}, {"value", value}});
    Record record;
    record.kind = "contact";
    record.key = "contact|" + std::to_string(book) + "|" + std::to_string(++contacts_);
    const char* const apps[] = {"contacts", "whatsapp", "instagram"};
    record.fields = {{"app", std::string(apps[book])}, {"name", name}, {"identifiers", list.dump()}};
    made_.writer.add_record(record, books_[book], 0, "appdata", unit_);
  }
  void person(const std::string& id, const std::string& names, const std::string& identifiers) {
    made_.writer.database()
        .prepare("INSERT INTO person(key, name, role, identifiers, names) VALUES(?1, ?1, 'suspect', ?2, ?3)")
        .bind(1, "person|" + id)
        .bind(2, identifiers)
        .bind(3, names)
        .run();
  }
  std::string persons() {
    finalise_case(made_.writer);
    return made_.ask("SELECT coalesce(role, ''), name, identifiers FROM person ORDER BY key");
  }

  MadeCase made_;
  std::int64_t unit_ = 0;
  std::vector<std::int64_t> books_;
  int contacts_ = 0;
};

TEST_F(Persons, ASharedNumberJoinsTheBooksOfTwoApps) {
  contact(0, "Alex Example", {{"phone", "07700 900123"}, {"email", "Alex@Example.com"}});
  contact(1, "alex", {{"whatsapp", "447700900123@s.whatsapp.net"}});
  EXPECT_EQ(persons(), R"(|Alex Example|["447700900123","alex@example.com"])");
}

TEST_F(Persons, AddressBooksAddToAPersonOfTheCase) {
  person("S1", "[]", R"(["447700900123"])");
  contact(0, "Alex", {{"phone", "+447700900123"}, {"email", "alex@example.com"}});
  EXPECT_EQ(persons(), R"(suspect|person|S1|["447700900123","alex@example.com"])");
  EXPECT_EQ(made_.ask("SELECT linked ->> '$[0].identifier', linked ->> '$[0].by' FROM person"),
            "alex@example.com|address book");
  EXPECT_EQ(persons(), R"(suspect|person|S1|["447700900123","alex@example.com"])")
      << "made afresh it is the same";
}

TEST_F(Persons, AFullNameJoinsWhatSharesNoIdentifierAndAFirstNameDoesNot) {
  contact(0, "Alex Example", {{"phone", "+447700900123"}});
  contact(2, "alex  EXAMPLE", {{"handle", "a.ex"}});
  contact(0, "Sam", {{"phone", "+447700900124"}});
  contact(2, "Sam", {{"handle", "sam"}});
  EXPECT_EQ(
      persons(),
      R"(|Alex Example|["447700900123","instagram:a.ex"];|Sam|["447700900124"];|Sam|["instagram:sam"])");
}

TEST_F(Persons, ANameThatTwoPeopleHaveJoinsNothing) {
  contact(0, "Alex Example", {{"phone", "+447700900123"}});
  contact(0, "Alex Example", {{"phone", "+447700900125"}});
  contact(2, "Alex Example", {{"handle", "a.ex"}});
  person("S1", R"(["Alex Example"])", "[]");
  EXPECT_EQ(persons(), R"(suspect|person|S1|[];)"
                       R"(|Alex Example|["447700900123"];|Alex Example|["447700900125"];)"
                       R"(|Alex Example|["instagram:a.ex"])");
}

TEST_F(Persons, TheCaseFilesFullNameJoinsAHandle) {
  person("S1", R"(["A. Example", "Alex Example"])", "[]");
  contact(2, "Alex Example", {{"handle", "a.ex"}});
  EXPECT_EQ(persons(), R"(suspect|person|S1|["instagram:a.ex"])");
  EXPECT_EQ(made_.ask("SELECT linked ->> '$[0].by' FROM person"), "full name");
}

TEST_F(Persons, ALineThatTwoEntriesShareJoinsNobody) {
  contact(0, "Alex Example", {{"phone", "+447700900123"}, {"phone", "+441632960001"}});
  contact(0, "Kim Example", {{"phone", "+447700900124"}, {"phone", "+441632960001"}});
  EXPECT_EQ(persons(), R"(|Alex Example|["447700900123"];|Kim Example|["447700900124"])");
}

TEST_F(Persons, TwoPersonsOfTheCaseStayTwo) {
  person("C1", "[]", R"(["447700900124"])");
  person("S1", "[]", R"(["447700900123"])");
  contact(0, "Both", {{"phone", "+447700900123"}, {"phone", "+447700900124"}, {"email", "both@example.com"}});
  EXPECT_EQ(persons(), R"(suspect|person|C1|["447700900124"];suspect|person|S1|["447700900123"])");
}

TEST_F(Persons, AnEntryWithoutANameIsNobody) {
  contact(0, "", {{"phone", "+447700900123"}});
  EXPECT_EQ(persons(), "");
}

TEST_F(Persons, AHandleHoldsWithinItsAppOnly) {
  contact(1, "One", {{"id", "123456789"}});
  contact(2, "Two", {{"id", "123456789"}});
  EXPECT_EQ(persons(), R"(|Two|["instagram:123456789"];|One|["whatsapp:123456789"])");
}

}  // namespace
}  // namespace touchstone

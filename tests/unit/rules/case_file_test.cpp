#include "rules/case_file.hpp"

#include <gtest/gtest.h>

namespace touchstone {
namespace {

constexpr const char* kCase = R"(schema = "touchstone.case/1"
reference = "EXAMPLE/24"
time_zone = "Europe/London"
[[window]]
title = "night of 3 May"
from = 2024-05-03T21:00:00
to = 2024-05-04T06:00:00
[[window]]
from = 2024-01-10T12:00:00
to = 2024-01-10T13:00:00+02:00
[[place]]
title = "the flat"
latitude = 50.905
longitude = -1.404
radius_m = 150
[[person]]
id = "S1"
role = "suspect"
names = ["A. Example"]
phones = ["+44 7700 900123"]
emails = ["A@Example.com"]
handles = ["instagram:a.example"]
[[person]]
id = "C1"
role = "complainant"
phones = ["07700 900456"]
[[issue]]
id = "presence"
question = "Was S1 at the flat in the window?"
[[exhibit]]
ref = "ABC/1"
path = "phone.E01"
role = "suspect"
owner = "S1"
[[exhibit]]
ref = "DEF/1"
path = "extraction.zip"
role = "complainant"
owner = "C1"
[exhibit.scope]
authority = "PCSC Act 2022 s.37, agreed in writing 2024-05-06"
apps = ["whatsapp", "sms"]
parties = ["S1"]
from = 2024-04-20T00:00:00
to = 2024-05-11T00:00:00
kinds = ["message", "attachment"]
grant = []
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kCase;
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(CaseFile, ReadsTheExampleOfTheManual) {
  const auto file = parse_case_file(
      replaced("to = 2024-01-10T13:00:00+02:00", "to = 2024-01-10T16:00:00+02:00"), "case.toml");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->reference, "EXAMPLE/24");
  ASSERT_EQ(file->windows.size(), 2U);
  // date -u -d 'TZ="Europe/London" 2024-05-03 21:00' +%s: British Summer Time
  EXPECT_EQ(file->windows[0].from, 1714766400LL * 1'000'000);
  EXPECT_EQ(file->windows[0].to, 1714798800LL * 1'000'000);
  // … 2024-01-10 12:00 in London; 16:00+02:00 with its own offset
  EXPECT_EQ(file->windows[1].from, 1704888000LL * 1'000'000);
  EXPECT_EQ(file->windows[1].to, 1704895200LL * 1'000'000);
  EXPECT_EQ(file->places.at(0).radius_m, 150);
  EXPECT_TRUE(file->has_issue(IssueKind::presence));
  EXPECT_FALSE(file->has_issue(IssueKind::identity));
  ASSERT_EQ(file->exhibits.size(), 2U);
  EXPECT_EQ(file->exhibits[1].scope->apps, (std::vector<std::string>{"whatsapp", "sms"}));
  EXPECT_EQ(file->info.sha256.size(), 64U);
}

TEST(CaseFile, FindsPeopleByAnySpellingOfTheirIdentifiers) {
  const auto file = parse_case_file(
      replaced("to = 2024-01-10T13:00:00+02:00", "to = 2024-01-10T16:00:00+02:00"), "case.toml");
  ASSERT_TRUE(file) << file.error().message;
  for (const char* text : {"+447700900123", "07700 900123", "00447700900123", "447700900123@s.whatsapp.net",
                           "tel:+447700900123", "+44 (0)7700 900123", "a@example.com"}) {
    const CasePerson* person = file->person_by_identifier(text);
    ASSERT_NE(person, nullptr) << text;
    EXPECT_EQ(person->id, "S1") << text;
  }
  EXPECT_EQ(file->person_by_identifier("@A.Example", "instagram")->id, "S1");
  EXPECT_EQ(file->person_by_identifier("a.example", "snapchat"), nullptr);
  EXPECT_EQ(file->person_by_identifier("07700900999"), nullptr);
  EXPECT_EQ(file->person_by_identifier(""), nullptr);
}

TEST(CaseFile, RefusesWhatContradictsItself) {
  const auto message = [](const std::string& text) {
    const auto file = parse_case_file(text, "case.toml");
    return file ? std::string("accepted") : file.error().message;
  };
  EXPECT_NE(message(kCase).find("case.toml:10:6: \"to\" lies before \"from\""), std::string::npos)
      << message(kCase);
  const std::string sound = replaced("13:00:00+02:00", "16:00:00+02:00");
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = sound;
    text.replace(text.find(from), from.size(), to);
    return message(text);
  };
  EXPECT_NE(broken("owner = \"C1\"", "owner = \"C2\"").find("no [[person]] has the id \"C2\"; did you mean"),
            std::string::npos);
  EXPECT_NE(broken("ref = \"DEF/1\"", "ref = \"ABC/1\"").find("\"ABC/1\" is there twice"), std::string::npos);
  EXPECT_NE(broken("Europe/London", "Europe/Londn").find("case.toml:3:13:"), std::string::npos);
  EXPECT_NE(broken("latitude = 50.905", "latitude = 95").find("from -90 to 90"), std::string::npos);
  EXPECT_NE(broken("07700 900456", "07700 900123").find("already belongs to the person \"S1\""),
            std::string::npos);
  EXPECT_NE(broken("parties = [\"S1\"]", "partys = [\"S1\"]").find("did you mean \"parties\"?"),
            std::string::npos);
  EXPECT_NE(broken("kinds = [\"message\", \"attachment\"]", "kinds = [\"messages\"]").find("may hold"),
            std::string::npos);
}

TEST(CaseFile, HasACountry) {
  const auto country = [](const std::string& line) {
    const auto file =
        parse_case_file("schema = \"touchstone.case/1\"\nreference = \"E/1\"\n" + line, "case.toml");
    return file ? file->country : file.error().message;
  };
  EXPECT_EQ(country(""), "GB");
  EXPECT_EQ(country("country = \"FR\"\n"), "FR");
  EXPECT_NE(country("country = \"UK\"\n").find("case.toml:3:11: \"UK\" is no country"), std::string::npos)
      << country("country = \"UK\"\n");
  EXPECT_NE(country("country = \"gb\"\n").find("is no country"), std::string::npos);
  EXPECT_NE(country("country = 44\n").find("case.toml:3:11:"), std::string::npos);
}

TEST(CaseFile, ShippedFormOfIdentifiersIsStable) {
  EXPECT_EQ(normalise_identifier("07700 900123"), "447700900123");
  EXPECT_EQ(normalise_identifier("60999"), "60999") << "a short code is no British national number";
  EXPECT_EQ(normalise_identifier("+1 202-555-0123"), "12025550123");
  EXPECT_EQ(normalise_identifier("  @Name "), "name");
}

}  // namespace
}  // namespace touchstone

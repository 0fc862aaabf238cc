// Apple Notes and voicemail of real phones. What is expected is what the sources' own tests state: iLEAPP's
// results of the same files cell by cell, and plaso's events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "corpus/appdata/ileapp_cases.hpp"
#include "corpus/zip_files.hpp"
#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CorpusNotes : public IleappCases {
 protected:
  static Outcome examine(const std::string& definition, std::map<std::string, std::string> files,
                         const std::string& name, const std::string& path) {
    auto host = shipped_apps({definition});
    EXPECT_TRUE(host);
    if (!host) return {};
    return host->examine(with_log(files, name, path));
  }
};

/// As iLEAPP writes a time: seconds, in UTC.
std::string written(const std::string& microseconds) {
  if (microseconds == "NULL" || microseconds == "-") return microseconds;
  const std::time_t time = std::stoll(microseconds) / 1'000'000;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return {text, length};
}

TEST_F(CorpusNotes, OfAnIphoneHaveTheTextsThatIleappFound) {
  const Outcome outcome =
      examine("ios_notes", files_of_zip(cases_ / "notes/testdata.notes.notes.josh_ios17_ffs.zip"),
              "NoteStore.sqlite", "/private/var/mobile/Containers/Shared/AppGroup/A/NoteStore.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  ASSERT_FALSE(outcome.findings.empty());
  EXPECT_THAT(outcome.findings[0].title, HasSubstr(", tested"));
  const json rows = expected("notes", "notes.notes.josh_ios17_ffs");
  ASSERT_EQ(rows.size(), 14U);
  using Cells = std::vector<std::string>;
  std::multiset<Cells> got, want;
  for (const Record& note : outcome.records) {
    if (note.kind != "note" || field(note, "recovered") == "1") continue;
    const auto text = [&](const char* name) { return field(note, name) == "NULL" ? "" : field(note, name); };
    got.insert({written(field(note, "created")), text("title"), text("body"), text("folder"), text("account"),
                written(field(note, "modified")), field(note, "locked") == "1" ? "Yes" : "No",
                field(note, "deleted") == "1" ? "Yes" : "No"});
  }
  for (const json& row : rows) {
    const auto cell = [&](std::size_t at) { return row[at].is_string() ? row[at].get<std::string>() : ""; };
    want.insert({cell(0), cell(1), cell(3), cell(4), cell(5), cell(6), cell(7), cell(9)});
  }
  EXPECT_EQ(got, want);
}

TEST_F(CorpusNotes, OfAnEarlierPhoneAreThoseThatPlasoFound) {
  const Outcome outcome = examine(
      "ios_notes",
      {{"NoteStore.sqlite", read_text(corpus_ / "log2timeline+plaso/test_data/ios/NoteStore.sqlite")}},
      "NoteStore.sqlite", "/private/var/mobile/Containers/Shared/AppGroup/A/NoteStore.sqlite");
  EXPECT_THAT(outcome.problems, IsEmpty());
  // plaso gives an event for each distinct set of title and times: eight, and one without any, which are the
  // rows that are no notes.
  std::map<std::string, const Record*> by_title;
  std::size_t live = 0;
  for (const Record& note : outcome.records) {
    if (note.kind != "note" || field(note, "recovered") == "1") continue;
    ++live;
    by_title.emplace(field(note, "title"), &note);
  }
  EXPECT_EQ(live, 8U);
  ASSERT_TRUE(by_title.contains("My Secret Note"));
  const Record& secret = *by_title.at("My Secret Note");
  EXPECT_EQ(written(field(secret, "created")), "2020-03-28 00:42:31");
  EXPECT_EQ(field(secret, "created").substr(10), "589268");  // plaso cuts, 0.58926797 is rounded
  EXPECT_EQ(written(field(secret, "modified")), "2020-03-28 00:42:56");
  EXPECT_EQ(field(secret, "locked"), "1");
  EXPECT_EQ(field(secret, "body"), "NULL");
}

TEST_F(CorpusNotes, VoicemailOfThreePhonesIsAsEmptyAsIleappFoundIt) {
  for (const std::string phone : {"josh_ios15_ffs", "belkasoft_ctf6_ios_device1", "mvs_ios_2023"}) {
    const Outcome outcome = examine(
        "ios_phone", files_of_zip(cases_ / "voicemail" / ("testdata.voicemail.voicemail." + phone + ".zip")),
        "voicemail.db", "/private/var/mobile/Library/Voicemail/voicemail.db");
    EXPECT_THAT(outcome.problems, IsEmpty()) << phone;
    EXPECT_EQ(expected("voicemail", "voicemail.voicemail." + phone).size(), 0U);
    EXPECT_EQ(by_row(outcome, "message").size(), 0U) << phone;
    ASSERT_FALSE(outcome.findings.empty()) << phone;
    EXPECT_THAT(outcome.findings[0].title, HasSubstr(", tested")) << phone;
  }
}

}  // namespace
}  // namespace touchstone::test

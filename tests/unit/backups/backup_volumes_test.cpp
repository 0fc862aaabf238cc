// Backups as exhibits: what list_volumes() and open_file_system() make of them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "evidence/exhibit_source.hpp"
#include "unit/backups/made_backups.hpp"

namespace touchstone {
namespace {

struct Exhibit {
  std::unique_ptr<ExhibitSource> source;
  Volume volume;
  std::unique_ptr<FileSystem> files;
  std::vector<Problem> problems;
  std::vector<Entry> entries;

  std::string content(const std::string& path) {
    const Entry* entry = test::find(entries, path);
    if (!entry) return "(not listed)";
    auto bytes = files->open(entry->address);
    if (!bytes) return bytes.error().message;
    return test::text_of(**bytes);
  }
};

Exhibit open(const std::string& name, std::vector<std::string> passwords = {}) {
  Exhibit exhibit;
  VolumeOptions options;
  options.secrets.candidates = std::move(passwords);
  auto source = open_exhibit((test::made_backups() / name).string(), options.secrets);
  EXPECT_TRUE(source) << source.error().message;
  if (!source) return exhibit;
  exhibit.source = source.take();
  const auto volumes = list_volumes(*exhibit.source, 512, exhibit.problems, options);
  EXPECT_EQ(volumes.size(), 1U);
  exhibit.volume = volumes.at(0);
  auto files = open_file_system(*exhibit.source, 512, exhibit.volume, options);
  if (!files) return exhibit;
  exhibit.files = files.take();
  exhibit.entries = test::walk(*exhibit.files, exhibit.problems);
  return exhibit;
}

std::string note() {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "Meet me by the harbour at nine.\n";
  return text;
}

class AdbVolume : public testing::TestWithParam<const char*> {};

TEST_P(AdbVolume, HasTheFilesOfItsTar) {
  Exhibit exhibit = open(GetParam(), {"not this one", test::kPassword});
  EXPECT_EQ(exhibit.volume.filesystem, "adb_backup");
  EXPECT_EQ(exhibit.volume.state, VolumeState::read) << exhibit.volume.reason;
  EXPECT_TRUE(exhibit.problems.empty()) << exhibit.problems[0].message;
  ASSERT_TRUE(exhibit.files);
  EXPECT_EQ(exhibit.content("/apps/com.example.chat/f/note.txt"), note());
  EXPECT_EQ(exhibit.content("/apps/com.example.chat/_manifest"), "1\ncom.example.chat\n7\n33\n\n0\n0\n");
  EXPECT_EQ(exhibit.content("/apps/com.example.chat/db/msgs.db").size(), 40000U);
  EXPECT_EQ(exhibit.content("/shared/0/Pictures/caf\u00e9.jpg").size(), 3000U);
  const Entry* entry = test::find(exhibit.entries, "/apps/com.example.chat/f/note.txt");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->times.modified, 1714770000'000000);
}

std::string plain_name(const testing::TestParamInfo<const char*>& info) {
  return std::string(info.param).substr(0, std::string(info.param).find('.'));
}
INSTANTIATE_TEST_SUITE_P(Kinds, AdbVolume,
                         testing::Values("plain.ab", "packed.ab", "locked.ab", "locked1.ab",
                                         "locked_unpacked.ab"),
                         plain_name);

TEST(AdbVolumes, ALockedOneSaysWhatItNeeds) {
  const Exhibit locked = open("locked.ab");
  EXPECT_EQ(locked.volume.state, VolumeState::encrypted);
  EXPECT_NE(locked.volume.reason.find("--password-file"), std::string::npos) << locked.volume.reason;
  EXPECT_EQ(locked.volume.metadata.at("encryption"), "AES-256");
  EXPECT_FALSE(locked.files);
  const Exhibit wrong = open("locked.ab", {"wrong"});
  EXPECT_NE(wrong.volume.reason.find("is not its password"), std::string::npos) << wrong.volume.reason;
}

TEST(AdbVolumes, OneThatWasCutOffIsReadAsFarAsItGoes) {
  Exhibit cut = open("cut.ab");
  EXPECT_EQ(cut.content("/apps/com.example.chat/_manifest"), "1\ncom.example.chat\n7\n33\n\n0\n0\n");
  ASSERT_FALSE(cut.problems.empty());
  EXPECT_EQ(cut.problems[0].kind, ProblemKind::corrupt);
}

TEST(ItunesVolumes, AFolderAZipAndATarAreTheSame) {
  Exhibit folder = open("itunes"), zip = open("itunes.zip"),
          tar = open("itunes_encrypted.tar.gz", {test::kPassword});
  for (Exhibit* each : {&folder, &zip, &tar}) {
    EXPECT_EQ(each->volume.filesystem, "itunes_backup");
    EXPECT_EQ(each->volume.label, "Example\u2019s phone");
    ASSERT_TRUE(each->files);
    EXPECT_EQ(each->content("/HomeDomain/Library/Notes/harbour.txt"), note());
    EXPECT_EQ(each->content("/HomeDomain/Library/Notes/sixteen"), "0123456789abcdef");
    EXPECT_EQ(each->content("/HomeDomain/Library/Notes/empty"), "");
  }
  EXPECT_EQ(
      zip.content("/$BackupFiles/00008030-001122334455667A/ab/abababababababababababababababababababab"),
      "named nowhere");
  const Exhibit locked = open("itunes_encrypted.tar.gz");
  EXPECT_EQ(locked.volume.state, VolumeState::encrypted);
  EXPECT_FALSE(locked.files);
}

TEST(UfdrVolumes, AreZipsThatTellOfTheDevice) {
  Exhibit ufdr = open("report.ufdr");
  EXPECT_EQ(ufdr.volume.filesystem, "zip");
  EXPECT_EQ(ufdr.volume.kind, "UFDR (Cellebrite report)");
  EXPECT_TRUE(ufdr.problems.empty());
  EXPECT_EQ(ufdr.content("/files/Image/harbour.jpg").size(), 3000U);
  EXPECT_TRUE(test::find(ufdr.entries, "/report.xml"));
  const auto& facts = ufdr.volume.metadata;
  EXPECT_EQ(facts.at("project_name"), "Example phone");
  EXPECT_EQ(facts.at("extraction_type"), "Advanced Logical");
  EXPECT_EQ(facts.at("report_version"), "5.8.0.0");
  EXPECT_EQ(facts.at("extraction_1_device_name"), "Example A1");
  EXPECT_EQ(facts.at("case_case_number"), "EXAMPLE/24");
  EXPECT_EQ(facts.at("case_examiner_name"), "A. Nother");
  EXPECT_EQ(facts.at("imei"), "490154203237518");
  EXPECT_EQ(facts.at("ufed_pa_version"), "7.60.0.114");
}

}  // namespace
}  // namespace touchstone

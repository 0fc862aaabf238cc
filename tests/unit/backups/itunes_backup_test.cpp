#include "filesystem/trees/itunes_backup.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/backups/made_backups.hpp"

namespace touchstone {
namespace {

using test::find;
using test::FolderTree;

struct Opened {
  std::unique_ptr<FileSystem> files;
  std::vector<Problem> problems;
  std::vector<Entry> entries;
};

Opened open(const std::string& name, const VolumeOptions& options, const std::set<std::string>& hidden = {}) {
  auto tree = std::make_unique<FolderTree>(test::made_backups() / name);
  tree->hidden = hidden;
  Opened opened;
  auto files = open_itunes_backup(std::move(tree), options);
  EXPECT_TRUE(files) << files.error().message;
  if (!files) return opened;
  opened.files = files.take();
  opened.entries = test::walk(*opened.files, opened.problems);
  return opened;
}

VolumeOptions with(std::vector<std::string> passwords) {
  VolumeOptions options;
  options.secrets.candidates = std::move(passwords);
  return options;
}

std::string content(Opened& opened, const std::string& path) {
  const Entry* entry = find(opened.entries, path);
  EXPECT_TRUE(entry) << path;
  if (!entry) return {};
  auto source = opened.files->open(entry->address);
  EXPECT_TRUE(source) << path << ": " << source.error().message;
  if (!source) return {};
  EXPECT_EQ((*source)->size(), entry->size) << path;
  return test::text_of(**source);
}

std::string note() {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "Meet me by the harbour at nine.\n";
  return text;
}

/// What must be the same whatever the kind of backup.
void expect_files(Opened& opened) {
  EXPECT_EQ(content(opened, "/HomeDomain/Library/Notes/harbour.txt"), note());
  EXPECT_EQ(content(opened, "/HomeDomain/Library/Notes/empty"), "");
  EXPECT_EQ(content(opened, "/HomeDomain/Library/Notes/sixteen"), "0123456789abcdef");
  EXPECT_EQ(content(opened, "/AppDomain-com.example.chat/Documents/caf\u00e9.db"), "SQLite-like text");
  const std::string picture = content(opened, "/CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG");
  EXPECT_EQ(picture.size(), 70001U);
  // The first bytes of SHAKE-256 of "picture", by another implementation (openssl dgst -shake256).
  EXPECT_EQ(picture.substr(0, 4), std::string("\x47\xed\x06\xe5", 4));

  const Entry* file = find(opened.entries, "/HomeDomain/Library/Notes/harbour.txt");
  EXPECT_EQ(file->kind, ItemKind::file);
  EXPECT_EQ(file->times.modified, 1714770000'000000);
  EXPECT_EQ(file->times.created, 1714760000'000000);
  EXPECT_EQ(file->times.basis, TimeBasis::utc);
  const auto detail = nlohmann::json::parse(file->detail);
  EXPECT_EQ(detail.at("mode"), "rw-r--r--");
  EXPECT_EQ(detail.at("uid"), 501);
  EXPECT_EQ(detail.at("protection_class"), 3);

  const Entry* link = find(opened.entries, "/AppDomain-com.example.chat/Documents/current");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->kind, ItemKind::link);
  EXPECT_FALSE(link->has_content);
  EXPECT_EQ(nlohmann::json::parse(link->detail).at("link_target"), "Documents/caf\u00e9.db");

  const Entry* directory = find(opened.entries, "/HomeDomain/Library");
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->descend);
  EXPECT_EQ(nlohmann::json::parse(directory->detail).at("mode"), "rwxr-xr-x");

  // Named by the manifest, and not there: a failure of its own, not silence.
  const Entry* lost = find(opened.entries, "/HomeDomain/Library/Notes/lost");
  ASSERT_TRUE(lost);
  const auto bytes = opened.files->open(lost->address);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::corrupt);
  ASSERT_EQ(opened.problems.size(), 1U);
  EXPECT_EQ(opened.problems[0].message, "files of the manifest of which the backup has no bytes: 1");
  EXPECT_TRUE(find(opened.entries, "/AppDomain-com.example.chat/outside"))
      << "a path that climbs stays inside";
}

TEST(ItunesBackup, APlainOneIsSeenByItsOwnNames) {
  Opened opened = open("itunes", {});
  expect_files(opened);
  EXPECT_EQ(content(opened, "/$BackupFiles/ab/abababababababababababababababababababab"), "named nowhere");
  EXPECT_TRUE(find(opened.entries, "/$BackupFiles/Info.plist"));
  EXPECT_TRUE(find(opened.entries, "/$BackupFiles/Manifest.db"));
}

TEST(ItunesBackup, AnEncryptedOneOpensWithItsPassword) {
  Opened opened = open("itunes_encrypted", with({"wrong", "also wrong", test::kPassword}));
  expect_files(opened);
  const Entry* file = find(opened.entries, "/HomeDomain/Library/Notes/harbour.txt");
  EXPECT_EQ(nlohmann::json::parse(file->detail).at("encrypted_in_backup"), true);
  auto source = opened.files->open(file->address);
  ASSERT_TRUE(source);
  std::string middle(9, '\0');  // from the midst of a block, across the next
  ASSERT_TRUE((*source)->read_at(31995, std::as_writable_bytes(std::span(middle))));
  EXPECT_EQ(middle, note().substr(31995, 9));
}

TEST(ItunesBackup, OldOnesAreReadAsWell) {
  Opened plain = open("mbdb", {});
  expect_files(plain);
  Opened locked = open("mbdb_encrypted", with({test::kPassword}));
  expect_files(locked);
}

TEST(ItunesBackup, TheVolumeSaysWhatItIs) {
  FolderTree tree(test::made_backups() / "itunes");
  Volume volume;
  volume.state = VolumeState::read;
  std::vector<Problem> problems;
  ASSERT_TRUE(describe_itunes_backup(tree, {}, volume, problems));
  EXPECT_EQ(volume.filesystem, "itunes_backup");
  EXPECT_EQ(volume.kind, "iTunes backup");
  EXPECT_EQ(volume.state, VolumeState::read);
  EXPECT_EQ(volume.label, "Example\u2019s phone");
  EXPECT_EQ(volume.metadata.at("product_version"), "16.1");
  EXPECT_EQ(volume.metadata.at("serial_number"), "F00EXAMPLE01");
  EXPECT_EQ(volume.metadata.at("phone_number"), "+44 7700 900123");
  EXPECT_EQ(volume.metadata.at("last_backup"), "2024-05-04T09:30:00Z");
  EXPECT_EQ(volume.metadata.at("full_backup"), "no");
  EXPECT_EQ(volume.metadata.at("encrypted"), "no");
  EXPECT_TRUE(problems.empty());
}

TEST(ItunesBackup, ALockedOneSaysWhatItNeeds) {
  FolderTree tree(test::made_backups() / "itunes_encrypted");
  std::vector<Problem> problems;
  Volume volume;
  volume.state = VolumeState::read;
  ASSERT_TRUE(describe_itunes_backup(tree, {}, volume, problems));
  EXPECT_EQ(volume.state, VolumeState::encrypted);
  EXPECT_NE(volume.reason.find("--password-file"), std::string::npos) << volume.reason;
  EXPECT_NE(volume.reason.find("iOS 16.1"), std::string::npos);
  EXPECT_NE(volume.reason.find("2000 rounds of SHA-256"), std::string::npos);
  EXPECT_EQ(volume.metadata.at("device_name"), "Example\u2019s phone") << "what is not encrypted is told";

  volume.state = VolumeState::read;
  ASSERT_TRUE(describe_itunes_backup(tree, with({"one", "two"}), volume, problems));
  EXPECT_EQ(volume.state, VolumeState::encrypted);
  EXPECT_NE(volume.reason.find("none of 2 passwords given is its password"), std::string::npos)
      << volume.reason;
  EXPECT_EQ(volume.reason.find("one,"), std::string::npos) << "no password is repeated";

  volume.state = VolumeState::read;
  ASSERT_TRUE(describe_itunes_backup(tree, with({test::kPassword}), volume, problems));
  EXPECT_EQ(volume.state, VolumeState::read);
  const auto locked =
      open_itunes_backup(std::make_unique<FolderTree>(test::made_backups() / "itunes_encrypted"), {});
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::encrypted);
}

TEST(ItunesBackup, OtherFoldersAreNone) {
  std::vector<Problem> problems;
  FolderTree parent(test::made_backups());  // its folders have no names of devices
  EXPECT_FALSE(find_itunes_backup(parent, problems));
  FolderTree without(test::made_backups() / "itunes");
  without.hidden = {"Manifest.db"};
  EXPECT_FALSE(find_itunes_backup(without, problems));
  FolderTree blobs(test::made_backups() / "itunes" / "ab");
  EXPECT_FALSE(find_itunes_backup(blobs, problems));
  EXPECT_TRUE(problems.empty());
}

TEST(ItunesBackup, ABackupWithoutItsPropertyListsIsRead) {
  Opened opened = open("itunes", {}, {"Manifest.plist", "Status.plist"});
  EXPECT_EQ(content(opened, "/HomeDomain/Library/Notes/sixteen"), "0123456789abcdef");
}

}  // namespace
}  // namespace touchstone

#include "report/check_steps.hpp"

#include <gtest/gtest.h>

namespace touchstone::report {
namespace {

std::vector<std::string> commands(const CheckSubject& subject) {
  std::vector<std::string> list;
  for (const auto& step : check_steps(subject)) list.push_back(step.command);
  return list;
}

CheckSubject subject(const std::string& locator, std::int64_t offset = 1'048'576) {
  CheckSubject one;
  one.exhibit_path = "/cases/disk.E01";
  one.exhibit_format = "ewf";
  one.locator = locator;
  one.volume_offset = offset;
  return one;
}

TEST(CheckSteps, NameImageSectorAndAddress) {
  EXPECT_EQ(commands(subject("ABC/1:p1/Users/x/1.jpg;64-128-1")),
            (std::vector<std::string>{"ewfverify /cases/disk.E01",
                                      "icat -o 2048 /cases/disk.E01 64-128-1 | sha256sum"}));
}

TEST(CheckSteps, LeaveOutTheOffsetWithoutAPartitionTable) {
  EXPECT_EQ(commands(subject("ABC/1:p0/a;12", 0)).back(), "icat /cases/disk.E01 12 | sha256sum");
}

TEST(CheckSteps, ReachAMemberThroughItsArchive) {
  EXPECT_EQ(commands(subject("ABC/1:p1/a.zip;12!/in [x]/it's.txt")).back(),
            "icat -o 2048 /cases/disk.E01 12 | bsdtar -xOf - -- 'in \\[x\\]/it'\\''s.txt' | sha256sum");
}

TEST(CheckSteps, NameTheFileThatABackupKeepsUnderAnotherName) {
  CheckSubject one = subject("ABC/1:p0/HomeDomain/Library/a.db", 0);
  one.exhibit_path = "/cases/backup.zip";
  one.exhibit_format = "zip";
  one.filesystem = "itunes_backup";
  EXPECT_TRUE(commands(one).empty()) << "encrypted in the backup";
  one.stored_as = "UDID/43/431d";
  EXPECT_EQ(commands(one).back(), "bsdtar -xOf /cases/backup.zip -- UDID/43/431d | sha256sum");
  one.stored_as.clear();
  one.exhibit_path = "/cases/backup";
  one.exhibit_format = "folder";
  one.locator = "ABC/1:p0/$BackupFiles/Info.plist";
  EXPECT_EQ(commands(one).back(), "cat -- /cases/backup/Info.plist | sha256sum");
}

TEST(CheckSteps, TakeAFileOfADiscByItsName) {
  CheckSubject one = subject("ABC/1:p0/dir/A long name.txt", 0);
  one.filesystem = "iso9660";
  EXPECT_EQ(commands(one).back(),
            "img_cat /cases/disk.E01 | bsdtar -xOf - -- 'dir/A long name.txt' | sha256sum");
  one = subject("ABC/1:p1/a");
  one.filesystem = "iso9660";
  EXPECT_EQ(commands(one).back(),
            "img_cat /cases/disk.E01 | tail -c +1048577 | bsdtar -xOf - -- a | sha256sum");
}

TEST(CheckSteps, CutARangeOfAVolume) {
  EXPECT_EQ(commands(subject("ABC/1:p1@512+100")).back(),
            "img_cat /cases/disk.E01 | tail -c +1049089 | head -c 100 | sha256sum");
}

TEST(CheckSteps, QuoteWhatComesFromEvidence) {
  CheckSubject one = subject("ABC/1:p1/msgstore.db;12");
  one.exhibit_path = "/cases/a b;rm -rf ~.dd";
  one.exhibit_format = "raw";
  one.source_table = "me\"ssage";
  one.source_row = "1'; DROP TABLE x; --";
  const auto list = commands(one);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0], "icat -o 2048 '/cases/a b;rm -rf ~.dd' 12 | sha256sum");
  EXPECT_EQ(list[2],
            "sqlite3 evidence.db 'SELECT * FROM \"me\"\"ssage\" WHERE rowid = "
            "'\\''1'\\'''\\''; DROP TABLE x; --'\\'''");
}

TEST(CheckSteps, BringTheWriteAheadLogAlong) {
  CheckSubject one = subject("ABC/1:p1/msgstore.db;12");
  one.wal_locator = "ABC/1:p1/msgstore.db-wal;13";
  one.source_table = "message";
  one.source_row = "7";
  const auto list = commands(one);
  ASSERT_EQ(list.size(), 5U);
  EXPECT_EQ(list[3], "icat -o 2048 /cases/disk.E01 13 > evidence.db-wal");
}

TEST(CheckSteps, SayNothingOfAVolumeInsideAnItem) {
  EXPECT_EQ(commands(subject("ABC/1:p1/disk.img;12!p1/a.txt;5")),
            (std::vector<std::string>{"ewfverify /cases/disk.E01"}));
}

}  // namespace
}  // namespace touchstone::report

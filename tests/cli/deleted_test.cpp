// Deleted files whose blocks others use now, free space and slack, from the command line to the database.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

std::string lines(const char* text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text + std::to_string(i) + "\n";
  return all;
}

class Deleted : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* tool : {"mke2fs", "debugfs", "icat"}) {
      if (!have(tool)) GTEST_SKIP() << tool << " is not installed (e2fsprogs, sleuthkit)";
    }
    write_file(folder_.path("small"), "first\n");
    write_file(folder_.path("lost"), lines("lost file with the word zanzibar ", 2000));
    write_file(folder_.path("kept"), lines("kept file with the word marmalade ", 800));
    write_file(folder_.path("words"), "zanzibar\nmarmalade\n");
    ASSERT_EQ(run({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", folder_.text("image"), "4M"}).exit_code,
              0);
    // The kept file takes the inode of `small`, and its blocks and then those of the lost one.
    for (const char* command : {"write %/small small", "write %/lost lost.txt", "rm small", "rm lost.txt",
                                "write %/kept kept.txt"}) {
      std::string text = command;
      if (const std::size_t at = text.find('%'); at != std::string::npos)
        text.replace(at, 1, folder_.text(""));
      ASSERT_EQ(run({"debugfs", "-w", "-R", text, folder_.text("image")}).exit_code, 0);
    }
  }
  void triage(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {program(),
                                        "triage",
                                        "--quiet",
                                        "--without",
                                        "explicit",
                                        "--keywords",
                                        folder_.text("words"),
                                        "--out",
                                        folder_.text("case"),
                                        folder_.text("image")};
    command.insert(command.end(), more.begin(), more.end());
    code_ = run(command).exit_code;
  }
  std::string one(const std::string& sql) {
    const auto rows = query(folder_.path("case"), sql);
    EXPECT_EQ(rows.size(), 1U) << sql;
    return rows.empty() ? "" : rows[0];
  }
  /// Words of the list that were found in an item.
  std::string words_in(const std::string& where) {
    return one(
        "SELECT coalesce(group_concat(match), '') FROM (SELECT DISTINCT json_extract(f.detail, '$.match') AS "
        "match FROM finding f JOIN item i ON i.id = f.item_id OR i.content_id = f.content_id WHERE " +
        where + " ORDER BY 1)");
  }

  FreshFolder folder_;
  int code_ = -1;
};

TEST_F(Deleted, WhatOthersUseNowIsMarkedAndNotSearched) {
  triage();
  EXPECT_EQ(code_, 1) << "something is partly examined";
  const std::string lost = "path = '/lost.txt'";
  EXPECT_EQ(one("SELECT allocated || ' ' || state FROM item WHERE " + lost), "0 partly_examined");
  EXPECT_EQ(one("SELECT json_extract(detail, '$.overwritten') FROM item WHERE " + lost), "part");
  // 800 lines are 30 to 32 KiB; the first block of them lies where `small` was.
  const std::string kept_blocks =
      std::to_string((std::filesystem::file_size(folder_.path("kept")) + 1023) / 1024);
  EXPECT_EQ(one("SELECT json_extract(detail, '$.overwritten_bytes') / 1024 + 1 FROM item WHERE " + lost),
            kept_blocks);
  EXPECT_EQ(words_in("i." + lost), "zanzibar");
  EXPECT_EQ(words_in("i.path = '/kept.txt'"), "marmalade");
  // Its digests are those of the bytes that other tools give.
  const std::string address = one("SELECT substr(locator, instr(locator, ';') + 1) FROM item WHERE " + lost);
  ASSERT_EQ(
      run({"sh", "-c", "icat \"$0\" \"$1\" > \"$2\"", folder_.text("image"), address, folder_.text("icat")})
          .exit_code,
      0);
  const std::string sum = run({"sha256sum", folder_.text("icat")}).out.substr(0, 64);
  EXPECT_EQ(one("SELECT sha256 FROM item WHERE " + lost), sum);
}

TEST_F(Deleted, FreeSpaceIsSearchedAndItsPlaceIsNamed) {
  triage();
  EXPECT_EQ(words_in("i.kind = 'unallocated'"), "zanzibar");
  // The position leads to the bytes.
  const std::string position =
      one("SELECT f.position FROM finding f JOIN item i ON i.id = f.item_id WHERE i.kind = 'unallocated' "
          "ORDER BY f.id "
          "LIMIT 1");
  const std::string mark = ", volume ";
  ASSERT_NE(position.find(mark), std::string::npos) << position;
  const std::size_t offset = std::stoul(position.substr(position.find(mark) + mark.size()));
  EXPECT_EQ(read_file(folder_.path("image")).substr(offset, 8), "zanzibar");
  EXPECT_EQ(
      one("SELECT count(*) FROM item WHERE kind = 'slack' AND state = 'examined' AND reason = 'only zero "
          "bytes'"),
      "1");
  EXPECT_EQ(one("SELECT locator LIKE 'image:p0@%+%' FROM item WHERE kind = 'unallocated'"), "1");
}

TEST_F(Deleted, FreeSpaceCanBeLeftOut) {
  triage({"--no-unallocated"});
  EXPECT_EQ(one("SELECT count(*) FROM item WHERE kind IN ('unallocated', 'slack') OR name = '$Unallocated'"),
            "0");
  EXPECT_EQ(words_in("i.path = '/lost.txt'"), "zanzibar");
}

TEST(DeletedFat, NothingIsFoundInAFileThatIsOverwrittenWhole) {
  for (const char* tool : {"mkfs.vfat", "mcopy", "mdel"}) {
    if (!have(tool)) GTEST_SKIP() << tool << " is not installed (dosfstools, mtools)";
  }
  const FreshFolder folder;
  write_file(folder.path("small"), "first\n");
  write_file(folder.path("lost"), lines("lost file with the word zanzibar ", 2000));
  write_file(folder.path("kept"), lines("kept file with the word marmalade ", 800));
  write_file(folder.path("words"), "zanzibar\nmarmalade\n");
  ASSERT_EQ(run({"truncate", "-s", "8M", folder.text("image")}).exit_code, 0);
  ASSERT_EQ(run({"mkfs.vfat", "-F", "16", "-s", "1", folder.text("image")}).exit_code, 0);
  const std::string script =
      "export MTOOLS_SKIP_CHECK=1; cd \"$0\" && mcopy -i image small ::SMALL && mcopy -i image lost "
      "::LOST.TXT && "
      "mdel -i image ::SMALL && mdel -i image ::LOST.TXT && mcopy -i image kept ::KEPT.TXT";
  ASSERT_EQ(run({"sh", "-c", script, folder.text("")}).exit_code, 0);
  run({program(), "triage", "--quiet", "--without", "explicit", "--keywords", folder.text("words"), "--out",
       folder.text("case"), folder.text("image")});
  const std::string lost = "FROM item WHERE kind = 'file' AND allocated = 0";
  EXPECT_EQ(query(folder.path("case"), "SELECT state, json_extract(detail, '$.overwritten') " + lost),
            std::vector<std::string>{"partly_examined|all"});
  EXPECT_EQ(query(folder.path("case"), "SELECT count(*) FROM finding WHERE item_id = (SELECT id " + lost +
                                           ") OR content_id = (SELECT content_id " + lost + ")"),
            std::vector<std::string>{"0"});
  EXPECT_EQ(query(folder.path("case"), "SELECT count(*) > 0 FROM finding"), std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace touchstone::testing

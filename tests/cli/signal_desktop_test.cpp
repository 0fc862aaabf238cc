// Signal on the desktop, its key beside the database: the whole way from the encrypted file to messages.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

TEST(SignalDesktop, IsReadWithTheKeyThatLiesBesideIt) {
  if (!have("sqlcipher")) GTEST_SKIP() << "sqlcipher is not installed";
  const FreshFolder folder;
  const std::string key(64, '7');
  write_file(folder.path("home/Signal/config.json"), R"({"key":")" + key + R"("})");
  write_file(folder.path("home/Signal/sql/none"), "");
  write_file(
      folder.path("commands"),
      "PRAGMA key = \"x'" + key + "'\";\n" +
          "CREATE TABLE messages(id TEXT, conversationId TEXT, sent_at INTEGER, received_at INTEGER, source "
          "TEXT, type TEXT, body TEXT, json TEXT);\n"
          "CREATE TABLE conversations(id TEXT, name TEXT, profileName TEXT, e164 TEXT, groupId TEXT);\n"
          "INSERT INTO conversations VALUES('c1','Ben',NULL,'+447700900102',NULL);\n"
          "INSERT INTO messages VALUES('m1','c1',1700000000000,1,'+447700900102','incoming','see "
          "you','{}');\n");
  ASSERT_EQ(run({"sh", "-c", "cd \"$0\" && sqlcipher home/Signal/sql/db.sqlite < commands", folder.text("")})
                .exit_code,
            0);
  const RunResult triage = run({program(), "triage", "--quiet", "--without", "explicit", "--out",
                                folder.text("case"), "X/1=" + folder.text("home")});
  EXPECT_EQ(triage.exit_code, 0) << triage.out << triage.error;
  EXPECT_EQ(query(folder.path("case"),
                  "SELECT m.app, m.direction, m.sender, m.body, i.kind FROM message m JOIN item i ON "
                  "i.id = m.item_id"),
            std::vector<std::string>{"signal|in|+447700900102|see you|member"});
}

}  // namespace
}  // namespace touchstone::testing

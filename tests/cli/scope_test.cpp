// What is outside the scope leaves no trace but a count: not in the database, its log, the exports or the
// terminal.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

class Scope : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have("mke2fs")) GTEST_SKIP() << "mke2fs is not installed (e2fsprogs)";
    write_file(folder_.path("files/data/media/0/DCIM/granted.txt"), "GRANTEDWORD wipe your phone");
    write_file(folder_.path("files/data/media/0/SECRETFOLDER/diary.txt"), "SECRETWORD wipe your phone");
    write_file(folder_.path("files/data/SECRETNAME.txt"), "SECRETWORD too");
    make_ext4(folder_.path("files"), folder_.path("phone.img"), 4);
    // A deleted file: its bytes are in free space.
    write_file(folder_.path("deleted.txt"), "SECRETWORD deleted, wipe your phone");
    ASSERT_EQ(run({"debugfs", "-w", "-R", "write " + folder_.text("deleted.txt") + " gone.txt",
                   folder_.text("phone.img")})
                  .exit_code,
              0);
    ASSERT_EQ(run({"debugfs", "-w", "-R", "rm gone.txt", folder_.text("phone.img")}).exit_code, 0);
    write_case("");
    result_ = triage("case");
  }

  void write_case(const std::string& more) {
    write_file(folder_.path("case.toml"), R"(schema = "touchstone.case/1"
reference = "T/1"
[[exhibit]]
ref = "C/1"
path = "phone.img"
role = "complainant"
[exhibit.scope]
authority = "agreed in writing"
paths = ["/data/media/0/DCIM/**"]
)" + more);
  }

  RunResult triage(const std::string& out) {
    return run({program(), "triage", "--quiet", "--without", "explicit", "--case", folder_.text("case.toml"),
                "--out", folder_.text(out)});
  }

  FreshFolder folder_;
  RunResult result_;
};

TEST_F(Scope, OnlyWhatWasAgreedIsThere) {
  EXPECT_EQ(result_.exit_code, 0) << result_.error << result_.out;
  EXPECT_EQ(query(folder_.path("case"), "SELECT path FROM item WHERE kind = 'file'"),
            std::vector<std::string>{"/data/media/0/DCIM/granted.txt"});
  EXPECT_EQ(query(folder_.path("case"), "SELECT sum(items) >= 2 FROM out_of_scope"),
            std::vector<std::string>{"1"});
}

TEST_F(Scope, NothingElseLeavesATrace) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path("case"))) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path());
    EXPECT_EQ(bytes.find("SECRET"), std::string::npos) << entry.path();
  }
  EXPECT_EQ((result_.out + result_.error).find("SECRET"), std::string::npos);
  // The control: what was granted is found by the same search.
  EXPECT_NE(read_file(folder_.path("case/case.db")).find("granted.txt"), std::string::npos);
}

TEST_F(Scope, FreeSpaceIsLookedAtOnlyWhereItIsGranted) {
  const char* const windows = "SELECT count(*) FROM item WHERE kind IN ('unallocated', 'slack', 'virtual')";
  EXPECT_EQ(query(folder_.path("case"), windows), std::vector<std::string>{"0"});
  EXPECT_EQ(query(folder_.path("case"), "SELECT items FROM out_of_scope WHERE rule = 'scope:carving'"),
            std::vector<std::string>{"2"});
  write_case("grant = [\"carving\"]\n");
  EXPECT_EQ(triage("granted").exit_code, 0);
  EXPECT_EQ(query(folder_.path("granted"), "SELECT count(*) FROM item WHERE kind = 'unallocated'"),
            std::vector<std::string>{"1"});
  EXPECT_EQ(query(folder_.path("granted"),
                  "SELECT count(*) > 0 FROM finding f JOIN item i ON i.id = f.item_id WHERE i.kind = "
                  "'unallocated' AND f.detail LIKE '%wipe your phone%'"),
            std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace touchstone::testing

// A plugin that does what it must not costs one item of one plugin: everything else is complete.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"
#include "support/under_sanitizers.hpp"

namespace touchstone::testing {
namespace {

std::string plugin_path() {
  return std::string(TOUCHSTONE_BINARY_DIR) + "/tests/cli/plugins";
}

class Fault : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have("mke2fs")) GTEST_SKIP() << "mke2fs is not installed (e2fsprogs)";
  }

  /// An image with one item that says `how`, and others.
  void triage(const std::string& how, const std::vector<std::string>& more = {}) {
    write_file(folder_.path("files/innocent.txt"), "nothing to see here");
    write_file(folder_.path("files/guilty.txt"), "MISBEHAVE " + how + "\nwipe your phone tonight");
    write_file(folder_.path("files/other.txt"), "MISBEHAVE not at all\n");
    make_ext4(folder_.path("files"), folder_.path("image"), 4);
    std::vector<std::string> command = {program(),
                                        "triage",
                                        "--quiet",
                                        "--jobs",
                                        "2",
                                        "--item-timeout",
                                        "1",
                                        "--without",
                                        "explicit",
                                        "--plugin-path",
                                        plugin_path(),
                                        "--out",
                                        folder_.text("case"),
                                        "X/1=" + folder_.text("image")};
    command.insert(command.end(), more.begin(), more.end());
    result_ = run(command);
  }

  std::vector<std::string> rows(const std::string& sql) { return query(folder_.path("case"), sql); }

  /// The guilty pair is named, the item's other results are kept, every other item is complete.
  void expect_contained(const std::string& kind) {
    EXPECT_EQ(result_.exit_code, 1) << result_.error;
    EXPECT_EQ(rows("SELECT i.name, p.kind, p.plugin FROM problem p JOIN item_row i ON i.id = p.item_id"),
              std::vector<std::string>{"guilty.txt|" + kind + "|misbehave"});
    EXPECT_EQ(rows("SELECT name, state FROM item_row WHERE state <> 'examined'"),
              std::vector<std::string>{"guilty.txt|partly_examined"});
    EXPECT_EQ(rows("SELECT length(sha256) FROM item WHERE name = 'guilty.txt'"),
              std::vector<std::string>{"64"});
    EXPECT_NE(rows("SELECT count(*) FROM finding f JOIN item_row i ON i.content_id = f.content_id WHERE "
                   "i.name = 'guilty.txt' AND f.plugin = "
                   "'keywords'"),
              std::vector<std::string>{"0"});
    EXPECT_EQ(rows("SELECT i.name FROM finding f JOIN item_row i ON i.content_id = f.content_id WHERE "
                   "f.plugin = 'misbehave'"),
              std::vector<std::string>{"other.txt"});
  }

  FreshFolder folder_;
  RunResult result_;
};

TEST_F(Fault, CrashCostsOneItem) {
  triage("crash");
  expect_contained("crash");
}

TEST_F(Fault, AbortCostsOneItem) {
  triage("abort");
  expect_contained("crash");
}

TEST_F(Fault, ExitInAPluginIsNoCleanEnd) {
  triage("exit");
  expect_contained("crash");
}

TEST_F(Fault, EndlessLoopIsStoppedByItsCpuTime) {
  triage("loop");
  expect_contained("timeout");
}

TEST_F(Fault, EndlessSleepIsStoppedByTheWallClock) {
  triage("sleep");
  expect_contained("timeout");
}

TEST_F(Fault, AllocationWithoutEndIsRefused) {
  SKIP_UNDER_SANITIZERS();
  triage("hoard", {"--memory", "1G"});
  EXPECT_EQ(result_.exit_code, 1);
  EXPECT_EQ(rows("SELECT i.name, p.kind FROM problem p JOIN item_row i ON i.id = coalesce(p.item_id, (SELECT "
                 "j.id FROM item_row j WHERE "
                 "j.content_id = p.content_id))"),
            std::vector<std::string>{"guilty.txt|memory"});
}

TEST_F(Fault, CLibraryThatDoesNotCheckItsMemoryCostsOneItem) {
  SKIP_UNDER_SANITIZERS();
  triage("hoard-c", {"--memory", "1G"});
  expect_contained("crash");
}

TEST_F(Fault, ExceptionOfAnyTypeIsAProblem) {
  triage("throw");
  EXPECT_EQ(result_.exit_code, 1);
  EXPECT_EQ(rows("SELECT kind, plugin, message FROM problem"),
            std::vector<std::string>{"corrupt|misbehave|an exception of unknown type"});
}

/// The plugin goes on after the refusal, so that its finding stands; the item says what was tried.
class Forbidden : public Fault, public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(Forbidden, IsRefusedAndNamed) {
  SKIP_UNDER_SANITIZERS();
  triage(GetParam().first);
  EXPECT_EQ(result_.exit_code, 1);
  EXPECT_EQ(
      rows("SELECT i.name, p.kind, p.plugin, p.message FROM problem p JOIN item_row i ON i.id = p.item_id"),
      std::vector<std::string>{std::string("guilty.txt|sandbox|misbehave|") + GetParam().second +
                               "() was refused by the sandbox"});
  EXPECT_FALSE(std::filesystem::exists("/tmp/touchstone-misbehaved"));
}

INSTANTIATE_TEST_SUITE_P(Sandbox, Forbidden,
                         ::testing::Values(std::pair{"socket", "socket"}, std::pair{"write", "openat"},
                                           std::pair{"spawn", "clone"}),
                         [](const auto& tested) { return std::string(tested.param.first); });

}  // namespace
}  // namespace touchstone::testing

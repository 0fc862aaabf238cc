// The command line as scripts see it: exit codes, help, JSON, messages that name the place.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

TEST(CommandLine, HelpOfEachCommandFitsAScreenAndShowsAnExample) {
  for (const char* command : {"triage", "report", "verify", "status", "plugins", "rules"}) {
    const RunResult help = run({program(), command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_NE(help.out.find("Example: touchstone "), std::string::npos) << command;
    EXPECT_LE(std::count(help.out.begin(), help.out.end(), '\n'), 40) << command;
  }
}

TEST(CommandLine, MistakesAreUsageErrors) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"frobnicate"},
           {"triage"},
           {"triage", "--out", "/nonexistent/x"},
           {"triage", "--jobs", "many"},
           {"status", "/nonexistent"},
           {"triage", "--out", "/tmp/x", "--only", "nosuchplugin", "/etc/hostname"},
           {"triage", "--out", "/tmp/x", "ABC/1="},
           {"triage", "--out", "/tmp/x", "ABC/1:suspect="},
           {"report", "/nonexistent"}}) {
    std::vector<std::string> command = {program()};
    command.insert(command.end(), words.begin(), words.end());
    const RunResult result = run(command);
    EXPECT_EQ(result.exit_code, 2) << words[0];
    EXPECT_NE(result.error.find("touchstone: "), std::string::npos) << words[0];
  }
}

TEST(CommandLine, BadRuleFilesStopTheRunWithFileLineAndColumn) {
  FreshFolder folder;
  write_file(folder.path("bad.toml"),
             "schema = \"touchstone.keywords/1\"\nid = \"x\"\nversion = \"1\"\ntitel = \"x\"\n");
  write_file(folder.path("image"), std::string(4096, 'x'));
  const RunResult result = run({program(), "triage", "--out", folder.text("case"), "--keywords",
                                folder.text("bad.toml"), folder.text("image")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.error.find("bad.toml:4:1:"), std::string::npos) << result.error;
  EXPECT_NE(result.error.find("title"), std::string::npos) << result.error;
  EXPECT_FALSE(std::filesystem::exists(folder.path("case/case.db")));
}

TEST(CommandLine, RuleFilesCanBeCheckedOneByOne) {
  const std::string shipped = std::string(TOUCHSTONE_SOURCE_DIR) + "/rules/apps/whatsapp_android.toml";
  EXPECT_EQ(run({program(), "rules", "check", shipped}).exit_code, 0);
  const FreshFolder scratch;
  const std::string bad = scratch.text("bad.toml"), other = scratch.text("other.toml");
  write_file(bad, "schema = \"touchstone.order/1\"\nid = \"x\"\nversion = \"1\"\ntitel = \"x\"\n");
  write_file(other, "title = \"not a rule\"\n");
  const RunResult result = run({program(), "rules", "check", bad});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.out.find("bad.toml:4:"), std::string::npos) << result.out;
  EXPECT_NE(run({program(), "rules", "check", other}).out.find("no schema of a rule file"),
            std::string::npos);
}

TEST(CommandLine, ComplainantWithoutScopeIsRefused) {
  FreshFolder folder;
  write_file(folder.path("image"), std::string(4096, 'x'));
  const RunResult result =
      run({program(), "triage", "--out", folder.text("case"), "C/1:complainant=" + folder.text("image")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.error.find("scope"), std::string::npos) << result.error;
  EXPECT_FALSE(std::filesystem::exists(folder.path("case/case.db")));
}

TEST(CommandLine, ShippedPluginsAndRulesAreFoundWithoutOptions) {
  const RunResult plugins = run({program(), "plugins", "list", "--json"});
  for (const char* name : {"hashes", "keywords", "archives", "pictures", "explicit", "appdata"}) {
    EXPECT_NE(plugins.out.find(std::string("\"name\": \"") + name + "\""), std::string::npos) << name;
  }
  EXPECT_EQ(run({program(), "rules", "check"}).exit_code, 0);
}

TEST(CommandLine, FolderOfSomethingElseIsNeverOverwritten) {
  FreshFolder folder;
  write_file(folder.path("mine/thesis.txt"), "do not touch");
  write_file(folder.path("image"), std::string(4096, 'x'));
  const RunResult result =
      run({program(), "triage", "--out", folder.text("mine"), "X/1=" + folder.text("image")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(read_file(folder.path("mine/thesis.txt")), "do not touch");
}

}  // namespace
}  // namespace touchstone::testing

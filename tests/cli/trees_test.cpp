// Exhibits that are trees of files, through the whole program: the same files give the same rows whatever
// they came in.
#include <gtest/gtest.h>

#include <sstream>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

std::vector<std::string> files_of(const std::filesystem::path& folder) {
  return query(folder, "SELECT path || '|' || sha256 FROM item WHERE kind = 'file' ORDER BY 1");
}

class Trees : public ::testing::Test {
 protected:
  RunResult triage(const std::string& exhibit, const std::string& out) {
    return run({program(), "triage", "--only", "hashes", "--out", folder_.text(out),
                "ABC/1=" + folder_.text(exhibit)});
  }
  FreshFolder folder_;
};

TEST_F(Trees, AFolderAZipAndTarsOfTheSameFilesGiveTheSame) {
  for (const char* tool : {"zip", "tar", "sha256sum"}) {
    if (!have(tool)) GTEST_SKIP() << tool << " is not installed";
  }
  std::filesystem::create_directories(folder_.path("files/data/data/app"));
  write_file(folder_.path("files/data/data/app/x.db"), std::string(300'000, 'd'));
  write_file(folder_.path("files/note.txt"), "a note\n");
  write_file(folder_.path("files/empty"), "");
  const RunResult made =
      run({"sh", "-c",
           "cd \"$0/files\" && zip -qr ../f.zip . && tar cf ../f.tar . && tar czf ../f.tar.gz . && "
           "find . -type f | sort | xargs sha256sum | sed 's/^\\([0-9a-f]*\\)  \\.\\(.*\\)/\\2|\\1/' | "
           "LC_ALL=C sort > ../expected",
           folder_.text()});
  ASSERT_EQ(made.exit_code, 0) << made.error;
  std::vector<std::string> expected;
  std::istringstream lines(read_file(folder_.path("expected")));
  for (std::string line; std::getline(lines, line);) expected.push_back(line);
  ASSERT_EQ(expected.size(), 3U);
  const std::vector<std::pair<std::string, std::string>> exhibits = {
      {"files", "folder"}, {"f.zip", "zip"}, {"f.tar", "tar"}, {"f.tar.gz", "tar.gz"}};
  for (const auto& [name, format] : exhibits) {
    const RunResult result = triage(name, "out-" + name);
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.error;
    EXPECT_EQ(files_of(folder_.path("out-" + name)), expected) << name;
    EXPECT_EQ(query(folder_.path("out-" + name), "SELECT format FROM exhibit"),
              std::vector<std::string>{format});
    EXPECT_EQ(
        query(folder_.path("out-" + name), "SELECT kind || ' ' || filesystem || ' ' || state FROM volume"),
        std::vector<std::string>{"tree " + format + " read"});
    EXPECT_EQ(query(folder_.path("out-" + name), "SELECT locator FROM item WHERE name = 'x.db'"),
              std::vector<std::string>{"ABC/1:p0/data/data/app/x.db"});
  }
}

TEST_F(Trees, AChangedFolderIsNotResumed) {
  std::filesystem::create_directories(folder_.path("files"));
  write_file(folder_.path("files/one"), "1");
  ASSERT_EQ(triage("files", "out").exit_code, 0);
  EXPECT_EQ(triage("files", "out").exit_code, 0);
  write_file(folder_.path("files/two"), "2");
  const RunResult changed = triage("files", "out");
  EXPECT_NE(changed.exit_code, 0);
  EXPECT_EQ(query(folder_.path("out"), "SELECT count(*) FROM item WHERE name = 'two'"),
            std::vector<std::string>{"0"});
}

TEST_F(Trees, AFolderHasNothingToVerify) {
  std::filesystem::create_directories(folder_.path("files"));
  write_file(folder_.path("files/one"), "1");
  const RunResult verify = run({program(), "verify", folder_.text("files")});
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_NE(verify.error.find("nothing to verify"), std::string::npos) << verify.error;
}

TEST_F(Trees, TwinsAreToldApartAndEncryptedMembersAreSo) {
  if (!have("zip") || !have("tar")) GTEST_SKIP() << "zip or tar is not installed";
  write_file(folder_.path("twin"), "first");
  ASSERT_EQ(run({"sh", "-c",
                 "cd \"$0\" && tar cf t.tar twin && echo second > twin && tar rf t.tar twin && zip -q -P "
                 "secret locked.zip twin",
                 folder_.text()})
                .exit_code,
            0);
  EXPECT_EQ(triage("t.tar", "out").exit_code, 0);
  EXPECT_EQ(query(folder_.path("out"), "SELECT locator FROM item ORDER BY 1"),
            (std::vector<std::string>{"ABC/1:p0/twin", "ABC/1:p0/twin#2"}));
  EXPECT_EQ(triage("locked.zip", "locked").exit_code, 1);
  EXPECT_EQ(query(folder_.path("locked"), "SELECT state FROM item"), std::vector<std::string>{"encrypted"});
}

}  // namespace
}  // namespace touchstone::testing

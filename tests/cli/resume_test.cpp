// Whatever ends a run, the same command resumes it, blames nobody, and the exports are the same to the byte.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

class Resume : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!have("mke2fs")) return;
    shared = new FreshFolder;
    // Enough items, kinds and repeats that a run takes a while and its parts overlap.
    for (int i = 0; i < 300; ++i) {
      write_file(shared->path("files/d" + std::to_string(i % 17) + "/n" + std::to_string(i) + ".txt"),
                 "note " + std::to_string(i % 120) + " wipe your phone " +
                     std::string(static_cast<std::size_t>(i * 97 % 5000), 'x'));
    }
    // The shipped rules as they are now: a test must not see them change under it.
    fs::copy(fs::path(TOUCHSTONE_SOURCE_DIR) / "rules", shared->path("rules"), fs::copy_options::recursive);
    run({"sh", "-c", "cd \"$0\" && tar cf a.tar d1 d2 && gzip -kn a.tar && tar cf b.tar a.tar.gz d3",
         shared->text("files")});
    make_ext4(shared->path("files"), shared->path("image"), 16);
    ASSERT_EQ(triage("undisturbed", {"--jobs", "2"}).exit_code, 0);
  }
  static void TearDownTestSuite() {
    delete shared;
    shared = nullptr;
  }
  void SetUp() override {
    if (!shared) GTEST_SKIP() << "mke2fs is not installed (e2fsprogs)";
  }

  static std::vector<std::string> command(const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words = {program(),
                                      "triage",
                                      "--quiet",
                                      "--without",
                                      "explicit",
                                      "--rules",
                                      shared->text("rules"),
                                      "--out",
                                      shared->text(name),
                                      "X/1=" + shared->text("image")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static RunResult triage(const std::string& name, const std::vector<std::string>& more) {
    return run(command(name, more));
  }

  static void expect_same(const std::string& name, const std::string& as = "undisturbed") {
    const auto before = exports(shared->path(as)), after = exports(shared->path(name));
    ASSERT_EQ(before.size(), after.size());
    ASSERT_GT(before.size(), 20U);
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(before[i].first, after[i].first);
      EXPECT_TRUE(before[i].second == after[i].second) << before[i].first << " differs";
    }
    EXPECT_EQ(query(shared->path(name), "SELECT count(*) FROM problem"), std::vector<std::string>{"0"});
    EXPECT_EQ(query(shared->path(name), "SELECT count(*) - count(DISTINCT locator) FROM item"),
              std::vector<std::string>{"0"});
  }

  static FreshFolder* shared;
};

FreshFolder* Resume::shared = nullptr;

TEST_F(Resume, NumberOfWorkersDoesNotMatter) {
  EXPECT_EQ(triage("one", {"--jobs", "1"}).exit_code, 0);
  expect_same("one");
  EXPECT_EQ(triage("four", {"--jobs", "4"}).exit_code, 0);
  expect_same("four");
  EXPECT_EQ(triage("none", {"--jobs", "0"}).exit_code, 0);
  expect_same("none");
}

TEST_F(Resume, KilledCoordinatorAgainAndAgain) {
  int kills = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    // From before the workers are ready to deep inside the work.
    if (!run_and_kill(command("killed", {"--jobs", "2"}), 40 + attempt * 61 % 1500)) break;
    ++kills;
  }
  EXPECT_GT(kills, 2);
  EXPECT_EQ(triage("killed", {"--jobs", "2"}).exit_code, 0);
  expect_same("killed");
}

/// Children of a process, from /proc.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::ifstream in("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  for (pid_t pid = 0; in >> pid;) found.push_back(pid);
  return found;
}

TEST_F(Resume, KilledWorkersAreBlamedOnNobody) {
  std::atomic<bool> ended{false};
  std::atomic<int> kills{0};
  const pid_t self = getpid();
  std::thread killer([&] {
    for (int round = 0; !ended && kills < 12; ++round) {
      usleep(70'000);
      for (const pid_t coordinator : children_of(self)) {
        const auto workers = children_of(coordinator);
        if (workers.size() < 2) continue;
        if (kill(workers[static_cast<std::size_t>(round) % workers.size()], SIGKILL) == 0) ++kills;
      }
    }
  });
  const RunResult result = triage("workers", {"--jobs", "2"});
  ended = true;
  killer.join();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_GT(kills, 0);
  expect_same("workers");
}

TEST_F(Resume, StopSignalEndsInGoodOrder) {
  std::vector<std::string> words = {"timeout", "--signal=TERM", "0.6"};
  for (const std::string& word : command("stopped", {"--jobs", "1"})) words.push_back(word);
  const RunResult result = run(words);
  // timeout(1) says 124 when it had to send the signal.
  EXPECT_TRUE(result.exit_code == 124 || result.exit_code == 0) << result.exit_code << result.error;
  EXPECT_EQ(triage("stopped", {"--jobs", "2"}).exit_code, 0);
  expect_same("stopped");
}

TEST_F(Resume, FinishedFolderIsLeftAsItIs) {
  EXPECT_EQ(triage("twice", {}).exit_code, 0);
  const auto manifest = read_file(shared->path("twice/manifest.sha256"));
  const RunResult again = triage("twice", {});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_NE(again.out.find("nothing was left to do"), std::string::npos);
  EXPECT_EQ(manifest, read_file(shared->path("twice/manifest.sha256")));
  EXPECT_EQ(run({program(), "verify", shared->text("twice")}).exit_code, 0);
}

TEST_F(Resume, UpdateWithFurtherKeywordsEqualsAFreshRun) {
  write_file(shared->path("words.txt"), "note 7\n");
  EXPECT_EQ(triage("updated", {}).exit_code, 0);
  const RunResult refused = triage("updated", {"--keywords", shared->text("words.txt")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.error.find("--update"), std::string::npos) << refused.error;
  EXPECT_EQ(triage("updated", {"--keywords", shared->text("words.txt"), "--update"}).exit_code, 0);
  EXPECT_EQ(triage("fresh", {"--keywords", shared->text("words.txt")}).exit_code, 0);
  expect_same("updated", "fresh");
  EXPECT_NE(query(shared->path("fresh"), "SELECT count(*) FROM finding WHERE detail LIKE '%note 7%'"),
            std::vector<std::string>{"0"});
}

TEST_F(Resume, ChangedEvidenceIsRefused) {
  fs::copy_file(shared->path("image"), shared->path("image2"));
  std::vector<std::string> words = {program(),
                                    "triage",
                                    "--quiet",
                                    "--without",
                                    "explicit",
                                    "--rules",
                                    shared->text("rules"),
                                    "--out",
                                    shared->text("changed"),
                                    "X/1=" + shared->text("image2")};
  EXPECT_EQ(run(words).exit_code, 0);
  std::fstream(shared->path("image2"), std::ios::in | std::ios::out | std::ios::binary)
      .seekp(100)
      .write("changed", 7);
  const RunResult result = run(words);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.error.find("exhibits/X/1/files"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace touchstone::testing

#include "pipeline/apart.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace touchstone {
namespace {

namespace fs = std::filesystem;

class Apart : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "AddressSanitizer's own memory is beyond the limits of the sandbox";
#endif
  }
};

TEST_F(Apart, GivesTheAnswerOrTheError) {
  const auto answer = run_apart([]() -> Result<std::string> { return std::string("a\0b", 3); });
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, std::string("a\0b", 3));
  const auto empty = run_apart([]() -> Result<std::string> { return std::string(); });
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->empty());
  const auto error = run_apart([]() -> Result<std::string> {
    return Error{ErrorCode::not_found, "no such"};
  });
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::not_found);
  EXPECT_EQ(error.error().message, "no such");
}

TEST_F(Apart, CrashIsAnErrorThatNamesTheSignal) {
  const auto crash = run_apart([]() -> Result<std::string> { std::abort(); });
  ASSERT_FALSE(crash);
  EXPECT_NE(crash.error().message.find("Aborted"), std::string::npos) << crash.error().message;
}

TEST_F(Apart, LoopAndMemoryBombEnd) {
  const auto loop = run_apart(
      []() -> Result<std::string> {
        for (std::atomic<unsigned> i = 0;; ++i) {
        }
      },
      1);
  ASSERT_FALSE(loop);
  const auto bomb = run_apart([]() -> Result<std::string> {
    std::vector<std::string> kept;
    while (true) kept.emplace_back(64U << 20, 'x');
  });
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, ErrorCode::limit) << bomb.error().message;
}

TEST_F(Apart, ReadsButNeitherWritesNorConnects) {
  const fs::path file = fs::temp_directory_path() / ("apart-" + std::to_string(getpid()));
  std::ofstream(file) << "evidence";
  const auto tried = run_apart([&]() -> Result<std::string> {
    std::string text;
    std::ifstream(file) >> text;
    const bool wrote = open(file.c_str(), O_WRONLY) >= 0 || unlink(file.c_str()) == 0;
    const bool connected = socket(AF_INET, SOCK_STREAM, 0) >= 0;
    return text + (wrote ? " wrote" : "") + (connected ? " connected" : "");
  });
  ASSERT_TRUE(tried) << tried.error().message;
  EXPECT_EQ(*tried, "evidence");
  EXPECT_TRUE(fs::exists(file));
  fs::remove(file);
}

TEST_F(Apart, ListsTheFilesOfAnExhibit) {
  const fs::path folder = fs::temp_directory_path() / ("apart-files-" + std::to_string(getpid()));
  fs::create_directories(folder);
  for (const char* name : {"disk.001", "disk.002"}) std::ofstream(folder / name) << std::string(4096, '\0');
  const auto files = list_exhibit_files_apart((folder / "disk.001").string());
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(*files,
            (std::vector<std::string>{(folder / "disk.001").string(), (folder / "disk.002").string()}));
  EXPECT_FALSE(list_exhibit_files_apart((folder / "none").string()));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace touchstone

#include "pipeline/evidence_watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace touchstone {
namespace {

namespace fs = std::filesystem;

TEST(EvidenceWatch, SeesWhatAWriterLeavesBehindAndNothingElse) {
  const fs::path folder = fs::temp_directory_path() / ("evidence-watch-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::vector<EvidenceStamp> before;
  for (const char* name : {"read", "grown", "same-size", "gone", "touched-back"}) {
    std::ofstream(folder / name) << "evidence";
    before.push_back(stamp_of((folder / name).string()));
  }
  before.push_back(stamp_of(folder.string()));
  EXPECT_TRUE(changed_since(before).empty());

  std::string bytes;
  std::ifstream(folder / "read") >> bytes;
  std::ofstream(folder / "grown", std::ios::app) << "!";
  std::ofstream(folder / "same-size") << "evidenca";
  fs::remove(folder / "gone");
  const auto time = fs::last_write_time(folder / "touched-back");
  std::ofstream(folder / "touched-back") << "evidenca";
  fs::last_write_time(folder / "touched-back", time);
  std::vector<std::string> names;
  for (const std::string& path : changed_since(before)) names.push_back(fs::path(path).filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{"grown", "same-size", "gone", "touched-back"}));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace touchstone

// Databases of iLEAPP's own tests, and what iLEAPP read in them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {

class IleappCases : public ::testing::Test {
 protected:
  void SetUp() override {
    if (corpus_.empty() || !std::filesystem::exists(corpus_)) GTEST_SKIP() << "no corpus (TOUCHSTONE_CORPUS)";
  }
  /// A database of these files at this place, with its write-ahead log if there is one.
  static TestItem with_log(std::map<std::string, std::string>& files, const std::string& name,
                           const std::string& path) {
    EXPECT_FALSE(files[name].empty()) << name;
    TestItem item = database_item(files[name], path);
    if (!files[name + "-wal"].empty()) item.neighbours[name + "-wal"] = files[name + "-wal"];
    return item;
  }
  /// Rows of cells; the newest file of that name, which ends with its time.
  nlohmann::json expected(const std::string& folder, const std::string& start) const {
    std::filesystem::path newest;
    for (const auto& entry :
         std::filesystem::directory_iterator(corpus_ / "abrignoni+iLEAPP/admin/test/results" / folder))
      if (entry.path().filename().string().starts_with(start) && newest < entry.path()) newest = entry.path();
    EXPECT_FALSE(newest.empty()) << folder << " " << start;
    return newest.empty() ? nlohmann::json() : nlohmann::json::parse(read_text(newest.string()))["data"];
  }
  const std::filesystem::path corpus_ = TOUCHSTONE_CORPUS_DIR;
  const std::filesystem::path cases_ = corpus_ / "abrignoni+iLEAPP/admin/test/cases/data";
};

}  // namespace touchstone::test

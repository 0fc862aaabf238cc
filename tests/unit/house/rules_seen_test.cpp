// No rule file escapes the checks: every file below rules/ is one that check_rules() looked at, or lies
// beside one as its data.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "rules/check.hpp"
#include "unit/house/sources.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

/// Paths of rule files below `root`, from it.
std::set<std::string> files_below(const fs::path& root) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".toml") files.insert(fs::relative(entry.path(), root).string());
  }
  return files;
}

std::set<std::string> files_checked(const fs::path& root) {
  std::set<std::string> files;
  for (const RuleCheck& check : check_rules(root.string())) {
    if (!check.info.path.empty()) files.insert(fs::relative(check.info.path, root).string());
  }
  return files;
}

TEST(RulesSeen, EveryShippedRuleFileIsChecked) {
  const fs::path root = fs::path(TOUCHSTONE_SOURCE_DIR) / "rules";
  EXPECT_GE(files_below(root).size(), 15U);
  EXPECT_EQ(files_checked(root), files_below(root));
}

TEST(RulesSeen, AFileInAFolderOfNoKnownKindIsNotPassedOver) {
  std::string pattern = (fs::temp_directory_path() / "touchstone-rules-XXXXXX").string();
  const fs::path root = ::mkdtemp(pattern.data());
  fs::create_directories(root / "keyword");
  std::ofstream(root / "keyword" / "lost.toml") << "schema = \"touchstone.keywords/1\"\n";
  bool told = false;
  for (const RuleCheck& check : check_rules(root.string())) told = told || !check.ok();
  EXPECT_TRUE(told);
  fs::remove_all(root);
}

}  // namespace
}  // namespace touchstone

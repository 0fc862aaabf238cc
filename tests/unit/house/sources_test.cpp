// What holds for every file of the project.
#include "unit/house/sources.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace touchstone {
namespace {

constexpr std::size_t kMostLines = 500;

/// Files that may be longer, each with the reason. One that no longer needs it must go from here.
const std::map<std::string, std::string>& longer_files() {
  static const std::map<std::string, std::string> list = {};
  return list;
}

/// Lines that hold more than white space and comments.
std::size_t lines_of_code(const std::string& text) {
  std::istringstream lines(text);
  std::size_t count = 0;
  bool in_comment = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string::npos) continue;
    const std::string code = line.substr(start);
    if (in_comment) {
      in_comment = code.find("*/") == std::string::npos;
      continue;
    }
    if (code.starts_with("//") || code.starts_with("-- ")) continue;
    if (code.starts_with("/*")) {
      in_comment = code.find("*/") == std::string::npos;
      continue;
    }
    ++count;
  }
  return count;
}

/// Words that no file of the project holds: put together here so that this one does not either.
std::vector<std::string> forbidden_words() {
  return {std::string("TO") + "DO",       std::string("FIX") + "ME",
          std::string("XX") + "X:",       std::string("/wo") + "rk/",
          std::string("/tmp/bui") + "ld", std::string("lorem ") + "ipsum",
          std::string("<<<<") + "<<< ",   std::string("hard") + "coded for now"};
}

std::vector<std::string> forbidden_in(const std::string& text) {
  std::vector<std::string> found;
  for (const std::string& word : forbidden_words()) {
    if (text.find(word) != std::string::npos) found.push_back(word);
  }
  return found;
}

TEST(Sources, NoneIsLongerThanAPersonCanReadInOneGo) {
  std::set<std::string> used;
  const auto files = test::project_files({"lib", "cli", "plugins", "tests"}, test::kSourceExtensions);
  EXPECT_GT(files.size(), 150U);
  for (const test::SourceFile& file : files) {
    const std::size_t lines = lines_of_code(file.text);
    if (lines <= kMostLines) continue;
    if (longer_files().contains(file.path)) {
      used.insert(file.path);
    } else {
      ADD_FAILURE() << file.path << " has " << lines << " lines of code, more than " << kMostLines;
    }
  }
  for (const auto& [path, reason] : longer_files())
    EXPECT_TRUE(used.contains(path)) << path << " need not be excepted any more";
}

TEST(Sources, LinesOfCodeAreCountedWithoutCommentsAndBlanks) {
  EXPECT_EQ(lines_of_code("// a\n\nint x;  // b\n  /* c\n int y;\n*/\nint z;\n"), 2U);
  std::string long_file;
  for (int i = 0; i < 501; ++i) long_file += "int a;\n";
  EXPECT_GT(lines_of_code(long_file), kMostLines);
}

TEST(Sources, NoFileHoldsWhatBelongsToSomebodysDesk) {
  std::vector<test::SourceFile> files = test::project_files(
      {"lib", "cli", "plugins", "tests", "rules", "docs", "scripts", ".ci", "sample_images"}, {});
  for (const char* name :
       {"CMakeLists.txt", "CMakePresets.json", "README.md", ".clang-format", ".clang-tidy", ".gitignore"}) {
    const std::filesystem::path path = std::filesystem::path(TOUCHSTONE_SOURCE_DIR) / name;
    if (std::filesystem::exists(path)) files.push_back({name, test::file_text(path)});
  }
  EXPECT_GT(files.size(), 200U);
  for (const test::SourceFile& file : files) {
    if (file.text.find('\0') != std::string::npos) continue;  // an image or a model
    if (file.path.ends_with("package-lock.json")) continue;   // made by npm; its digests hold anything
    for (const std::string& word : forbidden_in(file.text))
      ADD_FAILURE() << file.path << " holds \"" << word << "\"";
  }
}

TEST(Sources, ForbiddenWordsAreFound) {
  for (const std::string& word : forbidden_words())
    EXPECT_FALSE(forbidden_in("int a;  // " + word + "x").empty()) << word;
  EXPECT_TRUE(forbidden_in("a worker does its work; todo is no such word").empty());
}

TEST(Sources, EveryHeaderSaysOnceWhatItIs) {
  for (const test::SourceFile& file : test::project_files({"lib", "cli", "plugins", "tests"}, {".hpp"})) {
    EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
    EXPECT_TRUE(file.text.starts_with("//")) << file.path << " does not begin with what it is for";
  }
}

}  // namespace
}  // namespace touchstone

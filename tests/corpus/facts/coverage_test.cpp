// Which test holds which row of MANIFEST.tsv: coverage.tsv says it by patterns. A row that no pattern takes,
// a test that does not exist any more, and a pattern that takes nothing are faults.
#include <fnmatch.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "corpus/facts/manifest.hpp"
#include "support/file_contents.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

struct Line {
  std::string pattern, kind, tests;
  std::size_t rows = 0;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

/// "path pattern TAB kind pattern TAB tests" of each line; tests are "Suite.Name", joined by " ", or a reason
/// that begins with "-". The first line that fits a row counts.
std::vector<Line> coverage() {
  std::vector<Line> lines;
  std::ifstream in(std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/corpus/facts/coverage.tsv");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto cells = split(line, '\t');
    EXPECT_EQ(cells.size(), 3U) << line;
    if (cells.size() == 3) lines.push_back({cells[0], cells[1], cells[2]});
  }
  return lines;
}

/// "Suite.Name" of every test in the sources below tests/.
std::set<std::string> tests_in_sources() {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(std::string(TOUCHSTONE_SOURCE_DIR) + "/tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::string text = touchstone::test::contents_of(entry.path());
    for (std::size_t at = text.find("\nTEST"); at != std::string::npos; at = text.find("\nTEST", at + 1)) {
      const std::size_t open = text.find('(', at), close = text.find(')', at);
      if (open == std::string::npos || close == std::string::npos || open > close) continue;
      std::string name = text.substr(open + 1, close - open - 1);
      std::erase_if(name, [](char c) { return c == ' ' || c == '\n'; });
      if (const std::size_t comma = name.find(','); comma != std::string::npos) name[comma] = '.';
      names.insert(name);
    }
  }
  return names;
}

TEST(Coverage, EveryRowOfTheManifestIsHeldByATestOrSaysWhyNot) {
  const auto rows = manifest();
  if (rows.empty()) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  std::vector<Line> lines = coverage();
  std::size_t held = 0;
  std::map<std::string, std::size_t> reasons;
  for (const ManifestRow& row : rows) {
    const auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& each) {
      return fnmatch(each.pattern.c_str(), row.path.c_str(), 0) == 0 &&
             fnmatch(each.kind.c_str(), row.kind.c_str(), 0) == 0;
    });
    if (line == lines.end()) {
      ADD_FAILURE() << "no test holds " << row.path << " (" << row.kind << "): " << row.facts;
      continue;
    }
    ++line->rows;
    if (line->tests.starts_with("-")) {
      ++reasons[line->tests];
    } else {
      ++held;
    }
  }
  const auto tests = tests_in_sources();
  for (const Line& line : lines) {
    EXPECT_GT(line.rows, 0U) << line.pattern << " " << line.kind << " takes no row";
    if (line.tests.starts_with("-")) continue;
    for (const std::string& test : split(line.tests, ' '))
      EXPECT_TRUE(tests.contains(test)) << test << " is no test";
  }
  std::cout << rows.size() << " rows, " << held << " held by a test\n";
  for (const auto& [reason, count] : reasons) std::cout << count << " " << reason << "\n";
}

}  // namespace
}  // namespace touchstone::test

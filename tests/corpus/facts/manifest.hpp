// The list of the corpus's files with what their sources state of them. One row a file.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace touchstone::test {

struct ManifestRow {
  std::string path, kind, facts;

  /// What stands between `before` and `after` (or the end) in the facts; empty if `before` does not.
  std::string between(const std::string& before, const std::string& after) const {
    const std::size_t at = facts.find(before);
    if (at == std::string::npos) return "";
    const std::size_t from = at + before.size();
    return facts.substr(from, std::min(facts.find(after, from), facts.size()) - from);
  }
  bool states(const std::string& text) const { return facts.find(text) != std::string::npos; }
};

/// Empty where the corpus is not there.
inline std::vector<ManifestRow> manifest() {
  std::vector<ManifestRow> rows;
  std::ifstream in(std::string(TOUCHSTONE_CORPUS_DIR) + "/MANIFEST.tsv");
  std::string line;
  std::getline(in, line);  // the names of the columns
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::istringstream fields(line);
    for (std::string cell; std::getline(fields, cell, '\t');) cells.push_back(cell);
    if (cells.size() >= 7) rows.push_back({cells[0], cells[5], cells[6]});
  }
  return rows;
}

}  // namespace touchstone::test

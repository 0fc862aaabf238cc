// The project's own files as text, for tests that read them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "support/file_contents.hpp"

namespace touchstone::test {

struct SourceFile {
  std::string path;  ///< from the project's root
  std::string text;
};

inline std::string file_text(const std::filesystem::path& path) {
  return touchstone::test::contents_of(path);
}

/// Files below `folders` of the root whose extension is one of `extensions` (all, if none), sorted by path.
/// Folders of fetched packages and hidden ones are not ours.
inline std::vector<SourceFile> project_files(const std::vector<std::string>& folders,
                                             const std::set<std::string>& extensions) {
  namespace fs = std::filesystem;
  const fs::path root(TOUCHSTONE_SOURCE_DIR);
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    for (auto entry = fs::recursive_directory_iterator(root / folder);
         entry != fs::recursive_directory_iterator(); ++entry) {
      const std::string name = entry->path().filename().string();
      if (entry->is_directory() && (name == "node_modules" || name.starts_with('.')))
        entry.disable_recursion_pending();
      if (!entry->is_regular_file()) continue;
      if (!extensions.empty() && !extensions.contains(entry->path().extension().string())) continue;
      files.push_back({fs::relative(entry->path(), root).string(), file_text(entry->path())});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

inline const std::set<std::string> kSourceExtensions = {".cpp", ".hpp", ".h",     ".c",
                                                        ".ts",  ".mjs", ".proto", ".sql"};

}  // namespace touchstone::test

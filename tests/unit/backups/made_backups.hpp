// The backups that make_backups.py made, and a tree over a plain folder for tests: it follows nothing and
// hides nothing, and a test can take files away from it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "model/locator.hpp"
#include "support/file_contents.hpp"

namespace touchstone::test {

inline constexpr const char* kPassword = "Ship-Shape 42 \xc2\xa3";

inline std::filesystem::path made_backups() {
  return std::filesystem::path(TOUCHSTONE_BINARY_DIR) / "tests" / "backups";
}

inline std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
  const std::string text = touchstone::test::contents_of(path);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::string text_of(ByteSource& source) {
  std::string text(static_cast<std::size_t>(source.size()), '\0');
  const auto got = source.read_at(0, std::as_writable_bytes(std::span(text)));
  text.resize(got ? *got : 0);
  return text;
}

class FolderTree : public FileSystem {
 public:
  explicit FolderTree(std::filesystem::path root) : root_(std::move(root)) {}
  std::set<std::string> hidden;  ///< names that are not there

  const std::string& type() const override { return type_; }
  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>&) override {
    std::vector<std::filesystem::path> paths;
    for (const auto& each : std::filesystem::directory_iterator(root_ / directory.address))
      if (!hidden.contains(each.path().filename().string())) paths.push_back(each.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      Entry entry;
      entry.name = entry.name_raw = path.filename().string();
      entry.path = directory.path + "/" + escape_path(entry.name);
      entry.address = std::filesystem::relative(path, root_).string();
      entry.descend = std::filesystem::is_directory(path);
      entry.kind = entry.descend ? ItemKind::directory : ItemKind::file;
      entry.has_content = !entry.descend;
      if (entry.has_content) entry.size = std::filesystem::file_size(path);
      if (!sink(std::move(entry))) break;
    }
    return {};
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return make_memory_source(file_bytes(root_ / address));
  }

 private:
  std::filesystem::path root_;
  std::string type_ = "folder";
};

/// All entries of a file system, by path.
inline std::vector<Entry> walk(FileSystem& files, std::vector<Problem>& problems) {
  std::vector<Entry> all;
  std::vector<DirectoryRef> directories = {{}};
  while (!directories.empty()) {
    const DirectoryRef at = directories.back();
    directories.pop_back();
    const auto keep = [&](Entry&& entry) {
      if (entry.descend) directories.push_back(at.child(entry));
      all.push_back(std::move(entry));
      return true;
    };
    (void)files.list(at, keep, problems);
  }
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
  return all;
}

inline const Entry* find(const std::vector<Entry>& entries, const std::string& path) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.path == path; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace touchstone::test

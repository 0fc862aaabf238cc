// Files out of a zip of the corpus. Link PkgConfig::ARCHIVE.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace touchstone::test {

/// Calls `each` with every file's path in the zip and its bytes, until it gives false.
inline void each_file_of_zip(const std::filesystem::path& zip,
                             const std::function<bool(const std::filesystem::path&, std::string)>& each) {
  constexpr std::int64_t kLargest = 64 << 20;
  archive* reader = archive_read_new();
  archive_read_support_format_zip(reader);
  archive_entry* entry = nullptr;
  bool more = archive_read_open_filename(reader, zip.c_str(), 65536) == ARCHIVE_OK;
  while (more && archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    const std::filesystem::path name = archive_entry_pathname(entry);
    if (name.filename().empty() || archive_entry_size(entry) > kLargest) continue;
    std::string bytes;
    char buffer[65536];
    for (la_ssize_t got; (got = archive_read_data(reader, buffer, sizeof buffer)) > 0;)
      bytes.append(buffer, static_cast<std::size_t>(got));
    more = each(name, std::move(bytes));
  }
  archive_read_free(reader);
}

/// The first file whose path ends so; empty if there is none.
inline std::string file_of_zip(const std::filesystem::path& zip, std::string_view ending) {
  std::string found;
  each_file_of_zip(zip, [&](const std::filesystem::path& name, std::string bytes) {
    if (!name.string().ends_with(ending)) return true;
    found = std::move(bytes);
    return false;
  });
  return found;
}

/// All files, by their names without folder.
inline std::map<std::string, std::string> files_of_zip(const std::filesystem::path& zip) {
  std::map<std::string, std::string> files;
  each_file_of_zip(zip, [&](const std::filesystem::path& name, std::string bytes) {
    files[name.filename().string()] = std::move(bytes);
    return true;
  });
  return files;
}

}  // namespace touchstone::test

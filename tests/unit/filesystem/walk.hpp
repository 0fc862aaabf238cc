// Everything on a file system in one call, for tests: directories are followed as the pipeline follows them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"

namespace touchstone::test {

struct Walked {
  std::vector<Entry> entries;
  std::vector<Problem> problems;
  /// The only entry with this path, or null.
  const Entry* find(const std::string& path) const {
    for (const Entry& entry : entries) {
      if (entry.path == path) return &entry;
    }
    return nullptr;
  }
  std::size_t count(const std::string& path) const {
    std::size_t number = 0;
    for (const Entry& entry : entries) number += entry.path == path ? 1 : 0;
    return number;
  }
};

inline Walked walk(FileSystem& fs, std::size_t limit = 100'000) {
  Walked walked;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  while (!waiting.empty()) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    const Status status = fs.list(
        directory,
        [&](Entry&& entry) {
          if (entry.descend) waiting.push_back(directory.child(entry));
          walked.entries.push_back(std::move(entry));
          return walked.entries.size() < limit;
        },
        walked.problems);
    EXPECT_TRUE(status) << directory.path << ": " << status.error().message;
    if (walked.entries.size() >= limit) break;
  }
  return walked;
}

inline std::string content_of(FileSystem& fs, const std::string& address) {
  auto source = fs.open(address);
  EXPECT_TRUE(source) << address;
  if (!source) return "";
  std::string text((*source)->size(), '?');
  const auto got = (*source)->read_at(0, std::as_writable_bytes(std::span(text)));
  EXPECT_TRUE(got && *got == text.size());
  return text;
}

}  // namespace touchstone::test

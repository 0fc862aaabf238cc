// A tree opened from its path, for tests, and the archives that make_trees.py makes once for all of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "evidence/digest.hpp"
#include "evidence/exhibit_source.hpp"
#include "filesystem/trees/trees.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone::test {

/// Bytes as their SHA-256, and how many they are; read in pieces as a worker does.
inline std::string sha256_of(ByteSource& source, std::uint64_t* size = nullptr) {
  Hasher hasher;
  std::vector<std::byte> block(100'000);
  std::uint64_t at = 0;
  while (true) {
    const auto got = source.read_at(at, block);
    if (!got) return got.error().message;
    if (*got == 0) break;
    hasher.update(std::span(block).first(*got));
    at += *got;
  }
  if (size != nullptr) *size = at;
  return hasher.finish().sha256;
}

class Tree {
 public:
  explicit Tree(const std::string& path, const Secrets& secrets = {}) {
    auto opened = open_exhibit(path);
    EXPECT_TRUE(opened) << path << ": " << opened.error().message;
    if (!opened) return;
    exhibit_ = opened.take();
    const auto volume = find_tree(*exhibit_);
    EXPECT_TRUE(volume) << path << " is no tree";
    if (!volume) return;
    EXPECT_EQ(volume->slot, "p0");
    EXPECT_EQ(volume->kind, "tree");
    EXPECT_EQ(volume->filesystem, exhibit_->info().format);
    VolumeOptions options;
    options.secrets = secrets;
    auto files = open_tree(*exhibit_, *volume, options);
    EXPECT_TRUE(files) << path << ": " << files.error().message;
    if (files) files_ = files.take();
  }
  FileSystem& files() { return *files_; }
  const std::string& format() const { return exhibit_->info().format; }
  const Walked& walked() {
    if (!has_walked_) walked_ = walk(*files_, 1'000'000);
    has_walked_ = true;
    return walked_;
  }
  const Entry& at(const std::string& path) {
    const Entry* entry = walked().find(path);
    EXPECT_NE(entry, nullptr) << path;
    static const Entry none;
    return entry == nullptr ? none : *entry;
  }
  std::unique_ptr<ByteSource> open(const std::string& path) {
    auto source = files_->open(at(path).address);
    EXPECT_TRUE(source) << path << ": " << source.error().message;
    return source ? source.take() : make_memory_source({});
  }
  std::string content(const std::string& path) { return content_of(*files_, at(path).address); }
  /// Path to "size SHA-256" of all that has bytes; gaps and errors in its place.
  std::map<std::string, std::string> contents() {
    std::map<std::string, std::string> all;
    for (const Entry& entry : walked().entries) {
      if (!entry.has_content) continue;
      auto source = files_->open(entry.address);
      if (!source) {
        all[entry.path] = source.error().message;
        continue;
      }
      std::uint64_t size = 0;
      const std::string digest = sha256_of(**source, &size);
      all[entry.path] = std::to_string(size) + ' ' + digest;
      for (const Gap& gap : (*source)->gaps()) all[entry.path] += " gap: " + gap.reason;
    }
    return all;
  }
  /// All problems' messages, a line each.
  std::string problems() {
    std::string text;
    for (const Problem& problem : walked().problems) text += problem.message + '\n';
    return text;
  }

 private:
  std::unique_ptr<ExhibitSource> exhibit_;
  std::unique_ptr<FileSystem> files_;
  Walked walked_;
  bool has_walked_ = false;
};

/// The folder of make_trees.py, made at the first use in this process.
class MadeTrees {
 public:
  static const MadeTrees& get() {
    static const MadeTrees made;
    return made;
  }
  std::string path(const std::string& name) const { return scratch_.path(name); }
  /// Path to "size SHA-256", by Python's hashlib. `longest`: without longer names.
  std::map<std::string, std::string> expected(std::size_t longest = SIZE_MAX) const {
    std::map<std::string, std::string> all;
    std::ifstream in(path("expected.tsv"));
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string name, size, digest;
      std::getline(fields, name, '\t');
      std::getline(fields, size, '\t');
      std::getline(fields, digest, '\t');
      if (name.size() <= longest) all[name] = size + ' ' + digest;
    }
    return all;
  }

 private:
  MadeTrees() {
    const std::string script = std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/unit/trees/make_trees.py";
    EXPECT_TRUE(run("python3 " + script + " " + scratch_.path(""))) << "python3 could not make the archives";
  }
  Scratch scratch_;
};

}  // namespace touchstone::test

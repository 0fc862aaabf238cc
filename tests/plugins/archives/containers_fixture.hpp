// What the tests of containers share: files to pack, and a host that lists and unpacks.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "support/cli_runner.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {

namespace fs = std::filesystem;
using touchstone::testing::FreshFolder;
using touchstone::testing::have;
using touchstone::testing::read_file;
using touchstone::testing::run;
using touchstone::testing::write_file;

inline std::string numbers(unsigned from, unsigned to) {
  std::string out;
  for (unsigned i = from; i < to; ++i) out += std::to_string(i * 7919U) + "\n";
  return out;
}

class Containers : public ::testing::Test {
 protected:
  static TestItem item(std::string bytes, std::string type = "application/octet-stream") {
    TestItem out;
    out.bytes = std::move(bytes);
    out.media_type = std::move(type);
    return out;
  }
  static const TestMember* named(const Outcome& listed, const std::string& path) {
    for (const TestMember& member : listed.members) {
      if (member.path == path) return &member;
    }
    return nullptr;
  }
  std::string content(const TestItem& from, const std::string& path) {
    const Outcome listed = host_->list(from);
    const TestMember* member = named(listed, path);
    if (!member) return "(no member " + path + ")";
    const Outcome unpacked = host_->extract(from, member->ordinal, 1);
    const auto found = unpacked.data.find(member->ordinal);
    return found == unpacked.data.end() ? "(no bytes)" : found->second.bytes;
  }
  /// Files a, b/c and ../ that archives are made of.
  void make_files() {
    fs::create_directories(folder_.path("in/b"));
    write_file(folder_.path("in/a"), first_);
    write_file(folder_.path("in/b/c"), second_);
  }

  const std::string first_ = numbers(0, 20'000), second_ = numbers(500, 9'000);
  FreshFolder folder_;
  std::unique_ptr<PluginHost> host_ = PluginHost::load("archives");
};

}  // namespace touchstone::test

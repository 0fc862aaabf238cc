// A folder of its own for one test, and the command-line tools that make images for it. A test whose tool is
// not installed skips itself visibly.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/file_contents.hpp"

namespace touchstone::test {

class Scratch {
 public:
  Scratch() {
    std::string name = ::testing::TempDir() + "/touchstone.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string read(const std::string& name) const { return slurp(path(name)); }
  static std::string slurp(const std::string& path) { return touchstone::test::contents_of(path); }

 private:
  std::filesystem::path folder_;
};

inline bool has_tool(const std::string& name) {
  return std::system(("PATH=$PATH:/sbin:/usr/sbin command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}
/// True if the command ended with 0. Output is thrown away.
inline bool run(const std::string& command) {
  return std::system(("PATH=$PATH:/sbin:/usr/sbin; { " + command + " ; } >/dev/null 2>&1").c_str()) == 0;
}

inline std::vector<std::byte> to_bytes(std::string_view text) {
  const auto* from = reinterpret_cast<const std::byte*>(text.data());
  return {from, from + text.size()};
}

/// Bytes without repetition that compress badly, the same on every machine (xorshift64).
inline std::string noise(std::size_t size, std::uint64_t seed = 88172645463325252ULL) {
  std::string text(size, '\0');
  for (char& c : text) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    c = static_cast<char>(seed);
  }
  return text;
}

}  // namespace touchstone::test

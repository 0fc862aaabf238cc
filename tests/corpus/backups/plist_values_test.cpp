// Property lists of other people's phones and computers: the same values as Python's plistlib reads.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "filesystem/trees/itunes_plist.hpp"
#include "support/file_contents.hpp"

namespace touchstone {
namespace {

/// Lines that a command prints.
std::vector<std::string> output_of(const std::string& command) {
  std::vector<std::string> lines;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string line;
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
    } else {
      lines.push_back(std::move(line));
      line.clear();
    }
  }
  return lines;
}

std::vector<std::string> columns(const std::string& line) {
  std::vector<std::string> found;
  std::size_t at = 0;
  for (std::size_t tab = 0; (tab = line.find('\t', at)) != std::string::npos; at = tab + 1)
    found.push_back(line.substr(at, tab - at));
  found.push_back(line.substr(at));
  found.resize(4);
  return found;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte each : bytes) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(each) >> 4U];
    text += "0123456789abcdef"[std::to_integer<unsigned>(each) & 15U];
  }
  return text;
}

std::string value_as(Plist::Value value, const std::string& kind) {
  if (kind == "bool") return value.boolean() ? (*value.boolean() ? "1" : "0") : "none";
  if (kind == "int") return value.integer() ? std::to_string(*value.integer()) : "none";
  if (kind == "text") return value.text().value_or("none");
  if (kind == "size") return std::to_string(value.size());
  if (kind == "date") return value.date() ? std::to_string(*value.date() / 1'000'000) : "none";
  const auto bytes = value.data();
  return bytes ? hex(*bytes) : "none";
}

TEST(CorpusPlists, HaveTheValuesThatPythonReads) {
  const std::string corpus = TOUCHSTONE_CORPUS_DIR;
  if (corpus.empty() || !std::filesystem::exists(corpus)) GTEST_SKIP() << "the corpus is not here";
  const auto lines =
      output_of("python3 '" TOUCHSTONE_SOURCE_DIR "/tests/corpus/backups/plist_values.py' '" + corpus + "'");
  std::string current;
  std::unique_ptr<Result<Plist>> list;
  std::size_t values = 0;
  for (const std::string& line : lines) {
    const auto column = columns(line);
    if (column[0] != current) {
      current = column[0];
      const std::string text = touchstone::test::contents_of(current);
      const auto bytes = std::as_bytes(std::span(text));
      list = std::make_unique<Result<Plist>>(Plist::parse({bytes.begin(), bytes.end()}));
    }
    if (column[2] == "bad") {
      EXPECT_FALSE(*list) << current;
      continue;
    }
    ASSERT_TRUE(*list) << current << ": " << list->error().message;
    EXPECT_EQ(value_as((*list)->root()[column[1]], column[2]), column[3]) << current << " " << column[1];
    ++values;
  }
  EXPECT_GE(values, 150U);
}

}  // namespace
}  // namespace touchstone

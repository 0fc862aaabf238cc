// Runs of the real program on real images for the corpus tests: images unpacked and acquired once into the
// build tree, and what other tools say about them. Nothing of it outlives the build folder.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/cli_runner.hpp"

namespace touchstone::testing {

inline const std::string kSamples = "/usr/share/forensics-samples/";
inline const std::string kCorpus = TOUCHSTONE_CORPUS_DIR;

/// A file or folder of the build tree that `make(part)` fills; made once, and whole or not at all, since the
/// cases of this program may run side by side.
template <typename Make>
std::filesystem::path kept(const std::string& name, const Make& make) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(TOUCHSTONE_BINARY_DIR) / "tests/corpus/triage/images";
  const fs::path target = folder / name;
  if (fs::exists(target)) return target;
  fs::create_directories(folder);
  const fs::path part = folder / (name + "." + std::to_string(getpid()) + ".part");
  const RunResult made = make(part);
  EXPECT_EQ(made.exit_code, 0) << name << ": " << made.error;
  std::error_code error;
  if (made.exit_code == 0) fs::rename(part, target, error);
  fs::remove_all(part, error);
  return target;
}

/// The unpacked copy of an .xz or .gz file.
inline std::filesystem::path unpacked(const std::filesystem::path& packed) {
  const std::string tool = packed.extension() == ".xz" ? "xz" : "gzip";
  return kept(packed.stem().string(), [&](const std::filesystem::path& part) {
    return run({"sh", "-c", tool + R"( -dc "$0" > "$1")", packed.string(), part.string()});
  });
}

/// image.E01 (and .E02 …) in a folder of its own, by ewfacquire.
inline std::filesystem::path acquired(const std::filesystem::path& image, const std::string& segment_size) {
  const std::string name = image.filename().string() + "-" + segment_size;
  return kept(name,
              [&](const std::filesystem::path& part) {
                std::filesystem::create_directories(part);
                return run({"ewfacquire", "-u", "-q", "-t", (part / "image").string(), "-f", "encase6", "-c",
                            "deflate:fast", "-S", segment_size, "-l", (part / "log").string(),
                            image.string()});
              }) /
         "image.E01";
}

/// SHA-256 of each file below a folder, by sha256sum: "/name" → digest.
inline std::map<std::string, std::string> digests_below(const std::filesystem::path& folder) {
  const RunResult listed =
      run({"sh", "-c", "cd \"$0\" && find . -type f -exec sha256sum {} +", folder.string()});
  EXPECT_EQ(listed.exit_code, 0) << listed.error;
  std::map<std::string, std::string> digests;
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) digests[line.substr(67)] = line.substr(0, 64);
  return digests;
}

/// The page's first chunk, as the browser registers it.
inline nlohmann::json page_summary(const std::filesystem::path& folder) {
  const std::string text = read_file(folder / "report/data/summary-0.js");
  const std::size_t open = text.find('{');
  const std::size_t close = text.rfind('}');
  EXPECT_TRUE(open != std::string::npos && close != std::string::npos);
  return open == std::string::npos ? nlohmann::json()
                                   : nlohmann::json::parse(text.substr(open, close + 1 - open));
}

/// `touchstone triage` of one exhibit X/1, without the classifier whose work is measured elsewhere.
inline RunResult triage(const std::filesystem::path& image, const std::filesystem::path& out,
                        const std::string& jobs = "2") {
  return run({program(), "triage", "--quiet", "--without", "explicit", "--jobs", jobs, "--out", out.string(),
              "X/1=" + image.string()});
}

/// States add up to what was enumerated, in the database and on the page, and no unit is left over.
inline void expect_states_add_up(const std::filesystem::path& folder) {
  const std::size_t items = std::stoul(query(folder, "SELECT count(*) FROM item").at(0));
  std::size_t in_state = 0;
  for (const std::string& row : query(
           folder,
           "SELECT count(*) FROM item WHERE state IN ('examined', 'partly_examined', 'failed', 'timed_out', "
           "'encrypted', 'unsupported') GROUP BY state")) {
    in_state += std::stoul(row);
  }
  EXPECT_EQ(in_state, items);
  const nlohmann::json summary = page_summary(folder);
  std::size_t on_page = 0;
  for (const auto& exhibit : summary["exhibits"]) {
    for (const auto& count : exhibit["counts"]) on_page += count.get<std::size_t>();
  }
  EXPECT_EQ(on_page, items);
  EXPECT_EQ(summary["totals"]["item"], items);
  EXPECT_EQ(query(folder, "SELECT complete, finished IS NOT NULL FROM run"), std::vector<std::string>{"1|1"});
}

}  // namespace touchstone::testing

// The page's data: DIR/report/data/NAME-N.js, classic scripts that call touchstone.register(NAME, N, rows),
// because a page opened from disk can load nothing else. A chunk holds at most kMaxRows rows and, but for a
// single large row, kMaxBytes; the page adds a script tag for one when it wants to show rows of it. One
// owner, one thread.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone::report {

class ChunkWriter {
 public:
  static constexpr std::size_t kMaxRows = 512;
  static constexpr std::size_t kMaxBytes = 1 << 20;

  ChunkWriter(std::filesystem::path folder, std::string name, std::size_t max_rows = kMaxRows);
  void add(const nlohmann::json& row);
  Status finish();
  std::uint64_t rows() const { return rows_; }
  /// What the page needs to find a row: {"rows": all, "starts": first row of each chunk}.
  nlohmann::json index() const;

 private:
  void flush();
  std::filesystem::path folder_;
  std::string name_;
  std::size_t max_rows_;
  std::string buffer_;
  std::size_t buffered_ = 0;
  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> starts_;
  Status status_;
};

/// A chunk that is one value, such as the summary.
Status write_chunk(const std::filesystem::path& folder, const std::string& name, std::uint64_t number,
                   const nlohmann::json& payload);

}  // namespace touchstone::report

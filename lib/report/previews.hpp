// previews.db as the page uses it: the blurred rendition goes inline with a row, the clear one into a chunk
// of its own that is loaded only when a reviewer asks for that picture. Absent or empty database: no
// previews. One thread. Memory: about 120 bytes for each picture shown.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>

#include "casefile/sqlite.hpp"
#include "model/result.hpp"

namespace touchstone::report {

class Previews {
 public:
  Previews(const std::filesystem::path& database, std::filesystem::path data_folder);
  /// {"blur": base64, "clear": chunk number, "w": width, "h": height}, or null where there is no preview.
  nlohmann::json find(const std::string& sha256);
  std::uint64_t shown() const { return numbers_.size(); }
  /// The first failure of writing a chunk.
  const Status& status() const { return status_; }

 private:
  std::filesystem::path folder_;
  Database db_;
  std::optional<Statement> select_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
  Status status_;
};

std::string base64(std::string_view bytes);

}  // namespace touchstone::report

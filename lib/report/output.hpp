// Files of the output folder: written beside their final name and renamed when whole, so that a reader never
// meets half a file. One owner, one thread. The first failure (a full disk, say) is kept and told by
// finish().
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "model/result.hpp"

namespace touchstone::report {

class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  void write(std::string_view bytes);
  /// Flushes, closes and puts the file in its place. Without it the file is discarded.
  Status finish();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void fail(const char* doing);
  std::filesystem::path path_, temporary_;
  std::unique_ptr<std::FILE, Closer> file_;
  Status status_;
};

/// The whole of it in one go.
Status write_file(const std::filesystem::path& path, std::string_view bytes);
Status make_folder(const std::filesystem::path& path);

/// Lower-case hex; of a file, read in pieces.
std::string sha256_hex(std::string_view bytes);
Result<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace touchstone::report

// Runs the real program and other commands in tests, in a fresh folder each, and reads what it wrote.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace touchstone::testing {

struct RunResult {
  int exit_code = -1;  ///< 128 + signal when a signal ended it
  std::string out, error;
};

/// A folder of the test's own, removed at the end.
class FreshFolder {
 public:
  FreshFolder();
  ~FreshFolder();
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;
  std::filesystem::path path(const std::string& name = "") const {
    return name.empty() ? root_ : root_ / name;
  }
  std::string text(const std::string& name = "") const { return path(name).string(); }

 private:
  std::filesystem::path root_;
};

/// Runs a command found on PATH (or by path) to its end.
RunResult run(const std::vector<std::string>& command, const std::vector<std::string>& environment = {});
/// Starts it, kills its whole process with SIGKILL after `milliseconds` unless it has ended. True if it was
/// killed.
bool run_and_kill(const std::vector<std::string>& command, int milliseconds);
/// The program under test.
std::string program();
bool have(const std::string& tool);

/// ewfacquire of a disk image to `target`.E01, uncompressed, so that a chunk's bytes are found where they
/// stand.
RunResult acquire_e01(const std::string& image, const std::string& target, const std::string& segment_size);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);
/// All result files of a case folder that must not depend on how it was run: name → bytes.
std::vector<std::pair<std::string, std::string>> exports(const std::filesystem::path& folder);
/// First column of the rows of a query on DIR/case.db, columns joined by "|".
std::vector<std::string> query(const std::filesystem::path& folder, const std::string& sql);
/// An ext4 image of a folder, by mke2fs -d: the same folder gives the same image.
void make_ext4(const std::filesystem::path& folder, const std::filesystem::path& image, int mebibytes);

}  // namespace touchstone::testing

#include "support/cli_runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

pid_t start(const std::vector<std::string>& command, const std::vector<std::string>& environment, int out,
            int error) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(out, 1);
  dup2(error, 2);
  for (const std::string& each : environment) putenv(const_cast<char*>(each.c_str()));
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

FreshFolder::FreshFolder() {
  std::string name = (fs::temp_directory_path() / "touchstone-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  root_ = name;
}

FreshFolder::~FreshFolder() {
  std::error_code error;
  fs::remove_all(root_, error);
}

RunResult run(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  int out[2], error[2];
  if (pipe(out) != 0 || pipe(error) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = start(command, environment, out[1], error[1]);
  close(out[1]);
  close(error[1]);
  RunResult result;
  std::array<pollfd, 2> polled{pollfd{out[0], POLLIN, 0}, pollfd{error[0], POLLIN, 0}};
  std::array<char, 65536> block{};
  int open_pipes = 2;
  while (open_pipes > 0) {
    poll(polled.data(), polled.size(), -1);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const ssize_t got = read(polled[i].fd, block.data(), block.size());
      if (got <= 0) {
        close(polled[i].fd);
        polled[i].fd = -1;
        --open_pipes;
      } else {
        (i == 0 ? result.out : result.error).append(block.data(), static_cast<std::size_t>(got));
      }
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

bool run_and_kill(const std::vector<std::string>& command, int milliseconds) {
  const int null = open("/dev/null", O_WRONLY);
  const pid_t pid = start(command, {}, null, null);
  close(null);
  for (int waited = 0; waited < milliseconds; waited += 5) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) return false;
    usleep(5000);
  }
  kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status);
}

std::string program() {
  return std::string(TOUCHSTONE_BINARY_DIR) + "/cli/touchstone";
}

bool have(const std::string& tool) {
  return run({"sh", "-c", "command -v \"$0\"", tool}).exit_code == 0;
}

RunResult acquire_e01(const std::string& image, const std::string& target, const std::string& segment_size) {
  return run({"ewfacquire", "-u", "-q",           "-t",       target,    "-C", "case",       "-D",    "d",
              "-E",         "1",  "-e",           "examiner", "-N",      "n",  "-m",         "fixed", "-M",
              "physical",   "-c", "deflate:none", "-f",       "encase6", "-S", segment_size, image});
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::pair<std::string, std::string>> exports(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : fs::directory_iterator(folder / "report")) {
    if (entry.path().extension() == ".jsonl" || entry.path().extension() == ".csv") {
      files.emplace_back(entry.path().filename().string(), read_file(entry.path()));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> query(const fs::path& folder, const std::string& sql) {
  sqlite3* db = nullptr;
  std::vector<std::string> rows;
  if (sqlite3_open_v2((folder / "case.db").c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
    throw std::runtime_error("no case.db");
  const auto add_row = [](void* context, int count, char** values, char**) {
    std::string row;
    for (int i = 0; i < count; ++i) row += std::string(i ? "|" : "") + (values[i] ? values[i] : "");
    static_cast<std::vector<std::string>*>(context)->push_back(row);
    return 0;
  };
  char* error = nullptr;
  const int rc = sqlite3_exec(db, sql.c_str(), add_row, &rows, &error);
  const std::string message = error ? error : "";
  sqlite3_free(error);
  sqlite3_close(db);
  if (rc != SQLITE_OK) throw std::runtime_error(message);
  return rows;
}

void make_ext4(const fs::path& folder, const fs::path& image, int mebibytes) {
  const RunResult made =
      run({"mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", folder.string(), "-U",
           "11111111-2222-3333-4444-555555555555", "-E", "hash_seed=11111111-2222-3333-4444-555555555555",
           image.string(), std::to_string(mebibytes) + "M"},
          {"E2FSPROGS_FAKE_TIME=1700000000", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"});
  if (made.exit_code != 0) throw std::runtime_error("mke2fs: " + made.error);
}

}  // namespace touchstone::testing

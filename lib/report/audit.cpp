#include "report/audit.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report/output.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kAudit[] = "audit.jsonl";
// What stands for "the line before" in the first line.
const std::string kNoLine(64, '0');

Error io_error(const fs::path& path, const char* doing) {
  return {ErrorCode::io, path.string() + ": " + std::strerror(errno) + " (" + doing + ")"};
}

/// A file descriptor that closes itself, and with that gives back its lock.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// The last whole line; a line that a crash cut short is ended first, so that it stays visible as broken.
Result<std::string> last_line(const fs::path& path, bool* needs_line_end) {
  std::ifstream in(path, std::ios::binary);
  std::string line, last;
  while (std::getline(in, line)) {
    last = line;
    *needs_line_end = in.eof();
  }
  return last;
}

Status write_all(int fd, const std::string& bytes, const fs::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return io_error(path, "writing");
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

}  // namespace

Status append_audit(const std::string& dir, const AuditEntry& entry) {
  const fs::path path = fs::path(dir) / kAudit;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() < 0) return io_error(path, "opening to write");
  if (::flock(file.get(), LOCK_EX) != 0) return io_error(path, "locking");
  bool needs_line_end = false;
  const auto previous = last_line(path, &needs_line_end);
  if (!previous) return previous.error();
  const json line = {{"at", entry.at},
                     {"command", entry.command},
                     {"operator", entry.operator_name},
                     {"outcome", entry.outcome},
                     {"previous", previous->empty() ? kNoLine : report::sha256_hex(*previous)},
                     {"version", entry.version}};
  std::string bytes = needs_line_end ? "\n" : "";
  bytes += line.dump(-1, ' ', false, json::error_handler_t::replace);
  bytes += '\n';
  if (auto status = write_all(file.get(), bytes, path); !status) return status;
  if (::fsync(file.get()) != 0) return io_error(path, "writing to the disk");
  return {};
}

Result<std::vector<std::string>> verify_audit(const std::string& dir) {
  const fs::path path = fs::path(dir) / kAudit;
  std::vector<std::string> breaks;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return breaks;
    return io_error(path, "opening");
  }
  std::string line, previous;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto where = std::string(kAudit) + ":" + std::to_string(number) + ": ";
    const json value = json::parse(line, nullptr, false);
    const std::string expected = number == 1 ? kNoLine : report::sha256_hex(previous);
    if (!value.is_object() || !value.contains("previous")) {
      breaks.push_back(where + "not a line of an audit");
    } else if (value["previous"] != expected) {
      breaks.push_back(where + "does not follow the line before it");
    }
    previous = line;
  }
  return breaks;
}

}  // namespace touchstone

#include "pipeline/apart.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

#include "evidence/exhibit_source.hpp"
#include "pipeline/sandbox.hpp"

namespace touchstone {
namespace {

constexpr std::uint64_t kMemory = 1ULL << 30;
constexpr std::size_t kMostBytes = 16U << 20;

/// What the child sends first: the code of an Error, or this.
constexpr unsigned char kFine = 255;

[[noreturn]] void be_apart(const std::function<Result<std::string>()>& work, unsigned seconds, int out) {
  forbid_network();
  const rlimit cpu{seconds, seconds};
  setrlimit(RLIMIT_CPU, &cpu);
  // Parts of an image may lie anywhere: links beside it lead there. What is read cannot leave this process
  // but as the answer.
  enter_sandbox({"/"}, kMemory);
  std::string answer;
  try {
    const auto result = work();
    answer = result ? std::string(1, static_cast<char>(kFine)) + *result
                    : std::string(1, static_cast<char>(result.error().code)) + result.error().message;
  } catch (const std::bad_alloc&) {
    answer = std::string(1, static_cast<char>(ErrorCode::limit)) + "not enough memory to open it";
  } catch (const std::exception& error) {
    answer = std::string(1, static_cast<char>(ErrorCode::corrupt)) + error.what();
  }
  for (std::size_t done = 0; done < answer.size();) {
    const ssize_t put = write(out, answer.data() + done, answer.size() - done);
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  _exit(0);
}

/// All that comes until the other end closes; false if it does not in time, or is too much.
bool take_answer(int in, unsigned seconds, std::string& answer) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  std::array<char, 65536> block{};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{in, POLLIN, 0};
    const int ready = left > 0 ? poll(&wait, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(in, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    answer.append(block.data(), static_cast<std::size_t>(got));
    if (answer.size() > kMostBytes) return false;
  }
}

std::string end_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return fmt::format("its process ended by signal {} ({})", number, strsignal(number));
  }
  return fmt::format("its process ended with code {}", WEXITSTATUS(status));
}

}  // namespace

Result<std::string> run_apart(const std::function<Result<std::string>()>& work, unsigned seconds) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Error{ErrorCode::io, "no pipe can be had"};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    be_apart(work, seconds, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return Error{ErrorCode::io, "no process can be had"};
  }
  std::string answer;
  const bool whole = take_answer(ends[0], seconds * 10, answer);
  close(ends[0]);
  if (!whole) kill(child, SIGKILL);
  const std::string end = end_of(child);
  if (!whole) return Error{ErrorCode::limit, "opening it took too long, or told too much"};
  if (answer.empty()) return Error{ErrorCode::corrupt, "opening it failed: " + end};
  const auto code = static_cast<unsigned char>(answer[0]);
  answer.erase(0, 1);
  if (code == kFine) return answer;
  // The code comes from a process that evidence may have taken over.
  const bool known = code <= static_cast<unsigned char>(ErrorCode::integrity);
  return Error{known ? static_cast<ErrorCode>(code) : ErrorCode::corrupt, std::move(answer)};
}

Result<std::vector<std::string>> list_exhibit_files_apart(const std::string& path) {
  const auto text = run_apart([&]() -> Result<std::string> {
    const auto files = list_exhibit_files(path);
    if (!files) return files.error();
    std::string names;
    for (const std::string& file : *files) names += file + '\0';
    return names;
  });
  if (!text) return Error{text.error().code, text.error().message};
  std::vector<std::string> files;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = text->find('\0', at);
    if (end == std::string::npos) break;
    files.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return files;
}

}  // namespace touchstone

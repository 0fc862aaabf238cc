#include "pipeline/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "pipeline/sandbox.hpp"
#include "pipeline/worker.hpp"

namespace touchstone {
namespace {

constexpr int kChannelFd = 3;
constexpr int kPageFd = 4;

WorkerPage* own_page = nullptr;

std::uint64_t clock_us(clockid_t clock) {
  timespec now{};
  if (clock_gettime(clock, &now) != 0) return 0;
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
}

void on_no_memory() {
  // Remembered, so that a C library that aborts when malloc fails is reported as what it was.
  if (own_page) own_page->memory_refused.store(1);
  throw std::bad_alloc();
}

std::string close_sandbox(const wire::Config& config) {
  nlohmann::json level = {{"network", "refused before the worker's first instruction"}};
  if (config.sandbox() == "off") return nlohmann::json{{"level", "off"}}.dump();
  const SandboxLevel entered =
      enter_sandbox({config.readable().begin(), config.readable().end()}, config.memory());
  level["level"] = entered.seccomp && entered.landlock_abi > 0 ? "full" : "partial";
  level["seccomp"] = entered.seccomp;
  level["landlock_abi"] = entered.landlock_abi;
  if (!entered.note.empty()) level["note"] = entered.note;
  return level.dump();
}

}  // namespace

std::uint64_t process_cpu_us(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  if (pid != 0 && clock_getcpuclockid(pid, &clock) != 0) return 0;
  return clock_us(clock);
}

std::uint64_t wall_us() {
  return clock_us(CLOCK_MONOTONIC);
}

void PageWatch::start_unit(std::uint64_t unit) {
  spent_us_.assign(spent_us_.size(), 0);
  current_ = -1;
  since_us_ = process_cpu_us(0);
  if (!page_) return;
  page_->memory_refused.store(0);
  page_->plugin.store(-1);
  page_->before_us.store(0);
  page_->entered_us.store(since_us_);
  page_->entered_wall_us.store(wall_us());
  page_->unit.store(unit);
}

void PageWatch::end_unit() {
  if (page_) page_->unit.store(0);
}

void PageWatch::enter(int plugin) {
  const std::uint64_t now = process_cpu_us(0);
  const auto slot = [&](int index) -> std::uint64_t& {
    const auto i = static_cast<std::size_t>(index) + 1;
    if (spent_us_.size() <= i) spent_us_.resize(i + 1, 0);
    return spent_us_[i];
  };
  slot(current_) += now - std::min(now, since_us_);
  current_ = plugin;
  since_us_ = now;
  if (!page_) return;
  page_->before_us.store(slot(plugin));
  page_->entered_us.store(now);
  page_->entered_wall_us.store(wall_us());
  page_->plugin.store(plugin);
}

std::string PageWatch::leave() {
  std::string refused = take_violation();
  enter(-1);
  return refused;
}

int run_worker_process() {
  void* memory = mmap(nullptr, sizeof(WorkerPage), PROT_READ | PROT_WRITE, MAP_SHARED, kPageFd, 0);
  if (memory == MAP_FAILED) return 70;
  own_page = static_cast<WorkerPage*>(memory);
  // The Sleuth Kit reads clocks without a zone by the process's: one without daylight saving loses no hour.
  setenv("TZ", "UTC0", 1);
  std::set_new_handler(on_no_memory);
  PageWatch watch(own_page);
  Channel channel(kChannelFd);
  wire::ToWorker message;
  if (!channel.receive(message) || !message.has_config()) return 70;
  Worker worker(watch, close_sandbox);
  wire::FromWorker answer;
  *answer.mutable_ready() = worker.configure(message.config());
  if (!channel.send(answer)) return 70;
  while (channel.receive(message)) {
    if (!message.has_unit()) return 70;
    watch.start_unit(message.unit().id());
    bool sent = true;
    worker.run(message.unit(), [&](wire::Result& result) {
      wire::FromWorker part;
      part.mutable_result()->Swap(&result);
      sent = channel.send(part) && sent;
      part.mutable_result()->Swap(&result);  // its memory is used again
    });
    watch.end_unit();
    if (!sent) return 70;
  }
  return 0;
}

std::unique_ptr<WorkerHandle> WorkerHandle::spawn(bool sandbox, bool verbose) {
  int sockets[2];
  const int page_fd = memfd_create("touchstone-worker", MFD_CLOEXEC);
  if (page_fd < 0 || ftruncate(page_fd, sizeof(WorkerPage)) != 0 ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    throw std::runtime_error(fmt::format("no worker can be started: {}", std::strerror(errno)));
  }
  void* memory = mmap(nullptr, sizeof(WorkerPage), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no worker can be started: no memory");
  auto* page = new (memory) WorkerPage;
  const pid_t coordinator = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error(fmt::format("no worker can be started: {}", std::strerror(errno)));
  if (pid == 0) {
    // A worker never outlives its coordinator, whatever ends that.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != coordinator) _exit(70);
    // The terminal's Ctrl-C is for the coordinator, which lets workers finish.
    setpgid(0, 0);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    if (!verbose) dup2(null, 2);
    // Moved out of the way first: they may be 3 and 4 already, crosswise.
    const int channel_fd = fcntl(sockets[1], F_DUPFD, 10);
    const int shared_fd = fcntl(page_fd, F_DUPFD, 10);
    dup2(channel_fd, kChannelFd);
    dup2(shared_fd, kPageFd);
    close_range(5, ~0U, 0);
    if (sandbox) forbid_network();
    execl("/proc/self/exe", "touchstone", "worker", nullptr);
    _exit(70);
  }
  close(sockets[1]);
  close(page_fd);
  return std::unique_ptr<WorkerHandle>(new WorkerHandle(Channel(sockets[0]), page, pid));
}

WorkerHandle::~WorkerHandle() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  munmap(page_, sizeof(WorkerPage));
}

void WorkerHandle::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

WorkerHandle::End WorkerHandle::wait() {
  End end;
  int status = 0;
  if (pid_ <= 0) return end;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  end.by_signal = WIFSIGNALED(status);
  end.code = end.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  end.text = end.by_signal ? fmt::format("signal {} ({})", end.code, strsignal(end.code))
                           : fmt::format("exit code {}", end.code);
  return end;
}

}  // namespace touchstone

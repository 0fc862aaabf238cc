// A worker as a process of its own: what runs in it, and what the coordinator holds of it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/channel.hpp"
#include "plugin/session.hpp"

namespace touchstone {

/// Written by the worker, read by the coordinator at any moment: who is to blame, and since when. Lies in
/// memory that both map; plain atomics, no locks.
struct WorkerPage {
  std::atomic<std::uint64_t> unit{0};        ///< being worked on; 0: none
  std::atomic<std::int32_t> plugin{-1};      ///< index; -1: the host
  std::atomic<std::uint64_t> before_us{0};   ///< CPU time this plugin used in this unit before it was entered
  std::atomic<std::uint64_t> entered_us{0};  ///< CPU clock of the process when it was entered
  std::atomic<std::uint64_t> entered_wall_us{0};
  std::atomic<std::uint32_t> memory_refused{0};
};

/// Keeps the page. With no page of its own (jobs 0) it only counts.
class PageWatch final : public Watch {
 public:
  explicit PageWatch(WorkerPage* page) : page_(page) {}
  void start_unit(std::uint64_t unit);
  void end_unit();
  void enter(int plugin) override;
  std::string leave() override;

 private:
  WorkerPage* page_;
  std::vector<std::uint64_t> spent_us_;  ///< by plugin + 1
  int current_ = -1;
  std::uint64_t since_us_ = 0;
};

/// CPU time of a process in microseconds; of this one for pid 0.
std::uint64_t process_cpu_us(pid_t pid);
std::uint64_t wall_us();

/// Body of the hidden command `touchstone worker`: descriptors 3 (channel) and 4 (page). Returns an exit
/// code.
int run_worker_process();

/// A running worker, seen from the coordinator. Kills its process when destroyed.
class WorkerHandle {
 public:
  /// Throws std::runtime_error when no process can be had.
  static std::unique_ptr<WorkerHandle> spawn(bool sandbox, bool verbose);
  ~WorkerHandle();
  WorkerHandle(const WorkerHandle&) = delete;
  WorkerHandle& operator=(const WorkerHandle&) = delete;

  Channel& channel() { return channel_; }
  const WorkerPage& page() const { return *page_; }
  int fd() const { return channel_.fd(); }
  pid_t pid() const { return pid_; }
  void kill();
  /// After the channel ended: waits for the process and says how it ended, e.g. "signal 11 (Segmentation
  /// fault)".
  struct End {
    bool by_signal = false;
    int code = 0;  ///< signal or exit code
    std::string text;
  };
  End wait();

 private:
  WorkerHandle(Channel channel, WorkerPage* page, pid_t pid)
      : channel_(std::move(channel)), page_(page), pid_(pid) {}
  Channel channel_;
  WorkerPage* page_;
  pid_t pid_;
};

}  // namespace touchstone

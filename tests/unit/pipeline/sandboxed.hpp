// Runs something in a child process behind the sandbox and brings back what it said.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "pipeline/sandbox.hpp"
#include "support/under_sanitizers.hpp"

namespace touchstone::test {

/// What a run leaves open beside its exhibits: data that libraries load when they need it.
inline const std::vector<std::string>& library_data() {
  static const std::vector<std::string> paths = {"/usr/share/zoneinfo",
                                                 "/usr/lib/x86_64-linux-gnu/gconv",
                                                 "/usr/lib/aarch64-linux-gnu/gconv",
                                                 "/etc/localtime",
                                                 "/usr/share/misc",
                                                 "/usr/lib/file",
                                                 "/etc/magic"};
  return paths;
}

/// `prepare` runs before the sandbox closes, `act` inside. What `act` returns; "signal N" if the child died
/// of it, "exit N" if it ended otherwise.
inline std::string sandboxed(const std::vector<std::string>& readable, const std::function<void()>& prepare,
                             const std::function<std::string()>& act, std::uint64_t memory = 2ULL << 30) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    if (prepare) prepare();
    const SandboxLevel level = enter_sandbox(readable, memory);
    std::string said = level.seccomp ? act() : "no seccomp: " + level.note;
    if (write(ends[1], said.data(), said.size()) != static_cast<ssize_t>(said.size())) _exit(9);
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char block[4096];
  for (ssize_t got; (got = read(ends[0], block, sizeof block)) > 0;)
    said.append(block, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exit " + std::to_string(WEXITSTATUS(status));
  return said;
}

}  // namespace touchstone::test

// What a worker may no longer do, tried.
#include "pipeline/sandbox.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "unit/evidence/scratch.hpp"
#include "unit/pipeline/sandboxed.hpp"

namespace touchstone {
namespace {

using test::sandboxed;
using test::Scratch;

/// The outcome of a call in words: "ok" or the name of errno, then what the sandbox remembered.
std::string outcome(long result) {
  const int error = errno;
  std::string text = result >= 0       ? "ok"
                     : error == EPERM  ? "EPERM"
                     : error == EACCES ? "EACCES"
                                       : "errno " + std::to_string(error);
  const std::string violation = take_violation();
  return violation.empty() ? text : text + ", " + violation;
}

bool has_landlock() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

TEST(Sandbox, ForbiddenCallsAreRefusedAndNamed) {
  SKIP_UNDER_SANITIZERS();
  const Scratch folder;
  const std::string file = folder.write("there", "x");
  const std::string fresh = folder.path("fresh");
  const std::pair<const char*, std::function<long()>> cases[] = {
      {"socket", [] { return socket(AF_INET, SOCK_STREAM, 0); }},
      {"socket", [] { return socket(AF_UNIX, SOCK_STREAM, 0); }},
      {"openat", [&] { return open(file.c_str(), O_WRONLY); }},
      {"openat", [&] { return open(file.c_str(), O_RDWR); }},
      {"openat", [&] { return open(fresh.c_str(), O_RDONLY | O_CREAT, 0600); }},
      {"openat", [&] { return open(file.c_str(), O_RDONLY | O_TRUNC); }},
      {"open", [&] { return syscall(SYS_open, file.c_str(), O_WRONLY); }},
      {"clone", [] { return fork(); }},
      {"execve", [] { return execl("/bin/true", "true", nullptr); }},
      {"unlink", [&] { return unlink(file.c_str()); }},
      {"rename", [&] { return rename(file.c_str(), fresh.c_str()); }},
      {"mkdir", [&] { return mkdir(fresh.c_str(), 0700); }},
      {"kill", [] { return kill(getppid(), 0); }},
      {"ptrace", [] { return syscall(SYS_ptrace, 16, getppid(), 0, 0); }},
      {"memfd_create", [] { return syscall(SYS_memfd_create, "x", 0); }},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(sandboxed({folder.path(".")}, nullptr, [&] { return outcome(each.second()); }),
              std::string("EPERM, ") + each.first + "() was refused by the sandbox");
  }
  EXPECT_EQ(folder.read("there"), "x");
  EXPECT_NE(access(fresh.c_str(), F_OK), 0);
}

TEST(Sandbox, AViolationIsToldOnceAndCallsGoOn) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed({}, nullptr,
                      [] {
                        std::string said = take_violation() + ";";
                        said += outcome(socket(AF_INET, SOCK_DGRAM, 0)) + ";" + take_violation() + ";";
                        return said + outcome(getpid());
                      }),
            ";EPERM, socket() was refused by the sandbox;;ok");
}

TEST(Sandbox, NoThreadCanBeStarted) {
  SKIP_UNDER_SANITIZERS();
  const std::string said = sandboxed({}, nullptr, [] {
    try {
      std::thread([] {}).join();
      return std::string("started");
    } catch (const std::system_error&) {
      return take_violation();
    }
  });
  // glibc blocks every signal around clone(), and a trap that is blocked ends the process by SIGSYS.
  EXPECT_TRUE(said == "signal " + std::to_string(SIGSYS) || said == "clone() was refused by the sandbox" ||
              said.empty())
      << said;
}

TEST(Sandbox, OtherCallsOutsideTheListJustFail) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed({}, nullptr, [] { return outcome(syscall(SYS_sethostname, "x", 1)); }), "EPERM");
  EXPECT_EQ(sandboxed({}, nullptr,
                      [] {
                        const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
                        return outcome(setrlimit(RLIMIT_DATA, &more));
                      }),
            "EPERM");
}

TEST(Sandbox, OnlyWhatIsListedCanBeRead) {
  SKIP_UNDER_SANITIZERS();
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const Scratch inside, outside;
  inside.write("a", "inside");
  const std::string single = outside.write("single", "one file"), other = outside.write("other", "x");
  const auto read_of = [](const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY);
    if (fd < 0) return outcome(fd);
    char text[32] = {};
    const ssize_t got = read(fd, text, sizeof text);
    close(fd);
    return std::string(text, static_cast<std::size_t>(got));
  };
  const std::vector<std::string> readable = {inside.path("."), single, "/not/there"};
  const std::string said = sandboxed(readable, nullptr, [&] {
    return read_of(inside.path("a")) + ";" + read_of(single) + ";" + read_of(other) + ";" +
           read_of("/etc/passwd") + ";" + outcome(open(outside.path(".").c_str(), O_RDONLY | O_DIRECTORY));
  });
  EXPECT_EQ(said, "inside;one file;EACCES;EACCES;EACCES");
}

TEST(Sandbox, WhatWasOpenBeforeStaysReadable) {
  SKIP_UNDER_SANITIZERS();
  const Scratch folder;
  const std::string path = folder.write("evidence", "bytes");
  int fd = -1;
  EXPECT_EQ(sandboxed(
                {}, [&] { fd = open(path.c_str(), O_RDONLY); },
                [&] {
                  char text[8] = {};
                  return std::string(text, static_cast<std::size_t>(pread(fd, text, 5, 0)));
                }),
            "bytes");
}

TEST(Sandbox, MemoryBeyondTheLimitIsRefusedNotTaken) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed(
                {}, nullptr,
                [] {
                  void* small = std::malloc(32 << 20);   // NOLINT(cppcoreguidelines-no-malloc)
                  void* large = std::malloc(512 << 20);  // NOLINT(cppcoreguidelines-no-malloc)
                  std::string said = std::string(small ? "small" : "none") + (large ? " large" : "");
                  std::free(small);  // NOLINT(cppcoreguidelines-no-malloc)
                  std::free(large);  // NOLINT(cppcoreguidelines-no-malloc)
                  return said;
                },
                256 << 20),
            "small");
}

TEST(Sandbox, AnAbortStillEndsTheProcessByItsSignal) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed({}, nullptr, []() -> std::string { std::abort(); }),
            "signal " + std::to_string(SIGABRT));
  EXPECT_EQ(sandboxed({}, nullptr,
                      []() -> std::string { return *static_cast<volatile char*>(nullptr) ? "?" : ""; }),
            "signal " + std::to_string(SIGSEGV));
}

TEST(Sandbox, TheNetworkIsShutFromTheFirstInstruction) {
  SKIP_UNDER_SANITIZERS();
  const pid_t child = fork();
  if (child == 0) {
    forbid_network();
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) _exit(1);
    if (open("/dev/null", O_WRONLY) < 0) _exit(2);  // no more than the network
    enter_sandbox({}, 0);                           // the second filter still goes on top
    _exit(open("/dev/null", O_WRONLY) < 0 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace touchstone

#include "pipeline/sandbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <initializer_list>

namespace touchstone {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Set by the signal handler: number of the refused system call, -1 for none.
std::atomic<int> refused_call{-1};

void on_forbidden(int, siginfo_t* info, void* context) {
  refused_call.store(info->si_syscall);
  auto* registers = static_cast<ucontext_t*>(context);
#if defined(__x86_64__)
  registers->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  registers->uc_mcontext.regs[0] = static_cast<unsigned long long>(-EPERM);
#else
#error "say here where this processor returns the result of a system call"
#endif
}

// Calls that a plugin has no business with: refused and remembered.
constexpr int kForbidden[] = {SCMP_SYS(socket),
                              SCMP_SYS(socketpair),
                              SCMP_SYS(connect),
                              SCMP_SYS(bind),
                              SCMP_SYS(listen),
                              SCMP_SYS(accept),
                              SCMP_SYS(accept4),
                              SCMP_SYS(execve),
                              SCMP_SYS(execveat),
                              SCMP_SYS(fork),
                              SCMP_SYS(vfork),
                              SCMP_SYS(kill),
                              SCMP_SYS(tkill),
                              SCMP_SYS(ptrace),
                              SCMP_SYS(process_vm_readv),
                              SCMP_SYS(process_vm_writev),
                              SCMP_SYS(creat),
                              SCMP_SYS(unlink),
                              SCMP_SYS(unlinkat),
                              SCMP_SYS(rename),
                              SCMP_SYS(renameat),
                              SCMP_SYS(renameat2),
                              SCMP_SYS(mkdir),
                              SCMP_SYS(mkdirat),
                              SCMP_SYS(rmdir),
                              SCMP_SYS(link),
                              SCMP_SYS(linkat),
                              SCMP_SYS(symlink),
                              SCMP_SYS(symlinkat),
                              SCMP_SYS(truncate),
                              SCMP_SYS(chmod),
                              SCMP_SYS(fchmodat),
                              SCMP_SYS(chown),
                              SCMP_SYS(fchownat),
                              SCMP_SYS(mknod),
                              SCMP_SYS(mknodat),
                              SCMP_SYS(memfd_create),
                              SCMP_SYS(mount),
                              SCMP_SYS(umount2),
                              SCMP_SYS(bpf),
                              SCMP_SYS(io_uring_setup),
                              SCMP_SYS(setns),
                              SCMP_SYS(unshare),
                              SCMP_SYS(keyctl),
                              SCMP_SYS(userfaultfd),
                              SCMP_SYS(perf_event_open),
                              SCMP_SYS(shmget),
                              SCMP_SYS(msgget),
                              SCMP_SYS(semget)};

// What the host and the libraries of the shipped plugins need once everything is loaded; most frequent first.
constexpr int kAllowed[] = {SCMP_SYS(pread64),
                            SCMP_SYS(read),
                            SCMP_SYS(write),
                            SCMP_SYS(mmap),
                            SCMP_SYS(munmap),
                            SCMP_SYS(brk),
                            SCMP_SYS(mremap),
                            SCMP_SYS(madvise),
                            SCMP_SYS(mprotect),
                            SCMP_SYS(lseek),
                            SCMP_SYS(close),
                            SCMP_SYS(fstat),
                            SCMP_SYS(newfstatat),
                            SCMP_SYS(stat),
                            SCMP_SYS(lstat),
                            SCMP_SYS(statx),
                            SCMP_SYS(statfs),
                            SCMP_SYS(fstatfs),
                            SCMP_SYS(access),
                            SCMP_SYS(faccessat),
                            SCMP_SYS(faccessat2),
                            SCMP_SYS(readlink),
                            SCMP_SYS(readlinkat),
                            SCMP_SYS(getdents64),
                            SCMP_SYS(getcwd),
                            SCMP_SYS(readv),
                            SCMP_SYS(writev),
                            SCMP_SYS(preadv),
                            SCMP_SYS(sendmsg),
                            SCMP_SYS(recvmsg),
                            SCMP_SYS(sendto),
                            SCMP_SYS(recvfrom),
                            SCMP_SYS(poll),
                            SCMP_SYS(ppoll),
                            SCMP_SYS(select),
                            SCMP_SYS(pselect6),
                            SCMP_SYS(futex),
                            SCMP_SYS(clock_gettime),
                            SCMP_SYS(clock_getres),
                            SCMP_SYS(gettimeofday),
                            SCMP_SYS(time),
                            SCMP_SYS(nanosleep),
                            SCMP_SYS(clock_nanosleep),
                            SCMP_SYS(getrusage),
                            SCMP_SYS(times),
                            SCMP_SYS(getpid),
                            SCMP_SYS(gettid),
                            SCMP_SYS(getppid),
                            SCMP_SYS(getuid),
                            SCMP_SYS(geteuid),
                            SCMP_SYS(getgid),
                            SCMP_SYS(getegid),
                            SCMP_SYS(getrandom),
                            SCMP_SYS(uname),
                            SCMP_SYS(sysinfo),
                            SCMP_SYS(getrlimit),
                            SCMP_SYS(sched_yield),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(getcpu),
                            SCMP_SYS(rt_sigaction),
                            SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(sigaltstack),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(rseq),
                            SCMP_SYS(membarrier),
                            SCMP_SYS(fadvise64),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group),
                            SCMP_SYS(restart_syscall)};

// The library's own macros for these are compound literals, which C++ does not have.
scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp masked_equals(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void add_open_rules(scmp_filter_ctx filter, int call, unsigned flags_argument) {
  // Reading may be tried (Landlock decides where); writing, creating and truncating may not.
  constexpr std::uint64_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC;
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, masked_equals(flags_argument, kWriting, O_RDONLY));
  for (const std::uint64_t bit : {static_cast<std::uint64_t>(O_WRONLY), static_cast<std::uint64_t>(O_RDWR),
                                  static_cast<std::uint64_t>(O_CREAT), static_cast<std::uint64_t>(O_TRUNC)}) {
    seccomp_rule_add(filter, SCMP_ACT_TRAP, call, 1, masked_equals(flags_argument, bit, bit));
  }
}

bool load_filter() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return false;
  for (const int call : kAllowed) seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  for (const int call : kForbidden) seccomp_rule_add(filter, SCMP_ACT_TRAP, call, 0);
  add_open_rules(filter, SCMP_SYS(openat), 2);
  add_open_rules(filter, SCMP_SYS(open), 1);
  // New processes are remembered. A thread is only refused: glibc starts it with all signals blocked, so the
  // handler could not run.
  seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(clone), 1, masked_equals(0, CLONE_THREAD, 0));
  // glibc tries the newer calls first and falls back when they do not exist.
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);
  // abort() sends itself a signal; isatty() asks the terminal; fcntl only looks.
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                   equals(0, static_cast<scmp_datum_t>(getpid())));
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0);
  for (const int command : {F_GETFL, F_GETFD, F_SETFD, F_GETLK, F_SETLK}) {
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                     equals(1, static_cast<scmp_datum_t>(command)));
  }
  // Limits may be read (glibc does), never set: the new-limit pointer must be null.
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, equals(2, 0));
  const bool loaded = seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded;
}

/// Landlock through its system calls: Debian 12's libc has no wrappers.
int landlock_abi() {
  return static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

std::string restrict_files(const std::vector<std::string>& readable, int abi) {
  constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  landlock_ruleset_attr attributes{};
  // All rights of ABI 1 (bits 0-12), then one more an ABI: REFER (2), TRUNCATE (3).
  attributes.handled_access_fs = (1ULL << 13) - 1;
  if (abi >= 2) attributes.handled_access_fs |= 1ULL << 13;
  if (abi >= 3) attributes.handled_access_fs |= 1ULL << 14;
  const int ruleset =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) return "Landlock refused its rules";
  for (const std::string& path : readable) {
    const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) continue;  // not there: nothing to read
    struct stat info {};
    fstat(fd, &info);
    landlock_path_beneath_attr rule{};
    rule.allowed_access =
        S_ISDIR(info.st_mode) ? kRead : static_cast<std::uint64_t>(LANDLOCK_ACCESS_FS_READ_FILE);
    rule.parent_fd = fd;
    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
  }
  const bool restricted = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  close(ruleset);
  return restricted ? std::string() : "Landlock could not be entered";
}

void set_limit(__rlimit_resource_t resource, rlim_t value) {
  const rlimit limit{value, value};
  setrlimit(resource, &limit);
}

}  // namespace

void forbid_network() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return;
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0);
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(connect), 0);
  seccomp_load(filter);
  seccomp_release(filter);
}

SandboxLevel enter_sandbox(const std::vector<std::string>& readable, std::uint64_t memory) {
  SandboxLevel level;
  if constexpr (kSanitized) {
    level.note = "off: this build has sanitizers, which need memory and system calls that it refuses";
    return level;
  }
  struct sigaction action {};
  action.sa_sigaction = on_forbidden;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSYS, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_FSIZE, 0);
  if (memory != 0) set_limit(RLIMIT_DATA, memory);
  if (const int abi = landlock_abi(); abi > 0) {
    level.note = restrict_files(readable, abi);
    if (level.note.empty()) level.landlock_abi = abi;
  } else {
    level.note = "this kernel has no Landlock: reading outside the list is not prevented";
  }
  level.seccomp = load_filter();
  if (!level.seccomp)
    level.note += level.note.empty() ? "seccomp could not be entered" : "; seccomp could not be entered";
  return level;
}

std::string take_violation() {
  const int call = refused_call.exchange(-1);
  if (call < 0) return {};
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
  std::string text = fmt::format("{}() was refused by the sandbox", name ? name : std::to_string(call));
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): allocated by libseccomp
  return text;
}

}  // namespace touchstone

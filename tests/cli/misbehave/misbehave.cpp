// A plugin for tests that does what a plugin must not, as the item's own text says: "MISBEHAVE crash" and so
// on. It shows that one item and one plugin pay for it, and nothing else.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

namespace {

// So that the optimiser keeps what looks useless.
volatile std::uint64_t sink = 0;

void hoard() {
  std::vector<std::vector<char>> kept;
  while (true) {
    kept.emplace_back(64 << 20);
    std::memset(kept.back().data(), 1, kept.back().size());
    sink = sink + static_cast<std::uint64_t>(kept.back()[0]);
  }
}

void hoard_in_c() {
  while (true) {
    void* memory =
        std::malloc(64 << 20);  // NOLINT(cppcoreguidelines-no-malloc): a C library that does not check
    std::memset(memory, 1, 64 << 20);
    sink = sink + *static_cast<char*>(memory);
  }
}

void misbehave(const std::string& how) {
  if (how == "crash") raise(SIGSEGV);
  if (how == "abort") std::abort();
  if (how == "exit") _exit(0);
  if (how == "loop") {
    while (true) sink = sink + 1;
  }
  if (how == "sleep") {
    while (true) {
      const timespec second{1, 0};
      nanosleep(&second, nullptr);
    }
  }
  if (how == "hoard") hoard();
  if (how == "hoard-c") hoard_in_c();
  if (how == "socket") sink = static_cast<std::uint64_t>(socket(AF_INET, SOCK_STREAM, 0));
  if (how == "write")
    sink = static_cast<std::uint64_t>(open("/tmp/touchstone-misbehaved", O_WRONLY | O_CREAT, 0600));
  if (how == "spawn") sink = static_cast<std::uint64_t>(fork());
  if (how == "throw") throw 42;
}

class Misbehave final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{.name = "misbehave",
                                                  .version = "1.0",
                                                  .summary = "Does what a plugin must not, for tests",
                                                  .licence = "Apache-2.0",
                                                  .roles = TS_ROLE_CLASSIFIER};
  explicit Misbehave(touchstone::Setup& setup) { setup.declare_rule("misbehaved", "1", "Came through"); }

  ts_status begin(touchstone::Job& job) override {
    std::string head(64, '\0');
    const auto got = job.read_at(0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()});
    head.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    constexpr std::string_view kMark = "MISBEHAVE ";
    if (!head.starts_with(kMark)) return TS_DONE;
    misbehave(head.substr(kMark.size(), head.find('\n') - kMark.size()));
    job.emit_finding(1000, {.rule = "misbehaved",
                            .category = "test",
                            .title = "Came through",
                            .detail = "",
                            .position = "",
                            .record_kind = "",
                            .record_key = ""});
    return TS_DONE;
  }
};

}  // namespace

TOUCHSTONE_PLUGIN(Misbehave)

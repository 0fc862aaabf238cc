// Carves a file through the plugin, as if it were unallocated space, and writes what it finds: for
// tests/bench/carving.
//   carve_file IMAGE FOLDER
// One line for each file: confidence, complete (1) or a beginning (0), offset, bytes, runs, name.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/plugin_host.hpp"

namespace {

int carve(const char* image, const std::filesystem::path& folder) {
  using namespace touchstone::test;
  const int descriptor = open(image, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    std::perror(image);
    return 1;
  }
  const auto host = PluginHost::load("carving");
  if (!host) return 1;
  TestItem item;
  item.media_type = "application/x-touchstone-unallocated";
  item.size = static_cast<std::uint64_t>(status.st_size);
  item.read_at = [&](std::uint64_t offset, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
    return pread(descriptor, out, capacity, static_cast<off_t>(offset));
  };
  const Outcome listed = host->list(item);
  if (!listed.reason.empty()) std::fprintf(stderr, "%s: %s\n", image, listed.reason.c_str());
  std::filesystem::create_directories(folder);
  for (const TestMember& member : listed.members) {
    const auto detail = nlohmann::json::parse(member.detail);
    std::ofstream out(folder / member.path, std::ios::binary);
    std::vector<char> block(1U << 20U);
    for (const auto& run : detail["runs"]) {
      std::uint64_t at = run[0], left = run[1];
      while (left > 0) {
        const ssize_t got = pread(descriptor, block.data(), std::min<std::uint64_t>(left, block.size()),
                                  static_cast<off_t>(at));
        if (got <= 0) break;
        out.write(block.data(), got);
        at += static_cast<std::uint64_t>(got);
        left -= static_cast<std::uint64_t>(got);
      }
    }
    std::printf("%d %d %llu %llu %zu %s\n", member.confidence, detail["complete"] == true ? 1 : 0,
                static_cast<unsigned long long>(member.offset), static_cast<unsigned long long>(member.size),
                detail["runs"].size(), member.path.c_str());
  }
  close(descriptor);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s IMAGE FOLDER\n", arguments[0]);
    return 2;
  }
  return carve(arguments[1], arguments[2]);
}

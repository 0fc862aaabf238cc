#include "pipeline/folder_digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "evidence/digest.hpp"
#include "evidence/folder_source.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kSamples = 64;
constexpr std::size_t kSampleBytes = 64 * 1024;

/// Some of a stream of names, evenly spread, whatever its length.
class Sampler {
 public:
  void offer(const std::string& path) {
    if (count_++ % stride_ != 0) return;
    kept_.push_back(path);
    if (kept_.size() < 2 * kSamples) return;
    for (std::size_t i = 0; i < kSamples; ++i) kept_[i] = kept_[2 * i];
    kept_.resize(kSamples);
    stride_ *= 2;
  }
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  std::size_t count_ = 0, stride_ = 1;
  std::vector<std::string> kept_;
};

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (names.size() >= kMaxDigestEntries) break;
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string folder_digest(const std::string& path) {
  auto folder = FolderSource::open(path);
  if (!folder) return "unreadable";
  Hasher hasher;
  const auto add = [&](const std::string& text) {
    hasher.update(std::as_bytes(std::span(text)));
    hasher.update(std::as_bytes(std::span("\0", 1)));
  };
  Sampler samples;
  std::size_t entries = 0;
  std::vector<std::string> waiting = {""};
  while (!waiting.empty() && entries < kMaxDigestEntries) {
    const std::string directory = std::move(waiting.back());
    waiting.pop_back();
    for (const std::string& name : names_in(std::string(path).append("/").append(directory))) {
      if (++entries > kMaxDigestEntries) break;
      std::string relative = directory;
      relative += name;
      std::string place = path;
      place.append("/").append(relative);
      struct stat status {};
      if (::lstat(place.c_str(), &status) != 0) continue;
      add(relative);
      // Of a directory only its name: its times change with what is listed here anyway.
      const bool is_directory = S_ISDIR(status.st_mode);
      add(is_directory ? "d"
                       : fmt::format("{} {} {}.{}", status.st_mode & S_IFMT, status.st_size,
                                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
      if (is_directory) waiting.emplace_back(relative).push_back('/');
      if (S_ISREG(status.st_mode)) samples.offer(relative);
    }
  }
  std::vector<std::byte> block(kSampleBytes);
  for (const std::string& each : samples.kept()) {
    auto file = (*folder)->open_file(each);
    if (!file) continue;
    if (const auto got = (*file)->read_at(0, block)) hasher.update(std::span(block).first(*got));
  }
  return fmt::format("{}:{}", entries, hasher.finish().sha256);
}

}  // namespace touchstone

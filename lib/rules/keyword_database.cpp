#include "rules/keyword_database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <span>

#include "evidence/digest.hpp"

namespace touchstone::keyword {
namespace {

namespace fs = std::filesystem;

// Sixty-four hex digits of SHA-256 over what follows, then the serialised database.
constexpr std::size_t kDigest = 64;
constexpr std::uint64_t kMaxCacheFile = 1ULL << 30;
constexpr auto kCacheAge = std::chrono::hours(24 * 60);

std::string sha256(std::string_view bytes) {
  Hasher hasher;
  hasher.update(std::as_bytes(std::span(bytes.data(), bytes.size())));
  return hasher.finish().sha256;
}

/// A name made of all that the compiled bytes depend on: the expressions, the library and the processor.
std::string cache_file(const std::string& folder, const std::vector<Expression>& expressions, unsigned mode) {
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  std::string key = fmt::format("{} {} {} {}\n", hs_version(), mode, platform.tune, platform.cpu_features);
  for (const Expression& each : expressions)
    key += fmt::format("{} {} {}\n", each.flags, each.pattern.size(), each.pattern);
  return folder + "/keywords-" + sha256(key) + ".hsdb";
}

/// Only what this user wrote, whole and unchanged.
bool read_cache(const std::string& path, DatabasePtr& database) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct stat info {};
  std::string bytes;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
      (info.st_mode & 022) == 0 && info.st_size > static_cast<off_t>(kDigest) &&
      static_cast<std::uint64_t>(info.st_size) < kMaxCacheFile) {
    bytes.resize(static_cast<std::size_t>(info.st_size));
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got = ::read(fd, bytes.data() + have, bytes.size() - have);
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
  }
  close(fd);
  if (bytes.size() <= kDigest) return false;
  const std::string_view body = std::string_view(bytes).substr(kDigest);
  if (std::string_view(bytes).substr(0, kDigest) != sha256(body)) return false;
  hs_database_t* raw = nullptr;
  if (hs_deserialize_database(body.data(), body.size(), &raw) != HS_SUCCESS) return false;
  database.reset(raw);
  return true;
}

void remove_old(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".hsdb") continue;
    const auto written = entry.last_write_time(error);
    if (!error && fs::file_time_type::clock::now() - written > kCacheAge) fs::remove(entry.path(), error);
  }
}

/// A cache that cannot be written is no cache: nothing depends on it.
void write_cache(const std::string& path, const hs_database_t& database) {
  char* serialised = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(&database, &serialised, &size) != HS_SUCCESS) return;
  const std::unique_ptr<char, decltype(&std::free)> owner(serialised, &std::free);
  const std::string text = sha256({serialised, size}).append(serialised, size);
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  remove_old(folder);
  std::string temporary = path + ".XXXXXX";
  const int fd = mkstemp(temporary.data());  // mode 0600
  if (fd < 0) return;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t put = ::write(fd, text.data() + done, text.size() - done);
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  close(fd);
  if (done != text.size() || std::rename(temporary.c_str(), path.c_str()) != 0) unlink(temporary.c_str());
}

}  // namespace

std::optional<std::pair<std::size_t, std::string>> compile_all(const std::vector<Expression>& expressions,
                                                               const KeywordMatcher::Options& options,
                                                               DatabasePtr& database) {
  std::vector<const char*> patterns;
  std::vector<unsigned> flags, ids;
  for (const Expression& expression : expressions) {
    patterns.push_back(expression.pattern.c_str());
    flags.push_back(expression.flags);
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  const unsigned mode = options.streaming ? HS_MODE_STREAM | HS_MODE_SOM_HORIZON_LARGE : HS_MODE_BLOCK;
  const std::string cached = options.cache.empty() ? "" : cache_file(options.cache, expressions, mode);
  if (!cached.empty() && read_cache(cached, database)) return std::nullopt;
  hs_database_t* raw = nullptr;
  hs_compile_error_t* raw_error = nullptr;
  const hs_error_t code =
      hs_compile_multi(patterns.data(), flags.data(), ids.data(), static_cast<unsigned>(patterns.size()),
                       mode, nullptr, &raw, &raw_error);
  const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> error(raw_error);
  database.reset(raw);
  if (code == HS_SUCCESS) {
    if (!cached.empty() && options.fill_cache) write_cache(cached, *database);
    return std::nullopt;
  }
  const int index = error ? error->expression : -1;
  return std::pair(index < 0 ? expressions.size() : static_cast<std::size_t>(index),
                   std::string(error ? error->message : "cannot be compiled"));
}

bool search_without_start(Expression& expression) {
  if (!(expression.flags & HS_FLAG_SOM_LEFTMOST)) return false;
  const unsigned flags = expression.flags & ~static_cast<unsigned>(HS_FLAG_SOM_LEFTMOST);
  const std::string bound = "\\A(?:" + expression.pattern + ")\\z";
  hs_database_t* raw = nullptr;
  hs_compile_error_t* raw_error = nullptr;
  hs_compile(bound.c_str(), flags, HS_MODE_BLOCK, nullptr, &raw, &raw_error);
  const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> error(raw_error);
  if (!raw) return false;
  expression.start_finder.reset(raw, DatabaseDeleter());
  expression.flags = flags;
  return true;
}

}  // namespace touchstone::keyword

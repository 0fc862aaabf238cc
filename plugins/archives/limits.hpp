// What the plugin does at most for one container, so that no archive costs more than it is worth. Each limit
// that is reached is a problem "limit" of the container; docs/plugins.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>

namespace touchstone::archives {

/// Backups of whole phones and computers hold a few hundred thousand files; a million rows are some 300 MB of
/// case.db.
inline constexpr std::uint32_t kMaxMembers = 1'000'000;
/// PATH_MAX of Linux. Longer ones are cut, as no system made a file of them.
inline constexpr std::size_t kMaxPathBytes = 4096;
/// Names that the list of one container keeps in memory here and in the host.
inline constexpr std::uint64_t kMaxPathBytesInAll = 256ULL << 20U;
/// Below this a container may have any ratio: images of nearly empty disks, logs and databases pack a
/// thousand to one.
inline constexpr std::uint64_t kFreeBytes = 256ULL << 20U;
/// Above it: real documents and file systems stay below 100 to 1, bombs begin at 1,000 to 1.
inline constexpr std::uint64_t kMaxRatio = 200;
/// A small container yields no more than this …
inline constexpr std::uint64_t kMaxExpandedBytes = 4ULL << 30U;
/// … and one that is large itself up to so many times its own size, so that real backups are read whole.
inline constexpr std::uint64_t kLargeContainerRatio = 4;
/// Entries that cannot be read, or blocks without bytes, one after the other before the rest is given up.
inline constexpr unsigned kMaxIdleSteps = 1000;

/// Bytes that a container of this size may expand to.
std::uint64_t allowed_bytes(std::uint64_t container_size);
std::string limit_text(std::uint64_t container_size);

/// Names as they go to the host: cut at the limit, without the slash of a directory, never empty.
class Names {
 public:
  /// False: no more names.
  bool fit(std::string_view path, std::uint32_t ordinal, std::string& out);
  /// Tells the job if names were cut.
  void report(Job& job) const;

 private:
  std::uint64_t bytes_ = 0, cut_ = 0;
};

}  // namespace touchstone::archives

// What no file shows, as entries of a file system: free space and slack in windows of at most kWindowBytes,
// gathered from byte ranges in order of place. Nothing is copied; a window's bytes are read from the image.
//
//   /$Unallocated   ranges that no file uses; of a volume that nothing reads, all of it
//   /$Slack         from the end of each file to the end of its last block, the ranges of many files in one
//                   window; and what lies between the end of the file system and that of its partition
//
// The ranges are worked out when one of these is first asked for and then kept: kBytesPerRun each. Belongs to
// one thread, as the FileSystem around which it stands.
#pragma once

#include "filesystem/filesystem.hpp"

namespace touchstone {

inline constexpr std::uint64_t kWindowBytes = 64ULL << 20;
/// Ranges kept of a volume, of free space and of slack each; more are left out with a Problem (limit).
inline constexpr std::size_t kMaxRuns = 8'000'000;
inline constexpr std::size_t kBytesPerRun = 32;

/// Sources of windows are also this: where their bytes lie on the volume.
class RunMap {
 public:
  virtual ~RunMap() = default;
  /// Ranges of the volume that make up these bytes of the window and of those that follow, in order.
  virtual std::vector<ByteRange> place_of(std::uint64_t offset, std::uint64_t length) const = 0;
  /// Address of the file whose slack this byte is; empty in free space and behind the file system.
  virtual std::string owner_of(std::uint64_t offset) const = 0;
  /// As ByteSource::read_at(), and beyond the window's end what the windows that follow hold: a file that
  /// begins in this one may end there. Fewer bytes only at the end of the last.
  virtual Result<std::size_t> read_on(std::uint64_t offset, std::span<std::byte> out) = 0;
};

/// Sources of deleted files are also this.
class Recovered {
 public:
  virtual ~Recovered() = default;
  /// Ranges of the file whose blocks are in use by others now, ascending: reading gives what stands there
  /// now, which is not of this file.
  virtual const std::vector<ByteRange>& overwritten() const = 0;
};

/// Ranges as Recovered gives them; none of a source that is not.
std::vector<ByteRange> overwritten_of(const ByteSource& source);

/// The map of a source that FileSystem::open() gave, or null if it is not a window. Lives as long as
/// `source`.
const RunMap* run_map(const ByteSource& source);
/// RunMap::read_on() of a window, read_at() of any other source.
Result<std::size_t> read_on(ByteSource& source, std::uint64_t offset, std::span<std::byte> out);

/// `inner` with the two directories in its root. `image` outlives it; `volume` is where `inner` lies in it:
/// what its unallocated() and slack() give counts from there.
std::unique_ptr<FileSystem> with_free_space(std::unique_ptr<FileSystem> inner, ByteSource& image,
                                            ByteRange volume);

/// A volume without any file system that is read here: its root holds nothing but $Unallocated.
std::unique_ptr<FileSystem> open_raw_volume(ByteSource& image, const Volume& volume);

}  // namespace touchstone

// Volumes and files of an exhibit, by The Sleuth Kit over a ByteSource. Handles belong to one thread of one
// process. Nothing here decides what may be looked at: the caller passes every entry through the scope gate
// before it keeps a name of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "model/types.hpp"

namespace touchstone {

/// What opening volumes depends on besides their bytes.
struct VolumeOptions {
  /// IANA name of the zone in which the clock of a FAT or exFAT volume is assumed to have run (their times
  /// are local and have basis assumed); its rules are read from the system's zone database when a file system
  /// is opened.
  std::string zone = "Europe/London";
  Secrets secrets;  ///< tried on encrypted volumes and backups
  /// Add $Unallocated and $Slack to the root (see free_space.hpp), and open volumes whose file system nothing
  /// reads as nothing but that.
  bool free_space = false;
};

/// Bytes of a volume.
struct ByteRange {
  std::uint64_t offset = 0, length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// Partition table of `image` and what lies in each slot: MBR (with extended partitions), GPT, APM, BSD, or
/// none (one volume p0). Gaps between partitions are volumes of state `unallocated`. A slot whose file system
/// nothing here reads has state unsupported (named by signature: btrfs, f2fs, xfs, squashfs …), encrypted
/// (LUKS, BitLocker …) or corrupt, with the reason. Slots of file systems have state `read`. Never fails: an
/// image in which nothing is recognised is one volume p0, state unsupported. pN is the N-th allocated
/// partition in the order of the table (primary before logical ones), uN the N-th unallocated gap in the
/// order of place.
std::vector<Volume> list_volumes(ByteSource& image, std::uint32_t sector_size, std::vector<Problem>& problems,
                                 const VolumeOptions& options = {});

/// A directory entry or other named stream of bytes. `item` is filled but for exhibit and volume parts of its
/// locator: `path` escaped (leading "/"), `address` the file-system address for the locator.
struct Entry {
  std::string path;     ///< escaped as in a locator, from the volume's root, with leading "/"
  std::string address;  ///< "128", NTFS "64-128-1"; what FileSystem::open() takes
  /// False in trees, where the path alone is the locator and twins are told apart by #2, #3.
  bool address_in_locator = true;
  std::string name_raw;  ///< bytes as in the directory
  std::string name;      ///< valid UTF-8
  ItemKind kind = ItemKind::file;
  bool allocated = true;     ///< name and metadata both in use
  bool descend = false;      ///< a directory to list (not "." or ".." or one seen before)
  bool has_content = false;  ///< bytes can be asked for
  std::uint64_t size = 0;
  Times times;
  std::string identity;  ///< of a directory to list: what it is on disk. Forged file systems lead to one
                         ///<  directory by many names; who lists them counts names by this and stops
  std::string detail;    ///< canonical JSON: {"uid":…,"gid":…,"mode":"rw-r--r--","link_target":"…",
                         ///<  "realloc":true (deleted entry whose metadata now belongs to another file),
                         ///<  "orphan":true …}
  std::string note;      ///< what a reviewer must know of a deleted entry's bytes; empty for most
  std::optional<ByteRange>
      window;  ///< the entry is a window of free space or slack: the range is its locator
};

/// A directory to list: its path and address as given by Entry, or the root.
struct DirectoryRef {
  std::string path;     ///< "" for the root
  std::string address;  ///< "" for the root
  /// Addresses of the directories between the root and it, from the top; empty for those in the root.
  /// Directories are listed by different processes, so loops are found by this chain and by no memory of the
  /// FileSystem.
  std::vector<std::string> ancestors;

  /// The reference for a directory that list(*this) gave with `descend`.
  DirectoryRef child(const Entry& entry) const;
};

/// Directories deeper than this are not descended: a Problem (limit) says so.
inline constexpr std::size_t kMaxDirectoryDepth = 512;

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Type as in Volume::filesystem.
  virtual const std::string& type() const = 0;
  /// Calls `sink` for each entry of one directory in the order of the raw name bytes, then address; sink
  /// returns false to stop. Entries "." and ".." are left out; alternate data streams are entries of their
  /// own (kind stream, path "/file:stream" with ":" kept) that follow their file at once; so are HFS+
  /// resource forks and extended attributes. The root also yields TSK's virtual directory of orphans
  /// ("$OrphanFiles"), which may prove empty. An Error means that nothing of an allocated directory could be
  /// listed. A directory already on the way from the root (a loop) is given with descend=false and a Problem.
  /// What could not be read is a Problem (kind corrupt or limit), never silence.
  virtual Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
                      std::vector<Problem>& problems) = 0;
  /// The bytes of an entry; deleted ones as far as their metadata still leads to them. The FileSystem
  /// outlives it.
  virtual Result<std::unique_ptr<ByteSource>> open(const std::string& address) = 0;
  /// Byte ranges of the volume (offsets from its start) that no file uses, ascending and not overlapping,
  /// neighbours joined. An Error means that they cannot be told; a file system that has no such thing (a
  /// tree) gives none. `sink` returns false to stop.
  virtual Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems);
  /// Bytes of the volume that belong to an allocated file and are not part of its content, in any order: from
  /// the end of what was written to the end of the last block. `address`: of the file or stream; empty for
  /// what lies behind the end of the file system itself. As for unallocated() otherwise.
  virtual Status slack(const std::function<bool(ByteRange, const std::string& address)>& sink,
                       std::vector<Problem>& problems);
};

/// Opens the file system in `volume` (offset and size are those of list_volumes()). `image` outlives it. The
/// type comes from the volume. Errors: unsupported and encrypted (with the volume's reason), corrupt, invalid
/// (no such zone).
Result<std::unique_ptr<FileSystem>> open_file_system(ByteSource& image, std::uint32_t sector_size,
                                                     const Volume& volume, const VolumeOptions& options = {});

}  // namespace touchstone

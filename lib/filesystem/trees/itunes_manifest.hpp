// The table of files of an iTunes or Finder backup: Manifest.db (iOS 10 and later) or Manifest.mbdb (iOS 4 to
// 9), decrypted. Owns a copy of it. One thread.
// Forms: Manifest.db has a table Files(fileID, domain, relativePath, flags, file) whose `file` is an
// NSKeyedArchiver list of class MBFile; Manifest.mbdb is described by H. Bhaskar and others ("MBDB and MBDX
// format", theiphonewiki.com, "iTunes Backup").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"
#include "model/types.hpp"

namespace touchstone {

/// A Manifest.db or .mbdb larger than this is not read: it is held in memory. Backups of a million files have
/// half of it.
inline constexpr std::uint64_t kMaxManifest = std::uint64_t{512} << 20;

enum class BackupKind { file, directory, link, unknown };

/// What the manifest says of one name.
struct BackupFile {
  std::string domain, path;  ///< raw bytes
  BackupKind kind = BackupKind::unknown;
  std::string id;  ///< 40 hex digits: the name under which the bytes are stored
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> mode, uid, gid;
  std::optional<std::uint64_t> inode;
  Times times;  ///< created, modified, changed
  std::string link_target;
  std::uint32_t protection_class = 0;
  std::vector<std::byte> key;  ///< wrapped, with the class before it; empty: not encrypted
  std::string digest;          ///< SHA-1 of the stored bytes, hex, where kept
  bool damaged = false;        ///< the name is known, and little else
};

class BackupManifest {
 public:
  /// One name as it stands in the table, without what only read() tells.
  struct Row {
    std::uint64_t place = 0;  ///< for read()
    std::string_view domain, path, id;
    BackupKind kind = BackupKind::unknown;
  };

  virtual ~BackupManifest() = default;
  /// In the order of the table; sink returns false to stop. What cannot be read is a Problem.
  virtual Status for_each(const std::function<bool(const Row&)>& sink, std::vector<Problem>& problems) = 0;
  virtual Result<BackupFile> read(std::uint64_t place) = 0;
};

/// Errors: corrupt (it is none), limit.
Result<std::unique_ptr<BackupManifest>> open_manifest_db(std::vector<std::byte> bytes);
Result<std::unique_ptr<BackupManifest>> open_manifest_mbdb(std::vector<std::byte> bytes);

/// Fills `file` from an MBFile list; false if it is none.
bool read_mbfile(std::vector<std::byte> list, BackupFile& file);

}  // namespace touchstone

// iTunes and Finder backups: a folder (or archive) with Manifest.plist and Manifest.db or Manifest.mbdb,
// whose files stand under hashed names. Seen as a file system of the phone's own names, /DOMAIN/relative
// path; what the manifest does not name stands in /$BackupFiles under its place in the backup, so that
// nothing is lost. Works over any tree: a folder, a zip, a tar. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/trees/itunes_keybag.hpp"

namespace touchstone {

inline constexpr const char* kItunesFileSystem = "itunes_backup";
/// Key derivations of all passwords together are no more than this many rounds, a minute's work: passwords
/// behind it are not tried, and that is said.
inline constexpr std::uint64_t kMaxUnlockRounds = 150'000'000;

struct ItunesBackup {
  DirectoryRef folder;                         ///< of the tree, in which the manifest lies
  std::string database_address, mbdb_address;  ///< empty: there is none
  std::uint64_t database_size = 0, mbdb_size = 0;
  bool log_beside = false;  ///< a Manifest.db-wal with bytes
  bool encrypted = false;
  std::string ios;  ///< "16.1"; may be empty
  std::vector<std::byte> keybag, manifest_key;
  std::map<std::string, std::string> metadata;  ///< device_name, product_type …; valid UTF-8
};

/// The backup in the root of `tree` or in its one folder that is named as iTunes names them (by UDID).
/// Absent: it is none, or there are several (a Problem says so).
std::optional<ItunesBackup> find_itunes_backup(FileSystem& tree, std::vector<Problem>& problems);

/// Tries the passwords. Errors: encrypted (none given, or none fits: the message says which, and what
/// kind of derivation it takes), corrupt, limit.
Result<ItunesKeybag> unlock_itunes_backup(const ItunesBackup& backup, const Secrets& secrets);

/// Completes `volume`, which is the tree's: kind, filesystem, label, metadata, and for a locked backup state
/// and reason. False: it is no backup and `volume` is untouched.
bool describe_itunes_backup(FileSystem& tree, const VolumeOptions& options, Volume& volume,
                            std::vector<Problem>& problems);

/// Errors: not_found (no backup), encrypted, corrupt, limit.
Result<std::unique_ptr<FileSystem>> open_itunes_backup(std::unique_ptr<FileSystem> tree,
                                                       const VolumeOptions& options);

}  // namespace touchstone

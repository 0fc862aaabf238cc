// An Android backup as a tree: its header undone, its tar read at random. Paths stand as they are stored:
// apps/PACKAGE/db/…, apps/PACKAGE/f/…, shared/0/…. Internal to lib/filesystem. One thread.
#pragma once

#include <memory>
#include <optional>

#include "filesystem/filesystem.hpp"

namespace touchstone {

inline constexpr const char* kAdbFileSystem = "adb_backup";

/// The one volume p0 of a file that is an Android backup; absent for other files. Passwords are tried: what
/// does not open has state encrypted and a reason.
std::optional<Volume> find_adb_backup(ByteSource& file, const VolumeOptions& options);

/// Errors: encrypted, corrupt, unsupported, limit. `file` outlives it.
Result<std::unique_ptr<FileSystem>> open_adb_backup(ByteSource& file, const VolumeOptions& options);

}  // namespace touchstone

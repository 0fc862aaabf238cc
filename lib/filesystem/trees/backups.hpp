// Backups of phones among exhibits: trees that are an iTunes backup or a UFDR, and files that are an Android
// backup. Internal to lib/filesystem.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"

namespace touchstone {

/// Completes the volume of a tree (find_tree()) where what lies in it is a backup.
void describe_backup(ByteSource& exhibit, const VolumeOptions& options, Volume& tree,
                     std::vector<Problem>& problems);

/// The one volume of an exhibit that is a backup in one file; absent for others.
std::optional<Volume> find_backup_file(ByteSource& exhibit, const VolumeOptions& options);

/// True for the filesystem names that the two above give.
bool is_backup(const std::string& filesystem);
/// Errors: encrypted, corrupt, unsupported, limit, not_found. `exhibit` outlives it.
Result<std::unique_ptr<FileSystem>> open_backup(ByteSource& exhibit, const Volume& volume,
                                                const VolumeOptions& options);

}  // namespace touchstone

// Exhibits that are trees of files, not images of disks: a folder, a zip, a tar, logical evidence (L01).
// Internal to lib/filesystem.
#pragma once

#include <memory>
#include <optional>

#include "filesystem/filesystem.hpp"

namespace touchstone {

/// The one volume p0, kind "tree", of an exhibit that is a tree (its filesystem is the format: "folder",
/// "zip", "tar", "tar.gz" …); nothing for an image.
std::optional<Volume> find_tree(ByteSource& exhibit);

/// True for the filesystem names that find_tree() gives.
bool is_tree(const std::string& filesystem);

/// Errors: invalid (no such time zone), corrupt, unsupported, limit. `exhibit` outlives it.
Result<std::unique_ptr<FileSystem>> open_tree(ByteSource& exhibit, const Volume& volume,
                                              const VolumeOptions& options);

Result<std::unique_ptr<FileSystem>> open_zip_tree(ByteSource& file, const VolumeOptions& options);
/// `format`: "tar" or a compressed one.
Result<std::unique_ptr<FileSystem>> open_tar_tree(ByteSource& file, const std::string& format);
/// `exhibit` is an ExhibitSource with a file_list().
Result<std::unique_ptr<FileSystem>> open_l01_tree(ByteSource& exhibit);
class FolderSource;
std::unique_ptr<FileSystem> open_folder_tree(const FolderSource& folder);

}  // namespace touchstone

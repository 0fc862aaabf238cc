#include "filesystem/trees/backups.hpp"

#include "filesystem/trees/adb_tree.hpp"
#include "filesystem/trees/itunes_backup.hpp"
#include "filesystem/trees/trees.hpp"
#include "filesystem/trees/ufdr_report.hpp"

namespace touchstone {

void describe_backup(ByteSource& exhibit, const VolumeOptions& options, Volume& tree,
                     std::vector<Problem>& problems) {
  auto opened = open_tree(exhibit, tree, options);
  if (!opened) return;  // told when the tree is listed
  if (describe_itunes_backup(**opened, options, tree, problems)) return;
  describe_ufdr(**opened, tree, problems);
}

std::optional<Volume> find_backup_file(ByteSource& exhibit, const VolumeOptions& options) {
  return find_adb_backup(exhibit, options);
}

bool is_backup(const std::string& filesystem) {
  return filesystem == kItunesFileSystem || filesystem == kAdbFileSystem;
}

Result<std::unique_ptr<FileSystem>> open_backup(ByteSource& exhibit, const Volume& volume,
                                                const VolumeOptions& options) {
  if (volume.filesystem == kAdbFileSystem) return open_adb_backup(exhibit, options);
  const auto tree = find_tree(exhibit);
  if (!tree) return Error{ErrorCode::not_found, "the exhibit is no tree"};
  auto opened = open_tree(exhibit, *tree, options);
  if (!opened) return opened.error();
  return open_itunes_backup(opened.take(), options);
}

}  // namespace touchstone

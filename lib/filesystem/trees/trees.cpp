#include "filesystem/trees/trees.hpp"

#include <algorithm>
#include <array>

#include "evidence/folder_source.hpp"
#include "evidence/tree_format.hpp"

namespace touchstone {

std::optional<Volume> find_tree(ByteSource& exhibit) {
  Volume volume;
  volume.slot = "p0";
  volume.kind = "tree";
  volume.size = exhibit.size();
  volume.state = VolumeState::read;
  auto* image = dynamic_cast<ExhibitSource*>(&exhibit);
  if (image != nullptr && image->file_list() != nullptr) {
    volume.filesystem = "l01";
  } else {
    volume.filesystem =
        dynamic_cast<const FolderSource*>(&exhibit) != nullptr ? "folder" : tree_format(exhibit);
  }
  if (volume.filesystem.empty()) return std::nullopt;
  return volume;
}

bool is_tree(const std::string& filesystem) {
  constexpr std::array kTrees = {"folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "l01"};
  return std::find(kTrees.begin(), kTrees.end(), filesystem) != kTrees.end();
}

Result<std::unique_ptr<FileSystem>> open_tree(ByteSource& exhibit, const Volume& volume,
                                              const VolumeOptions& options) {
  if (volume.filesystem == "l01") return open_l01_tree(exhibit);
  if (volume.filesystem == "zip") return open_zip_tree(exhibit, options);
  if (volume.filesystem != "folder") return open_tar_tree(exhibit, volume.filesystem);
  const auto* folder = dynamic_cast<const FolderSource*>(&exhibit);
  if (folder == nullptr) return Error{ErrorCode::unsupported, "the exhibit is no folder"};
  return open_folder_tree(*folder);
}

}  // namespace touchstone

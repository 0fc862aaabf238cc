// Which reader opens a volume.
#include <algorithm>
#include <array>

#include "filesystem/apfs_volumes.hpp"
#include "filesystem/filesystem.hpp"
#include "filesystem/free_space.hpp"
#include "filesystem/iso_file_system.hpp"
#include "filesystem/trees/backups.hpp"
#include "filesystem/trees/trees.hpp"
#include "filesystem/tsk_open.hpp"
#include "filesystem/volume_layers.hpp"
#include "filesystem/xfs_file_system.hpp"

namespace touchstone {
namespace {

/// What only holds other volumes, which are listed apart.
bool is_holder(const Volume& volume) {
  constexpr std::array<std::string_view, 4> kHolders = {"lvm2", "md-raid", "bsd-disklabel", "sun-disklabel"};
  return std::find(kHolders.begin(), kHolders.end(), volume.filesystem) != kHolders.end() ||
         (volume.filesystem == "apfs" && volume.layer.empty());
}

class EmptyFileSystem : public FileSystem {
 public:
  explicit EmptyFileSystem(std::string type) : type_(std::move(type)) {}
  const std::string& type() const override { return type_; }
  Status list(const DirectoryRef& /*directory*/, const std::function<bool(Entry&&)>& /*sink*/,
              std::vector<Problem>& /*problems*/) override {
    return {};
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return Error{ErrorCode::not_found, "there is no file \"" + address + "\""};
  }

 private:
  std::string type_;
};

Result<std::unique_ptr<FileSystem>> open_xfs_volume(ByteSource& image, const Volume& volume,
                                                    const VolumeOptions& options) {
  auto files = detail::open_xfs(make_window(image, volume.offset, volume.size));
  if (!files || !options.free_space) return files;
  return with_free_space(files.take(), image, {volume.offset, volume.size});
}

Result<std::unique_ptr<FileSystem>> open_iso_volume(ByteSource& image, const Volume& volume,
                                                    const VolumeOptions& options) {
  auto files = detail::open_iso9660(make_window(image, volume.offset, volume.size));
  if (!options.free_space) return files;
  return with_free_space(std::move(files), image, {volume.offset, volume.size});
}

}  // namespace

Status FileSystem::unallocated(const std::function<bool(ByteRange)>& /*sink*/,
                               std::vector<Problem>& /*problems*/) {
  return {};
}

Status FileSystem::slack(const std::function<bool(ByteRange, const std::string&)>& /*sink*/,
                         std::vector<Problem>& /*problems*/) {
  return {};
}

Result<std::unique_ptr<FileSystem>> open_file_system(ByteSource& image, std::uint32_t sector_size,
                                                     const Volume& volume, const VolumeOptions& options) {
  if (volume.state == VolumeState::encrypted) return Error{ErrorCode::encrypted, volume.reason};
  const bool is_read = volume.state == VolumeState::read || volume.state == VolumeState::partly_read;
  if (options.free_space && !is_read && volume.layer.empty()) return open_raw_volume(image, volume);
  if (volume.state == VolumeState::corrupt) return Error{ErrorCode::corrupt, volume.reason};
  if (!is_read) {
    return Error{ErrorCode::unsupported, volume.reason.empty() ? "holds no file system" : volume.reason};
  }
  if (!volume.layer.empty()) return detail::open_layer(image, volume, options);
  if (is_holder(volume)) {
    if (volume.filesystem == "apfs" && options.free_space)
      return with_free_space(detail::open_apfs_container(image, volume), image, {volume.offset, volume.size});
    return std::unique_ptr<FileSystem>(std::make_unique<EmptyFileSystem>(volume.filesystem));
  }
  if (is_tree(volume.filesystem)) return open_tree(image, volume, options);
  if (is_backup(volume.filesystem)) return open_backup(image, volume, options);
  if (volume.filesystem == "xfs") return open_xfs_volume(image, volume, options);
  if (volume.filesystem == "iso9660") return open_iso_volume(image, volume, options);
  return open_tsk_file_system(image, sector_size, volume, options);
}

}  // namespace touchstone

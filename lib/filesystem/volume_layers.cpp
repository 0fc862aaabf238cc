#include "filesystem/volume_layers.hpp"

#include "filesystem/apfs_volumes.hpp"
#include "filesystem/crypt_volumes.hpp"
#include "filesystem/lvm_volumes.hpp"
#include "filesystem/md_volumes.hpp"
#include "filesystem/snapshots.hpp"
#include "filesystem/tsk_open.hpp"
#include "filesystem/xfs_file_system.hpp"

namespace touchstone::detail {

std::vector<Volume> list_layer(ByteSource& image, const TskImage& tsk, Volume& holder,
                               std::vector<Problem>& problems, const VolumeOptions& options) {
  std::vector<Volume> locked;
  if (list_locked(image, holder, locked, problems, options)) return locked;
  if (holder.filesystem == "ntfs") return list_snapshots(image, holder, problems, options);
  if (holder.filesystem == "apfs" && holder.layer.empty()) return list_apfs(tsk, holder, options);
  if (holder.filesystem == "lvm2") return list_lvm(image, tsk, holder, problems);
  return list_md(image, tsk, holder);
}

Result<std::unique_ptr<FileSystem>> open_layer(ByteSource& image, const Volume& volume,
                                               const VolumeOptions& options) {
  if (volume.layer.starts_with("crypt")) return open_in_locked(image, volume, options);
  if (volume.layer == "vss") return open_snapshot(image, volume, options);
  if (volume.layer == "apfs") return open_apfs(image, volume, options);
  if (volume.layer == "lvm2") {
    auto source = open_lvm(image, volume);
    if (!source) return source.error();
    if (volume.filesystem == "xfs") return open_xfs(source.take());
    return open_tsk_inside(source.take(), volume, options);
  }
  return Error{ErrorCode::unsupported, "volumes of the layer \"" + volume.layer + "\" are not read"};
}

}  // namespace touchstone::detail

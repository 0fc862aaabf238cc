#include "filesystem/apfs_volumes.hpp"

#include <fmt/format.h>
#include <tsk/fs/apfs_fs.h>

#include <charconv>

#include "filesystem/tsk_open.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

// A container has room for 100 volumes.
constexpr int kMaxApfsVolumes = 100;

struct PoolCloser {
  void operator()(const TSK_POOL_INFO* pool) const { tsk_pool_close(pool); }
};
using PoolHandle = std::unique_ptr<const TSK_POOL_INFO, PoolCloser>;

PoolHandle open_pool(const TskImage& image, std::uint64_t offset) {
  return PoolHandle(tsk_pool_open_img_sing(image.get(), static_cast<TSK_OFF_T>(offset), TSK_POOL_TYPE_APFS));
}

const TSK_POOL_VOLUME_INFO* volume_number(const TSK_POOL_INFO& pool, int number) {
  const TSK_POOL_VOLUME_INFO* volume = pool.vol_list;
  for (int i = 1; volume != nullptr && i < number; ++i) volume = volume->next;
  return volume;
}

std::string snapshots_of(TSK_FS_INFO& fs) {
  apfs_snapshot_list* list = nullptr;
  std::string text;
  if (tsk_apfs_list_snapshots(&fs, &list) == 0 && list != nullptr) {
    for (std::size_t i = 0; i < list->num_snapshots && i < 10; ++i)
      text += (i == 0 ? "" : ", ") + to_valid_utf8(list->snapshots[i].name);
    if (list->num_snapshots > 0)
      text = fmt::format("{} snapshot{}, whose older states are not read: {}{}", list->num_snapshots,
                         list->num_snapshots == 1 ? "" : "s", text, list->num_snapshots > 10 ? " …" : "");
    tsk_apfs_free_snapshot_list(list);
  }
  tsk_error_reset();
  return text;
}

/// A volume of an open container; the view of the image is closed after the file system.
struct OpenVolume {
  std::unique_ptr<TSK_IMG_INFO, TskCloser> view;
  FsHandle fs;
};

OpenVolume open_in(const TSK_POOL_INFO& pool, const TSK_POOL_VOLUME_INFO& volume, std::uint64_t offset) {
  OpenVolume opened;
  opened.view.reset(pool.get_img_info(&pool, volume.block));
  if (opened.view) {
    opened.fs.reset(tsk_fs_open_img(opened.view.get(), static_cast<TSK_OFF_T>(offset), TSK_FS_TYPE_APFS));
  }
  return opened;
}

/// What lies below a file system of a pool.
struct Below {
  PoolHandle pool;
  std::unique_ptr<TSK_IMG_INFO, TskCloser> view;
};

void describe(const TSK_POOL_INFO& pool, const TSK_POOL_VOLUME_INFO& found, Volume& volume) {
  volume.label = found.desc == nullptr ? "" : to_valid_utf8(found.desc);
  volume.kind = (found.flags & TSK_POOL_VOLUME_FLAG_CASE_SENSITIVE) != 0 ? "APFS volume, case-sensitive"
                                                                         : "APFS volume";
  if ((found.flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED) != 0) {
    volume.state = VolumeState::encrypted;
    volume.reason = "APFS encryption (FileVault): needs its password or recovery key";
    if (found.password_hint != nullptr && found.password_hint[0] != '\0')
      volume.reason += "; password hint: " + to_valid_utf8(found.password_hint);
    return;
  }
  const OpenVolume opened = open_in(pool, found, volume.offset);
  if (!opened.fs) {
    volume.state = VolumeState::corrupt;
    volume.reason = "the APFS volume cannot be opened: " + tsk_error();
    return;
  }
  volume.state = VolumeState::read;
  volume.reason = snapshots_of(*opened.fs);
}

}  // namespace

std::vector<Volume> list_apfs(const TskImage& image, Volume& holder) {
  std::vector<Volume> volumes;
  const PoolHandle pool = open_pool(image, holder.offset);
  if (!pool) {
    holder.state = VolumeState::corrupt;
    holder.reason = "APFS container, but it cannot be opened: " + tsk_error();
    return volumes;
  }
  for (int number = 1; number <= kMaxApfsVolumes; ++number) {
    const TSK_POOL_VOLUME_INFO* found = volume_number(*pool, number);
    if (found == nullptr) break;
    Volume volume;
    volume.slot = holder.slot + "." + std::to_string(number);
    volume.parent_slot = holder.slot;
    volume.offset = holder.offset;
    volume.size = holder.size;
    volume.filesystem = "apfs";
    volume.layer = "apfs";
    describe(*pool, *found, volume);
    volumes.push_back(std::move(volume));
  }
  tsk_error_reset();
  holder.reason = volumes.empty() ? "APFS container without volumes" : "APFS container";
  return volumes;
}

Result<std::unique_ptr<FileSystem>> open_apfs(ByteSource& image, const Volume& volume,
                                              const VolumeOptions& options) {
  int number = 0;
  const std::string last = volume.slot.substr(volume.slot.rfind('.') + 1);
  std::from_chars(last.data(), last.data() + last.size(), number);
  auto tsk = std::make_unique<TskImage>(image, 512);
  if (tsk->get() == nullptr) return Error{ErrorCode::corrupt, tsk_error()};
  auto below = std::make_shared<Below>();
  below->pool = open_pool(*tsk, volume.offset);
  if (!below->pool) return Error{ErrorCode::corrupt, "the APFS container cannot be opened: " + tsk_error()};
  const TSK_POOL_VOLUME_INFO* found = volume_number(*below->pool, number);
  if (found == nullptr) return Error{ErrorCode::not_found, "the APFS container has no volume " + last};
  OpenVolume opened = open_in(*below->pool, *found, volume.offset);
  below->view = std::move(opened.view);
  if (!opened.fs) return Error{ErrorCode::corrupt, "the APFS volume cannot be opened: " + tsk_error()};
  return make_tsk_file_system({std::move(tsk), below, {volume.offset, volume.size}}, std::move(opened.fs),
                              options);
}

}  // namespace touchstone::detail

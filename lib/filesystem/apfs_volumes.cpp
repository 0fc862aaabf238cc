#include "filesystem/apfs_volumes.hpp"

#include <fmt/format.h>
#include <tsk/fs/apfs_fs.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "filesystem/apfs_unlock.hpp"
#include "filesystem/tsk_open.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

// A container has room for 100 volumes.
constexpr int kMaxApfsVolumes = 100;
constexpr std::size_t kMaxSnapshotsNamed = 20;

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

/// " (2024-05-01T10:00:00Z)" of nanoseconds since 1970.
std::string time_of(const apfs_snapshot& snapshot) {
  const auto seconds = static_cast<std::time_t>(snapshot.timestamp / 1'000'000'000);
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return "";
  return fmt::format(" ({:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z)", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string snapshots_of(TSK_FS_INFO& fs) {
  apfs_snapshot_list* list = nullptr;
  std::string text;
  if (tsk_apfs_list_snapshots(&fs, &list) == 0 && list != nullptr) {
    for (std::size_t i = 0; i < list->num_snapshots && i < kMaxSnapshotsNamed; ++i) {
      const apfs_snapshot& one = list->snapshots[i];
      text += (i == 0 ? "" : ", ") + std::string(one.name == nullptr ? "" : to_valid_utf8(one.name)) +
              time_of(one);
    }
    if (list->num_snapshots > 0)
      text = fmt::format("{} snapshot{}, whose older states are not read: {}{}", list->num_snapshots,
                         list->num_snapshots == 1 ? "" : "s", text,
                         list->num_snapshots > kMaxSnapshotsNamed ? " …" : "");
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

/// What lies below a file system of a pool, closed from its end.
struct Below {
  std::unique_ptr<ByteSource> unlocked;  ///< of an encrypted volume
  PoolHandle pool;
  std::unique_ptr<TSK_IMG_INFO, TskCloser> view;
};

struct RunCloser {
  void operator()(TSK_FS_ATTR_RUN* run) const { tsk_fs_attr_run_free(run); }
};

class ApfsContainer : public FileSystem {
 public:
  ApfsContainer(ByteSource& image, ByteRange place) : image_(image), place_(place) {}
  const std::string& type() const override { return type_; }
  Status list(const DirectoryRef& /*directory*/, const std::function<bool(Entry&&)>& /*sink*/,
              std::vector<Problem>& /*problems*/) override {
    return {};
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return Error{ErrorCode::not_found, "there is no file \"" + address + "\""};
  }
  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override;

 private:
  ByteSource& image_;
  ByteRange place_;
  std::string type_ = "apfs";
};

Status ApfsContainer::unallocated(const std::function<bool(ByteRange)>& sink,
                                  std::vector<Problem>& /*problems*/) {
  const TskImage tsk(image_, 512);
  if (tsk.get() == nullptr) return Error{ErrorCode::corrupt, tsk_error()};
  const PoolHandle pool = open_pool(tsk, place_.offset);
  if (!pool) return Error{ErrorCode::corrupt, "the APFS container cannot be opened: " + tsk_error()};
  tsk_error_reset();
  const std::unique_ptr<TSK_FS_ATTR_RUN, RunCloser> runs(tsk_pool_unallocated_runs(pool.get()));
  if (!runs && tsk_error_get_errno() != 0)
    return Error{ErrorCode::corrupt,
                 "which blocks of the APFS container are in use cannot be told: " + tsk_error()};
  std::vector<ByteRange> ranges;
  const std::uint64_t block = pool->block_size;
  const std::uint64_t blocks = block == 0 ? 0 : place_.length / block;
  for (const TSK_FS_ATTR_RUN* run = runs.get(); run != nullptr; run = run->next) {
    if (run->addr >= blocks || run->len == 0) continue;
    ranges.push_back({run->addr * block, std::min<std::uint64_t>(run->len, blocks - run->addr) * block});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  // A damaged space manager may name a block twice.
  ByteRange open;
  for (const ByteRange& range : ranges) {
    const std::uint64_t end = open.offset + open.length;
    if (open.length > 0 && range.offset <= end) {
      open.length = std::max(end, range.offset + range.length) - open.offset;
      continue;
    }
    if (open.length > 0 && !sink(open)) return {};
    open = range;
  }
  if (open.length > 0) sink(open);
  return {};
}

bool is_encrypted(const TSK_POOL_VOLUME_INFO& volume) {
  return (volume.flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED) != 0;
}

/// An encrypted volume that no secret opens, or one that one did.
void describe_locked(const TskImage& image, const TSK_POOL_VOLUME_INFO& found, const Secrets& secrets,
                     Volume& volume) {
  const ApfsUnlocked opened = unlock_apfs(image.source(), {volume.offset, volume.size}, found.block, secrets);
  if (opened.container) {
    volume.kind += ", FileVault " + opened.how;
    volume.state = VolumeState::read;
    return;
  }
  volume.state = VolumeState::encrypted;
  volume.reason = "APFS encryption (FileVault): " +
                  (opened.trouble.empty() ? "needs its password or recovery key" : opened.trouble);
  if (!opened.hint.empty()) volume.reason += "; password hint: " + opened.hint;
}

void describe(const TSK_POOL_INFO& pool, const TSK_POOL_VOLUME_INFO& found, Volume& volume) {
  volume.label = found.desc == nullptr ? "" : to_valid_utf8(found.desc);
  volume.kind = (found.flags & TSK_POOL_VOLUME_FLAG_CASE_SENSITIVE) != 0 ? "APFS volume, case-sensitive"
                                                                         : "APFS volume";
  if (is_encrypted(found)) return;
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

std::vector<Volume> list_apfs(const TskImage& image, Volume& holder, const VolumeOptions& options) {
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
    if (is_encrypted(*found)) describe_locked(image, *found, options.secrets, volume);
    volumes.push_back(std::move(volume));
  }
  tsk_error_reset();
  holder.reason = volumes.empty() ? "APFS container without volumes" : "APFS container";
  return volumes;
}

std::unique_ptr<FileSystem> open_apfs_container(ByteSource& image, const Volume& volume) {
  return std::make_unique<ApfsContainer>(image, ByteRange{volume.offset, volume.size});
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
  std::uint64_t offset = volume.offset;
  if (is_encrypted(*found)) {
    // The pool is opened once more, over bytes in which this volume is not encrypted.
    ApfsUnlocked unlocked = unlock_apfs(image, {volume.offset, volume.size}, found->block, options.secrets);
    if (!unlocked.container)
      return Error{ErrorCode::encrypted, "none of the passwords opens the APFS volume " + last};
    below->pool.reset();
    below->unlocked = std::move(unlocked.container);
    offset = 0;
    tsk = std::make_unique<TskImage>(*below->unlocked, 512);
    below->pool = tsk->get() == nullptr ? nullptr : open_pool(*tsk, offset);
    found = below->pool ? volume_number(*below->pool, number) : nullptr;
    if (found == nullptr)
      return Error{ErrorCode::corrupt, "the APFS container cannot be opened: " + tsk_error()};
  }
  OpenVolume opened = open_in(*below->pool, *found, offset);
  below->view = std::move(opened.view);
  if (!opened.fs) return Error{ErrorCode::corrupt, "the APFS volume cannot be opened: " + tsk_error()};
  return make_tsk_file_system({std::move(tsk), below, {volume.offset, volume.size}}, std::move(opened.fs),
                              options);
}

}  // namespace touchstone::detail

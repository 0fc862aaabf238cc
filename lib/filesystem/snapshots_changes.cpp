#include "filesystem/snapshots_changes.hpp"

#include <tsk/fs/tsk_ntfs.h>

#include <algorithm>
#include <cstring>

#include "filesystem/crypt_bytes.hpp"
#include "filesystem/filesystem.hpp"

namespace touchstone::detail {
namespace {

// Two versions of a file with equal times and sizes are compared byte by byte up to this size; larger ones
// count as different.
constexpr std::uint64_t kMaxCompared = 256ULL << 20;
constexpr TSK_INUM_T kMft = 0, kRoot = NTFS_ROOTINO;

FileHandle open_meta(TSK_FS_INFO& fs, std::uint64_t inode) {
  FileHandle file(tsk_fs_file_open_meta(&fs, nullptr, inode));
  tsk_error_reset();
  return file;
}

const TSK_FS_ATTR* data_of(TSK_FS_FILE& file,
                           std::optional<std::pair<std::uint32_t, std::uint16_t>> attribute) {
  const TSK_FS_ATTR* found =
      attribute ? tsk_fs_file_attr_get_type(&file, static_cast<TSK_FS_ATTR_TYPE_ENUM>(attribute->first),
                                            attribute->second, 1)
                : tsk_fs_file_attr_get(&file);
  tsk_error_reset();
  return found;
}

bool same_times(const TSK_FS_META& a, const TSK_FS_META& b) {
  return a.mtime == b.mtime && a.mtime_nano == b.mtime_nano && a.crtime == b.crtime &&
         a.crtime_nano == b.crtime_nano && a.ctime == b.ctime && a.ctime_nano == b.ctime_nano;
}

bool has_name(const TSK_FS_META& meta, std::uint64_t directory, const std::string& name) {
  for (const TSK_FS_META_NAME_LIST* each = meta.name2; each != nullptr; each = each->next) {
    // The name of a stream is "file:stream".
    const std::string_view known = each->name;
    if (each->par_inode == directory && name.starts_with(known) &&
        (name.size() == known.size() || name[known.size()] == ':'))
      return true;
  }
  return false;
}

/// Where the bytes of a non-resident attribute lie on the volume; asked for ascending offsets.
class Places {
 public:
  Places(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute) : block_(fs.block_size) {
    if ((attribute.flags & TSK_FS_ATTR_NONRES) != 0) run_ = attribute.nrd.run;
  }
  /// The place of byte `offset` and how far its run goes on; nothing in holes.
  std::optional<ByteRange> at(std::uint64_t offset) {
    while (run_ != nullptr && offset >= (run_->offset + run_->len) * block_) run_ = run_->next;
    if (run_ == nullptr || offset < run_->offset * block_) return std::nullopt;
    if ((run_->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0) return std::nullopt;
    const std::uint64_t within = offset - run_->offset * block_;
    return ByteRange{run_->addr * block_ + within, run_->len * block_ - within};
  }

 private:
  std::uint64_t block_;
  const TSK_FS_ATTR_RUN* run_ = nullptr;
};

}  // namespace

const char* to_text(Fate fate) {
  switch (fate) {
    case Fate::same:
      return "same";
    case Fate::changed:
      return "changed";
    case Fate::moved:
      return "moved";
    case Fate::gone:
      return "gone";
  }
  return "";
}

SnapshotChanges::SnapshotChanges(ByteSource& snapshot, ByteSource& live)
    : snapshot_image_(snapshot, 512), live_image_(live, 512) {
  if (snapshot_image_.get() == nullptr || live_image_.get() == nullptr) return;
  snapshot_.reset(tsk_fs_open_img(snapshot_image_.get(), 0, TSK_FS_TYPE_NTFS));
  live_.reset(tsk_fs_open_img(live_image_.get(), 0, TSK_FS_TYPE_NTFS));
}

Result<std::unique_ptr<SnapshotChanges>> SnapshotChanges::make(ByteSource& snapshot, ByteSource& live,
                                                               const ChangedBlocks& changed) {
  std::unique_ptr<SnapshotChanges> made(new SnapshotChanges(snapshot, live));
  if (!made->snapshot_ || !made->live_)
    return Error{ErrorCode::corrupt, "the shadow copy holds no NTFS that can be opened: " + tsk_error()};
  tsk_error_reset();
  made->find_changed(changed);
  if (!made->cut_off_) made->find_above();
  return made;
}

std::uint64_t SnapshotChanges::count_records(ByteSource& volume) {
  const TskImage image(volume, 512);
  if (image.get() == nullptr) return 0;
  const FsHandle fs(tsk_fs_open_img(image.get(), 0, TSK_FS_TYPE_NTFS));
  tsk_error_reset();
  if (!fs) return 0;
  const FileHandle table = open_meta(*fs, kMft);
  if (!table || table->meta == nullptr || table->meta->size < 0) return 0;
  return static_cast<std::uint64_t>(table->meta->size) /
         std::max(1U, reinterpret_cast<const NTFS_INFO*>(fs.get())->mft_rsize_b);
}

void SnapshotChanges::find_changed(const ChangedBlocks& changed) {
  record_size_ = std::max(1U, reinterpret_cast<const NTFS_INFO*>(snapshot_.get())->mft_rsize_b);
  const FileHandle theirs = open_meta(*snapshot_, kMft), ours = open_meta(*live_, kMft);
  if (!theirs || !ours) {
    cut_off_ = true;
    return;
  }
  const TSK_FS_ATTR* then = data_of(*theirs, std::nullopt);
  const TSK_FS_ATTR* now = data_of(*ours, std::nullopt);
  if (then == nullptr || now == nullptr || then->size < 0) {
    cut_off_ = true;
    return;
  }
  records_ = static_cast<std::uint64_t>(then->size) / record_size_;
  // Records in one block are compared together; those in blocks that nobody wrote to, at the same place in
  // both, are the same.
  const std::uint64_t step = std::max<std::uint64_t>(ChangedBlocks::kBlockSize / record_size_, 1);
  Places theirs_at(*snapshot_, *then), ours_at(*live_, *now);
  for (std::uint64_t first = 0; first < records_ && !cut_off_; first += step) {
    const std::uint64_t count = std::min(step, records_ - first);
    const auto a = theirs_at.at(first * record_size_), b = ours_at.at(first * record_size_);
    const std::uint64_t length = count * record_size_;
    const bool untouched = a && b && a->offset == b->offset && a->length >= length && b->length >= length &&
                           !changed.touch(a->offset, length);
    if (!untouched) compare_records(first, count, then, now);
  }
}

void SnapshotChanges::compare_records(std::uint64_t first, std::uint64_t count, const TSK_FS_ATTR* theirs,
                                      const TSK_FS_ATTR* ours) {
  std::vector<std::byte> then(count * record_size_), now(then.size());
  const auto read = [&](const TSK_FS_ATTR* attribute, std::vector<std::byte>& bytes) {
    const ssize_t got =
        tsk_fs_attr_read(attribute, static_cast<TSK_OFF_T>(first * record_size_),
                         reinterpret_cast<char*>(bytes.data()), bytes.size(), TSK_FS_FILE_READ_FLAG_NONE);
    tsk_error_reset();
    return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  };
  const std::size_t have = read(theirs, then), other = read(ours, now);
  for (std::uint64_t i = 0; i < count && (i + 1) * record_size_ <= have; ++i) {
    const std::size_t at = i * record_size_;
    const bool same =
        at + record_size_ <= other && std::memcmp(then.data() + at, now.data() + at, record_size_) == 0;
    if (same) continue;
    // A record that continues another belongs to that one (base record, 48 bits at offset 32).
    std::uint64_t inode = first + i;
    const std::uint64_t base = record_size_ >= 40 ? little(then, at + 32, 6) : 0;
    if (base != 0) inode = base;
    changed_.insert(inode);
  }
  if (changed_.size() > kMaxChanged) {
    cut_off_ = true;
    changed_.clear();
  }
}

void SnapshotChanges::find_above() {
  above_.insert(kRoot);
  // Deleted files whose directory is unknown hang under a directory that TSK makes up.
  above_.insert(TSK_FS_ORPHANDIR_INUM(snapshot_.get()));
  for (const std::uint64_t inode : changed_) {
    std::vector<std::uint64_t> waiting = {inode};
    while (!waiting.empty()) {
      const std::uint64_t one = waiting.back();
      waiting.pop_back();
      const FileHandle file = open_meta(*snapshot_, one);
      if (!file || file->meta == nullptr) continue;
      if (file->meta->type == TSK_FS_META_TYPE_DIR) above_.insert(one);
      for (const TSK_FS_META_NAME_LIST* name = file->meta->name2; name != nullptr; name = name->next) {
        if (above_.insert(name->par_inode).second) waiting.push_back(name->par_inode);
      }
    }
  }
}

Fate SnapshotChanges::fate(std::uint64_t directory, const std::string& name, std::uint64_t inode,
                           bool allocated, std::optional<std::pair<std::uint32_t, std::uint16_t>> attribute) {
  const FileHandle then = open_meta(*snapshot_, inode), now = open_meta(*live_, inode);
  if (!then || then->meta == nullptr) return Fate::gone;
  const bool in_use = now && now->meta != nullptr && (now->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0;
  // The number of an entry goes up when it is given to another file; deleting one does so, too.
  if (!now || now->meta == nullptr || (allocated && !in_use)) return Fate::gone;
  if (now->meta->seq != then->meta->seq) return Fate::gone;
  if (now->meta->size != then->meta->size || !same_times(*now->meta, *then->meta) ||
      !same_content(*then, *now, attribute))
    return Fate::changed;
  if (allocated && !has_name(*now->meta, directory, name)) return Fate::moved;
  return Fate::same;
}

bool SnapshotChanges::same_content(TSK_FS_FILE& then, TSK_FS_FILE& now,
                                   std::optional<std::pair<std::uint32_t, std::uint16_t>> attribute) {
  const TSK_FS_ATTR* a = data_of(then, attribute);
  const TSK_FS_ATTR* b = data_of(now, attribute);
  if (a == nullptr || b == nullptr) return a == b;
  if (a->size != b->size || static_cast<std::uint64_t>(a->size) > kMaxCompared) return false;
  constexpr std::size_t kPiece = 64 * 1024;
  std::vector<char> left(kPiece), right(kPiece);
  for (TSK_OFF_T at = 0; at < a->size; at += static_cast<TSK_OFF_T>(kPiece)) {
    const std::size_t count = std::min<std::uint64_t>(kPiece, static_cast<std::uint64_t>(a->size - at));
    const ssize_t x = tsk_fs_attr_read(a, at, left.data(), count, TSK_FS_FILE_READ_FLAG_NONE);
    const ssize_t y = tsk_fs_attr_read(b, at, right.data(), count, TSK_FS_FILE_READ_FLAG_NONE);
    tsk_error_reset();
    if (x != y) return false;
    if (x <= 0) return true;
    if (std::memcmp(left.data(), right.data(), static_cast<std::size_t>(x)) != 0) return false;
  }
  return true;
}

}  // namespace touchstone::detail

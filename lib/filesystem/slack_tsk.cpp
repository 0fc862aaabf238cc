// Slack of files from The Sleuth Kit's run lists.
#include <algorithm>
#include <exception>

#include "filesystem/free_space_tsk.hpp"

namespace touchstone::detail {
namespace {

using SlackSink = std::function<bool(ByteRange, const std::string&)>;

struct Walk {
  const TSK_FS_INFO& fs;
  std::uint64_t base;
  const SlackSink& sink;
  bool stopped = false;
  std::exception_ptr thrown;
};

bool is_content(const TSK_FS_ATTR& attribute) {
  switch (attribute.type) {
    case TSK_FS_ATTR_TYPE_DEFAULT:
    case TSK_FS_ATTR_TYPE_NTFS_DATA:
    case TSK_FS_ATTR_TYPE_HFS_DATA:
    case TSK_FS_ATTR_TYPE_HFS_RSRC:
      return true;
    default:
      return false;
  }
}

/// False when the sink wants no more.
bool give_attribute(const Walk& walk, TSK_INUM_T inode, const TSK_FS_ATTR& attribute) {
  // Of a compressed file, only unpacking its last unit tells how much of it is used.
  if ((attribute.flags & TSK_FS_ATTR_INUSE) == 0 || (attribute.flags & TSK_FS_ATTR_NONRES) == 0 ||
      (attribute.flags & TSK_FS_ATTR_COMP) != 0 || !is_content(attribute)) {
    return true;
  }
  const std::uint64_t block = walk.fs.block_size;
  // NTFS keeps how far a file was ever written: behind that its blocks hold what was there before, and
  // reading the file gives zeros.
  TSK_OFF_T written = attribute.size;
  if (TSK_FS_TYPE_ISNTFS(walk.fs.ftype)) written = std::min(written, attribute.nrd.initsize);
  const std::uint64_t start =
      static_cast<std::uint64_t>(std::max<TSK_OFF_T>(written, 0)) + attribute.nrd.skiplen;
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr; run = run->next) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0) continue;
    if (run->addr > walk.fs.last_block) continue;
    const std::uint64_t length = std::min(run->len, walk.fs.last_block - run->addr + 1) * block;
    const std::uint64_t run_start = run->offset * block;
    const std::uint64_t from = std::max(start, run_start);
    if (from >= run_start + length) continue;
    const ByteRange range{walk.base + run->addr * block + (from - run_start), run_start + length - from};
    if (!walk.sink(range, attribute_address(walk.fs, inode, attribute))) return false;
  }
  return true;
}

TSK_WALK_RET_ENUM on_file(TSK_FS_FILE* file, void* pointer) {
  auto& walk = *static_cast<Walk*>(pointer);
  try {
    if (file->meta == nullptr || (file->meta->flags & TSK_FS_META_FLAG_ALLOC) == 0) return TSK_WALK_CONT;
    const bool is_file = file->meta->type == TSK_FS_META_TYPE_REG;
    // A directory of NTFS may have streams; elsewhere its blocks are its own to their end.
    if (!is_file && !(TSK_FS_TYPE_ISNTFS(walk.fs.ftype) && TSK_FS_IS_DIR_META(file->meta->type))) {
      return TSK_WALK_CONT;
    }
    const int count = tsk_fs_file_attr_getsize(file);
    for (int i = 0; i < count && !walk.stopped; ++i) {
      const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_idx(file, i);
      if (attribute != nullptr) walk.stopped = !give_attribute(walk, file->meta->addr, *attribute);
    }
    tsk_error_reset();
    return walk.stopped ? TSK_WALK_STOP : TSK_WALK_CONT;
  } catch (...) {
    walk.thrown = std::current_exception();
    return TSK_WALK_STOP;
  }
}

}  // namespace

Status walk_slack(TSK_FS_INFO& fs, std::uint64_t base, std::uint64_t volume_size, const SlackSink& sink) {
  if (!has_block_allocation(fs)) return {};
  Walk walk{fs, base, sink, false, nullptr};
  tsk_error_reset();
  const auto flags = static_cast<TSK_FS_META_FLAG_ENUM>(TSK_FS_META_FLAG_ALLOC | TSK_FS_META_FLAG_USED);
  const bool failed = tsk_fs_meta_walk(&fs, fs.first_inum, fs.last_inum, flags, on_file, &walk) != 0;
  if (walk.thrown) std::rethrow_exception(walk.thrown);
  Status status;
  if (failed) status = Error{ErrorCode::corrupt, "slack is not known of every file: " + tsk_error()};
  tsk_error_reset();
  if (fs.block_count < UINT64_MAX / fs.block_size && !walk.stopped) {
    const std::uint64_t end = base + fs.block_count * fs.block_size;
    if (end < volume_size) sink({end, volume_size - end}, "");
  }
  return status;
}

}  // namespace touchstone::detail

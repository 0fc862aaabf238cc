#include "filesystem/free_space_tsk.hpp"

#include <algorithm>

namespace touchstone::detail {
namespace {

/// Ranges of one deleted file that are told apart.
constexpr std::size_t kMaxOverwritten = 4096;

/// Joins neighbouring blocks.
struct Joiner {
  const std::function<bool(ByteRange)>& sink;
  std::uint64_t base, block;
  ByteRange open;
  bool stopped = false;

  bool add(std::uint64_t address) {
    const std::uint64_t offset = base + address * block;
    if (open.length > 0 && open.offset + open.length == offset) {
      open.length += block;
      return true;
    }
    if (!flush()) return false;
    open = {offset, block};
    return true;
  }
  bool flush() {
    if (open.length > 0 && !stopped) stopped = !sink(open);
    open = {};
    return !stopped;
  }
};

TSK_WALK_RET_ENUM on_block(const TSK_FS_BLOCK* block, void* pointer) {
  // No exception may cross TSK: what the sink throws (out of memory) ends the walk and is thrown again behind
  // it.
  auto& [joiner, thrown] = *static_cast<std::pair<Joiner, std::exception_ptr>*>(pointer);
  try {
    return joiner.add(block->addr) ? TSK_WALK_CONT : TSK_WALK_STOP;
  } catch (...) {
    thrown = std::current_exception();
    return TSK_WALK_STOP;
  }
}

/// Parts of a range of the volume that no range of `free` covers.
template <typename Each>
void each_used(ByteRange range, const std::vector<ByteRange>& free, const Each& each) {
  std::uint64_t at = range.offset;
  const std::uint64_t end = range.offset + range.length;
  auto next = std::upper_bound(free.begin(), free.end(), at, [](std::uint64_t value, const ByteRange& one) {
    return value < one.offset + one.length;
  });
  for (; next != free.end() && next->offset < end; ++next) {
    if (next->offset > at) each(ByteRange{at, next->offset - at});
    at = std::max(at, next->offset + next->length);
  }
  if (at < end) each(ByteRange{at, end - at});
}

void join(std::vector<ByteRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::vector<ByteRange> joined;
  for (const ByteRange& range : ranges) {
    if (!joined.empty() && joined.back().offset + joined.back().length >= range.offset) {
      const std::uint64_t end =
          std::max(joined.back().offset + joined.back().length, range.offset + range.length);
      joined.back().length = end - joined.back().offset;
    } else {
      joined.push_back(range);
    }
  }
  ranges = std::move(joined);
}

}  // namespace

bool has_block_allocation(const TSK_FS_INFO& fs) {
  return !TSK_FS_TYPE_ISYAFFS2(fs.ftype) && fs.ftype != TSK_FS_TYPE_APFS && fs.ftype != TSK_FS_TYPE_SWAP &&
         fs.ftype != TSK_FS_TYPE_RAW && fs.block_pre_size == 0 && fs.block_post_size == 0 &&
         fs.block_size > 0;
}

Status walk_free_blocks(TSK_FS_INFO& fs, std::uint64_t base, const std::function<bool(ByteRange)>& sink) {
  if (!has_block_allocation(fs)) return {};
  std::pair<Joiner, std::exception_ptr> state{Joiner{sink, base, fs.block_size, {}, false}, nullptr};
  tsk_error_reset();
  const auto flags =
      static_cast<TSK_FS_BLOCK_WALK_FLAG_ENUM>(TSK_FS_BLOCK_WALK_FLAG_UNALLOC | TSK_FS_BLOCK_WALK_FLAG_AONLY);
  // Not beyond what is there: a file system may claim more blocks than the image has bytes.
  const TSK_DADDR_T last = std::min(fs.last_block, fs.last_block_act);
  const bool failed =
      fs.first_block <= last && tsk_fs_block_walk(&fs, fs.first_block, last, flags, on_block, &state) != 0;
  if (state.second) std::rethrow_exception(state.second);
  state.first.flush();
  if (failed) {
    return Error{ErrorCode::corrupt, "which blocks are in use cannot be told to the end: " + tsk_error()};
  }
  tsk_error_reset();
  return {};
}

std::vector<ByteRange> overwritten_ranges(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute,
                                          std::uint64_t base, const std::vector<ByteRange>& free) {
  std::vector<ByteRange> ranges;
  if ((attribute.flags & TSK_FS_ATTR_NONRES) == 0 || attribute.size <= 0 || !has_block_allocation(fs)) {
    return ranges;
  }
  const std::uint64_t block = fs.block_size;
  const auto size = static_cast<std::uint64_t>(attribute.size);
  const std::uint64_t skip = attribute.nrd.skiplen;
  // Of a compressed file whole units are lost with any of their clusters.
  const bool compressed = (attribute.flags & TSK_FS_ATTR_COMP) != 0;
  const std::uint64_t unit = compressed ? std::max<std::uint64_t>(1, attribute.nrd.compsize) * block : 1;
  std::size_t seen = 0;
  std::uint64_t led_to = 0, used_bytes = 0;
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr; run = run->next) {
    if (ranges.size() >= kMaxOverwritten || ++seen > fs.block_count) {
      ranges.push_back({ranges.empty() ? 0 : ranges.back().offset, size});
      led_to = UINT64_MAX;
      break;
    }
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0) continue;
    const std::uint64_t start = run->offset * block;  // of the content, before `skip`
    if (start >= size + skip || run->addr > fs.last_block) continue;
    const std::uint64_t length = std::min(run->len, fs.last_block - run->addr + 1) * block;
    led_to += length;
    each_used({base + run->addr * block, length}, free, [&](ByteRange used) {
      used_bytes += used.length;
      std::uint64_t from = start + (used.offset - (base + run->addr * block));
      std::uint64_t to = from + used.length;
      from -= std::min(from, skip);
      to -= std::min(to, skip);
      from = from / unit * unit;
      to = std::min(size, (to + unit - 1) / unit * unit);
      if (from < to && ranges.size() < kMaxOverwritten) ranges.push_back({from, to - from});
    });
  }
  // Also where the run list ends early (FAT, whose chains are cleared): of what there is, nothing is left.
  if (used_bytes > 0 && used_bytes == led_to) return {{0, size}};
  join(ranges);
  if (!ranges.empty()) ranges.back().length = std::min(ranges.back().length, size - ranges.back().offset);
  return ranges;
}

std::string attribute_address(const TSK_FS_INFO& fs, TSK_INUM_T inode, const TSK_FS_ATTR& attribute) {
  // HFS+ has more than one attribute a file as well, but its data fork is what the inode stands for.
  if (!TSK_FS_TYPE_ISNTFS(fs.ftype) && attribute.type != TSK_FS_ATTR_TYPE_HFS_RSRC)
    return std::to_string(inode);
  return std::to_string(inode) + "-" + std::to_string(static_cast<unsigned>(attribute.type)) + "-" +
         std::to_string(attribute.id);
}

}  // namespace touchstone::detail

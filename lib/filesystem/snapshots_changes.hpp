// Which files of a shadow copy differ from those of the live volume. Private to snapshots*.cpp. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "filesystem/snapshots_vss.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// What became of a file of the shadow copy on the live volume.
enum class Fate { same, changed, moved, gone };
const char* to_text(Fate fate);

/// NTFS of a shadow copy against the live one. Both sources outlive it.
class SnapshotChanges {
 public:
  /// Compares the two master file tables where blocks were written since. Errors: corrupt (no NTFS).
  static Result<std::unique_ptr<SnapshotChanges>> make(ByteSource& snapshot, ByteSource& live,
                                                       const ChangedBlocks& changed);

  /// How many records the master file table of a volume has; 0 if it holds no NTFS.
  static std::uint64_t count_records(ByteSource& volume);

  std::uint64_t records() const { return records_; }  ///< in the shadow copy's table
  std::uint64_t changed_records() const { return changed_.size(); }
  bool cut_off() const { return cut_off_; }  ///< more changed than kMaxChanged: all count as changed
  bool record_changed(std::uint64_t inode) const { return cut_off_ || changed_.contains(inode); }
  /// True for a directory under which something changed, and for the root.
  bool leads_to_change(std::uint64_t directory) const { return cut_off_ || above_.contains(directory); }
  /// Of the name `name` in `directory`, whose metadata record is `inode` and whose bytes are in the attribute
  /// given. Only for changed records; the others are the same.
  Fate fate(std::uint64_t directory, const std::string& name, std::uint64_t inode, bool allocated,
            std::optional<std::pair<std::uint32_t, std::uint16_t>> attribute);

  /// Beyond this many changed records every one counts as changed.
  static constexpr std::size_t kMaxChanged = 500'000;

 private:
  SnapshotChanges(ByteSource& snapshot, ByteSource& live);
  void find_changed(const ChangedBlocks& changed);
  void compare_records(std::uint64_t first, std::uint64_t count, const TSK_FS_ATTR* theirs,
                       const TSK_FS_ATTR* ours);
  void find_above();
  bool same_content(TSK_FS_FILE& then, TSK_FS_FILE& now,
                    std::optional<std::pair<std::uint32_t, std::uint16_t>> attribute);

  TskImage snapshot_image_, live_image_;
  FsHandle snapshot_, live_;
  std::uint64_t record_size_ = 1024, records_ = 0;
  std::set<std::uint64_t> changed_, above_;
  bool cut_off_ = false;
};

}  // namespace touchstone::detail

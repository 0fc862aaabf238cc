// From TSK's name and metadata to an Entry. Private to tsk_*.cpp.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "filesystem/ext_layout.hpp"
#include "filesystem/filesystem.hpp"
#include "filesystem/ntfs_reparse.hpp"
#include "filesystem/time_zone.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// What a file system's entries have in common.
struct EntryContext {
  bool ntfs = false;
  bool hfs = false;
  bool ext = false;
  bool apfs = false;
  bool local_times =
      false;  ///< FAT, exFAT and ISO 9660: times are local; TSK ignores offsets stored beside them
  bool day_accessed = false;  ///< FAT: the access time is a date
  TimeZone zone;
  std::optional<ExtLayout> ext_layout;
};

/// A name in a directory with the metadata that it leads to, if that can be read. TSK's tsk_fs_dir_get()
/// leaves the metadata of many deleted NTFS names and FAT orphans out, so the two are brought together here,
/// as fls does.
struct Found {
  const TSK_FS_NAME& name;
  TSK_FS_FILE* file = nullptr;
  const TSK_FS_META* meta() const { return file == nullptr ? nullptr : file->meta; }
};

/// The entry itself: name, kind, state, times, detail.
/// Path and descend are left to the caller.
Entry make_entry(const EntryContext& context, const Found& found, bool orphan);

/// Alternate data streams, resource fork and extended attributes of the same file as entries of their own.
std::vector<Entry> make_stream_entries(const EntryContext& context, const Found& found, const Entry& owner);

/// The reparse point of an NTFS file; its kind is empty if it has none.
ReparsePoint reparse_point(TSK_FS_FILE* file);

/// Why the bytes of `file` mean nothing without a key that is not on the volume (fscrypt, EFS); empty if they
/// do. `attribute` may be null.
std::string locked_content(const EntryContext& context, const TSK_FS_FILE& file,
                           const TSK_FS_ATTR* attribute);

/// What is known of TSK's rule for walking into a directory: names and metadata must agree that it is one,
/// and a deleted name must not lead into a directory that now belongs to somebody else.
bool is_own_directory(const Found& found);

/// One component of a path, escaped: a "/" inside a name is escaped too.
std::string escape_component(std::string_view raw);

}  // namespace touchstone::detail

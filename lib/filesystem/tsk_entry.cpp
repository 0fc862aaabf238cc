#include "filesystem/tsk_entry.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "evidence/integers.hpp"
#include "filesystem/entry_text.hpp"
#include "filesystem/ntfs_reparse.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr TSK_INUM_T kNtfsBadClusters = 8;

/// TSK turns local FAT times into UTC with TZ of the process; this takes that back and applies the given zone
/// instead.
std::int64_t assumed_utc(const TimeZone& zone, std::time_t by_process_zone) {
  struct tm parts {};
  if (::localtime_r(&by_process_zone, &parts) == nullptr) return by_process_zone;
  return zone.to_utc(::timegm(&parts));
}

std::optional<TimeUs> time_of(const EntryContext& context, std::time_t seconds, std::uint32_t nanoseconds) {
  // File systems write 0 where they have no time.
  if (seconds == 0 && (nanoseconds == 0 || context.local_times)) return std::nullopt;
  const std::int64_t utc = context.local_times ? assumed_utc(context.zone, seconds) : std::int64_t{seconds};
  constexpr std::int64_t kLimit = std::int64_t{1} << 43;  // microseconds stay inside 64 bits
  if (utc > kLimit || utc < -kLimit) return std::nullopt;
  return utc * 1'000'000 + nanoseconds / 1000 % 1'000'000;
}

std::optional<TimeUs> file_time(std::span<const std::byte> bytes, std::size_t at) {
  constexpr std::int64_t kUnixEpoch = 116'444'736'000'000'000, kTicks = 10;  // of 100 ns, from 1601
  const auto value = static_cast<std::int64_t>(little(bytes, at, 8));
  if (value <= 0) return std::nullopt;
  const std::int64_t since = value - kUnixEpoch;
  return since / kTicks - (since % kTicks < 0 ? 1 : 0);
}

/// Of $STANDARD_INFORMATION, since TSK keeps 32 bits of seconds from 1970.
std::optional<Times> ntfs_times(TSK_FS_FILE* file) {
  std::array<std::byte, 32> raw{};
  const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_SI, 0, 0);
  const ssize_t got = attribute == nullptr
                          ? -1
                          : tsk_fs_attr_read(attribute, 0, reinterpret_cast<char*>(raw.data()), raw.size(),
                                             TSK_FS_FILE_READ_FLAG_NONE);
  tsk_error_reset();
  if (got != static_cast<ssize_t>(raw.size())) return std::nullopt;
  return Times{file_time(raw, 0), file_time(raw, 8), file_time(raw, 24), file_time(raw, 16), TimeBasis::utc};
}

Times times_of(const EntryContext& context, const TSK_FS_META& meta) {
  Times times;
  times.created = time_of(context, meta.crtime, meta.crtime_nano);
  times.modified = time_of(context, meta.mtime, meta.mtime_nano);
  times.accessed = time_of(context, meta.atime, meta.atime_nano);
  times.changed = time_of(context, meta.ctime, meta.ctime_nano);
  times.basis = context.local_times ? TimeBasis::assumed : TimeBasis::utc;
  return times;
}

const char* special_type(TSK_FS_META_TYPE_ENUM type) {
  switch (type) {
    case TSK_FS_META_TYPE_FIFO:
      return "fifo";
    case TSK_FS_META_TYPE_CHR:
      return "character_device";
    case TSK_FS_META_TYPE_BLK:
      return "block_device";
    case TSK_FS_META_TYPE_SOCK:
      return "socket";
    case TSK_FS_META_TYPE_SHAD:
      return "shadow";
    case TSK_FS_META_TYPE_WHT:
      return "whiteout";
    default:
      return nullptr;
  }
}

ItemKind kind_of(const Found& found) {
  // TSK shows the volume label of FAT and exFAT as an entry of the root directory.
  if (found.name.name != nullptr && std::string_view(found.name.name).ends_with(" (Volume Label Entry)")) {
    return ItemKind::virtual_;
  }
  if (found.meta() != nullptr) {
    switch (found.meta()->type) {
      case TSK_FS_META_TYPE_DIR:
        return ItemKind::directory;
      case TSK_FS_META_TYPE_LNK:
        return ItemKind::link;
      case TSK_FS_META_TYPE_VIRT:
      case TSK_FS_META_TYPE_VIRT_DIR:
        return ItemKind::virtual_;
      case TSK_FS_META_TYPE_UNDEF:
        break;
      default:
        return ItemKind::file;
    }
  }
  switch (found.name.type) {
    case TSK_FS_NAME_TYPE_DIR:
      return ItemKind::directory;
    case TSK_FS_NAME_TYPE_LNK:
      return ItemKind::link;
    case TSK_FS_NAME_TYPE_VIRT:
    case TSK_FS_NAME_TYPE_VIRT_DIR:
      return ItemKind::virtual_;
    default:
      return ItemKind::file;
  }
}

bool is_reallocated(const Found& found) {
  return found.meta() != nullptr && (found.name.flags & TSK_FS_NAME_FLAG_UNALLOC) != 0 &&
         (found.meta()->flags & TSK_FS_META_FLAG_ALLOC) != 0;
}

/// The NTFS record has been used by another file since this name was deleted (and is free again): deleting a
/// file raises the record's sequence number by one.
bool is_reused(const Found& found) {
  return found.meta() != nullptr && !is_reallocated(found) && found.name.meta_seq != 0 &&
         found.meta()->seq != found.name.meta_seq && found.meta()->seq != found.name.meta_seq + 1;
}

bool has_bytes(const Found& found) {
  return found.meta() != nullptr && !is_reallocated(found) &&
         (found.meta()->type == TSK_FS_META_TYPE_REG || found.meta()->type == TSK_FS_META_TYPE_VIRT);
}

/// The attribute that stands for the entry itself in NTFS: the unnamed data stream or a directory's index.
const TSK_FS_ATTR* main_attribute(const Found& found) {
  if (found.meta() == nullptr) return nullptr;
  if (!TSK_FS_IS_DIR_META(found.meta()->type)) {
    const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get(found.file);
    // Where there is no unnamed stream TSK takes a named one ($Secure:$SDS), which is an entry of its own.
    const bool named = attribute != nullptr && attribute->name != nullptr && attribute->name[0] != '\0' &&
                       std::string_view(attribute->name) != "$Data";
    return named ? nullptr : attribute;
  }
  const int count = tsk_fs_file_attr_getsize(found.file);
  for (int i = 0; i < count; ++i) {
    const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_idx(found.file, i);
    if (attribute != nullptr && attribute->type == TSK_FS_ATTR_TYPE_NTFS_IDXROOT &&
        attribute->name != nullptr && std::string_view(attribute->name) == "$I30") {
      return attribute;
    }
  }
  return nullptr;
}

std::string attribute_address(TSK_INUM_T inode, const TSK_FS_ATTR& attribute) {
  return std::to_string(inode) + "-" + std::to_string(static_cast<unsigned>(attribute.type)) + "-" +
         std::to_string(attribute.id);
}

std::uint64_t size_of(TSK_OFF_T size) {
  return size > 0 ? static_cast<std::uint64_t>(size) : 0;
}

void add_flags(nlohmann::json& detail, const TSK_FS_ATTR& attribute) {
  if ((attribute.flags & TSK_FS_ATTR_ENC) != 0) detail["encrypted"] = true;
  if ((attribute.flags & TSK_FS_ATTR_COMP) != 0) detail["compressed"] = true;
}

void add_reparse_point(nlohmann::json& detail, const Found& found) {
  const ReparsePoint point = reparse_point(found.file);
  if (point.kind.empty()) return;
  detail["reparse"] = point.kind;
  if (!point.target.empty()) detail["link_target"] = point.target;
}

void add_attributes(nlohmann::json& detail, const ExtLayout& layout, const TSK_FS_META& meta) {
  const ExtAttributes found = layout.attributes(meta.addr, (meta.flags & TSK_FS_META_FLAG_ALLOC) != 0);
  for (const auto& [name, value] : found.list)
    detail["attributes"][to_valid_utf8(name)] = attribute_text(value);
  if (!found.is_whole) detail["attributes_missing"] = true;
}

std::string link_target(const Found& found) {
  constexpr std::size_t kMaxTarget = 4096;  // PATH_MAX of Linux
  if (found.meta()->link != nullptr) return to_valid_utf8(found.meta()->link);
  // TSK takes the extents of ext4 for block numbers, and gives no target; as a file it can be read.
  std::string text(
      std::min<std::size_t>(static_cast<std::size_t>(std::max<TSK_OFF_T>(found.meta()->size, 0)), kMaxTarget),
      '\0');
  const ssize_t got = tsk_fs_file_read(found.file, 0, text.data(), text.size(), TSK_FS_FILE_READ_FLAG_NONE);
  tsk_error_reset();
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return to_valid_utf8(text);
}

nlohmann::json detail_of(const EntryContext& context, const Found& found, bool orphan) {
  nlohmann::json detail = nlohmann::json::object();
  if (orphan) detail["orphan"] = true;
  if (is_reallocated(found)) {
    detail["realloc"] = true;
  } else if (context.ntfs && is_reused(found)) {
    detail["reused"] = true;
  }
  if (found.name.shrt_name != nullptr && found.name.shrt_name[0] != '\0') {
    detail["short_name"] = to_valid_utf8(found.name.shrt_name);
  }
  const TSK_FS_META* meta = found.meta();
  if (meta == nullptr) {
    detail["metadata"] = "missing";
    return detail;
  }
  detail["uid"] = meta->uid;
  detail["gid"] = meta->gid;
  detail["mode"] = mode_text(static_cast<unsigned>(meta->mode));
  if (meta->nlink > 1) detail["links"] = meta->nlink;
  if (meta->link != nullptr || (context.ext && meta->type == TSK_FS_META_TYPE_LNK && !is_reallocated(found)))
    detail["link_target"] = link_target(found);
  if (const char* type = special_type(meta->type); type != nullptr) detail["type"] = type;
  if (context.ntfs && !is_reallocated(found)) add_reparse_point(detail, found);
  if (context.ext_layout && !is_reallocated(found)) add_attributes(detail, *context.ext_layout, *meta);
  if (context.day_accessed && meta->atime != 0) detail["accessed_precision"] = "day";
  if (context.ext && meta->time2.ext2.dtime != 0) {
    if (const auto deleted = time_of(context, meta->time2.ext2.dtime, meta->time2.ext2.dtime_nano)) {
      detail["deleted_at"] = *deleted;
    }
  }
  return detail;
}

bool is_stream(const EntryContext& context, const TSK_FS_ATTR& attribute, const TSK_FS_ATTR* main) {
  if (&attribute == main || (attribute.flags & TSK_FS_ATTR_INUSE) == 0) return false;
  if (context.ntfs) return attribute.type == TSK_FS_ATTR_TYPE_NTFS_DATA;
  // The types of APFS have the same numbers as those of HFS+.
  return (attribute.type == TSK_FS_ATTR_TYPE_HFS_RSRC || attribute.type == TSK_FS_ATTR_TYPE_HFS_EXT_ATTR) &&
         attribute.size > 0;
}

/// $BadClus:$Bad is as large as the volume and holds only the bad clusters, as a rule none.
bool is_empty_bad_list(const Found& found, const TSK_FS_ATTR& attribute) {
  if (found.meta()->addr != kNtfsBadClusters) return false;
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr; run = run->next) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) == 0) return false;
  }
  return true;
}

constexpr const char* kFscrypt = "fscrypt";

std::optional<ExtInode> inode_of(const EntryContext& context, const TSK_FS_META& meta) {
  return context.ext_layout ? context.ext_layout->inode(meta.addr) : std::nullopt;
}

}  // namespace

std::string locked_content(const EntryContext& context, const TSK_FS_FILE& file,
                           const TSK_FS_ATTR* attribute) {
  if (file.meta == nullptr || file.meta->size <= 0) return "";
  if (attribute != nullptr && (attribute->flags & TSK_FS_ATTR_ENC) != 0)
    return "encrypted by EFS of Windows: its key is in the user's profile";
  const auto inode = inode_of(context, *file.meta);
  if (inode && inode->is_encrypted()) return "encrypted (fscrypt): its key is not on the volume";
  return "";
}

ReparsePoint reparse_point(TSK_FS_FILE* file) {
  constexpr std::size_t kMaxPoint = 16 * 1024;
  constexpr auto kReparse = static_cast<TSK_FS_ATTR_TYPE_ENUM>(0xc0);
  if (file == nullptr) return {};
  const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_type(file, kReparse, 0, 0);
  if (attribute == nullptr || attribute->size <= 0 || size_of(attribute->size) > kMaxPoint) {
    tsk_error_reset();
    return {};
  }
  std::vector<std::byte> data(size_of(attribute->size));
  const ssize_t got = tsk_fs_attr_read(attribute, 0, reinterpret_cast<char*>(data.data()), data.size(),
                                       TSK_FS_FILE_READ_FLAG_NONE);
  tsk_error_reset();
  if (got <= 0) return {};
  return parse_reparse_point(std::span(data).first(static_cast<std::size_t>(got)));
}

std::string escape_component(std::string_view raw) {
  std::string escaped = escape_path(raw);
  for (std::size_t at = escaped.find('/'); at != std::string::npos; at = escaped.find('/', at)) {
    escaped.replace(at, 1, "%2F");
  }
  return escaped;
}

bool is_own_directory(const Found& found) {
  const TSK_FS_NAME& name = found.name;
  const bool named_so = TSK_FS_IS_DIR_NAME(name.type) || name.type == TSK_FS_NAME_TYPE_UNDEF;
  return named_so && found.meta() != nullptr && TSK_FS_IS_DIR_META(found.meta()->type) &&
         !is_reallocated(found);
}

Entry make_entry(const EntryContext& context, const Found& found, bool orphan) {
  const TSK_FS_NAME& name = found.name;
  Entry entry;
  entry.name_raw = name.name == nullptr ? "" : name.name;
  entry.name = to_valid_utf8(entry.name_raw);
  entry.kind = kind_of(found);
  entry.allocated = (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0 &&
                    (found.meta() == nullptr || (found.meta()->flags & TSK_FS_META_FLAG_UNALLOC) == 0);
  entry.has_content = has_bytes(found);
  if (name.meta_addr != 0 || found.meta() != nullptr) entry.address = std::to_string(name.meta_addr);
  nlohmann::json detail = detail_of(context, found, orphan);
  if (found.meta() != nullptr) {
    entry.size = size_of(found.meta()->size);
    entry.times = times_of(context, *found.meta());
    if (const auto inode = inode_of(context, *found.meta())) {
      entry.times = inode->times;
      if (inode->is_encrypted()) {
        detail["encrypted"] = kFscrypt;
        detail.erase("link_target");
      }
    }
    if (context.ntfs && !is_reallocated(found)) {
      if (const auto times = ntfs_times(found.file)) entry.times = *times;
      if (const TSK_FS_ATTR* attribute = main_attribute(found)) {
        entry.address = attribute_address(found.meta()->addr, *attribute);
        entry.size = size_of(attribute->size);
        add_flags(detail, *attribute);
      } else {
        // Metadata without any data attribute: nothing can be read of it.
        entry.has_content = false;
      }
      tsk_error_reset();
    }
  }
  entry.detail = detail.dump();
  return entry;
}

std::vector<Entry> make_stream_entries(const EntryContext& context, const Found& found, const Entry& owner) {
  std::vector<Entry> streams;
  if ((!context.ntfs && !context.hfs && !context.apfs) || found.meta() == nullptr || is_reallocated(found))
    return streams;
  const TSK_FS_ATTR* main = main_attribute(found);
  const int count = tsk_fs_file_attr_getsize(found.file);
  for (int i = 0; i < count; ++i) {
    const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_idx(found.file, i);
    if (attribute == nullptr || !is_stream(context, *attribute, main)) continue;
    Entry stream = owner;
    const std::string label = attribute->name == nullptr ? "" : attribute->name;
    stream.name_raw = owner.name_raw + ":" + label;
    stream.name = to_valid_utf8(stream.name_raw);
    stream.kind = ItemKind::stream;
    stream.descend = false;
    stream.identity.clear();
    stream.address = attribute_address(found.meta()->addr, *attribute);
    stream.size = size_of(attribute->size);
    stream.has_content = !is_empty_bad_list(found, *attribute);
    nlohmann::json detail = nlohmann::json::object();
    detail["stream"] = to_valid_utf8(label);
    if (!stream.has_content) detail["empty"] = "no bad clusters are recorded";
    add_flags(detail, *attribute);
    stream.detail = detail.dump();
    streams.push_back(std::move(stream));
  }
  tsk_error_reset();
  return streams;
}

}  // namespace touchstone::detail

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "filesystem/directory_paths.hpp"
#include "filesystem/filesystem.hpp"
#include "filesystem/free_space.hpp"
#include "filesystem/free_space_tsk.hpp"
#include "filesystem/recovered_note.hpp"
#include "filesystem/tsk_entry.hpp"
#include "filesystem/tsk_file_source.hpp"
#include "filesystem/tsk_open.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

using namespace detail;

/// "128" or "64-128-1": inode and, where given, attribute type and id.
struct Address {
  TSK_INUM_T inode = 0;
  bool has_attribute = false;
  std::uint32_t type = 0;
  std::uint16_t id = 0;
};

std::optional<Address> parse_address(std::string_view text) {
  Address address;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](auto& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    at = rest;
    return error == std::errc();
  };
  const auto dash = [&] { return at != end && *at++ == '-'; };
  if (!number(address.inode)) return std::nullopt;
  if (at == end) return address;
  address.has_attribute = true;
  if (!dash() || !number(address.type) || !dash() || !number(address.id) || at != end) return std::nullopt;
  return address;
}

Problem make_problem(ProblemKind kind, const std::string& path, const std::string& what) {
  Problem problem;
  problem.plugin = "filesystem";
  problem.kind = kind;
  problem.message = (path.empty() ? "/" : path) + ": " + what;
  return problem;
}

class TskFileSystem : public FileSystem {
 public:
  TskFileSystem(TskBase base, FsHandle fs, TimeZone zone)
      : base_(std::move(base)), image_(base_.image.get()), fs_(std::move(fs)), type_(file_system_name(*fs_)) {
    const auto begins = static_cast<std::uint64_t>(fs_->offset);
    shift_ = begins - std::min(begins, base_.place.offset);
    context_.ntfs = TSK_FS_TYPE_ISNTFS(fs_->ftype);
    context_.hfs = TSK_FS_TYPE_ISHFS(fs_->ftype);
    context_.ext = TSK_FS_TYPE_ISEXT(fs_->ftype);
    context_.apfs = TSK_FS_TYPE_ISAPFS(fs_->ftype);
    context_.local_times = TSK_FS_TYPE_ISFAT(fs_->ftype) || TSK_FS_TYPE_ISISO9660(fs_->ftype);
    context_.day_accessed = TSK_FS_TYPE_ISFAT(fs_->ftype) && type_ != "exfat";
    context_.zone = std::move(zone);
    if (context_.ext) context_.ext_layout = ExtLayout::open(image_->source(), begins);
  }

  const std::string& type() const override { return type_; }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    Address address;
    address.inode = fs_->root_inum;
    if (!directory.address.empty()) {
      const auto parsed = parse_address(directory.address);
      if (!parsed)
        return Error{ErrorCode::not_found, "\"" + directory.address + "\" is no file-system address"};
      address = *parsed;
    }
    if (address.inode == TSK_FS_ORPHANDIR_INUM(fs_.get()) && !can_search_orphans()) {
      problems.push_back(
          make_problem(ProblemKind::limit, directory.path,
                       "directories of the volume lead to each other in so many ways that files "
                       "without a name are not looked for"));
      return {};
    }
    open_those_above(directory, address.inode);
    image_->take_touched_gaps();
    tsk_error_reset();
    const DirHandle dir(tsk_fs_dir_open_meta(fs_.get(), address.inode));
    if (!dir) return unlistable(directory, address.inode, problems);
    tsk_error_reset();
    if (context_.ext && directory.address.empty()) note_root(*dir, problems);

    const Chain chain = chain_of(directory, address.inode);
    const bool orphans = address.inode == TSK_FS_ORPHANDIR_INUM(fs_.get()) ||
                         directory.path == "/$OrphanFiles" || directory.path.starts_with("/$OrphanFiles/");
    for (const std::size_t index : in_order(*dir)) {
      if (!give(*dir, index, directory, chain, orphans, sink, problems)) break;
    }
    note_gaps(*dir, directory, problems);
    return {};
  }

  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    const auto parsed = parse_address(address);
    if (!parsed) return Error{ErrorCode::not_found, "\"" + address + "\" is no file-system address"};
    tsk_error_reset();
    FileHandle file(tsk_fs_file_open_meta(fs_.get(), nullptr, parsed->inode));
    if (!file || file->meta == nullptr) {
      return Error{ErrorCode::corrupt, "the metadata of " + address + " cannot be read: " + tsk_error()};
    }
    const TSK_FS_ATTR* attribute =
        parsed->has_attribute
            ? tsk_fs_file_attr_get_type(file.get(), static_cast<TSK_FS_ATTR_TYPE_ENUM>(parsed->type),
                                        parsed->id, 1)
            : tsk_fs_file_attr_get(file.get());
    const bool unnamed = attribute != nullptr && (attribute->name == nullptr || attribute->name[0] == '\0');
    if (context_.ntfs && unnamed && attribute->type == TSK_FS_ATTR_TYPE_NTFS_DATA) {
      if (const ReparsePoint point = reparse_point(file.get()); !point.unread.empty())
        return Error{ErrorCode::unsupported, point.unread};
    }
    if (const std::string locked = locked_content(context_, *file, attribute); !locked.empty())
      return Error{ErrorCode::encrypted, locked};
    if (attribute == nullptr) {
      const std::string reason = tsk_error();
      // An empty file of some file systems has no attribute at all.
      if (!parsed->has_attribute && file->meta->size == 0) return make_memory_source({});
      return Error{ErrorCode::corrupt, "the content of " + address + " cannot be found: " + reason};
    }
    std::vector<ByteRange> overwritten = overwritten_in(*file->meta, *attribute);
    return std::unique_ptr<ByteSource>(
        std::make_unique<TskFileSource>(*image_, std::move(file), *attribute, std::move(overwritten)));
  }

  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override {
    image_->take_touched_gaps();
    Status status = walk_free_blocks(*fs_, shift_, sink);
    note_image_gaps("/$Unallocated", "while asking for free blocks: ", problems);
    return status;
  }

  Status slack(const std::function<bool(ByteRange, const std::string&)>& sink,
               std::vector<Problem>& problems) override {
    // FAT: it tells files in use from others by walking every path as well.
    if (TSK_FS_TYPE_ISFAT(fs_->ftype) && !can_search_orphans()) {
      problems.push_back(
          make_problem(ProblemKind::limit, "/$Slack",
                       "directories of the volume lead to each other in so many ways that slack of "
                       "files is not looked for"));
      return {};
    }
    image_->take_touched_gaps();
    Status status = walk_slack(*fs_, shift_, base_.place.length, sink);
    note_image_gaps("/$Slack", "while asking for the ends of files: ", problems);
    return status;
  }

 private:
  /// What a directory is on disk. TSK numbers FAT files by the place of their entry, so that two entries for
  /// the same clusters have different numbers: there the first block tells them apart.
  struct Identity {
    TSK_INUM_T inode = 0;
    TSK_DADDR_T first_block = 0;
    bool same_as(const Identity& other) const {
      return inode == other.inode || (first_block != 0 && first_block == other.first_block);
    }
    std::string text() const {
      return first_block != 0 ? "block " + std::to_string(first_block) : std::to_string(inode);
    }
  };
  /// From the root down to the directory that is being listed.
  using Chain = std::vector<Identity>;

  Identity identity_of(TSK_INUM_T inode, TSK_FS_FILE* file) const {
    Identity identity{inode, 0};
    if (!TSK_FS_TYPE_ISFAT(fs_->ftype) || file == nullptr) return identity;
    const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get(file);
    if (attribute != nullptr && (attribute->flags & TSK_FS_ATTR_NONRES) != 0 &&
        attribute->nrd.run != nullptr) {
      identity.first_block = attribute->nrd.run->addr;
    }
    tsk_error_reset();
    return identity;
  }

  Identity identity_of(TSK_INUM_T inode) const {
    if (!TSK_FS_TYPE_ISFAT(fs_->ftype)) return {inode, 0};
    const FileHandle file(tsk_fs_file_open_meta(fs_.get(), nullptr, inode));
    return identity_of(inode, file.get());
  }

  Chain chain_of(const DirectoryRef& directory, TSK_INUM_T own) const {
    Chain chain = {identity_of(fs_->root_inum)};
    for (const std::string& above : directory.ancestors) {
      if (const auto parsed = parse_address(above)) chain.push_back(identity_of(parsed->inode));
    }
    chain.push_back(identity_of(own));
    return chain;
  }

  /// Free ranges, asked for once; null where they cannot be told: then nothing is called overwritten.
  const std::vector<ByteRange>* free_blocks() {
    if (!free_known_) {
      free_known_ = true;
      const Status status = walk_free_blocks(*fs_, shift_, [&](ByteRange range) {
        free_.push_back(range);
        return free_.size() < kMaxRuns;
      });
      free_usable_ = status && free_.size() < kMaxRuns;
      if (!free_usable_) free_ = {};
    }
    return free_usable_ ? &free_ : nullptr;
  }

  /// What of a deleted file belongs to others now.
  std::vector<ByteRange> overwritten_in(const TSK_FS_META& meta, const TSK_FS_ATTR& attribute) {
    if ((meta.flags & TSK_FS_META_FLAG_UNALLOC) == 0 || !has_block_allocation(*fs_)) return {};
    const std::vector<ByteRange>* free = free_blocks();
    return free == nullptr ? std::vector<ByteRange>() : overwritten_ranges(*fs_, attribute, shift_, *free);
  }

  /// Adds to a deleted entry what is known of its bytes.
  void note_recovery(Entry& entry, TSK_FS_FILE* file) {
    if (file == nullptr || file->meta == nullptr || !entry.has_content || entry.allocated) return;
    if (context_.ext && entry.size == 0 && file->meta->time2.ext2.dtime != 0) {
      note_cleared(entry, type_);
      return;
    }
    const auto address = parse_address(entry.address);
    if (!address) return;
    const TSK_FS_ATTR* attribute =
        address->has_attribute ? tsk_fs_file_attr_get_type(
                                     file, static_cast<TSK_FS_ATTR_TYPE_ENUM>(address->type), address->id, 1)
                               : tsk_fs_file_attr_get(file);
    tsk_error_reset();
    if (attribute != nullptr) note_overwritten(entry, overwritten_in(*file->meta, *attribute));
  }

  /// On FAT The Sleuth Kit knows what is above a directory only from having listed that, and else follows
  /// every path from the root until it meets the directory: those may be more than can ever be followed.
  void open_those_above(const DirectoryRef& directory, TSK_INUM_T own) {
    if (!TSK_FS_TYPE_ISFAT(fs_->ftype)) return;
    const auto open_once = [&](TSK_INUM_T inode) {
      if (inode != TSK_FS_ORPHANDIR_INUM(fs_.get()) && opened_.insert(inode).second)
        const DirHandle dir(tsk_fs_dir_open_meta(fs_.get(), inode));
    };
    if (own != fs_->root_inum) open_once(fs_->root_inum);
    for (const std::string& above : directory.ancestors) {
      if (const auto parsed = parse_address(above)) open_once(parsed->inode);
    }
    opened_.insert(own);
  }

  /// The Sleuth Kit looks for orphans along every path that there is.
  bool can_search_orphans() {
    if (orphans_can_be_searched_) return *orphans_can_be_searched_;
    constexpr std::uint64_t kPaths = 2'000'000;
    const auto children = [&](const DirectoryNode& node) {
      std::vector<DirectoryNode> found;
      const DirHandle dir(tsk_fs_dir_open_meta(fs_.get(), node.inode));
      for (std::size_t i = 0; dir && i < dir->names_used; ++i) {
        const TSK_FS_NAME& name = dir->names[i];
        const bool may_be = TSK_FS_IS_DIR_NAME(name.type) || name.type == TSK_FS_NAME_TYPE_UNDEF;
        if (!may_be || name.name == nullptr || TSK_FS_ISDOT(name.name) || name.meta_addr == 0 ||
            name.meta_addr == TSK_FS_ORPHANDIR_INUM(fs_.get())) {
          continue;
        }
        const FileHandle file(tsk_fs_file_open_meta(fs_.get(), nullptr, name.meta_addr));
        if (file && is_own_directory({name, file.get()}))
          found.push_back({identity_of(name.meta_addr, file.get()).text(), name.meta_addr});
      }
      tsk_error_reset();
      return found;
    };
    const TSK_INUM_T root = fs_->root_inum;
    orphans_can_be_searched_ = paths_within({identity_of(root).text(), root}, children, kPaths);
    return *orphans_can_be_searched_;
  }

  /// An allocated directory that cannot be listed is an error of its unit; of a deleted one it is to be
  /// expected.
  Status unlistable(const DirectoryRef& directory, TSK_INUM_T inode, std::vector<Problem>& problems) {
    const std::string reason = tsk_error();
    const FileHandle file(tsk_fs_file_open_meta(fs_.get(), nullptr, inode));
    tsk_error_reset();
    if (file && file->meta != nullptr && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0) {
      problems.push_back(make_problem(ProblemKind::corrupt, directory.path,
                                      "the deleted directory cannot be listed any more: " + reason));
      return {};
    }
    return Error{ErrorCode::corrupt,
                 (directory.path.empty() ? "/" : directory.path) + ": cannot be listed: " + reason};
  }

  /// TSK lists a root that says it is something else without a word.
  static void note_root(const TSK_FS_DIR& dir, std::vector<Problem>& problems) {
    const TSK_FS_META* meta = dir.fs_file == nullptr ? nullptr : dir.fs_file->meta;
    if (meta != nullptr && meta->type == TSK_FS_META_TYPE_DIR) return;
    problems.push_back(
        make_problem(ProblemKind::corrupt, "",
                     "the root directory is not marked as a directory: it may be another file's bytes"));
  }

  static std::vector<std::size_t> in_order(const TSK_FS_DIR& dir) {
    std::vector<std::size_t> order(dir.names_used);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto raw = [&](std::size_t i) {
        return std::string_view(dir.names[i].name == nullptr ? "" : dir.names[i].name);
      };
      if (const int compared = raw(a).compare(raw(b)); compared != 0) return compared < 0;
      return dir.names[a].meta_addr < dir.names[b].meta_addr;
    });
    return order;
  }

  /// One name and its streams; false when the sink wants no more.
  bool give(const TSK_FS_DIR& dir, std::size_t index, const DirectoryRef& directory, const Chain& chain,
            bool orphans, const std::function<bool(Entry&&)>& sink, std::vector<Problem>& problems) {
    const TSK_FS_NAME& name = dir.names[index];
    if (name.name != nullptr && TSK_FS_ISDOT(name.name)) return true;
    FileHandle file;
    // Address 0 is a real one only where the name is in use (NTFS $MFT).
    if (name.meta_addr != 0 || (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0) {
      file.reset(tsk_fs_file_open_meta(fs_.get(), nullptr, name.meta_addr));
    }
    const std::string reason = file ? "" : tsk_error();
    tsk_error_reset();
    const Found found{name, file.get()};
    Entry entry = make_entry(context_, found, orphans);
    entry.path = directory.path + "/" + escape_component(entry.name_raw);
    if (!file && entry.allocated) {
      problems.push_back(
          make_problem(ProblemKind::corrupt, entry.path, "its metadata cannot be read: " + reason));
    }
    if (is_own_directory(found)) {
      const Identity identity = identity_of(file->meta->addr, file.get());
      entry.descend = may_descend(entry, identity, chain, problems);
      if (entry.descend) entry.identity = identity.text();
    }
    std::vector<Entry> streams = make_stream_entries(context_, found, entry);
    note_recovery(entry, file.get());
    for (Entry& stream : streams) note_recovery(stream, file.get());
    if (!sink(std::move(entry))) return false;
    for (Entry& stream : streams) {
      stream.path = directory.path + "/" + escape_component(stream.name_raw);
      if (!sink(std::move(stream))) return false;
    }
    return true;
  }

  static bool may_descend(const Entry& entry, const Identity& identity, const Chain& chain,
                          std::vector<Problem>& problems) {
    if (std::any_of(chain.begin(), chain.end(),
                    [&](const Identity& above) { return above.same_as(identity); })) {
      problems.push_back(make_problem(ProblemKind::corrupt, entry.path,
                                      "the directory leads back to one above it and is not followed"));
      return false;
    }
    if (chain.size() >= kMaxDirectoryDepth) {
      problems.push_back(
          make_problem(ProblemKind::limit, entry.path,
                       "directories are followed to a depth of " + std::to_string(kMaxDirectoryDepth)));
      return false;
    }
    return true;
  }

  /// Names may be missing where the directory or the metadata of its entries lies in a gap of the image.
  void note_gaps(const TSK_FS_DIR& dir, const DirectoryRef& directory, std::vector<Problem>& problems) {
    GapList in_directory;
    if (dir.fs_file != nullptr && dir.fs_file->meta != nullptr && dir.fs_file->meta->attr != nullptr) {
      for (const TSK_FS_ATTR* a = dir.fs_file->meta->attr->head; a != nullptr; a = a->next) {
        if ((a->flags & TSK_FS_ATTR_INUSE) != 0)
          add_image_gaps(*fs_, *a, image_->source().gaps(), in_directory);
      }
    }
    std::uint64_t bytes = 0;
    for (const Gap& gap : in_directory.list()) bytes += gap.length;
    if (bytes > 0) {
      problems.push_back(make_problem(ProblemKind::unreadable, directory.path,
                                      std::to_string(bytes) + " bytes of the directory cannot be read: " +
                                          in_directory.list().front().reason));
    }
    note_image_gaps(directory.path, "while listing it: ", problems);
  }

  void note_image_gaps(const std::string& path, const std::string& when, std::vector<Problem>& problems) {
    for (const Gap& gap : image_->take_touched_gaps()) {
      problems.push_back(make_problem(ProblemKind::unreadable, path,
                                      when + gap.reason + " at byte " + std::to_string(gap.offset) +
                                          " of the image, " + std::to_string(gap.length) + " bytes"));
    }
  }

  TskBase base_;
  TskImage* image_;
  FsHandle fs_;
  std::string type_;
  std::uint64_t shift_ = 0;  ///< from the volume's start to the file system's
  std::vector<ByteRange> free_;
  bool free_known_ = false, free_usable_ = false;
  EntryContext context_;
  std::optional<bool> orphans_can_be_searched_;
  std::set<TSK_INUM_T> opened_;  ///< directories, of FAT
};

}  // namespace

DirectoryRef DirectoryRef::child(const Entry& entry) const {
  DirectoryRef ref{entry.path, entry.address, ancestors};
  if (!path.empty() || !address.empty()) ref.ancestors.push_back(address);
  return ref;
}

Result<std::unique_ptr<FileSystem>> detail::make_tsk_file_system(TskBase base, FsHandle fs,
                                                                 const VolumeOptions& options) {
  auto rules = TimeZone::load(options.zone);
  if (!rules) return rules.error();
  ByteSource& source = base.image->source();
  const std::uint64_t rest = source.size() - std::min(source.size(), base.place.offset);
  base.place.length = base.place.length == 0 ? rest : std::min(rest, base.place.length);
  const ByteRange place = base.place;
  const bool free_space = options.free_space && has_block_allocation(*fs);
  std::unique_ptr<FileSystem> files =
      std::make_unique<TskFileSystem>(std::move(base), std::move(fs), rules.take());
  if (!free_space) return files;
  return with_free_space(std::move(files), source, place);
}

namespace {

Result<std::unique_ptr<FileSystem>> open_at(ByteSource& source, ByteRange place, std::shared_ptr<void> below,
                                            const VolumeOptions& options) {
  auto tsk = std::make_unique<TskImage>(source, 512);
  if (tsk->get() == nullptr) return Error{ErrorCode::corrupt, tsk_error()};
  FsHandle fs = open_any_file_system(*tsk, place.offset);
  if (!fs) return Error{ErrorCode::corrupt, "the file system cannot be opened: " + tsk_error()};
  tsk_error_reset();
  return make_tsk_file_system({std::move(tsk), std::move(below), place}, std::move(fs), options);
}

}  // namespace

Result<std::unique_ptr<FileSystem>> detail::open_tsk_inside(std::unique_ptr<ByteSource> source,
                                                            const Volume& /*volume*/,
                                                            const VolumeOptions& options) {
  const std::shared_ptr<ByteSource> kept = std::move(source);
  return open_at(*kept, {}, kept, options);
}

Result<std::unique_ptr<FileSystem>> open_tsk_file_system(ByteSource& image, std::uint32_t /*sector_size*/,
                                                         const Volume& volume, const VolumeOptions& options) {
  return open_at(image, {volume.offset, volume.size}, nullptr, options);
}

}  // namespace touchstone

// The backup as a file system: the manifest's names over the tree's blobs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "filesystem/trees/itunes_backup.hpp"
#include "filesystem/trees/itunes_manifest.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kRawFolder = "$BackupFiles";
/// Places of raw files; below it those of the manifest's rows.
constexpr std::uint64_t kRaw = std::uint64_t{1} << 62U;
constexpr std::array<std::byte, 16> kZeroIv{};
using Id = std::array<std::byte, 20>;

std::optional<Id> parse_id(std::string_view name) {
  if (name.size() != 40) return std::nullopt;
  Id id{};
  for (std::size_t i = 0; i < 40; ++i) {
    const char c = name[i];
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                  : 16U;
    if (digit == 16) return std::nullopt;
    id[i / 2] = id[i / 2] << 4U | static_cast<std::byte>(digit);
  }
  return id;
}

/// The path of a row. One that climbs stays inside its domain.
std::string name_of(const BackupManifest::Row& row) {
  std::string name(row.domain);
  for (const std::string_view part : tree_components(row.path)) name.append("/").append(part);
  return name;
}

/// Something with bytes in the tree.
struct Stored {
  std::string address, path;  ///< path as in the tree, raw, without its first "/"
  std::uint64_t size = 0;
  Times times;
  ItemKind kind = ItemKind::file;
  bool has_content = true, named = false;
};

class ItunesFileSystem final : public TreeFileSystem {
 public:
  ItunesFileSystem(std::unique_ptr<FileSystem> tree, ItunesBackup backup, std::optional<ItunesKeybag> keys,
                   std::unique_ptr<BackupManifest> manifest)
      : TreeFileSystem(kItunesFileSystem),
        tree_(std::move(tree)),
        backup_(std::move(backup)),
        keys_(std::move(keys)),
        manifest_(std::move(manifest)) {}

 protected:
  Status fill(TreeIndex& index, std::vector<Problem>& problems) override {
    collect(problems);
    if (backup_.log_beside)
      problems.push_back(
          tree_problem(ProblemKind::unsupported, "",
                       "Manifest.db-wal lies beside Manifest.db: what only it has is not applied"));
    std::uint64_t left_out = 0, missing = 0;
    const auto row = [&](const BackupManifest::Row& each) {
      if (!index.add(name_of(each), each.kind == BackupKind::directory, each.place)) ++left_out;
      if (Stored* stored = find(each.id))
        stored->named = true;
      else if (each.kind == BackupKind::file)
        ++missing;
      return true;
    };
    if (auto read = manifest_->for_each(row, problems); !read) return read;
    for (std::size_t i = 0; i < stored_.size(); ++i) {
      if (stored_[i].named) continue;
      if (!index.add(fmt::format("{}/{}", kRawFolder, stored_[i].path),
                     stored_[i].kind == ItemKind::directory, kRaw | i))
        ++left_out;
    }
    if (missing > 0)
      problems.push_back(
          tree_problem(ProblemKind::corrupt, "",
                       fmt::format("files of the manifest of which the backup has no bytes: {}", missing)));
    if (left_out > 0)
      problems.push_back(tree_problem(ProblemKind::limit, "",
                                      fmt::format("{} names are not listed: the backup has more than {}",
                                                  left_out, TreeIndex::kMaxEntries)));
    return {};
  }

  void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) override {
    if ((place & kRaw) != 0) return describe_raw(place, entry);
    const auto file = manifest_->read(place);
    if (!file) {
      problems.push_back(tree_problem(ProblemKind::corrupt, entry.path, file.error().message));
      return;
    }
    entry.times = file->times;
    nlohmann::json detail = nlohmann::json::object();
    describe_file(*file, entry, detail);
    if (file->damaged) {
      detail["damaged_record"] = true;
      problems.push_back(
          tree_problem(ProblemKind::corrupt, entry.path,
                       "the manifest's record of it is damaged: times, size and owner are missing"));
    }
    if (tree_path_changed(file->path)) detail["stored_path"] = to_valid_utf8(file->path);
    entry.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) override {
    if ((place & kRaw) != 0) {
      const std::uint64_t at = place & ~kRaw;
      if (at >= stored_.size()) return Error{ErrorCode::not_found, "the backup has no such file"};
      return tree_->open(stored_[static_cast<std::size_t>(at)].address);
    }
    const auto file = manifest_->read(place);
    if (!file) return file.error();
    const Stored* stored = find(file->id);
    if (!stored) {
      if (file->size == 0U) return make_memory_source({});
      return Error{ErrorCode::corrupt,
                   fmt::format("the backup has no bytes of it: its {} is missing", to_valid_utf8(file->id))};
    }
    auto blob = tree_->open(stored->address);
    if (!blob || file->key.empty() || !keys_) return blob;
    auto key = file_key(*file);
    if (!key)
      return Error{ErrorCode::encrypted,
                   fmt::format("its key is of protection class {}, which the backup's keybag does not open",
                               file->protection_class)};
    const std::uint64_t size = plain_size(*file, **blob, *key);
    return make_cbc_source(blob.take(), std::move(*key), kZeroIv, size);
  }

 private:
  /// All that the tree holds, folder by folder.
  void collect(std::vector<Problem>& problems) {
    std::vector<std::pair<DirectoryRef, std::string>> folders = {{DirectoryRef{}, ""}};
    while (!folders.empty()) {
      const auto [folder, path] = std::move(folders.back());
      folders.pop_back();
      const auto keep = [&, &at = folder, &above = path](Entry&& entry) {
        std::string name = above.empty() ? entry.name_raw : above + '/' + entry.name_raw;
        if (entry.descend && at.ancestors.size() < kMaxDirectoryDepth) {
          folders.emplace_back(at.child(entry), std::move(name));
        } else {
          const auto id = entry.has_content ? parse_id(entry.name_raw) : std::nullopt;
          if (id) ids_.emplace_back(*id, stored_.size());
          stored_.push_back({entry.address, std::move(name), entry.size, entry.times, entry.kind,
                             entry.has_content, false});
        }
        return stored_.size() < TreeIndex::kMaxEntries;
      };
      if (auto listed = tree_->list(folder, keep, problems); !listed)
        problems.push_back(tree_problem(ProblemKind::corrupt, "", listed.error().message));
    }
    // Where the same name lies in several folders, the first by path is taken and the others stay raw files.
    std::sort(ids_.begin(), ids_.end(), [&](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : stored_[a.second].path < stored_[b.second].path;
    });
  }

  Stored* find(std::string_view name) {
    const auto id = parse_id(name);
    if (!id) return nullptr;
    const auto found =
        std::lower_bound(ids_.begin(), ids_.end(), *id,
                         [](const auto& each, const Id& wanted) { return each.first < wanted; });
    return found != ids_.end() && found->first == *id ? &stored_[found->second] : nullptr;
  }

  void describe_raw(std::uint64_t place, Entry& entry) {
    const Stored& stored = stored_[static_cast<std::size_t>(place & ~kRaw)];
    entry.kind = stored.kind;
    entry.has_content = stored.has_content;
    entry.size = stored.size;
    entry.times = stored.times;
    entry.detail = R"({"not_in_manifest":true})";
  }

  void describe_file(const BackupFile& file, Entry& entry, nlohmann::json& detail) {
    if (file.mode) detail["mode"] = unix_mode_text(*file.mode);
    if (file.uid) detail["uid"] = *file.uid;
    if (file.gid) detail["gid"] = *file.gid;
    if (file.inode) detail["inode"] = *file.inode;
    if (file.kind == BackupKind::directory) return;
    if (file.kind == BackupKind::link) {
      entry.kind = ItemKind::link;
      if (!file.link_target.empty()) detail["link_target"] = to_valid_utf8(file.link_target);
      return;
    }
    const Stored* stored = find(file.id);
    if (file.kind == BackupKind::unknown && !stored) return;  // a socket or the like: a name without bytes
    entry.has_content = true;
    detail["backup_name"] = stored ? to_valid_utf8(stored->path) : to_valid_utf8(file.id);
    if (file.protection_class != 0) detail["protection_class"] = file.protection_class;
    if (!file.digest.empty()) detail["stored_digest"] = file.digest;
    entry.size = stored ? stored->size : file.size.value_or(0);
    if (!stored) return;
    if (!file.key.empty() && keys_) {
      detail["encrypted_in_backup"] = true;
      entry.size = encrypted_size(file, *stored);
    }
    if (file.size && *file.size != entry.size) detail["manifest_size"] = *file.size;
  }

  std::optional<SecretBytes> file_key(const BackupFile& file) const {
    auto key = keys_->unwrap(file.key);
    return key ? key : keys_->unwrap(file.protection_class, file.key);
  }

  /// What the padding leaves where that can be told without decrypting, which is nearly always.
  std::uint64_t encrypted_size(const BackupFile& file, const Stored& stored) {
    if (file.size && *file.size < stored.size && stored.size - *file.size <= 16) return *file.size;
    auto blob = tree_->open(stored.address);
    auto key = file_key(file);
    return blob && key ? plain_size(file, **blob, *key) : stored.size;
  }

  static std::uint64_t plain_size(const BackupFile& file, ByteSource& blob, const SecretBytes& key) {
    const std::uint64_t stored = blob.size();
    if (file.size && *file.size < stored && stored - *file.size <= 16) return *file.size;
    const std::size_t padding = cbc_padding(blob, key.span(), kZeroIv);
    return stored / 16 * 16 - padding;
  }

  std::unique_ptr<FileSystem> tree_;
  ItunesBackup backup_;
  std::optional<ItunesKeybag> keys_;
  std::unique_ptr<BackupManifest> manifest_;
  std::vector<Stored> stored_;
  std::vector<std::pair<Id, std::size_t>> ids_;  ///< of blobs, sorted; into stored_
};

Result<std::vector<std::byte>> read_manifest(FileSystem& tree, const std::string& address,
                                             std::uint64_t size) {
  if (size > kMaxManifest)
    return Error{ErrorCode::limit,
                 fmt::format("the manifest has {} bytes, more than {}", size, kMaxManifest)};
  auto source = tree.open(address);
  if (!source) return source.error();
  if ((*source)->size() > kMaxManifest) return Error{ErrorCode::limit, "the manifest is too large"};
  std::vector<std::byte> bytes(static_cast<std::size_t>((*source)->size()));
  const auto got = (*source)->read_at(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

Result<std::unique_ptr<BackupManifest>> open_manifest(FileSystem& tree, const ItunesBackup& backup,
                                                      const std::optional<ItunesKeybag>& keys) {
  const bool database = !backup.database_address.empty();
  auto bytes = read_manifest(tree, database ? backup.database_address : backup.mbdb_address,
                             database ? backup.database_size : backup.mbdb_size);
  if (!bytes) return bytes.error();
  if (!database) return open_manifest_mbdb(bytes.take());
  // From iOS 10.2 on the table of an encrypted backup is encrypted itself.
  if (keys && !backup.manifest_key.empty()) {
    const auto key = keys->unwrap(backup.manifest_key);
    if (!key)
      return Error{ErrorCode::corrupt, "the key of Manifest.db is damaged: the keybag opens, but not it"};
    const std::size_t whole = bytes->size() / 16 * 16;
    auto plain = make_cbc_source(make_memory_source(bytes.take()), *key, kZeroIv, whole);
    std::vector<std::byte> table(whole);
    const auto got = plain->read_at(0, table);
    if (!got) return got.error();
    return open_manifest_db(std::move(table));
  }
  return open_manifest_db(bytes.take());
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_itunes_backup(std::unique_ptr<FileSystem> tree,
                                                       const VolumeOptions& options) {
  std::vector<Problem> ignored;  // told when the volumes are listed
  auto backup = find_itunes_backup(*tree, ignored);
  if (!backup) return Error{ErrorCode::not_found, "there is no iTunes backup in it"};
  std::optional<ItunesKeybag> keys;
  if (backup->encrypted) {
    auto unlocked = unlock_itunes_backup(*backup, options.secrets);
    if (!unlocked) return unlocked.error();
    keys = unlocked.take();
  }
  auto manifest = open_manifest(*tree, *backup, keys);
  if (!manifest) return manifest.error();
  return std::unique_ptr<FileSystem>(std::make_unique<ItunesFileSystem>(std::move(tree), std::move(*backup),
                                                                        std::move(keys), manifest.take()));
}

}  // namespace touchstone

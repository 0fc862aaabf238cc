#include "filesystem/xfs_file_system.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "filesystem/entry_text.hpp"
#include "filesystem/partition_table.hpp"
#include "filesystem/xfs_directory.hpp"
#include "filesystem/xfs_volume.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr std::size_t kMaxAttributeShown = 256;

std::optional<std::uint64_t> parse_inode(const std::string& address) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(address.data(), address.data() + address.size(), number);
  if (error != std::errc() || end != address.data() + address.size()) return std::nullopt;
  return number;
}

std::string component(std::string_view raw) {
  std::string escaped = escape_path(raw);
  for (std::size_t at = escaped.find('/'); at != std::string::npos; at = escaped.find('/', at))
    escaped.replace(at, 1, "%2F");
  return escaped;
}

ItemKind kind_of_type(int type) {
  return type == 2 ? ItemKind::directory : type == 7 ? ItemKind::link : ItemKind::file;
}

class XfsFileSystem : public FileSystem {
 public:
  explicit XfsFileSystem(std::unique_ptr<XfsVolume> volume) : volume_(std::move(volume)) {}
  const std::string& type() const override { return type_; }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    const auto number =
        directory.address.empty() ? volume_->super().root_inode : parse_inode(directory.address);
    if (!number) return Error{ErrorCode::not_found, "\"" + directory.address + "\" is no inode"};
    const auto where = directory.path.empty() ? std::string("/") : directory.path;
    const auto inode = volume_->inode(*number);
    if (!inode) return Error{inode.error().code, where + ": cannot be listed: " + inode.error().message};
    if (!inode->is_directory()) return Error{ErrorCode::corrupt, where + ": is no directory"};
    auto names = read_xfs_directory(*volume_, *inode, directory.path, problems);
    if (!names) return Error{names.error().code, where + ": cannot be listed: " + names.error().message};
    std::stable_sort(names->begin(), names->end(), [](const XfsName& a, const XfsName& b) {
      return std::tie(a.name, a.inode, a.deleted) < std::tie(b.name, b.inode, b.deleted);
    });
    for (const XfsName& name : *names) {
      if (!sink(entry_of(directory, name, *number, problems))) break;
    }
    return {};
  }

  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    const auto number = parse_inode(address);
    if (!number) return Error{ErrorCode::not_found, "\"" + address + "\" is no inode"};
    const auto inode = volume_->inode(*number);
    if (!inode) return inode.error();
    if (!inode->is_regular()) return Error{ErrorCode::not_found, "inode " + address + " is no file"};
    return volume_->content(*inode);
  }

  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override {
    std::optional<ByteRange> last;
    for (std::uint32_t group = 0; group < volume_->super().ag_count; ++group) {
      const auto ranges = volume_->free_ranges(group);
      if (!ranges) {
        problems.push_back(volume_problem(
            ProblemKind::corrupt,
            "free space of allocation group " + std::to_string(group) + ": " + ranges.error().message));
        // A forged count of groups that lie outside the volume.
        if (std::uint64_t{group} * volume_->super().ag_blocks * volume_->super().block_size >=
            volume_->bytes().size())
          break;
        continue;
      }
      for (const ByteRange& range : *ranges) {
        if (last && last->offset + last->length == range.offset) {
          last->length += range.length;
          continue;
        }
        if (last && !sink(*last)) return {};
        last = range;
      }
    }
    if (last) sink(*last);
    return {};
  }

 private:
  Entry entry_of(const DirectoryRef& directory, const XfsName& name, std::uint64_t parent,
                 std::vector<Problem>& problems) {
    Entry entry;
    entry.name_raw = name.name;
    entry.name = to_valid_utf8(name.name);
    entry.path = directory.path + "/" + component(name.name);
    entry.address = std::to_string(name.inode);
    entry.allocated = !name.deleted;
    entry.kind = kind_of_type(name.type);
    nlohmann::json detail = nlohmann::json::object();
    const auto inode = volume_->inode(name.inode);
    if (!inode) {
      detail["metadata"] = "missing";
      if (!name.deleted)
        problems.push_back(volume_problem(
            ProblemKind::corrupt, entry.path + ": its metadata cannot be read: " + inode.error().message));
    } else if (name.deleted && inode->mode != 0) {
      detail["realloc"] = true;
    } else {
      fill(entry, *inode, directory, parent, detail, problems);
    }
    entry.detail = detail.dump();
    return entry;
  }

  void fill(Entry& entry, const XfsInode& inode, const DirectoryRef& directory, std::uint64_t parent,
            nlohmann::json& detail, std::vector<Problem>& problems) {
    entry.times = inode.times;
    if (inode.mode == 0) {
      detail["metadata"] = "freed";
      if (entry.allocated)
        problems.push_back(volume_problem(ProblemKind::corrupt, entry.path + ": its inode is not in use"));
      return;
    }
    if (inode.is_directory()) entry.kind = ItemKind::directory;
    if (inode.is_link()) entry.kind = ItemKind::link;
    entry.size = inode.size;
    entry.has_content = inode.is_regular();
    detail["uid"] = inode.uid;
    detail["gid"] = inode.gid;
    detail["mode"] = mode_text(inode.mode);
    if (inode.links > 1) detail["links"] = inode.links;
    if (const char* type = special_type(inode.mode)) detail["type"] = type;
    if (inode.is_link()) {
      if (const auto target = volume_->link_target(inode)) detail["link_target"] = to_valid_utf8(*target);
    }
    add_attributes(inode, detail);
    if (entry.kind == ItemKind::directory && entry.allocated)
      descend(entry, inode, directory, parent, problems);
  }

  void add_attributes(const XfsInode& inode, nlohmann::json& detail) const {
    bool all = true;
    for (const auto& [name, value] : volume_->attributes(inode, all)) {
      detail["attributes"][to_valid_utf8(name)] =
          to_valid_utf8(std::string_view(value).substr(0, kMaxAttributeShown));
    }
    if (!all) detail["attributes_missing"] = true;
  }

  static void descend(Entry& entry, const XfsInode& inode, const DirectoryRef& directory,
                      std::uint64_t parent, std::vector<Problem>& problems) {
    const std::string own = std::to_string(inode.number);
    const bool loop =
        inode.number == parent ||
        std::find(directory.ancestors.begin(), directory.ancestors.end(), own) != directory.ancestors.end();
    if (loop) {
      problems.push_back(
          volume_problem(ProblemKind::corrupt,
                         entry.path + ": the directory leads back to one above it and is not followed"));
      return;
    }
    if (directory.ancestors.size() + 2 >= kMaxDirectoryDepth) {
      problems.push_back(volume_problem(
          ProblemKind::limit,
          entry.path + ": directories are followed to a depth of " + std::to_string(kMaxDirectoryDepth)));
      return;
    }
    entry.descend = true;
    entry.identity = own;
  }

  std::unique_ptr<XfsVolume> volume_;
  const std::string type_ = "xfs";
};

}  // namespace

bool examine_xfs(ByteSource& window, std::uint64_t there, Volume& volume) {
  const auto super = read_xfs_super(window);
  if (!super) return false;
  volume.filesystem = "xfs";
  if (!*super) {
    volume.state = VolumeState::corrupt;
    volume.reason = super->error().message;
    return true;
  }
  const XfsSuper& sb = **super;
  volume.label = sb.label;
  if (!sb.unknown_features.empty()) {
    volume.state = VolumeState::unsupported;
    volume.reason = "XFS with " + sb.unknown_features + " is not read; UUID " + sb.uuid;
    return true;
  }
  volume.state = VolumeState::read;
  const std::uint64_t claims = in_bytes(sb.blocks, sb.block_size);
  if (claims > there) {
    volume.state = VolumeState::partly_read;
    volume.reason = "the file system has " + std::to_string(claims) + " bytes, but the image ends after " +
                    std::to_string(there) + " of them";
  } else if (sb.needs_repair) {
    volume.reason = "the file system is marked as in need of repair";
  }
  return true;
}

Result<std::unique_ptr<FileSystem>> open_xfs(std::unique_ptr<ByteSource> bytes) {
  auto volume = XfsVolume::open(std::move(bytes));
  if (!volume) return volume.error();
  return std::unique_ptr<FileSystem>(std::make_unique<XfsFileSystem>(volume.take()));
}

}  // namespace touchstone::detail

// The files of a folder, as the system lists them. Nothing is kept between calls; an address is the path.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "evidence/folder_source.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/trees.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

// Names of one directory are held to be sorted: at most this many bytes of them.
constexpr std::size_t kMaxNameBytes = std::size_t{512} << 20;

std::optional<TimeUs> time_of(const statx_timestamp& time, std::uint32_t mask, std::uint32_t bit) {
  if ((mask & bit) == 0) return std::nullopt;
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

class FolderFileSystem : public FileSystem {
 public:
  explicit FolderFileSystem(const FolderSource& folder) : folder_(folder) {}
  const std::string& type() const override { return type_; }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    const auto raw = unescape_path(directory.path);
    if (!raw) return raw.error();
    auto opened = folder_.open_directory(*raw);
    if (!opened) return Error{opened.error().code, place(directory.path) + ": " + opened.error().message};
    std::vector<std::string> names;
    if (auto read = read_names(opened.take(), directory, names, problems); !read) return read;
    const auto again = folder_.open_directory(*raw);
    if (!again) return again.error();
    for (const std::string& name : names) {
      auto entry = describe(again->get(), name, directory, problems);
      if (entry && !sink(std::move(*entry))) break;
    }
    return {};
  }

  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    const auto raw = unescape_path(address);
    if (!raw) return raw.error();
    return folder_.open_file(*raw);
  }

 private:
  static std::string place(const std::string& path) { return path.empty() ? "/" : path; }

  static Status read_names(Descriptor descriptor, const DirectoryRef& directory,
                           std::vector<std::string>& names, std::vector<Problem>& problems) {
    const auto close = [](DIR* handle) { ::closedir(handle); };
    const std::unique_ptr<DIR, decltype(close)> handle(::fdopendir(descriptor.get()), close);
    if (!handle) return Error{ErrorCode::io, place(directory.path) + ": cannot be listed"};
    descriptor.release();  // belongs to the handle now
    std::size_t bytes = 0;
    errno = 0;
    while (const dirent* each = ::readdir(handle.get())) {
      const std::string_view name = each->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
        bytes += name.size() + sizeof(std::string);
      }
      if (bytes > kMaxNameBytes) {
        problems.push_back(tree_problem(ProblemKind::limit, place(directory.path),
                                        "more names than can be held: the rest is left out"));
        break;
      }
      errno = 0;
    }
    if (errno != 0) {
      problems.push_back(
          tree_problem(ProblemKind::unreadable, place(directory.path),
                       std::string("the directory could not be read to its end: ") + std::strerror(errno)));
    }
    std::sort(names.begin(), names.end());
    return {};
  }

  static std::optional<Entry> describe(int at, const std::string& name, const DirectoryRef& directory,
                                       std::vector<Problem>& problems) {
    Entry entry;
    entry.name_raw = name;
    entry.name = to_valid_utf8(name);
    entry.path = directory.path + '/' + escape_tree_component(name);
    entry.address = entry.path;
    entry.address_in_locator = false;
    struct statx status {};
    if (::statx(at, name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
                &status) != 0) {
      problems.push_back(tree_problem(ProblemKind::unreadable, entry.path, std::strerror(errno)));
      entry.detail = R"({"metadata":"missing"})";
      return entry;
    }
    const std::uint32_t mode = status.stx_mode;
    entry.times.created = time_of(status.stx_btime, status.stx_mask, STATX_BTIME);
    entry.times.modified = time_of(status.stx_mtime, status.stx_mask, STATX_MTIME);
    entry.times.accessed = time_of(status.stx_atime, status.stx_mask, STATX_ATIME);
    entry.times.changed = time_of(status.stx_ctime, status.stx_mask, STATX_CTIME);
    nlohmann::json detail = {
        {"uid", status.stx_uid}, {"gid", status.stx_gid}, {"mode", unix_mode_text(mode)}};
    if (const char* type = unix_special_type(mode)) detail["type"] = type;
    if (S_ISREG(mode)) {
      entry.size = status.stx_size;
      entry.has_content = true;
      if (status.stx_nlink > 1) detail["links"] = status.stx_nlink, detail["inode"] = status.stx_ino;
      if (status.stx_blocks * 512 < status.stx_size) detail["stored_bytes"] = status.stx_blocks * 512;
    } else if (S_ISLNK(mode)) {
      entry.kind = ItemKind::link;
      add_target(at, name, detail, entry, problems);
    } else if (S_ISDIR(mode)) {
      entry.kind = ItemKind::directory;
      entry.identity = std::to_string(status.stx_dev_major) + ":" + std::to_string(status.stx_dev_minor) +
                       ":" + std::to_string(status.stx_ino);
      entry.descend = directory.ancestors.size() + 2 < kMaxDirectoryDepth;
      if (!entry.descend) {
        problems.push_back(
            tree_problem(ProblemKind::limit, entry.path,
                         "directories are followed to a depth of " + std::to_string(kMaxDirectoryDepth)));
      }
    }
    entry.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return entry;
  }

  static void add_target(int at, const std::string& name, nlohmann::json& detail, const Entry& entry,
                         std::vector<Problem>& problems) {
    std::string target(4096, '\0');
    const ssize_t got = ::readlinkat(at, name.c_str(), target.data(), target.size());
    if (got < 0) {
      problems.push_back(tree_problem(ProblemKind::unreadable, entry.path, std::strerror(errno)));
      return;
    }
    target.resize(static_cast<std::size_t>(got));
    detail["link_target"] = to_valid_utf8(target);
  }

  const FolderSource& folder_;
  std::string type_ = "folder";
};

}  // namespace

std::unique_ptr<FileSystem> open_folder_tree(const FolderSource& folder) {
  return std::make_unique<FolderFileSystem>(folder);
}

}  // namespace touchstone

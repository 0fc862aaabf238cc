// The files of a zip archive. Of an entry only its name and the place of its record are kept; everything else
// is read again when it is listed or opened.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/trees.hpp"
#include "filesystem/trees/zip_directory.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

// Longer than any system allows for the target of a symbolic link.
constexpr std::uint64_t kMaxLinkTarget = 4096;

class ZipFileSystem : public TreeFileSystem {
 public:
  ZipFileSystem(ByteSource& file, TimeZone zone, Secrets secrets)
      : TreeFileSystem("zip"), file_(file), zone_(std::move(zone)), secrets_(std::move(secrets)) {}

 protected:
  Status fill(TreeIndex& index, std::vector<Problem>& problems) override;
  void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) override;
  Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) override;

 private:
  // The lowest bit of a place tells a local header from a record of the central directory.
  static std::uint64_t place_of(const ZipEntry& entry) { return entry.record << 1 | (entry.scanned ? 1 : 0); }
  Result<ZipEntry> entry_at(std::uint64_t place) {
    return directory_->read_entry(place >> 1, (place & 1) != 0);
  }
  std::optional<std::string> link_target(const ZipEntry& zip);
  void add_detail(const ZipEntry& zip, Entry& entry, nlohmann::json detail);

  ByteSource& file_;
  TimeZone zone_;
  Secrets secrets_;
  std::unique_ptr<ZipDirectory> directory_;
};

Status ZipFileSystem::fill(TreeIndex& index, std::vector<Problem>& problems) {
  auto opened = ZipDirectory::open(file_, &zone_, problems);
  if (!opened) return opened.error();
  directory_ = opened.take();
  bool full = false;
  std::vector<Problem> met;
  Status walked = directory_->for_each(
      [&](const ZipEntry& entry) {
        full = !index.add(entry.name, entry.directory, place_of(entry));
        return !full;
      },
      met);
  problems.insert(problems.end(), met.begin(), met.end());
  if (full) {
    problems.push_back(tree_problem(ProblemKind::limit, "",
                                    "the archive has more entries or longer names than can be kept (" +
                                        std::to_string(index.size()) + " are): the rest is left out"));
  }
  return walked;
}

std::optional<std::string> ZipFileSystem::link_target(const ZipEntry& zip) {
  if (!S_ISLNK(zip.mode) || zip.size > kMaxLinkTarget) return std::nullopt;
  auto source = directory_->open_member(zip, secrets_);
  if (!source) return std::nullopt;
  std::string text(static_cast<std::size_t>(zip.size), '\0');
  const auto got = (*source)->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!got || *got != text.size() || !(*source)->gaps().empty()) return std::nullopt;
  return text;
}

void ZipFileSystem::add_detail(const ZipEntry& zip, Entry& entry, nlohmann::json detail) {
  if (zip.name_raw != zip.name || tree_path_changed(zip.name)) detail["raw_name"] = escape_path(zip.name_raw);
  if (zip.mode != 0) detail["mode"] = unix_mode_text(zip.mode);
  if (zip.uid) detail["uid"] = *zip.uid;
  if (zip.gid) detail["gid"] = *zip.gid;
  if (const char* type = unix_special_type(zip.mode)) detail["type"] = type;
  if (!zip.directory && zip.method != 0) detail["method"] = zip_method_name(zip.method);
  if (!zip.encryption.empty()) detail["encrypted"] = zip.encryption;
  if (!zip.comment.empty()) detail["comment"] = zip.comment;
  if (zip.scanned) detail["found_by"] = "local header";
  entry.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void ZipFileSystem::describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) {
  auto zip = entry_at(place);
  if (!zip) {
    problems.push_back(tree_problem(ProblemKind::corrupt, entry.path, zip.error().message));
    return;
  }
  if (const std::string differs = directory_->compare_local(*zip); !differs.empty()) {
    problems.push_back(tree_problem(ProblemKind::corrupt, entry.path, differs));
  }
  nlohmann::json detail = nlohmann::json::object();
  entry.size = zip->size;
  entry.times = zip->times;
  entry.has_content = !zip->directory;
  if (const auto target = link_target(*zip)) {
    entry.kind = ItemKind::link;
    entry.has_content = false;
    detail["link_target"] = to_valid_utf8(*target);
  } else if (unix_special_type(zip->mode) != nullptr && zip->size == 0) {
    entry.has_content = false;
  }
  add_detail(*zip, entry, std::move(detail));
}

Result<std::unique_ptr<ByteSource>> ZipFileSystem::open_place(std::uint64_t place) {
  const auto zip = entry_at(place);
  if (!zip) return zip.error();
  return directory_->open_member(*zip, secrets_);
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_zip_tree(ByteSource& file, const VolumeOptions& options) {
  auto zone = TimeZone::load(options.zone);
  if (!zone) return zone.error();
  return std::unique_ptr<FileSystem>(std::make_unique<ZipFileSystem>(file, zone.take(), options.secrets));
}

}  // namespace touchstone

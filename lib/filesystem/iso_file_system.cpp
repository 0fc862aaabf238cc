#include "filesystem/iso_file_system.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "evidence/integers.hpp"
#include "filesystem/iso_content.hpp"
#include "filesystem/iso_records.hpp"
#include "filesystem/iso_sessions.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/volume_signature.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

using namespace iso;

constexpr std::uint64_t kFirstDescriptor = 16;
constexpr std::size_t kMaxDescriptors = 64;
constexpr std::size_t kMaxRecord = 255;
constexpr std::size_t kMaxDirectories = 500'000, kMaxFiles = 2'000'000;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{1} << 30;  // of all directories together
constexpr std::size_t kMaxPath = 32 * 1024;
constexpr std::size_t kMaxParts = 4096;                   // extents of a file, of at most 4 GiB each
constexpr std::string_view kOtherSlash = "\xe2\x88\x95";  // U+2215, since "/" separates here

struct Tree {
  const char* name = "";
  Dialect dialect;
  std::uint32_t root_block = 0, root_size = 0;
  std::size_t session = 0;  ///< counted from 1, the oldest
  bool leads = false;       ///< the tree of its session that is read first
};

struct Directory {
  std::string path;
  std::uint32_t block = 0, size = 0;
};

std::string component(const std::string& name) {
  if (name.empty() || name == "." || name == "..") return "(unnamed)";
  std::string text;
  for (const char c : name) {
    if (c == '/') {
      text += kOtherSlash;
    } else {
      text.push_back(c);
    }
  }
  return text;
}

class IsoFileSystem : public TreeFileSystem {
 public:
  explicit IsoFileSystem(std::unique_ptr<ByteSource> bytes)
      : TreeFileSystem("iso9660"), bytes_(std::move(bytes)) {}
  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override;
  Status slack(const std::function<bool(ByteRange, const std::string& address)>& sink,
               std::vector<Problem>& problems) override;

 protected:
  Status fill(TreeIndex& index, std::vector<Problem>& problems) override;
  void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) override;
  Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) override;

 private:
  /// A record's place: its offset, and which tree it belongs to.
  static constexpr std::uint64_t kTrees = 256;  // two of each session
  std::optional<DirectoryRecord> record_at(std::uint64_t place) const;
  bool find_trees(const Session& session, std::size_t number);
  bool is_old(std::size_t tree) const { return trees_[tree].session != trees_.front().session; }
  std::vector<std::byte> directory_bytes(const Tree& tree, const Directory& directory,
                                         std::vector<Problem>& problems);
  void walk(std::size_t number, TreeIndex& index, std::vector<Problem>& problems);
  void list_directory(std::size_t number, const Directory& directory, TreeIndex& index,
                      std::vector<Problem>& problems);
  void take(std::size_t number, const DirectoryRecord& record, const Directory& directory,
            std::uint64_t offset, bool has_more, TreeIndex& index);
  bool is_new_empty(std::size_t number, const std::string& path);
  void mark(std::uint64_t offset, std::uint64_t size) { used_.push_back({offset, size}); }
  /// The extents of the file whose first record is there.
  std::vector<ByteRange> extents_of(std::uint64_t place, std::uint64_t& size) const;

  std::unique_ptr<ByteSource> bytes_;
  std::vector<Tree> trees_;
  std::deque<Directory> waiting_;
  std::vector<std::pair<Directory, std::uint64_t>>
      moved_;  ///< directories with RE, and the places of their records
  std::unordered_set<std::uint32_t> visited_;
  std::unordered_set<std::uint32_t> starts_;  ///< blocks at which files begin, in the trees so far
  std::unordered_set<std::string>
      empties_;  ///< paths of files without bytes, kept where there are several sessions
  std::vector<ByteRange> used_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ends_;  ///< end of a file and its place, for slack()
  std::uint64_t directory_bytes_ = 0;
  std::size_t files_ = 0;
  bool is_full_ = false;
};

bool IsoFileSystem::find_trees(const Session& session, std::size_t number) {
  std::vector<std::byte> sector(kSector);
  std::optional<Tree> primary, joliet;
  for (std::size_t i = 0; i < kMaxDescriptors; ++i) {
    const std::uint64_t at = (session.first_descriptor + i) * kSector;
    const auto got = bytes_->read_at(at, sector);
    if (!got || *got < sector.size() || std::memcmp(sector.data() + 1, "CD001", 5) != 0) break;
    mark(at, kSector);
    const int type = std::to_integer<int>(sector[0]);
    if (type == 255) break;
    Tree tree;
    const std::uint64_t block = little(sector, 128, 2);
    if (block >= 512 && block <= kSector) tree.dialect.block_size = block;
    tree.root_block = static_cast<std::uint32_t>(little(sector, 158, 4));
    tree.root_size = static_cast<std::uint32_t>(little(sector, 166, 4));
    // The escape sequences of UCS-2 levels 1 to 3.
    const bool is_joliet = std::to_integer<int>(sector[88]) == '%' && std::to_integer<int>(sector[89]) == '/';
    if (type == 1 && !primary) primary = tree;
    if (type == 2 && is_joliet && !joliet) joliet = tree;
  }
  if (!primary) return false;
  std::vector<std::byte> root(kMaxRecord);
  const auto got = bytes_->read_at(primary->root_block * primary->dialect.block_size, root);
  if (const auto skip = susp_skip(std::span(root).first(got ? *got : 0))) {
    primary->dialect.rock_ridge = true;
    primary->dialect.skip = *skip;
  }
  primary->name = primary->dialect.rock_ridge ? "rock_ridge" : "plain";
  if (joliet) {
    joliet->name = "joliet";
    joliet->dialect.joliet = true;
  }
  const std::size_t before = trees_.size();
  if (joliet && !primary->dialect.rock_ridge) trees_.push_back(*joliet);
  trees_.push_back(*primary);
  if (joliet && primary->dialect.rock_ridge) trees_.push_back(*joliet);
  trees_[before].leads = true;
  for (std::size_t i = before; i < trees_.size(); ++i) trees_[i].session = number;
  return true;
}

std::vector<std::byte> IsoFileSystem::directory_bytes(const Tree& tree, const Directory& directory,
                                                      std::vector<Problem>& problems) {
  const std::uint64_t offset = directory.block * tree.dialect.block_size;
  const std::uint64_t left = bytes_->size() > offset ? bytes_->size() - offset : 0;
  const std::uint64_t size =
      std::min<std::uint64_t>({directory.size, left, kMaxDirectoryBytes - directory_bytes_});
  directory_bytes_ += size;
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  const auto got = bytes_->read_at(offset, bytes);
  bytes.resize(got ? *got : 0);
  if (bytes.size() < directory.size) {
    problems.push_back(tree_problem(ProblemKind::corrupt, directory.path.empty() ? "/" : directory.path,
                                    "only " + std::to_string(bytes.size()) + " of " +
                                        std::to_string(directory.size) +
                                        " bytes of the directory can be read"));
  }
  mark(offset, directory.size);
  return bytes;
}

void IsoFileSystem::list_directory(std::size_t number, const Directory& directory, TreeIndex& index,
                                   std::vector<Problem>& problems) {
  const Tree& tree = trees_[number];
  if (!visited_.insert(directory.block).second || visited_.size() > kMaxDirectories || is_full_) return;
  const auto bytes = directory_bytes(tree, directory, problems);
  const std::uint64_t offset = directory.block * tree.dialect.block_size;
  bool is_more = false, is_broken = false;
  for (std::size_t at = 0; at < bytes.size() && !is_full_;) {
    const auto length = std::to_integer<std::size_t>(bytes[at]);
    if (length == 0) {  // no record crosses the end of a sector
      at = (at / kSector + 1) * kSector;
      continue;
    }
    const auto record = parse_record(std::span(bytes).subspan(at), tree.dialect, *bytes_);
    if (!record) {
      is_broken = true;
      at = (at / kSector + 1) * kSector;
      continue;
    }
    if (!record->itself && !record->parent) take(number, *record, directory, offset + at, is_more, index);
    is_more = record->more && !record->directory;
    at += length;
  }
  if (is_broken) {
    problems.push_back(tree_problem(ProblemKind::corrupt, directory.path.empty() ? "/" : directory.path,
                                    "records of the directory are damaged; names may be missing"));
  }
}

void IsoFileSystem::take(std::size_t number, const DirectoryRecord& record, const Directory& directory,
                         std::uint64_t offset, bool has_more, TreeIndex& index) {
  const Dialect& dialect = trees_[number].dialect;
  const std::uint64_t place = offset * kTrees + number;
  std::string path = directory.path + '/' + component(record.name);
  if (path.size() > kMaxPath) return;
  if (record.directory || record.rock.child) {
    Directory below{std::move(path), record.rock.child.value_or(record.block), record.size};
    if (record.rock.child) {  // its own first record says how large it is
      std::vector<std::byte> first(kMaxRecord);
      const auto got = bytes_->read_at(below.block * dialect.block_size, first);
      const auto itself = parse_record(std::span(first).first(got ? *got : 0), dialect, *bytes_);
      below.size = itself ? itself->size : static_cast<std::uint32_t>(kSector);
    }
    if (record.rock.moved) {
      moved_.emplace_back(std::move(below), place);
      return;
    }
    if (visited_.contains(below.block)) return;
    is_full_ = is_full_ || (number == 0 && !index.add(below.path, true, place));
    waiting_.push_back(std::move(below));
    return;
  }
  const std::uint64_t content = (record.block + std::uint64_t{record.attribute_blocks}) * dialect.block_size;
  const bool is_known = record.size > 0 && starts_.contains(record.block);
  if (record.size > 0) {
    mark(content, record.size);
    ends_.emplace_back(content + record.size, place);
    if (trees_[number].leads) starts_.insert(record.block);
  }
  // The other trees and older sessions lead to the same files, perhaps by other names.
  if (has_more || (number > 0 && is_known)) return;
  if (record.size == 0 && !is_new_empty(number, path)) return;
  is_full_ = is_full_ || ++files_ > kMaxFiles || !index.add(path, false, place);
}

/// A file without bytes has no place by which to know it again.
bool IsoFileSystem::is_new_empty(std::size_t number, const std::string& path) {
  if (!trees_[number].leads) return false;
  return trees_.front().session <= 1 || empties_.insert(path).second;
}

void IsoFileSystem::walk(std::size_t number, TreeIndex& index, std::vector<Problem>& problems) {
  visited_.clear();
  waiting_ = {Directory{"", trees_[number].root_block, trees_[number].root_size}};
  const auto go = [&] {
    while (!waiting_.empty()) {
      const Directory directory = std::move(waiting_.front());
      waiting_.pop_front();
      list_directory(number, directory, index, problems);
    }
  };
  go();
  // A directory that was moved and that nothing leads to stands where it lies.
  for (auto& [directory, place] : std::exchange(moved_, {})) {
    if (visited_.contains(directory.block)) continue;
    if (number == 0) index.add(directory.path, true, place);
    waiting_.push_back(std::move(directory));
    go();
  }
}

Status IsoFileSystem::fill(TreeIndex& index, std::vector<Problem>& problems) {
  mark(0, kFirstDescriptor * kSector);
  const std::vector<Session> sessions = find_sessions(*bytes_);
  for (std::size_t i = sessions.size(); i-- > 0;) find_trees(sessions[i], i + 1);
  if (trees_.empty()) return Error{ErrorCode::corrupt, "there is no primary volume descriptor"};
  for (std::size_t i = 0; i < trees_.size(); ++i) walk(i, index, problems);
  if (is_full_ || directory_bytes_ == kMaxDirectoryBytes || visited_.size() > kMaxDirectories) {
    problems.push_back(tree_problem(ProblemKind::limit, "", "the disc names more files than are listed"));
  }
  visited_.clear();
  starts_.clear();
  empties_.clear();
  return {};
}

std::optional<DirectoryRecord> IsoFileSystem::record_at(std::uint64_t place) const {
  const std::uint64_t number = place % kTrees;
  if (number >= trees_.size()) return std::nullopt;
  std::vector<std::byte> bytes(kMaxRecord);
  const auto got = bytes_->read_at(place / kTrees, bytes);
  return parse_record(std::span(bytes).first(got ? *got : 0), trees_[number].dialect, *bytes_);
}

std::vector<ByteRange> IsoFileSystem::extents_of(std::uint64_t place, std::uint64_t& size) const {
  std::vector<ByteRange> extents;
  size = 0;
  for (std::uint64_t at = place; extents.size() < kMaxParts;) {
    const auto record = record_at(at);
    if (!record) {
      // No record crosses the end of a sector: the next one stands at the start of the next.
      const std::uint64_t next = (at / kTrees / kSector + 1) * kSector * kTrees + at % kTrees;
      if (extents.empty() || (at / kTrees) % kSector == 0) break;
      at = next;
      continue;
    }
    const std::uint64_t block_size = trees_[at % kTrees].dialect.block_size;
    extents.push_back({(record->block + std::uint64_t{record->attribute_blocks}) * block_size, record->size});
    size += record->size;
    if (!record->more) break;
    std::array<std::byte, 1> length{};
    const auto got = bytes_->read_at(at / kTrees, length);
    at += (got && *got == 1 ? std::to_integer<std::uint64_t>(length[0]) : 0) * kTrees;
  }
  return extents;
}

void IsoFileSystem::describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) {
  const auto record = record_at(place);
  if (!record) return;
  const RockRidge& rock = record->rock;
  nlohmann::json detail = nlohmann::json::object();
  entry.times.modified = rock.modified ? rock.modified : record->recorded;
  entry.times.created = rock.created;
  entry.times.accessed = rock.accessed;
  entry.times.changed = rock.changed;
  if (rock.mode) {
    detail["mode"] = unix_mode_text(*rock.mode);
    if (const char* type = unix_special_type(*rock.mode)) detail["type"] = type;
  }
  if (rock.uid) detail["uid"] = *rock.uid;
  if (rock.gid) detail["gid"] = *rock.gid;
  if (rock.links && *rock.links > 1) detail["links"] = *rock.links;
  if (record->hidden) detail["hidden"] = true;
  if (!trees_[place % kTrees].leads) detail["tree"] = trees_[place % kTrees].name;
  if (is_old(place % kTrees)) {
    entry.allocated = false;
    detail["session"] = trees_[place % kTrees].session;
  }
  if (entry.kind == ItemKind::file) {
    const bool is_link = !rock.link_target.empty() || (rock.mode && (*rock.mode & S_IFMT) == S_IFLNK);
    const bool is_special = rock.mode && unix_special_type(*rock.mode) != nullptr;
    if (is_link) {
      entry.kind = ItemKind::link;
      detail["link_target"] = to_valid_utf8(rock.link_target);
    }
    extents_of(place, entry.size);
    if (rock.compressed) {
      detail["packed"] = "zisofs";
      detail["packed_size"] = entry.size;
      entry.size = rock.unpacked_size;
    }
    entry.has_content = !is_link && !is_special;
  }
  if (rock.cut) {
    problems.push_back(
        tree_problem(ProblemKind::corrupt, entry.path,
                     "what Rock Ridge says of it leads nowhere: name, link and times may be wrong"));
  }
  if (record->interleaved) {
    problems.push_back(
        tree_problem(ProblemKind::unsupported, entry.path, "is recorded interleaved, which is not read"));
  }
  entry.detail = detail.empty() ? "" : detail.dump();
}

Result<std::unique_ptr<ByteSource>> IsoFileSystem::open_place(std::uint64_t place) {
  const auto record = record_at(place);
  if (!record || record->directory) return Error{ErrorCode::not_found, "there is no such file"};
  if (record->interleaved) return Error{ErrorCode::unsupported, "recorded interleaved, which is not read"};
  std::uint64_t size = 0;
  auto content = make_extents(*bytes_, extents_of(place, size));
  if (record->rock.compressed) return open_zisofs(std::move(content), record->rock.unpacked_size);
  return content;
}

Status IsoFileSystem::unallocated(const std::function<bool(ByteRange)>& sink,
                                  std::vector<Problem>& /*problems*/) {
  if (Status filled = ready(); !filled) return filled;
  std::sort(used_.begin(), used_.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::uint64_t at = 0;
  for (const ByteRange& range : used_) {
    if (range.offset > at && !sink({at, std::min(range.offset, bytes_->size()) - at})) return {};
    // The rest of the last sector is slack.
    at = std::max(at, (range.offset + range.length + kSector - 1) / kSector * kSector);
    if (at >= bytes_->size()) return {};
  }
  sink({at, bytes_->size() - at});
  return {};
}

Status IsoFileSystem::slack(const std::function<bool(ByteRange, const std::string& address)>& sink,
                            std::vector<Problem>& /*problems*/) {
  if (Status filled = ready(); !filled) return filled;
  std::set<std::uint64_t> told;
  for (const auto& [end, place] : ends_) {
    const std::uint64_t stop = std::min((end + kSector - 1) / kSector * kSector, bytes_->size());
    if (stop <= end || !told.insert(end).second) continue;
    if (!sink({end, stop - end}, std::to_string(place))) break;
  }
  return {};
}

}  // namespace

bool examine_iso9660(ByteSource& window, std::uint64_t there, Volume& volume) {
  const std::vector<Session> sessions = find_sessions(window);
  if (sessions.empty()) return false;
  const Session& last = sessions.back();
  std::vector<std::byte> sector(kSector);
  const auto got = window.read_at(last.first_descriptor * kSector, sector);
  if (!got || *got < sector.size() || little(sector, 80, 4) * little(sector, 128, 2) == 0) return false;
  const std::uint64_t claims = last.end * kSector;
  volume.filesystem = "iso9660";
  volume.label = iso_label(window, last.first_descriptor * kSector);
  volume.state = VolumeState::read;
  const auto say = [&](const std::string& what) {
    volume.reason += (volume.reason.empty() ? "" : "; ") + what;
  };
  if (sessions.size() > 1) {
    say(std::to_string(sessions.size()) +
        " sessions: the last is read, as drives show it; files that earlier ones alone have are listed as "
        "deleted");
  }
  if (is_udf(window)) {
    volume.state = VolumeState::partly_read;
    say("also carries UDF, which is not read: files recorded there alone are missing");
  }
  if (claims > there) {
    volume.state = VolumeState::partly_read;
    say("the file system has " + std::to_string(claims) + " bytes, but the image ends after " +
        std::to_string(there) + " of them");
  }
  return true;
}

std::unique_ptr<FileSystem> open_iso9660(std::unique_ptr<ByteSource> bytes) {
  return std::make_unique<IsoFileSystem>(std::move(bytes));
}

}  // namespace touchstone::detail

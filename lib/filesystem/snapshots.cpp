#include "filesystem/snapshots.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "filesystem/snapshots_changes.hpp"
#include "filesystem/snapshots_vss.hpp"
#include "filesystem/tsk_open.hpp"
#include "filesystem/tsk_volumes.hpp"

namespace touchstone::detail {
namespace {

constexpr std::string_view kLayer = "vss";

std::string time_text(const std::optional<TimeUs>& time) {
  if (!time) return "unknown time";
  std::time_t seconds = *time / 1'000'000;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// A shadow copy with what it is compared with. The parts are given back in the reverse order.
struct OpenSnapshot {
  std::unique_ptr<ByteSource> live;
  std::shared_ptr<ShadowCopies> copies;
  SnapshotInfo info;
  std::unique_ptr<ByteSource> bytes;
  std::unique_ptr<SnapshotChanges> changes;
};

Status open_changes(OpenSnapshot& one, std::size_t index) {
  one.info = one.copies->list()[index];
  auto bytes = ShadowCopies::bytes(one.copies, index);
  if (!bytes) return bytes.error();
  one.bytes = bytes.take();
  const auto changed = one.copies->changed_since(index);
  if (!changed) return changed.error();
  auto changes = SnapshotChanges::make(*one.bytes, *one.live, *changed);
  if (!changes) return changes.error();
  one.changes = changes.take();
  return {};
}

/// Lists what differs from the live volume; opens everything.
class SnapshotFileSystem : public FileSystem {
 public:
  SnapshotFileSystem(std::unique_ptr<OpenSnapshot> snapshot, std::unique_ptr<FileSystem> files)
      : snapshot_(std::move(snapshot)), files_(std::move(files)) {}

  const std::string& type() const override { return files_->type(); }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    constexpr std::uint64_t kRoot = 5;
    const auto own = directory.address.empty() ? kRoot : inode_of(directory.address).value_or(kRoot);
    return files_->list(
        directory, [&](Entry&& entry) { return !keep(own, entry) || sink(std::move(entry)); }, problems);
  }

  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return files_->open(address);
  }

 private:
  using Attribute = std::optional<std::pair<std::uint32_t, std::uint16_t>>;

  static std::optional<std::uint64_t> inode_of(const std::string& address, Attribute* attribute = nullptr) {
    std::uint64_t inode = 0;
    std::uint32_t type = 0;
    std::uint16_t id = 0;
    const char* const end = address.data() + address.size();
    const auto [at, error] = std::from_chars(address.data(), end, inode);
    if (error != std::errc()) return std::nullopt;
    if (attribute == nullptr || at == end) return inode;
    const auto [middle, bad] = std::from_chars(at + 1, end, type);
    if (bad != std::errc() || middle == end) return inode;
    const auto [last, wrong] = std::from_chars(middle + 1, end, id);
    if (wrong == std::errc() && last == end) *attribute = {type, id};
    return inode;
  }

  /// Whether an entry is listed; marks it.
  bool keep(std::uint64_t directory, Entry& entry) {
    Attribute attribute;
    const auto inode = inode_of(entry.address, &attribute);
    if (!inode) return false;  // a name that leads nowhere
    SnapshotChanges& changes = *snapshot_->changes;
    if (entry.descend) {
      if (!changes.leads_to_change(*inode)) return false;
      mark(entry, "");
      return true;
    }
    // The file system's own files change all the time and tell nothing that is not told by the others.
    constexpr std::uint64_t kFirstOfUsers = 24;
    if (*inode < kFirstOfUsers || !changes.record_changed(*inode)) return false;
    // The files in which shadow copies are kept.
    constexpr std::string_view kStorage = "{3808876b-c176-4e48-b7ae-04046e6cc752}";
    if (entry.name.ends_with(kStorage)) return false;
    const Fate fate = changes.fate(directory, entry.name_raw, *inode, entry.allocated, attribute);
    if (fate == Fate::same) return false;
    mark(entry, to_text(fate));
    return true;
  }

  void mark(Entry& entry, const std::string& since) const {
    auto detail = nlohmann::json::parse(entry.detail, nullptr, false);
    if (!detail.is_object()) detail = nlohmann::json::object();
    detail["snapshot"] = snapshot_->info.id;
    detail["snapshot_created"] = time_text(snapshot_->info.created);
    if (!since.empty()) detail["since_snapshot"] = since;
    entry.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::unique_ptr<OpenSnapshot> snapshot_;  // goes last
  std::unique_ptr<FileSystem> files_;
};

// Shadow copies are compared while they are listed, to tell how much differs, if all their records together
// are no more than this: listing volumes is one unit of work.
constexpr std::uint64_t kMaxRecordsWhileListing = 300'000;

void describe(ByteSource& image, const Volume& holder, const std::shared_ptr<ShadowCopies>& copies,
              std::size_t index, bool compare, Volume& volume) {
  const SnapshotInfo& info = copies->list()[index];
  volume.kind = "volume shadow copy of " + time_text(info.created) + ", " + info.id;
  volume.filesystem = "ntfs";
  volume.label = holder.label;
  OpenSnapshot one;
  one.live = make_window(image, holder.offset, holder.size);
  one.copies = copies;
  Status opened;
  if (compare) {
    opened = open_changes(one, index);
  } else if (const auto bytes = ShadowCopies::bytes(copies, index); !bytes) {
    opened = bytes.error();
  }
  if (!opened) {
    const bool elsewhere = opened.error().code == ErrorCode::unsupported;
    volume.state = elsewhere ? VolumeState::unsupported : VolumeState::corrupt;
    volume.reason = "the shadow copy is not read: " + opened.error().message;
    return;
  }
  volume.state = VolumeState::read;
  volume.reason =
      one.changes && !one.changes->cut_off()
          ? fmt::format(
                "{} of its {} file records differ from the live volume's; the files of the others are "
                "the same and are not listed again",
                one.changes->changed_records(), one.changes->records())
          : "files that are the same as the live volume's are not listed again";
}

}  // namespace

std::vector<Volume> list_snapshots(ByteSource& image, const Volume& holder, std::vector<Problem>& problems,
                                   const VolumeOptions& /*options*/) {
  std::vector<Volume> volumes;
  if (holder.filesystem != "ntfs" || !holder.layer.empty()) return volumes;
  const auto live = make_window(image, holder.offset, holder.size);
  if (!ShadowCopies::has_header(*live)) return volumes;
  const auto copies = ShadowCopies::open(*live);
  if (!copies) {
    Problem problem;
    problem.plugin = "filesystem";
    problem.kind = ProblemKind::corrupt;
    problem.message = "volume " + holder.slot + ": " + copies.error().message;
    problems.push_back(std::move(problem));
    return volumes;
  }
  const std::size_t count = (*copies)->list().size();
  const bool compare = count > 0 && SnapshotChanges::count_records(*live) <= kMaxRecordsWhileListing / count;
  for (std::size_t i = 0; i < count; ++i) {
    Volume volume;
    volume.slot = holder.slot + "~" + std::to_string(i + 1);
    volume.parent_slot = holder.slot;
    volume.offset = holder.offset;
    volume.size = holder.size;
    volume.layer = kLayer;
    describe(image, holder, *copies, i, compare, volume);
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

Result<std::unique_ptr<FileSystem>> open_snapshot(ByteSource& image, const Volume& volume,
                                                  const VolumeOptions& options) {
  std::size_t number = 0;
  const std::string last = volume.slot.substr(volume.slot.rfind('~') + 1);
  std::from_chars(last.data(), last.data() + last.size(), number);
  auto one = std::make_unique<OpenSnapshot>();
  one->live = make_window(image, volume.offset, volume.size);
  auto copies = ShadowCopies::open(*one->live);
  if (!copies) return copies.error();
  one->copies = copies.take();
  if (number == 0 || number > one->copies->list().size())
    return Error{ErrorCode::not_found, "the volume has no shadow copy " + last};
  if (const Status opened = open_changes(*one, number - 1); !opened) return opened.error();
  auto bytes = ShadowCopies::bytes(one->copies, number - 1);
  if (!bytes) return bytes.error();
  VolumeOptions inner = options;
  inner.free_space = false;  // a snapshot's free space is the live volume's
  Volume place = volume;
  place.offset = 0;
  place.size = (*bytes)->size();
  auto files = open_tsk_inside(bytes.take(), place, inner);
  if (!files) return files.error();
  return std::unique_ptr<FileSystem>(std::make_unique<SnapshotFileSystem>(std::move(one), files.take()));
}

}  // namespace touchstone::detail

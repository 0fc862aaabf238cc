// list_volumes(): from the partition table to what lies in each slot.
#include <fmt/format.h>

#include <algorithm>

#include "filesystem/partition_table.hpp"
#include "filesystem/trees/backups.hpp"
#include "filesystem/trees/trees.hpp"
#include "filesystem/tsk_volumes.hpp"
#include "filesystem/volume_layers.hpp"

namespace touchstone {
namespace {

using namespace detail;

// Pool volumes and nested tables at most this deep; a forged one could hold itself.
constexpr int kMaxNesting = 3;
constexpr std::size_t kMaxInner = 256;
constexpr std::size_t kMaxOverlapsNamed = 5;

bool is_readable(const Volume& volume) {
  return volume.state == VolumeState::read || volume.state == VolumeState::partly_read;
}

/// A partition as far as the image has it.
Volume volume_at(const Partition& partition, std::string slot, std::uint64_t image_size) {
  Volume volume;
  volume.slot = std::move(slot);
  volume.offset = std::min(partition.offset, image_size);
  volume.size = std::min(partition.size, image_size - volume.offset);
  volume.kind = partition.kind;
  return volume;
}

class VolumeList {
 public:
  VolumeList(ByteSource& image, std::vector<Problem>& problems, const VolumeOptions& options)
      : image_(image), tsk_(image, 512), problems_(problems), options_(options) {}

  TskImage& tsk() { return tsk_; }

  /// Whether a slice of the table carries a table of its own: then it is no boot sector that looks like one.
  bool has_nested(const PartitionTable& table) {
    return std::any_of(table.partitions.begin(), table.partitions.end(), [&](const Partition& slice) {
      const auto inner = find_nested_table(image_, slice, table.sector_size);
      return inner && !inner->partitions.empty();
    });
  }

  std::vector<Volume> volumes_of(const PartitionTable& table) {
    std::vector<Volume> volumes;
    for (const Partition& partition : table.partitions) {
      if (volumes.size() >= kMaxPartitions) break;
      volumes.push_back(volume_at(partition, "p" + std::to_string(volumes.size() + 1), image_.size()));
      examine_volume(tsk_, volumes.back());
      note_pool(partition.pool, volumes.back());
    }
    return volumes;
  }

  Volume whole() {
    Volume volume;
    volume.slot = "p0";
    volume.size = image_.size();
    volume.kind = "no partition table";
    examine_volume(tsk_, volume);
    return volume;
  }

  /// Each volume followed by those that it holds.
  std::vector<Volume> with_inner(std::vector<Volume> outer, const PartitionTable* table) {
    std::vector<Volume> all;
    for (std::size_t i = 0; i < outer.size(); ++i) {
      std::vector<Volume> inner;
      if (table != nullptr && i < table->partitions.size())
        inner = nested(table->partitions[i], *table, outer[i]);
      if (inner.empty()) inner = pool(outer[i], 0);
      all.push_back(std::move(outer[i]));
      for (Volume& volume : inner) all.push_back(std::move(volume));
    }
    return all;
  }

 private:
  /// Pools of Windows keep their map elsewhere on the disks; a simple volume may begin with its partition.
  static void note_pool(const std::string& pool, Volume& volume) {
    if (pool.empty()) return;
    const std::string what =
        pool == "ldm" ? "part of a Windows dynamic disk (LDM)" : "part of a Windows Storage Spaces pool";
    if (is_readable(volume)) {
      volume.state = VolumeState::partly_read;
      volume.reason += (volume.reason.empty() ? "" : "; ") + what + ": only what begins here is read";
    } else if (volume.filesystem.empty()) {
      volume.filesystem = pool;
      volume.reason = what + ": pools are not assembled";
    }
  }

  std::vector<Volume> nested(const Partition& slice, const PartitionTable& outer, Volume& holder) {
    const auto table = find_nested_table(image_, slice, outer.sector_size);
    std::vector<Volume> volumes;
    if (!table || table->partitions.empty()) return volumes;
    problems_.insert(problems_.end(), table->problems.begin(), table->problems.end());
    for (const Partition& partition : table->partitions) {
      const std::string slot = holder.slot + "." + std::to_string(volumes.size() + 1);
      Volume volume = volume_at(partition, slot, image_.size());
      volume.parent_slot = holder.slot;
      examine_volume(tsk_, volume);
      volumes.push_back(std::move(volume));
    }
    holder.filesystem = table->type == "BSD" ? "bsd-disklabel" : "sun-disklabel";
    holder.label.clear();
    holder.reason.clear();
    mark_holder(holder, volumes.size());
    return with_pools(std::move(volumes), 1);
  }

  std::vector<Volume> pool(Volume& holder, int depth) {
    std::vector<Volume> volumes;
    if (depth >= kMaxNesting || inner_ >= kMaxInner) return volumes;
    volumes = list_layer(image_, tsk_, holder, problems_, options_);
    if (volumes.empty()) return volumes;
    bound(volumes);
    if (volumes.empty()) return volumes;
    // Snapshots are older states of their holder, which is a file system itself.
    if (!volumes.front().slot.starts_with(holder.slot + "~")) mark_holder(holder, volumes.size());
    return with_pools(std::move(volumes), depth + 1);
  }

  std::vector<Volume> with_pools(std::vector<Volume> volumes, int depth) {
    std::vector<Volume> all;
    for (Volume& volume : volumes) {
      // Only what lies in one piece of the image can be looked into once more.
      auto inner = volume.layer.empty() ? pool(volume, depth) : std::vector<Volume>();
      all.push_back(std::move(volume));
      for (Volume& each : inner) all.push_back(std::move(each));
    }
    return all;
  }

  /// A forged pool may hold itself many times over.
  void bound(std::vector<Volume>& volumes) {
    const std::size_t room = kMaxInner - std::min(kMaxInner, inner_);
    if (volumes.size() > room) {
      volumes.resize(room);
      if (!bound_said_) {
        problems_.push_back(volume_problem(
            ProblemKind::limit,
            fmt::format("more than {} volumes lie in others: the rest is left out", kMaxInner)));
        bound_said_ = true;
      }
    }
    inner_ += volumes.size();
  }

  static void mark_holder(Volume& holder, std::size_t count) {
    holder.state = VolumeState::read;
    const std::string what = holder.reason;
    holder.reason = fmt::format("holds {} volume{}, listed apart", count, count == 1 ? "" : "s");
    if (!what.empty()) holder.reason = what + "; " + holder.reason;
  }

  ByteSource& image_;
  TskImage tsk_;
  std::vector<Problem>& problems_;
  const VolumeOptions& options_;
  std::size_t inner_ = 0;  ///< volumes found in others
  bool bound_said_ = false;
};

/// What no partition covers.
std::vector<Volume> gaps_between(const std::vector<Volume>& volumes, std::uint64_t image_size) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  taken.reserve(volumes.size() + 1);
  for (const Volume& volume : volumes) taken.emplace_back(volume.offset, volume.offset + volume.size);
  taken.emplace_back(image_size, image_size);
  std::sort(taken.begin(), taken.end());
  std::vector<Volume> gaps;
  std::uint64_t at = 0;
  for (const auto& [from, to] : taken) {
    if (from > at) {
      Volume gap;
      gap.slot = "u" + std::to_string(gaps.size() + 1);
      gap.offset = at;
      gap.size = from - at;
      gap.kind = "unallocated";
      gap.state = VolumeState::unallocated;
      gaps.push_back(std::move(gap));
    }
    at = std::max(at, to);
  }
  return gaps;
}

void report_ends(const PartitionTable& table, std::uint64_t image_size, std::vector<Problem>& problems) {
  for (std::size_t i = 0; i < table.partitions.size(); ++i) {
    const Partition& p = table.partitions[i];
    if (p.offset >= image_size || p.size <= image_size - p.offset) continue;
    problems.push_back(volume_problem(
        ProblemKind::corrupt, fmt::format("partition p{} has {} bytes, but the image ends after {} of them",
                                          i + 1, p.size, image_size - p.offset)));
  }
}

void report_overlaps(const PartitionTable& table, std::vector<Problem>& problems) {
  std::vector<std::size_t> order(table.partitions.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return table.partitions[a].offset < table.partitions[b].offset;
  });
  std::size_t count = 0, furthest = 0;
  std::string named;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto end = [&](std::size_t n) { return table.partitions[n].offset + table.partitions[n].size; };
    if (end(order[i - 1]) > end(order[furthest])) furthest = i - 1;
    if (table.partitions[order[i]].offset >= end(order[furthest])) continue;
    if (++count <= kMaxOverlapsNamed) {
      named += fmt::format("{}p{} and p{}", named.empty() ? "" : ", ", order[furthest] + 1, order[i] + 1);
    }
  }
  if (count == 0) return;
  problems.push_back(volume_problem(
      ProblemKind::corrupt,
      fmt::format("partitions overlap: {}{}: bytes in both are read as part of each", named,
                  count > kMaxOverlapsNamed ? fmt::format(" and {} more", count - kMaxOverlapsNamed) : "")));
}

bool any_known(const std::vector<Volume>& volumes) {
  return std::any_of(volumes.begin(), volumes.end(), [](const Volume& v) { return !v.filesystem.empty(); });
}

/// The table that is followed: the first in which anything is recognised, else the first.
struct Chosen {
  std::optional<PartitionTable> table;
  std::vector<Volume> volumes;
};

Chosen choose_table(VolumeList& list, std::vector<PartitionTable> tables) {
  Chosen first;
  for (PartitionTable& table : tables) {
    Chosen chosen;
    chosen.volumes = list.volumes_of(table);
    chosen.table = std::move(table);
    if (any_known(chosen.volumes)) return chosen;
    if (!first.table) first = std::move(chosen);
  }
  return first;
}

void report_gaps(TskImage& image, std::vector<Problem>& problems) {
  for (const Gap& gap : image.take_touched_gaps()) {
    problems.push_back(volume_problem(
        ProblemKind::unreadable, fmt::format("while looking for volumes: {} at byte {}, {} bytes", gap.reason,
                                             gap.offset, gap.length)));
  }
}

}  // namespace

std::vector<Volume> list_volumes(ByteSource& image, std::uint32_t sector_size, std::vector<Problem>& problems,
                                 const VolumeOptions& options) {
  if (auto tree = find_tree(image)) {
    describe_backup(image, options, *tree, problems);
    return {std::move(*tree)};
  }
  if (auto backup = find_backup_file(image, options)) return {std::move(*backup)};
  VolumeList list(image, problems, options);
  if (list.tsk().get() == nullptr) {
    Volume volume;
    volume.slot = "p0";
    volume.size = image.size();
    volume.state = VolumeState::unsupported;
    volume.reason = "The Sleuth Kit does not accept the image: " + tsk_error();
    return {volume};
  }
  Chosen chosen = choose_table(list, find_partition_tables(image, sector_size));

  // A boot sector of a bare file system looks like a partition table, and a bootable CD carries both: what
  // opens at the start counts if no partition holds anything, or if it is a CD's file system.
  const bool at_start = std::any_of(chosen.volumes.begin(), chosen.volumes.end(),
                                    [](const Volume& v) { return v.offset == 0; });
  std::optional<Volume> cd;
  const bool any_inside = any_known(chosen.volumes) || (chosen.table && list.has_nested(*chosen.table));
  if (!any_inside || !at_start) {
    Volume whole = list.whole();
    if (chosen.volumes.empty() || (!any_inside && !whole.filesystem.empty())) {
      chosen.volumes = {std::move(whole)};
      chosen.table.reset();
    } else if (is_readable(whole) && whole.filesystem == "iso9660") {
      cd = std::move(whole);
    }
  }
  std::vector<Volume> gaps;
  if (chosen.table) {
    const PartitionTable& table = *chosen.table;
    problems.insert(problems.end(), table.problems.begin(), table.problems.end());
    report_ends(table, image.size(), problems);
    report_overlaps(table, problems);
    gaps = gaps_between(chosen.volumes, image.size());
  }
  std::vector<Volume> volumes =
      list.with_inner(std::move(chosen.volumes), chosen.table ? &*chosen.table : nullptr);
  if (cd) volumes.insert(volumes.begin(), std::move(*cd));
  for (Volume& gap : gaps) volumes.push_back(std::move(gap));
  report_gaps(list.tsk(), problems);
  return volumes;
}

}  // namespace touchstone

#include "filesystem/lvm_volumes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "evidence/gap_list.hpp"
#include "filesystem/partition_table.hpp"
#include "filesystem/tsk_volumes.hpp"

namespace touchstone::detail {
namespace {

constexpr std::size_t kMaxMetadata = std::size_t{4} << 20;
constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kAreaHeader = 512;

bool text_is(std::span<const std::byte> bytes, std::size_t at, std::string_view wanted) {
  return at + wanted.size() <= bytes.size() &&
         std::memcmp(bytes.data() + at, wanted.data(), wanted.size()) == 0;
}

/// The text of a metadata area is kept in a ring that begins after the header.
std::string read_ring(ByteSource& physical, std::uint64_t area, std::uint64_t area_size, std::uint64_t offset,
                      std::uint64_t size) {
  std::string text;
  if (offset < kAreaHeader || offset >= area_size || size > kMaxMetadata || size > area_size) return text;
  const std::uint64_t first = std::min(size, area_size - offset);
  for (const auto& [at, length] :
       {std::pair(area + offset, first), std::pair(area + kAreaHeader, size - first)}) {
    const auto bytes = bytes_at(physical, at, static_cast<std::size_t>(length));
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return text;
}

std::string area_text(ByteSource& physical, std::uint64_t area) {
  const auto header = bytes_at(physical, area, 512);
  if (!text_is(header, 4, " LVM2 x[5A%r0N*>")) return "";
  return read_ring(physical, area, little(header, 32, 8), little(header, 40, 8), little(header, 48, 8));
}

/// Bytes of a logical volume of several segments.
class SegmentSource : public ByteSource {
 public:
  SegmentSource(std::unique_ptr<ByteSource> physical, std::vector<LvmSegment> segments, std::uint64_t size)
      : physical_(std::move(physical)), segments_(std::move(segments)), size_(size) {}
  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    std::uint64_t start = 0;
    for (const LvmSegment& segment : segments_) {
      const std::uint64_t from = std::max(offset, start);
      const std::uint64_t to = std::min(offset + out.size(), start + segment.length);
      if (from < to) {
        const auto part = out.subspan(from - offset, to - from);
        const auto got = physical_->read_at(segment.offset + (from - start), part);
        if (!got) return got.error();
        if (*got < part.size()) {
          std::memset(part.data() + *got, 0, part.size() - *got);
          gaps_.add(from + *got, part.size() - *got, "the physical volume ends before the logical one");
        }
        for (const Gap& gap : physical_->gaps()) note(gap, segment, start);
      }
      start += segment.length;
    }
    return out.size();
  }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

 private:
  void note(const Gap& gap, const LvmSegment& segment, std::uint64_t start) {
    const std::uint64_t from = std::max(gap.offset, segment.offset);
    const std::uint64_t to = std::min(gap.offset + gap.length, segment.offset + segment.length);
    if (from < to) gaps_.add(start + (from - segment.offset), to - from, gap.reason, gap.place_of(from));
  }

  std::unique_ptr<ByteSource> physical_;
  std::vector<LvmSegment> segments_;
  std::uint64_t size_;
  GapList gaps_;
};

void examine_logical(ByteSource& image, const TskImage& tsk, const LvmVolume& logical, const Volume& holder,
                     Volume& volume) {
  if (!logical.unreadable.empty()) {
    volume.state = VolumeState::unsupported;
    volume.filesystem = "lvm2-volume";
    volume.reason = "LVM2 logical volume " + logical.name + ": " + logical.unreadable;
    return;
  }
  if (logical.segments.size() == 1) {
    const LvmSegment& only = logical.segments.front();
    volume.offset = holder.offset + std::min(only.offset, holder.size);
    volume.size = std::min(only.length, holder.offset + holder.size - volume.offset);
    examine_volume(tsk, volume);
    return;
  }
  volume.layer = "lvm2";
  SegmentSource source(make_window(image, holder.offset, holder.size), logical.segments, logical.size);
  const TskImage inside(source, 512);
  Volume start;
  start.size = logical.size;
  if (inside.get() != nullptr) examine_volume(inside, start);
  volume.filesystem = start.filesystem;
  volume.state = start.state;
  volume.label = start.label;
  volume.reason = start.reason;
}

}  // namespace

Result<LvmGroup> read_lvm(ByteSource& physical) {
  for (std::uint64_t sector = 0; sector < 4; ++sector) {
    const auto label = bytes_at(physical, sector * kSector, 512);
    if (!text_is(label, 0, "LABELONE") || !text_is(label, 24, "LVM2 001")) continue;
    const auto header = static_cast<std::size_t>(little(label, 20, 4));
    if (header < 32 || header + 40 > label.size())
      return Error{ErrorCode::corrupt, "the LVM2 label is damaged"};
    const std::string uuid(reinterpret_cast<const char*>(label.data()) + header, 32);
    // Two lists of areas, each ended by an empty one: data, then metadata.
    int list = 0;
    std::string why = "the LVM2 physical volume keeps no metadata of its own";
    for (std::size_t at = header + 40; at + 16 <= label.size() && list < 2; at += 16) {
      const std::uint64_t area = little(label, at, 8);
      if (area == 0) {
        ++list;
        continue;
      }
      if (list == 0) continue;
      auto group = parse_lvm_metadata(area_text(physical, area), uuid);
      if (group) return group;
      why = group.error().message;
    }
    return Error{ErrorCode::corrupt, why};
  }
  return Error{ErrorCode::not_found, "no LVM2 label"};
}

std::vector<Volume> list_lvm(ByteSource& image, const TskImage& tsk, Volume& holder,
                             std::vector<Problem>& /*problems*/) {
  std::vector<Volume> volumes;
  const auto window = make_window(image, holder.offset, holder.size);
  const auto group = read_lvm(*window);
  if (!group) {
    holder.reason = "LVM2 physical volume: " + group.error().message;
    return volumes;
  }
  holder.label = group->name;
  holder.reason = fmt::format("LVM2 physical volume of the group {} (UUID {}, {} physical volume{})",
                              group->name, group->uuid, group->members, group->members == 1 ? "" : "s");
  for (const LvmVolume& logical : group->volumes) {
    Volume volume;
    volume.slot = holder.slot + "." + std::to_string(volumes.size() + 1);
    volume.parent_slot = holder.slot;
    volume.offset = holder.offset;
    volume.size = holder.size;
    volume.kind = "LVM2 logical volume " + group->name + "/" + logical.name;
    examine_logical(image, tsk, logical, holder, volume);
    volumes.push_back(std::move(volume));
  }
  if (volumes.empty()) holder.reason += ": it has no logical volumes";
  return volumes;
}

Result<std::unique_ptr<ByteSource>> open_lvm(ByteSource& image, const Volume& volume) {
  auto window = make_window(image, volume.offset, volume.size);
  const auto group = read_lvm(*window);
  if (!group) return group.error();
  std::size_t number = 0;
  const std::string last = volume.slot.substr(volume.slot.rfind('.') + 1);
  std::from_chars(last.data(), last.data() + last.size(), number);
  if (number == 0 || number > group->volumes.size())
    return Error{ErrorCode::not_found, "the LVM2 group has no volume " + last};
  const LvmVolume& logical = group->volumes[number - 1];
  return std::unique_ptr<ByteSource>(
      std::make_unique<SegmentSource>(std::move(window), logical.segments, logical.size));
}

}  // namespace touchstone::detail

#include "filesystem/md_volumes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "filesystem/partition_table.hpp"
#include "filesystem/tsk_volumes.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr std::uint32_t kMagic = 0xa92b4efc;
constexpr std::uint64_t kSector = 512;

std::string level_text(std::int64_t level) {
  if (level == -1) return "linear";
  if (level < 0) return fmt::format("level {}", level);
  return fmt::format("RAID{}", level);
}

/// Version 1.x stands at `place`, which it repeats in itself.
std::optional<MdMember> read_version_1(ByteSource& member, std::uint64_t place, const char* version) {
  const auto block = bytes_at(member, place, 256);
  if (block.size() < 256 || little(block, 0, 4) != kMagic || little(block, 4, 4) != 1 ||
      little(block, 144, 8) != place / kSector) {
    return std::nullopt;
  }
  MdMember found;
  found.version = version;
  found.uuid = uuid_text(block, 16);
  std::string name(reinterpret_cast<const char*>(block.data()) + 32, 32);
  name.resize(std::min(name.find('\0'), name.size()));
  found.name = to_valid_utf8(name);
  found.level = static_cast<std::int32_t>(little(block, 72, 4));
  found.members = little(block, 92, 4);
  found.data_offset = in_bytes(little(block, 128, 8), kSector);
  found.data_size = in_bytes(little(block, 136, 8), kSector);
  return found;
}

std::optional<MdMember> read_version_0(ByteSource& member) {
  constexpr std::uint64_t kReserved = 65536;
  if (member.size() < 2 * kReserved) return std::nullopt;
  const std::uint64_t place = (member.size() & ~(kReserved - 1)) - kReserved;
  const auto block = bytes_at(member, place, 128);
  if (little(block, 0, 4) != kMagic || little(block, 4, 4) != 0) return std::nullopt;
  MdMember found;
  found.version = "0.90";
  found.uuid = fmt::format("{:08x}:{:08x}:{:08x}:{:08x}", little(block, 20, 4), little(block, 52, 4),
                           little(block, 56, 4), little(block, 60, 4));
  found.level = static_cast<std::int32_t>(little(block, 28, 4));
  found.members = little(block, 40, 4);
  found.data_size = std::min(in_bytes(little(block, 32, 4), 1024), place);
  return found;
}

}  // namespace

std::string MdMember::text() const {
  return fmt::format("member of the Linux md array {}({}, {} members, UUID {}, metadata {})",
                     name.empty() ? "" : "\"" + name + "\" ", level_text(level), members, uuid, version);
}

std::optional<MdMember> read_md(ByteSource& member) {
  if (auto found = read_version_1(member, 4096, "1.2")) return found;
  if (auto found = read_version_1(member, 0, "1.1")) return found;
  if (member.size() >= 16384) {
    const std::uint64_t near_end = (member.size() - 8192) & ~std::uint64_t{4095};
    if (auto found = read_version_1(member, near_end, "1.0")) return found;
  }
  return read_version_0(member);
}

std::vector<Volume> list_md(ByteSource& image, const TskImage& tsk, Volume& holder) {
  std::vector<Volume> volumes;
  const auto window = make_window(image, holder.offset, holder.size);
  const auto member = read_md(*window);
  if (!member) return volumes;
  const bool opened = holder.state == VolumeState::read || holder.state == VolumeState::partly_read;
  if (opened && member->data_offset == 0) {
    if (member->holds_all()) {
      holder.reason += (holder.reason.empty() ? "" : "; ") + member->text() + ": this copy alone is read";
    } else {
      holder.state = VolumeState::partly_read;
      holder.reason = member->text() + ": the array is not assembled, so that files are incomplete";
    }
    return volumes;
  }
  if (opened) return volumes;
  holder.filesystem = "md-raid";
  holder.label = member->name;
  holder.state = VolumeState::unsupported;
  holder.reason = member->text();
  if (!member->holds_all() || member->data_offset >= window->size() || member->data_offset == 0) {
    holder.reason += ": arrays are not assembled";
    return volumes;
  }
  Volume volume;
  volume.slot = holder.slot + ".1";
  volume.parent_slot = holder.slot;
  volume.offset = holder.offset + member->data_offset;
  volume.size = std::min(member->data_size, window->size() - member->data_offset);
  volume.kind = "copy of a Linux md array";
  examine_volume(tsk, volume);
  volumes.push_back(std::move(volume));
  return volumes;
}

}  // namespace touchstone::detail

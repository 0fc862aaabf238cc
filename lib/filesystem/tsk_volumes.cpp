#include <algorithm>
#include <array>
#include <cstring>

#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_handles.hpp"
#include "filesystem/volume_signature.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

using detail::FsHandle;
using detail::TableHandle;
using detail::tsk_error;
using detail::TskImage;

// A GPT of a real disk has 128 entries, the largest seen a few hundred; a forged one could have millions.
constexpr std::size_t kMaxVolumes = 4096;

struct Slot {
  std::uint64_t offset = 0, size = 0;
  int table = 0, slot = 0;
  bool allocated = false;
  std::string kind;
};

Problem make_problem(ProblemKind kind, std::string message) {
  Problem problem;
  problem.plugin = "filesystem";
  problem.kind = kind;
  problem.message = std::move(message);
  return problem;
}

/// Content decides whether an unlabelled stretch is worth a word: an empty one is common and harmless.
bool all_zero(ByteSource& volume) {
  std::vector<std::byte> head(std::size_t{1} << 20);
  const auto got = volume.read_at(0, head);
  return got && std::all_of(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(*got),
                            [](std::byte b) { return b == std::byte{0}; });
}

/// $Volume's VOLUME_NAME attribute; ext, FAT and ISO keep the label where stored_label() reads it.
std::string ntfs_label(TSK_FS_INFO& fs) {
  constexpr TSK_INUM_T kVolumeFile = 3;
  constexpr std::size_t kMaxLabel = 256;
  const detail::FileHandle file(tsk_fs_file_open_meta(&fs, nullptr, kVolumeFile));
  const TSK_FS_ATTR* attribute =
      file ? tsk_fs_file_attr_get_type(file.get(), TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0) : nullptr;
  std::string text;
  if (attribute != nullptr && attribute->size > 0) {
    std::vector<std::byte> raw(std::min<std::size_t>(static_cast<std::size_t>(attribute->size), kMaxLabel));
    const ssize_t got = tsk_fs_attr_read(attribute, 0, reinterpret_cast<char*>(raw.data()), raw.size(),
                                         TSK_FS_FILE_READ_FLAG_NONE);
    if (got > 0) text = utf16_text(std::span(raw).first(static_cast<std::size_t>(got)));
  }
  tsk_error_reset();
  return text;
}

/// FAT and exFAT keep the label that people see in the root directory, where TSK shows it as an entry.
std::string root_label(TSK_FS_INFO& fs) {
  constexpr std::string_view kMark = " (Volume Label Entry)";
  constexpr std::string_view kNone = "$EMPTY_VOLUME_LABEL";  // of exFAT; a real one may stand further on
  const detail::DirHandle root(tsk_fs_dir_open_meta(&fs, fs.root_inum));
  std::string label;
  for (std::size_t i = 0; root && i < tsk_fs_dir_getsize(root.get()); ++i) {
    const TSK_FS_NAME& entry = root->names[i];
    const std::string_view name = entry.name == nullptr ? "" : entry.name;
    if ((entry.flags & TSK_FS_NAME_FLAG_ALLOC) != 0 && name.size() > kMark.size() && name.ends_with(kMark) &&
        !name.starts_with(kNone)) {
      label = name.substr(0, name.size() - kMark.size());
      break;
    }
  }
  tsk_error_reset();
  while (!label.empty() && label.back() == ' ') label.pop_back();
  return to_valid_utf8(label);
}

std::string label_of(TSK_FS_INFO& fs, ByteSource& window, const std::string& name) {
  std::string label;
  if (name == "ntfs") label = ntfs_label(fs);
  if (name.starts_with("fat") || name == "exfat") label = root_label(fs);
  return label.empty() ? stored_label(window, name) : label;
}

void describe_unknown(Volume& volume, ByteSource& window, std::uint32_t tsk_code,
                      const std::string& tsk_text) {
  if (auto known = recognise_volume(window)) {
    volume.filesystem = known->filesystem;
    volume.state = known->state;
    volume.label = known->label;
    volume.reason = known->reason;
    if (known->state == VolumeState::corrupt) volume.reason += ": " + tsk_text;
    return;
  }
  if (tsk_code == TSK_ERR_FS_ENCRYPTED || tsk_code == TSK_ERR_FS_POSSIBLY_ENCRYPTED) {
    volume.state = VolumeState::encrypted;
    volume.reason = tsk_text;
    return;
  }
  volume.state = VolumeState::unsupported;
  volume.reason = all_zero(window) ? "no file system is recognised: it begins with zeros only"
                                   : "no file system is recognised";
}

/// Fills filesystem, label, state and reason of a volume whose place is known.
void examine(const TskImage& image, Volume& volume) {
  ByteSource& source = image.source();
  if (volume.offset >= source.size()) {
    volume.state = VolumeState::corrupt;
    volume.reason = "begins beyond the end of the image";
    return;
  }
  const auto window = make_window(source, volume.offset, volume.size);
  const FsHandle fs = detail::open_any_file_system(image, volume.offset);
  if (!fs) {
    std::uint32_t code = 0;
    const std::string text = tsk_error(&code);
    describe_unknown(volume, *window, code, text);
    return;
  }
  tsk_error_reset();
  volume.filesystem = detail::file_system_name(*fs);
  volume.label = label_of(*fs, *window, volume.filesystem);
  volume.state = VolumeState::read;
  if (volume.filesystem == "iso9660" && is_udf(*window)) {
    volume.state = VolumeState::partly_read;
    volume.reason = "also carries UDF, which is not read: files recorded there alone are missing";
  }
  const std::uint64_t claims = (std::uint64_t{fs->block_count}) * fs->block_size;
  const std::uint64_t there = source.size() - volume.offset;
  if (claims / std::max(1U, fs->block_size) == fs->block_count && claims > there) {
    volume.state = VolumeState::partly_read;
    volume.reason = "the file system has " + std::to_string(claims) + " bytes, but the image ends after " +
                    std::to_string(there) + " of them";
  }
}

/// The partition table at the start, or null. Where TSK sees several, the one that today's systems would
/// follow.
TableHandle open_table(const TskImage& image) {
  TableHandle table(tsk_vs_open(image.get(), 0, TSK_VS_TYPE_DETECT));
  if (!table && detail::tsk_saw_several()) {
    for (const auto type :
         {TSK_VS_TYPE_GPT, TSK_VS_TYPE_MAC, TSK_VS_TYPE_DOS, TSK_VS_TYPE_BSD, TSK_VS_TYPE_SUN}) {
      tsk_error_reset();
      table.reset(tsk_vs_open(image.get(), 0, type));
      if (table) break;
    }
  }
  tsk_error_reset();
  return table;
}

std::vector<Slot> read_slots(const TSK_VS_INFO& table, std::uint64_t image_size,
                             std::vector<Problem>& problems) {
  std::vector<Slot> slots;
  for (const TSK_VS_PART_INFO* part = table.part_list; part != nullptr; part = part->next) {
    if ((part->flags & TSK_VS_PART_FLAG_META) != 0 || part->len == 0) continue;
    if (slots.size() >= kMaxVolumes) {
      problems.push_back(make_problem(ProblemKind::limit, "the partition table has more than " +
                                                              std::to_string(kMaxVolumes) +
                                                              " entries: the rest is left out"));
      break;
    }
    Slot slot;
    const std::uint64_t sector = table.block_size;
    if (part->start > image_size / sector) {
      slot.offset = image_size;
    } else {
      slot.offset = static_cast<std::uint64_t>(table.offset) + part->start * sector;
    }
    slot.size = part->len > image_size / sector ? image_size : part->len * sector;
    slot.size = std::min(slot.size, image_size - std::min(slot.offset, image_size));
    slot.table = part->table_num;
    // TSK keeps the slot in a signed byte: GPT slots beyond 127 come out negative.
    slot.slot = static_cast<std::uint8_t>(part->slot_num);
    slot.allocated = (part->flags & TSK_VS_PART_FLAG_ALLOC) != 0;
    slot.kind = part->desc == nullptr ? "" : to_valid_utf8(part->desc);
    slots.push_back(std::move(slot));
  }
  return slots;
}

Volume whole_image(const TskImage& image) {
  Volume volume;
  volume.slot = "p0";
  volume.size = image.source().size();
  volume.kind = "no partition table";
  examine(image, volume);
  return volume;
}

std::vector<Volume> partitions(const TskImage& image, std::vector<Slot> slots) {
  std::vector<Volume> volumes;
  std::stable_sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
    return std::tie(a.table, a.slot, a.offset) < std::tie(b.table, b.slot, b.offset);
  });
  int number = 0;
  for (const Slot& slot : slots) {
    if (!slot.allocated) continue;
    Volume volume;
    volume.slot = "p" + std::to_string(++number);
    volume.offset = slot.offset;
    volume.size = slot.size;
    volume.kind = slot.kind;
    examine(image, volume);
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

void append_unallocated(std::vector<Volume>& volumes, std::vector<Slot> slots) {
  std::stable_sort(slots.begin(), slots.end(),
                   [](const Slot& a, const Slot& b) { return a.offset < b.offset; });
  int number = 0;
  for (const Slot& slot : slots) {
    if (slot.allocated || slot.size == 0) continue;
    Volume volume;
    volume.slot = "u" + std::to_string(++number);
    volume.offset = slot.offset;
    volume.size = slot.size;
    volume.kind = "unallocated";
    volume.state = VolumeState::unallocated;
    volumes.push_back(std::move(volume));
  }
}

bool is_readable(const Volume& volume) {
  return volume.state == VolumeState::read || volume.state == VolumeState::partly_read;
}

}  // namespace

std::vector<Volume> list_volumes(ByteSource& image, std::uint32_t sector_size,
                                 std::vector<Problem>& problems, const VolumeOptions& /*options*/) {
  TskImage tsk(image, sector_size);
  if (tsk.get() == nullptr) {
    Volume volume;
    volume.slot = "p0";
    volume.size = image.size();
    volume.state = VolumeState::unsupported;
    volume.reason = "The Sleuth Kit does not accept the image: " + tsk_error();
    return {volume};
  }
  std::vector<Slot> slots;
  if (const TableHandle table = open_table(tsk)) slots = read_slots(*table, image.size(), problems);
  std::vector<Volume> volumes = partitions(tsk, slots);

  // A boot sector of a bare file system looks like a partition table, and a bootable CD carries both: what
  // opens at the start counts if no partition holds anything, or if it is a CD's file system.
  const bool any_known =
      std::any_of(volumes.begin(), volumes.end(), [](const Volume& v) { return !v.filesystem.empty(); });
  const bool at_start =
      std::any_of(volumes.begin(), volumes.end(), [](const Volume& v) { return v.offset == 0; });
  if (!any_known || !at_start) {
    Volume whole = whole_image(tsk);
    if (volumes.empty() || (!any_known && !whole.filesystem.empty())) {
      volumes = {std::move(whole)};
      slots.clear();
    } else if (is_readable(whole) && whole.filesystem == "iso9660") {
      volumes.insert(volumes.begin(), std::move(whole));
    }
  }
  append_unallocated(volumes, std::move(slots));
  for (const Gap& gap : tsk.take_touched_gaps()) {
    problems.push_back(make_problem(ProblemKind::unreadable, "while looking for volumes: " + gap.reason +
                                                                 " at byte " + std::to_string(gap.offset) +
                                                                 ", " + std::to_string(gap.length) +
                                                                 " bytes"));
  }
  return volumes;
}

}  // namespace touchstone

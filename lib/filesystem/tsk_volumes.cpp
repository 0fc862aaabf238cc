#include "filesystem/tsk_volumes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "filesystem/ext_layout.hpp"
#include "filesystem/iso_file_system.hpp"
#include "filesystem/volume_signature.hpp"
#include "filesystem/xfs_file_system.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

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
  const FileHandle file(tsk_fs_file_open_meta(&fs, nullptr, kVolumeFile));
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
  const DirHandle root(tsk_fs_dir_open_meta(&fs, fs.root_inum));
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

/// Kinds of ext that The Sleuth Kit refuses as if they were damaged.
bool examine_unread_ext(ByteSource& window, Volume& volume) {
  const auto layout = ExtLayout::open(window, 0);
  const std::string why = layout ? layout->unread() : "";
  if (why.empty()) return false;
  volume.filesystem = "ext4";
  volume.label = stored_label(window, "ext4");
  volume.state = VolumeState::unsupported;
  volume.reason = why;
  return true;
}

}  // namespace

void examine_volume(const TskImage& image, Volume& volume) {
  ByteSource& source = image.source();
  if (volume.offset >= source.size()) {
    volume.state = VolumeState::corrupt;
    volume.reason = "begins beyond the end of the image";
    return;
  }
  const auto window = make_window(source, volume.offset, volume.size);
  if (examine_xfs(*window, source.size() - volume.offset, volume)) return;
  if (examine_unread_ext(*window, volume)) return;
  const FsHandle fs = open_any_file_system(image, volume.offset);
  if (!fs) {
    std::uint32_t code = 0;
    const std::string text = tsk_error(&code);
    // The Sleuth Kit refuses some discs for what its own reader cannot take.
    if (examine_iso9660(*window, source.size() - volume.offset, volume)) return;
    describe_unknown(volume, *window, code, text);
    return;
  }
  tsk_error_reset();
  describe_file_system(*fs, *window, source.size() - volume.offset, volume);
}

void describe_file_system(TSK_FS_INFO& fs, ByteSource& window, std::uint64_t there, Volume& volume) {
  volume.filesystem = file_system_name(fs);
  volume.label = label_of(fs, window, volume.filesystem);
  volume.state = VolumeState::read;
  if (volume.filesystem == "iso9660" && examine_iso9660(window, there, volume)) return;
  const std::uint64_t claims = (std::uint64_t{fs.block_count}) * fs.block_size;
  if (claims / std::max(1U, fs.block_size) == fs.block_count && claims > there) {
    volume.state = VolumeState::partly_read;
    volume.reason = "the file system has " + std::to_string(claims) + " bytes, but the image ends after " +
                    std::to_string(there) + " of them";
  }
}

}  // namespace touchstone::detail

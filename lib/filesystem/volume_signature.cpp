#include "filesystem/volume_signature.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "filesystem/partition_table.hpp"
#include "filesystem/udf_label.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

using namespace std::string_view_literals;

enum class Form { none, bytes, counted, utf16le, uuid, guid, hex64 };

/// Where a label or an identifier stands.
struct Field {
  Form form = Form::none;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

struct Row {
  std::uint64_t offset;
  std::string_view magic;
  std::string_view filesystem;
  VolumeState state;
  std::string_view reason;
  Field label = {};
  Field id = {};
};

constexpr auto kUnsupported = VolumeState::unsupported;
constexpr auto kEncrypted = VolumeState::encrypted;
constexpr auto kCorrupt = VolumeState::corrupt;

constexpr Field bytes(std::uint64_t offset, std::size_t size) {
  return {Form::bytes, offset, size};
}
constexpr Field counted(std::uint64_t offset, std::size_t size) {
  return {Form::counted, offset, size};
}
constexpr Field utf16(std::uint64_t offset, std::size_t size) {
  return {Form::utf16le, offset, size};
}
constexpr Field uuid(std::uint64_t offset) {
  return {Form::uuid, offset, 16};
}
constexpr Field hex64(std::uint64_t offset) {
  return {Form::hex64, offset, 8};
}

constexpr Row swap_row(std::uint64_t page, std::string_view magic) {
  return {page - 10,      magic, "swap", kUnsupported, "Linux swap space: has no files", bytes(1024 + 28, 16),
          uuid(1024 + 12)};
}

// Magic numbers from the on-disk format documents: LUKS 1.2.3 and LUKS2 specifications; libbde (BitLocker)
// and libfsrefs; btrfs wiki "On-disk Format"; kernel Documentation/filesystems (f2fs, erofs, squashfs, md,
// nilfs2, cramfs, romfs) and the kernel's headers of each; LVM2 on-disk label; Apple File System Reference;
// ECMA-167 (UDF). The more telling rows stand first.
constexpr std::array kRows = {
    Row{0, "LUKS\xba\xbe\x00\x02"sv, "luks", kEncrypted, "LUKS2 encryption: needs its passphrase",
        bytes(24, 48)},
    Row{0, "LUKS\xba\xbe"sv, "luks", kEncrypted, "LUKS encryption: needs its passphrase"},
    Row{3, "-FVE-FS-"sv, "bitlocker", kEncrypted, "BitLocker volume: needs its key or recovery password"},
    Row{0x10040, "_BHRfS_M"sv, "btrfs", kUnsupported, "btrfs is not read", bytes(0x1012b, 256),
        uuid(0x10020)},
    Row{1024, "\x10\x20\xf5\xf2"sv, "f2fs", kUnsupported, "F2FS is not read", utf16(1024 + 0x7c, 128),
        uuid(1024 + 0x6c)},
    Row{1024, "\xe2\xe1\xf5\xe0"sv, "erofs", kUnsupported, "EROFS is not read", bytes(1024 + 64, 16),
        uuid(1024 + 48)},
    Row{0, "hsqs"sv, "squashfs", kUnsupported, "SquashFS is not read"},
    Row{0, "sqsh"sv, "squashfs", kUnsupported, "SquashFS is not read"},
    Row{32, "NXSB"sv, "apfs", kUnsupported, "APFS container", {}, uuid(72)},
    Row{3, "ReFS\x00\x00\x00\x00"sv, "refs", kUnsupported, "ReFS is not read", {}, hex64(56)},
    Row{0, "LABELONE"sv, "lvm2", kUnsupported, "LVM2 physical volume"},
    Row{512, "LABELONE"sv, "lvm2", kUnsupported, "LVM2 physical volume"},
    Row{1024, "LABELONE"sv, "lvm2", kUnsupported, "LVM2 physical volume"},
    Row{1536, "LABELONE"sv, "lvm2", kUnsupported, "LVM2 physical volume"},
    Row{4096, "\xfc\x4e\x2b\xa9"sv, "md-raid", kUnsupported, "member of a Linux md RAID (1.2)",
        bytes(4096 + 32, 32), uuid(4096 + 16)},
    Row{0, "\xfc\x4e\x2b\xa9"sv, "md-raid", kUnsupported, "member of a Linux md RAID (1.1)", bytes(32, 32),
        uuid(16)},
    swap_row(4096, "SWAPSPACE2"sv),
    swap_row(8192, "SWAPSPACE2"sv),
    swap_row(16384, "SWAPSPACE2"sv),
    swap_row(32768, "SWAPSPACE2"sv),
    swap_row(65536, "SWAPSPACE2"sv),
    Row{4086, "SWAP-SPACE"sv, "swap", kUnsupported, "Linux swap space: has no files"},
    Row{65526, "SWAP-SPACE"sv, "swap", kUnsupported, "Linux swap space: has no files"},
    Row{4086, "S1SUSPEND"sv, "swap", kUnsupported, "Linux hibernation image: is not read"},
    Row{4086, "S2SUSPEND"sv, "swap", kUnsupported, "Linux hibernation image: is not read"},
    Row{4086, "ULSUSPEND"sv, "swap", kUnsupported, "Linux hibernation image: is not read"},
    Row{4086, "LINHIB0001"sv, "swap", kUnsupported, "Linux hibernation image: is not read"},
    Row{0x10034, "ReIsErFs"sv, "reiserfs", kUnsupported, "ReiserFS is not read", bytes(0x10064, 16),
        uuid(0x10054)},
    Row{0x10034, "ReIsEr2Fs"sv, "reiserfs", kUnsupported, "ReiserFS is not read", bytes(0x10064, 16),
        uuid(0x10054)},
    Row{0x10034, "ReIsEr3Fs"sv, "reiserfs", kUnsupported, "ReiserFS is not read", bytes(0x10064, 16),
        uuid(0x10054)},
    Row{0x10000, "ReIsEr4"sv, "reiser4", kUnsupported, "Reiser4 is not read", bytes(0x10024, 16),
        uuid(0x10014)},
    Row{0x8000, "JFS1"sv, "jfs", kUnsupported, "JFS is not read", bytes(0x8098, 16), uuid(0x8088)},
    // The Sleuth Kit reads most of them; these rows name the others. Either byte order (fs.h of FreeBSD).
    Row{65536 + 1372, "\x19\x01\x54\x19"sv, "ufs", kUnsupported, "UFS2 of a layout that is not read"},
    Row{65536 + 1372, "\x19\x54\x01\x19"sv, "ufs", kUnsupported, "UFS2 of a layout that is not read"},
    Row{8192 + 1372, "\x54\x19\x01\x00"sv, "ufs", kUnsupported, "UFS1 of a layout that is not read"},
    Row{8192 + 1372, "\x00\x01\x19\x54"sv, "ufs", kUnsupported, "UFS1 of a layout that is not read"},
    Row{1024 + 6, "\x34\x34"sv, "nilfs2", kUnsupported, "NILFS2 is not read", bytes(1024 + 0xa8, 80),
        uuid(1024 + 0x98)},
    Row{4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"sv, "bcachefs",
        kUnsupported, "bcachefs is not read", bytes(4096 + 72, 32), uuid(4096 + 56)},
    Row{4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"sv, "bcachefs",
        kUnsupported, "bcachefs is not read", bytes(4096 + 72, 32), uuid(4096 + 56)},
    Row{1024, "OCFSV2"sv, "ocfs2", kUnsupported, "OCFS2 is not read", bytes(1024 + 272, 64),
        uuid(1024 + 336)},
    Row{2048, "OCFSV2"sv, "ocfs2", kUnsupported, "OCFS2 is not read", bytes(2048 + 272, 64),
        uuid(2048 + 336)},
    Row{4096, "OCFSV2"sv, "ocfs2", kUnsupported, "OCFS2 is not read", bytes(4096 + 272, 64),
        uuid(4096 + 336)},
    Row{8192, "OCFSV2"sv, "ocfs2", kUnsupported, "OCFS2 is not read", bytes(8192 + 272, 64),
        uuid(8192 + 336)},
    Row{0x10000, "\x01\x16\x19\x70"sv, "gfs2", kUnsupported, "GFS2 is not read", bytes(0x100a0, 64),
        uuid(0x10100)},
    Row{0, "\x45\x3d\xcd\x28"sv, "cramfs", kUnsupported, "cramfs is not read", bytes(48, 16)},
    Row{0, "\x28\xcd\x3d\x45"sv, "cramfs", kUnsupported, "cramfs is not read", bytes(48, 16)},
    Row{0, "-rom1fs-"sv, "romfs", kUnsupported, "romfs is not read", bytes(16, 16)},
    Row{0, "UBI#"sv, "ubi", kUnsupported, "UBI flash volumes are not read"},
    Row{0, "\x31\x18\x10\x06"sv, "ubifs", kUnsupported, "UBIFS is not read", {}, uuid(112)},
    Row{0, "\x85\x19\x03\x20"sv, "jffs2", kUnsupported, "JFFS2 is not read"},
    Row{0, "\x85\x19\x01\xe0"sv, "jffs2", kUnsupported, "JFFS2 is not read"},
    Row{0x200000, "\x5e\xf1\xab\x2f"sv, "vmfs", kUnsupported, "VMware VMFS is not read",
        bytes(0x20001d, 128)},
    Row{0x100000,
        "\x0d\xd0\x01\xc0"sv,
        "vmfs-member",
        kUnsupported,
        "disk of a VMware VMFS: is not read",
        {},
        bytes(0x100200 + 20, 35)},
    Row{88, "CS\x01\x00"sv, "corestorage", kUnsupported, "Apple CoreStorage (perhaps FileVault) is not read"},
    Row{0, "verity\x00\x00"sv, "dm-verity", kUnsupported, "dm-verity hash data: has no files"},
    Row{0, "dmvdo001"sv, "vdo", kUnsupported, "VDO volume (deduplicated): is not read", {}, uuid(40)},
    Row{0, "mpoolDev"sv, "mpool", kUnsupported, "mpool is not read", bytes(8, 32), uuid(40)},
    Row{0, "bluestore block device"sv, "bluestore", kUnsupported, "Ceph BlueStore is not read"},
    Row{65536 + 4,
        "\x8b\x42\x3c\x10"sv,
        "scoutfs",
        kUnsupported,
        "ScoutFS is not read",
        {},
        uuid(65536 + 56)},
    Row{0,
        "$DRBDmgr=q"sv,
        "drbdmanage",
        kUnsupported,
        "control volume of drbdmanage: has no files",
        {},
        bytes(11, 32)},
    Row{9 * 512 + 32, "\xf0\x16\x78\x5a"sv, "hpt37x-raid", kUnsupported,
        "member of a HighPoint RAID: arrays are not read"},
    Row{9 * 512 + 32, "\xfd\x16\x78\x5a"sv, "hpt37x-raid", kUnsupported,
        "member of a HighPoint RAID: arrays are not read"},
    Row{24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"sv, "bcache", kUnsupported,
        "bcache: is not read"},
    Row{0, "SPACEDB "sv, "storage-spaces", kUnsupported,
        "part of a Windows Storage Spaces pool: pools are not read"},
    Row{0, "\xce\xfa\xad\x1b"sv, "bfs", kUnsupported, "SCO BFS is not read"},
    Row{1024, "\xf5\xfc\x01\xa5"sv, "vxfs", kUnsupported, "VERITAS VxFS is not read"},
    Row{8192, "\xa5\x01\xfc\xf5"sv, "vxfs", kUnsupported, "VERITAS VxFS is not read"},
    Row{512 + 32, "1SFB"sv, "befs", kUnsupported, "BeFS is not read", bytes(512, 32)},
    Row{8192, "\x0f\xf5\x12\xc0"sv, "hpfs", kUnsupported, "HPFS is not read"},
    Row{1024, "BD"sv, "hfs", kUnsupported, "HFS (not HFS+) is not read", counted(1024 + 36, 28)},
    // What TSK reads, met here only when it could not open it.
    Row{1024, "H+\x00\x04"sv, "hfs+", kCorrupt, "HFS+ volume header, but the volume cannot be opened"},
    Row{1024, "HX\x00\x05"sv, "hfs+", kCorrupt, "HFSX volume header, but the volume cannot be opened"},
    Row{3, "NTFS    "sv, "ntfs", kCorrupt, "NTFS boot sector, but the file system cannot be opened"},
    Row{3, "EXFAT   "sv, "exfat", kCorrupt, "exFAT boot sector, but the file system cannot be opened"},
    Row{82, "FAT32   "sv, "fat32", kCorrupt, "FAT32 boot sector, but the file system cannot be opened"},
    Row{54, "FAT16   "sv, "fat16", kCorrupt, "FAT16 boot sector, but the file system cannot be opened"},
    Row{54, "FAT12   "sv, "fat12", kCorrupt, "FAT12 boot sector, but the file system cannot be opened"},
    Row{1024 + 56, "\x53\xef"sv, "ext", kCorrupt, "ext superblock, but the file system cannot be opened"},
    Row{32769, "CD001"sv, "iso9660", kCorrupt, "ISO 9660 descriptor, but the file system cannot be opened"},
};

// Metadata of a controller's array, as many bytes before the end of the disk.
struct EndRow {
  std::uint64_t before_end;
  std::string_view magic;
  std::string_view filesystem;
  std::string_view reason;
};
constexpr std::array kEndRows = {
    EndRow{1024, "Intel Raid ISM Cfg Sig. "sv, "isw-raid",
           "member of an Intel Matrix RAID: arrays are not read"},
    EndRow{512, "\xde\x11\xde\x11"sv, "ddf-raid", "member of a DDF RAID: arrays are not read"},
    EndRow{512, "\x11\xde\x11\xde"sv, "ddf-raid", "member of a DDF RAID: arrays are not read"},
    EndRow{512, "$XIDE$"sv, "lsi-raid", "member of an LSI MegaRAID: arrays are not read"},
    EndRow{512, "JM"sv, "jmicron-raid", "member of a JMicron RAID: arrays are not read"},
    EndRow{512, "\x37\xfc\x4d\x1e"sv, "adaptec-raid", "member of an Adaptec RAID: arrays are not read"},
    EndRow{1024, "NVIDIA"sv, "nvidia-raid", "member of an NVIDIA RAID: arrays are not read"},
};

std::vector<std::byte> read_bytes(ByteSource& volume, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto got = volume.read_at(offset, bytes);
  bytes.resize(got ? *got : 0);
  return bytes;
}

bool has_bytes(ByteSource& volume, std::uint64_t offset, std::string_view wanted) {
  const auto bytes = read_bytes(volume, offset, wanted.size());
  return bytes.size() == wanted.size() && std::memcmp(bytes.data(), wanted.data(), wanted.size()) == 0;
}

std::string trimmed(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return to_valid_utf8(text);
}

std::string byte_label(ByteSource& volume, std::uint64_t offset, std::size_t size) {
  std::string text;
  for (const std::byte byte : read_bytes(volume, offset, size)) text.push_back(static_cast<char>(byte));
  return trimmed(std::move(text));
}

std::string utf16_label(ByteSource& volume, std::uint64_t offset, std::size_t size) {
  return utf16_text(read_bytes(volume, offset, size));
}

/// md metadata 0.90 and 1.0 stand near the end of the device.
bool is_md_at_end(ByteSource& volume) {
  constexpr std::string_view kMagic = "\xfc\x4e\x2b\xa9"sv;
  constexpr std::uint64_t kReserved = 65536;
  const std::uint64_t size = volume.size();
  if (size < 2 * kReserved) return false;
  return has_bytes(volume, (size & ~(kReserved - 1)) - kReserved, kMagic) ||
         has_bytes(volume, (size - 8192) & ~std::uint64_t{4095}, kMagic);
}

/// A ZFS label's array of 128 uberblocks begins at 128 KiB, each 1 KiB or a multiple of it.
bool is_zfs(ByteSource& volume) {
  const auto array = read_bytes(volume, 128 * 1024, 128 * 1024);
  for (std::size_t at = 0; at + 8 <= array.size(); at += 1024) {
    if (std::memcmp(array.data() + at, "\x0c\xb1\xba\x00\x00\x00\x00\x00", 8) == 0 ||
        std::memcmp(array.data() + at, "\x00\x00\x00\x00\x00\xba\xb1\x0c", 8) == 0) {
      return true;
    }
  }
  return false;
}

/// Pool name: the pair "name" of the name-value list in XDR that follows the boot block of a label.
std::string zfs_pool(ByteSource& volume) {
  constexpr std::string_view kPair = "\x00\x00\x00\x04name\x00\x00\x00\x09\x00\x00\x00\x01"sv;
  const auto list = read_bytes(volume, 16 * 1024, 112 * 1024);
  const std::string_view text(reinterpret_cast<const char*>(list.data()), list.size());
  const std::size_t at = text.find(kPair);
  if (at == std::string_view::npos) return "";
  const std::uint64_t length = big(list, at + kPair.size(), 4);
  if (length > 256) return "";
  return trimmed(std::string(text.substr(std::min(at + kPair.size() + 4, text.size()), length)));
}

/// The magic number alone is 16 bits: the numbers of inodes, zones and the log of a zone must make sense too.
bool is_minix(ByteSource& volume) {
  const auto sb = read_bytes(volume, 1024, 32);
  if (sb.size() < 32) return false;
  for (const bool swapped : {false, true}) {
    const auto number = [&](std::size_t at) {
      const auto low = std::to_integer<unsigned>(sb[at]), high = std::to_integer<unsigned>(sb[at + 1]);
      return swapped ? low << 8 | high : high << 8 | low;
    };
    const unsigned magic = number(16);
    const bool old = magic == 0x137f || magic == 0x138f || magic == 0x2468 || magic == 0x2478;
    if (old && number(0) > 0 && number(4) > 0 && number(6) > 0 && number(8) > 4 && number(10) < 16)
      return true;
    if (number(24) == 0x4d5a && number(28) >= 1024 && number(28) % 1024 == 0) return true;
  }
  return false;
}

std::string field_text(ByteSource& volume, const Field& field) {
  if (field.form == Form::none) return "";
  if (field.form == Form::bytes) return byte_label(volume, field.offset, field.size);
  if (field.form == Form::utf16le) return utf16_label(volume, field.offset, field.size);
  if (field.form == Form::counted) {  // the first byte says how many follow
    const auto count = read_bytes(volume, field.offset, 1);
    const std::size_t most = field.size - 1;
    return count.empty() ? ""
                         : byte_label(volume, field.offset + 1,
                                      std::min(most, std::to_integer<std::size_t>(count.front())));
  }
  const auto raw = read_bytes(volume, field.offset, field.size);
  if (raw.size() < field.size) return "";
  if (field.form == Form::uuid) return detail::uuid_text(raw, 0);
  if (field.form == Form::guid) return detail::guid_text(raw, 0);
  std::string text;
  for (std::size_t i = raw.size(); i-- > 0;) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    text += kHex[std::to_integer<std::size_t>(raw[i]) >> 4];
    text += kHex[std::to_integer<std::size_t>(raw[i]) & 15];
  }
  return text;
}

}  // namespace

/// The volume recognition sequence of ECMA-167 begins at 32 KiB, in steps of 2 KiB (or the sector if larger).
bool is_udf(ByteSource& volume) {
  for (std::uint64_t step = 2048; step <= 4096; step *= 2) {
    for (std::uint64_t i = 0; i < 16; ++i) {
      const std::uint64_t at = 32768 + i * step + 1;
      if (has_bytes(volume, at, "NSR02"sv) || has_bytes(volume, at, "NSR03"sv)) return true;
    }
  }
  return false;
}

std::string utf16_text(std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto unit = std::to_integer<std::uint32_t>(bytes[i]) | std::to_integer<std::uint32_t>(bytes[i + 1])
                                                                     << 8;
    if (unit == 0) break;
    // Labels beyond the basic plane are shown as a replacement character: they are display only.
    const std::uint32_t code = unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit;
    if (code < 0x80) {
      text.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      text.push_back(static_cast<char>(0xc0 | code >> 6));
      text.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else {
      text.push_back(static_cast<char>(0xe0 | code >> 12));
      text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
      text.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
  }
  return trimmed(std::move(text));
}

std::optional<VolumeSignature> recognise_volume(ByteSource& volume) {
  for (const Row& row : kRows) {
    if (!has_bytes(volume, row.offset, row.magic)) continue;
    VolumeSignature found{std::string(row.filesystem), row.state, std::string(row.reason),
                          field_text(volume, row.label)};
    const std::string id = field_text(volume, row.id);
    if (!id.empty() && id.find_first_not_of("0-") != std::string::npos) found.reason += "; UUID " + id;
    return found;
  }
  if (is_udf(volume)) {
    UdfNames names = udf_names(volume);
    VolumeSignature found{"udf", kUnsupported, "UDF is not read", std::move(names.label)};
    if (!names.volume_set.empty()) found.reason += "; volume set " + names.volume_set;
    return found;
  }
  if (is_md_at_end(volume)) {
    return VolumeSignature{"md-raid", kUnsupported, "member of a Linux md RAID: arrays are not read", ""};
  }
  if (is_zfs(volume)) return VolumeSignature{"zfs", kUnsupported, "ZFS is not read", zfs_pool(volume)};
  if (is_minix(volume)) return VolumeSignature{"minix", kUnsupported, "MINIX file systems are not read", ""};
  for (const EndRow& row : kEndRows) {
    if (volume.size() >= row.before_end && has_bytes(volume, volume.size() - row.before_end, row.magic))
      return VolumeSignature{std::string(row.filesystem), kUnsupported, std::string(row.reason), ""};
  }
  return std::nullopt;
}

std::string iso_label(ByteSource& volume, std::uint64_t descriptor) {
  return byte_label(volume, descriptor + 40, 32);
}

std::string stored_label(ByteSource& volume, const std::string& filesystem) {
  std::string label;
  if (filesystem.starts_with("ext")) {
    label = byte_label(volume, 1024 + 0x78, 16);
  } else if (filesystem == "fat32") {
    label = byte_label(volume, 71, 11);
  } else if (filesystem == "fat12" || filesystem == "fat16") {
    label = byte_label(volume, 43, 11);
  } else if (filesystem == "iso9660") {
    label = byte_label(volume, 32768 + 40, 32);
  }
  return label == "NO NAME" ? "" : label;
}

}  // namespace touchstone

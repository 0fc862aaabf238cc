#include "evidence/image_format.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

namespace touchstone {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSpan = 4096;

constexpr std::string_view kConvert =
    "convert it to raw or E01 first (for example with qemu-img convert -O raw)";
constexpr std::string_view kReacquire = "export it as E01 or raw with the tool that made it";
constexpr std::string_view kRestore = "restore it to a disk or raw image with the tool that made it";
constexpr std::string_view kUnpack = "unpack it and give the image inside";
constexpr std::string_view kLogical =
    "it holds files, not a disk: export them to a folder or zip with EnCase or FTK Imager, and give that";

struct Row {
  std::int64_t offset;  ///< negative: from the end of the file
  std::string_view bytes;
  ImageFormat format;
  std::string_view name;
  std::string_view advice;
};

// Sources: the published format descriptions of libyal (EWF, EWF2, VMDK, QCOW, VHD, VHDX, VDI, UDIF), AFFLIB,
// VMware's virtual disk format 5.0, QEMU's docs/interop, Microsoft's WIM format, and file(1)'s public magic
// numbers.
constexpr std::array kRows = {
    Row{0, "EVF\x09\x0d\x0a\xff\x00"sv, ImageFormat::ewf, "EWF (E01)", ""},
    Row{0, "EVF2\x0d\x0a\x81\x00"sv, ImageFormat::ewf2, "EWF2 (Ex01)", ""},
    Row{0, "LVF\x09\x0d\x0a\xff\x00"sv, ImageFormat::ewf, "logical EWF (L01)", ""},
    Row{0, "LEF2\x0d\x0a\x81\x00"sv, ImageFormat::unsupported, "logical EWF2 (Lx01)", kLogical},
    Row{0, "ADCRYPT\x00"sv, ImageFormat::unsupported, "image encrypted by FTK Imager (AD encryption)",
        "decrypt it with FTK Imager and its password or certificate"},
    Row{0, "KDMV"sv, ImageFormat::vmdk, "VMDK (VMware disk)", ""},
    Row{0, "COWD"sv, ImageFormat::vmdk, "VMDK (VMware COW disk)", ""},
    Row{0, "# Disk DescriptorFile"sv, ImageFormat::vmdk, "VMDK descriptor (VMware disk)", ""},
    Row{0, "\xbe\xba\xfe\xca\x00\x00\x00\x00"sv, ImageFormat::vmdk, "VMDK (VMware SE sparse disk)", ""},
    Row{0, "QFI\xfb"sv, ImageFormat::qcow, "QCOW (QEMU disk)", ""},
    Row{0, "QED\x00"sv, ImageFormat::unsupported, "QED (QEMU disk)", kConvert},
    Row{0, "vhdxfile"sv, ImageFormat::vhdx, "VHDX (Hyper-V disk)", ""},
    Row{0, "conectix"sv, ImageFormat::vhd, "VHD (Virtual PC disk)", ""},
    Row{-512, "conectix"sv, ImageFormat::vhd, "VHD (Virtual PC disk)", ""},
    Row{-511, "conectix"sv, ImageFormat::vhd, "VHD (Virtual PC disk)", ""},
    Row{0x40, "\x7f\x10\xda\xbe"sv, ImageFormat::vdi, "VDI (VirtualBox disk)", ""},
    Row{0, "WithoutFreeSpace"sv, ImageFormat::parallels, "HDD (Parallels disk)", ""},
    Row{0, "WithouFreSpacExt"sv, ImageFormat::parallels, "HDD (Parallels disk)", ""},
    Row{0, "Bochs Virtual HD Image"sv, ImageFormat::unsupported, "Bochs disk", kConvert},
    Row{0, "AFF10\x0d\x0a\x00"sv, ImageFormat::aff, "AFF (Advanced Forensic Format)", ""},
    // affcrypto of AFFLIB 3.7 writes its first segment over the head of the file.
    Row{0, "AFF\x00\x00\x00"sv, ImageFormat::aff, "AFF (Advanced Forensic Format)", ""},
    Row{0, "AFFKEY\x00"sv, ImageFormat::unsupported, "AFF key file", kReacquire},
    Row{0, "ADSEGMENTEDFILE\x00"sv, ImageFormat::unsupported, "AD1 (AccessData logical image)",
        "it holds files, not a disk: export them to a folder or zip with FTK Imager, and give that"},
    Row{0, "encrcdsa"sv, ImageFormat::unsupported, "encrypted DMG (Apple disk image)",
        "decrypt it with its password on a Mac: hdiutil convert -format UDRW"},
    Row{-8, "cdsaencr"sv, ImageFormat::unsupported, "encrypted DMG (Apple disk image, version 1)",
        "decrypt it with its password on a Mac: hdiutil convert -format UDRW"},
    Row{0, "sprs"sv, ImageFormat::unsupported, "sparse image (Apple .sparseimage)",
        "convert it on a Mac: hdiutil convert -format UDRW"},
    Row{-512, "koly"sv, ImageFormat::dmg, "DMG (Apple disk image)", ""},
    Row{0, "koly"sv, ImageFormat::dmg, "DMG (Apple disk image)", ""},
    Row{0, "\x3a\xff\x26\xed"sv, ImageFormat::unsupported, "Android sparse image",
        "convert it with simg2img (Debian package android-sdk-libsparse-utils)"},
    Row{0, "MSWIM\x00\x00\x00"sv, ImageFormat::unsupported, "WIM (Windows image)",
        "it holds files, not a disk: apply it to a folder (wimlib-imagex apply), and give that"},
    Row{0, "WLPWM\x00\x00\x00"sv, ImageFormat::unsupported, "WIM (pipable Windows image)",
        "it holds files, not a disk: apply it to a folder (wimlib-imagex apply), and give that"},
    Row{0, "\xfe\xef\x01"sv, ImageFormat::unsupported, "Ghost image (.gho)", kRestore},
    Row{0, "\xb4\x6e\x68\x44"sv, ImageFormat::unsupported, "Acronis True Image backup (.tib)", kRestore},
    Row{0, "partclone-image"sv, ImageFormat::unsupported, "partclone image", kRestore},
    Row{0, "VMA\x00"sv, ImageFormat::unsupported, "Proxmox backup (VMA)", "extract it with vma extract"},
    Row{0, "MComprHD"sv, ImageFormat::unsupported, "CHD (MAME disk)", "convert it with chdman extracthd"},
    Row{257, "ustar"sv, ImageFormat::archive, "tar archive", kUnpack},
    Row{0, "\x1f\x8b\x08"sv, ImageFormat::archive, "gzip-compressed file", kUnpack},
    Row{0, "\xfd\x37zXZ\x00"sv, ImageFormat::archive, "xz-compressed file", kUnpack},
    Row{0, "BZh"sv, ImageFormat::archive, "bzip2-compressed file", kUnpack},
    Row{0, "\x28\xb5\x2f\xfd"sv, ImageFormat::archive, "zstd-compressed file", kUnpack},
    Row{0, "7z\xbc\xaf\x27\x1c"sv, ImageFormat::archive, "7z archive", kUnpack},
    Row{0, "Rar!\x1a\x07"sv, ImageFormat::archive, "rar archive", kUnpack},
    Row{0, "070701"sv, ImageFormat::archive, "cpio archive", kUnpack},
    Row{0, "070702"sv, ImageFormat::archive, "cpio archive", kUnpack},
    Row{0, "070707"sv, ImageFormat::archive, "cpio archive", kUnpack},
    Row{0, "xar!\x00\x1c"sv, ImageFormat::archive, "xar archive", kUnpack},
    Row{0, "LZIP\x01"sv, ImageFormat::archive, "lzip-compressed file", kUnpack},
    Row{0, "\x04\x22\x4d\x18"sv, ImageFormat::archive, "lz4-compressed file", kUnpack},
    Row{0, "\x5d\x00\x00\x80\x00"sv, ImageFormat::archive, "lzma-compressed file", kUnpack},
};

struct Ends {
  std::array<std::byte, kSpan> head{};
  std::array<std::byte, kSpan> tail{};
  std::size_t head_size = 0, tail_size = 0;

  std::string_view start() const { return {reinterpret_cast<const char*>(head.data()), head_size}; }
  std::string_view end() const { return {reinterpret_cast<const char*>(tail.data()), tail_size}; }
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A word followed by a NUL in every second byte, as UTF-16LE text has it.
bool contains_wide(std::string_view text, std::string_view part) {
  std::string wide;
  for (const char c : part) wide.append({c, '\0'});
  return contains(text, wide);
}

/// Formats that take more than one look: those that are zip files or text by their form.
std::optional<DetectedFormat> detect_wrapper(const Ends& ends) {
  const std::string_view head = ends.start();
  if (head.starts_with("PK\x03\x04")) {
    // AFF4 names its volume in the zip comment and in its first member.
    const bool aff4 = contains(ends.end(), "aff4://") || contains(head, "aff4:") ||
                      contains(head, "aff4%3A") || contains(head, "container.description");
    if (aff4)
      return DetectedFormat{
          ImageFormat::unsupported, "AFF4 (Advanced Forensic Format 4)",
          "convert it to raw or E01 (Evimetry, aff4imager --export, or FTK Imager 4.5 or later)"};
    return DetectedFormat{ImageFormat::archive, "zip archive", std::string(kUnpack)};
  }
  const bool ini = contains(head, "[Dumps]") || contains(head, "[DeviceInfo]") ||
                   contains_wide(head, "[DeviceInfo]") || contains_wide(head, "[Dumps]");
  if (ini && (contains(head, "UFED") || contains(head, "[General]") || contains_wide(head, "[General]")))
    return DetectedFormat{ImageFormat::unsupported, "Cellebrite extraction description (UFD)",
                          "give the zip or image that it names"};
  const bool xml =
      head.starts_with("<?xml") || head.starts_with("\xef\xbb\xbf<?xml") || head.starts_with("\xff\xfe<");
  if (xml && (contains(head, ".ufd") || contains_wide(head, ".ufd")))
    return DetectedFormat{ImageFormat::unsupported, "Cellebrite list of extractions (UFDX)",
                          "give the zips or images of the extractions that it lists"};
  if (xml && contains(head, "<Parallels_disk_image"))
    return DetectedFormat{ImageFormat::parallels, "HDD (Parallels disk)", ""};
  return std::nullopt;
}

}  // namespace

Result<DetectedFormat> detect_image_format(ByteSource& file) {
  Ends ends;
  const auto head_size = file.read_at(0, ends.head);
  if (!head_size) return head_size.error();
  const std::uint64_t tail_from = file.size() > kSpan ? file.size() - kSpan : 0;
  const auto tail_size = file.read_at(tail_from, ends.tail);
  if (!tail_size) return tail_size.error();
  ends.head_size = *head_size;
  ends.tail_size = *tail_size;

  for (const Row& row : kRows) {
    const std::byte* at = nullptr;
    if (row.offset >= 0) {
      const auto offset = static_cast<std::size_t>(row.offset);
      if (offset + row.bytes.size() <= ends.head_size) at = ends.head.data() + offset;
    } else if (const auto back = static_cast<std::size_t>(-row.offset); back <= ends.tail_size) {
      at = ends.tail.data() + (ends.tail_size - back);
    }
    if (at != nullptr && std::memcmp(at, row.bytes.data(), row.bytes.size()) == 0) {
      return DetectedFormat{row.format, std::string(row.name), std::string(row.advice)};
    }
  }
  if (auto wrapper = detect_wrapper(ends)) return std::move(*wrapper);
  return DetectedFormat{ImageFormat::raw, "raw", ""};
}

}  // namespace touchstone

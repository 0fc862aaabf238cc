#include "evidence/image_format.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace touchstone {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kConvert =
    "convert it to raw or E01 first (for example with qemu-img convert -O raw)";
constexpr std::string_view kReacquire = "export it as E01 or raw with the tool that made it";
constexpr std::string_view kUnpack = "unpack it and give the image inside";

struct Row {
  std::int64_t offset;  ///< negative: from the end of the file
  std::string_view bytes;
  ImageFormat format;
  std::string_view name;
  std::string_view advice;
};

// Sources: the published format descriptions of libyal (EWF, EWF2, VMDK, QCOW, VHD, VHDX, VDI), AFFLIB,
// VMware's virtual disk format 5.0, Apple's koly trailer as in the hdiutil literature, and file(1)'s public
// magic numbers. A VHD of fixed size is no row: it is a raw image with 512 bytes more behind it, and is read
// as one.
constexpr std::array kRows = {
    Row{0, "EVF\x09\x0d\x0a\xff\x00"sv, ImageFormat::ewf, "EWF (E01)", ""},
    Row{0, "EVF2\x0d\x0a\x81\x00"sv, ImageFormat::unsupported, "EWF2 (Ex01)", kReacquire},
    Row{0, "LVF\x09\x0d\x0a\xff\x00"sv, ImageFormat::unsupported, "logical EWF (L01)", kReacquire},
    Row{0, "LEF2\x0d\x0a\x81\x00"sv, ImageFormat::unsupported, "logical EWF2 (Lx01)", kReacquire},
    Row{0, "KDMV"sv, ImageFormat::unsupported, "VMDK (VMware disk)", kConvert},
    Row{0, "COWD"sv, ImageFormat::unsupported, "VMDK (VMware COW disk)", kConvert},
    Row{0, "# Disk DescriptorFile"sv, ImageFormat::unsupported, "VMDK descriptor (VMware disk)", kConvert},
    Row{0, "\xbe\xba\xfe\xca\x00\x00\x00\x00"sv, ImageFormat::unsupported, "VMDK (VMware SE sparse disk)",
        kConvert},
    Row{0, "QFI\xfb"sv, ImageFormat::unsupported, "QCOW (QEMU disk)", kConvert},
    Row{0, "vhdxfile"sv, ImageFormat::unsupported, "VHDX (Hyper-V disk)", kConvert},
    Row{0, "conectix"sv, ImageFormat::unsupported, "VHD (Virtual PC disk)", kConvert},
    Row{0x40, "\x7f\x10\xda\xbe"sv, ImageFormat::unsupported, "VDI (VirtualBox disk)", kConvert},
    Row{0, "WithoutFreeSpace"sv, ImageFormat::unsupported, "HDD (Parallels disk)", kConvert},
    Row{0, "WithouFreSpacExt"sv, ImageFormat::unsupported, "HDD (Parallels disk)", kConvert},
    Row{0, "AFF10\x0d\x0a\x00"sv, ImageFormat::unsupported, "AFF (Advanced Forensic Format)", kReacquire},
    Row{0, "ADSEGMENTEDFILE\x00"sv, ImageFormat::unsupported, "AD1 (AccessData logical image)", kReacquire},
    Row{-512, "koly"sv, ImageFormat::unsupported, "DMG (Apple disk image)", kConvert},
    Row{0, "PK\x03\x04"sv, ImageFormat::unsupported, "zip archive", kUnpack},
    Row{257, "ustar"sv, ImageFormat::unsupported, "tar archive", kUnpack},
    Row{0, "\x1f\x8b\x08"sv, ImageFormat::unsupported, "gzip-compressed file", kUnpack},
    Row{0, "\xfd\x37zXZ\x00"sv, ImageFormat::unsupported, "xz-compressed file", kUnpack},
    Row{0, "BZh"sv, ImageFormat::unsupported, "bzip2-compressed file", kUnpack},
    Row{0, "\x28\xb5\x2f\xfd"sv, ImageFormat::unsupported, "zstd-compressed file", kUnpack},
    Row{0, "7z\xbc\xaf\x27\x1c"sv, ImageFormat::unsupported, "7z archive", kUnpack},
    Row{0, "Rar!\x1a\x07"sv, ImageFormat::unsupported, "rar archive", kUnpack},
};

}  // namespace

Result<DetectedFormat> detect_image_format(ByteSource& file) {
  constexpr std::size_t kSpan = 1024;
  std::array<std::byte, kSpan> head{};
  std::array<std::byte, kSpan> tail{};
  const auto head_size = file.read_at(0, head);
  if (!head_size) return head_size.error();
  const std::uint64_t tail_from = file.size() > kSpan ? file.size() - kSpan : 0;
  const auto tail_size = file.read_at(tail_from, tail);
  if (!tail_size) return tail_size.error();

  for (const Row& row : kRows) {
    const std::byte* at = nullptr;
    if (row.offset >= 0) {
      const auto offset = static_cast<std::size_t>(row.offset);
      if (offset + row.bytes.size() <= *head_size) at = head.data() + offset;
    } else if (const auto back = static_cast<std::size_t>(-row.offset); back <= *tail_size) {
      at = tail.data() + (*tail_size - back);
    }
    if (at != nullptr && std::memcmp(at, row.bytes.data(), row.bytes.size()) == 0) {
      return DetectedFormat{row.format, std::string(row.name), std::string(row.advice)};
    }
  }
  return DetectedFormat{ImageFormat::raw, "raw", ""};
}

}  // namespace touchstone

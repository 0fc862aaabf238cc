#include "evidence/vdi_source.hpp"

#include <fmt/format.h>

#include "evidence/mapped_image.hpp"

namespace touchstone {
namespace {

struct Layout {
  std::uint64_t type = 0, map_at = 0, data_at = 0, size = 0, block = 0, extra = 0, blocks = 0;
};

class VdiImage : public MappedImage {
 public:
  VdiImage(std::unique_ptr<ByteSource> file, ImageInfo info, const Layout& layout)
      : layout_(layout), table_(*file) {
    info_ = std::move(info);
    add_file(std::move(file));
  }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t number = offset / layout_.block;
    const std::uint64_t within = offset % layout_.block;
    const std::uint64_t rest = layout_.block - within;
    if (number >= layout_.blocks) return Piece::lost(rest, "the disk's block map does not reach here");
    const auto entry = table_.little(layout_.map_at + number * 4, 4);
    if (!entry) return Piece::lost(rest, "the disk's block map is cut off");
    constexpr std::uint64_t kLeastSpecial = 0xffff'fffe;  // never written, or written as zeros
    if (*entry >= kLeastSpecial) return Piece::zero(rest);
    return Piece::stored(
        0, layout_.data_at + *entry * (layout_.block + layout_.extra) + layout_.extra + within, rest);
  }

 private:
  Layout layout_;
  PageReader table_;
};

std::string uuid_at(PageReader& file, std::uint64_t at) {
  // The first three fields are little-endian numbers.
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", file.little(at, 4).value_or(0),
                     file.little(at + 4, 2).value_or(0), file.little(at + 6, 2).value_or(0),
                     file.big(at + 8, 2).value_or(0), file.big(at + 10, 6).value_or(0));
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_vdi(ImageInput input) {
  PageReader file(*input.bytes);
  const std::uint64_t version = file.little(0x44, 4).value_or(0);
  if (version >> 16 != 1)
    return Error{ErrorCode::unsupported, fmt::format("is a VDI disk of version {}.{}, which is not known",
                                                     version >> 16, version & 0xffff)};
  Layout layout;
  layout.type = file.little(0x4c, 4).value_or(0);
  layout.map_at = file.little(0x154, 4).value_or(0);
  layout.data_at = file.little(0x158, 4).value_or(0);
  layout.size = file.little(0x170, 8).value_or(0);
  layout.block = file.little(0x178, 4).value_or(0);
  layout.extra = file.little(0x17c, 4).value_or(0);
  layout.blocks = file.little(0x180, 4).value_or(0);
  if (layout.type != 1 && layout.type != 2)
    return Error{layout.type == 4 ? ErrorCode::not_found : ErrorCode::unsupported,
                 layout.type == 4
                     ? "is a differencing VDI disk that builds on the disk with the identifier " +
                           uuid_at(file, 0x1b8) + ": join them first (VBoxManage clonemedium)"
                     : "is a VDI disk of a type that is not read: convert it first (VBoxManage clonemedium)"};
  if (layout.size == 0 || layout.size > kMaxDisk || layout.block < 512 || layout.block > kMaxUnit ||
      layout.extra > layout.block || layout.map_at < 0x190 || layout.data_at < layout.map_at) {
    return Error{ErrorCode::corrupt, "is a damaged VDI disk: its header holds impossible sizes"};
  }
  ImageInfo info;
  info.format = "vdi";
  info.size = layout.size;
  info.files = {input.name};
  info.metadata["disk_identifier"] = uuid_at(file, 0x188);
  if (layout.blocks < (layout.size + layout.block - 1) / layout.block)
    add_problem(info, ProblemKind::corrupt, "the disk's block map is shorter than the disk");
  return std::unique_ptr<ExhibitSource>(
      std::make_unique<VdiImage>(std::move(input.bytes), std::move(info), layout));
}

}  // namespace touchstone

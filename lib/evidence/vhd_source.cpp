#include "evidence/vhd_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "evidence/integers.hpp"
#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kFooter = 512;
// Bits looked at in one step: a short read shall not look through a whole block's.
constexpr std::uint64_t kMaxRun = 256;
constexpr std::size_t kDynamicHeader = 1024;

/// The one's complement of the sum of all bytes but the checksum's own.
bool sum_fits(std::span<const std::byte> bytes, std::size_t sum_at) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < sum_at || i >= sum_at + 4) sum += std::to_integer<std::uint32_t>(bytes[i]);
  }
  return big(bytes, sum_at, 4) == static_cast<std::uint32_t>(~sum);
}

struct Footer {
  std::uint64_t data_offset = 0, size = 0, type = 0;
  std::string identifier, creator;
  bool from_start = false;  ///< the copy at the start, since that at the end is missing or damaged
};

std::string identifier_at(std::span<const std::byte> bytes, std::size_t at) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", big(bytes, at, 4), big(bytes, at + 4, 2),
                     big(bytes, at + 6, 2), big(bytes, at + 8, 2), big(bytes, at + 10, 6));
}

/// At the end, with 512 or (Virtual PC before 2004) 511 bytes, or the copy at the start.
std::optional<Footer> find_footer(ByteSource& file) {
  const std::uint64_t size = file.size();
  for (const std::uint64_t back : {std::uint64_t{512}, std::uint64_t{511}, size}) {
    if (back > size || size < kFooter - 1) continue;
    std::array<std::byte, kFooter> raw{};
    const auto got = file.read_at(size - back, raw);
    if (!got || *got < kFooter - 1 || std::memcmp(raw.data(), "conectix", 8) != 0 || !sum_fits(raw, 64))
      continue;
    Footer footer;
    footer.data_offset = big(raw, 16, 8);
    footer.size = big(raw, 48, 8);
    footer.type = big(raw, 60, 4);
    footer.identifier = identifier_at(raw, 68);
    footer.creator.assign(reinterpret_cast<const char*>(raw.data()) + 28, 4);
    footer.from_start = back == size;
    return footer;
  }
  return std::nullopt;
}

struct Layout {
  std::uint64_t table_at = 0, entries = 0, block = 0, bitmap = 0;
  bool differencing = false;
};

class DynamicVhd : public MappedImage {
 public:
  DynamicVhd(std::unique_ptr<ByteSource> file, ImageInfo info, const Layout& layout)
      : layout_(layout), table_(*file) {
    info_ = std::move(info);
    add_file(std::move(file));
  }
  void take_parent(std::unique_ptr<ExhibitSource> parent) { set_parent(std::move(parent)); }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t number = offset / layout_.block;
    const std::uint64_t within = offset % layout_.block;
    const std::uint64_t rest = layout_.block - within;
    const auto absent = [&](std::uint64_t length) {
      return layout_.differencing ? Piece::parent(length) : Piece::zero(length);
    };
    if (number >= layout_.entries) return Piece::lost(rest, "the disk's block table does not reach here");
    const auto entry = table_.big(layout_.table_at + number * 4, 4);
    if (!entry) return Piece::lost(rest, "the disk's block table is cut off");
    if (*entry == 0xffff'ffff) return absent(rest);
    const std::uint64_t at = *entry * 512;
    if (!layout_.differencing) return Piece::stored(0, at + layout_.bitmap + within, rest);
    // One bit a sector, the highest first: set where this disk, not its parent, holds the sector. Of a
    // dynamic disk the bits add nothing: an unwritten sector is zero in the file as well.
    const auto own = [&](std::uint64_t sector) {
      return (table_.big(at + sector / 8, 1).value_or(0) >> (7 - sector % 8) & 1) != 0;
    };
    const std::uint64_t first = within / 512;
    const bool here = own(first);
    std::uint64_t sector = first + 1;
    const std::uint64_t stop = std::min(layout_.block / 512, first + kMaxRun);
    while (sector < stop && own(sector) == here) ++sector;
    const std::uint64_t length = sector * 512 - within;
    return here ? Piece::stored(0, at + layout_.bitmap + within, length) : absent(length);
  }

 private:
  Layout layout_;
  PageReader table_;
};

class FixedVhd : public MappedImage {
 public:
  FixedVhd(std::unique_ptr<ByteSource> file, ImageInfo info) {
    info_ = std::move(info);
    add_file(std::move(file));
  }

 protected:
  Piece find(std::uint64_t offset) override { return Piece::stored(0, offset, info_.size - offset); }
};

/// Names under which the parent may lie beside the disk: its name, and those of the locators.
std::vector<std::string> parent_names(PageReader& file, std::span<const std::byte> header) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& path) {
    const std::string name = last_component(path);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t at = 576 + i * 24;
    const std::uint64_t length = big(header, at + 8, 4);
    const std::uint64_t place = big(header, at + 16, 8);
    std::string_view code(reinterpret_cast<const char*>(header.data()) + at, 4);
    if (length == 0 || length > 4096 || (code != "W2ru" && code != "W2ku")) continue;
    std::vector<std::byte> raw(length);
    if (file.read(place, raw)) add(utf16_text(raw, false));
  }
  add(utf16_text(header.subspan(64, 512), true));
  return names;
}

Result<std::unique_ptr<ExhibitSource>> open_parent_of(const ImageInput& input, PageReader& file,
                                                      std::span<const std::byte> header) {
  const std::string wanted = identifier_at(header, 40);
  std::optional<Error> first_error;
  for (const std::string& name : parent_names(file, header)) {
    auto parent = open_parent(input, name);
    if (parent) return parent;
    if (!first_error || first_error->code == ErrorCode::not_found) first_error = parent.error();
  }
  if (first_error)
    return Error{first_error->code, first_error->message + " (its identifier is " + wanted + ")"};
  return Error{ErrorCode::not_found,
               "builds on a parent disk whose name is not stored; its identifier is " + wanted};
}

Result<std::unique_ptr<ExhibitSource>> open_dynamic(ImageInput& input, const Footer& footer, ImageInfo info) {
  std::array<std::byte, kDynamicHeader> header{};
  const auto got = input.bytes->read_at(footer.data_offset, header);
  if (!got || *got < header.size() || std::memcmp(header.data(), "cxsparse", 8) != 0)
    return Error{ErrorCode::corrupt, "is a damaged VHD disk: its dynamic header is missing"};
  if (!sum_fits(header, 36))
    add_problem(info, ProblemKind::integrity, "the checksum of the disk's dynamic header is wrong");
  Layout layout;
  layout.table_at = big(header, 16, 8);
  layout.entries = big(header, 28, 4);
  layout.block = big(header, 32, 4);
  layout.differencing = footer.type == 4;
  if (layout.block < 512 || layout.block % 512 != 0 || layout.block > (std::uint64_t{1} << 31))
    return Error{ErrorCode::corrupt, "is a damaged VHD disk: it states no possible block size"};
  layout.bitmap = (layout.block / 512 / 8 + 511) / 512 * 512;
  if (layout.entries < (footer.size + layout.block - 1) / layout.block)
    add_problem(info, ProblemKind::corrupt, "the disk's block table is shorter than the disk");
  PageReader file(*input.bytes);
  std::unique_ptr<ExhibitSource> parent;
  if (layout.differencing) {
    auto opened = open_parent_of(input, file, header);
    if (!opened) return opened.error();
    parent = opened.take();
    const auto& meta = parent->info().metadata;
    const auto own = meta.find("disk_identifier");
    const std::string wanted = identifier_at(header, 40);
    if (own != meta.end() && own->second != wanted)
      add_problem(info, ProblemKind::integrity,
                  "the parent disk's identifier is " + own->second + ", the disk builds on " + wanted +
                      ": it is another disk, or was changed since");
  }
  auto image = std::make_unique<DynamicVhd>(std::move(input.bytes), std::move(info), layout);
  if (parent) image->take_parent(std::move(parent));
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_vhd(ImageInput& input) {
  const auto footer = find_footer(*input.bytes);
  if (!footer) {
    std::array<std::byte, 8> head{};
    const auto got = input.bytes->read_at(0, head);
    if (got && std::memcmp(head.data(), "conectix", 8) == 0)
      return Error{ErrorCode::corrupt, "is a damaged VHD disk: neither of its footers fits its checksum"};
    return Error{ErrorCode::invalid, "no VHD disk"};
  }
  if (footer->type < 2 || footer->type > 4)
    return Error{ErrorCode::unsupported,
                 fmt::format("is a VHD disk of type {}, which is not known", footer->type)};
  if (footer->size == 0 || footer->size > kMaxDisk)
    return Error{ErrorCode::corrupt, "is a damaged VHD disk: it states no possible size"};
  ImageInfo info;
  info.format = "vhd";
  info.size = footer->size;
  info.files = {input.name};
  info.metadata["disk_identifier"] = footer->identifier;
  info.metadata["creator"] = printable(footer->creator);
  if (footer->from_start)
    add_problem(info, ProblemKind::integrity,
                "the disk's footer is missing or damaged; its copy at the start is used");
  if (footer->type != 2) return open_dynamic(input, *footer, std::move(info));
  return std::unique_ptr<ExhibitSource>(std::make_unique<FixedVhd>(std::move(input.bytes), std::move(info)));
}

}  // namespace touchstone

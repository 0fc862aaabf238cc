#include "evidence/qcow_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evidence/inflate.hpp"
#include "evidence/mapped_image.hpp"

namespace touchstone {
namespace {

struct Layout {
  std::uint64_t version = 0;
  unsigned cluster_bits = 0;
  unsigned l2_bits = 0;  ///< of the number of entries in one table
  std::uint64_t l1_at = 0, l1_size = 0;
  std::uint64_t size = 0;
  bool extended = false;  ///< entries of 16 bytes, with 32 subclusters each
  std::uint32_t data_file = 0;
  bool zstd = false;
};

class QcowImage : public MappedImage {
 public:
  QcowImage(std::unique_ptr<ByteSource> file, ImageInfo info, const Layout& layout)
      : layout_(layout), table_(*file) {
    info_ = std::move(info);
    add_file(std::move(file));
  }
  void take_data_file(std::unique_ptr<ByteSource> file, const std::string& name) {
    info_.files.push_back(name);
    layout_.data_file = add_file(std::move(file));
  }
  void take_parent(std::unique_ptr<ExhibitSource> parent) { set_parent(std::move(parent)); }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t cluster = std::uint64_t{1} << layout_.cluster_bits;
    const std::uint64_t within = offset & (cluster - 1);
    const std::uint64_t rest = cluster - within;
    const std::uint64_t index = offset >> layout_.cluster_bits;
    const std::uint64_t l1 = index >> layout_.l2_bits;
    if (l1 >= layout_.l1_size) return Piece::lost(rest, "the image's first table does not reach here");
    const auto l1_entry = table_.big(layout_.l1_at + l1 * 8, 8);
    if (!l1_entry) return Piece::lost(rest, "the image's first table is cut off");
    const std::uint64_t table = layout_.version == 1 ? *l1_entry : *l1_entry & kOffsetMask;
    if (table == 0) {
      const std::uint64_t covered = std::uint64_t{1} << (layout_.l2_bits + layout_.cluster_bits);
      return unallocated(covered - (offset & (covered - 1)));
    }
    const std::uint64_t width = layout_.extended ? 16 : 8;
    const std::uint64_t at = table + (index & ((std::uint64_t{1} << layout_.l2_bits) - 1)) * width;
    const auto entry = table_.big(at, 8);
    if (!entry) return Piece::lost(rest, "a table of the image is cut off");
    if (layout_.version == 1) return find_old(*entry, offset, within, rest);
    if ((*entry & kCompressed) != 0) return packed(*entry, offset, within);
    if (layout_.extended) return find_sub(*entry, table_.big(at + 8, 8).value_or(0), within);
    if (layout_.version >= 3 && (*entry & 1) != 0) return Piece::zero(rest);
    const std::uint64_t place = *entry & kOffsetMask;
    // In an external data file the first cluster stands at 0.
    if (place == 0 && !(layout_.data_file != 0 && (*entry & kCopied) != 0)) return unallocated(rest);
    return Piece::stored(layout_.data_file, place + within, rest);
  }

  bool unpack(const Piece& /*piece*/, std::span<const std::byte> packed, std::span<std::byte> out) override {
    if (layout_.zstd) return unpack_zstd(packed, out);
    const auto done = inflater_.raw(packed, out);
    return done && done->produced == out.size();
  }

 private:
  static constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'fe00;
  static constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;
  static constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;

  Piece unallocated(std::uint64_t length) const {
    return parent_ ? Piece::parent(length) : Piece::zero(length);
  }

  Piece find_old(std::uint64_t entry, std::uint64_t offset, std::uint64_t within, std::uint64_t rest) {
    if (entry == 0) return unallocated(rest);
    if ((entry & kCopied) == 0) return Piece::stored(0, entry + within, rest);
    const unsigned shift = 63 - layout_.cluster_bits;
    return packed_piece(entry & ((std::uint64_t{1} << shift) - 1),
                        (entry & ~kCopied) >> shift & ((std::uint64_t{1} << layout_.cluster_bits) - 1),
                        offset, within);
  }

  Piece packed(std::uint64_t entry, std::uint64_t offset, std::uint64_t within) {
    const unsigned shift = 62 - (layout_.cluster_bits - 8);
    const std::uint64_t at = entry & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t sectors = (entry & (kCompressed - 1)) >> shift;
    return packed_piece(at, (sectors + 1) * 512 - (at & 511), offset, within);
  }

  Piece packed_piece(std::uint64_t at, std::uint64_t size, std::uint64_t offset, std::uint64_t within) {
    Piece piece;
    piece.kind = Piece::Kind::packed;
    piece.at = at;
    piece.packed_size = size;
    piece.unit_offset = offset - within;
    piece.unit_size = std::uint64_t{1} << layout_.cluster_bits;
    piece.length = piece.unit_size - within;
    return piece;
  }

  Piece find_sub(std::uint64_t entry, std::uint64_t bitmap, std::uint64_t within) {
    const std::uint64_t sub = std::uint64_t{1} << (layout_.cluster_bits - 5);
    const std::uint64_t number = within / sub;
    const std::uint64_t rest = sub - within % sub;
    if ((bitmap >> (32 + number) & 1) != 0) return Piece::zero(rest);
    if ((bitmap >> number & 1) == 0) return unallocated(rest);
    return Piece::stored(layout_.data_file, (entry & kOffsetMask) + within, rest);
  }

  Layout layout_;
  PageReader table_;
  Inflater inflater_;
};

struct Header {
  Layout layout;
  std::uint64_t backing_at = 0, backing_size = 0, crypt = 0, snapshots = 0, incompatible = 0;
  std::uint64_t length = 72, compression = 0;
  std::string backing, backing_format, data_file;
};

std::string text_at(PageReader& file, std::uint64_t at, std::uint64_t size) {
  std::string text(std::min<std::uint64_t>(size, 4096), '\0');
  return file.read(at, std::as_writable_bytes(std::span(text))) ? text : "";
}

void read_extensions(PageReader& file, Header& header) {
  constexpr std::uint64_t kBackingFormat = 0xe2792aca, kDataFile = 0x44415441;
  std::uint64_t at = header.length;
  for (int i = 0; i < 64; ++i) {
    const std::uint64_t type = file.big(at, 4).value_or(0);
    const std::uint64_t size = file.big(at + 4, 4).value_or(0);
    if (type == 0 || size > 4096) return;
    if (type == kBackingFormat) header.backing_format = text_at(file, at + 8, size);
    if (type == kDataFile) header.data_file = text_at(file, at + 8, size);
    at += 8 + (size + 7) / 8 * 8;
  }
}

Header read_header(PageReader& file) {
  Header header;
  Layout& layout = header.layout;
  layout.version = file.big(4, 4).value_or(0);
  header.backing_at = file.big(8, 8).value_or(0);
  header.backing_size = file.big(16, 4).value_or(0);
  layout.size = file.big(24, 8).value_or(0);
  if (layout.version == 1) {
    layout.cluster_bits = static_cast<unsigned>(file.big(32, 1).value_or(0));
    layout.l2_bits = static_cast<unsigned>(file.big(33, 1).value_or(0));
    header.crypt = file.big(36, 4).value_or(0);
    layout.l1_at = file.big(40, 8).value_or(0);
    const unsigned covered = std::min(layout.cluster_bits + layout.l2_bits, 63U);
    layout.l1_size = (layout.size >> covered) + 1;
  } else {
    layout.cluster_bits = static_cast<unsigned>(file.big(20, 4).value_or(0));
    header.crypt = file.big(32, 4).value_or(0);
    layout.l1_size = file.big(36, 4).value_or(0);
    layout.l1_at = file.big(40, 8).value_or(0);
    header.snapshots = file.big(60, 4).value_or(0);
  }
  if (layout.version >= 3) {
    header.incompatible = file.big(72, 8).value_or(0);
    header.length = std::max<std::uint64_t>(file.big(100, 4).value_or(0), 104);
    if (header.length >= 105) header.compression = file.big(104, 1).value_or(0);
    layout.extended = (header.incompatible & 16) != 0;
    layout.zstd = header.compression == 1;
  }
  if (layout.version >= 2) {
    layout.l2_bits = layout.cluster_bits - (layout.extended ? 4 : 3);
    read_extensions(file, header);
  }
  if (header.backing_at != 0)
    header.backing = text_at(file, header.backing_at, std::min<std::uint64_t>(header.backing_size, 1023));
  return header;
}

Status check(const Header& header) {
  const Layout& layout = header.layout;
  if (layout.version < 1 || layout.version > 3)
    return Error{ErrorCode::unsupported,
                 fmt::format("is a QCOW image of version {}, which is not known", layout.version)};
  if (layout.cluster_bits < 9 || layout.cluster_bits > 21 || layout.l2_bits < 1 || layout.l2_bits > 24 ||
      layout.size > kMaxDisk) {
    return Error{ErrorCode::corrupt, "is a damaged QCOW image: its header holds impossible sizes"};
  }
  if (header.crypt != 0)
    return Error{
        ErrorCode::encrypted,
        fmt::format(
            "is an encrypted QCOW image ({}): decrypt it with its key (qemu-img convert --object secret)",
            header.crypt == 1   ? "AES"
            : header.crypt == 2 ? "LUKS"
                                : "method unknown")};
  constexpr std::uint64_t kKnown = 1 | 2 | 4 | 8 | 16;
  if ((header.incompatible & ~kKnown) != 0)
    return Error{ErrorCode::unsupported, fmt::format("is a QCOW image with features that are not known "
                                                     "({:#x}): convert it with the qemu-img that made it",
                                                     header.incompatible & ~kKnown)};
  if (header.compression > 1)
    return Error{
        ErrorCode::unsupported,
        "is a QCOW image whose clusters are compressed in a way that is not known: convert it with the "
        "qemu-img that made it"};
  return {};
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_qcow(ImageInput input) {
  PageReader head(*input.bytes);
  const Header header = read_header(head);
  if (Status sound = check(header); !sound) return sound.error();
  ImageInfo info;
  info.format = "qcow";
  info.size = header.layout.size;
  info.files = {input.name};
  info.metadata["qcow_version"] = std::to_string(header.layout.version);
  if (info.size == 0) return Error{ErrorCode::corrupt, "is a QCOW image that says that it holds 0 bytes"};
  if (header.snapshots > 0)
    add_problem(info, ProblemKind::unsupported,
                fmt::format("the image holds {} internal snapshots, which are not read", header.snapshots));
  if ((header.incompatible & 2) != 0)
    add_problem(info, ProblemKind::corrupt, "the image is marked corrupt by the program that wrote it");
  if ((header.incompatible & 1) != 0)
    add_problem(info, ProblemKind::integrity,
                "the image was not closed properly by the program that wrote it");

  const std::string wanted = last_component(header.data_file);
  const bool outside = (header.incompatible & 4) != 0;
  std::unique_ptr<ByteSource> data;
  if (outside) {
    data = input.open_sibling(wanted);
    if (!data)
      return Error{ErrorCode::not_found, "keeps its data in another file, which is not beside it: " +
                                             (wanted.empty() ? "its name is not stored" : wanted)};
  }
  std::unique_ptr<ExhibitSource> parent;
  if (!header.backing.empty()) {
    auto opened = open_parent(input, header.backing, header.backing_format == "raw");
    if (!opened) return opened.error();
    parent = opened.take();
  }
  auto image = std::make_unique<QcowImage>(std::move(input.bytes), std::move(info), header.layout);
  if (data) image->take_data_file(std::move(data), wanted);
  if (parent) image->take_parent(std::move(parent));
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace touchstone

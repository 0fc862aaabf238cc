#include "evidence/vmdk_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "evidence/inflate.hpp"
#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"
#include "evidence/vmdk_descriptor.hpp"

namespace touchstone {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kMaxDescriptor = std::uint64_t{1} << 20;

/// One extent's tables, all in bytes.
struct Tables {
  enum class Form { sparse, cowd, se } form = Form::sparse;
  std::uint64_t capacity = 0, grain = 0, entries = 0;  ///< entries in one grain table
  std::uint64_t directory = 0, directory_entries = 0;
  std::uint64_t tables_at = 0, grains_at = 0;  ///< SE sparse
  bool packed = false, zero_grains = false;
  std::uint64_t descriptor_at = 0, descriptor_size = 0;
};

bool sane(const Tables& tables) {
  return tables.grain >= kSector && tables.grain <= kMaxUnit && tables.grain % kSector == 0 &&
         tables.entries > 0 && tables.entries <= (1U << 20) && tables.capacity <= kMaxDisk;
}

Tables read_sparse(PageReader& file) {
  Tables tables;
  std::uint64_t header = 0;
  // A stream-optimised disk is written from front to back: its directory's place stands in a footer.
  if (file.little(56, 8) == ~std::uint64_t{0} && file.file().size() >= 1024 &&
      file.little(file.file().size() - 1024, 4) == 0x564d444b) {
    header = file.file().size() - 1024;
  }
  const std::uint64_t flags = file.little(8, 4).value_or(0);
  tables.capacity = file.little(12, 8).value_or(0) * kSector;
  tables.grain = file.little(20, 8).value_or(0) * kSector;
  tables.descriptor_at = file.little(28, 8).value_or(0) * kSector;
  tables.descriptor_size = file.little(36, 8).value_or(0) * kSector;
  tables.entries = file.little(44, 4).value_or(0);
  tables.directory = file.little(header + 56, 8).value_or(0) * kSector;
  tables.packed = (flags & 0x10000) != 0;
  tables.zero_grains = (flags & 4) != 0;
  if (sane(tables)) tables.directory_entries = tables.capacity / tables.grain / tables.entries + 1;
  return tables;
}

Tables read_cowd(PageReader& file) {
  Tables tables;
  tables.form = Tables::Form::cowd;
  tables.capacity = file.little(12, 4).value_or(0) * kSector;
  tables.grain = file.little(16, 4).value_or(0) * kSector;
  tables.directory = file.little(20, 4).value_or(0) * kSector;
  tables.directory_entries = file.little(24, 4).value_or(0);
  tables.entries = 4096;
  return tables;
}

Tables read_se(PageReader& file) {
  Tables tables;
  tables.form = Tables::Form::se;
  tables.capacity = file.little(16, 8).value_or(0) * kSector;
  tables.grain = file.little(24, 8).value_or(0) * kSector;
  tables.entries = file.little(32, 8).value_or(0) * kSector / 8;
  tables.directory = file.little(128, 8).value_or(0) * kSector;
  tables.directory_entries = file.little(136, 8).value_or(0) * kSector / 8;
  tables.tables_at = file.little(144, 8).value_or(0) * kSector;
  tables.grains_at = file.little(192, 8).value_or(0) * kSector;
  return tables;
}

std::optional<Tables> read_tables(PageReader& file) {
  const auto magic = file.little(0, 4);
  std::optional<Tables> tables;
  if (magic == 0x564d444b) tables = read_sparse(file);
  if (magic == 0x44574f43) tables = read_cowd(file);
  if (magic == 0xcafebabe) tables = read_se(file);
  if (tables && !sane(*tables)) tables.reset();
  return tables;
}

class VmdkImage : public MappedImage {
 public:
  struct Part {
    enum class Kind { flat, sparse, zero, lost } kind = Kind::lost;
    std::uint64_t from = 0, size = 0;  ///< of the media
    std::uint32_t file = 0;
    std::uint64_t at = 0;  ///< flat: in the file
    Tables tables;
    std::shared_ptr<PageReader> reader;
    std::string reason;
  };

  explicit VmdkImage(ImageInfo info) { info_ = std::move(info); }
  ImageInfo& mutable_info() { return info_; }

  void add_flat(std::unique_ptr<ByteSource> file, std::uint64_t at, std::uint64_t size) {
    Part part = next_part(Part::Kind::flat, size);
    part.at = at;
    part.file = add_file(std::move(file));
    parts_.push_back(std::move(part));
  }
  void add_sparse(std::unique_ptr<ByteSource> file, const Tables& tables, std::uint64_t size) {
    Part part = next_part(Part::Kind::sparse, size);
    part.tables = tables;
    part.reader = std::make_shared<PageReader>(*file);
    part.file = add_file(std::move(file));
    parts_.push_back(std::move(part));
  }
  void add_zero(std::uint64_t size) { parts_.push_back(next_part(Part::Kind::zero, size)); }
  void add_lost(std::uint64_t size, std::string reason) {
    Part part = next_part(Part::Kind::lost, size);
    part.reason = std::move(reason);
    parts_.push_back(std::move(part));
  }
  void take_parent(std::unique_ptr<ExhibitSource> parent) { set_parent(std::move(parent)); }

 protected:
  Piece find(std::uint64_t offset) override {
    auto part = std::upper_bound(parts_.begin(), parts_.end(), offset,
                                 [](std::uint64_t at, const Part& one) { return at < one.from; });
    --part;
    const std::uint64_t within = offset - part->from;
    const std::uint64_t rest = part->size - within;
    switch (part->kind) {
      case Part::Kind::flat:
        return Piece::stored(part->file, part->at + within, rest);
      case Part::Kind::zero:
        return Piece::zero(rest);
      case Part::Kind::lost:
        return Piece::lost(rest, part->reason);
      case Part::Kind::sparse:
        break;
    }
    Piece piece = find_grain(*part, within);
    piece.length = std::min(piece.length, rest);
    return piece;
  }

  bool unpack(const Piece& /*piece*/, std::span<const std::byte> packed, std::span<std::byte> out) override {
    // A grain marker: its first sector and how long its zlib stream is.
    if (packed.size() < 12) return false;
    const auto done = inflater_.zlib(packed.subspan(12), out);
    if (!done) return false;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(done->produced), out.end(), std::byte{0});
    return true;
  }

 private:
  Part next_part(Part::Kind kind, std::uint64_t size) {
    Part part;
    part.kind = kind;
    part.from = info_.size;
    part.size = size;
    info_.size += size;
    return part;
  }

  Piece absent(std::uint64_t length) const { return parent_ ? Piece::parent(length) : Piece::zero(length); }

  Piece find_grain(Part& part, std::uint64_t within) {
    const Tables& tables = part.tables;
    const std::uint64_t grain = within / tables.grain;
    const std::uint64_t inside = within % tables.grain;
    const std::uint64_t rest = tables.grain - inside;
    const std::uint64_t number = grain / tables.entries;
    const std::uint64_t index = grain % tables.entries;
    if (number >= tables.directory_entries)
      return Piece::lost(rest, "the disk's grain directory does not reach here");
    if (tables.form == Tables::Form::se) return find_se(part, number, index, inside);
    const auto table = part.reader->little(tables.directory + number * 4, 4);
    if (!table) return Piece::lost(rest, "the disk's grain directory is cut off");
    if (*table == 0) return absent((tables.entries - index) * tables.grain - inside);
    const auto entry = part.reader->little(*table * kSector + index * 4, 4);
    if (!entry) return Piece::lost(rest, "a grain table of the disk is cut off");
    if (*entry == 0) return absent(rest);
    if (*entry == 1 && tables.zero_grains) return Piece::zero(rest);
    if (!tables.packed) return Piece::stored(part.file, *entry * kSector + inside, rest);
    Piece piece;
    piece.kind = Piece::Kind::packed;
    piece.file = part.file;
    piece.at = *entry * kSector;
    piece.packed_size =
        12 + std::min<std::uint64_t>(part.reader->little(piece.at + 8, 4).value_or(0), kMaxUnit);
    piece.unit_offset = part.from + within - inside;
    piece.unit_size = tables.grain;
    piece.length = rest;
    return piece;
  }

  Piece find_se(Part& part, std::uint64_t number, std::uint64_t index, std::uint64_t inside) {
    const Tables& tables = part.tables;
    const std::uint64_t rest = tables.grain - inside;
    const auto table = part.reader->little(tables.directory + number * 8, 8);
    if (!table) return Piece::lost(rest, "the disk's grain directory is cut off");
    if (*table == 0) return absent(rest);
    if (*table >> 32 != 0x1000'0000)
      return Piece::lost(rest, "the disk's grain directory holds an impossible entry");
    const std::uint64_t at = tables.tables_at + ((*table & 0xffff'ffff) * tables.entries + index) * 8;
    const auto entry = part.reader->little(at, 8);
    if (!entry) return Piece::lost(rest, "a grain table of the disk is cut off");
    switch (*entry >> 60) {
      case 0:
        return *entry == 0 ? absent(rest)
                           : Piece::lost(rest, "a grain table of the disk holds an impossible entry");
      case 1:
      case 2:
        return Piece::zero(rest);
      case 3:
        break;
      default:
        return Piece::lost(rest, "a grain table of the disk holds an impossible entry");
    }
    const std::uint64_t place = (*entry & 0x0fff'0000'0000'0000) >> 48 | (*entry & 0x0000'ffff'ffff'ffff)
                                                                             << 12;
    if (place > kMaxDisk / tables.grain)
      return Piece::lost(rest, "a grain table of the disk holds an impossible entry");
    return Piece::stored(part.file, tables.grains_at + place * tables.grain + inside, rest);
  }

  std::vector<Part> parts_;
  Inflater inflater_;
};

class Opener {
 public:
  explicit Opener(ImageInput input) : input_(std::move(input)) {}

  Result<std::unique_ptr<ExhibitSource>> run() {
    PageReader head(*input_.bytes);
    const auto tables = read_tables(head);
    const bool text = !tables && head.little(0, 1) == '#';
    if (!tables && !text)
      return Error{ErrorCode::corrupt, "is a damaged VMDK: its header holds impossible sizes"};
    ImageInfo info;
    info.format = "vmdk";
    info.files = {input_.name};
    image_ = std::make_unique<VmdkImage>(std::move(info));
    if (text || tables->descriptor_at != 0) {
      const std::uint64_t at = text ? 0 : tables->descriptor_at;
      std::string bytes(std::min(text ? input_.bytes->size() : tables->descriptor_size, kMaxDescriptor),
                        '\0');
      const auto got = input_.bytes->read_at(at, std::as_writable_bytes(std::span(bytes)));
      bytes.resize(got ? *got : 0);
      descriptor_ = parse_vmdk_descriptor(bytes);
    }
    if (descriptor_.encrypted)
      return Error{ErrorCode::encrypted,
                   "is an encrypted VMDK: decrypt the virtual machine in VMware with its password"};
    describe();
    Status taken = text ? take_extents() : take_own(*tables);
    if (!taken) return taken.error();
    if (image_->size() == 0 || image_->size() > kMaxDisk)
      return Error{ErrorCode::corrupt, "is a damaged VMDK: it states no possible size"};
    if (Status parent = take_parent(); !parent) return parent.error();
    return std::unique_ptr<ExhibitSource>(std::move(image_));
  }

 private:
  void describe() {
    auto& metadata = image_->mutable_info().metadata;
    if (!descriptor_.create_type.empty()) metadata["create_type"] = printable(descriptor_.create_type);
    if (!descriptor_.content_id.empty()) metadata["content_identifier"] = printable(descriptor_.content_id);
  }

  /// The file is itself the disk, or one extent of it.
  Status take_own(const Tables& tables) {
    if (tables.descriptor_at == 0)
      add_problem(image_->mutable_info(), ProblemKind::unsupported,
                  input_.name +
                      " holds no description of its disk: if it is one of several extents or a snapshot, "
                      "give the .vmdk text file that names it");
    if (descriptor_.extents.size() > 1) return take_extents();
    image_->add_sparse(std::move(input_.bytes), tables, tables.capacity);
    return {};
  }

  Status take_extents() {
    if (descriptor_.extents.empty())
      return Error{ErrorCode::corrupt, "is a damaged VMDK: its description names no extent"};
    std::size_t there = 0;
    std::string first_missing;
    for (const VmdkExtent& extent : descriptor_.extents) {
      if (extent.sectors == 0 || extent.sectors > kMaxDisk / kSector || image_->size() > kMaxDisk)
        return Error{ErrorCode::corrupt, "is a damaged VMDK: an extent states no possible size"};
      const std::uint64_t size = extent.sectors * kSector;
      if (extent.type == "ZERO") {
        image_->add_zero(size);
        continue;
      }
      const std::string name = last_component(extent.file);
      auto file = input_.open_sibling(name);
      std::string trouble = file ? take_extent(extent, size, std::move(file)) : name + " is missing";
      if (trouble.empty()) {
        ++there;
        image_->mutable_info().files.push_back(name);
        continue;
      }
      if (first_missing.empty()) first_missing = trouble;
      add_problem(image_->mutable_info(), ProblemKind::unreadable, "extent " + trouble);
      image_->add_lost(size, "extent " + trouble);
    }
    if (there == 0 && !first_missing.empty())
      return Error{ErrorCode::not_found,
                   "describes a disk of " + std::to_string(descriptor_.extents.size()) +
                       " extents, of which none can be read: " + printable(first_missing)};
    return {};
  }

  /// Empty if it worked.
  std::string take_extent(const VmdkExtent& extent, std::uint64_t size, std::unique_ptr<ByteSource> file) {
    const std::string name = last_component(extent.file);
    if (extent.type == "FLAT" || extent.type == "VMFS") {
      image_->add_flat(std::move(file), extent.offset * kSector, size);
      return "";
    }
    PageReader head(*file);
    const auto tables = read_tables(head);
    if (!tables) return name + " is no extent of type " + printable(extent.type);
    image_->add_sparse(std::move(file), *tables, size);
    return "";
  }

  Status take_parent() {
    if (!descriptor_.has_parent()) return {};
    if (descriptor_.parent_hint.empty())
      return Error{ErrorCode::not_found,
                   "builds on a parent disk whose name is not stored; its content identifier is " +
                       printable(descriptor_.parent_id)};
    auto parent = open_parent(input_, descriptor_.parent_hint);
    if (!parent) return parent.error();
    const auto& metadata = (*parent)->info().metadata;
    const auto own = metadata.find("content_identifier");
    if (own != metadata.end() && own->second != descriptor_.parent_id)
      add_problem(image_->mutable_info(), ProblemKind::integrity,
                  "the parent disk's content identifier is " + own->second + ", the disk builds on " +
                      printable(descriptor_.parent_id) + ": it is another disk, or was changed since");
    image_->take_parent(parent.take());
    return {};
  }

  ImageInput input_;
  VmdkDescriptor descriptor_;
  std::unique_ptr<VmdkImage> image_;
};

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_vmdk(ImageInput input) {
  return Opener(std::move(input)).run();
}

}  // namespace touchstone

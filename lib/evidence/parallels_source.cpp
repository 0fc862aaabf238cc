#include "evidence/parallels_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kMaxDescriptor = std::uint64_t{1} << 20;
constexpr std::size_t kMaxParts = 2048;

struct Map {
  std::uint64_t block = 0, entries = 0, unit = kSector, size = 0;
  bool open = false;
};

/// Of an expanding file.
std::optional<Map> read_map(PageReader& file) {
  Map map;
  std::array<char, 16> magic{};
  if (!file.read(0, std::as_writable_bytes(std::span(magic)))) return std::nullopt;
  const bool wide = std::memcmp(magic.data(), "WithouFreSpacExt", 16) == 0;
  if (!wide && std::memcmp(magic.data(), "WithoutFreeSpace", 16) != 0) return std::nullopt;
  map.block = file.little(28, 4).value_or(0) * kSector;
  map.entries = file.little(32, 4).value_or(0);
  map.size = file.little(36, wide ? 8 : 4).value_or(0) * kSector;
  map.open = file.little(44, 4) == 0x746f6e59;
  if (map.block == 0 || map.block > kMaxUnit * 16 || map.size > kMaxDisk) return std::nullopt;
  // The older form counts in sectors, the newer in blocks.
  map.unit = wide ? map.block : kSector;
  return map;
}

class ParallelsImage : public MappedImage {
 public:
  explicit ParallelsImage(ImageInfo info) { info_ = std::move(info); }
  ImageInfo& mutable_info() { return info_; }

  void add(std::unique_ptr<ByteSource> file, std::optional<Map> map, std::uint64_t size) {
    Part part;
    part.from = info_.size;
    part.size = size;
    part.map = map;
    if (file) {
      part.reader = std::make_shared<PageReader>(*file);
      part.file = add_file(std::move(file));
    }
    info_.size += size;
    parts_.push_back(std::move(part));
  }

 protected:
  Piece find(std::uint64_t offset) override {
    auto part = std::upper_bound(parts_.begin(), parts_.end(), offset,
                                 [](std::uint64_t at, const Part& one) { return at < one.from; });
    --part;
    const std::uint64_t within = offset - part->from;
    const std::uint64_t left = part->size - within;
    if (!part->reader) return Piece::lost(left, "a part of the disk is missing");
    if (!part->map) return Piece::stored(part->file, within, left);
    const std::uint64_t number = within / part->map->block;
    const std::uint64_t inside = within % part->map->block;
    const std::uint64_t rest = std::min(part->map->block - inside, left);
    if (number >= part->map->entries) return Piece::lost(rest, "the disk's block table does not reach here");
    const auto entry = part->reader->little(64 + number * 4, 4);
    if (!entry) return Piece::lost(rest, "the disk's block table is cut off");
    if (*entry == 0) return Piece::zero(rest);
    return Piece::stored(part->file, *entry * part->map->unit + inside, rest);
  }

 private:
  struct Part {
    std::uint64_t from = 0, size = 0;
    std::uint32_t file = 0;
    std::optional<Map> map;
    std::shared_ptr<PageReader> reader;
  };
  std::vector<Part> parts_;
};

/// Text of the first <name> in `xml` from `at` on; moves `at` behind it.
std::optional<std::string> element(std::string_view xml, const std::string& name, std::size_t& at) {
  const std::size_t open = xml.find("<" + name + ">", at);
  if (open == std::string_view::npos) return std::nullopt;
  const std::size_t from = open + name.size() + 2;
  const std::size_t close = xml.find("</" + name + ">", from);
  if (close == std::string_view::npos) return std::nullopt;
  at = close;
  return std::string(xml.substr(from, close - from));
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{})
    return std::nullopt;
  return value;
}

Result<std::unique_ptr<ExhibitSource>> open_described(ImageInput input, ImageInfo info) {
  std::string xml(std::min(input.bytes->size(), kMaxDescriptor), '\0');
  const auto got = input.bytes->read_at(0, std::as_writable_bytes(std::span(xml)));
  xml.resize(got ? *got : 0);
  const auto encrypted = xml.find("<Encryption>");
  if (encrypted != std::string::npos &&
      xml.find("<Engine>{00000000-0000-0000-0000-000000000000}", encrypted) == std::string::npos &&
      xml.find("<Engine>", encrypted) != std::string::npos) {
    return Error{ErrorCode::encrypted,
                 "is an encrypted Parallels disk: decrypt it in Parallels with its password"};
  }
  auto image = std::make_unique<ParallelsImage>(std::move(info));
  std::size_t there = 0;
  std::string missing;
  for (std::size_t at = xml.find("<Storage>"), count = 0; at != std::string::npos && count < kMaxParts;
       at = xml.find("<Storage>", at), ++count) {
    const std::size_t end = std::min(xml.find("</Storage>", at), xml.size());
    const std::string_view storage = std::string_view(xml).substr(at, end - at);
    at = end;
    std::size_t place = 0;
    const auto from = number(element(storage, "Start", place));
    const auto to = number(element(storage, "End", place));
    if (!from || !to || *to <= *from || *to > kMaxDisk / kSector || *from * kSector != image->size())
      return Error{ErrorCode::corrupt, "is a damaged Parallels disk: its parts do not follow each other"};
    const std::size_t images = storage.find("<Image>");
    if (images != std::string_view::npos && storage.find("<Image>", images + 1) != std::string_view::npos)
      return Error{ErrorCode::unsupported,
                   "is a Parallels disk with snapshots: merge them first (prl_disk_tool merge)"};
    const auto type = element(storage, "Type", place);
    const std::string name = last_component(element(storage, "File", place).value_or(""));
    auto file = name.empty() ? nullptr : input.open_sibling(name);
    std::optional<Map> map;
    if (file && type != "Plain") {
      PageReader head(*file);
      map = read_map(head);
      if (!map) file.reset();
    }
    if (file) {
      ++there;
      image->mutable_info().files.push_back(name);
    } else {
      missing = printable(name);
      add_problem(image->mutable_info(), ProblemKind::unreadable,
                  "part " + missing + " of the disk is missing or damaged");
    }
    image->add(std::move(file), map, (*to - *from) * kSector);
  }
  if (there == 0)
    return Error{missing.empty() ? ErrorCode::corrupt : ErrorCode::not_found,
                 missing.empty() ? "is a damaged Parallels disk: its description names no part"
                                 : "describes a Parallels disk of which no part can be read: " + missing +
                                       " is missing or damaged"};
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_parallels(ImageInput input) {
  ImageInfo info;
  info.format = "parallels";
  info.files = {input.name};
  PageReader head(*input.bytes);
  const auto map = read_map(head);
  if (!map && head.little(0, 4) != 0x68746957) return open_described(std::move(input), std::move(info));
  if (!map || map->size == 0)
    return Error{ErrorCode::corrupt, "is a damaged Parallels disk: its header holds impossible sizes"};
  if (map->open)
    add_problem(info, ProblemKind::integrity,
                "the disk was not closed properly by the program that wrote it");
  auto image = std::make_unique<ParallelsImage>(std::move(info));
  image->add(std::move(input.bytes), map, map->size);
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace touchstone

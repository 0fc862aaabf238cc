#include "content/picture_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace touchstone {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Integers at an offset; zero beyond the end, which no reader here takes for a size.
class Reader {
 public:
  Reader(Bytes bytes, bool little) : bytes_(bytes), little_(little) {}
  std::uint64_t integer(std::uint64_t offset, unsigned width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return 0;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i) {
      const unsigned at = little_ ? width - 1 - i : i;
      value = (value << 8U) | bytes_[static_cast<std::size_t>(offset) + at];
    }
    return value;
  }
  std::uint32_t u8(std::uint64_t offset) const { return static_cast<std::uint32_t>(integer(offset, 1)); }
  std::uint32_t u16(std::uint64_t offset) const { return static_cast<std::uint32_t>(integer(offset, 2)); }
  std::uint32_t u24(std::uint64_t offset) const { return static_cast<std::uint32_t>(integer(offset, 3)); }
  std::uint32_t u32(std::uint64_t offset) const { return static_cast<std::uint32_t>(integer(offset, 4)); }
  std::uint64_t size() const { return bytes_.size(); }

 private:
  Bytes bytes_;
  bool little_;
};

bool has(Bytes bytes, std::size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() &&
         std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

/// Brands of the formats with an image in an `ftyp` box that are still pictures (23008-12 annex B, AVIF).
bool is_heif_brand(Bytes bytes) {
  constexpr std::array<std::string_view, 8> kBrands{"heic", "heix", "heim", "heis",
                                                    "mif1", "msf1", "avif", "avis"};
  return has(bytes, 4, "ftyp") && std::any_of(kBrands.begin(), kBrands.end(),
                                              [&](std::string_view brand) { return has(bytes, 8, brand); });
}

/// A frame header is any SOF but the codes in between that mean DHT, JPG and DAC (T.81 table B.1).
bool is_frame_header(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}
bool stands_alone(std::uint32_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

/// Calls `each(marker, offset of its length)` for the segments of a JPEG up to the first scan; stops when it
/// says so. Returns the offset where entropy-coded data begins, 0 if there is none.
template <typename Each>
std::uint64_t walk_jpeg(const Reader& in, Each each) {
  std::uint64_t at = 2;
  while (at + 4 <= in.size()) {
    if (in.u8(at) != 0xFF) {  // decoders skip what stands between segments, and so must we
      ++at;
      continue;
    }
    const auto marker = in.u8(at + 1);
    if (marker == 0xFF) {
      ++at;
    } else if (marker == 0 || stands_alone(marker)) {
      at += 2;
    } else if (marker == 0xD9) {
      return 0;
    } else {
      if (!each(marker, at + 2)) return 0;
      const auto length = in.u16(at + 2);
      if (length < 2) return 0;
      at += 2 + length;
      if (marker == 0xDA) return at;
    }
  }
  return 0;
}

PictureSize jpeg_size(const Reader& in) {
  PictureSize size;
  walk_jpeg(in, [&](std::uint32_t marker, std::uint64_t at) {
    if (!is_frame_header(marker)) return true;
    size = {in.u16(at + 5), in.u16(at + 3)};
    return false;
  });
  return size;
}

PictureSize png_size(Bytes bytes) {
  if (!has(bytes, 12, "IHDR")) return {};
  const Reader in(bytes, false);
  return {in.u32(16), in.u32(20)};
}

PictureSize bmp_size(const Reader& in) {
  const auto header = in.u32(14);
  if (header == 12) return {in.u16(18), in.u16(20)};  // BITMAPCOREHEADER
  if (header < 16) return {};
  // Both are signed; a negative height means rows from top to bottom.
  const auto magnitude = [](std::uint32_t raw) { return (raw & 0x80000000U) != 0 ? 0U - raw : raw; };
  if ((in.u32(18) & 0x80000000U) != 0) return {};
  return {in.u32(18), magnitude(in.u32(22))};
}

PictureSize webp_size(Bytes bytes) {
  const Reader in(bytes, true);
  if (has(bytes, 12, "VP8X") && in.size() >= 30) return {in.u24(24) + 1, in.u24(27) + 1};
  if (has(bytes, 12, "VP8L") && in.size() >= 25 && in.u8(20) == 0x2F) {
    const auto packed = in.u32(21);
    return {(packed & 0x3FFFU) + 1, ((packed >> 14U) & 0x3FFFU) + 1};
  }
  if (has(bytes, 12, "VP8 ") && has(bytes, 23, "\x9D\x01\x2A"))
    return {in.u16(26) & 0x3FFFU, in.u16(28) & 0x3FFFU};
  return {};
}

/// The first directory's ImageWidth and ImageLength: the main picture of a TIFF (its thumbnail comes second).
PictureSize tiff_size(Bytes bytes) {
  const Reader in(bytes, has(bytes, 0, "II"));
  const std::uint64_t directory = in.u32(4);
  const auto entries = in.u16(directory);
  PictureSize size;
  for (std::uint32_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + std::uint64_t{12} * i;
    const auto tag = in.u16(at);
    if (tag != 256 && tag != 257) continue;
    const auto type = in.u16(at + 2);
    const auto value = type == 3 ? in.u16(at + 8) : type == 4 ? in.u32(at + 8) : 0;
    (tag == 256 ? size.width : size.height) = value;
  }
  return size;
}

/// One box of a HEIC or AVIF file: where its content lies.
struct Box {
  std::string_view name;
  std::uint64_t begin = 0, end = 0;
};

/// Calls `each(box)` for the boxes of a range until it returns false. A bound on their number keeps a range
/// of empty boxes from costing time.
template <typename Each>
void walk_boxes(const Reader& in, Bytes bytes, std::uint64_t at, std::uint64_t end, Each each) {
  constexpr int kMaxBoxes = 4096;
  for (int count = 0; count < kMaxBoxes && at + 8 <= end; ++count) {
    std::uint64_t length = in.u32(at);
    std::uint64_t header = 8;
    if (length == 1) {
      length = in.integer(at + 8, 8);
      header = 16;
    } else if (length == 0) {
      length = end - at;
    }
    if (length < header || length > end - at) return;
    const auto* name = reinterpret_cast<const char*>(bytes.data() + at + 4);  // NOLINT: bytes as characters
    if (!each(Box{std::string_view(name, 4), at + header, at + length})) return;
    at += length;
  }
}

Box find_box(const Reader& in, Bytes bytes, const Box& outer, std::string_view name) {
  Box found;
  walk_boxes(in, bytes, outer.begin, outer.end, [&](const Box& box) {
    if (box.name == name) found = box;
    return box.name != name;
  });
  return found;
}

/// Calls `each(property index)` for the properties of an item (ISO/IEC 23008-12, ItemPropertyAssociationBox).
template <typename Each>
void walk_properties(const Reader& in, const Box& ipma, std::uint32_t item, Each each) {
  const auto version = in.u8(ipma.begin);
  const unsigned id_width = version == 0 ? 2 : 4;
  const unsigned index_width = (in.u8(ipma.begin + 3) & 1U) != 0 ? 2 : 1;
  auto at = ipma.begin + 8;
  for (std::uint32_t entries = in.u32(ipma.begin + 4); entries > 0 && at < ipma.end; --entries) {
    const auto id = in.integer(at, id_width);
    const auto count = in.u8(at + id_width);
    at += id_width + 1;
    for (std::uint32_t i = 0; i < count && at < ipma.end; ++i, at += index_width) {
      if (id == item) each(in.integer(at, index_width) & (index_width == 2 ? 0x7FFFU : 0x7FU));
    }
  }
}

/// The `ispe` property of the primary item; where nothing says which that is, the largest one, so that tiles
/// and thumbnails do not count.
PictureSize heif_size(Bytes bytes) {
  const Reader in(bytes, false);
  Box meta = find_box(in, bytes, {"", 0, bytes.size()}, "meta");
  meta.begin += 4;  // a FullBox: version and flags come first
  const Box properties = find_box(in, bytes, meta, "iprp");
  const Box pitm = find_box(in, bytes, meta, "pitm");
  const auto primary = in.u8(pitm.begin) == 0 ? in.u16(pitm.begin + 4) : in.u32(pitm.begin + 4);

  std::vector<PictureSize> sizes{{}};  // by property index, which counts from 1
  PictureSize largest;
  const Box container = find_box(in, bytes, properties, "ipco");
  walk_boxes(in, bytes, container.begin, container.end, [&](const Box& box) {
    PictureSize size;
    if (box.name == "ispe") size = {in.u32(box.begin + 4), in.u32(box.begin + 8)};
    const auto area = [](PictureSize s) { return std::uint64_t{s.width} * s.height; };
    if (area(size) > area(largest)) largest = size;
    sizes.push_back(size);
    return true;
  });
  PictureSize found;
  if (pitm.end != 0) {
    walk_properties(in, find_box(in, bytes, properties, "ipma"), primary, [&](std::uint64_t index) {
      if (index < sizes.size() && sizes[static_cast<std::size_t>(index)].width != 0)
        found = sizes[static_cast<std::size_t>(index)];
    });
  }
  return found.width != 0 ? found : largest;
}

/// The orientation tag of the first directory of Exif data (Exif 2.32, 4.6.4), 1 if there is none.
unsigned exif_orientation(Bytes exif) {
  if (!has(exif, 0, "II") && !has(exif, 0, "MM")) return 1;
  const Reader in(exif, has(exif, 0, "II"));
  const std::uint64_t directory = in.u32(4);
  const auto entries = in.u16(directory);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + std::uint64_t{12} * i;
    if (in.u16(at) != 0x0112 || in.u16(at + 2) != 3) continue;
    const auto value = in.u16(at + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

Bytes slice(Bytes bytes, std::uint64_t offset, std::uint64_t length) {
  if (offset > bytes.size()) return {};
  return bytes.subspan(static_cast<std::size_t>(offset),
                       static_cast<std::size_t>(std::min<std::uint64_t>(length, bytes.size() - offset)));
}

Bytes jpeg_exif(Bytes bytes) {
  const Reader in(bytes, false);
  Bytes exif;
  walk_jpeg(in, [&](std::uint32_t marker, std::uint64_t at) {
    const auto segment = slice(bytes, at + 2, in.u16(at) - std::uint64_t{2});
    if (marker != 0xE1 || in.u16(at) < 8 || !has(segment, 0, std::string_view("Exif\0\0", 6))) return true;
    exif = segment.subspan(6);
    return false;
  });
  return exif;
}

/// A chunk by its four letters: PNG (length, name, data, checksum) and RIFF (name, length, data, padded to
/// even).
Bytes find_chunk(Bytes bytes, std::uint64_t at, bool riff, std::string_view name) {
  const Reader in(bytes, riff);
  while (at + 8 <= bytes.size()) {
    const std::uint64_t length = in.u32(at + (riff ? 4 : 0));
    if (has(bytes, static_cast<std::size_t>(at) + (riff ? 0 : 4), name)) return slice(bytes, at + 8, length);
    at += 8 + length + (riff ? length & 1U : 4);
  }
  return {};
}

}  // namespace

PictureFormat detect_picture_format(Bytes bytes) {
  if (has(bytes, 0, "\xFF\xD8\xFF")) return PictureFormat::jpeg;
  if (has(bytes, 0, "\x89PNG\r\n\x1A\n")) return PictureFormat::png;
  if (has(bytes, 0, "GIF87a") || has(bytes, 0, "GIF89a")) return PictureFormat::gif;
  if (has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP")) return PictureFormat::webp;
  if (has(bytes, 0, std::string_view("II*\0", 4)) || has(bytes, 0, std::string_view("MM\0*", 4)))
    return PictureFormat::tiff;
  if (is_heif_brand(bytes)) return PictureFormat::heif;
  // Two letters are little to go by, so the size of the header that follows must be one that exists.
  if (has(bytes, 0, "BM")) {
    const auto header = Reader(bytes, true).u32(14);
    constexpr std::array<std::uint32_t, 8> kHeaders{12, 16, 40, 52, 56, 64, 108, 124};
    if (std::find(kHeaders.begin(), kHeaders.end(), header) != kHeaders.end()) return PictureFormat::bmp;
  }
  return PictureFormat::unknown;
}

std::optional<PictureSize> read_picture_size(Bytes bytes) {
  PictureSize size;
  switch (detect_picture_format(bytes)) {
    case PictureFormat::jpeg:
      size = jpeg_size(Reader(bytes, false));
      break;
    case PictureFormat::png:
      size = png_size(bytes);
      break;
    case PictureFormat::gif:
      size = {Reader(bytes, true).u16(6), Reader(bytes, true).u16(8)};
      break;
    case PictureFormat::webp:
      size = webp_size(bytes);
      break;
    case PictureFormat::bmp:
      size = bmp_size(Reader(bytes, true));
      break;
    case PictureFormat::tiff:
      size = tiff_size(bytes);
      break;
    case PictureFormat::heif:
      size = heif_size(bytes);
      break;
    case PictureFormat::unknown:
      break;
  }
  if (size.width == 0 || size.height == 0) return std::nullopt;
  return size;
}

unsigned read_picture_orientation(Bytes bytes) {
  Bytes exif;
  switch (detect_picture_format(bytes)) {
    case PictureFormat::jpeg:
      exif = jpeg_exif(bytes);
      break;
    case PictureFormat::png:
      exif = find_chunk(bytes, 8, false, "eXIf");
      break;
    case PictureFormat::webp:
      exif = find_chunk(bytes, 12, true, "EXIF");
      if (has(exif, 0, std::string_view("Exif\0\0", 6)))
        exif = exif.subspan(6);  // some writers keep JPEG's prefix
      break;
    default:
      break;
  }
  return exif_orientation(exif);
}

bool jpeg_is_whole(Bytes bytes) {
  const auto scan = walk_jpeg(Reader(bytes, false), [](std::uint32_t, std::uint64_t) { return true; });
  if (scan == 0 || scan >= bytes.size()) return false;
  // Within scans FF is always followed by a stuffed zero or a marker, so FF D9 can only be the end.
  const auto data = bytes.subspan(static_cast<std::size_t>(scan));
  for (std::size_t at = 0; at + 1 < data.size(); ++at) {
    const void* found = std::memchr(data.data() + at, 0xFF, data.size() - 1 - at);
    if (found == nullptr) return false;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - data.data());
    if (data[at + 1] == 0xD9) return true;
  }
  return false;
}

}  // namespace touchstone

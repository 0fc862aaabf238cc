#include "evidence/aff_source.hpp"

#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>
#include <cstring>

#include "evidence/aff_segments.hpp"
#include "evidence/inflate.hpp"
#include "evidence/integers.hpp"
#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

using aff::Contents;
using aff::Page;

constexpr std::uint32_t kMaxFiles = 1000;
constexpr std::size_t kLeastBudget = std::size_t{8} << 20;

/// A page in the form of .lzma files: its own header, and often no end mark.
bool unpack_lzma(std::span<const std::byte> packed, std::span<std::byte> out) {
  constexpr std::uint64_t kMemory = std::uint64_t{192} << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_alone_decoder(&stream, kMemory) != LZMA_OK) return false;
  stream.next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK && stream.avail_out > 0) {
    const std::size_t before = stream.avail_out + stream.avail_in;
    state = lzma_code(&stream, LZMA_FINISH);
    if (before == stream.avail_out + stream.avail_in) break;
  }
  const bool filled = stream.avail_out == 0;
  lzma_end(&stream);
  return filled;
}

class AffImage : public MappedImage {
 public:
  AffImage(std::vector<Page> pages, std::uint64_t page_size, ImageInfo info)
      : pages_(std::move(pages)), page_size_(page_size) {
    info_ = std::move(info);
    // Pages have 16 MiB as a rule, and a file system is read here and there.
    set_unit_budget(std::max(kLeastBudget, std::size_t{4} * page_size));
  }
  void take_file(std::unique_ptr<ByteSource> file) { add_file(std::move(file)); }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t number = offset / page_size_;
    const std::uint64_t start = number * page_size_;
    const std::uint64_t size = std::min(page_size_, info_.size - start);
    const std::uint64_t rest = start + size - offset;
    const auto page = std::lower_bound(pages_.begin(), pages_.end(), number,
                                       [](const Page& one, std::uint64_t n) { return one.number < n; });
    if (page == pages_.end() || page->number != number)
      return Piece::lost(rest, fmt::format("page {} is not in the image", number));
    if ((page->flags & aff::kCompressed) == 0) {
      const std::uint64_t within = offset - start;
      if (within >= page->length) return Piece::lost(rest, fmt::format("page {} is cut short", number));
      return Piece::stored(page->file, page->at + within, std::min(rest, page->length - within));
    }
    const std::uint32_t method = page->flags & aff::kMethod;
    if (method == aff::kZero) return Piece::zero(rest);
    if (method != aff::kZlib && method != aff::kLzma)
      return Piece::lost(rest, fmt::format("page {} is packed by a method that is not known", number));
    Piece piece;
    piece.kind = Piece::Kind::packed;
    piece.length = rest;
    piece.file = page->file;
    piece.at = page->at;
    piece.unit_offset = start;
    piece.unit_size = size;
    piece.packed_size = page->length;
    piece.method = method;
    return piece;
  }

  bool unpack(const Piece& piece, std::span<const std::byte> packed, std::span<std::byte> out) override {
    if (piece.method == aff::kLzma) return unpack_lzma(packed, out);
    auto done = inflater_.zlib(packed, out);
    if (!done && out.size() < page_size_) {
      // The last page may have been written as a whole one.
      spare_.resize(page_size_);
      done = inflater_.zlib(packed, spare_);
      if (done) std::memcpy(out.data(), spare_.data(), out.size());
    }
    return done && done->produced >= out.size();
  }

 private:
  std::vector<Page> pages_;
  std::uint64_t page_size_;
  Inflater inflater_;
  std::vector<std::byte> spare_;
};

std::string hex_of(const Contents& contents, const std::string& name, std::size_t bytes) {
  const auto found = contents.values.find(name);
  if (found == contents.values.end() || found->second.data.size() != bytes) return "";
  std::string text;
  for (const char c : found->second.data) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

/// Low half, high half, each big-endian.
std::uint64_t image_size(const Contents& contents) {
  const auto found = contents.values.find("imagesize");
  if (found == contents.values.end() || found->second.data.size() != 8) return 0;
  const auto bytes = std::as_bytes(std::span(found->second.data));
  return big(bytes, 4, 4) << 32 | big(bytes, 0, 4);
}

void describe(const Contents& contents, ImageInfo& info) {
  // As the other formats name the same; everything else keeps its own name.
  static const std::map<std::string, std::string> names = {
      {"case_num", "case_number"},
      {"acquisition_notes", "notes"},
      {"acquisition_tecnician", "examiner_name"},
      {"acquisition_technician", "examiner_name"},
      {"acquisition_date", "acquiry_date"},
      {"device_model", "model"},
      {"device_sn", "serial_number"},
      {"afflib_version", "acquiry_software_version"},
  };
  constexpr std::array<std::string_view, 10> kNoText = {"badflag", "badsectors",   "blanksectors", "pagesize",
                                                        "segsize", "sectorsize",   "imagesize",    "md5",
                                                        "sha1",    "devicesectors"};
  for (const auto& [name, value] : contents.values) {
    const bool text = std::find(kNoText.begin(), kNoText.end(), name) == kNoText.end() && name != "sha256";
    if (!text || value.data.empty() || name == "image_gid") continue;
    const auto known = names.find(name);
    info.metadata[known == names.end() ? printable(name) : known->second] = printable(value.data);
  }
  if (const std::string id = hex_of(contents, "image_gid", 16); !id.empty())
    info.metadata["set_identifier"] = id;
  info.stored_md5 = hex_of(contents, "md5", 16);
  info.stored_sha1 = hex_of(contents, "sha1", 20);
  const auto bad = contents.values.find("badsectors");
  if (bad == contents.values.end() || bad->second.data.size() != 8) return;
  const auto bytes = std::as_bytes(std::span(bad->second.data));
  const std::uint64_t count = big(bytes, 4, 4) << 32 | big(bytes, 0, 4);
  if (count == 0) return;
  info.metadata["acquiry_errors"] = std::to_string(count) + " sectors";
  add_problem(info, ProblemKind::unreadable,
              "the acquisition could not read " + std::to_string(count) +
                  " sectors of the device: a mark that begins with BAD SECTOR stands in their place");
}

Status check(const Contents& contents, std::uint64_t page_size) {
  if (contents.encrypted)
    return Error{
        ErrorCode::encrypted,
        "is an AFF image whose contents are encrypted: decrypt a copy of it (affcrypto -d, of Debian's "
        "package afflib-tools)"};
  if (contents.values.contains("raw_image_file_extension"))
    return Error{
        ErrorCode::unsupported,
        "is AFM, the description of a raw image that lies beside it: give that image (its first part "
        "ends with .000)"};
  if (contents.pages.empty()) return Error{ErrorCode::corrupt, "is an AFF image without any page of media"};
  if (page_size < 512 || page_size > kMaxUnit)
    return Error{ErrorCode::corrupt, "is a damaged AFF image: it states no possible page size"};
  return {};
}

/// The further files of an AFD folder, named file_000.aff, file_001.aff …
std::vector<std::unique_ptr<ByteSource>> take_files(ImageInput& input, Contents& contents, ImageInfo& info) {
  std::vector<std::unique_ptr<ByteSource>> files;
  aff::read_segments(*input.bytes, input.name, 0, contents);
  files.push_back(std::move(input.bytes));
  if (input.name == "file_000.aff") {
    for (std::uint32_t number = 1; number < kMaxFiles; ++number) {
      const std::string name = fmt::format("file_{:03}.aff", number);
      auto file = input.open_sibling(name);
      if (!file) break;
      aff::read_segments(*file, name, number, contents);
      info.files.push_back(name);
      files.push_back(std::move(file));
    }
  }
  aff::finish(contents);
  return files;
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_aff(ImageInput input) {
  ImageInfo info;
  info.format = "aff";
  info.files = {input.name};
  Contents contents;
  auto files = take_files(input, contents, info);
  for (const std::string& trouble : contents.troubles) add_problem(info, ProblemKind::corrupt, trouble);
  std::uint64_t page_size = contents.number("pagesize");
  if (page_size == 0) page_size = contents.number("segsize");
  if (const Status sound = check(contents, page_size); !sound) return sound.error();
  info.size = image_size(contents);
  const std::uint64_t last = contents.pages.back().number;
  if (last >= kMaxDisk / page_size || info.size > kMaxDisk)
    return Error{ErrorCode::corrupt, "is a damaged AFF image: it states more bytes than any disk has"};
  if (info.size == 0) {
    info.size = (last + 1) * page_size;
    add_problem(info, ProblemKind::corrupt,
                "the image does not say how large the media is: it is read up to its last page");
  }
  if (contents.too_many)
    add_problem(info, ProblemKind::limit,
                "the image has more pages than can be kept (" + std::to_string(aff::kMaxPages) +
                    "): the rest is left out");
  const std::uint64_t sector = contents.number("sectorsize");
  if (sector >= 512 && sector <= 65536 && (sector & (sector - 1)) == 0)
    info.sector_size = static_cast<std::uint32_t>(sector);
  describe(contents, info);
  auto image = std::make_unique<AffImage>(std::move(contents.pages), page_size, std::move(info));
  for (auto& file : files) image->take_file(std::move(file));
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace touchstone

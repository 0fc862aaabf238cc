#include "evidence/ewf2_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>

#include "evidence/ewf2_segments.hpp"
#include "evidence/ewf_layout.hpp"
#include "evidence/gap_list.hpp"
#include "evidence/inflate.hpp"
#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

constexpr std::uint32_t kCompressed = 1, kChecksummed = 2, kPattern = 4;
// Beside the methods of the format, what MappedImage is to unpack.
constexpr std::uint32_t kStored = 16, kStoredWithSum = 17, kFilled = 18;

struct Geometry {
  std::uint64_t sectors = 0, sector = 512, chunk = 0, chunks = 0;
};

struct ReadError {
  std::uint64_t from = 0, to = 0;
};

class Ewf2Image : public MappedImage {
 public:
  Ewf2Image(ewf2::Set set, ImageInfo info, std::uint64_t chunk) : chunk_(chunk) {
    info_ = std::move(info);
    method_ = set.files.front().segment.method;
    for (ewf2::File& file : set.files) {
      tables_.insert(tables_.end(), file.segment.tables.begin(), file.segment.tables.end());
      pages_.push_back(std::make_unique<PageReader>(*file.bytes));
      add_file(std::move(file.bytes));
    }
    std::stable_sort(tables_.begin(), tables_.end(),
                     [](const ewf2::Table& a, const ewf2::Table& b) { return a.first < b.first; });
  }
  void set_read_errors(std::vector<ReadError> errors) { errors_ = std::move(errors); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto got = MappedImage::read_at(offset, out);
    if (!got) return got;
    for (const ReadError& error : errors_) {
      const std::uint64_t from = std::max(error.from, offset), to = std::min(error.to, offset + *got);
      if (from < to) doubtful_.add(from, to - from, "the acquisition could not read these sectors");
    }
    return got;
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> all = MappedImage::gaps();
    const auto& more = doubtful_.list();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t number = offset / chunk_;
    const std::uint64_t start = number * chunk_;
    const std::uint64_t size = std::min(chunk_, info_.size - start);
    const std::uint64_t rest = start + size - offset;
    auto table = std::upper_bound(tables_.begin(), tables_.end(), number,
                                  [](std::uint64_t n, const ewf2::Table& one) { return n < one.first; });
    if (table == tables_.begin() || number - std::prev(table)->first >= std::prev(table)->count)
      return Piece::lost(rest, "chunk is missing: no table lists it, or its segment file is missing");
    --table;
    PageReader& pages = *pages_[table->file];
    const std::uint64_t entry = table->entries + (number - table->first) * 16;
    const auto place = pages.little(entry, 8);
    const auto length = pages.little(entry + 8, 4);
    const auto flags = pages.little(entry + 12, 4);
    if (!place || !length || !flags) return Piece::lost(rest, "chunk cannot be read: its table is cut off");
    Piece piece;
    piece.kind = Piece::Kind::packed;
    piece.length = rest;
    piece.file = table->file;
    piece.at = *place;
    piece.unit_offset = start;
    piece.unit_size = size;
    piece.packed_size = *length;
    if ((*flags & kCompressed) == 0) {
      // The checksum behind the bytes may be counted with them or not.
      const bool with_sum = (*flags & kChecksummed) != 0;
      piece.method = with_sum ? kStoredWithSum : kStored;
      piece.packed_size = *length + (with_sum ? 4 : 0);
    } else if ((*flags & kPattern) != 0) {
      // The pattern stands in the place of the offset: what is read here is not looked at.
      piece.method = kFilled;
      piece.at = entry;
      piece.packed_size = 8;
    }
    return piece;
  }

  bool unpack(const Piece& piece, std::span<const std::byte> packed, std::span<std::byte> out) override {
    if (piece.method == kFilled) {
      if (packed.size() < 8) return false;
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = packed[i % 8];
      return true;
    }
    if (piece.method == kStored || piece.method == kStoredWithSum) return unpack_stored(piece, packed, out);
    if (decompress(packed, out)) return true;
    if (out.size() == chunk_) return false;
    // The last chunk may have been written with a whole chunk's length.
    spare_.resize(chunk_);
    if (!decompress(packed, spare_)) return false;
    std::memcpy(out.data(), spare_.data(), out.size());
    return true;
  }

 private:
  bool decompress(std::span<const std::byte> packed, std::span<std::byte> out) {
    if (method_ == ewf2::Method::bzip2) return ewf2::unpack_bzip2(packed, out);
    const auto done = inflater_.zlib(packed, out);
    return done && done->produced == out.size();
  }

  bool unpack_stored(const Piece& piece, std::span<const std::byte> packed, std::span<std::byte> out) {
    if (packed.size() < out.size()) return false;
    std::memcpy(out.data(), packed.data(), out.size());
    if (piece.method == kStored) return true;
    const std::size_t all = piece.packed_size - 4;
    for (const std::size_t size : {out.size(), std::size_t{chunk_}, all, all < 4 ? 0 : all - 4}) {
      if (size < out.size() || packed.size() < size + 4) continue;
      if (ewf::adler32(packed.first(size)) == ewf::little_endian(packed.data() + size, 4)) return true;
    }
    doubtful_.add(piece.unit_offset, out.size(),
                  "chunk does not fit its checksum; its bytes are given as they stand");
    return true;
  }

  std::uint64_t chunk_;
  ewf2::Method method_ = ewf2::Method::none;
  std::vector<ewf2::Table> tables_;
  std::vector<std::unique_ptr<PageReader>> pages_;
  std::vector<ReadError> errors_;
  GapList doubtful_;
  std::vector<std::byte> spare_;
  Inflater inflater_;
};

std::uint64_t number_in(const std::map<std::string, std::string>& values, const char* name) {
  const auto found = values.find(name);
  std::uint64_t value = 0;
  if (found == values.end()) return 0;
  const auto [end, error] =
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return error == std::errc() && end == found->second.data() + found->second.size() ? value : 0;
}

std::string date_of(const std::string& text) {
  std::time_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  std::tm utc{};
  if (error != std::errc() || end != text.data() + text.size() || gmtime_r(&seconds, &utc) == nullptr)
    return text;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void describe(const ewf2::Set& set, ImageInfo& info) {
  // Under the names that E01 images have.
  static const std::map<std::string, std::string> names = {{"nm", "description"},
                                                           {"cn", "case_number"},
                                                           {"en", "evidence_number"},
                                                           {"ex", "examiner_name"},
                                                           {"nt", "notes"},
                                                           {"av", "acquiry_software_version"},
                                                           {"tt", "acquiry_date"},
                                                           {"at", "system_date"},
                                                           {"os", "acquiry_operating_system"},
                                                           {"sn", "serial_number"},
                                                           {"md", "model"},
                                                           {"lb", "device_label"},
                                                           {"gr", "error_granularity"},
                                                           {"pid", "process_identifier"}};
  const ewf2::Segment& first = set.files.front().segment;
  for (const auto* values : {&first.acquisition, &first.device}) {
    for (const auto& [tag, value] : *values) {
      const auto known = names.find(tag);
      if (known == names.end()) continue;
      const bool date = tag == "tt" || tag == "at";
      info.metadata[known->second] = date ? printable(date_of(value)) : printable(value);
    }
  }
  static const std::map<std::string, std::string> types = {{"r", "removable disk"},
                                                           {"f", "fixed disk"},
                                                           {"c", "optical disc"},
                                                           {"m", "memory"},
                                                           {"a", "RAM disk"}};
  if (const auto type = first.device.find("dt"); type != first.device.end()) {
    if (const auto known = types.find(type->second); known != types.end())
      info.metadata["media_type"] = known->second;
  }
  if (const std::uint64_t blocker = number_in(first.acquisition, "wb"); blocker == 1 || blocker == 2)
    info.metadata["write_blocker"] = blocker == 1 ? "FastBloc" : "Tableau";
  info.metadata["set_identifier"] = first.set_identifier;
  for (const ewf2::File& file : set.files) {
    info.files.push_back(file.name);
    if (!file.segment.md5.empty()) info.stored_md5 = file.segment.md5;
    if (!file.segment.sha1.empty()) info.stored_sha1 = file.segment.sha1;
    for (const std::string& fault : file.segment.faults)
      add_problem(info, ProblemKind::integrity, file.name + ": " + fault);
  }
  for (const std::string& missing : set.missing) add_problem(info, ProblemKind::unreadable, missing);
  for (const std::string& trouble : set.troubles) add_problem(info, ProblemKind::corrupt, trouble);
}

/// What the first segment says, or any other where it is damaged.
Geometry geometry_of(const ewf2::Set& set) {
  Geometry geometry;
  std::uint64_t per_chunk = 0;
  for (const ewf2::File& file : set.files) {
    const auto& device = file.segment.device;
    const auto& acquisition = file.segment.acquisition;
    if (geometry.sectors == 0) geometry.sectors = number_in(device, "ts");
    if (const std::uint64_t size = number_in(device, "bp"); size != 0) geometry.sector = size;
    if (per_chunk == 0) per_chunk = number_in(acquisition, "sb");
    if (geometry.chunks == 0) geometry.chunks = number_in(acquisition, "tb");
  }
  if (geometry.sector <= 65536 && per_chunk <= kMaxUnit / geometry.sector)
    geometry.chunk = per_chunk * geometry.sector;
  return geometry;
}

std::vector<ReadError> read_errors_of(const ewf2::Set& set, const Geometry& geometry, ImageInfo& info) {
  std::vector<ReadError> errors;
  std::uint64_t total = 0;
  for (const ewf2::File& file : set.files) {
    for (const auto& [sector, count] : file.segment.read_errors) {
      if (sector >= geometry.sectors || count == 0) continue;
      const std::uint64_t kept = std::min(count, geometry.sectors - sector);
      errors.push_back({sector * geometry.sector, (sector + kept) * geometry.sector});
      total += kept;
    }
  }
  if (errors.empty()) return errors;
  info.metadata["acquiry_errors"] = std::to_string(total) + " sectors";
  add_problem(
      info, ProblemKind::unreadable,
      fmt::format("the acquisition could not read {} sectors of the device, the first at byte {}: what "
                  "stands there is not its content",
                  total, errors.front().from));
  return errors;
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_ewf2(ImageInput input) {
  auto set = ewf2::find_set(input);
  if (!set) return set.error();
  const bool locked = std::any_of(set->files.begin(), set->files.end(),
                                  [](const ewf2::File& file) { return file.segment.encrypted; });
  if (locked)
    return Error{ErrorCode::encrypted,
                 "is an encrypted Ex01 image, whose encryption is not published: decrypt it with EnCase"};
  ImageInfo info;
  info.format = "ewf2";
  describe(*set, info);
  const std::string because = info.problems.empty() ? "" : " (" + info.problems.front().message + ")";
  const Geometry geometry = geometry_of(*set);
  const ErrorCode code = set->missing.empty() ? ErrorCode::corrupt : ErrorCode::not_found;
  if (geometry.sectors == 0 || geometry.chunk == 0 || geometry.sectors > kMaxDisk / geometry.sector)
    return Error{code, "is damaged: it states no possible size of the media" + because};
  std::uint64_t listed = 0;
  for (const ewf2::File& file : set->files) {
    for (const ewf2::Table& table : file.segment.tables) listed += table.count;
  }
  if (listed == 0) return Error{code, "holds no chunk of the media" + because};
  info.size = geometry.sectors * geometry.sector;
  info.sector_size = static_cast<std::uint32_t>(geometry.sector);
  const std::uint64_t wanted = (info.size + geometry.chunk - 1) / geometry.chunk;
  if (set->complete() && listed < wanted)
    add_problem(info, ProblemKind::corrupt, fmt::format("its tables list {} chunks of {}", listed, wanted));
  std::vector<ReadError> errors = read_errors_of(*set, geometry, info);
  auto image = std::make_unique<Ewf2Image>(set.take(), std::move(info), geometry.chunk);
  image->set_read_errors(std::move(errors));
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace touchstone

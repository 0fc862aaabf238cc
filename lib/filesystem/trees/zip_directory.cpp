#include "filesystem/trees/zip_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/zip_member.hpp"
#include "filesystem/trees/zip_records.hpp"

namespace touchstone {
namespace {

using zip::number;
using zip::number16;
using zip::number32;

/// Stretches of the file by way of one buffer that holds any record whole (46 bytes and three times 64 KiB).
/// `ahead`: what is read at least, as records follow each other more or less.
class RecordReader {
 public:
  RecordReader(ByteSource& file, std::size_t ahead) : file_(file), ahead_(ahead), buffer_(kBuffer) {}
  /// At most `count` bytes from `offset`, fewer at the end; good until the next call.
  std::span<const std::byte> at(std::uint64_t offset, std::size_t count) {
    count = std::min(count, kBuffer);
    if (offset < start_ || offset + count > start_ + size_) {
      const auto got = file_.read_at(offset, std::span(buffer_).first(std::max(count, ahead_)));
      start_ = offset;
      size_ = got ? *got : 0;
    }
    const auto from = static_cast<std::size_t>(offset - start_);
    return std::span<const std::byte>(buffer_).first(size_).subspan(
        std::min(from, size_), std::min(count, size_ - std::min(from, size_)));
  }
  /// What the buffer has from `offset` on, filled anew where that is little: for searching.
  std::span<const std::byte> from(std::uint64_t offset) {
    constexpr std::size_t kLittle = 64;
    if (offset < start_ || offset + kLittle > start_ + size_) at(offset, kBuffer);
    return std::span<const std::byte>(buffer_).first(size_).subspan(
        static_cast<std::size_t>(offset - start_));
  }
  static constexpr std::size_t kBuffer = std::size_t{256} << 10;

 private:
  ByteSource& file_;
  std::size_t ahead_;
  std::vector<std::byte> buffer_;
  std::uint64_t start_ = 0;
  std::size_t size_ = 0;
};

constexpr const char* kJoin =
    "join the parts first (zip -s 0 ARCHIVE.zip --out JOINED.zip) and give the result";

/// What the records at the archive's end say.
struct End {
  std::uint64_t place = 0;  ///< of the first of these records
  std::uint64_t entries = 0, directory_size = 0, directory_offset = 0;
  std::uint32_t disk = 0, directory_disk = 0;
  bool zip64 = false;
  std::string comment;
};

/// A member's place in the file, for telling what the directory has from what it has not.
struct Extent {
  std::uint64_t local_header = 0, compressed_size = 0;
};

class Archive : public ZipDirectory {
 public:
  Archive(ByteSource& file, const TimeZone* zone)
      : file_(file),
        zone_(zone),
        directory_(file, RecordReader::kBuffer),
        records_(file, kRecordsAhead),
        locals_(file, kLocalAhead) {}

  Status find_directory(std::vector<Problem>& problems);
  Status for_each(const std::function<bool(const ZipEntry&)>& sink, std::vector<Problem>& problems) override;
  Result<ZipEntry> read_entry(std::uint64_t record, bool scanned) override;
  std::string compare_local(ZipEntry& entry) override;
  Result<std::unique_ptr<ByteSource>> open_member(const ZipEntry& entry, const Secrets& secrets) override;
  std::uint64_t prefix() const override { return prefix_; }
  std::string comment() const override { return end_.comment; }

 private:
  std::optional<End> read_end(std::uint64_t place, std::span<const std::byte> bytes);
  void read_end64(End& end);
  bool place_directory(const End& end);
  std::uint32_t signature_at(std::uint64_t offset) { return number32(directory_.at(offset, 4), 0); }
  bool walk_directory(const std::function<bool(const ZipEntry&)>& sink, std::vector<Extent>* known,
                      std::vector<Problem>& problems);
  void scan(std::vector<Extent> known, const std::function<bool(const ZipEntry&)>& sink);
  std::optional<std::uint64_t> next_signature(std::uint64_t from);
  std::optional<ZipEntry> local_entry(std::uint64_t offset, std::size_t* length);
  void find_size(ZipEntry& entry, std::uint64_t data);
  static bool is_plausible(const ZipEntry& entry);

  ByteSource& file_;
  const TimeZone* zone_;
  // Read in order, at random in the order of names, and a local header here and there.
  static constexpr std::size_t kRecordsAhead = 4096, kLocalAhead = 512;
  RecordReader directory_, records_, locals_;
  bool has_directory_ = false;
  std::uint64_t directory_start_ = 0;
  std::uint64_t prefix_ = 0;
  End end_;
  std::size_t last_secret_ = 0;
};

// ---- finding the directory -------------------------------------------------------------------------------

std::optional<End> Archive::read_end(std::uint64_t place, std::span<const std::byte> bytes) {
  if (bytes.size() < zip::kEndSize || number32(bytes, 0) != zip::kEndSignature) return std::nullopt;
  End end;
  end.place = place;
  end.disk = number16(bytes, 4);
  end.directory_disk = number16(bytes, 6);
  end.entries = number16(bytes, 10);
  end.directory_size = number32(bytes, 12);
  end.directory_offset = number32(bytes, 16);
  const std::size_t comment = number16(bytes, 20);
  const auto text = bytes.subspan(zip::kEndSize, std::min(comment, bytes.size() - zip::kEndSize));
  end.comment.assign(reinterpret_cast<const char*>(text.data()), text.size());
  read_end64(end);
  return end;
}

void Archive::read_end64(End& end) {
  if (end.place < zip::kLocatorSize) return;
  const std::uint64_t locator_place = end.place - zip::kLocatorSize;
  const auto locator = directory_.at(locator_place, zip::kLocatorSize);
  if (number32(locator, 0) != zip::kLocatorSignature) return;
  const std::uint64_t stated = number(locator, 8, 8);
  // Where something stands before the archive, the stated place is too small; the usual one is right before.
  for (const std::uint64_t place :
       {stated, locator_place - std::min<std::uint64_t>(locator_place, zip::kEnd64Size)}) {
    if (place >= locator_place) continue;
    const auto bytes = directory_.at(place, zip::kEnd64Size);
    if (bytes.size() < zip::kEnd64Size || number32(bytes, 0) != zip::kEnd64Signature) continue;
    end.zip64 = true;
    end.place = place;
    end.disk = number32(bytes, 16);
    end.directory_disk = number32(bytes, 20);
    end.entries = number(bytes, 32, 8);
    end.directory_size = number(bytes, 40, 8);
    end.directory_offset = number(bytes, 48, 8);
    return;
  }
}

bool Archive::place_directory(const End& end) {
  if (end.entries == 0 && end.directory_size == 0) {
    directory_start_ = end.place;
    return true;
  }
  if (end.directory_size <= end.place && end.place - end.directory_size >= end.directory_offset &&
      signature_at(end.place - end.directory_size) == zip::kCentralSignature) {
    directory_start_ = end.place - end.directory_size;
    prefix_ = directory_start_ - end.directory_offset;
    return true;
  }
  if (end.directory_offset < end.place && signature_at(end.directory_offset) == zip::kCentralSignature) {
    directory_start_ = end.directory_offset;
    return true;
  }
  return false;
}

Status Archive::find_directory(std::vector<Problem>& problems) {
  // The record and the longest comment, and as much again for what some programs append.
  constexpr std::uint64_t kTail = 2 * 65536 + zip::kEndSize;
  const std::uint64_t from = file_.size() > kTail ? file_.size() - kTail : 0;
  std::vector<std::byte> tail(static_cast<std::size_t>(file_.size() - from));
  const auto got = file_.read_at(from, tail);
  if (!got) return got.error();
  const auto bytes = std::span<const std::byte>(tail).first(*got);
  bool empty = false;
  for (std::size_t at = bytes.size(); at-- > 0;) {
    if (bytes[at] != std::byte{'P'}) continue;
    auto end = read_end(from + at, bytes.subspan(at));
    if (!end) continue;
    const bool split = (end->disk != 0 && end->disk != UINT16_MAX) || end->disk != end->directory_disk;
    if (split && from + at + zip::kEndSize + number16(bytes, at + 20) == file_.size()) {
      return Error{ErrorCode::unsupported,
                   fmt::format("it is part {} of a multi-part zip archive: {}", end->disk + 1, kJoin)};
    }
    if (!place_directory(*end)) continue;
    // The record of an empty archive hides in a comment more easily than any other: it counts if nothing else
    // does.
    const bool is_empty = end->entries == 0 && end->directory_size == 0 && end->place > 0;
    if (!is_empty || !empty) end_ = *end;
    has_directory_ = !is_empty;
    if (has_directory_) return {};
    empty = true;
  }
  if (empty && signature_at(0) != zip::kLocalSignature) {
    directory_start_ = end_.place;
    has_directory_ = true;
    return {};
  }
  if (signature_at(0) == zip::kDescriptorSignature) {
    return Error{ErrorCode::unsupported,
                 fmt::format("it is the first part of a multi-part zip archive: {}", kJoin)};
  }
  problems.push_back(
      tree_problem(ProblemKind::corrupt, "",
                   "the zip archive has no central directory: its files are found by their local "
                   "headers, and what the directory alone says is missing"));
  return {};
}

// ---- entries ---------------------------------------------------------------------------------------------

bool Archive::walk_directory(const std::function<bool(const ZipEntry&)>& sink, std::vector<Extent>* known,
                             std::vector<Problem>& problems) {
  std::uint64_t at = directory_start_;
  std::uint64_t count = 0;
  while (at < end_.place) {
    const std::size_t length = zip::central_length(directory_.at(at, zip::kCentralSize));
    const auto record = directory_.at(at, length);
    if (length == 0 || record.size() < length || at + length > end_.place) break;
    ZipEntry entry = zip::parse_central(record, prefix_, zone_);
    entry.record = at;
    at += length;
    ++count;
    if (known != nullptr) {
      known->push_back({entry.local_header, entry.compressed_size});
    } else if (!sink(entry)) {
      return true;
    }
  }
  const std::uint64_t stated = end_.entries;
  const bool fits = end_.zip64 ? count == stated : (count & 0xFFFF) == stated;
  if (fits || known != nullptr) return fits;
  problems.push_back(tree_problem(ProblemKind::corrupt, "",
                                  fmt::format("the zip archive's central directory should have {} entries "
                                              "and {} can be read: others are looked for by "
                                              "their local headers",
                                              stated, count)));
  return false;
}

Status Archive::for_each(const std::function<bool(const ZipEntry&)>& sink, std::vector<Problem>& problems) {
  bool more = true;
  const auto watched = [&](const ZipEntry& entry) { return more = sink(entry); };
  if (has_directory_ && walk_directory(watched, nullptr, problems)) return {};
  if (!more) return {};
  std::vector<Extent> known;
  if (has_directory_) walk_directory(watched, &known, problems);
  scan(std::move(known), watched);
  return {};
}

bool Archive::is_plausible(const ZipEntry& entry) {
  constexpr std::uint16_t kLastMethod = 99;
  return !entry.name_raw.empty() && entry.method <= kLastMethod;
}

std::optional<ZipEntry> Archive::local_entry(std::uint64_t offset, std::size_t* length) {
  *length = zip::local_length(locals_.at(offset, zip::kLocalSize));
  const auto record = locals_.at(offset, *length);
  if (*length == 0 || record.size() < *length) return std::nullopt;
  ZipEntry entry = zip::parse_local(record, zone_);
  entry.record = entry.local_header = offset;
  return entry;
}

std::optional<std::uint64_t> Archive::next_signature(std::uint64_t from) {
  while (from + 4 <= file_.size()) {
    const auto bytes = locals_.from(from);
    if (bytes.size() < 4) return std::nullopt;
    const auto* begin = reinterpret_cast<const char*>(bytes.data());
    const std::string_view text(begin, bytes.size());
    const std::size_t found = text.find("PK");
    if (found == std::string_view::npos) {
      from += bytes.size() - 1;
    } else if (found + 4 > bytes.size()) {
      from += found;
      if (found == 0) return std::nullopt;
    } else if (const std::uint32_t signature = number32(bytes, found);
               signature == zip::kLocalSignature || signature == zip::kCentralSignature ||
               signature == zip::kDescriptorSignature || signature == zip::kEndSignature) {
      return from + found;
    } else {
      from += found + 2;
    }
  }
  return std::nullopt;
}

void Archive::find_size(ZipEntry& entry, std::uint64_t data) {
  const bool behind = (entry.flags & zip::kDescriptorFlag) != 0 && entry.compressed_size == 0;
  if (!behind || entry.directory) return;
  std::optional<std::uint64_t> stop;
  for (auto at = next_signature(data); at; at = next_signature(*at + 4)) {
    const auto bytes = locals_.at(*at, 28);
    if (number32(bytes, 0) != zip::kDescriptorSignature) {
      if (!stop) stop = at;
      // A member that is an archive itself has such records inside; its descriptor follows them.
      if (number32(bytes, 0) != zip::kLocalSignature || entry.method != 0) break;
      continue;
    }
    const std::uint64_t distance = *at - data;
    const bool narrow = number(bytes, 8, 4) == distance, wide = number(bytes, 8, 8) == distance;
    if (!narrow && !wide) continue;
    entry.crc32 = number32(bytes, 4);
    entry.compressed_size = distance;
    // Sizes of four or of eight bytes: the next record tells which.
    const auto record_follows = [&](std::size_t distance_on) {
      return distance_on + 2 > bytes.size() || number16(bytes, distance_on) == 0x4b50;
    };
    const bool is_wide = wide && (!narrow || (!record_follows(16) && record_follows(24)));
    entry.size = is_wide ? number(bytes, 16, 8) : number(bytes, 12, 4);
    if (entry.method == 0) entry.size = distance;
    return;
  }
  entry.compressed_size = stop.value_or(file_.size()) - data;
  entry.size_unknown = entry.method != 0;
  if (entry.method == 0) entry.size = entry.compressed_size;
  entry.has_crc = false;
}

void Archive::scan(std::vector<Extent> known, const std::function<bool(const ZipEntry&)>& sink) {
  std::sort(known.begin(), known.end(),
            [](const Extent& a, const Extent& b) { return a.local_header < b.local_header; });
  const std::uint64_t stop = has_directory_ ? directory_start_ : file_.size();
  std::uint64_t at = 0;
  while (true) {
    const auto found = next_signature(at);
    if (!found || *found >= stop) return;
    at = *found + 4;
    std::size_t length = 0;
    auto entry = local_entry(*found, &length);
    if (!entry || !is_plausible(*entry)) continue;
    const std::uint64_t data = *found + length;
    const auto same =
        std::lower_bound(known.begin(), known.end(), *found,
                         [](const Extent& each, std::uint64_t place) { return each.local_header < place; });
    if (same != known.end() && same->local_header == *found) {
      at = std::max(at, data + std::min(same->compressed_size, file_.size() - std::min(data, file_.size())));
      continue;
    }
    find_size(*entry, data);
    if (!sink(*entry)) return;
    const std::uint64_t room = file_.size() - std::min(data, file_.size());
    if (entry->compressed_size <= room) at = data + entry->compressed_size;
  }
}

Result<ZipEntry> Archive::read_entry(std::uint64_t record, bool scanned) {
  const Error none{ErrorCode::not_found, "there is no entry of the archive at that place"};
  if (record >= file_.size()) return none;
  if (scanned) {
    std::size_t length = 0;
    auto entry = local_entry(record, &length);
    if (!entry) return none;
    find_size(*entry, record + length);
    return *entry;
  }
  if (!has_directory_ || record < directory_start_ || record >= end_.place) return none;
  const std::size_t length = zip::central_length(records_.at(record, zip::kCentralSize));
  const auto bytes = records_.at(record, length);
  if (length == 0 || bytes.size() < length) return none;
  ZipEntry entry = zip::parse_central(bytes, prefix_, zone_);
  entry.record = record;
  return entry;
}

std::string Archive::compare_local(ZipEntry& entry) {
  if (entry.scanned) return "";
  std::size_t length = 0;
  const auto local = local_entry(entry.local_header, &length);
  if (!local) return "no local header lies where the central directory says";
  if (!entry.times.accessed) entry.times.accessed = local->times.accessed;
  if (!entry.times.created) entry.times.created = local->times.created;
  if (!entry.uid && local->uid) entry.uid = local->uid, entry.gid = local->gid;
  std::string differs;
  const auto add = [&](const char* what) { differs += (differs.empty() ? "" : ", ") + std::string(what); };
  if (local->name_raw != entry.name_raw) add("name");
  if (local->method != entry.method) add("method");
  if (local->encryption != entry.encryption) add("encryption");
  if ((local->flags & zip::kMaskedFlag) == 0) {
    // Where sizes and checksum follow the data each of them may be zero here; some writers give one of them.
    const bool behind = (local->flags & zip::kDescriptorFlag) != 0;
    const auto differ = [&](std::uint64_t here, std::uint64_t there) {
      return here != there && !(behind && here == 0);
    };
    if (differ(local->compressed_size, entry.compressed_size) || differ(local->size, entry.size)) add("size");
    if (entry.has_crc && differ(local->crc32, entry.crc32)) add("CRC-32");
  }
  return differs.empty() ? "" : "local header and central directory differ in " + differs;
}

Result<std::unique_ptr<ByteSource>> Archive::open_member(const ZipEntry& entry, const Secrets& secrets) {
  const std::size_t length = zip::local_length(locals_.at(entry.local_header, zip::kLocalSize));
  if (length == 0) {
    return Error{ErrorCode::corrupt, "no local header lies where the central directory says"};
  }
  return zip::open_data(file_, entry.local_header + length, entry, secrets, last_secret_);
}

}  // namespace

Result<std::unique_ptr<ZipDirectory>> ZipDirectory::open(ByteSource& file, const TimeZone* zone,
                                                         std::vector<Problem>& problems) {
  auto archive = std::make_unique<Archive>(file, zone);
  if (auto found = archive->find_directory(problems); !found) return found.error();
  return std::unique_ptr<ZipDirectory>(std::move(archive));
}

}  // namespace touchstone

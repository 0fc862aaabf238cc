#include "evidence/ewf_mend.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/ewf_layout.hpp"

namespace touchstone {
namespace {

using ewf::checksum_fits;
using ewf::fit_checksum;
using ewf::kDescriptorSize;
using ewf::kTypeSize;
using ewf::little_endian;
using ewf::store_little_endian;

constexpr std::size_t kTableHeader = 24;
constexpr std::size_t kVolumeE01 = 1052;
constexpr std::size_t kVolumeS01 = 94;
// Of error2 and session; libewf reads their entries too. A longer list is left to it.
constexpr std::uint64_t kMaxListEntries = 65536;
// More damage than this in one segment is no flipped byte.
constexpr std::size_t kMaxFaults = 100;
constexpr std::size_t kMaxHeaders = 8;
constexpr std::size_t kMaxGeometry = 4;

constexpr std::array<std::string_view, 15> kTypes = {"header",  "header2", "xheader", "volume", "disk",
                                                     "data",    "sectors", "table",   "table2", "error2",
                                                     "session", "hash",    "digest",  "next",   "done"};

std::string_view type_of(std::span<const std::byte> descriptor) {
  const auto* name = reinterpret_cast<const char*>(descriptor.data());
  return {name, ::strnlen(name, kTypeSize)};
}

std::size_t differing_bytes(std::string_view stored, std::string_view type) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kTypeSize; ++i) {
    const char wanted = i < type.size() ? type[i] : '\0';
    count += stored[i] != wanted ? 1 : 0;
  }
  return count;
}

std::vector<std::byte> with_type(std::span<const std::byte> descriptor, std::string_view type) {
  std::vector<std::byte> changed(descriptor.begin(), descriptor.end());
  std::fill_n(changed.begin(), kTypeSize, std::byte{0});
  std::memcpy(changed.data(), type.data(), std::min(type.size(), kTypeSize));
  fit_checksum(changed);
  return changed;
}

bool sound_descriptor_at(ByteSource& file, std::uint64_t at) {
  std::array<std::byte, kDescriptorSize> descriptor{};
  const auto got = file.read_at(at, descriptor);
  return got && *got == descriptor.size() && checksum_fits(descriptor);
}

}  // namespace

BytePatch skip_section(std::uint64_t at, std::span<const std::byte> descriptor) {
  return {at, with_type(descriptor, "skipped")};
}

// The type that differs in the fewest bytes. Where two are as near, what stands before decides.
std::string SectionMender::mended_type(std::string_view damaged) const {
  constexpr std::size_t kMostDiffering = 2;
  std::size_t least = kMostDiffering + 1;
  std::vector<std::string_view> nearest;
  for (const std::string_view type : kTypes) {
    const std::size_t differing = differing_bytes(damaged, type);
    if (differing < least) nearest.clear();
    if (differing <= least && differing <= kMostDiffering) nearest.push_back(type);
    least = std::min(least, differing);
  }
  if (nearest.empty()) return "";
  if (nearest.size() == 1) return std::string(nearest[0]);
  if (nearest[0] == "table" && nearest[1] == "table2") return previous_ == "table" ? "table2" : "table";
  // Of header and header2 there are more copies.
  return nearest[0] == "header" && nearest[1] == "header2" ? "skipped" : "";
}

bool SectionMender::mend_descriptor(std::uint64_t at, std::span<std::byte> descriptor) {
  const std::string type = mended_type({reinterpret_cast<const char*>(descriptor.data()), kTypeSize});
  if (type.empty() || segment_.faults.size() >= kMaxFaults) return false;
  const std::uint64_t stored_next = little_endian(descriptor.data() + 16, 8);
  const std::uint64_t stored_size = little_endian(descriptor.data() + 24, 8);
  std::uint64_t next = at;
  std::uint64_t size = 0;
  if (type == "next" || type == "done") {
    if (at + kDescriptorSize != file_.size()) return false;
  } else {
    const std::uint64_t last = file_.size() - kDescriptorSize;  // a descriptor was read: it has room
    for (const std::uint64_t candidate : {stored_next, at + std::min(stored_size, last)}) {
      if (next == at && candidate >= at + kDescriptorSize && candidate <= last &&
          sound_descriptor_at(file_, candidate)) {
        next = candidate;
      }
    }
    if (next == at) return false;
    size = next - at;
  }
  store_little_endian(descriptor.data() + 16, 8, next);
  store_little_endian(descriptor.data() + 24, 8, size);
  const std::vector<std::byte> mended = with_type(descriptor, type);
  std::copy(mended.begin(), mended.end(), descriptor.begin());
  patch(at, descriptor);
  segment_.faults.push_back("the descriptor of its section " + type + " at byte " + std::to_string(at) +
                            " is damaged; what it said follows from its neighbours");
  return true;
}

void SectionMender::fault(std::string_view type, std::uint64_t at, std::string_view consequence) {
  if (segment_.faults.size() >= kMaxFaults) return;
  segment_.faults.push_back("the checksum of its section " + std::string(type) + " at byte " +
                            std::to_string(at) + " is wrong" + std::string(consequence));
}

void SectionMender::patch(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (segment_.faults.size() >= kMaxFaults) return;
  segment_.patches.push_back({offset, {bytes.begin(), bytes.end()}});
}

/// What stands at `at`, or nothing if the file is shorter.
std::vector<std::byte> SectionMender::content(std::uint64_t at, std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  const auto got = file_.read_at(at, bytes);
  if (!got || *got < size) bytes.clear();
  return bytes;
}

void SectionMender::check(std::uint64_t at, std::span<const std::byte> descriptor) {
  const std::string type(type_of(descriptor));
  const std::uint64_t size = little_endian(descriptor.data() + 24, 8);
  if (type == "table") settle_table();
  previous_ = type;
  if (type == "table" || type == "table2") check_table(type, at, size);
  if (segment_.faults.size() >= kMaxFaults) return;
  if (type == "hash") check_hash(type, at, 36);
  if (type == "digest") check_hash(type, at, 80);
  if (type == "error2") check_list(type, at, 520, 8, descriptor);
  if (type == "session") check_list(type, at, 36, 32, descriptor);
  if (type == "volume" || type == "disk" || type == "data") check_geometry(type, at, size);
  if ((type == "header" || type == "header2" || type == "xheader") && segment_.headers.size() < kMaxHeaders) {
    segment_.headers.push_back({type, at, {descriptor.begin(), descriptor.end()}});
  }
}

void SectionMender::finish() {
  settle_table();
}

void SectionMender::check_hash(std::string_view type, std::uint64_t at, std::size_t size) {
  auto bytes = content(at + kDescriptorSize, size);
  if (bytes.empty() || checksum_fits(bytes)) return;
  // The hash is shown as it stands there: whether it is the damaged part is seen when the media is hashed.
  fit_checksum(bytes);
  patch(at + kDescriptorSize + size - 4, std::span(bytes).last(4));
  fault(type, at, ": the stored hash there may be damaged");
}

// A list of errors or tracks: count, padding and checksum, then entries and their checksum.
void SectionMender::check_list(std::string_view type, std::uint64_t at, std::size_t header, std::size_t entry,
                               std::span<const std::byte> descriptor) {
  const auto head = content(at + kDescriptorSize, header);
  if (head.empty()) return;
  bool sound = checksum_fits(head);
  if (const std::uint64_t count = little_endian(head.data(), 4);
      sound && count > 0 && count <= kMaxListEntries) {
    const auto entries = content(at + kDescriptorSize + header, count * entry + 4);
    sound = entries.empty() || checksum_fits(entries);
  }
  if (sound) return;
  segment_.patches.push_back(skip_section(at, descriptor));
  fault(type, at, "; that list is left out");
}

void SectionMender::check_geometry(std::string_view type, std::uint64_t at, std::uint64_t size) {
  const std::uint64_t length = size < kDescriptorSize ? 0 : size - kDescriptorSize;
  if (length != kVolumeE01 && length != kVolumeS01) return;
  auto bytes = content(at + kDescriptorSize, length);
  if (bytes.empty()) return;
  const bool sound = checksum_fits(bytes);
  const auto alike = [&](const EwfSegment::Geometry& other) { return other.sound == sound; };
  const auto kept = std::count_if(segment_.geometry.begin(), segment_.geometry.end(), alike);
  // One sound copy is enough.
  if (sound && kept > 0) return;
  if (static_cast<std::size_t>(kept) < kMaxGeometry)
    segment_.geometry.push_back({std::string(type), at, sound, std::move(bytes)});
}

void SectionMender::check_table(std::string_view type, std::uint64_t at, std::uint64_t size) {
  auto header = content(at + kDescriptorSize, kTableHeader);
  if (header.empty()) return;
  const bool sound = checksum_fits(header);
  const std::uint64_t chunks = little_endian(header.data(), 4);
  if (type == "table" || !table_) {
    table_ = Table{at, size, std::move(header), sound, chunks};
    return;
  }
  // The copy of the last table: either mends the other.
  const bool alike = size == table_->size;
  if (!table_->sound && !(sound && alike)) mend_table();
  if (sound && !table_->sound && alike) {
    patch(table_->at + kDescriptorSize, header);
    fault("table", table_->at, "; its copy in section table2 is used");
    table_->chunks = chunks;
    table_->sound = true;
  } else if (!sound && table_->sound && alike) {
    patch(at + kDescriptorSize, table_->header);
    fault(type, at, "; the first copy in section table is used");
  } else {
    table_->chunks = std::max(table_->chunks, chunks);
  }
  settle_table();
}

// Without a copy: a number of entries is right if the checksum behind them fits.
void SectionMender::mend_table() {
  constexpr std::uint64_t kMaxEntries = 1 << 20;
  constexpr std::uint64_t kRest = kDescriptorSize + kTableHeader + 4;
  const std::uint64_t by_size = table_->size > kRest ? (table_->size - kRest) / 4 : 0;
  for (const std::uint64_t count : {table_->chunks, by_size}) {
    if (count == 0 || count > std::min(by_size, kMaxEntries)) continue;
    const auto entries = content(table_->at + kDescriptorSize + kTableHeader, count * 4 + 4);
    if (!checksum_fits(entries)) continue;
    store_little_endian(table_->header.data(), 4, count);
    fit_checksum(table_->header);
    patch(table_->at + kDescriptorSize, table_->header);
    fault("table", table_->at, "; its entries are sound");
    table_->chunks = count;
    table_->sound = true;
    return;
  }
}

void SectionMender::settle_table() {
  if (!table_) return;
  if (!table_->sound) mend_table();
  segment_.chunks += table_->chunks;
  table_.reset();
}

namespace {

bool power_of_two(std::uint64_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

// Chunk count, sectors a chunk, bytes a sector and sectors in all, against each other and the tables.
bool agrees_with_tables(std::span<const std::byte> volume, std::uint64_t chunks) {
  const std::uint64_t counted = little_endian(volume.data() + 4, 4);
  const std::uint64_t sectors_per_chunk = little_endian(volume.data() + 8, 4);
  const std::uint64_t sector = little_endian(volume.data() + 12, 4);
  const std::uint64_t sectors = little_endian(volume.data() + 16, volume.size() == kVolumeS01 ? 4 : 8);
  return counted == chunks && chunks > 0 && power_of_two(sectors_per_chunk) && power_of_two(sector) &&
         sector >= 512 && sector <= 65536 && sectors_per_chunk <= 65536 &&
         (sectors + sectors_per_chunk - 1) / sectors_per_chunk == chunks;
}

struct Place {
  std::size_t file = 0;
  const EwfSegment::Geometry* section = nullptr;
};

}  // namespace

void mend_geometry(EwfSet& set) {
  std::optional<Place> source;
  std::vector<Place> damaged;
  for (std::size_t i = 0; i < set.segments.size(); ++i) {
    for (const EwfSegment::Geometry& section : set.segments[i].geometry) {
      if (!section.sound) damaged.push_back({i, &section});
      if (section.sound && !source) source = Place{i, &section};
    }
  }
  if (damaged.empty()) return;
  std::vector<std::byte> good;
  std::string consequence;
  if (source) {
    good = source->section->content;
    consequence =
        "; the copy in section " + source->section->type + " of " + set.name(source->file) + " is used";
  } else {
    const auto fitting = std::find_if(damaged.begin(), damaged.end(), [&](const Place& place) {
      return set.complete && agrees_with_tables(place.section->content, set.chunks);
    });
    if (fitting != damaged.end()) {
      good = fitting->section->content;
      fit_checksum(good);
      consequence = "; its numbers agree with the tables and are used";
    }
  }
  for (const Place& place : damaged) {
    EwfSegment& segment = set.segments[place.file];
    segment.faults.push_back("the checksum of its section " + place.section->type + " at byte " +
                             std::to_string(place.section->at) + " is wrong" + consequence);
    if (good.size() == place.section->content.size())
      segment.patches.push_back({place.section->at + kDescriptorSize, good});
  }
}

}  // namespace touchstone

#include "evidence/ewf_sections.hpp"

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
// Of error2 and session. A longer list is no real one.
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

bool sound_descriptor_at(ByteSource& file, std::uint64_t at) {
  std::array<std::byte, kDescriptorSize> descriptor{};
  const auto got = file.read_at(at, descriptor);
  return got && *got == descriptor.size() && checksum_fits(descriptor);
}

std::string hex(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  bool any = false;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    any = any || value != 0;
    text.push_back(kDigits[value >> 4]);
    text.push_back(kDigits[value & 15]);
  }
  return any ? text : "";  // a hash that was not asked for is written as zeros
}

}  // namespace

// The type that differs in the fewest bytes. Where two are as near, what stands before decides.
std::string EwfSectionReader::mended_type(std::string_view damaged) const {
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

bool EwfSectionReader::mend_descriptor(std::uint64_t at, std::span<std::byte> descriptor) {
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
  std::fill_n(descriptor.begin(), kTypeSize, std::byte{0});
  std::memcpy(descriptor.data(), type.data(), std::min(type.size(), kTypeSize));
  fit_checksum(descriptor);
  segment_.faults.push_back("the descriptor of its section " + type + " at byte " + std::to_string(at) +
                            " is damaged; what it said follows from its neighbours");
  return true;
}

void EwfSectionReader::fault(std::string_view type, std::uint64_t at, std::string_view consequence) {
  if (segment_.faults.size() >= kMaxFaults) return;
  segment_.faults.push_back("the checksum of its section " + std::string(type) + " at byte " +
                            std::to_string(at) + " is wrong" + std::string(consequence));
}

/// Empty if the file does not hold them.
std::vector<std::byte> EwfSectionReader::content(std::uint64_t at, std::uint64_t size) {
  if (at > file_.size() || size > file_.size() - at) return {};
  std::vector<std::byte> bytes(size);
  const auto got = file_.read_at(at, bytes);
  if (!got || *got < size) bytes.clear();
  return bytes;
}

void EwfSectionReader::take(std::uint64_t at, std::span<const std::byte> descriptor) {
  const std::string type(type_of(descriptor));
  const std::uint64_t next = little_endian(descriptor.data() + 16, 8);
  const std::uint64_t stored = little_endian(descriptor.data() + 24, 8);
  // Expert Witness 1.35 writes no sizes.
  const std::uint64_t size = stored == 0 && next > at ? next - at : stored;
  if (stored >= kDescriptorSize && next > at && at + stored != next && segment_.faults.size() < kMaxFaults) {
    segment_.faults.push_back("its section " + type + " at byte " + std::to_string(at) + " is " +
                              std::to_string(stored) + " bytes long, but says that the next is at byte " +
                              std::to_string(next));
  }
  if (type == "table") settle_table();
  if (type == "sectors") {
    settle_table();
    const std::uint64_t from = std::min(at + kDescriptorSize, file_.size());
    sectors_ = Range{from, next > at ? std::clamp(next, from, file_.size()) : file_.size()};
  }
  if (type == "table" || type == "table2") take_table(type, at, size);
  previous_ = type;
  if (type == "hash" || type == "digest") take_hash(type, at);
  if (type == "error2") take_list(type, at, 520, 8);
  if (type == "session") take_list(type, at, 36, 32);
  if (type == "volume" || type == "disk" || type == "data") take_geometry(type, at, size);
  if (type == "ltree" && size > kDescriptorSize) {
    segment_.files_at = std::min(at + kDescriptorSize, file_.size());
    segment_.files_length = std::min(size - kDescriptorSize, file_.size() - segment_.files_at);
  }
  const bool about = type == "header" || type == "header2" || type == "xheader" || type == "xhash";
  if (about && segment_.headers.size() < kMaxHeaders && size > kDescriptorSize)
    segment_.headers.push_back({type, at, size - kDescriptorSize});
}

void EwfSectionReader::finish() {
  settle_table();
  if (!sectors_) return;
  segment_.loose_from = sectors_->from;
  segment_.loose_to = sectors_->to;
}

void EwfSectionReader::take_hash(const std::string& type, std::uint64_t at) {
  const auto bytes = content(at + kDescriptorSize, type == "hash" ? 36 : 80);
  if (bytes.empty()) return;
  // The hash is shown as it stands there: whether it is the damaged part is seen when the media is hashed.
  if (!checksum_fits(bytes)) fault(type, at, ": the stored hash there may be damaged");
  const std::string md5 = hex(std::span(bytes).first(16));
  // Section hash is what every program compares with; digest holds a copy of it.
  if (!md5.empty() && (type == "hash" || segment_.md5.empty())) segment_.md5 = md5;
  if (type == "digest") segment_.sha1 = hex(std::span(bytes).subspan(16, 20));
}

// A list of errors or tracks: count, padding and checksum, then entries and their checksum.
void EwfSectionReader::take_list(const std::string& type, std::uint64_t at, std::size_t header,
                                 std::size_t entry) {
  const auto head = content(at + kDescriptorSize, header);
  if (head.empty()) return;
  const std::uint64_t count = little_endian(head.data(), 4);
  bool sound = checksum_fits(head);
  std::vector<std::byte> entries;
  if (sound && count > 0 && count <= kMaxListEntries) {
    entries = content(at + kDescriptorSize + header, count * entry + 4);
    sound = entries.empty() || checksum_fits(entries);
  }
  if (!sound) {
    fault(type, at, "; that list is left out");
    return;
  }
  for (std::size_t i = 0; !entries.empty() && i < count; ++i) {
    const std::uint64_t first = little_endian(entries.data() + i * entry, 4);
    const std::uint64_t second = little_endian(entries.data() + i * entry + 4, 4);
    if (type == "error2") {
      segment_.read_errors.emplace_back(first, second);
    } else {
      segment_.sessions.emplace_back(second, (first & 1) != 0);
    }
  }
}

void EwfSectionReader::take_geometry(const std::string& type, std::uint64_t at, std::uint64_t size) {
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
    segment_.geometry.push_back({type, at, sound, std::move(bytes)});
}

void EwfSectionReader::take_table(const std::string& type, std::uint64_t at, std::uint64_t size) {
  const auto header = content(at + kDescriptorSize, kTableHeader);
  if (header.empty()) return;
  const bool sound = checksum_fits(header);
  const std::uint64_t chunks = little_endian(header.data(), 4);
  const std::uint64_t base = little_endian(header.data() + 8, 8);
  if (type == "table" || !table_) {
    table_ = Table{at, size, chunks, base, sound, 0};
    return;
  }
  // The copy of the last table: either mends the other.
  const bool alike = size == table_->size;
  if (!table_->sound && !(sound && alike)) mend_table();
  if (sound && !table_->sound && alike) {
    fault("table", table_->at, "; its copy in section table2 is used");
    table_->chunks = chunks;
    table_->base = base;
    table_->sound = true;
    table_->copy = at;
  } else if (!sound && table_->sound && alike) {
    fault(type, at, "; the first copy in section table is used");
    table_->copy = at;
  } else if (sound && table_->sound && alike && chunks == table_->chunks && base == table_->base) {
    table_->copy = at;
  }
  settle_table();
}

// Without a copy: a number of entries is right if the checksum behind them fits.
void EwfSectionReader::mend_table() {
  if (table_->tried) return;
  table_->tried = true;
  constexpr std::uint64_t kMaxEntries = 1 << 20;
  constexpr std::uint64_t kRest = kDescriptorSize + kTableHeader + 4;
  const std::uint64_t by_size = table_->size > kRest ? (table_->size - kRest) / 4 : 0;
  for (const std::uint64_t count : {table_->chunks, by_size}) {
    if (count == 0 || count > std::min(by_size, kMaxEntries)) continue;
    const auto entries = content(table_->at + kDescriptorSize + kTableHeader, count * 4 + 4);
    if (!checksum_fits(entries)) continue;
    fault("table", table_->at, "; its entries are sound");
    table_->chunks = count;
    table_->sound = true;
    return;
  }
  // The section's size, whose checksum is sound, says how many entries there are where no chunks follow them.
  if (sectors_ && by_size > 0) table_->chunks = by_size;
  fault("table", table_->at, "; its entries are used as they stand");
}

void EwfSectionReader::settle_table() {
  if (!table_) return;
  if (!table_->sound) mend_table();
  EwfTable table;
  table.entries = table_->at + kDescriptorSize + kTableHeader;
  table.copy = table_->copy == 0 ? 0 : table_->copy + kDescriptorSize + kTableHeader;
  table.base = table_->base;
  const std::uint64_t room = table.entries < file_.size() ? (file_.size() - table.entries) / 4 : 0;
  const bool cut = table_->chunks > room;
  table.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(table_->chunks, room));
  if (sectors_) {
    table.data_from = sectors_->from;
    table.data_to = sectors_->to;
  } else {
    // SMART and EnCase 1: the chunks stand in the table's own section, behind the entries.
    table.data_from = std::min(table.entries + std::uint64_t{table.count} * 4, file_.size());
    table.data_to = std::clamp(table_->at + table_->size, table.data_from, file_.size());
  }
  table_.reset();
  if (table.count == 0 || (cut && sectors_)) return;  // the chunks then speak for themselves
  sectors_.reset();
  segment_.chunks += table.count;
  segment_.tables.push_back(table);
}

}  // namespace touchstone

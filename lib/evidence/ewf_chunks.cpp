#include "evidence/ewf_chunks.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/ewf_layout.hpp"

namespace touchstone {
namespace {

using ewf::adler32;
using ewf::little_endian;

constexpr std::uint32_t kPacked = 0x8000'0000U;
constexpr std::uint32_t kEntriesPerPage = 4096;
constexpr std::size_t kPagesBudget = std::size_t{64} * kEntriesPerPage * 4;
constexpr std::size_t kMaxFaults = 1000;
// Of a run of chunks without a table: places held, 8 bytes each. 64 GiB of media with chunks of 32 KiB.
constexpr std::size_t kMaxLoose = std::size_t{1} << 21;

/// More than a zlib stream of `size` bytes can need, with room for what little stands behind a chunk.
std::uint64_t most_packed(std::uint64_t size) {
  return size + size / 64 + 1024;
}

bool may_be_zlib(std::span<const std::byte> bytes) {
  if (bytes.size() < 8) return false;
  const auto first = std::to_integer<unsigned>(bytes[0]);
  return (first & 15) == 8 && (first << 8 | std::to_integer<unsigned>(bytes[1])) % 31 == 0;
}

}  // namespace

EwfChunks::EwfChunks(std::vector<EwfFile>& files, std::uint64_t media_size, std::uint32_t chunk_size)
    : files_(files), media_size_(media_size), chunk_size_(chunk_size), pages_(kPagesBudget) {}

std::uint32_t EwfChunks::bytes_of(std::uint64_t number) const {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(chunk_size_, media_size_ - std::min(media_size_, number * chunk_size_)));
}

void EwfChunks::add_file(std::size_t file, std::uint64_t first) {
  for (const EwfTable& table : files_[file].segment.tables) {
    if (first >= count()) return;
    tables_.push_back({first, table.count, static_cast<std::uint32_t>(file), table.entries, table.copy,
                       table.base, table.data_from, table.data_to, table.count, false});
    first += table.count;
  }
}

void EwfChunks::add_loose(std::size_t file, std::uint64_t first, std::uint64_t limit) {
  const EwfSegment& segment = files_[file].segment;
  if (first >= count() || segment.loose_from >= segment.loose_to) return;
  Loose loose;
  loose.first = first;
  loose.limit = std::min<std::uint64_t>({limit, count() - first, kMaxLoose});
  loose.file = static_cast<std::uint32_t>(file);
  loose.at = segment.loose_from;
  loose.to = segment.loose_to;
  loose_.push_back(std::move(loose));
}

std::vector<std::string> EwfChunks::take_faults() {
  return std::exchange(faults_, {});
}

void EwfChunks::fault(std::string sentence) {
  if (faults_.size() < kMaxFaults) faults_.push_back(std::move(sentence));
}

std::optional<std::uint32_t> EwfChunks::entry(std::uint32_t file, std::uint64_t entries,
                                              std::uint32_t index) {
  // A page of entries is named by its place; tables of one file do not share bytes.
  const std::uint64_t at = entries + std::uint64_t{index / kEntriesPerPage} * kEntriesPerPage * 4;
  const std::uint64_t key = std::uint64_t{file} << 44 ^ at;
  const std::vector<std::byte>* page = pages_.find(key);
  if (page == nullptr) {
    std::vector<std::byte>& fresh = pages_.make(key, kEntriesPerPage * 4);
    const auto got = files_[file].bytes->read_at(at, fresh);
    const std::size_t filled = got ? *got : 0;
    std::fill(fresh.begin() + static_cast<std::ptrdiff_t>(filled), fresh.end(), std::byte{0});
    page = &fresh;
  }
  return static_cast<std::uint32_t>(
      little_endian(page->data() + std::size_t{index % kEntriesPerPage} * 4, 4));
}

// The checksum behind the entries, and where 31 bits were too few for an offset (EnCase 6.7 let a sectors
// section grow beyond 2 GiB): once per table, when its first chunk is read.
void EwfChunks::check_table(Table& table) {
  table.checked = true;
  ByteSource& file = *files_[table.file].bytes;
  const std::uint64_t size = std::uint64_t{table.count} * 4;
  const auto sum_fits = [&](std::uint64_t entries) {
    std::uint32_t sum = 1;
    std::vector<std::byte> block(std::min<std::uint64_t>(size, 64 * 1024));
    for (std::uint64_t done = 0; done < size;) {
      const auto part = std::span(block).first(std::min<std::uint64_t>(block.size(), size - done));
      const auto got = file.read_at(entries + done, part);
      if (!got || *got < part.size()) return false;
      sum = libdeflate_adler32(sum, part.data(), part.size());
      done += part.size();
    }
    std::array<std::byte, 4> stored{};
    const auto got = file.read_at(entries + size, stored);
    return got && *got == stored.size() && little_endian(stored.data(), 4) == sum;
  };
  // SMART and EnCase 1 write no checksum there.
  const bool summed = table.data_from != table.entries + size;
  if (summed && !sum_fits(table.entries)) {
    const bool copy_fits = table.copy != 0 && sum_fits(table.copy);
    fault(files_[table.file].name + ": the checksum of the chunk table at byte " +
          std::to_string(table.entries) + " is wrong; " +
          (copy_fits ? "its copy in section table2 is used" : "its entries are used as they stand"));
    if (copy_fits) std::swap(table.entries, table.copy);
  }
  if (table.data_to - table.data_from <= kPacked) return;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const std::uint32_t raw = *entry(table.file, table.entries, i);
    if ((raw & ~kPacked) < last && raw >= kPacked) {
      table.overflow = i;
      return;
    }
    last = raw & ~kPacked;
  }
}

std::optional<EwfChunks::Span> EwfChunks::locate(Table& table, std::uint64_t entries, std::uint32_t index) {
  const auto offset = [&](std::uint32_t i) {
    const std::uint32_t raw = *entry(table.file, entries, i);
    return table.base + (i < table.overflow ? raw & ~kPacked : raw);
  };
  Span span;
  span.file = table.file;
  span.packed = index < table.overflow && (*entry(table.file, entries, index) & kPacked) != 0;
  span.from = offset(index);
  span.to = index + 1 < table.count ? offset(index + 1) : table.data_to;
  if (span.to <= span.from || span.to > table.data_to) span.to = table.data_to;
  if (span.from < table.data_from || span.from >= span.to) return std::nullopt;
  return span;
}

/// Puts bytes of a file into packed_; at least one.
EwfChunkState EwfChunks::fetch(std::uint32_t file, std::uint64_t from, std::uint64_t size) {
  packed_.resize(size);
  const std::size_t gaps_before = files_[file].bytes->gaps().size();
  const auto got = files_[file].bytes->read_at(from, packed_);
  packed_.resize(got ? *got : 0);
  if (packed_.empty() || files_[file].bytes->gaps().size() != gaps_before) return EwfChunkState::file_error;
  return EwfChunkState::sound;
}

EwfChunkState EwfChunks::decode_stored(std::span<const std::byte> stored, std::span<std::byte> out) const {
  // The last chunk may have been written with a whole chunk's length, or with more than counts.
  const std::size_t all = stored.size() < 4 ? 0 : stored.size() - 4;
  for (const std::size_t size : {out.size(), std::size_t{chunk_size_}, all}) {
    if (size < out.size() || stored.size() < size + 4) continue;
    if (adler32(stored.first(size)) != little_endian(stored.data() + size, 4)) continue;
    std::memcpy(out.data(), stored.data(), out.size());
    return EwfChunkState::sound;
  }
  const std::size_t there = std::min(stored.size(), out.size());
  std::memcpy(out.data(), stored.data(), there);
  std::memset(out.data() + there, 0, out.size() - there);
  return EwfChunkState::wrong_sum;
}

EwfChunkState EwfChunks::decode(const Span& span, std::span<std::byte> out) {
  const std::uint64_t most = most_packed(chunk_size_);
  const EwfChunkState fetched = fetch(span.file, span.from, std::min(span.to - span.from, most));
  if (packed_.empty()) return fetched;
  EwfChunkState state = EwfChunkState::unreadable;
  if (span.packed) {
    auto done = inflater_.zlib(packed_, out);
    if (!done && out.size() < chunk_size_) {
      spare_.resize(chunk_size_);
      done = inflater_.zlib(packed_, spare_);
      if (done) std::memcpy(out.data(), spare_.data(), out.size());
    }
    if (done && done->produced >= out.size()) return EwfChunkState::sound;
    // All of it is there, but does not fit the checksum at its end.
    if (!done && packed_.size() > 2) {
      done = inflater_.raw(std::span(packed_).subspan(2), out);
      if (done && done->produced == out.size()) state = EwfChunkState::wrong_sum;
    }
  } else {
    state = decode_stored(packed_, out);
  }
  return fetched == EwfChunkState::file_error ? fetched : state;
}

EwfChunks::Table* EwfChunks::table_of(std::uint64_t number) {
  auto table = std::upper_bound(tables_.begin(), tables_.end(), number,
                                [](std::uint64_t wanted, const Table& one) { return wanted < one.first; });
  if (table == tables_.begin()) return nullptr;
  --table;
  if (number - table->first >= table->count) return nullptr;
  if (!table->checked) check_table(*table);
  return &*table;
}

std::uint32_t EwfChunks::tail(std::uint64_t listed, std::uint32_t sector) {
  if (listed == 0 || listed < count() || listed > count() + 1) return 0;
  const std::uint32_t counted = bytes_of(listed - 1);
  if (counted >= chunk_size_) return 0;
  Table* table = table_of(listed - 1);
  if (table == nullptr) return 0;
  const auto span = locate(*table, table->entries, static_cast<std::uint32_t>(listed - 1 - table->first));
  if (!span) return 0;
  if (fetch(span->file, span->from, std::min(span->to - span->from, most_packed(chunk_size_))) !=
      EwfChunkState::sound) {
    return 0;
  }
  std::uint64_t there = 0;
  if (span->packed) {
    spare_.resize(chunk_size_);
    const auto done = inflater_.zlib(packed_, spare_);
    there = done ? done->produced : 0;
  } else if (packed_.size() > 4) {
    const std::size_t size = packed_.size() - 4;
    const bool whole = adler32(std::span(packed_).first(size)) == little_endian(packed_.data() + size, 4);
    there = whole ? size : 0;
  }
  return there > counted && there - counted < sector ? static_cast<std::uint32_t>(there - counted) : 0;
}

EwfChunkState EwfChunks::read(std::uint64_t number, std::span<std::byte> out) {
  EwfChunkState state = EwfChunkState::missing;
  if (Table* table = table_of(number)) {
    const auto index = static_cast<std::uint32_t>(number - table->first);
    const auto span = locate(*table, table->entries, index);
    state = span ? decode(*span, out) : EwfChunkState::unreadable;
    if (state == EwfChunkState::sound) return state;
    if (table->copy != 0) {
      const auto other = locate(*table, table->copy, index);
      const bool differs = other && (!span || other->from != span->from || other->packed != span->packed);
      if (differs && decode(*other, out) == EwfChunkState::sound) return EwfChunkState::sound;
      if (differs && span) state = decode(*span, out);
    }
  } else {
    for (Loose& loose : loose_) {
      if (number >= loose.first && number - loose.first < loose.limit)
        state = read_loose(loose, number - loose.first, out);
    }
  }
  if (state != EwfChunkState::sound && state != EwfChunkState::wrong_sum)
    std::memset(out.data(), 0, out.size());
  return state;
}

EwfChunkState EwfChunks::read_loose(Loose& loose, std::uint64_t index, std::span<std::byte> out) {
  while (loose.found.size() <= index && !loose.ended) loose.ended = !step(loose);
  if (index >= loose.found.size()) return EwfChunkState::missing;
  Span span{loose.file, loose.found[index], 0, true};
  span.to = index + 1 < loose.found.size() ? loose.found[index + 1] : loose.at;
  EwfChunkState state = decode(span, out);
  if (state == EwfChunkState::sound) return state;
  span.packed = false;
  return decode(span, out);
}

/// Finds one more chunk. False if what stands there is none: a chunk that does not fit its own checksum ends
/// the run, since how long it is cannot be known.
bool EwfChunks::step(Loose& loose) {
  if (loose.found.size() >= loose.limit || loose.at >= loose.to) return false;
  const std::uint64_t number = loose.first + loose.found.size();
  const std::size_t wanted = bytes_of(number);
  const std::uint64_t most = std::min(loose.to - loose.at, most_packed(chunk_size_));
  if (fetch(loose.file, loose.at, most) != EwfChunkState::sound) return false;
  spare_.resize(chunk_size_);
  if (may_be_zlib(packed_)) {
    const auto done = inflater_.zlib(packed_, spare_);
    if (done && done->produced >= wanted) {
      loose.found.push_back(loose.at);
      loose.at += done->consumed;
      return true;
    }
  }
  for (const std::size_t size : {wanted, std::size_t{chunk_size_}}) {
    if (packed_.size() < size + 4) continue;
    if (adler32(std::span(packed_).first(size)) != little_endian(packed_.data() + size, 4)) continue;
    loose.found.push_back(loose.at);
    loose.at += size + 4;
    return true;
  }
  return false;
}

}  // namespace touchstone

#include "content/compound_file.hpp"

#include <algorithm>
#include <array>

namespace touchstone {
namespace {

constexpr std::size_t kHeaderBytes = 512, kEntryBytes = 128;
constexpr std::uint32_t kHeaderFatSectors = 109;
constexpr std::uint32_t kEndOfChain = 0xFFFFFFFE, kFree = 0xFFFFFFFF, kLastSector = 0xFFFFFFFA;
constexpr std::uint32_t kNobody = 0xFFFFFFFF;  // of siblings and children
constexpr std::uint64_t kMaxPathBytes = 64ULL << 20U;
constexpr std::size_t kMaxProblems = 20;

std::uint64_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8U) | bytes[at + i];
  return value;
}

std::uint32_t little32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(little(bytes, at, 4));
}

std::optional<std::int64_t> time_of(std::uint64_t file_time) {
  constexpr std::uint64_t kFrom1601 = 11'644'473'600ULL * 1'000'000;
  if (file_time == 0 || file_time / 10 > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(file_time / 10) - static_cast<std::int64_t>(kFrom1601);
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return folded(x) == folded(y); });
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto add = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0U | (point >> 6U));
    add(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  }
}

}  // namespace

std::string utf8_of(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint32_t point = text[i];
    if (point >= 0xD800 && point < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 &&
        text[i + 1] < 0xE000) {
      point = 0x10000U + ((point - 0xD800U) << 10U) + (text[++i] - 0xDC00U);
    } else if (point >= 0xD800 && point < 0xE000) {
      point = 0xFFFD;
    }
    append_utf8(out, point);
  }
  return out;
}

std::string decode_msi_name(std::u16string_view name, bool& is_table) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
  constexpr std::uint32_t kFirstPair = 0x3800, kFirstSingle = 0x4800, kTableMark = 0x4840;
  is_table = !name.empty() && name.front() == kTableMark;
  std::u16string out;
  for (const char16_t unit : name.substr(is_table ? 1 : 0)) {
    if (unit >= kFirstPair && unit < kFirstSingle) {
      out.push_back(static_cast<char16_t>(kLetters[(unit - kFirstPair) & 0x3FU]));
      out.push_back(static_cast<char16_t>(kLetters[((unit - kFirstPair) >> 6U) & 0x3FU]));
    } else if (unit >= kFirstSingle && unit < kTableMark) {
      out.push_back(static_cast<char16_t>(kLetters[unit - kFirstSingle]));
    } else {
      out.push_back(unit);
    }
  }
  return utf8_of(out);
}

bool CompoundFile::is_compound(std::span<const std::uint8_t> head) {
  constexpr std::array<std::uint8_t, 8> kSignature = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
  return head.size() >= kSignature.size() && std::equal(kSignature.begin(), kSignature.end(), head.begin());
}

Result<CompoundFile> CompoundFile::open(Read read, std::uint64_t size) {
  CompoundFile file;
  file.read_ = std::move(read);
  file.size_ = size;
  if (const Status status = file.read_header(); !status) return status.error();
  file.read_directory();
  if (file.directory_.size() < kEntryBytes)
    return Error{ErrorCode::corrupt, "the directory of the compound file cannot be read"};
  file.walk_tree();
  file.add_orphans();
  file.directory_ = {};
  file.visited_ = {};
  return file;
}

Status CompoundFile::read_header() {
  std::array<std::uint8_t, kHeaderBytes> header{};
  const std::int64_t got = read_(0, header);
  if (got < static_cast<std::int64_t>(kHeaderBytes) || !is_compound(header))
    return Error{ErrorCode::corrupt, "the header of the compound file is missing or cut"};
  sector_shift_ = static_cast<std::uint32_t>(little(header, 30, 2));
  mini_shift_ = static_cast<std::uint32_t>(little(header, 32, 2));
  if ((sector_shift_ != 9 && sector_shift_ != 12) || mini_shift_ != 6)
    return Error{ErrorCode::corrupt, "the sector size of the compound file is none that exists"};
  if (size_ >> sector_shift_ > kMaxSectors) {
    return Error{ErrorCode::limit,
                 "the compound file has more than " + std::to_string(kMaxSectors) + " sectors, the limit"};
  }
  has_large_sizes_ = little(header, 26, 2) >= 4;
  first_directory_ = little32(header, 48);
  mini_cutoff_ = little32(header, 56);
  first_mini_fat_ = little32(header, 60);
  read_fat(header);
  return {};
}

bool CompoundFile::read_sector(std::uint32_t sector, std::span<std::uint8_t> out) const {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  const std::uint64_t offset = (std::uint64_t{sector} + 1) << sector_shift_;
  return sector <= kLastSector && offset < size_ && read_(offset, out) > 0;
}

/// The numbers of the table's own sectors stand in the header, and the rest in sectors of their own.
void CompoundFile::read_fat(std::span<const std::uint8_t> header) {
  const std::size_t in_sector = std::size_t{1} << (sector_shift_ - 2);
  const std::uint64_t sectors = size_ >> sector_shift_;  // at least; the last may be cut
  std::vector<std::uint8_t> sector(std::size_t{1} << sector_shift_), list(sector.size());
  bool damaged = false;
  const auto add = [&](std::uint32_t number) {
    if (number == kFree || fat_.size() > sectors) return false;
    if (!read_sector(number, sector)) {
      damaged = true;
      fat_.insert(fat_.end(), in_sector, kFree);
      return true;
    }
    for (std::size_t i = 0; i < in_sector; ++i) fat_.push_back(little32(sector, i * 4));
    return true;
  };
  bool more = true;
  for (std::size_t i = 0; more && i < kHeaderFatSectors; ++i) more = add(little32(header, 76 + i * 4));
  std::uint32_t next = little32(header, 68);
  const std::uint64_t most = sectors / in_sector / (in_sector - 1) + 2;
  for (std::uint64_t count = 0; more && next <= kLastSector && count < most; ++count) {
    if (!read_sector(next, list)) {
      damaged = true;
      break;
    }
    for (std::size_t i = 0; more && i + 1 < in_sector; ++i) more = add(little32(list, i * 4));
    next = little32(list, (in_sector - 1) * 4);
  }
  if (damaged) problems_.emplace_back("parts of the allocation table cannot be read");
}

std::vector<std::uint32_t> CompoundFile::chain_of(std::uint32_t first,
                                                  const std::vector<std::uint32_t>& table, std::uint64_t most,
                                                  bool& is_whole) const {
  std::vector<std::uint32_t> chain;
  std::uint32_t seen = kFree;  // a number met before, at a distance that doubles: finds loops
  is_whole = false;
  for (std::uint32_t at = first; chain.size() < std::min<std::uint64_t>(most, table.size());) {
    if (at >= table.size() || at == seen) return chain;
    if ((chain.size() & (chain.size() + 1)) == 0) seen = at;
    chain.push_back(at);
    at = table[at];
    if (at == kEndOfChain) {
      is_whole = true;
      return chain;
    }
  }
  is_whole = chain.size() == most;
  return chain;
}

void CompoundFile::read_directory() {
  const std::size_t sector_bytes = std::size_t{1} << sector_shift_;
  bool whole = false;
  const std::uint64_t most = std::uint64_t{kMaxEntries} * kEntryBytes / sector_bytes;
  const auto chain = chain_of(first_directory_, fat_, most, whole);
  if (!whole) problems_.emplace_back("the directory's chain of sectors is broken");
  if (chain.size() == most)
    problems_.emplace_back("entries beyond the first " + std::to_string(kMaxEntries) + " are left out");
  directory_.resize(chain.size() * sector_bytes);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (read_sector(chain[i], std::span(directory_).subspan(i * sector_bytes, sector_bytes))) continue;
    directory_.resize(i * sector_bytes);
    problems_.emplace_back("the directory is cut");
    break;
  }
  if (directory_.size() < kEntryBytes) return;
  const CompoundEntry root = parse_entry(0);
  mini_size_ = std::min(root.size, size_);
  mini_chain_ = chain_of(root.first_sector, fat_, (mini_size_ + sector_bytes - 1) / sector_bytes, whole);
  mini_size_ = std::min<std::uint64_t>(mini_size_, mini_chain_.size() * sector_bytes);
  const std::size_t in_sector = sector_bytes / 4;
  const std::uint64_t minis = mini_size_ >> mini_shift_;
  std::vector<std::uint8_t> sector(sector_bytes);
  for (const std::uint32_t number :
       chain_of(first_mini_fat_, fat_, (minis + in_sector - 1) / in_sector + 1, whole)) {
    if (!read_sector(number, sector)) break;
    for (std::size_t i = 0; i < in_sector; ++i) mini_fat_.push_back(little32(sector, i * 4));
  }
}

CompoundEntry CompoundFile::parse_entry(std::uint32_t id) const {
  const auto raw = std::span(directory_).subspan(std::size_t{id} * kEntryBytes, kEntryBytes);
  CompoundEntry entry;
  entry.id = id;
  const std::uint8_t type = raw[66];
  entry.kind = type == 5   ? CompoundEntry::Kind::root
               : type == 1 ? CompoundEntry::Kind::storage
                           : CompoundEntry::Kind::stream;
  const std::size_t units = std::min<std::size_t>(little(raw, 64, 2) / 2, 32);
  for (std::size_t i = 0; i < units; ++i) {
    const auto unit = static_cast<char16_t>(little(raw, i * 2, 2));
    if (unit == 0) break;
    entry.name_utf16.push_back(unit);
  }
  entry.name = utf8_of(entry.name_utf16);
  entry.first_sector = little32(raw, 116);
  // Writers of version 3 left rubbish in the upper half.
  entry.size = little(raw, 120, has_large_sizes_ ? 8 : 4);
  if (entry.kind == CompoundEntry::Kind::storage) entry.size = 0;
  entry.class_id.assign(raw.begin() + 80, raw.begin() + 96);
  if (entry.class_id.find_first_not_of('\0') == std::string::npos) entry.class_id.clear();
  entry.created = time_of(little(raw, 100, 8));
  entry.modified = time_of(little(raw, 108, 8));
  return entry;
}

std::string CompoundFile::path_of(std::uint32_t parent, const std::string& name) const {
  std::string path = entries_[parent].path;
  if (!path.empty()) path += '/';
  for (const char c : name) {
    if (c == '/') {
      path += "%2F";
    } else {
      path += c;
    }
  }
  return path;
}

/// Ids of what a storage holds, in the order of its tree of siblings.
void CompoundFile::add_children(std::uint32_t storage, unsigned depth, std::vector<std::uint32_t>& found) {
  const auto link = [&](std::uint32_t id, std::size_t at) {
    return little32(directory_, std::size_t{id} * kEntryBytes + at);
  };
  const auto complain = [&](const char* what) {
    if (problems_.size() < kMaxProblems) problems_.emplace_back(what);
  };
  std::vector<std::uint32_t> stack;
  std::uint32_t at = link(storage, 76);
  if (depth > kMaxDepth && at != kNobody) return complain("storages are nested too deep");
  while (true) {
    while (at != kNobody) {
      if (at >= visited_.size() || visited_[at]) {
        complain(at >= visited_.size() ? "an entry leads out of the directory"
                                       : "entries of the directory lead to each other in a loop");
        break;
      }
      visited_[at] = true;
      stack.push_back(at);
      at = link(at, 68);
    }
    if (stack.empty()) return;
    found.push_back(stack.back());
    at = link(stack.back(), 72);
    stack.pop_back();
  }
}

void CompoundFile::walk_tree() {
  visited_.assign(directory_.size() / kEntryBytes, false);
  visited_[0] = true;
  entries_.push_back(parse_entry(0));
  entries_[0].kind = CompoundEntry::Kind::root;
  std::vector<unsigned> depths = {0};
  std::uint64_t path_bytes = 0;
  std::vector<std::uint32_t> children;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].kind == CompoundEntry::Kind::stream) continue;
    children.clear();
    add_children(entries_[i].id, depths[i] + 1, children);
    for (const std::uint32_t id : children) {
      const std::uint8_t type = directory_[std::size_t{id} * kEntryBytes + 66];
      if (type != 1 && type != 2) continue;
      CompoundEntry entry = parse_entry(id);
      entry.parent = i;
      entry.path = path_of(i, entry.name);
      path_bytes += entry.path.size();
      if (path_bytes > kMaxPathBytes) {
        problems_.emplace_back("the names are longer than " + std::to_string(kMaxPathBytes) +
                               " bytes together: the rest is left out");
        return;
      }
      entries_.push_back(std::move(entry));
      depths.push_back(depths[i] + 1);
    }
  }
}

/// What a program took out of the tree without clearing it, or what damage cut off.
void CompoundFile::add_orphans() {
  for (std::uint32_t id = 0; id < visited_.size(); ++id) {
    if (visited_[id] || directory_[std::size_t{id} * kEntryBytes + 66] != 2) continue;
    CompoundEntry entry = parse_entry(id);
    if (entry.name.empty()) continue;
    entry.path = path_of(0, entry.name);
    entry.is_orphan = true;
    entries_.push_back(std::move(entry));
  }
}

const CompoundEntry* CompoundFile::find(std::string_view path) const {
  for (const CompoundEntry& entry : entries_) {
    if (!entry.is_orphan && same_name(entry.path, path)) return &entry;
  }
  return nullptr;
}

bool CompoundFile::holds_outlook_message() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const CompoundEntry& entry) {
    if (entry.kind != CompoundEntry::Kind::stream || entry.is_orphan || entry.parent != 0) return false;
    return entry.name == "__properties_version1.0" || entry.name.starts_with("__substg1.0_");
  });
}

CompoundFile::Stream CompoundFile::open_stream(const CompoundEntry& entry) const {
  Stream stream;
  stream.file_ = this;
  if (entry.size == 0 || entry.kind != CompoundEntry::Kind::stream) return stream;
  stream.is_mini_ = entry.size < mini_cutoff_;
  const std::uint32_t shift = stream.is_mini_ ? mini_shift_ : sector_shift_;
  const std::uint64_t unit = std::uint64_t{1} << shift;
  const std::uint64_t wanted = (entry.size >> shift) + ((entry.size & (unit - 1)) != 0 ? 1 : 0);
  bool whole = false;
  stream.chain_ = chain_of(entry.first_sector, stream.is_mini_ ? mini_fat_ : fat_, wanted, whole);
  // Sectors behind the file's end hold nothing.
  const auto beyond = std::find_if(stream.chain_.begin(), stream.chain_.end(), [&](std::uint32_t at) {
    return stream.is_mini_ ? (std::uint64_t{at} << mini_shift_) >= mini_size_
                           : (std::uint64_t{at} + 1) << sector_shift_ >= size_;
  });
  stream.chain_.erase(beyond, stream.chain_.end());
  stream.size_ = std::min<std::uint64_t>(entry.size, stream.chain_.size() << shift);
  stream.is_short_ = stream.size_ < entry.size;
  return stream;
}

std::int64_t CompoundFile::Stream::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset >= size_) return 0;
  const CompoundFile& file = *file_;
  const std::uint32_t shift = is_mini_ ? file.mini_shift_ : file.sector_shift_;
  const std::uint64_t unit = std::uint64_t{1} << shift;
  const std::size_t total = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  std::size_t done = 0;
  while (done < total) {
    const std::uint64_t at = offset + done, index = at >> shift, within = at & (unit - 1);
    // Neighbouring sectors in one read.
    std::uint64_t run = 1;
    while (!is_mini_ && index + run < chain_.size() && chain_[index + run] == chain_[index] + run &&
           run * unit < within + (total - done))
      ++run;
    const std::size_t part =
        static_cast<std::size_t>(std::min<std::uint64_t>(total - done, run * unit - within));
    std::uint64_t place = ((std::uint64_t{chain_[index]} + 1) << shift) + within;
    if (is_mini_) {
      const std::uint64_t in_minis = (std::uint64_t{chain_[index]} << shift) + within;
      const std::uint64_t big = in_minis >> file.sector_shift_;
      place = ((std::uint64_t{file.mini_chain_[big]} + 1) << file.sector_shift_) +
              (in_minis & ((std::uint64_t{1} << file.sector_shift_) - 1));
    }
    const auto target = out.subspan(done, part);
    const std::int64_t got = place < file.size_ ? file.read_(place, target) : 0;
    if (got < 0) return -1;
    // The last sector of a file may be cut.
    std::fill(target.begin() +
                  static_cast<std::ptrdiff_t>(std::min<std::int64_t>(got, static_cast<std::int64_t>(part))),
              target.end(), std::uint8_t{0});
    done += part;
  }
  return static_cast<std::int64_t>(done);
}

std::optional<std::vector<std::uint8_t>> CompoundFile::read_all(const CompoundEntry& entry,
                                                                std::uint64_t limit) const {
  const Stream stream = open_stream(entry);
  if (stream.size() > limit) return std::nullopt;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(stream.size()));
  if (stream.read_at(0, bytes) < 0) return std::nullopt;
  return bytes;
}

}  // namespace touchstone

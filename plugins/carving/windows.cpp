// Compound files ([MS-CFB]), event logs, registry hives; and Apple's binary property lists.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint32_t kFree = 0xFFFFFFFF, kEndOfChain = 0xFFFFFFFE, kMaxRegular = 0xFFFFFFFA;
constexpr std::uint64_t kMaxPlist = 16ULL << 20U;
constexpr std::uint32_t kMaxFatSectors = 1U << 20U;

/// A compound file's allocation table, as far as its size needs it.
class Compound {
 public:
  Compound(View& view, std::uint64_t offset) : view_(view), offset_(offset) {}

  bool open() {
    const Bytes head = view_.exactly(offset_, 512);
    if (head.empty() || get_le16(head.data() + 28) != 0xFFFE) return false;
    const std::uint32_t shift = get_le16(head.data() + 30), mini = get_le16(head.data() + 32);
    if ((shift != 9 && shift != 12) || mini != 6) return false;
    sector_ = 1U << shift;
    count_ = get_le32(head.data() + 44);
    directory_ = get_le32(head.data() + 48);
    std::uint32_t next = get_le32(head.data() + 68);
    std::uint32_t tables = get_le32(head.data() + 72);
    if (count_ == 0 || count_ > kMaxFatSectors) return false;
    for (std::size_t i = 0; i < 109 && fat_.size() < count_; ++i)
      fat_.push_back(get_le32(head.data() + 76 + 4 * i));
    while (fat_.size() < count_ && next < kMaxRegular && tables-- > 0 && !view_.exhausted()) {
      const Bytes table = view_.exactly(place(next), sector_);
      if (table.empty()) return false;
      for (std::size_t i = 0; i + 4 < sector_ && fat_.size() < count_; i += 4)
        fat_.push_back(get_le32(table.data() + i));
      next = get_le32(table.data() + sector_ - 4);
    }
    return fat_.size() == count_;
  }

  /// Behind the last sector in use; `sound` is false if the table cannot be right.
  std::uint64_t end(bool& sound) {
    std::uint64_t last = 0;
    const std::uint64_t per_sector = sector_ / 4;
    sound = true;
    for (std::size_t i = 0; i < fat_.size() && !view_.exhausted(); ++i) {
      if (fat_[i] >= kMaxRegular) {
        sound = false;
        break;
      }
      const Bytes table = view_.exactly(place(fat_[i]), sector_);
      if (table.empty()) {
        sound = false;
        break;
      }
      for (std::size_t j = 0; j < per_sector; ++j) {
        const std::uint32_t entry = get_le32(table.data() + 4 * j);
        if (entry == kFree) continue;
        if (entry < kMaxRegular && entry >= fat_.size() * per_sector) sound = false;
        last = std::max<std::uint64_t>(last, i * per_sector + j + 1);
      }
      last = std::max<std::uint64_t>(last, std::uint64_t{fat_[i]} + 1);
    }
    return place(static_cast<std::uint32_t>(std::min<std::uint64_t>(last, kMaxRegular)));
  }

  /// Names of the first sectors of the directory.
  std::vector<std::u16string> names() {
    std::vector<std::u16string> found;
    std::uint32_t at = directory_;
    for (int count = 0; count < 16 && at < kMaxRegular; ++count) {
      const Bytes raw = view_.exactly(place(at), sector_);
      if (raw.empty()) break;
      for (std::size_t i = 0; i + 128 <= raw.size(); i += 128) {
        const std::size_t bytes = get_le16(raw.data() + i + 64);
        if (bytes < 2 || bytes > 64) continue;
        std::u16string name;
        for (std::size_t c = 0; c + 2 < bytes; c += 2)
          name += static_cast<char16_t>(get_le16(raw.data() + i + c));
        found.push_back(std::move(name));
      }
      const std::uint64_t index = at;
      const std::size_t table = static_cast<std::size_t>(index / (sector_ / 4));
      if (table >= fat_.size()) break;
      at = view_.le32(place(fat_[table]) + index % (sector_ / 4) * 4);
      if (at == kEndOfChain) break;
    }
    return found;
  }

 private:
  std::uint64_t place(std::uint32_t sector) const { return offset_ + (std::uint64_t{sector} + 1) * sector_; }

  View& view_;
  std::uint64_t offset_;
  std::uint32_t sector_ = 512, count_ = 0, directory_ = 0;
  std::vector<std::uint32_t> fat_;
};

struct Name {
  const char *extension, *media_type;
};

Name name_of(const std::vector<std::u16string>& names) {
  const auto has = [&](std::u16string_view name) {
    return std::any_of(names.begin(), names.end(), [&](const auto& each) { return each.starts_with(name); });
  };
  if (has(u"WordDocument")) return {"doc", "application/msword"};
  if (has(u"Workbook") || has(u"Book")) return {"xls", "application/vnd.ms-excel"};
  if (has(u"PowerPoint Document")) return {"ppt", "application/vnd.ms-powerpoint"};
  if (has(u"__properties_version1.0")) return {"msg", "application/vnd.ms-outlook"};
  if (has(u"Catalog")) return {"db", "application/x-thumbs-db"};
  return {"ole", "application/x-ole-storage"};
}

/// Where a trailer at `at` says that its table begins, if it can be one of a list that begins at `offset`.
bool plist_trailer(Bytes t, std::uint64_t distance, std::uint64_t& table, std::uint64_t& objects,
                   std::uint32_t& width) {
  width = t[6];
  objects = get_be64(t.data() + 8);
  const std::uint64_t top = get_be64(t.data() + 16);
  table = get_be64(t.data() + 24);
  return width >= 1 && width <= 8 && t[7] >= 1 && t[7] <= 8 && objects > 0 && objects <= distance &&
         top < objects && table >= 9 && table < distance && table + objects * width == distance;
}

}  // namespace

Found carve_ole(View& view, std::uint64_t offset) {
  Compound compound(view, offset);
  if (!compound.open()) return std::nullopt;
  bool sound = false;
  const std::uint64_t end = compound.end(sound);
  const auto names = compound.names();
  if (names.empty() || names[0] != u"Root Entry") return std::nullopt;
  const Name name = name_of(names);
  if (!sound || !view.reaches(end)) {
    Carved carved = beginning(offset, end, name.extension, name.media_type,
                              "its allocation table is damaged: the size is a guess");
    while (carved.runs[0].length > 512 && !view.reaches(offset + carved.runs[0].length))
      carved.runs[0].length /= 2;
    return carved;
  }
  return contiguous(offset, end, kStructure, name.extension, name.media_type);
}

Found carve_event_log(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 128);
  if (head.empty()) return std::nullopt;
  const std::uint32_t crc = static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0), head.data(), 120));
  const std::uint32_t chunks = get_le16(head.data() + 42);
  if (get_le32(head.data() + 32) != 128 || chunks == 0) return std::nullopt;
  const bool checked = crc == get_le32(head.data() + 124);
  std::uint64_t at = offset + 4096;
  for (std::uint32_t i = 0; i < chunks; ++i, at += 65536) {
    if (!view.starts_with(at, "ElfChnk") || !view.reaches(at + 65536)) break;
  }
  if (at == offset + 4096) return std::nullopt;
  // Chunks that were made ready beforehand stand behind the count.
  if (at == offset + 4096 + std::uint64_t{chunks} * 65536) {
    while (view.starts_with(at, "ElfChnk") && view.reaches(at + 65536) && !view.exhausted()) at += 65536;
    return contiguous(offset, at, checked ? kStructure : kSize, "evtx", "application/x-ms-evtx");
  }
  return beginning(offset, at, "evtx", "application/x-ms-evtx", "some of its chunks are missing");
}

Found carve_hive(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 512);
  if (head.empty()) return std::nullopt;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 508; i += 4) sum ^= get_le32(head.data() + i);
  if (sum == 0xFFFFFFFF) sum = 0xFFFFFFFE;
  if (sum == 0) sum = 1;
  const std::uint32_t bins = get_le32(head.data() + 40);
  if (sum != get_le32(head.data() + 508) || bins == 0 || bins % 4096 != 0) return std::nullopt;
  std::uint64_t at = offset + 4096;
  const std::uint64_t end = at + bins;
  while (at < end && view.starts_with(at, "hbin") && !view.exhausted()) {
    const std::uint64_t size = view.le32(at + 8);
    if (size == 0 || size % 4096 != 0 || at + size > end || !view.reaches(at + size)) break;
    at += size;
  }
  if (at == end) return contiguous(offset, at, kStructure, "hive", "application/x-ms-registry");
  if (at == offset + 4096) return std::nullopt;
  return beginning(offset, at, "hive", "application/x-ms-registry", "some of its bins are missing");
}

Found carve_binary_plist(View& view, std::uint64_t offset) {
  // Its end is told by its last 32 bytes, which begin with six zeros and then not a zero, and name their own
  // place.
  const std::string_view zeros("\0\0\0\0\0\0", 6);
  const std::uint64_t limit = offset + kMaxPlist;
  for (std::uint64_t at = offset + 9; !view.exhausted();) {
    at = view.find(zeros, at, limit);
    if (at >= limit) break;
    Bytes trailer = view.at(at, View::kReach);
    const auto other = std::find_if(trailer.begin(), trailer.end(), [](std::uint8_t c) { return c != 0; });
    const auto run = static_cast<std::uint64_t>(other - trailer.begin());
    if (run > 6) {
      at += other == trailer.end() ? std::max<std::uint64_t>(run, 7) - 6 : run - 6;
      if (trailer.size() < View::kReach && other == trailer.end()) break;
    }
    trailer = view.exactly(at, 32);
    if (trailer.empty()) break;
    std::uint64_t table = 0, objects = 0;
    std::uint32_t width = 0;
    if (!plist_trailer(trailer, at - offset, table, objects, width)) {
      ++at;
      continue;
    }
    bool sound = true;
    for (std::uint64_t i = 0; i < objects && sound; ++i) {
      const Bytes entry = view.exactly(offset + table + i * width, width);
      std::uint64_t place = 0;
      for (const std::uint8_t byte : entry) place = place << 8U | byte;
      sound = !entry.empty() && place >= 8 && place < table;
    }
    if (sound) return contiguous(offset, at + 32, kStructure, "plist", "application/x-bplist");
    ++at;
  }
  return std::nullopt;
}

}  // namespace touchstone::carving

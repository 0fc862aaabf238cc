#include "evidence/vhdx_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

#include "evidence/mapped_image.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// Bits looked at in one step: a short read shall not look through a whole block's.
constexpr std::uint64_t kMaxRun = 256;

std::string guid_at(PageReader& file, std::uint64_t at) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", file.little(at, 4).value_or(0),
                     file.little(at + 4, 2).value_or(0), file.little(at + 6, 2).value_or(0),
                     file.big(at + 8, 2).value_or(0), file.big(at + 10, 6).value_or(0));
}

constexpr const char* kNoGuid = "00000000-0000-0000-0000-000000000000";
constexpr const char* kBatRegion = "2dc27766-f623-4200-9d64-115e9bfd4a08";
constexpr const char* kMetadataRegion = "8b7ca206-4790-4b9a-b8fe-575f050f886e";
constexpr const char* kFileParameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b";
constexpr const char* kDiskSize = "2fa54224-cd1b-4876-b211-5dbed83bf4b8";
constexpr const char* kLogicalSector = "8141bf1d-a96f-4709-ba47-f233a8faab5f";
constexpr const char* kPhysicalSector = "cda348c7-445d-4471-9cc9-e9885251c556";
constexpr const char* kDiskId = "beca12ab-b2e6-4523-93ef-c309e000c746";
constexpr const char* kParentLocator = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c";

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static const auto table_of_bytes = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t sum = ~0U;
  for (const std::byte byte : bytes)
    sum = sum >> 8 ^ table_of_bytes[(sum ^ std::to_integer<std::uint32_t>(byte)) & 255];
  return ~sum;
}

/// The structure's checksum stands in its bytes 4 to 7, and is counted with zeros there.
bool sum_fits(ByteSource& file, std::uint64_t at, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto got = file.read_at(at, bytes);
  if (!got || *got < size) return false;
  std::uint32_t stored = 0;
  for (std::size_t i = 8; i-- > 4;) stored = stored << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  std::fill_n(bytes.begin() + 4, 4, std::byte{0});
  return crc32c(bytes) == stored;
}

/// The file as it stands after its log: sectors of 4 KiB that lie over it.
class LoggedFile : public ByteSource {
 public:
  explicit LoggedFile(std::unique_ptr<ByteSource> file) : file_(std::move(file)), size_(file_->size()) {}
  std::uint64_t size() const override { return size_; }
  std::vector<Gap> gaps() const override { return file_->gaps(); }
  void lay(std::uint64_t sector, std::vector<std::byte> bytes) { over_[sector] = std::move(bytes); }
  std::size_t laid() const { return over_.size(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto got = file_->read_at(offset, out);
    if (!got || over_.empty()) return got;
    const std::uint64_t end = offset + *got;
    for (auto it = over_.lower_bound(offset / kSector); it != over_.end() && it->first * kSector < end;
         ++it) {
      const std::uint64_t from = std::max(it->first * kSector, offset);
      const std::uint64_t to = std::min(it->first * kSector + kSector, end);
      if (from < to)
        std::memcpy(out.data() + (from - offset), it->second.data() + (from - it->first * kSector),
                    to - from);
    }
    return got;
  }

  static constexpr std::uint64_t kSector = 4096;

 private:
  std::unique_ptr<ByteSource> file_;
  std::uint64_t size_;
  std::map<std::uint64_t, std::vector<std::byte>> over_;
};

struct Header {
  std::uint64_t at = 0, sequence = 0, log_size = 0, log_at = 0;
  std::string log, data_write;
};

std::optional<Header> current_header(ByteSource& bytes) {
  PageReader file(bytes);
  std::optional<Header> best;
  for (const std::uint64_t at : {64 * 1024, 128 * 1024}) {
    if (file.little(at, 4) != 0x64616568 || !sum_fits(bytes, at, 4096)) continue;
    Header header;
    header.at = at;
    header.sequence = file.little(at + 8, 8).value_or(0);
    header.data_write = guid_at(file, at + 32);
    header.log = guid_at(file, at + 48);
    header.log_size = file.little(at + 68, 4).value_or(0);
    header.log_at = file.little(at + 72, 8).value_or(0);
    if (!best || header.sequence > best->sequence) best = header;
  }
  return best;
}

/// The log twice in a row: it is a ring, and an entry that reaches its end goes on at its start.
class LogRing : public ByteSource {
 public:
  LogRing(ByteSource& file, std::uint64_t at, std::uint64_t size) : file_(file), at_(at), log_size_(size) {}
  std::uint64_t size() const override { return 2 * log_size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size() && offset < size()) {
      const std::uint64_t within = offset % log_size_;
      const auto part = out.subspan(
          done, static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - done, log_size_ - within)));
      auto got = file_.read_at(at_ + within, part);
      if (!got) return got;
      if (*got == 0) break;
      done += *got;
      offset += *got;
    }
    return done;
  }

 private:
  ByteSource& file_;
  std::uint64_t at_, log_size_;
};

struct LogEntry {
  std::uint64_t at = 0, length = 0, tail = 0, sequence = 0, descriptors = 0;
};

/// Replays the log of a disk that was not closed. The entries to replay are the longest unbroken sequence
/// that ends with the highest number; entries whose checksum fails are not part of it.
class LogReplay {
 public:
  LogReplay(ByteSource& bytes, LoggedFile& over, const Header& header)
      : bytes_(bytes, header.log_at, std::max<std::uint64_t>(header.log_size, 1)),
        file_(bytes_),
        over_(over),
        header_(header) {}

  bool run() {
    if (header_.log_size == 0 || header_.log_size % LoggedFile::kSector != 0 || header_.log_size > kMaxLog)
      return false;
    std::map<std::uint64_t, LogEntry> entries;  // by sequence number
    for (std::uint64_t at = 0; at < header_.log_size;) {
      const auto entry = entry_at(at);
      if (entry) entries[entry->sequence] = *entry;
      at += entry ? entry->length : LoggedFile::kSector;
    }
    if (entries.empty()) return false;
    // Back from the newest while the numbers do not break, to where its tail points.
    std::vector<LogEntry> order;
    const std::uint64_t tail = entries.rbegin()->second.tail;
    for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
      if (!order.empty() && it->first + 1 != order.back().sequence) break;
      order.push_back(it->second);
      if (it->second.at == tail) break;
    }
    if (order.back().at != tail) return false;
    for (auto it = order.rbegin(); it != order.rend(); ++it)
      if (!apply(*it)) return false;
    return true;
  }

 private:
  static constexpr std::uint64_t kMaxLog = 64 * kMiB;

  std::optional<LogEntry> entry_at(std::uint64_t at) {
    if (file_.little(at, 4) != 0x65676f6c || guid_at(file_, at + 32) != header_.log) return std::nullopt;
    LogEntry entry;
    entry.at = at;
    entry.length = file_.little(at + 8, 4).value_or(0);
    entry.tail = file_.little(at + 12, 4).value_or(0);
    entry.sequence = file_.little(at + 16, 8).value_or(0);
    entry.descriptors = file_.little(at + 24, 8).value_or(0);
    const bool whole = entry.length >= LoggedFile::kSector && entry.length % LoggedFile::kSector == 0 &&
                       entry.length <= header_.log_size;
    if (!whole || !sum_fits(bytes_, at, entry.length)) return std::nullopt;
    return entry;
  }

  // Few descriptors can name much: what is laid over the file stays within what a log can hold.
  bool full() const { return over_.laid() > kMaxLog / LoggedFile::kSector; }

  bool apply(const LogEntry& entry) {
    if (entry.descriptors > (entry.length - 64) / 32) return false;
    const std::uint64_t table =
        (64 + entry.descriptors * 32 + LoggedFile::kSector - 1) / LoggedFile::kSector * LoggedFile::kSector;
    std::uint64_t data = entry.at + table;
    for (std::uint64_t i = 0; i < entry.descriptors; ++i) {
      if (full()) return false;
      const std::uint64_t at = entry.at + 64 + i * 32;
      const auto signature = file_.little(at, 4);
      const std::uint64_t target = file_.little(at + 16, 8).value_or(0);
      if (signature == 0x6f72657a) {  // "zero"
        const std::uint64_t length = file_.little(at + 8, 8).value_or(0);
        if (length > kMaxLog || target % LoggedFile::kSector != 0) return false;
        for (std::uint64_t done = 0; done < length && !full(); done += LoggedFile::kSector)
          over_.lay((target + done) / LoggedFile::kSector, std::vector<std::byte>(LoggedFile::kSector));
      } else if (signature == 0x63736564) {  // "desc": the sector's first 8 and last 4 bytes stand here
        std::vector<std::byte> sector(LoggedFile::kSector);
        const auto got = bytes_.read_at(data, sector);
        if (!got || *got < sector.size() || std::memcmp(sector.data(), "data", 4) != 0) return false;
        std::array<std::byte, 12> ends{};
        if (!file_.read(at + 4, ends)) return false;
        std::memcpy(sector.data() + sector.size() - 4, ends.data(), 4);
        std::memcpy(sector.data(), ends.data() + 4, 8);
        over_.lay(target / LoggedFile::kSector, std::move(sector));
        data += LoggedFile::kSector;
      } else {
        return false;
      }
    }
    return true;
  }

  LogRing bytes_;
  PageReader file_;
  LoggedFile& over_;
  const Header& header_;
};

struct Layout {
  std::uint64_t bat_at = 0, bat_entries = 0, block = 0, sector = 512, size = 0, ratio = 0;
  bool differencing = false;
};

class VhdxImage : public MappedImage {
 public:
  VhdxImage(std::unique_ptr<ByteSource> file, ImageInfo info, const Layout& layout)
      : layout_(layout), table_(*file) {
    info_ = std::move(info);
    add_file(std::move(file));
  }
  void take_parent(std::unique_ptr<ExhibitSource> parent) { set_parent(std::move(parent)); }

 protected:
  Piece find(std::uint64_t offset) override {
    const std::uint64_t number = offset / layout_.block;
    const std::uint64_t within = offset % layout_.block;
    const std::uint64_t rest = layout_.block - within;
    const auto entry = bat(number + number / layout_.ratio);
    if (!entry) return Piece::lost(rest, "the disk's block table does not reach here");
    const std::uint64_t place = (*entry >> 20) * kMiB;
    switch (*entry & 7) {
      case 0:
        return layout_.differencing ? Piece::parent(rest) : Piece::zero(rest);
      case 1:
      case 2:
      case 3:
        return Piece::zero(rest);
      case 6:
        return Piece::stored(0, place + within, rest);
      case 7:
        return find_sector(number, within, place);
      default:
        return Piece::lost(rest, "the disk's block table holds an impossible state");
    }
  }

 private:
  std::optional<std::uint64_t> bat(std::uint64_t index) {
    if (index >= layout_.bat_entries) return std::nullopt;
    return table_.little(layout_.bat_at + index * 8, 8);
  }

  /// Which sectors of the block are this disk's: a bitmap of 1 MiB for each run of blocks, lowest bit first.
  Piece find_sector(std::uint64_t number, std::uint64_t within, std::uint64_t place) {
    const std::uint64_t per_block = layout_.block / layout_.sector;
    const auto map = bat((number / layout_.ratio + 1) * (layout_.ratio + 1) - 1);
    if (!map || (*map & 7) != 6)
      return Piece::lost(layout_.block - within, "the disk's sector bitmap is missing");
    const std::uint64_t bits = (*map >> 20) * kMiB;
    const std::uint64_t base = number % layout_.ratio * per_block;
    const auto own = [&](std::uint64_t sector) {
      const std::uint64_t bit = base + sector;
      return (table_.little(bits + bit / 8, 1).value_or(0) >> (bit % 8) & 1) != 0;
    };
    std::uint64_t sector = within / layout_.sector;
    const bool here = own(sector);
    const std::uint64_t stop = std::min(per_block, sector + kMaxRun);
    for (++sector; sector < stop && own(sector) == here;) ++sector;
    const std::uint64_t length = sector * layout_.sector - within;
    return here ? Piece::stored(0, place + within, length) : Piece::parent(length);
  }

  Layout layout_;
  PageReader table_;
};

struct Region {
  std::uint64_t at = 0, length = 0;
};

Status find_regions(ByteSource& bytes, Region& bat, Region& metadata) {
  PageReader file(bytes);
  for (const std::uint64_t at : {192 * 1024, 256 * 1024}) {
    if (file.little(at, 4) != 0x69676572 || !sum_fits(bytes, at, 64 * 1024)) continue;
    const std::uint64_t count = std::min<std::uint64_t>(file.little(at + 8, 4).value_or(0), 2047);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t entry = at + 16 + i * 32;
      const std::string guid = guid_at(file, entry);
      const Region region{file.little(entry + 16, 8).value_or(0), file.little(entry + 24, 4).value_or(0)};
      if (guid == kBatRegion)
        bat = region;
      else if (guid == kMetadataRegion)
        metadata = region;
      else if ((file.little(entry + 28, 4).value_or(0) & 1) != 0)
        return Error{ErrorCode::unsupported,
                     "is a VHDX disk with a required region that is not known, " + guid};
    }
    if (bat.length > 0 && metadata.length > 0) return {};
  }
  return Error{ErrorCode::corrupt, "is a damaged VHDX disk: neither of its region tables is whole"};
}

struct Metadata {
  std::uint64_t block = 0, flags = 0, size = 0, sector = 512, physical = 0;
  std::string disk_id;
  std::map<std::string, std::string> parent;
};

void read_locator(PageReader& file, std::uint64_t at, std::uint64_t length, Metadata& metadata) {
  const std::uint64_t count = std::min<std::uint64_t>(file.little(at + 18, 2).value_or(0), 64);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = at + 20 + i * 12;
    const auto text = [&](std::uint64_t offset, std::uint64_t size) {
      std::vector<std::byte> raw(std::min<std::uint64_t>(size, 4096));
      return offset + size <= length && file.read(at + offset, raw) ? utf16_text(raw, false) : std::string();
    };
    const std::string key = text(file.little(entry, 4).value_or(0), file.little(entry + 8, 2).value_or(0));
    metadata.parent[key] =
        text(file.little(entry + 4, 4).value_or(0), file.little(entry + 10, 2).value_or(0));
  }
}

Result<Metadata> read_metadata(ByteSource& bytes, const Region& region) {
  PageReader file(bytes);
  Metadata metadata;
  const std::uint64_t at = region.at;
  if (file.little(at, 8) != 0x617461646174656d)
    return Error{ErrorCode::corrupt, "is a damaged VHDX disk: its metadata is missing"};
  const std::uint64_t count = std::min<std::uint64_t>(file.little(at + 10, 2).value_or(0), 2047);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = at + 32 + i * 32;
    const std::string guid = guid_at(file, entry);
    const std::uint64_t place = at + file.little(entry + 16, 4).value_or(0);
    const std::uint64_t length = file.little(entry + 20, 4).value_or(0);
    const std::uint64_t flags = file.little(entry + 24, 4).value_or(0);
    if (guid == kFileParameters) {
      metadata.block = file.little(place, 4).value_or(0);
      metadata.flags = file.little(place + 4, 4).value_or(0);
    } else if (guid == kDiskSize) {
      metadata.size = file.little(place, 8).value_or(0);
    } else if (guid == kLogicalSector) {
      metadata.sector = file.little(place, 4).value_or(0);
    } else if (guid == kPhysicalSector) {
      metadata.physical = file.little(place, 4).value_or(0);
    } else if (guid == kDiskId) {
      metadata.disk_id = guid_at(file, place);
    } else if (guid == kParentLocator) {
      read_locator(file, place, length, metadata);
    } else if ((flags & 4) != 0) {
      return Error{ErrorCode::unsupported,
                   "is a VHDX disk with required metadata that is not known, " + guid};
    }
  }
  const bool sizes = metadata.block >= kMiB && metadata.block <= 256 * kMiB &&
                     (metadata.block & (metadata.block - 1)) == 0 && metadata.size > 0 &&
                     metadata.size <= 64 * kMiB * kMiB && (metadata.sector == 512 || metadata.sector == 4096);
  if (!sizes) return Error{ErrorCode::corrupt, "is a damaged VHDX disk: its metadata holds impossible sizes"};
  return metadata;
}

Result<std::unique_ptr<ExhibitSource>> open_parent_of(const ImageInput& input, const Metadata& metadata,
                                                      ImageInfo& info) {
  std::optional<Error> first_error;
  const auto value = [&](const char* key) {
    const auto found = metadata.parent.find(key);
    return found == metadata.parent.end() ? std::string() : found->second;
  };
  for (const char* key : {"relative_path", "absolute_win32_path", "volume_path"}) {
    if (value(key).empty()) continue;
    auto parent = open_parent(input, value(key));
    if (!parent) {
      if (!first_error) first_error = parent.error();
      continue;
    }
    std::string linkage = value("parent_linkage");
    std::erase_if(linkage, [](char c) { return c == '{' || c == '}'; });
    for (char& c : linkage) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    const auto& meta = (*parent)->info().metadata;
    const auto own = meta.find("data_write_identifier");
    if (own != meta.end() && !linkage.empty() && own->second != linkage)
      add_problem(info, ProblemKind::integrity,
                  "the parent disk was written last as " + own->second + ", the disk builds on " + linkage +
                      ": it is another disk, or was changed since");
    return parent;
  }
  if (first_error) return *first_error;
  return Error{ErrorCode::not_found, "builds on a parent disk whose name is not stored"};
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_vhdx(ImageInput input) {
  const auto header = current_header(*input.bytes);
  if (!header)
    return Error{ErrorCode::corrupt, "is a damaged VHDX disk: neither of its headers fits its checksum"};
  ImageInfo info;
  info.format = "vhdx";
  info.files = {input.name};
  info.metadata["data_write_identifier"] = header->data_write;
  if (header->log != kNoGuid) {
    auto raw = std::move(input.bytes);
    ByteSource& bytes = *raw;
    auto over = std::make_unique<LoggedFile>(std::move(raw));
    const bool replayed = LogReplay(bytes, *over, *header).run();
    add_problem(
        info, ProblemKind::integrity,
        replayed
            ? fmt::format(
                  "the disk was not closed properly: its log was replayed in memory ({} sectors of 4 KiB)",
                  over->laid())
            : "the disk was not closed properly, and its log cannot be replayed: what was written last may "
              "be missing or wrong");
    input.bytes = std::move(over);
  }
  Region bat, region;
  if (Status found = find_regions(*input.bytes, bat, region); !found) return found.error();
  auto metadata = read_metadata(*input.bytes, region);
  if (!metadata) return metadata.error();
  Layout layout;
  layout.bat_at = bat.at;
  layout.bat_entries = bat.length / 8;
  layout.block = metadata->block;
  layout.sector = metadata->sector;
  layout.size = metadata->size;
  layout.ratio = (std::uint64_t{1} << 23) * layout.sector / layout.block;
  layout.differencing = (metadata->flags & 2) != 0;
  info.size = layout.size;
  info.sector_size = static_cast<std::uint32_t>(layout.sector);
  info.metadata["disk_identifier"] = metadata->disk_id;
  std::unique_ptr<ExhibitSource> parent;
  if (layout.differencing) {
    auto opened = open_parent_of(input, *metadata, info);
    if (!opened) return opened.error();
    parent = opened.take();
  }
  auto image = std::make_unique<VhdxImage>(std::move(input.bytes), std::move(info), layout);
  if (parent) image->take_parent(std::move(parent));
  return std::unique_ptr<ExhibitSource>(std::move(image));
}

}  // namespace touchstone

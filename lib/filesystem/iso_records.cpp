#include "filesystem/iso_records.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "evidence/integers.hpp"

namespace touchstone::iso {
namespace {

constexpr std::size_t kFixed = 33;      // bytes of a record before its name
constexpr int kMaxAreas = 16;           // of one record, one leading to the next
constexpr std::size_t kMaxName = 4096;  // of a name or a link's target put together
constexpr TimeUs kMicro = 1'000'000;

std::optional<TimeUs> time_of(int year, int month, int day, int hour, int minute, int second, int quarters) {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return (static_cast<TimeUs>(::timegm(&parts)) - quarters * 900) * kMicro;
}

int small(std::byte byte) {
  return std::to_integer<int>(byte);
}

int signed_small(std::byte byte) {
  return static_cast<std::int8_t>(std::to_integer<unsigned>(byte));
}

/// Seventeen bytes: digits YYYYMMDDHHMMSScc and the zone.
std::optional<TimeUs> long_time(std::span<const std::byte> bytes) {
  std::array<int, 16> digit{};
  for (std::size_t i = 0; i < digit.size(); ++i) {
    digit[i] = small(bytes[i]) - '0';
    if (digit[i] < 0 || digit[i] > 9) return std::nullopt;
  }
  const auto two = [&](std::size_t at) { return digit[at] * 10 + digit[at + 1]; };
  auto time =
      time_of(two(0) * 100 + two(2), two(4), two(6), two(8), two(10), two(12), signed_small(bytes[16]));
  if (time) *time += two(14) * 10'000;
  return time;
}

/// UCS-2, big-endian; what stands beyond the basic plane comes as surrogates.
std::string joliet_text(std::span<const std::byte> bytes) {
  std::string text;
  const auto put = [&](std::uint32_t code) {
    if (code < 0x80) {
      text.push_back(static_cast<char>(code));
      return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::array<std::uint32_t, 4> kLead = {0, 0xc0, 0xe0, 0xf0};
    text.push_back(static_cast<char>(kLead[static_cast<std::size_t>(more)] | code >> (6 * more)));
    for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3f)));
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    auto unit = static_cast<std::uint32_t>(big(bytes, i, 2));
    const auto next = static_cast<std::uint32_t>(big(bytes, i + 2, 2));
    if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      unit = 0x10000 + ((unit - 0xd800) << 10 | (next - 0xdc00));
      i += 2;
    } else if (unit >= 0xd800 && unit < 0xe000) {
      unit = 0xfffd;
    }
    put(unit);
  }
  return text;
}

/// Without the version ";1" and the dot of a name without an extension.
std::string plain_name(std::string text, bool joliet) {
  if (const std::size_t at = text.rfind(';');
      at != std::string::npos && at > 0 && text.find_first_not_of("0123456789", at + 1) == std::string::npos)
    text.resize(at);
  if (!joliet && text.size() > 1 && text.ends_with('.')) text.pop_back();
  return text;
}

class Areas {
 public:
  Areas(RockRidge& rock, ByteSource& volume, std::uint64_t block_size)
      : rock_(rock), volume_(volume), block_size_(block_size) {}

  void read(std::span<const std::byte> area) {
    std::vector<std::byte> held;
    for (int i = 0; i < kMaxAreas; ++i) {
      next_size_ = 0;
      // What follows the entries of the record itself may be somebody else's; an area of its own holds no
      // others.
      if (!entries(area) && i > 0) rock_.cut = true;
      if (next_size_ == 0) return;
      if (next_size_ > block_size_) break;
      held.resize(static_cast<std::size_t>(next_size_));
      const auto got = volume_.read_at(next_, held);
      if (!got || *got < held.size()) break;
      area = held;
    }
    rock_.cut = true;
  }

 private:
  /// False if what stands there is no list of entries.
  bool entries(std::span<const std::byte> area) {
    while (area.size() >= 4) {
      const auto length = static_cast<std::size_t>(small(area[2]));
      if (length < 4 || length > area.size()) return length == 0 && small(area[0]) == 0;
      const std::string sign = {static_cast<char>(area[0]), static_cast<char>(area[1])};
      if (sign == "ST") return true;
      take(sign, area.first(length));
      area = area.subspan(length);
    }
    return true;
  }

  void take(const std::string& sign, std::span<const std::byte> entry) {
    const auto number = [&](std::size_t at) { return static_cast<std::uint32_t>(little(entry, at, 4)); };
    if (sign == "CE" && entry.size() >= 28) {
      next_ = number(4) * block_size_ + number(12);
      next_size_ = number(20);
    } else if (sign == "NM" && entry.size() >= 5) {
      if ((small(entry[4]) & 6) == 0) append(rock_.name, entry.subspan(5));
    } else if (sign == "PX" && entry.size() >= 36) {
      rock_.mode = number(4);
      rock_.links = number(12);
      rock_.uid = number(20);
      rock_.gid = number(28);
    } else if (sign == "SL" && entry.size() >= 5) {
      components(entry.subspan(5));
    } else if (sign == "TF" && entry.size() >= 5) {
      times(entry);
    } else if (sign == "CL" && entry.size() >= 12) {
      rock_.child = number(4);
    } else if (sign == "RE") {
      rock_.moved = true;
    } else if (sign == "ZF" && entry.size() >= 16 && small(entry[4]) == 'p' && small(entry[5]) == 'z') {
      rock_.compressed = true;
      rock_.unpacked_size = number(8);
    }
  }

  void append(std::string& text, std::span<const std::byte> bytes) {
    if (text.size() + bytes.size() > kMaxName) {
      rock_.cut = true;
      return;
    }
    for (const std::byte byte : bytes) text.push_back(static_cast<char>(byte));
  }

  /// Parts of a link's target; one that is continued goes on in the next without a slash.
  void components(std::span<const std::byte> area) {
    constexpr int kContinue = 1, kCurrent = 2, kParent = 4, kRoot = 8;
    while (area.size() >= 2) {
      const int flags = small(area[0]);
      const auto length = static_cast<std::size_t>(small(area[1]));
      if (length > area.size() - 2) return;
      std::string& target = rock_.link_target;
      if (!continued_ && !target.empty() && !target.ends_with('/')) target += '/';
      if ((flags & kCurrent) != 0) target += '.';
      if ((flags & kParent) != 0) target += "..";
      if ((flags & kRoot) != 0) target = "/";
      append(target, area.subspan(2, length));
      continued_ = (flags & kContinue) != 0;
      area = area.subspan(2 + length);
    }
  }

  void times(std::span<const std::byte> entry) {
    const int flags = small(entry[4]);
    const std::size_t size = (flags & 0x80) != 0 ? 17 : 7;
    std::size_t at = 5;
    const std::array<std::optional<TimeUs>*, 4> fields = {&rock_.created, &rock_.modified, &rock_.accessed,
                                                          &rock_.changed};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if ((flags >> i & 1) == 0) continue;
      if (at + size > entry.size()) return;
      *fields[i] = size == 7 ? record_time(entry.subspan(at, size)) : long_time(entry.subspan(at, size));
      at += size;
    }
  }

  RockRidge& rock_;
  ByteSource& volume_;
  std::uint64_t block_size_;
  std::uint64_t next_ = 0, next_size_ = 0;
  bool continued_ = false;
};

/// Where the system use area begins: behind the name, at an even place.
std::size_t use_area(std::span<const std::byte> record) {
  const auto name = static_cast<std::size_t>(small(record[32]));
  return kFixed + name + (name % 2 == 0 ? 1 : 0);
}

}  // namespace

std::optional<TimeUs> record_time(std::span<const std::byte> bytes) {
  if (bytes.size() < 7) return std::nullopt;
  return time_of(1900 + small(bytes[0]), small(bytes[1]), small(bytes[2]), small(bytes[3]), small(bytes[4]),
                 small(bytes[5]), signed_small(bytes[6]));
}

std::optional<std::size_t> susp_skip(std::span<const std::byte> bytes) {
  const std::size_t length = bytes.empty() ? 0 : static_cast<std::size_t>(small(bytes[0]));
  if (length < kFixed + 1 || length > bytes.size()) return std::nullopt;
  const auto record = bytes.first(length);
  const std::size_t at = use_area(record);
  // Discs in the XA form have 14 bytes of their own first.
  for (const std::size_t start : {at, at + 14}) {
    if (start + 7 > record.size()) continue;
    const bool is_sp = small(record[start]) == 'S' && small(record[start + 1]) == 'P' &&
                       small(record[start + 4]) == 0xbe && small(record[start + 5]) == 0xef;
    if (is_sp) return static_cast<std::size_t>(small(record[start + 6]));
  }
  return std::nullopt;
}

std::optional<DirectoryRecord> parse_record(std::span<const std::byte> bytes, const Dialect& dialect,
                                            ByteSource& volume) {
  constexpr int kHidden = 1, kDirectory = 2, kMore = 0x80;
  const std::size_t length = bytes.empty() ? 0 : static_cast<std::size_t>(small(bytes[0]));
  if (length < kFixed + 1 || length > bytes.size()) return std::nullopt;
  const auto raw = bytes.first(length);
  const auto name_size = static_cast<std::size_t>(small(raw[32]));
  if (name_size == 0 || kFixed + name_size > length) return std::nullopt;
  DirectoryRecord record;
  record.attribute_blocks = static_cast<std::uint32_t>(small(raw[1]));
  record.block = static_cast<std::uint32_t>(little(raw, 2, 4));
  record.size = static_cast<std::uint32_t>(little(raw, 10, 4));
  record.recorded = record_time(raw.subspan(18, 7));
  const int flags = small(raw[25]);
  record.hidden = (flags & kHidden) != 0;
  record.directory = (flags & kDirectory) != 0;
  record.more = (flags & kMore) != 0;
  record.interleaved = small(raw[26]) != 0 || small(raw[27]) != 0;
  const auto name = raw.subspan(kFixed, name_size);
  record.itself = name_size == 1 && small(name[0]) == 0;
  record.parent = name_size == 1 && small(name[0]) == 1;
  if (record.itself || record.parent) return record;
  std::string text = dialect.joliet ? joliet_text(name)
                                    : std::string(reinterpret_cast<const char*>(name.data()), name.size());
  record.name = plain_name(std::move(text), dialect.joliet);
  const std::size_t area = use_area(raw) + dialect.skip;
  if (dialect.rock_ridge && area < length) {
    Areas(record.rock, volume, dialect.block_size).read(raw.subspan(area));
    if (!record.rock.name.empty()) record.name = record.rock.name;
  }
  return record;
}

}  // namespace touchstone::iso

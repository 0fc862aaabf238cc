#include "filesystem/time_zone.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstring>

#include "evidence/byte_source.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::uint64_t kMaxFile = 1 << 20;

std::int64_t big_endian(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = std::to_integer<std::uint8_t>(at[0]) & 0x80 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
  return static_cast<std::int64_t>(value);
}

/// The six counts of a TZif header and the size of the block that follows (RFC 8536, 3.1 and 3.2).
struct Header {
  std::uint64_t isut = 0, isstd = 0, leap = 0, time = 0, type = 0, chars = 0;
  std::uint64_t block_size(std::uint64_t time_size) const {
    return time * time_size + time + type * 6 + chars + leap * (time_size + 4) + isstd + isut;
  }
};

bool read_header(std::span<const std::byte> bytes, Header& header) {
  if (bytes.size() < kHeaderSize || std::memcmp(bytes.data(), "TZif", 4) != 0) return false;
  const auto count = [&](std::size_t at) {
    return static_cast<std::uint64_t>(big_endian(bytes.data() + at, 4)) & 0xffffffffU;
  };
  header = {count(20), count(24), count(28), count(32), count(36), count(40)};
  return header.type > 0 && header.time < kMaxFile && header.type < 256 && header.chars < kMaxFile &&
         header.leap < kMaxFile && header.isstd <= header.type && header.isut <= header.type;
}

/// Reads the TZ string's pieces from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool skip(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool name() {
    if (skip('<')) {
      const auto end = text_.find('>');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      return true;
    }
    std::size_t length = 0;
    while (length < text_.size() && std::isalpha(static_cast<unsigned char>(text_[length])) != 0) ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  bool number(int& value) {
    std::size_t length = 0;
    value = 0;
    while (length < text_.size() && length < 4 &&
           std::isdigit(static_cast<unsigned char>(text_[length])) != 0) {
      value = value * 10 + (text_[length++] - '0');
    }
    text_.remove_prefix(length);
    return length > 0;
  }
  bool time(std::int32_t& seconds) {
    const int sign = skip('-') ? -1 : 1;
    if (sign > 0) skip('+');
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    if (!number(hours)) return false;
    if (skip(':') && !number(minutes)) return false;
    if (skip(':') && !number(rest)) return false;
    seconds = sign * (hours * 3600 + minutes * 60 + rest);
    return true;
  }

 private:
  std::string_view text_;
};

}  // namespace

Result<TimeZone> TimeZone::load(const std::string& name) {
  const bool plain = !name.empty() && name.size() < 100 && name.front() != '/' &&
                     name.find("..") == std::string::npos &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
                     });
  if (!plain) return Error{ErrorCode::invalid, "\"" + name + "\" is not the name of a time zone"};
  auto file = open_file_source("/usr/share/zoneinfo/" + name);
  if (!file || (*file)->size() > kMaxFile) {
    return Error{ErrorCode::invalid, "time zone " + name + " is not known here (package tzdata)"};
  }
  std::vector<std::byte> bytes((*file)->size());
  const auto got = (*file)->read_at(0, bytes);
  if (!got) return got.error();
  auto zone = parse(std::span(bytes).first(*got));
  if (!zone) return Error{ErrorCode::invalid, "time zone " + name + ": " + zone.error().message};
  return zone;
}

Result<TimeZone> TimeZone::parse(std::span<const std::byte> bytes) {
  const Error damaged{ErrorCode::invalid, "the zone file is damaged"};
  Header header;
  if (!read_header(bytes, header)) return damaged;
  std::uint64_t time_size = 4;
  if (bytes[4] >= std::byte{'2'}) {
    // Version 2 and later repeat everything with 64-bit times behind the first block.
    const std::uint64_t first = kHeaderSize + header.block_size(4);
    if (first > bytes.size() || !read_header(bytes.subspan(first), header)) return damaged;
    bytes = bytes.subspan(first);
    time_size = 8;
  }
  const std::uint64_t size = kHeaderSize + header.block_size(time_size);
  if (size > bytes.size()) return damaged;

  TimeZone zone;
  const std::byte* times = bytes.data() + kHeaderSize;
  const std::byte* indexes = times + header.time * time_size;
  const std::byte* types = indexes + header.time;
  const auto offset_of = [&](std::size_t type) {
    return static_cast<std::int32_t>(big_endian(types + 6 * type, 4));
  };
  zone.first_offset_ = offset_of(0);
  for (std::uint64_t i = 0; i < header.time; ++i) {
    const auto type = std::to_integer<std::size_t>(indexes[i]);
    const std::int64_t at = big_endian(times + i * time_size, time_size);
    if (type >= header.type || (i > 0 && at <= zone.transitions_.back())) return damaged;
    zone.transitions_.push_back(at);
    zone.offsets_.push_back(offset_of(type));
  }
  if (time_size == 8) {
    std::string footer;
    for (const std::byte byte : bytes.subspan(size)) footer.push_back(static_cast<char>(byte));
    if (footer.size() >= 2 && footer.front() == '\n' && footer.find('\n', 1) != std::string::npos) {
      zone.has_rule_ = zone.parse_footer(std::string_view(footer).substr(1, footer.find('\n', 1) - 1));
    }
  }
  return zone;
}

bool TimeZone::parse_footer(std::string_view text) {
  Cursor cursor(text);
  std::int32_t west = 0;
  if (!cursor.name() || !cursor.time(west)) return false;
  standard_ = -west;
  has_dst_ = false;
  if (cursor.done()) return true;
  if (!cursor.name()) return false;
  summer_ = standard_ + 3600;
  if (!cursor.skip(',')) {
    if (!cursor.time(west) || !cursor.skip(',')) return false;
    summer_ = -west;
  }
  const auto change = [&](Change& out) {
    out.seconds = 7200;
    return cursor.skip('M') && cursor.number(out.month) && cursor.skip('.') && cursor.number(out.week) &&
           cursor.skip('.') && cursor.number(out.day) && (!cursor.skip('/') || cursor.time(out.seconds)) &&
           out.month >= 1 && out.month <= 12 && out.week >= 1 && out.week <= 5 && out.day <= 6;
  };
  has_dst_ = change(to_summer_) && cursor.skip(',') && change(to_standard_);
  return has_dst_;
}

std::int64_t TimeZone::change_time(const Change& change, std::int64_t year, std::int32_t offset_before) {
  using namespace std::chrono;
  const auto y = std::chrono::year(static_cast<int>(year));
  const auto m = std::chrono::month(static_cast<unsigned>(change.month));
  const auto d = std::chrono::weekday(static_cast<unsigned>(change.day));
  const sys_days date =
      change.week == 5 ? sys_days(y / m / d[last]) : sys_days(y / m / d[static_cast<unsigned>(change.week)]);
  return duration_cast<seconds>(date.time_since_epoch()).count() + change.seconds - offset_before;
}

std::int32_t TimeZone::offset_at(std::int64_t utc) const {
  if (transitions_.empty() || utc < transitions_.front()) {
    if (!transitions_.empty() || !has_rule_) return first_offset_;
  } else if (utc < transitions_.back() || !has_rule_) {
    const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc);
    return offsets_[static_cast<std::size_t>(after - transitions_.begin()) - 1];
  }
  if (!has_dst_) return standard_;
  using namespace std::chrono;
  // Far beyond any real time; keeps the calendar inside its range.
  constexpr std::int64_t kYearZero = -62167219200;
  constexpr std::int64_t kYear9999 = 253402300799;
  const std::int64_t local = std::clamp(utc + standard_, kYearZero, kYear9999);
  const year_month_day date(floor<days>(sys_seconds(seconds(local))));
  const int year = static_cast<int>(date.year());
  const std::int64_t summer_from = change_time(to_summer_, year, standard_);
  const std::int64_t summer_to = change_time(to_standard_, year, summer_);
  const bool summer =
      summer_from < summer_to ? utc >= summer_from && utc < summer_to : utc >= summer_from || utc < summer_to;
  return summer ? summer_ : standard_;
}

std::int64_t TimeZone::to_utc(std::int64_t local) const {
  // Offsets a day to either side are the only ones that can hold; the larger one gives the earlier instant.
  constexpr std::int64_t kDay = 86400;
  const std::int32_t before = offset_at(local - kDay);
  const std::int32_t after = offset_at(local + kDay);
  for (const std::int32_t offset : {std::max(before, after), std::min(before, after)}) {
    if (offset_at(local - offset) == offset) return local - offset;
  }
  return local - before;
}

}  // namespace touchstone

#include "evidence/ewf2_segments.hpp"

#include <bzlib.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/ewf_layout.hpp"
#include "evidence/inflate.hpp"
#include "evidence/integers.hpp"
#include "evidence/text_decode.hpp"

namespace touchstone::ewf2 {
namespace {

constexpr std::size_t kFileHeader = 32;
constexpr std::size_t kDescriptor = 64;
constexpr std::size_t kTableHeader = 32;  ///< with its padding
constexpr std::size_t kTableEntry = 16;
constexpr std::uint32_t kMaxSections = 1'000'000;
constexpr std::uint32_t kMaxSegments = 99 + 3 * 26 * 26;
constexpr std::uint32_t kLookAhead = 200;
constexpr std::uint64_t kMaxText = std::uint64_t{4} << 20;
constexpr std::uint64_t kMaxErrors = 65536;
constexpr std::size_t kMaxFaults = 100;
constexpr std::uint32_t kEncrypted = 2;

enum Type : std::uint32_t {
  kDevice = 1,
  kCase = 2,
  kSectorTable = 4,
  kErrorTable = 5,
  kMd5 = 8,
  kSha1 = 9,
  kKeys = 0xb,
  kNext = 0xd,
  kDone = 0xf,
};

struct Section {
  std::uint32_t type = 0, flags = 0;
  std::uint64_t at = 0;  ///< of its descriptor
  std::uint64_t previous = 0, data = 0, size = 0, padding = 0;
};

std::optional<Section> parse(std::span<const std::byte> bytes, std::uint64_t at) {
  if (!ewf::checksum_fits(bytes) || little(bytes, 24, 4) != kDescriptor) return std::nullopt;
  Section section;
  section.type = static_cast<std::uint32_t>(little(bytes, 0, 4));
  section.flags = static_cast<std::uint32_t>(little(bytes, 4, 4));
  section.previous = little(bytes, 8, 8);
  section.size = little(bytes, 16, 8);
  section.padding = little(bytes, 28, 4);
  section.at = at;
  if (at < kFileHeader || section.size > at - kFileHeader) return std::nullopt;
  section.data = at - section.size;
  return section;
}

std::optional<Section> section_at(ByteSource& file, std::uint64_t at) {
  std::array<std::byte, kDescriptor> bytes{};
  if (at > file.size() || file.size() - at < kDescriptor) return std::nullopt;
  const auto got = file.read_at(at, bytes);
  if (!got || *got < bytes.size()) return std::nullopt;
  return parse(bytes, at);
}

/// The last whole descriptor before the end of the file.
std::optional<Section> last_section(ByteSource& file) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
  if (file.size() < kFileHeader + kDescriptor) return std::nullopt;
  if (auto last = section_at(file, file.size() - kDescriptor)) return last;
  std::vector<std::byte> block;
  for (std::uint64_t to = file.size(); to > kFileHeader;) {
    const std::uint64_t from = to > kFileHeader + kBlock ? to - kBlock : kFileHeader;
    // Descriptors that begin in this block may end behind it.
    block.resize(std::min<std::uint64_t>(to - from + kDescriptor - 1, file.size() - from));
    const auto got = file.read_at(from, block);
    if (!got || *got < block.size()) return std::nullopt;
    for (std::size_t at = block.size() < kDescriptor ? 0 : block.size() - kDescriptor + 1; at-- > 0;) {
      if (block[at + 24] != std::byte{kDescriptor} || little(block, at + 48, 8) != 0) continue;
      if (auto found = parse(std::span(block).subspan(at, kDescriptor), from + at)) return found;
    }
    to = from;
  }
  return std::nullopt;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (parts.size() < 1000) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

/// An object in text: how many there are, its name, its tags, their values.
std::map<std::string, std::string> attributes(std::string_view text) {
  std::map<std::string, std::string> all;
  const auto lines = split(text, '\n');
  if (lines.size() < 4) return all;
  const auto tags = split(lines[2], '\t');
  const auto values = split(lines[3], '\t');
  for (std::size_t i = 0; i < std::min(tags.size(), values.size()); ++i) {
    std::string value(values[i]);
    // Line feed, carriage return and tab inside a value.
    std::replace(value.begin(), value.end(), '\1', '\n');
    std::replace(value.begin(), value.end(), '\2', '\r');
    std::replace(value.begin(), value.end(), '\3', '\t');
    if (!value.empty()) all[std::string(tags[i])] = value.substr(0, 64 * 1024);
  }
  return all;
}

/// Text of unknown size: room for it grows until it fits.
std::optional<std::string> unpack_text(Method method, std::span<const std::byte> packed) {
  if (method == Method::none) return std::string(reinterpret_cast<const char*>(packed.data()), packed.size());
  for (std::size_t room = 64 * 1024; room <= 4 * kMaxText; room *= 4) {
    std::string text(room, '\0');
    const auto out = std::as_writable_bytes(std::span(text));
    if (method == Method::zlib) {
      Inflater inflater;
      const auto done = inflater.zlib(packed, out);
      if (!done) continue;
      text.resize(done->produced);
      return text;
    }
    auto produced = static_cast<unsigned int>(room);
    // The function takes its input as writable and leaves it alone.
    auto* from = const_cast<char*>(reinterpret_cast<const char*>(packed.data()));
    if (BZ2_bzBuffToBuffDecompress(text.data(), &produced, from, static_cast<unsigned int>(packed.size()), 0,
                                   0) != BZ_OK)
      continue;
    text.resize(produced);
    return text;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(ByteSource& file, std::uint32_t number, Segment& segment)
      : file_(file), number_(number), segment_(segment) {}

  void take(const Section& section) {
    if ((section.flags & kEncrypted) != 0 || section.type == kKeys) segment_.encrypted = true;
    if (segment_.encrypted) return;
    switch (section.type) {
      case kDevice:
        take_text(section, "device information", segment_.device);
        break;
      case kCase:
        take_text(section, "case data", segment_.acquisition);
        break;
      case kSectorTable:
        take_table(section);
        break;
      case kErrorTable:
        take_errors(section);
        break;
      case kMd5:
        segment_.md5 = take_hash(section, 16);
        break;
      case kSha1:
        segment_.sha1 = take_hash(section, 20);
        break;
      default:
        break;
    }
  }

 private:
  std::vector<std::byte> content(std::uint64_t at, std::uint64_t size) {
    if (at > file_.size() || size > file_.size() - at) return {};
    std::vector<std::byte> bytes(size);
    const auto got = file_.read_at(at, bytes);
    if (!got || *got < size) bytes.clear();
    return bytes;
  }

  void fault(const Section& section, const std::string& what) {
    if (segment_.faults.size() < kMaxFaults)
      segment_.faults.push_back(fmt::format("its section at byte {}: {}", section.data, what));
  }

  void take_text(const Section& section, const char* what, std::map<std::string, std::string>& values) {
    const auto text = section.size > kMaxText
                          ? std::nullopt
                          : unpack_text(segment_.method, content(section.data, section.size));
    if (!text) {
      fault(section, std::string(what) + " is damaged");
      return;
    }
    values = attributes(utf16_text(std::as_bytes(std::span(*text)), false));
    if (values.empty()) fault(section, std::string(what) + " cannot be understood");
  }

  void take_table(const Section& section) {
    const auto header = content(section.data, std::min<std::uint64_t>(section.size, kTableHeader));
    if (header.size() < kTableHeader) return fault(section, "a sector table is cut short");
    Table table;
    table.first = little(header, 0, 8);
    table.count = little(header, 8, 4);
    table.entries = section.data + kTableHeader;
    table.file = number_;
    const std::uint64_t room = (section.size - kTableHeader) / kTableEntry;
    const bool sound = ewf::checksum_fits(std::span(header).first(20));
    if (!sound) fault(section, "the checksum of a sector table is wrong");
    if (table.count > room) {
      fault(section, "a sector table lists more chunks than it has room for");
      table.count = room;
    }
    if (table.first > UINT64_MAX - table.count) return fault(section, "a sector table has no possible place");
    if (table.count > 0) segment_.tables.push_back(table);
  }

  void take_errors(const Section& section) {
    const auto header = content(section.data, std::min<std::uint64_t>(section.size, kTableHeader));
    if (header.size() < kTableHeader || !ewf::checksum_fits(std::span(header).first(20)))
      return fault(section, "the list of read errors is damaged and left out");
    const std::uint64_t room = (section.size - kTableHeader) / kTableEntry;
    const std::uint64_t count = std::min({little(header, 0, 4), room, kMaxErrors});
    const auto entries = content(section.data + kTableHeader, count * kTableEntry);
    for (std::size_t at = 0; at + kTableEntry <= entries.size(); at += kTableEntry)
      segment_.read_errors.emplace_back(little(entries, at, 8), little(entries, at + 8, 4));
  }

  std::string take_hash(const Section& section, std::size_t size) {
    const auto bytes = content(section.data, std::min<std::uint64_t>(section.size, size + 4));
    if (bytes.size() < size + 4) return "";
    if (!ewf::checksum_fits(bytes)) fault(section, "the stored hash there may be damaged");
    return hex(std::span(bytes).first(size));
  }

  ByteSource& file_;
  std::uint32_t number_;
  Segment& segment_;
};

Result<Segment> inspect(ByteSource& file, std::uint32_t file_number) {
  std::array<std::byte, kFileHeader> header{};
  const auto got = file.read_at(0, header);
  if (!got) return got.error();
  if (*got < header.size() || std::memcmp(header.data(), "EVF2\x0d\x0a\x81\x00", 8) != 0)
    return Error{ErrorCode::corrupt, "does not begin as a segment of an Ex01 image"};
  if (header[8] != std::byte{2})
    return Error{ErrorCode::unsupported,
                 fmt::format("is an EWF image of version {}.{}, which is not known",
                             std::to_integer<int>(header[8]), std::to_integer<int>(header[9]))};
  Segment segment;
  const auto method = little(header, 10, 2);
  if (method > 2)
    return Error{ErrorCode::unsupported,
                 fmt::format("is an Ex01 image compressed by method {}, which is not known", method)};
  segment.method = static_cast<Method>(method);
  segment.number = static_cast<std::uint32_t>(little(header, 12, 4));
  segment.set_identifier = hex(std::span(header).subspan(16, 16));
  auto section = last_section(file);
  if (!section) return Error{ErrorCode::corrupt, "is damaged: none of its sections can be found"};
  if (section->at == file.size() - kDescriptor && section->type == kNext) segment.end = Segment::End::next;
  if (section->at == file.size() - kDescriptor && section->type == kDone) segment.end = Segment::End::done;
  if (segment.end == Segment::End::cut)
    segment.faults.push_back(
        fmt::format("it is cut short or damaged behind byte {}", section->at + kDescriptor));
  Reader reader(file, file_number, segment);
  for (std::uint32_t count = 0; section && count < kMaxSections; ++count) {
    reader.take(*section);
    if (section->previous == 0) break;
    const std::uint64_t previous = section->previous;
    const bool back = previous < section->at;
    section = back ? section_at(file, previous) : std::nullopt;
    if (!section)
      segment.faults.push_back(fmt::format("its chain of sections breaks off at byte {}", previous));
  }
  return segment;
}

}  // namespace

std::optional<std::string> segment_name(const std::string& first, std::uint32_t number) {
  const std::size_t size = first.size();
  if (size < 5 || number < 1 || number > kMaxSegments) return std::nullopt;
  const bool fits = first[size - 5] == '.' && (first[size - 4] | 0x20) == 'e' &&
                    (first[size - 3] | 0x20) == 'x' && first.compare(size - 2, 2, "01") == 0;
  if (!fits) return std::nullopt;
  std::string name = first;
  if (number <= 99) {
    name[size - 2] = static_cast<char>('0' + number / 10);
    name[size - 1] = static_cast<char>('0' + number % 10);
    return name;
  }
  const std::uint32_t index = number - 100;
  name[size - 3] = static_cast<char>(name[size - 3] + static_cast<int>(index / 676));
  name[size - 2] = static_cast<char>('A' + index / 26 % 26);
  name[size - 1] = static_cast<char>('A' + index % 26);
  return name;
}

bool unpack_bzip2(std::span<const std::byte> packed, std::span<std::byte> out) {
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return false;
  stream.next_out = reinterpret_cast<char*>(out.data());
  stream.avail_out = static_cast<unsigned int>(out.size());
  // A block may stand without the head of its stream, and without its end.
  std::array<char, 4> head = {'B', 'Z', 'h', '9'};
  int state = BZ_OK;
  if (packed.size() >= 2 && packed[0] == std::byte{0x31} && packed[1] == std::byte{0x41}) {
    stream.next_in = head.data();
    stream.avail_in = head.size();
    state = BZ2_bzDecompress(&stream);
  }
  stream.next_in = const_cast<char*>(reinterpret_cast<const char*>(packed.data()));
  stream.avail_in = static_cast<unsigned int>(packed.size());
  while (state == BZ_OK && stream.avail_out > 0) {
    const unsigned int before = stream.avail_in, room = stream.avail_out;
    state = BZ2_bzDecompress(&stream);
    if (before == stream.avail_in && room == stream.avail_out) break;
  }
  const bool filled = stream.avail_out == 0 && (state == BZ_OK || state == BZ_STREAM_END);
  BZ2_bzDecompressEnd(&stream);
  return filled;
}

Result<Set> find_set(ImageInput& input) {
  Set set;
  auto first = inspect(*input.bytes, 0);
  if (!first) return first.error();
  if (first->number != 1) {
    return Error{ErrorCode::corrupt,
                 fmt::format("is segment {} of an Ex01 image: give the first of the set", first->number)};
  }
  const std::string set_identifier = first->set_identifier;
  set.files.push_back({input.name, std::move(input.bytes), first.take()});
  std::uint32_t missing = 0, first_missing = 0;
  for (std::uint32_t number = 2; set.files.back().segment.end != Segment::End::done; ++number) {
    const auto name = segment_name(input.name, number);
    auto bytes = name ? input.open_sibling(*name) : nullptr;
    if (!name || (!bytes && missing + 1 > kLookAhead)) break;
    auto segment = bytes ? inspect(*bytes, static_cast<std::uint32_t>(set.files.size()))
                         : Result<Segment>(Error{ErrorCode::not_found, ""});
    std::string wrong;
    if (bytes && !segment) wrong = segment.error().message;
    if (segment && segment->number != number)
      wrong = fmt::format("says that it is segment {}", segment->number);
    if (segment && segment->set_identifier != set_identifier) wrong = "belongs to another set";
    if (!wrong.empty()) set.troubles.push_back(*name + " " + wrong + "; it is not used");
    if (!bytes || !wrong.empty()) {
      if (missing++ == 0) first_missing = number;
      continue;
    }
    if (missing > 0)
      set.missing.push_back(fmt::format("{} segments from {} on are missing", missing,
                                        *segment_name(input.name, first_missing)));
    missing = 0;
    set.files.push_back({*name, std::move(bytes), segment.take()});
  }
  const File& last = set.files.back();
  if (last.segment.end == Segment::End::next && missing > 0)
    set.missing.push_back(*segment_name(input.name, first_missing) + " is missing: " + last.name +
                          " says more follow");
  return set;
}

}  // namespace touchstone::ewf2

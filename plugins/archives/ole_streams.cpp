#include "ole_streams.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace touchstone::archives {
namespace {

using namespace std::string_view_literals;

/// Far more than the largest sheet has; headers of no length would be as many as a quarter of the bytes.
constexpr std::uint64_t kMaxRecords = 4'000'000;
constexpr std::string_view kJpeg = "\xFF\xD8\xFF"sv, kPng = "\x89PNG\r\n\x1A\n"sv;

std::uint64_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8U) | bytes[at + i];
  return value;
}

bool begins(std::span<const std::uint8_t> bytes, std::string_view with) {
  return bytes.size() >= with.size() && std::memcmp(bytes.data(), with.data(), with.size()) == 0;
}

std::optional<std::int64_t> time_of(std::uint64_t file_time) {
  constexpr std::int64_t kFrom1601 = 11'644'473'600LL * 1'000'000;
  if (file_time == 0 || file_time / 10 > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(file_time / 10) - kFrom1601;
}

}  // namespace

std::map<std::string, CatalogEntry> parse_catalog(const std::vector<std::uint8_t>& bytes) {
  constexpr std::size_t kHeaderBytes = 16, kEntryHead = 16, kMost = 100'000;
  std::map<std::string, CatalogEntry> entries;
  const std::size_t first = little(bytes, 0, 2);
  for (std::size_t at = first < kHeaderBytes ? kHeaderBytes : first; entries.size() < kMost;) {
    const std::size_t size = little(bytes, at, 4);
    if (at + kEntryHead > bytes.size() || size < kEntryHead || size > bytes.size() - at) break;
    const std::uint64_t number = little(bytes, at + 4, 4);
    CatalogEntry entry;
    entry.modified = time_of(little(bytes, at + 8, 8));
    std::u16string name;
    for (std::size_t i = at + kEntryHead; i + 1 < at + size; i += 2) {
      const auto unit = static_cast<char16_t>(little(bytes, i, 2));
      if (unit == 0) break;
      name.push_back(unit);
    }
    entry.name = utf8_of(name);
    std::string stream = std::to_string(number);
    std::reverse(stream.begin(), stream.end());
    if (!entry.name.empty()) entries.emplace(std::move(stream), std::move(entry));
    at += size;
  }
  return entries;
}

std::string_view picture_ending(std::span<const std::uint8_t> head) {
  if (begins(head, kJpeg)) return "jpg";
  if (begins(head, kPng)) return "png";
  if (begins(head, "GIF8"sv)) return "gif";
  // The header's two reserved numbers are zero: two letters alone would be found anywhere.
  if (head.size() >= 10 && begins(head, "BM"sv) && little(head, 6, 4) == 0) return "bmp";
  return {};
}

std::optional<std::uint64_t> thumbnail_offset(const CompoundFile::Stream& stream) {
  std::array<std::uint8_t, 128> head{};
  const std::int64_t got = stream.read_at(0, head);
  const auto bytes = std::span(head).first(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  // The header's size stands first: 12 bytes in XP, 16 or 24 in others.
  const std::uint64_t stated = little(bytes, 0, 4);
  if (stated <= 64 && stated < bytes.size() && !picture_ending(bytes.subspan(stated)).empty()) return stated;
  return std::nullopt;
}

std::optional<Package> parse_package(const CompoundFile::Stream& stream) {
  std::vector<std::uint8_t> head(2048);
  const std::int64_t got = stream.read_at(0, head);
  head.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  std::size_t at = 6;  // behind the size of all and the kind
  const auto text = [&]() -> std::optional<std::string> {
    const auto end = std::find(head.begin() + static_cast<std::ptrdiff_t>(std::min(at, head.size())),
                               head.end(), std::uint8_t{0});
    if (end == head.end()) return std::nullopt;
    std::string out(head.begin() + static_cast<std::ptrdiff_t>(at), end);
    at += out.size() + 1;
    return out;
  };
  const auto name = text();
  if (!name || name->empty() || !text()) return std::nullopt;
  if (little(head, at, 4) != 0x00030000) return std::nullopt;
  at += 8;  // and the length of the path that follows
  if (!text()) return std::nullopt;
  if (at + 4 > head.size()) return std::nullopt;
  const std::uint64_t size = little(head, at, 4);
  at += 4;
  if (size > stream.size() - std::min<std::uint64_t>(at, stream.size())) return std::nullopt;
  return Package{*name, {at, size}};
}

std::vector<StreamPart> drawing_records(const CompoundFile::Stream& stream,
                                        const std::function<bool()>& stop) {
  constexpr std::uint64_t kDrawingGroup = 0x00EB, kContinued = 0x003C, kMost = 1'000'000;
  std::vector<StreamPart> parts;
  std::array<std::uint8_t, 4> head{};
  bool inside = false;
  std::uint64_t records = 0;
  for (std::uint64_t at = 0; stream.read_at(at, head) == 4 && parts.size() < kMost;) {
    const std::uint64_t type = little(head, 0, 2), length = little(head, 2, 2);
    inside = type == kDrawingGroup || (inside && type == kContinued);
    if (inside) parts.push_back({at + 4, std::min(length, stream.size() - std::min(at + 4, stream.size()))});
    at += 4 + length;
    if (++records >= kMaxRecords || ((records & 0xFFFU) == 0 && stop())) break;
  }
  return parts;
}

bool has_file_pass(const CompoundFile::Stream& stream) {
  constexpr std::uint64_t kFilePass = 0x002F, kBegin = 0x0809, kEnd = 0x000A;
  std::array<std::uint8_t, 4> head{};
  std::uint64_t at = 0;
  // It follows the first records: those before it are few.
  for (int records = 0; records < 64 && stream.read_at(at, head) == 4; ++records) {
    const std::uint64_t type = little(head, 0, 2);
    if (type == kFilePass) return true;
    if ((records == 0 && type != kBegin) || type == kEnd) return false;
    at += 4 + little(head, 2, 2);
  }
  return false;
}

JoinedParts::JoinedParts(const CompoundFile::Stream& stream, const std::vector<StreamPart>& parts)
    : stream_(stream), parts_(parts) {
  for (const StreamPart& part : parts_) {
    starts_.push_back(size_);
    size_ += part.length;
  }
}

std::int64_t JoinedParts::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size() && offset + done < size_) {
    const std::uint64_t at = offset + done;
    const auto index =
        static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), at) - starts_.begin() - 1);
    const std::uint64_t within = at - starts_[index], left = parts_[index].length - within;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - done, left));
    const std::int64_t got = stream_.read_at(parts_[index].offset + within, out.subspan(done, want));
    if (got < 0) return -1;
    done += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < want) break;
  }
  return static_cast<std::int64_t>(done);
}

namespace {

/// The record that ends before the picture at `at` in `bytes`: the length of the picture, or 0. One or two
/// digests of 16 bytes and a byte stand between the record's header and the picture.
std::uint64_t picture_length(std::span<const std::uint8_t> bytes, std::size_t at, bool png) {
  constexpr std::size_t kHeader = 8, kDigest = 16;
  for (std::size_t digests = 1; digests <= 2; ++digests) {
    const std::size_t before = digests * kDigest + 1;
    if (at < kHeader + before) continue;
    const auto record = bytes.subspan(at - kHeader - before, kHeader);
    const std::uint64_t type = little(record, 2, 2), length = little(record, 4, 4);
    const bool fits = png ? type == 0xF01E : type == 0xF01D || type == 0xF02A;
    if (fits && (record[0] & 0x0FU) == 0 && length > before) return length - before;
  }
  return 0;
}

}  // namespace

std::vector<FoundPicture> find_pictures(const JoinedParts& bytes, std::size_t most,
                                        const std::function<bool()>& stop) {
  constexpr std::size_t kWindow = 1U << 20U, kOverlap = 64;  // more than a record's header and two digests
  std::vector<FoundPicture> found;
  std::vector<std::uint8_t> buffer(kWindow + kOverlap);
  std::uint64_t base = 0, free_from = 0;
  std::size_t kept = 0;
  while (base + kept < bytes.size() && !stop()) {
    const std::int64_t got = bytes.read_at(base + kept, std::span(buffer).subspan(kept, kWindow));
    if (got <= 0) break;
    const auto view = std::span(buffer).first(kept + static_cast<std::size_t>(got));
    // Up to where a signature may be cut; the rest comes again with the next kWindow.
    for (std::size_t at = 0; at + kPng.size() <= view.size(); ++at) {
      if (view[at] != 0xFF && view[at] != 0x89) continue;
      const bool png = begins(view.subspan(at), kPng);
      if ((!png && !begins(view.subspan(at), kJpeg)) || base + at < free_from) continue;
      const std::uint64_t length = picture_length(view, at, png);
      if (length == 0 || length > bytes.size() - (base + at)) continue;
      found.push_back({base + at, length, png ? "png"sv : "jpg"sv});
      if (found.size() >= most) return found;
      free_from = base + at + length;
    }
    const std::size_t keep = std::min(kOverlap, view.size());
    std::copy_n(view.end() - static_cast<std::ptrdiff_t>(keep), keep, buffer.begin());
    base += view.size() - keep;
    kept = keep;
  }
  return found;
}

}  // namespace touchstone::archives

#include "picture_caches.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "content/compound_file.hpp"
#include "limits.hpp"
#include "ole_streams.hpp"

namespace touchstone::archives {
namespace {

using namespace std::string_view_literals;

/// Entries that make no sense, before the rest of a cache is given up.
constexpr std::uint64_t kMaxLost = 10'000;
/// Bytes looked at for the ends of JPEGs that have none.
constexpr std::uint64_t kMaxLookedAt = 256ULL << 20U;

constexpr std::string_view kWindows = "CMMM"sv, kGallery = "\x10\x85\x24\xBD"sv;

std::uint64_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8U) | bytes[at + i];
  return value;
}

std::span<const std::uint8_t> read_into(const Job& job, std::uint64_t offset, std::span<std::uint8_t> out) {
  const auto got = offset < job.size() ? job.read_at(offset, out) : 0;
  return out.first(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
}

bool begins(std::span<const std::uint8_t> bytes, std::string_view with) {
  return bytes.size() >= with.size() && std::memcmp(bytes.data(), with.data(), with.size()) == 0;
}

std::string text_of(std::span<const std::uint8_t> utf16) {
  std::u16string text;
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    const auto unit = static_cast<char16_t>(little(utf16, i, 2));
    if (unit == 0) break;
    text.push_back(unit);
  }
  return utf8_of(text);
}

/// Adds a picture, without letting a path of the cache lead anywhere.
void add(PictureCache& cache, std::string name, std::uint64_t offset, std::uint64_t size) {
  std::replace(name.begin(), name.end(), '\\', '/');
  cache.pictures.push_back({std::move(name), offset, size});
}

bool is_full(PictureCache& cache) {
  if (cache.pictures.size() < kMaxCachedPictures) return false;
  cache.problems.emplace_back(
      "limit", "pictures beyond the first " + std::to_string(kMaxCachedPictures) + " are not listed");
  return true;
}

/// Where the fields of an entry lie, by version: 20 is Vista, 21 is 7, 30 and more are 8 and later.
struct WindowsEntry {
  std::size_t sizes, bytes;
};
WindowsEntry layout_of(std::uint64_t version) {
  if (version <= 20) return {24, 56};
  return version < 30 ? WindowsEntry{16, 48} : WindowsEntry{16, 56};
}

/// The next entry from `at` on: where the one before says, or where its mark is found.
std::optional<std::uint64_t> next_mark(const Job& job, std::uint64_t at) {
  constexpr std::size_t kWindow = 64U << 10U;
  std::array<std::uint8_t, 4> mark{};
  if (begins(read_into(job, at, mark), kWindows)) return at;
  std::vector<std::uint8_t> buffer(kWindow);
  while (at + kWindows.size() <= job.size() && !job.cancelled()) {
    const auto bytes = read_into(job, at, buffer);
    const auto found = std::search(bytes.begin(), bytes.end(), kWindows.begin(), kWindows.end(),
                                   [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
    if (found != bytes.end()) return at + static_cast<std::uint64_t>(found - bytes.begin());
    if (bytes.size() < kWindows.size()) break;
    at += bytes.size() - (kWindows.size() - 1);
  }
  return std::nullopt;
}

PictureCache read_windows_cache(const Job& job) {
  constexpr std::size_t kLongestName = 1024;
  PictureCache cache;
  std::array<std::uint8_t, 64> head{};
  const WindowsEntry layout = layout_of(little(read_into(job, 0, head), 4, 4));
  std::uint64_t lost = 0;
  std::vector<std::uint8_t> name(kLongestName);
  for (auto at = next_mark(job, kWindows.size()); at && !is_full(cache);) {
    const auto entry = read_into(job, *at, head);
    const std::uint64_t whole = little(entry, 4, 4), id = little(entry, layout.sizes, 4);
    const std::uint64_t padding = little(entry, layout.sizes + 4, 4),
                        size = little(entry, layout.sizes + 8, 4);
    const std::uint64_t begin = *at + layout.bytes + id + padding;
    if (entry.size() < layout.bytes || whole < layout.bytes || id > kLongestName || padding > whole ||
        size > whole || layout.bytes + id + padding + size > whole || begin + size > job.size()) {
      if (++lost >= kMaxLost) break;
      at = next_mark(job, *at + kWindows.size());
      continue;
    }
    const std::string text =
        text_of(read_into(job, *at + layout.bytes, std::span(name).first(static_cast<std::size_t>(id))));
    std::array<std::uint8_t, 16> picture{};
    const std::string_view ending =
        size > 0 ? picture_ending(read_into(job, begin, picture)) : std::string_view();
    if (size > 0)
      add(cache,
          (text.empty() ? "at-" + std::to_string(*at) : text) + (ending.empty() ? "" : ".") +
              std::string(ending),
          begin, size);
    at = next_mark(job, *at + whole);
  }
  if (lost > 0) {
    cache.problems.emplace_back("corrupt", std::to_string(lost) +
                                               " entries do not fit the cache and were left out" +
                                               (lost >= kMaxLost ? ", with all that follows" : ""));
  }
  return cache;
}

/// Record: key, checksum, own place and length of a value, which is the gallery's key as UTF-16 and a JPEG.
PictureCache read_gallery_cache(const Job& job) {
  constexpr std::size_t kHeader = 20, kLongestKey = 2048;
  PictureCache cache;
  std::vector<std::uint8_t> buffer(kHeader + kLongestKey);
  std::uint64_t at = kGallery.size();
  while (at + kHeader < job.size() && !is_full(cache) && !job.cancelled()) {
    const auto record = read_into(job, at, buffer);
    const std::uint64_t place = little(record, 12, 4), length = little(record, 16, 4);
    if (place != at || length == 0 || length > job.size() - at - kHeader) {
      if (std::any_of(record.begin(), record.end(), [](std::uint8_t byte) { return byte != 0; }))
        cache.problems.emplace_back("corrupt", "the record at " + std::to_string(at) +
                                                   " does not fit the cache: what follows is not read");
      break;
    }
    const auto value = record.subspan(kHeader).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(length, record.size() - kHeader)));
    constexpr std::string_view kJpeg = "\xFF\xD8\xFF"sv;
    const auto found = std::search(value.begin(), value.end(), kJpeg.begin(), kJpeg.end(),
                                   [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
    const auto key = static_cast<std::size_t>(found - value.begin());
    if (found != value.end()) {
      const std::string name = text_of(value.first(key));
      add(cache, (name.empty() ? "at-" + std::to_string(at) : name) + ".jpg", at + kHeader + key,
          length - key);
    }
    at += kHeader + length;
  }
  return cache;
}

std::uint64_t big(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = (value << 8U) | bytes[at + i];
  return value;
}

/// Bytes of a JPEG by offset, a window at a time.
class Window {
 public:
  explicit Window(const Job& job) : job_(job), buffer_(64U << 10U) {}
  /// -1 behind the end.
  int at(std::uint64_t offset) {
    if (offset < base_ || offset >= base_ + bytes_.size()) {
      base_ = offset;
      bytes_ = read_into(job_, offset, buffer_);
      if (bytes_.empty()) return -1;
    }
    return bytes_[static_cast<std::size_t>(offset - base_)];
  }

 private:
  const Job& job_;
  std::vector<std::uint8_t> buffer_;
  std::span<const std::uint8_t> bytes_;
  std::uint64_t base_ = 0;
};

/// The end of the JPEG that begins at `start` (ITU T.81 B.1): 0 if it breaks off or is none. Segments are
/// passed over by their length, so that a preview within one is no picture of its own.
std::uint64_t jpeg_end(Window& window, std::uint64_t start, std::uint64_t& looked_at) {
  constexpr int kEndOfImage = 0xD9, kStartOfScan = 0xDA, kRestart = 0xD0, kRestartEnd = 0xD7;
  std::uint64_t at = start + 2;
  bool scanned = false;
  while (window.at(at) == 0xFF) {
    const int marker = window.at(at + 1);
    if (marker == kEndOfImage) return scanned ? at + 2 : 0;
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    const int high = window.at(at + 2), low = window.at(at + 3);
    if (at - start > kMaxLookedAt) break;
    if (marker < 0xC0 || (marker >= kRestart && marker <= 0xD8) || high < 0 || low < 0 ||
        high * 256 + low < 2)
      return 0;
    at += 2 + static_cast<std::uint64_t>(high * 256 + low);
    if (marker != kStartOfScan) continue;
    scanned = true;
    for (int byte = window.at(at); byte >= 0 && at - start <= kMaxLookedAt; byte = window.at(++at)) {
      if (byte != 0xFF) continue;
      const int next = window.at(at + 1);
      if (next != 0 && next != 0xFF && (next < kRestart || next > kRestartEnd)) break;
    }
  }
  looked_at += at - start;
  return 0;
}

}  // namespace

bool is_picture_cache(const Job& job) {
  std::array<std::uint8_t, 8> head{};
  const auto bytes = read_into(job, 0, head);
  return begins(bytes, kGallery) ||
         (begins(bytes, kWindows) && little(bytes, 4, 4) >= 20 && little(bytes, 4, 4) < 64);
}

PictureCache read_picture_cache(const Job& job) {
  std::array<std::uint8_t, 4> head{};
  return begins(read_into(job, 0, head), kWindows) ? read_windows_cache(job) : read_gallery_cache(job);
}

PictureCache read_thumbdata(const Job& job) {
  constexpr std::size_t kHeader = 13;  // state, check number of 8 bytes, length of 4
  PictureCache best;
  // Version 3 has slots of 10,000 bytes, version 4 of 17,000. The name may say otherwise: what fits counts.
  for (const std::uint64_t slot : {std::uint64_t{10'000}, std::uint64_t{17'000}}) {
    PictureCache cache;
    std::array<std::uint8_t, kHeader + 3> head{};
    for (std::uint64_t at = 0; at + kHeader < job.size() && !is_full(cache) && !job.cancelled(); at += slot) {
      const auto bytes = read_into(job, at, head);
      if (bytes.size() < head.size() || bytes[0] != 1 || !begins(bytes.subspan(kHeader), "\xFF\xD8\xFF"sv))
        continue;
      const std::uint64_t length = big(bytes, 9, 4);
      if (length > slot - kHeader || length > job.size() - at - kHeader) continue;
      add(cache, "image-" + std::to_string(at / slot) + ".jpg", at + kHeader, length);
    }
    if (cache.pictures.size() > best.pictures.size()) best = std::move(cache);
  }
  return best;
}

PictureCache carve_jpegs(const Job& job) {
  constexpr std::size_t kWindowBytes = 64U << 10U;
  PictureCache cache;
  std::vector<std::uint8_t> buffer(kWindowBytes);
  Window window(job);
  // Beginnings without an end are tried over and over in hostile files: so many, and no more.
  std::uint64_t at = 0, in_vain = 0, looked_at = 0;
  constexpr std::uint64_t kMostInVain = 1000;
  while (at + 3 <= job.size() && in_vain < kMostInVain && looked_at < kMaxLookedAt && !is_full(cache) &&
         !job.cancelled()) {
    const auto bytes = read_into(job, at, buffer);
    constexpr std::string_view kJpeg = "\xFF\xD8\xFF"sv;
    const auto found = std::search(bytes.begin(), bytes.end(), kJpeg.begin(), kJpeg.end(),
                                   [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
    if (bytes.size() < kJpeg.size()) break;
    if (found == bytes.end()) {
      at += bytes.size() - (kJpeg.size() - 1);
      continue;
    }
    const std::uint64_t start = at + static_cast<std::uint64_t>(found - bytes.begin());
    const std::uint64_t end = jpeg_end(window, start, looked_at);
    if (end == 0) {
      ++in_vain;
      at = start + kJpeg.size();
      continue;
    }
    add(cache, std::to_string(start) + ".jpg", start, end - start);
    at = end;
  }
  if (in_vain >= kMostInVain || looked_at >= kMaxLookedAt)
    cache.problems.emplace_back("limit", "beginnings of JPEGs without an end: the rest is not looked at");
  return cache;
}

ts_status list_pictures(Job& job, const PictureCache& cache) {
  Names names;
  std::string path;
  for (std::uint32_t i = 0; i < cache.pictures.size(); ++i) {
    if (job.cancelled()) return TS_LIMIT;
    if (!names.fit(cache.pictures[i].path, i, path)) break;
    ts_member member{};
    member.struct_size = sizeof member;
    member.ordinal = i;
    member.path = to_abi(path);
    member.size = member.packed_size = cache.pictures[i].size;
    if (!job.emit_member(member)) return TS_OK;
  }
  names.report(job);
  for (const auto& [kind, message] : cache.problems) job.emit_problem(kind, message);
  return TS_OK;
}

ts_status extract_pictures(Job& job, const PictureCache& cache, std::uint32_t first, std::uint32_t count) {
  struct Pull {
    const Job& job;
    std::uint64_t at, left;
  };
  const std::uint64_t end = std::min<std::uint64_t>(cache.pictures.size(), std::uint64_t{first} + count);
  for (std::uint32_t i = first; i < end; ++i) {
    if (job.cancelled()) return TS_LIMIT;
    Pull pull{job, cache.pictures[i].offset, cache.pictures[i].size};
    const auto next = [](void* self, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
      auto& from = *static_cast<Pull*>(self);
      if (from.left == 0) return 0;
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, from.left));
      const auto got = from.job.read_at(from.at, {out, want});
      if (got <= 0) return -1;
      from.at += static_cast<std::uint64_t>(got);
      from.left -= static_cast<std::uint64_t>(got);
      return got;
    };
    if (!job.emit_member_data(i, next, &pull)) break;
  }
  return TS_OK;
}

}  // namespace touchstone::archives

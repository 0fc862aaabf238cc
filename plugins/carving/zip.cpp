// Zip (APPNOTE 6.3) and what is one inside: Office and OpenDocument files, apk, jar, epub. The local entries
// are walked to the central directory, which has to name them; their checksums are verified.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::size_t kMaxEntries = 1'000'000;
// Search for the end of one entry whose size is only told behind it.
constexpr std::uint64_t kMaxEntry = 1ULL << 30U;
// Bytes unpacked to verify checksums, of one file.
constexpr std::uint64_t kMaxVerified = 64ULL << 20U;

constexpr std::uint32_t kLocal = 0x04034B50, kCentral = 0x02014B50, kEnd = 0x06054B50, kEnd64 = 0x06064B50;

struct Entry {
  std::uint64_t data = 0, end = 0;
  std::uint64_t packed = 0;
  std::uint32_t crc = 0, method = 0;
  bool encrypted = false;
  std::string name;
};

enum class Verdict { sound, damaged, not_checked };

/// Unpacks without keeping anything.
Verdict verify(View& view, const Entry& entry, std::uint64_t& left) {
  if (entry.encrypted || (entry.method != 0 && entry.method != 8)) return Verdict::not_checked;
  uLong crc = crc32(0, nullptr, 0);
  z_stream stream{};
  if (entry.method == 8 && inflateInit2(&stream, -15) != Z_OK) return Verdict::not_checked;
  std::vector<std::uint8_t> out(entry.method == 8 ? 64U << 10U : 0);
  int rc = Z_OK;
  std::uint64_t at = entry.data;
  const std::uint64_t end = entry.data + entry.packed;
  while (at < end && rc == Z_OK && left > 0 && !view.exhausted()) {
    const Bytes piece =
        view.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(end - at, View::kReach)));
    if (piece.empty()) break;
    at += piece.size();
    if (entry.method == 0) {
      crc = crc32(crc, piece.data(), static_cast<uInt>(piece.size()));
      left -= std::min<std::uint64_t>(left, piece.size());
      continue;
    }
    const std::vector<std::uint8_t> in(piece.begin(), piece.end());
    stream.next_in = const_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      rc = inflate(&stream, Z_NO_FLUSH);
      const std::size_t made = out.size() - stream.avail_out;
      crc = crc32(crc, out.data(), static_cast<uInt>(made));
      left -= std::min<std::uint64_t>(left, made);
      view.spend(made);
    } while (rc == Z_OK && stream.avail_out == 0 && left > 0);
    if (rc == Z_BUF_ERROR) rc = Z_OK;
  }
  if (entry.method == 8) inflateEnd(&stream);
  if (left == 0 || view.exhausted()) return Verdict::not_checked;
  const bool whole = at >= end && (entry.method == 0 || rc == Z_STREAM_END);
  return whole && crc == entry.crc ? Verdict::sound : Verdict::damaged;
}

/// Reads one local entry; false if there is none or its end is not found.
bool read_local(View& view, std::uint64_t at, Entry& entry) {
  const Bytes head = view.exactly(at, 30);
  if (head.empty() || get_le32(head.data()) != kLocal) return false;
  const std::uint32_t flags = get_le16(head.data() + 6);
  const std::uint32_t name_size = get_le16(head.data() + 26), extra_size = get_le16(head.data() + 28);
  entry.method = get_le16(head.data() + 8);
  entry.crc = get_le32(head.data() + 14);
  entry.packed = get_le32(head.data() + 18);
  entry.encrypted = (flags & 1U) != 0;
  const std::uint64_t unpacked = get_le32(head.data() + 22);
  if (head[4] > 63 || entry.method > 99 || name_size == 0 || name_size > 4096) return false;
  entry.name = view.text(at + 30, name_size);
  if (entry.name.size() != name_size || entry.name.find('\0') != std::string::npos) return false;
  entry.data = at + 30 + name_size + extra_size;
  if (entry.packed == UINT32_MAX || unpacked == UINT32_MAX) {
    // Zip64: the sizes stand in extra field 1.
    for (std::uint64_t extra = at + 30 + name_size; extra + 4 <= entry.data;
         extra += 4 + view.le16(extra + 2)) {
      if (view.le16(extra) == 1) entry.packed = view.le64(extra + 12);
    }
    if (entry.packed > INT64_MAX / 2) return false;
  }
  if ((flags & 8U) != 0 && entry.packed == 0) {
    // The sizes follow the data: the descriptor is recognised by the size it holds.
    for (std::uint64_t found = entry.data; !view.exhausted();) {
      found = view.find("PK", found, entry.data + kMaxEntry);
      if (found >= entry.data + kMaxEntry) return false;
      const std::uint32_t mark = view.le32(found);
      if (mark == 0x08074B50 && view.le32(found + 8) == static_cast<std::uint32_t>(found - entry.data)) {
        const bool wide = view.le32(found + 12) == 0 && view.le32(found + 16) != kLocal &&
                          view.le32(found + 16) != kCentral;
        entry.packed = found - entry.data;
        entry.crc = view.le32(found + 4);
        entry.end = found + (wide ? 24 : 16);
        return true;
      }
      if ((mark == kLocal || mark == kCentral) && found >= entry.data + 12 &&
          view.le32(found - 8) == static_cast<std::uint32_t>(found - 12 - entry.data)) {
        entry.packed = found - 12 - entry.data;
        entry.crc = view.le32(found - 12);
        entry.end = found;
        return true;
      }
      ++found;
    }
    return false;
  }
  entry.end = entry.data + entry.packed;
  if ((flags & 8U) != 0) entry.end += view.le32(entry.end) == 0x08074B50 ? 16 : 12;
  return view.reaches(entry.end);
}

/// Behind the end record; 0 if the directory at `at` is none of this file's.
std::uint64_t read_directory(View& view, std::uint64_t offset, std::uint64_t at, std::size_t locals) {
  const std::uint64_t start = at;
  std::size_t entries = 0;
  // Signatures of jar and apk may stand between the entries and the directory.
  while (view.le32(at) == kCentral && entries <= kMaxEntries && !view.exhausted()) {
    const Bytes head = view.exactly(at, 46);
    if (head.empty()) return 0;
    at += 46ULL + get_le16(head.data() + 28) + get_le16(head.data() + 30) + get_le16(head.data() + 32);
    ++entries;
  }
  if (entries < locals) return 0;
  if (view.le32(at) == 0x05054B50) at += 6 + view.le16(at + 4);  // digital signature
  if (view.le32(at) == kEnd64) at += 12 + view.le64(at + 4);
  if (view.le32(at) == 0x07064B50) at += 20;
  const Bytes end = view.exactly(at, 22);
  if (end.empty() || get_le32(end.data()) != kEnd) return 0;
  const std::uint32_t directory = get_le32(end.data() + 16), size = get_le32(end.data() + 12);
  if (directory != UINT32_MAX && offset + directory != start) return 0;
  if (size != UINT32_MAX && size > at - start) return 0;
  const std::uint64_t behind = at + 22 + get_le16(end.data() + 20);
  return view.reaches(behind) ? behind : at + 22;
}

struct Name {
  const char *extension, *media_type;
};

Name name_of(View& view, const std::vector<Entry>& entries) {
  const auto has = [&](std::string_view start) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const Entry& e) { return std::string_view(e.name).starts_with(start); });
  };
  if (entries[0].name == "mimetype" && entries[0].method == 0) {
    const std::string_view type = view.text(entries[0].data, 64);
    if (type.starts_with("application/vnd.oasis.opendocument.text"))
      return {"odt", "application/vnd.oasis.opendocument.text"};
    if (type.starts_with("application/vnd.oasis.opendocument.spreadsheet"))
      return {"ods", "application/vnd.oasis.opendocument.spreadsheet"};
    if (type.starts_with("application/vnd.oasis.opendocument.presentation"))
      return {"odp", "application/vnd.oasis.opendocument.presentation"};
    if (type.starts_with("application/epub+zip")) return {"epub", "application/epub+zip"};
  }
  if (has("[Content_Types].xml") || has("_rels/")) {
    if (has("word/"))
      return {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"};
    if (has("xl/")) return {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
    if (has("ppt/"))
      return {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"};
  }
  if (has("AndroidManifest.xml")) return {"apk", "application/vnd.android.package-archive"};
  if (has("META-INF/")) return {"jar", "application/java-archive"};
  return {"zip", "application/zip"};
}

}  // namespace

Found carve_zip(View& view, std::uint64_t offset) {
  std::vector<Entry> entries;
  std::uint64_t at = offset, left = kMaxVerified, last_sound = 0;
  bool damaged = false, all_checked = true;
  while (entries.size() < kMaxEntries && !view.exhausted()) {
    Entry entry;
    if (!read_local(view, at, entry)) break;
    const Verdict verdict = verify(view, entry, left);
    damaged = damaged || verdict == Verdict::damaged;
    all_checked = all_checked && verdict == Verdict::sound;
    at = entry.end;
    if (!damaged) last_sound = at;
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return std::nullopt;
  const Name name = name_of(view, entries);
  std::uint64_t directory = at;
  // An apk's signing block: size, pairs, size again and a magic, before the directory.
  if (view.le32(at) != kCentral) {
    const std::uint64_t block = view.le64(at);
    if (block < (64U << 20U) && view.starts_with(at + 8 + block - 16, "APK Sig Block 42"))
      directory = at + 8 + block;
  }
  if (const std::uint64_t end = read_directory(view, offset, directory, entries.size()); end != 0) {
    Carved carved =
        contiguous(offset, end, all_checked ? kChecked : kStructure, name.extension, name.media_type);
    if (damaged) {
      carved.confidence = kHeader;
      carved.note = "some of its members fail their checksums";
    }
    return carved;
  }
  if (last_sound == 0) return std::nullopt;
  return sound_beginning(offset, last_sound, name.extension, name.media_type,
                         "its directory is missing; given up to its last sound member");
}

}  // namespace touchstone::carving

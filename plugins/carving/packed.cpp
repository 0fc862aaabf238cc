// Gzip (RFC 1952), Android backups, 7z and RAR.
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

// Unpacked bytes looked at, of one file: more than that is a bomb or costs more than it is worth here.
constexpr std::uint64_t kMaxUnpacked = 512ULL << 20U;
constexpr std::uint64_t kMaxEncrypted = 4ULL << 30U;

struct Inflated {
  std::uint64_t end = 0;  // behind the stream; where it broke off if not complete
  bool complete = false;
  std::uint64_t made = 0;
};

/// Unpacks one stream; `window_bits` as zlib wants them: 15 zlib, 31 gzip.
Inflated inflate_stream(View& view, std::uint64_t offset, int window_bits) {
  Inflated result;
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return result;
  std::vector<std::uint8_t> out(64U << 10U), in;
  int rc = Z_OK;
  std::uint64_t at = offset;
  while (rc == Z_OK && result.made < kMaxUnpacked && !view.exhausted()) {
    const Bytes piece = view.at(at, 32U << 10U);
    if (piece.empty()) break;
    in.assign(piece.begin(), piece.end());
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(in.size());
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      rc = inflate(&stream, Z_NO_FLUSH);
      result.made += out.size() - stream.avail_out;
      view.spend(out.size() - stream.avail_out);
    } while (rc == Z_OK && stream.avail_out == 0);
    if (rc == Z_BUF_ERROR) rc = Z_OK;
    at += in.size() - stream.avail_in;
  }
  inflateEnd(&stream);
  result.end = at;
  result.complete = rc == Z_STREAM_END;
  return result;
}

/// Behind a tar archive: its headers' checksums are verified, two empty blocks end it.
std::uint64_t tar_end(View& view, std::uint64_t at, bool& complete) {
  complete = false;
  while (!view.exhausted()) {
    const Bytes block = view.exactly(at, 512);
    if (block.empty()) return at;
    if (std::all_of(block.begin(), block.end(), [](std::uint8_t c) { return c == 0; })) {
      complete = true;
      return at + 1024;
    }
    const auto octal = [&](std::size_t from, std::size_t count) {
      std::uint64_t value = 0;
      for (std::size_t i = from; i < from + count; ++i) {
        if (block[i] >= '0' && block[i] <= '7') value = value * 8 + (block[i] - '0');
      }
      return value;
    };
    std::uint64_t sum = 8 * 32;
    for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? 0 : block[i];
    if (sum != octal(148, 8)) return at;
    at += 512 + (octal(124, 12) + 511) / 512 * 512;
  }
  return at;
}

std::uint64_t variable_number(View& view, std::uint64_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const Bytes byte = view.exactly(at++, 1);
    if (byte.empty()) return UINT64_MAX;
    value |= static_cast<std::uint64_t>(byte[0] & 0x7FU) << shift;
    if ((byte[0] & 0x80U) == 0) return value;
  }
  return UINT64_MAX;
}

bool crc_matches(View& view, std::uint64_t at, std::uint64_t size, std::uint32_t expected,
                 std::uint32_t mask) {
  uLong crc = crc32(0, nullptr, 0);
  while (size > 0 && !view.exhausted()) {
    const Bytes piece = view.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(size, View::kReach)));
    if (piece.empty()) return false;
    crc = crc32(crc, piece.data(), static_cast<uInt>(piece.size()));
    at += piece.size();
    size -= piece.size();
  }
  return size == 0 && (static_cast<std::uint32_t>(crc) & mask) == expected;
}

/// RAR 5: header CRC, size, type, flags, extra size, data size.
Found carve_rar5(View& view, std::uint64_t offset) {
  std::uint64_t at = offset + 8;
  while (!view.exhausted()) {
    const std::uint64_t start = at + 4;
    std::uint64_t cursor = start;
    const std::uint64_t size = variable_number(view, cursor);
    const std::uint64_t body = cursor;
    if (size > (2U << 20U) || !crc_matches(view, start, body - start + size, view.le32(at), UINT32_MAX))
      break;
    const std::uint64_t type = variable_number(view, cursor), flags = variable_number(view, cursor);
    if ((flags & 1U) != 0) variable_number(view, cursor);
    const std::uint64_t data = (flags & 2U) != 0 ? variable_number(view, cursor) : 0;
    if (data > INT64_MAX / 2 || !view.reaches(body + size + data)) break;
    at = body + size + data;
    if (type == 5) return contiguous(offset, at, kStructure, "rar", "application/vnd.rar");
    if (type == 4) break;  // encrypted headers: what follows cannot be walked
  }
  if (at == offset + 8) return std::nullopt;
  return beginning(offset, at, "rar", "application/vnd.rar", "given up to its last sound block");
}

/// RAR 1.5 to 4: header CRC (16 bits), type, flags, size, and the size of data if flag 0x8000.
Found carve_rar4(View& view, std::uint64_t offset) {
  std::uint64_t at = offset + 7;
  while (!view.exhausted()) {
    const Bytes head = view.exactly(at, 7);
    if (head.empty()) break;
    const std::uint32_t crc = get_le16(head.data()), flags = get_le16(head.data() + 3);
    const std::uint32_t type = head[2], size = get_le16(head.data() + 5);
    if (type < 0x72 || type > 0x7B || size < 7 || !crc_matches(view, at + 2, size - 2, crc, 0xFFFF)) break;
    std::uint64_t data = (flags & 0x8000U) != 0 ? view.le32(at + 7) : 0;
    if (type == 0x74 && (flags & 0x100U) != 0) data |= static_cast<std::uint64_t>(view.le32(at + 32)) << 32U;
    if (data > INT64_MAX / 2 || !view.reaches(at + size + data)) break;
    at += size + data;
    if (type == 0x7B) return contiguous(offset, at, kStructure, "rar", "application/vnd.rar");
  }
  if (at <= offset + 20) return std::nullopt;
  return beginning(offset, at, "rar", "application/vnd.rar", "given up to its last sound block");
}

}  // namespace

Found carve_gzip(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 10);
  if (head.empty() || (head[3] & 0xE0U) != 0 || (head[9] > 13 && head[9] != 255)) return std::nullopt;
  if (head[8] != 0 && head[8] != 2 && head[8] != 4) return std::nullopt;
  const Inflated stream = inflate_stream(view, offset, 31);
  if (!stream.complete) {
    // Random bytes unpack for a while now and then.
    if (stream.made < (256U << 10U)) return std::nullopt;
    return beginning(offset, stream.end, "gz", "application/gzip", "its packed data breaks off");
  }
  std::uint64_t end = stream.end;
  // Members may follow each other.
  while (view.starts_with(end, "\x1F\x8B\x08") && !view.exhausted()) {
    const Inflated next = inflate_stream(view, end, 31);
    if (!next.complete) break;
    end = next.end;
  }
  return contiguous(offset, end, kChecked, "gz", "application/gzip");
}

Found carve_android_backup(View& view, std::uint64_t offset) {
  const std::string head(view.text(offset, 64));
  std::size_t at = head.find('\n') + 1;
  std::array<std::string, 3> lines;
  for (std::string& line : lines) {
    const std::size_t end = head.find('\n', at);
    if (end == std::string::npos) return std::nullopt;
    line = head.substr(at, end - at);
    at = end + 1;
  }
  const auto& [version, compressed, encryption] = lines;
  if (version.empty() || version.size() > 2 || std::isdigit(static_cast<unsigned char>(version[0])) == 0 ||
      (compressed != "0" && compressed != "1"))
    return std::nullopt;
  constexpr const char* kExtension = "ab";
  constexpr const char* kMediaType = "application/x-android-backup";
  if (encryption == "AES-256") {
    // Its end cannot be told: up to the first empty sector.
    const std::string empty(512, '\0');
    const std::uint64_t end = view.find(empty, offset, std::min(offset + kMaxEncrypted, view.size()));
    return beginning(offset, end, kExtension, kMediaType, "encrypted: its end cannot be told");
  }
  if (encryption != "none") return std::nullopt;
  bool complete = false;
  std::uint64_t end = 0;
  if (compressed == "1") {
    const Inflated stream = inflate_stream(view, offset + at, 15);
    end = stream.end;
    complete = stream.complete;
  } else {
    end = tar_end(view, offset + at, complete);
  }
  if (complete) return contiguous(offset, end, kChecked, kExtension, kMediaType);
  if (end <= offset + at + 512) return std::nullopt;
  return beginning(offset, end, kExtension, kMediaType, "breaks off");
}

Found carve_7z(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 32);
  if (head.empty()) return std::nullopt;
  const std::uint32_t start_crc = get_le32(head.data() + 8), crc = get_le32(head.data() + 28);
  const std::uint64_t next = get_le64(head.data() + 12), size = get_le64(head.data() + 20);
  if (next > INT64_MAX / 4 || size > (1ULL << 30U) ||
      !crc_matches(view, offset + 12, 20, start_crc, UINT32_MAX))
    return std::nullopt;
  const std::uint64_t end = offset + 32 + next + size;
  if (!view.reaches(end)) return std::nullopt;
  if (!crc_matches(view, offset + 32 + next, size, crc, UINT32_MAX)) {
    Carved carved = contiguous(offset, end, kIncomplete, "7z", "application/x-7z-compressed");
    carved.note = "its directory fails its checksum: the file is in pieces or overwritten";
    carved.complete = false;
    return carved;
  }
  return contiguous(offset, end, kStructure, "7z", "application/x-7z-compressed");
}

Found carve_rar(View& view, std::uint64_t offset) {
  return view.starts_with(offset + 6, std::string_view("\x01\0", 2)) ? carve_rar5(view, offset)
                                                                     : carve_rar4(view, offset);
}

}  // namespace touchstone::carving

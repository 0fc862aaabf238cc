// SQLite databases and write-ahead logs (file format of the SQLite documentation, sections 1 and 4).
#include <algorithm>
#include <array>
#include <string>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint64_t kMaxPages = 1ULL << 32U;

bool power_of_two(std::uint32_t value, std::uint32_t least) {
  return value >= least && value <= 65536 && (value & (value - 1)) == 0;
}

/// Whether a page, of which the beginning is shown, may belong to a database of `pages` pages: a b-tree page,
/// one of a chain, a pointer map, or empty.
bool plausible(Bytes page, std::uint32_t page_size, std::uint64_t pages) {
  const std::uint8_t type = page[0];
  if (type == 2 || type == 5 || type == 10 || type == 13) {
    const std::size_t cells = get_be16(page.data() + 3), content = get_be16(page.data() + 5);
    const std::size_t head = type == 2 || type == 5 ? 12 : 8;
    if (page[7] <= 60 && head + 2 * cells <= page_size && (content == 0 || content >= head + 2 * cells) &&
        content <= page_size)
      return true;
  }
  if (get_be32(page.data()) <= pages) return true;  // overflow, trunk of the free list, or empty
  // Pointer map: entries of a type from 1 to 5 and a page number.
  for (std::size_t i = 0; i < 5; ++i) {
    const std::uint8_t* entry = page.data() + 5 * i;
    if (entry[0] == 0 && i > 0) return true;
    if (entry[0] < 1 || entry[0] > 5 || get_be32(entry + 1) > pages) return false;
  }
  return true;
}

struct Sums {
  std::uint32_t a = 0, b = 0;
  /// The log's checksum over 32-bit words, whose byte order the magic tells.
  void add(Bytes bytes, bool big) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      a += (big ? get_be32(bytes.data() + i) : get_le32(bytes.data() + i)) + b;
      b += (big ? get_be32(bytes.data() + i + 4) : get_le32(bytes.data() + i + 4)) + a;
    }
  }
};

}  // namespace

Found carve_sqlite(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 112);
  if (head.empty()) return std::nullopt;
  const std::uint32_t stored = get_be16(head.data() + 16);
  const std::uint32_t page_size = stored == 1 ? 65536 : stored;
  const std::uint32_t encoding = get_be32(head.data() + 56), schema = get_be32(head.data() + 44);
  if (!power_of_two(page_size, 512) || head[18] > 2 || head[18] < 1 || head[19] > 2 || head[19] < 1 ||
      head[21] != 64 || head[22] != 32 || head[23] != 32 || encoding > 3 || schema > 4)
    return std::nullopt;
  if (!std::all_of(head.begin() + 72, head.begin() + 92, [](std::uint8_t c) { return c == 0; }))
    return std::nullopt;
  if (head[100] != 13 && head[100] != 5) return std::nullopt;
  // The count is valid if the last writer kept it: its change counter stands beside it.
  std::uint64_t pages = get_be32(head.data() + 28);
  const bool counted = pages != 0 && get_be32(head.data() + 24) == get_be32(head.data() + 92);
  if (!counted) pages = kMaxPages;
  std::uint64_t at = offset + page_size;
  if (!view.reaches(at)) return std::nullopt;
  const std::uint64_t end = offset + pages * page_size;
  while (at < end && !view.exhausted()) {
    const Bytes page = view.at(at, std::min<std::size_t>(page_size, 64));
    if (page.size() < 64 || !view.reaches(at + page_size) ||
        !plausible(page, page_size, counted ? pages : 0x7FFFFFFF))
      break;
    // Without a count nothing tells free pages from free space.
    if (!counted && std::all_of(page.begin(), page.end(), [](std::uint8_t c) { return c == 0; })) break;
    at += page_size;
  }
  if (at == end || !counted) {
    Carved carved = contiguous(offset, at, counted ? kStructure : kSize, "sqlite", "application/vnd.sqlite3");
    if (!counted) carved.note = "its header does not tell how many pages it has";
    return carved;
  }
  return sound_beginning(
      offset, at, "sqlite", "application/vnd.sqlite3",
      std::to_string((at - offset) / page_size) + " of " + std::to_string(pages) + " pages");
}

Found carve_sqlite_log(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 32);
  if (head.empty() || get_be32(head.data() + 4) != 3007000) return std::nullopt;
  const bool big = (get_be32(head.data()) & 1U) != 0;
  const std::uint32_t page_size = get_be32(head.data() + 8);
  const std::uint32_t salt1 = get_be32(head.data() + 16), salt2 = get_be32(head.data() + 20);
  Sums sums;
  sums.add(head.first(24), big);
  if (!power_of_two(page_size, 512) || sums.a != get_be32(head.data() + 24) ||
      sums.b != get_be32(head.data() + 28))
    return std::nullopt;
  std::uint64_t at = offset + 32;
  std::uint64_t frames = 0;
  bool current = true;  // frames of before the last checkpoint follow those of after it
  while (!view.exhausted()) {
    const Bytes raw = view.exactly(at, 24);
    if (raw.empty() || get_be32(raw.data()) == 0 || !view.reaches(at + 24 + page_size)) break;
    std::array<std::uint8_t, 24> frame{};
    std::copy(raw.begin(), raw.end(), frame.begin());
    const std::uint32_t first = get_be32(frame.data() + 8);
    if (current) {
      Sums next = sums;
      next.add(Bytes(frame).first(8), big);
      next.add(view.at(at + 24, page_size), big);
      current = first == salt1 && get_be32(frame.data() + 12) == salt2 &&
                next.a == get_be32(frame.data() + 16) && next.b == get_be32(frame.data() + 20);
      if (current) sums = next;
    }
    // The first salt counts up by one with each checkpoint.
    if (!current && (salt1 - first > 1000 || get_be32(frame.data()) > 0x7FFFFFFF)) break;
    at += 24 + page_size;
    ++frames;
  }
  if (frames == 0) return std::nullopt;
  return contiguous(offset, at, kStructure, "sqlite-wal", "application/x-sqlite3-wal");
}

}  // namespace touchstone::carving

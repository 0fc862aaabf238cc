#include "evidence/aff_segments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "evidence/integers.hpp"
#include "evidence/mapped_image.hpp"

namespace touchstone::aff {
namespace {

constexpr std::uint64_t kFileHeader = 8;
constexpr std::uint64_t kHead = 16;  ///< "AFF\0", lengths of name and data, number
constexpr std::uint64_t kTail = 8;   ///< "ATT\0", length of it all
constexpr std::uint64_t kMaxName = 1024;
constexpr std::size_t kMaxTroubles = 20;

struct Segment {
  std::string name;
  std::uint64_t data = 0;
  std::uint32_t length = 0, number = 0;
  std::uint64_t end = 0;
};

/// The segment at `at`; nothing if its head, its tail or its place is wrong.
std::optional<Segment> segment_at(PageReader& file, std::uint64_t at) {
  const std::uint64_t size = file.file().size();
  std::array<std::byte, kHead> head{};
  if (at > size || size - at < kHead + kTail || !file.read(at, head)) return std::nullopt;
  if (std::memcmp(head.data(), "AFF", 4) != 0) return std::nullopt;
  const std::uint64_t name_length = big(head, 4, 4);
  Segment segment;
  segment.length = static_cast<std::uint32_t>(big(head, 8, 4));
  segment.number = static_cast<std::uint32_t>(big(head, 12, 4));
  const std::uint64_t all = kHead + name_length + segment.length + kTail;
  if (name_length > kMaxName || all > size - at) return std::nullopt;
  segment.name.resize(name_length);
  if (!file.read(at + kHead, std::as_writable_bytes(std::span(segment.name)))) return std::nullopt;
  segment.data = at + kHead + name_length;
  segment.end = at + all;
  std::array<std::byte, kTail> tail{};
  if (!file.read(segment.end - kTail, tail) || std::memcmp(tail.data(), "ATT", 4) != 0 ||
      big(tail, 4, 4) != (all & 0xffff'ffff))
    return std::nullopt;
  return segment;
}

/// Where the next sound segment begins; the end of the file if there is none.
std::uint64_t next_sound(PageReader& file, std::uint64_t at) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  constexpr std::string_view kMark("AFF\0", 4);
  std::string block;
  const std::uint64_t size = file.file().size();
  while (at < size) {
    block.resize(std::min<std::uint64_t>(kBlock, size - at));
    const auto got = file.file().read_at(at, std::as_writable_bytes(std::span(block)));
    if (!got || *got < kMark.size()) break;
    block.resize(*got);
    for (std::size_t found = block.find(kMark); found != std::string::npos;
         found = block.find(kMark, found + 1)) {
      if (segment_at(file, at + found)) return at + found;
    }
    if (at + block.size() >= size) break;
    at += block.size() - (kMark.size() - 1);
  }
  return size;
}

/// The number in "page12" or "seg12".
std::optional<std::uint64_t> page_number(std::string_view name) {
  if (name.starts_with("page")) {
    name.remove_prefix(4);
  } else if (name.starts_with("seg")) {
    name.remove_prefix(3);
  } else {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

void take(PageReader& file, const Segment& segment, std::uint32_t file_number, Contents& contents) {
  if (segment.name.ends_with("/aes256") || segment.name.starts_with("affkey_")) contents.encrypted = true;
  if (const auto number = page_number(segment.name)) {
    if (contents.pages.size() >= kMaxPages) {
      contents.too_many = true;
    } else {
      contents.pages.push_back({*number, segment.data, segment.length, segment.number, file_number});
    }
    return;
  }
  // Of several files the first that has a value counts; in one file the last. Checksums of single pages and
  // signatures are many, and not compared.
  const bool of_a_page = segment.name.find('_') != std::string::npos && segment.name.starts_with("page") &&
                         segment.name != "pages_per_raw_image_file";
  const bool signature = segment.name.find('/') != std::string::npos;
  if (segment.name.empty() || of_a_page || signature || contents.values.size() >= kMaxValues) return;
  if (file_number > 0 && segment.name != "imagesize" && contents.values.contains(segment.name)) return;
  Value value;
  value.number = segment.number;
  value.data.resize(std::min<std::size_t>(segment.length, kMaxValue));
  if (!file.read(segment.data, std::as_writable_bytes(std::span(value.data)))) return;
  Value& kept = contents.values[segment.name];
  // Each file of a set may count the media as far as it knew it then.
  const auto counted = [](const Value& one) {
    return big(std::as_bytes(std::span(one.data)), 4, 4) << 32 |
           big(std::as_bytes(std::span(one.data)), 0, 4);
  };
  if (segment.name == "imagesize" && file_number > 0 && counted(kept) > counted(value)) return;
  kept = std::move(value);
}

}  // namespace

std::uint64_t Contents::number(const std::string& name) const {
  const auto found = values.find(name);
  if (found == values.end()) return 0;
  if (found->second.number != 0) return found->second.number;
  std::uint64_t value = 0;
  const std::string& text = found->second.data;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void read_segments(ByteSource& file, const std::string& name, std::uint32_t number, Contents& contents) {
  PageReader reader(file);
  // Some files begin with a segment (see image_format.cpp).
  const std::uint64_t first = segment_at(reader, 0) ? 0 : kFileHeader;
  for (std::uint64_t at = first; at < file.size();) {
    if (const auto segment = segment_at(reader, at)) {
      take(reader, *segment, number, contents);
      at = segment->end;
      continue;
    }
    const std::uint64_t next = next_sound(reader, at + 1);
    if (contents.troubles.size() < kMaxTroubles)
      contents.troubles.push_back(name + " is damaged at byte " + std::to_string(at) +
                                  (next == file.size()
                                       ? ": nothing sound follows"
                                       : ": the next sound segment begins at byte " + std::to_string(next)));
    at = next;
  }
}

void finish(Contents& contents) {
  auto& pages = contents.pages;
  // The first file that holds a page counts, and in it what was written last.
  std::stable_sort(pages.begin(), pages.end(), [](const Page& a, const Page& b) {
    return a.number != b.number ? a.number < b.number : a.file > b.file;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (i + 1 < pages.size() && pages[i + 1].number == pages[i].number) continue;
    pages[kept++] = pages[i];
  }
  pages.resize(kept);
}

}  // namespace touchstone::aff

#include "film_samples.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace touchstone::carving {
namespace {

// Of longer films every n-th sample is looked at.
constexpr std::uint64_t kMaxChecked = 50'000;
constexpr std::uint64_t kMaxSamples = 50'000'000;

struct Table {
  std::uint64_t body = 0, end = 0;
};

std::map<std::string, Table> tables_of(View& view, std::uint64_t at, std::uint64_t end) {
  std::map<std::string, Table> tables;
  while (at + 8 <= end && tables.size() < 64) {
    const std::uint64_t size = view.be32(at);
    if (size < 8 || size > end - at) break;
    tables.emplace(std::string(view.text(at + 4, 4)), Table{at + 8, at + size});
    at += size;
  }
  return tables;
}

/// Bytes of a unit's length, for codings in units; 0 for others.
std::uint32_t length_bytes(View& view, const Table& description) {
  const std::string coding(view.text(description.body + 12, 4));
  const bool avc = coding.starts_with("avc"), hevc = coding == "hvc1" || coding == "hev1";
  if (!avc && !hevc) return 0;
  const std::string_view config = avc ? "avcC" : "hvcC";
  const std::uint64_t found = view.find(config, description.body, description.end);
  if (found >= description.end) return 0;
  const auto flags = view.at(found + 4 + (avc ? 4 : 21), 1);
  return flags.empty() ? 0 : (flags[0] & 3U) + 1;
}

bool units_fill(View& view, std::uint64_t at, std::uint64_t size, std::uint32_t width) {
  const std::uint64_t end = at + size;
  while (at + width < end) {
    const Bytes head = view.exactly(at, width + 1);
    if (head.empty()) return false;
    std::uint64_t length = 0;
    for (std::uint32_t i = 0; i < width; ++i) length = length << 8U | head[i];
    // The first bit of a unit is zero.
    if (length == 0 || (head[width] & 0x80U) != 0 || length > end - at - width) return false;
    at += width + length;
  }
  return at == end;
}

}  // namespace

SampleCheck check_samples(View& view, std::uint64_t file, std::uint64_t table, std::uint64_t table_end) {
  SampleCheck result;
  const auto tables = tables_of(view, table, table_end);
  for (const char* needed : {"stsd", "stsz", "stsc"}) {
    if (!tables.contains(needed)) return result;
  }
  const bool wide = tables.contains("co64");
  if (!wide && !tables.contains("stco")) return result;
  const std::uint32_t width = length_bytes(view, tables.at("stsd"));
  if (width == 0) return result;
  const Table sizes = tables.at("stsz"), groups = tables.at("stsc"),
              chunks = tables.at(wide ? "co64" : "stco");
  const std::uint32_t same_size = view.be32(sizes.body + 4);
  const std::uint64_t samples = view.be32(sizes.body + 8), chunk_count = view.be32(chunks.body + 4);
  const std::uint64_t group_count = view.be32(groups.body + 4);
  if (samples > kMaxSamples || (same_size == 0 && 12 + 4 * samples > sizes.end - sizes.body) ||
      8 + chunk_count * (wide ? 8 : 4) > chunks.end - chunks.body ||
      8 + 12 * group_count > groups.end - groups.body)
    return result;
  const std::uint64_t every = samples / kMaxChecked + 1;
  std::uint64_t sample = 0, group = 0, in_chunk = 0;
  for (std::uint64_t chunk = 1; chunk <= chunk_count && sample < samples && !view.exhausted(); ++chunk) {
    while (group < group_count && view.be32(groups.body + 8 + 12 * group) <= chunk)
      in_chunk = view.be32(groups.body + 8 + 12 * group++ + 4);
    const std::uint64_t place = chunks.body + 8 + (chunk - 1) * (wide ? 8 : 4);
    std::uint64_t at = wide ? view.be64(place) : view.be32(place);
    for (std::uint64_t i = 0; i < in_chunk && sample < samples; ++i, ++sample) {
      const std::uint64_t size = same_size != 0 ? same_size : view.be32(sizes.body + 12 + 4 * sample);
      if (at > INT64_MAX / 2 || size > INT64_MAX / 2) return result;
      if (sample % every == 0) {
        ++result.checked;
        if (!units_fill(view, file + at, size, width) && (result.first_bad == 0 || at < result.first_bad)) {
          result.first_bad = at;
          return result;  // chunks ascend in nearly all films
        }
      }
      at += size;
    }
  }
  return result;
}

}  // namespace touchstone::carving

// ISO base media files (ISO/IEC 14496-12) and QuickTime: MP4, MOV, 3GP, M4A, and pictures in them (HEIC,
// AVIF). The boxes are walked; a film needs its "moov" and the samples that it names, a picture its "meta".
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "carved.hpp"
#include "film_samples.hpp"

namespace touchstone::carving {
namespace {

constexpr std::size_t kMaxBoxes = 200'000;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxTracks = 64;

bool top_level(std::string_view type) {
  static constexpr std::array<std::string_view, 22> kTypes = {
      "ftyp", "moov", "mdat", "free", "skip", "wide", "meta", "uuid", "moof", "mfra", "sidx",
      "styp", "pnot", "pdin", "ssix", "prft", "emsg", "udta", "PICT", "meco", "idat", "mini"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool parent(std::string_view type) {
  static constexpr std::array<std::string_view, 8> kTypes = {"moov", "trak", "mdia", "minf",
                                                             "stbl", "edts", "moof", "traf"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

struct Box {
  std::string type;
  std::uint64_t body = 0, end = 0;
  bool open_ended = false;
};

bool read_box(View& view, std::uint64_t at, std::uint64_t limit, Box& box) {
  const Bytes head = view.at(at, 16);
  if (head.size() < 8) return false;
  box.type.assign(reinterpret_cast<const char*>(head.data()) + 4, 4);
  std::uint64_t size = get_be32(head.data());
  box.body = at + 8;
  box.open_ended = size == 0;
  if (size == 1) {
    if (head.size() < 16) return false;
    size = get_be64(head.data() + 8);
    box.body = at + 16;
    if (size < 16) return false;
  } else if (size != 0 && size < 8) {
    return false;
  }
  if (size > INT64_MAX - at) return false;
  box.end = at + size;
  return box.end <= limit;
}

struct Film {
  bool tracks = false;
  bool video = false;
  std::uint64_t last_chunk = 0;  // the largest offset of samples, from the file's start
  struct Part {
    std::uint64_t body = 0, end = 0;
  };
  std::vector<Part> sample_tables;
};

/// Walks the boxes below `moov`: all of them have to fill their parents exactly.
bool walk_below(View& view, std::uint64_t at, std::uint64_t end, int depth, std::size_t& budget, Film& film) {
  while (at < end) {
    Box box;
    if (end - at < 8) return end - at == 4;  // QuickTime ends some lists with a zero
    if (budget-- == 0 || view.exhausted() || !read_box(view, at, end, box) || box.open_ended) return false;
    if (box.type == "trak") film.tracks = true;
    if (box.type == "vmhd") film.video = true;
    if (box.type == "stbl" && film.sample_tables.size() < kMaxTracks)
      film.sample_tables.push_back({box.body, box.end});
    if (box.type == "stco" || box.type == "co64") {
      const std::uint64_t width = box.type == "stco" ? 4 : 8;
      const std::uint64_t count = view.be32(box.body + 4);
      if (count > (box.end - box.body) / width || 8 + count * width > box.end - box.body) return false;
      for (std::uint64_t i = count > 0 ? count - 1 : 0; i < count; ++i) {
        const std::uint64_t place = box.body + 8 + i * width;
        film.last_chunk = std::max(film.last_chunk, width == 4 ? view.be32(place) : view.be64(place));
      }
    }
    if (parent(box.type) && depth < kMaxDepth &&
        !walk_below(view, box.body, box.end, depth + 1, budget, film))
      return false;
    at = box.end;
  }
  return at == end;
}

struct Layout {
  std::uint64_t end = 0;  // behind the last sound box
  bool film = false, data = false, meta = false, fragments = false;
  bool data_after_film = false;
  bool cut = false;  // a box goes on beyond what can be read, or has no end
  Film details;
  std::string brand;
};

Layout walk_top(View& view, std::uint64_t offset) {
  Layout layout;
  layout.end = offset;
  std::size_t budget = kMaxBoxes;
  for (std::size_t count = 0; count < kMaxBoxes && !view.exhausted(); ++count) {
    Box box;
    if (!read_box(view, layout.end, INT64_MAX, box) || !top_level(box.type)) break;
    if (count > 0 && box.type == "ftyp") break;  // the next file
    // Neither a film nor its directory comes twice: it is the next file's.
    if ((box.type == "moov" && layout.film) || (box.type == "meta" && layout.meta)) break;
    if (box.open_ended || !view.reaches(box.end)) {
      layout.cut = true;
      break;
    }
    if (box.type == "ftyp") {
      const Bytes brand = view.exactly(box.body, 4);
      if (brand.empty() || box.end - box.body < 8 || box.end - box.body > 1024) break;
      layout.brand.assign(reinterpret_cast<const char*>(brand.data()), 4);
    } else if (box.type == "moov") {
      if (!walk_below(view, box.body, box.end, 0, budget, layout.details)) break;
      layout.film = layout.details.tracks;
    } else if (box.type == "moof") {
      layout.fragments = true;
    } else if (box.type == "mdat") {
      layout.data = true;
      layout.data_after_film = layout.film;
    } else if (box.type == "mini") {
      layout.meta = layout.data = true;  // a picture with all it needs in one box
    } else if (box.type == "meta") {
      layout.meta =
          layout.meta || view.starts_with(box.body + 8, "hdlr") || view.starts_with(box.body + 4, "hdlr");
    }
    layout.end = box.end;
  }
  return layout;
}

struct Name {
  const char *extension, *media_type;
};

Name name_of(const Layout& layout) {
  const std::string& b = layout.brand;
  if (b == "heic" || b == "heix" || b == "heim" || b == "heis" || b == "mif1" || b == "msf1" || b == "hevc")
    return {"heic", "image/heic"};
  if (b == "avif" || b == "avis" || b == "mif3") return {"avif", "image/avif"};
  if (b.starts_with("3gp") || b.starts_with("3g2")) return {"3gp", "video/3gpp"};
  if (b == "qt  " || b.empty()) return {"mov", "video/quicktime"};
  if (b.starts_with("M4A") || (layout.film && !layout.details.video)) return {"m4a", "audio/mp4"};
  if (b.starts_with("crx")) return {"cr3", "image/x-canon-cr3"};
  return {"mp4", "video/mp4"};
}

/// A film with its directory: whole if its samples are where they should be.
Carved film_of(View& view, std::uint64_t offset, const Layout& layout, const Name& name) {
  Carved film = contiguous(offset, layout.end, kStructure, name.extension, name.media_type);
  std::uint64_t bad = 0, checked = 0;
  for (const Film::Part& table : layout.details.sample_tables) {
    const SampleCheck check = check_samples(view, offset, table.body, table.end);
    checked += check.checked;
    if (check.first_bad != 0 && (bad == 0 || check.first_bad < bad)) bad = check.first_bad;
  }
  if (layout.details.last_chunk >= layout.end - offset) {
    film.note = "samples that it names lie beyond its end";
  } else if (bad != 0) {
    film.note = "from byte " + std::to_string(bad) + " on its samples are not what its directory says";
    // With the directory in front, the beginning plays.
    if (layout.data_after_film) film.runs[0].length = bad;
  } else {
    if (checked == 0) film.confidence = kSize;
    return film;
  }
  film.confidence = kIncomplete;
  film.complete = film.covers = false;
  return film;
}

}  // namespace

Found carve_boxes(View& view, std::uint64_t offset) {
  const Layout layout = walk_top(view, offset);
  const Name name = name_of(layout);
  const bool picture = std::string_view(name.media_type).starts_with("image/he") ||
                       std::string_view(name.media_type) == "image/avif";
  if (picture && layout.meta && layout.data)
    return contiguous(offset, layout.end, kStructure, name.extension, name.media_type);
  if (layout.film && (layout.data || layout.fragments) && !picture)
    return film_of(view, offset, layout, name);
  // The directory comes last in what cameras write: without it this is all that is left.
  if (layout.brand.empty() || (!layout.cut && !layout.film && !layout.data)) return std::nullopt;
  if (layout.film)
    return beginning(offset, layout.end, name.extension, name.media_type, "its samples are missing");
  if (!layout.data) return std::nullopt;
  return beginning(offset, layout.end, name.extension, name.media_type,
                   "its directory of samples is missing: players may not open it");
}

}  // namespace touchstone::carving

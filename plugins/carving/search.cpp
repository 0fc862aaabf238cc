#include "search.hpp"

#include <hs/hs.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "jpeg.hpp"
#include "sqlite_pages.hpp"

namespace touchstone::carving {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kSector = 512;
// Files of a window; a window is 64 MiB mostly, so this is one in each sector.
constexpr std::size_t kMaxFiles = 100'000;

struct Signature {
  std::string_view magic;
  std::uint32_t before;  // bytes of the file that stand before it
  Carver carve;          // null: JPEG
  bool loose;            // strong enough to be taken where no sector begins
};

constexpr std::array kSignatures = {
    Signature{"\xFF\xD8\xFF"sv, 0, nullptr, true},
    Signature{"\x89PNG\r\n\x1A\n"sv, 0, carve_png, true},
    Signature{"GIF87a"sv, 0, carve_gif, true},
    Signature{"GIF89a"sv, 0, carve_gif, true},
    Signature{"RIFF"sv, 0, carve_riff, true},
    Signature{"OggS\0\2"sv, 0, carve_ogg, true},
    Signature{"\0\0\1\xBA"sv, 0, carve_mpeg, false},
    Signature{"ftyp"sv, 4, carve_boxes, true},
    Signature{"%PDF-"sv, 0, carve_pdf, true},
    Signature{"{\\rtf1"sv, 0, carve_rtf, true},
    Signature{"BEGIN:VCARD"sv, 0, carve_vcard, true},
    Signature{"BEGIN:VCALENDAR"sv, 0, carve_calendar, true},
    Signature{"<?xml "sv, 0, carve_xml_plist, true},
    Signature{"PK\3\4"sv, 0, carve_zip, true},
    Signature{"7z\xBC\xAF\x27\x1C"sv, 0, carve_7z, true},
    Signature{"Rar!\x1A\7"sv, 0, carve_rar, true},
    Signature{"ANDROID BACKUP\n"sv, 0, carve_android_backup, true},
    Signature{"SQLite format 3\0"sv, 0, carve_sqlite, true},
    Signature{"\x37\x7F\6\x82"sv, 0, carve_sqlite_log, true},
    Signature{"\x37\x7F\6\x83"sv, 0, carve_sqlite_log, true},
    Signature{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, 0, carve_ole, true},
    Signature{"ElfFile\0"sv, 0, carve_event_log, true},
    Signature{"regf"sv, 0, carve_hive, false},
    Signature{"bplist00"sv, 0, carve_binary_plist, true},
};

struct SectorSignature {
  std::string_view magic;
  std::uint32_t skip;  // bytes before it
  Carver carve;
};

/// Too short, or too common, to be looked for anywhere but at the beginning of sectors.
constexpr std::array kSectorSignatures = {
    SectorSignature{"BM"sv, 0, carve_bmp},           SectorSignature{"P5"sv, 0, carve_pnm},
    SectorSignature{"P6"sv, 0, carve_pnm},           SectorSignature{"ID3"sv, 0, carve_mp3},
    SectorSignature{"\xFF\xFB"sv, 0, carve_mp3},     SectorSignature{"\xFF\xFA"sv, 0, carve_mp3},
    SectorSignature{"\xFF\xF3"sv, 0, carve_mp3},     SectorSignature{"\xFF\xF2"sv, 0, carve_mp3},
    SectorSignature{"#!"sv, 0, carve_script},        SectorSignature{"\x1F\x8B\x08"sv, 0, carve_gzip},
    SectorSignature{"moov"sv, 4, carve_boxes},       SectorSignature{"mdat"sv, 4, carve_boxes},
    SectorSignature{"wide"sv, 4, carve_boxes},       SectorSignature{"From "sv, 0, carve_mail},
    SectorSignature{"From:"sv, 0, carve_mail},       SectorSignature{"Return-Path:"sv, 0, carve_mail},
    SectorSignature{"Received:"sv, 0, carve_mail},   SectorSignature{"Delivered-To:"sv, 0, carve_mail},
    SectorSignature{"Date:"sv, 0, carve_mail},       SectorSignature{"Message-ID:"sv, 0, carve_mail},
    SectorSignature{"Message-Id:"sv, 0, carve_mail}, SectorSignature{"MIME-Version:"sv, 0, carve_mail},
    SectorSignature{"Subject:"sv, 0, carve_mail},    SectorSignature{"To:"sv, 0, carve_mail},
    SectorSignature{"X-"sv, 0, carve_mail},          SectorSignature{"Content-Type:"sv, 0, carve_mail},
    SectorSignature{"Reply-To:"sv, 0, carve_mail},   SectorSignature{"DKIM-Signature:"sv, 0, carve_mail},
};

struct Hit {
  std::uint64_t offset = 0;
  Carver carve = nullptr;  // null: JPEG
  bool loose = true;
};

/// One window on its way through the search.
class Pass {
 public:
  Pass(View& view, const hs_database_t* database, hs_scratch_t* scratch)
      : view_(view),
        scratch_(scratch),
        jpeg_(view, [this](std::uint64_t offset) { return covered_.holds(offset); }) {
    if (hs_open_stream(database, 0, &stream_) != HS_SUCCESS)
      throw std::runtime_error("the search for signatures cannot be started");
  }
  ~Pass() {
    if (stream_) hs_close_stream(stream_, nullptr, nullptr, nullptr);
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  SearchResult run() {
    std::uint64_t at = 0;
    while (at < view_.size() && !stopped()) {
      const std::uint64_t end = std::min(view_.size(), at / View::kReach * View::kReach + View::kReach);
      if (const std::uint64_t skip = covered_.end_at(at); skip >= end) {
        // Inside a file: on to the sector in which it ends.
        const std::uint64_t sector = skip / kSector * kSector;
        at = skip >= view_.size() ? view_.size() : std::max(sector, end / kSector * kSector);
        restart(at);
        continue;
      }
      if (!scan(at, end)) break;
      carve_hits();
      at = end;
    }
    pages_.finish();
    keep_pages();
    cut_short_ = view_.exhausted();
    piece_pictures();
    return finish();
  }

 private:
  bool stopped() { return view_.exhausted() || files_.size() >= kMaxFiles; }

  void restart(std::uint64_t at) {
    hs_reset_stream(stream_, 0, scratch_, nullptr, nullptr);
    stream_start_ = at;
  }

  static int on_match(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
    Pass& pass = *static_cast<Pass*>(context);
    const Signature& signature = kSignatures[id];
    const std::uint64_t magic = pass.stream_start_ + to - signature.magic.size();
    if (magic < signature.before) return 0;
    const std::uint64_t offset = magic - signature.before;
    if (signature.loose || offset % kSector == 0)
      pass.hits_.push_back({offset, signature.carve, signature.loose});
    return 0;
  }

  bool scan(std::uint64_t at, std::uint64_t end) {
    const Bytes bytes = view_.at(at, static_cast<std::size_t>(end - at));
    if (bytes.empty()) return false;  // cannot be read
    hits_.clear();
    hs_scan_stream(stream_, reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()),
                   0, scratch_, &Pass::on_match, this);
    const std::uint64_t lead = (kSector - at % kSector) % kSector;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (std::uint64_t i = lead; i + 16 <= bytes.size(); i += kSector) {
      const std::uint8_t first = bytes[i];
      if (first == 0 && bytes[i + 4] == 0) continue;
      if (first == 0x0D) leaves_.push_back(at + i);
      for (const SectorSignature& signature : kSectorSignatures) {
        const std::string_view magic = signature.magic;
        if (text[i + signature.skip] == magic[0] && text.substr(i + signature.skip).starts_with(magic)) {
          hits_.push_back({at + i, signature.carve, false});
          break;
        }
      }
    }
    return true;
  }

  /// In the order of their places; pages of databases between them.
  void carve_hits() {
    std::stable_sort(hits_.begin(), hits_.end(),
                     [](const Hit& a, const Hit& b) { return a.offset < b.offset; });
    std::size_t leaf = 0;
    for (const Hit& hit : hits_) {
      for (; leaf < leaves_.size() && leaves_[leaf] < hit.offset; ++leaf) take_leaf(leaves_[leaf]);
      if (stopped()) return;
      if (hit.offset < view_.size() && !covered_.holds(hit.offset)) take(hit);
    }
    for (; leaf < leaves_.size(); ++leaf) take_leaf(leaves_[leaf]);
    leaves_.clear();
  }

  void take(const Hit& hit) {
    Found found = hit.carve ? hit.carve(view_, hit.offset) : jpeg_.carve(hit.offset);
    if (!found || found->size() == 0) return;
    // What a header promises has to be there.
    for (const Run& run : found->runs) {
      if (run.length > INT64_MAX - run.offset || !view_.reaches(run.offset + run.length)) return;
    }
    if (hit.offset % kSector != 0) {
      found->confidence -= kNotAligned;
      if (!found->complete || found->confidence < kLeastLoose) return;
    }
    cover(*found);
    if (!hit.carve && !found->complete) broken_.push_back(hit.offset);
    files_.push_back(std::move(*found));
  }

  void cover(const Carved& file) {
    if (!file.covers) return;
    for (const Run& run : file.runs)
      covered_.add(run.offset, run.offset + std::min(run.length, file.covered));
  }

  /// Beginnings of pictures, when it is known what else there is.
  void piece_pictures() {
    for (const std::uint64_t offset : broken_) {
      if (view_.exhausted()) return;
      Found whole = jpeg_.piece_together(offset);
      if (!whole) continue;
      cover(*whole);
      // What seemed to begin in its second part is no file.
      const Run second = whole->runs[1];
      std::erase_if(files_, [&](const Carved& file) {
        return file.runs[0].offset == offset || file.runs[0].offset - second.offset < second.length;
      });
      files_.push_back(std::move(*whole));
    }
  }

  void take_leaf(std::uint64_t offset) {
    if (covered_.holds(offset) || offset < leaves_end_) return;
    pages_.pass(offset);
    if (const std::uint32_t size = leaf_page_at(view_, offset); size != 0) {
      pages_.add(offset, size);
      leaves_end_ = offset + size;
    }
    keep_pages();
  }

  void keep_pages() {
    for (Carved& group : pages_.take()) files_.push_back(std::move(group));
  }

  SearchResult finish() {
    SearchResult result;
    std::stable_sort(files_.begin(), files_.end(),
                     [](const Carved& a, const Carved& b) { return a.runs[0].offset < b.runs[0].offset; });
    if (files_.size() >= kMaxFiles) {
      result.limit =
          "more than " + std::to_string(kMaxFiles) + " files were found: the rest was not searched";
    } else if (view_.cancelled()) {
      result.limit = "the search was stopped before its end";
    } else if (cut_short_) {
      result.limit = "the search cost more than its bound on work: the rest was not searched";
    } else if (jpeg_.gave_up() || view_.exhausted()) {
      result.limit = "more pictures in pieces than the bound on tries allows: some were not pieced together";
    }
    result.files = std::move(files_);
    return result;
  }

  View& view_;
  hs_scratch_t* scratch_;
  hs_stream_t* stream_ = nullptr;
  std::uint64_t stream_start_ = 0, leaves_end_ = 0;
  bool cut_short_ = false;
  Covered covered_;
  JpegCarver jpeg_;
  PageGroups pages_;
  std::vector<Hit> hits_;
  std::vector<std::uint64_t> leaves_, broken_;
  std::vector<Carved> files_;
};

}  // namespace

void Covered::add(std::uint64_t offset, std::uint64_t end) {
  auto at = ranges_.upper_bound(offset);
  if (at != ranges_.begin() && std::prev(at)->second >= offset) --at;
  while (at != ranges_.end() && at->first <= end) {
    offset = std::min(offset, at->first);
    end = std::max(end, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(offset, end);
}

std::uint64_t Covered::end_at(std::uint64_t offset) const {
  const auto after = ranges_.upper_bound(offset);
  if (after == ranges_.begin()) return 0;
  const auto& [start, end] = *std::prev(after);
  return offset < end ? end : 0;
}

Search::Search() {
  std::vector<const char*> magics;
  std::vector<unsigned> flags, ids;
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < kSignatures.size(); ++i) {
    magics.push_back(kSignatures[i].magic.data());
    sizes.push_back(kSignatures[i].magic.size());
    flags.push_back(0);
    ids.push_back(static_cast<unsigned>(i));
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(magics.data(), flags.data(), ids.data(), sizes.data(),
                           static_cast<unsigned>(magics.size()), HS_MODE_STREAM, nullptr, &database_,
                           &error) != HS_SUCCESS) {
    const std::string why = error && error->message ? error->message : "unknown reason";
    hs_free_compile_error(error);
    throw std::runtime_error("the signatures cannot be compiled: " + why);
  }
  if (hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS) {
    hs_free_database(database_);
    throw std::runtime_error("no memory for the search");
  }
}

Search::~Search() {
  hs_free_scratch(scratch_);
  hs_free_database(database_);
}

SearchResult Search::run(View& view) const {
  Pass pass(view, database_, scratch_);
  return pass.run();
}

}  // namespace touchstone::carving

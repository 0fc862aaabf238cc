// What a carver gives: a file that was recognised by its form, with its runs and how sure that is. A carver
// is a pure function of the window and the place where a signature stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "view.hpp"

namespace touchstone::carving {

// Confidence, 0-1000. The scale is the same for all formats (docs/formats.md).
inline constexpr int kChecked = 1000;     ///< every byte is covered by a checksum or was decoded to the end
inline constexpr int kStructure = 900;    ///< the end follows from a structure that was walked as a whole
inline constexpr int kSize = 700;         ///< the end is a number in the header, and what stands there fits
inline constexpr int kText = 600;         ///< text that ends where text ends
inline constexpr int kHeader = 500;       ///< the end is a number in the header, and nothing else tells
inline constexpr int kIncomplete = 300;   ///< the beginning of a file whose rest is gone or elsewhere
inline constexpr int kNotAligned = 100;   ///< taken off where no sector begins
inline constexpr int kLeastCovers = 600;  ///< from here on, what lies inside is not listed on its own
inline constexpr int kLeastLoose = 600;   ///< the least that is listed where no sector begins

struct Carved {
  std::vector<Run> runs;  ///< in the order of the file
  int confidence = 0;
  std::string extension, media_type;
  std::string note;                    ///< one sentence, or empty
  bool complete = true;                ///< false: what is given is the beginning
  bool covers = true;                  ///< whether what lies inside is no file of its own
  std::uint64_t covered = UINT64_MAX;  ///< of each run, so many bytes
  std::uint32_t page_size = 0;         ///< of pages of a database

  std::uint64_t size() const {
    std::uint64_t sum = 0;
    for (const Run& run : runs) sum += run.length;
    return sum;
  }
};

/// One contiguous file.
inline Carved contiguous(std::uint64_t offset, std::uint64_t end, int confidence, std::string_view extension,
                         std::string_view media_type) {
  Carved carved;
  carved.runs.push_back({offset, end - offset});
  carved.confidence = confidence;
  carved.covers = confidence >= kLeastCovers;
  carved.extension = extension;
  carved.media_type = media_type;
  return carved;
}

/// The beginning of a file; what lies inside may belong to others.
inline Carved beginning(std::uint64_t offset, std::uint64_t end, std::string_view extension,
                        std::string_view media_type, std::string_view note) {
  Carved carved = contiguous(offset, end, kIncomplete, extension, media_type);
  carved.complete = false;
  carved.note = note;
  return carved;
}

/// The same, where what is given was checked.
inline Carved sound_beginning(std::uint64_t offset, std::uint64_t end, std::string_view extension,
                              std::string_view media_type, std::string_view note) {
  Carved carved = beginning(offset, end, extension, media_type, note);
  carved.covers = true;
  return carved;
}

using Found = std::optional<Carved>;
using Carver = Found (*)(View& view, std::uint64_t offset);

// pictures.cpp
Found carve_png(View& view, std::uint64_t offset);
Found carve_gif(View& view, std::uint64_t offset);
Found carve_bmp(View& view, std::uint64_t offset);
Found carve_pnm(View& view, std::uint64_t offset);
// riff.cpp
Found carve_riff(View& view, std::uint64_t offset);
// sound.cpp
Found carve_mp3(View& view, std::uint64_t offset);
Found carve_ogg(View& view, std::uint64_t offset);
Found carve_mpeg(View& view, std::uint64_t offset);
// boxes.cpp
Found carve_boxes(View& view, std::uint64_t offset);
// pdf.cpp
Found carve_pdf(View& view, std::uint64_t offset);
// text.cpp
Found carve_rtf(View& view, std::uint64_t offset);
Found carve_vcard(View& view, std::uint64_t offset);
Found carve_calendar(View& view, std::uint64_t offset);
Found carve_xml_plist(View& view, std::uint64_t offset);
Found carve_script(View& view, std::uint64_t offset);
// mail.cpp
Found carve_mail(View& view, std::uint64_t offset);
// zip.cpp
Found carve_zip(View& view, std::uint64_t offset);
// packed.cpp
Found carve_gzip(View& view, std::uint64_t offset);
Found carve_android_backup(View& view, std::uint64_t offset);
Found carve_7z(View& view, std::uint64_t offset);
Found carve_rar(View& view, std::uint64_t offset);
// sqlite.cpp
Found carve_sqlite(View& view, std::uint64_t offset);
Found carve_sqlite_log(View& view, std::uint64_t offset);
// windows.cpp
Found carve_ole(View& view, std::uint64_t offset);
Found carve_event_log(View& view, std::uint64_t offset);
Found carve_hive(View& view, std::uint64_t offset);
Found carve_binary_plist(View& view, std::uint64_t offset);

}  // namespace touchstone::carving

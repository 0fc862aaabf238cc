// Files in which systems and galleries keep small renditions of pictures one behind the other. Each is a
// range of the file, so that a member costs its own bytes. Sources: the Android Open Source Project
// (MiniThumbFile, BlobCache), the published descriptions of Windows' thumbnail cache. Nothing is kept between
// calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <utility>
#include <vector>

namespace touchstone::archives {

struct CachedPicture {
  std::string path;
  std::uint64_t offset = 0, size = 0;
};

struct PictureCache {
  std::vector<CachedPicture> pictures;  // in order, none overlaps another
  std::vector<std::pair<std::string, std::string>> problems;
};

inline constexpr std::size_t kMaxCachedPictures = 1'000'000;

/// By the first bytes: thumbcache_*.db and iconcache_*.db of Windows Vista and later ("CMMM"), the gallery's
/// imgcache.0 and imgcache.1 of Android.
bool is_picture_cache(const Job& job);
PictureCache read_picture_cache(const Job& job);
/// Android's .thumbdata3-… and .thumbdata4-…: slots of fixed length, numbered as the pictures in the media
/// database.
PictureCache read_thumbdata(const Job& job);
/// JPEGs in a file that has no list of them, as in .ithmb: from the first marker to the last.
PictureCache carve_jpegs(const Job& job);

ts_status list_pictures(Job& job, const PictureCache& cache);
ts_status extract_pictures(Job& job, const PictureCache& cache, std::uint32_t first, std::uint32_t count);

}  // namespace touchstone::archives

// What a folder given as an exhibit looks like: so that a changed one is noticed when a run is resumed,
// without reading all of it.
#pragma once

#include <string>

namespace touchstone {

/// Of the names, kinds, sizes and times of change of what lies in it, in a fixed order, and of the first
/// bytes of some files. Of a folder with very many entries only the first count (kMaxDigestEntries).
std::string folder_digest(const std::string& path);

inline constexpr std::size_t kMaxDigestEntries = 2'000'000;

}  // namespace touchstone

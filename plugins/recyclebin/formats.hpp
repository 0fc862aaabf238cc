// What recycle bins write down of each thing put into them. Plain functions over bytes; nothing is trusted: a
// length that the bytes do not hold makes the whole record none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone::recyclebin {

using Bytes = std::span<const std::uint8_t>;

/// One thing that was put into a recycle bin.
struct Deleted {
  std::string format;                 ///< "windows-vista", "windows-10", "windows-info2", "freedesktop"
  std::string original;               ///< path before it was deleted, UTF-8
  std::optional<std::int64_t> at;     ///< microseconds since 1970 UTC
  std::string local_time;             ///< as written, where the zone was not
  std::optional<std::uint64_t> size;  ///< bytes
  std::uint32_t index = 0;            ///< INFO2: number in the names Dc1.txt, Dc2.jpg …
  char drive = 0;                     ///< INFO2: letter in lower case
  bool gone = false;                  ///< INFO2: restored or emptied since
};

/// $I… of Windows Vista to 8.1 (version 1) and of Windows 10 and later (version 2). Joachim Metz, "Windows
/// Recycle.Bin file formats".
std::optional<Deleted> parse_i_file(Bytes bytes);
/// INFO2 of Windows 2000 and XP, in the same place; records of 280 bytes (no Unicode name) and of 800.
std::optional<std::vector<Deleted>> parse_info2(Bytes bytes);
/// NAME.trashinfo: freedesktop.org Trash specification 1.0.
std::optional<Deleted> parse_trashinfo(std::string_view text);

/// Largest files of these kinds that are looked at: a path has at most 32,767 characters, an INFO2 a few
/// thousand records.
inline constexpr std::uint64_t kMaxSmall = 128 * 1024;
inline constexpr std::uint64_t kMaxInfo2 = 16U << 20U;

}  // namespace touchstone::recyclebin

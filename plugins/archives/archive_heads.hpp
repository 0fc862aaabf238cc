// What the headers of RAR and 7z archives say that libarchive does not tell, or stumbles over: encrypted
// members of RAR 5, parts of archives in several volumes, 7z files that are cut. Reads headers only, never
// packed data. Sources: the format notes that the makers of RAR and 7-Zip publish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone::archives {

struct RarMember {
  std::string name;
  std::uint64_t size = UINT64_MAX, packed = 0;
  bool is_directory = false, is_encrypted = false;
  bool from_before = false, goes_on = false;  // in the volumes beside this one
  bool has_bad_digest = false;                // a record of a digest that is none
  std::optional<std::int64_t> modified;       // microseconds since 1970
  std::uint64_t block = 0, block_end = 0;     // its header and its packed bytes
};

struct RarHead {
  int version = 0;  // 4 (RAR 1.5 to 4) or 5; 0: no RAR
  bool is_volume = false, names_encrypted = false, limited = false;
  std::uint64_t volume = 0;        // counted from 0, where it is said
  std::vector<RarMember> members;  // of version 5 alone
};

RarHead read_rar_head(const Job& job);

/// Why a 7z archive cannot be read whole, from its first 32 bytes: it ends before its list of members. Empty:
/// no reason there. `is_empty`: it has no list.
std::string seven_zip_cut(const Job& job, bool& is_empty);

}  // namespace touchstone::archives

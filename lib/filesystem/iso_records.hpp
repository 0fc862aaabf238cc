// Directory records of ISO 9660 with what Joliet and Rock Ridge add to them. Sources: ECMA-119 (records,
// dates), Joliet Specification (1995), IEEE P1281 (SUSP) and P1282 (RRIP) drafts 1.12; zisofs-format.txt of
// zisofs-tools. Takes any bytes. Private to lib/filesystem.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "evidence/byte_source.hpp"
#include "model/types.hpp"

namespace touchstone::iso {

inline constexpr std::uint64_t kSector = 2048;

/// What a tree of directories is written by.
struct Dialect {
  std::uint64_t block_size = kSector;
  bool joliet = false;
  bool rock_ridge = false;
  std::size_t skip = 0;  ///< bytes of each system use area that belong to something else (SUSP LEN_SKP)
};

struct RockRidge {
  std::string name;         ///< empty without NM
  std::string link_target;  ///< of SL
  std::optional<std::uint32_t> mode, links, uid, gid;
  std::optional<std::uint32_t> child;  ///< CL: block of a directory that was moved away from here
  bool moved = false;                  ///< RE: a directory that belongs elsewhere
  bool compressed = false;             ///< ZF: zisofs
  std::uint32_t unpacked_size = 0;     ///< of ZF; files are limited to 4 GiB by its form
  std::optional<TimeUs> created, modified, accessed, changed;
  bool cut = false;  ///< areas that lead too far or nowhere
};

struct DirectoryRecord {
  std::uint32_t block = 0, size = 0;
  std::uint32_t attribute_blocks = 0;  ///< before the content
  bool directory = false, hidden = false, more = false, interleaved = false;
  std::string name;  ///< UTF-8 or the bytes as they stand; without ";1"; of "." and ".." empty
  bool itself = false, parent = false;
  std::optional<TimeUs> recorded;
  RockRidge rock;
};

/// The record that `bytes` begin with; nothing if its length cannot be. Areas that Rock Ridge continues
/// elsewhere are read from `volume`.
std::optional<DirectoryRecord> parse_record(std::span<const std::byte> bytes, const Dialect& dialect,
                                            ByteSource& volume);
/// Bytes of the system use area that SP says to leave out, if the root's own record begins with one.
std::optional<std::size_t> susp_skip(std::span<const std::byte> bytes);
/// Seven bytes: years since 1900, month, day, hour, minute, second, quarters of an hour east of Greenwich.
std::optional<TimeUs> record_time(std::span<const std::byte> bytes);

}  // namespace touchstone::iso

// The segment files of an EWF version 2 set (Ex01) and what their sections say. A section's descriptor stands
// behind its data and points to the one before, so that a file is walked from its end; of one that is cut,
// from the last descriptor that is whole. Chunks are counted through the set in each table, so that a missing
// segment moves nothing. Hostile bytes: sizes are checked before anything is read. One thread. Format:
// Joachim Metz, "Expert Witness Compression Format version 2 specification".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evidence/image_input.hpp"

namespace touchstone::ewf2 {

enum class Method : std::uint16_t { none = 0, zlib = 1, bzip2 = 2 };

/// Where the entries of a sector table stand: 16 bytes for each chunk.
struct Table {
  std::uint64_t first = 0;  ///< chunk of the media
  std::uint64_t count = 0;
  std::uint64_t entries = 0;  ///< place in the file
  std::uint32_t file = 0;
};

struct Segment {
  enum class End { next, done, cut };
  std::uint32_t number = 0;
  Method method = Method::none;
  std::string set_identifier;
  End end = End::cut;
  bool encrypted = false;
  std::vector<Table> tables;
  std::map<std::string, std::string> device, acquisition;            ///< attribute tags and values as stored
  std::vector<std::pair<std::uint64_t, std::uint64_t>> read_errors;  ///< sector, sectors
  std::string md5, sha1;
  std::vector<std::string> faults;  ///< sentences
};

struct File {
  std::string name;
  std::unique_ptr<ByteSource> bytes;
  Segment segment;
};

struct Set {
  std::vector<File> files;
  std::vector<std::string> missing, troubles;  ///< sentences
  bool complete() const { return missing.empty() && files.back().segment.end == Segment::End::done; }
};

/// Name of segment `number` given that of the first: photo.Ex01 … photo.Ex99, photo.ExAA … photo.EzZZ.
std::optional<std::string> segment_name(const std::string& first, std::uint32_t number);

/// Errors: io, corrupt (not the first segment; no section can be found), unsupported (another major version).
Result<Set> find_set(ImageInput& input);

/// Fills `out` from a bzip2 stream, or from its blocks without the head and the end of a stream, as the
/// format has them. False if `packed` is damaged or yields fewer bytes.
bool unpack_bzip2(std::span<const std::byte> packed, std::span<std::byte> out);

}  // namespace touchstone::ewf2

// The segment files of an EWF set (E01, S01, L01) and what their sections say, found by our own walk over the
// section descriptors. Damage that costs no byte of the media (a stored hash, one of two copies, a section
// descriptor whose neighbours tell what it said) is mended here and listed as a fault. Nothing is held for a
// chunk: a table is a place in a file. Every size read is bounded; one thread.
// Format: Joachim Metz, "Expert Witness Compression Format specification", sections 2 and 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/image_input.hpp"
#include "model/result.hpp"

namespace touchstone {

/// A table section: where its entries stand and where the chunks lie that they point to.
struct EwfTable {
  std::uint64_t entries = 0;    ///< place of the first entry
  std::uint64_t copy = 0;       ///< the same in section table2; 0: there is none
  std::uint64_t base = 0;       ///< added to each entry
  std::uint64_t data_from = 0;  ///< no chunk begins before …
  std::uint64_t data_to = 0;    ///< … or ends behind this
  std::uint32_t count = 0;
};

/// One segment file as its section chain describes it.
struct EwfSegment {
  enum class End { next, done, cut };  ///< says more follow; says it is the last; ends before its chain does
  std::uint16_t number = 0;
  End end = End::cut;
  std::string trouble;  ///< for `cut`: where and what
  std::uint64_t size = 0;
  bool logical = false;                          ///< of logical evidence (L01)
  std::uint64_t files_at = 0, files_length = 0;  ///< the list of its files: content of section ltree

  std::vector<EwfTable> tables;
  std::uint64_t chunks = 0;  ///< that its tables list
  /// Chunks behind those of the tables, whose own table is missing or cut; empty: none.
  std::uint64_t loose_from = 0;
  std::uint64_t loose_to = 0;

  /// A section that describes the case and the acquisition.
  struct Header {
    std::string type;
    std::uint64_t at = 0;    ///< of its descriptor
    std::uint64_t size = 0;  ///< of its content
  };
  /// A volume, disk or data section: all in a set say the same.
  struct Geometry {
    std::string type;
    std::uint64_t at = 0;
    bool sound = true;  ///< its checksum fits
    std::vector<std::byte> content;
  };
  std::vector<Header> headers;
  std::vector<Geometry> geometry;   ///< the first sound one and the damaged ones
  std::vector<std::string> faults;  ///< damage that costs no media bytes: "the checksum of its section …"
  std::string md5, sha1;            ///< stored hashes, lower-case hex
  std::vector<std::pair<std::uint64_t, std::uint64_t>> read_errors;  ///< of the acquisition: sector, sectors
  std::vector<std::pair<std::uint64_t, bool>> sessions;              ///< of a disc: first sector, audio
};

/// Walks the sections of one segment file. Errors: corrupt (no EWF header), io.
Result<EwfSegment> inspect_ewf_segment(ByteSource& file);

/// Name of segment `number` (from 1) given that of the first: photo.E01 … photo.E99, photo.EAA … photo.ZZZ.
/// Nothing if the first is not named so or the numbers are used up.
std::optional<std::string> ewf_segment_name(const std::string& first, std::uint32_t number);

/// A segment file that is there and belongs to the set.
struct EwfFile {
  std::string name;
  std::unique_ptr<ByteSource> bytes;
  EwfSegment segment;
};

struct EwfSet {
  std::vector<EwfFile> files;  ///< by number; some may be missing between them
  std::uint64_t bytes = 0;     ///< of these files
  /// First sound volume section, or one whose numbers agree with the tables; empty: none can be trusted.
  std::vector<std::byte> geometry;
  std::vector<std::string> missing;   ///< sentences naming missing files
  std::vector<std::string> troubles;  ///< sentences about cut, damaged or foreign files

  /// All segments are there, whole, and the last says that it is the last.
  bool complete() const;
  std::uint64_t chunks() const;
};

/// Errors: io, corrupt (not EWF, or not the first segment: says which to give).
Result<EwfSet> find_ewf_set(ImageInput& input);

/// Numbers of a volume section.
struct EwfGeometry {
  std::uint64_t chunks = 0;
  std::uint64_t sectors_per_chunk = 0;
  std::uint64_t bytes_per_sector = 0;
  std::uint64_t sectors = 0;
  std::string set_identifier;  ///< GUID in hex; empty if none is stored
};
EwfGeometry ewf_geometry(std::span<const std::byte> content);

}  // namespace touchstone

// The segment files of an EWF (E01) set and whether all are there and whole, found by our own walk over their
// section descriptors: libewf opens a set whose end is missing without saying which file it misses.
// Format: Joachim Metz, "Expert Witness Compression Format specification", sections 2 and 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "model/result.hpp"

namespace touchstone {

/// Bytes that libewf should see at `offset` instead of those of the file.
struct BytePatch {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
};

/// One segment file as its section chain describes it.
struct EwfSegment {
  enum class End { next, done, cut };  ///< says more follow; says it is the last; ends before its chain does
  std::uint16_t number = 0;
  End end = End::cut;
  std::uint64_t chunks = 0;  ///< that its tables list
  std::string trouble;       ///< for `cut` and for damaged descriptors: where and what

  /// A section that describes the case and the acquisition. Only libewf can tell whether it is damaged.
  struct Header {
    std::string type;
    std::uint64_t at = 0;
    std::vector<std::byte> descriptor;
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
  std::vector<BytePatch> patches;   ///< with which libewf reads the segment all the same
};

/// Walks the sections of one segment file. Errors: corrupt (no EWF header), io.
Result<EwfSegment> inspect_ewf_segment(ByteSource& file);

/// Name of segment `number` (from 1) given that of the first: photo.E01 … photo.E99, photo.EAA … photo.ZZZ.
/// Nothing if the first is not named so or the numbers are used up.
std::optional<std::string> ewf_segment_name(const std::string& first, std::uint32_t number);

struct EwfSet {
  std::vector<std::string> files;     ///< those that can be given to libewf: without gaps from the first
  std::uint64_t chunks = 0;           ///< that the tables of these files list
  std::uint64_t bytes = 0;            ///< of these files
  bool complete = false;              ///< the last one says that it is the last
  std::string missing;                ///< sentence naming a missing file, or empty
  std::vector<std::string> troubles;  ///< sentences about cut or damaged files
  std::vector<EwfSegment> segments;   ///< what was found in each of `files`

  /// Of file `index`, without its folder.
  std::string name(std::size_t index) const;
  bool patched() const;
};

/// Errors: io, corrupt (not EWF, or not the first segment: says which to give).
Result<EwfSet> find_ewf_set(const std::string& first_path);

}  // namespace touchstone

// Reads what the sections of one EWF segment say, and mends what a few damaged bytes in them hide. Follows
// the walk of ewf_segments.cpp over the section descriptors.
// Format: Joachim Metz, "Expert Witness Compression Format specification", section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/ewf_segments.hpp"

namespace touchstone {

/// Results go to `segment`, which must outlive it; so must `file`.
class EwfSectionReader {
 public:
  EwfSectionReader(ByteSource& file, EwfSegment& segment) : file_(file), segment_(segment) {}

  /// The descriptor at `at` has a wrong checksum: puts right what it must have said. False if that is not
  /// certain.
  bool mend_descriptor(std::uint64_t at, std::span<std::byte> descriptor);
  /// Takes in the section at `at`.
  void take(std::uint64_t at, std::span<const std::byte> descriptor);
  /// No section follows.
  void finish();

 private:
  struct Table {
    std::uint64_t at = 0;
    std::uint64_t size = 0;  ///< of the section; 0: not known
    std::uint64_t chunks = 0;
    std::uint64_t base = 0;
    bool sound = false;
    bool tried = false;      ///< to mend it
    std::uint64_t copy = 0;  ///< place of section table2
  };
  struct Range {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };

  std::string mended_type(std::string_view damaged) const;
  std::vector<std::byte> content(std::uint64_t at, std::uint64_t size);
  void take_hash(const std::string& type, std::uint64_t at);
  void take_list(const std::string& type, std::uint64_t at, std::size_t header, std::size_t entry);
  void take_geometry(const std::string& type, std::uint64_t at, std::uint64_t size);
  void take_table(const std::string& type, std::uint64_t at, std::uint64_t size);
  void mend_table();
  void settle_table();
  void fault(std::string_view type, std::uint64_t at, std::string_view consequence);

  ByteSource& file_;
  EwfSegment& segment_;
  std::string previous_;
  std::optional<Table> table_;    ///< the last table, while its copy may still follow
  std::optional<Range> sectors_;  ///< the last sectors section, while its table may still follow
};

}  // namespace touchstone

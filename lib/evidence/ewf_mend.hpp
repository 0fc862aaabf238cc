// Damage in an EWF set that costs no byte of the media: a wrong checksum of a stored hash, of a list, of one
// of two copies, or of a section descriptor whose neighbours tell what it said. libewf refuses the whole set
// or ends its walk there; these functions find the damage during our own walk and say which bytes libewf
// should see instead (ewf_view.hpp shows it them). The evidence itself is never changed. Every size read is
// bounded; one thread.
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

/// Follows the walk over one segment. Faults and patches go to `segment`, which must outlive it; so must
/// `file`.
class SectionMender {
 public:
  SectionMender(ByteSource& file, EwfSegment& segment) : file_(file), segment_(segment) {}

  /// The descriptor at `at` has a wrong checksum: puts right what it must have said. False if that is not
  /// certain.
  bool mend_descriptor(std::uint64_t at, std::span<std::byte> descriptor);
  /// Checks the content of the section at `at`, and counts the chunks of tables.
  void check(std::uint64_t at, std::span<const std::byte> descriptor);
  /// No section follows.
  void finish();

 private:
  struct Table {
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    std::vector<std::byte> header;
    bool sound = false;
    std::uint64_t chunks = 0;
  };

  std::string mended_type(std::string_view damaged) const;
  std::vector<std::byte> content(std::uint64_t at, std::uint64_t size);
  void check_hash(std::string_view type, std::uint64_t at, std::size_t size);
  void check_list(std::string_view type, std::uint64_t at, std::size_t header, std::size_t entry,
                  std::span<const std::byte> descriptor);
  void check_geometry(std::string_view type, std::uint64_t at, std::uint64_t size);
  void check_table(std::string_view type, std::uint64_t at, std::uint64_t size);
  void mend_table();
  void settle_table();
  void fault(std::string_view type, std::uint64_t at, std::string_view consequence);
  void patch(std::uint64_t offset, std::span<const std::byte> bytes);

  ByteSource& file_;
  EwfSegment& segment_;
  std::string previous_;
  std::optional<Table> table_;  ///< the last table, while its copy may still follow
};

/// The patch that makes libewf pass over a section, as it does with types that it does not know.
BytePatch skip_section(std::uint64_t at, std::span<const std::byte> descriptor);

/// Gives damaged volume and data sections the content of a sound copy anywhere in the set or, without one,
/// a checksum that fits if their numbers agree with the tables.
void mend_geometry(EwfSet& set);

}  // namespace touchstone

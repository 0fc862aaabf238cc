// The headers of a tar archive in their order: old (v7), ustar, PAX, GNU and star dialects, each with its
// long names, large numbers and sparse files. What does not fit is a Problem and reading goes on at the next
// block that is a header. Internal to lib/filesystem/trees. One thread. Sources: POSIX.1-2017 pax; GNU tar
// manual, "Basic Tar Format" and "Storing Sparse Files"; Joerg Schilling, star(5).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace touchstone {

/// A stretch of a sparse file that is stored; the rest is zeros.
struct TarExtent {
  std::uint64_t offset = 0, length = 0;
};

struct TarMember {
  std::uint64_t header = 0;  ///< of the first header that belongs to it, extended ones counted
  char type = '0';
  std::string name, link;    ///< raw bytes
  std::uint64_t data = 0;    ///< where its stored bytes begin
  std::uint64_t stored = 0;  ///< how many they are
  std::uint64_t size = 0;    ///< of the file: more than stored where it is sparse
  std::uint32_t mode = 0;    ///< permission bits
  std::uint64_t uid = 0, gid = 0;
  std::string owner, group;
  Times times;
  std::vector<std::string> attributes;  ///< names of extended attributes
  std::optional<std::pair<std::uint32_t, std::uint32_t>> device;
  bool sparse = false;
  bool sparse_map_in_data = false;  ///< PAX 1.0: the list stands before the bytes
  std::vector<TarExtent> extents;   ///< of a sparse file, unless the list stands in the data
};

class TarReader {
 public:
  explicit TarReader(ByteSource& tar) : tar_(tar) {}
  /// The next member; nothing at the end. Errors: io, and whatever the source gives.
  Result<std::optional<TarMember>> next(std::vector<Problem>& problems);
  /// The member whose header() is there.
  Result<std::optional<TarMember>> read_at(std::uint64_t header);
  /// Where the next header is looked for.
  std::uint64_t position() const { return position_; }

 private:
  using Attributes = std::map<std::string, std::string, std::less<>>;
  /// What extended headers say of the member that follows them.
  struct Pending {
    Attributes pax;
    std::vector<TarExtent> pax_extents;
    std::optional<std::string> name, link;
    std::optional<std::uint64_t> header;
  };
  Result<bool> read_block(std::uint64_t offset);
  Result<bool> find_header(std::vector<Problem>& problems, bool any_yet);
  Result<bool> skip_zeros(std::vector<Problem>& problems);
  Status extended(char type, Pending& pending, std::vector<Problem>& problems);
  Status parse_pax(const std::string& text, Pending* pending, std::vector<Problem>& problems);
  TarMember parse_member(const Pending& pending);
  void parse_numbers(TarMember& member, const Pending& pending);
  void parse_gnu_sparse(TarMember& member);
  void apply_pax(TarMember& member, const Pending& pending);
  void apply_pax_sparse(TarMember& member, const Attributes& pax, const Pending& pending);
  const std::string* find(const Pending& pending, std::string_view key) const;

  ByteSource& tar_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> block_;
  Attributes global_;
};

/// The bytes of a member, `tar` outliving them. Error corrupt or limit: its list of stored stretches
/// contradicts itself or is too long.
Result<std::unique_ptr<ByteSource>> open_tar_member(ByteSource& tar, const TarMember& member);

}  // namespace touchstone

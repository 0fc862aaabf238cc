// What virtual disks have in common: a table says for each piece of the media whether it stands in a file, is
// zero, belongs to the parent image, is packed, or is lost. A format derives from MappedImage and answers
// that question; reading, caching of unpacked pieces, parents and gaps are here. Tables are read a page at a
// time through PageReader, so that no size in a header becomes an allocation. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evidence/exhibit_source.hpp"
#include "evidence/gap_list.hpp"
#include "evidence/image_input.hpp"
#include "evidence/unit_cache.hpp"

namespace touchstone {

/// Numbers anywhere in a file, through a small cache of its pages.
class PageReader {
 public:
  explicit PageReader(ByteSource& file) : file_(file), pages_(kBudget) {}

  /// False if the file does not hold them all.
  bool read(std::uint64_t at, std::span<std::byte> out);
  std::optional<std::uint64_t> little(std::uint64_t at, std::size_t bytes);
  std::optional<std::uint64_t> big(std::uint64_t at, std::size_t bytes);
  ByteSource& file() { return file_; }

 private:
  static constexpr std::size_t kPage = 8 * 1024;
  static constexpr std::size_t kBudget = 16 * kPage;  ///< small: a split disk has one reader for each extent
  ByteSource& file_;
  UnitCache pages_;
};

class MappedImage : public ExhibitSource {
 public:
  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return info_.size; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override { return gaps_.list(); }

 protected:
  /// What stands at a place of the media, and for how many bytes from there that holds.
  struct Piece {
    enum class Kind { stored, zero, parent, packed, lost };
    Kind kind = Kind::lost;
    std::uint64_t length = 0;
    std::uint32_t file = 0;
    std::uint64_t at = 0;  ///< in the file
    // For packed: the whole unit that holds the place.
    std::uint64_t unit_offset = 0;  ///< of the media
    std::uint64_t unit_size = 0;
    std::uint64_t packed_size = 0;
    std::uint32_t method = 0;  ///< as the format understands it
    std::string reason;        ///< for lost

    static Piece stored(std::uint32_t file, std::uint64_t at, std::uint64_t length);
    static Piece zero(std::uint64_t length);
    static Piece parent(std::uint64_t length);
    static Piece lost(std::uint64_t length, std::string reason);
  };

  /// `offset` lies before the end. The piece may reach beyond it.
  virtual Piece find(std::uint64_t offset) = 0;
  /// Fills `out`, which has the unit's size. False if `packed` is damaged. `packed` may be shorter than was
  /// asked for at the end of a file.
  virtual bool unpack(const Piece& piece, std::span<const std::byte> packed, std::span<std::byte> out);

  /// The parent's files and troubles become this image's.
  void set_parent(std::unique_ptr<ExhibitSource> parent);
  std::uint32_t add_file(std::unique_ptr<ByteSource> file);
  /// Memory for unpacked units, where they are large. Before the first read.
  void set_unit_budget(std::size_t bytes) { units_ = UnitCache(bytes); }

  ImageInfo info_;
  std::vector<std::unique_ptr<ByteSource>> files_;
  std::unique_ptr<ExhibitSource> parent_;

 private:
  void read_stored(std::uint32_t file, std::uint64_t at, std::uint64_t offset, std::span<std::byte> out);
  void read_parent(std::uint64_t offset, std::span<std::byte> out);
  void read_packed(const Piece& piece, std::uint64_t offset, std::span<std::byte> out);
  void lose(std::uint64_t offset, std::span<std::byte> out, const std::string& reason);

  GapList gaps_;
  UnitCache units_{kUnitBudget};
  std::vector<std::byte> packed_;
  static constexpr std::size_t kUnitBudget = std::size_t{8} << 20;
};

/// Units larger than this are no real ones: who says so is damaged.
inline constexpr std::uint64_t kMaxUnit = std::uint64_t{64} << 20;
/// Beyond this no disk exists.
inline constexpr std::uint64_t kMaxDisk = std::uint64_t{1} << 56;

}  // namespace touchstone

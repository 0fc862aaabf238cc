// Where the chunks of an EWF set lie and what is in them. For each table section a few numbers are held, for
// a chunk nothing: entries are read from the files when they are needed, a page at a time. Each chunk is
// checked against its own checksum (Adler-32, alone or in its zlib stream); where an entry of one table is
// wrong, the table's copy is tried. Chunks whose table is missing are found one after the other by their own
// form, in the order in which they stand. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evidence/ewf_segments.hpp"
#include "evidence/inflate.hpp"
#include "evidence/unit_cache.hpp"

namespace touchstone {

enum class EwfChunkState {
  sound,
  missing,     ///< no table lists it and no file holds it
  unreadable,  ///< damaged: nothing of it is known; zeros are given
  wrong_sum,   ///< its bytes are there, but do not fit its checksum
  file_error,  ///< the file that holds it could not be read there
};

class EwfChunks {
 public:
  /// `files` must outlive this. `media_size` and `chunk_size` are not 0.
  EwfChunks(std::vector<EwfFile>& files, std::uint64_t media_size, std::uint32_t chunk_size);

  /// Adds the chunks of files[file]; the first of them is number `first`. In order.
  void add_file(std::size_t file, std::uint64_t first);
  /// The chunks behind those of the tables of files[file] begin with number `first`; there are at most
  /// `limit`.
  void add_loose(std::size_t file, std::uint64_t first, std::uint64_t limit);

  /// Bytes of chunk `number`: all but the last have the chunk size.
  std::uint32_t bytes_of(std::uint64_t number) const;
  std::uint64_t count() const { return (media_size_ + chunk_size_ - 1) / chunk_size_; }

  /// Media that does not end with a whole sector is written with a last chunk that holds more than the
  /// sectors counted. The bytes beyond them, fewer than `sector`: 0 if there are none, or if what is there
  /// does not fit its checksum. `listed` is how many chunks the set lists.
  std::uint32_t tail(std::uint64_t listed, std::uint32_t sector);
  /// The media is longer by that.
  void add_tail(std::uint32_t bytes) { media_size_ += bytes; }

  /// Fills `out`, which has bytes_of(number) bytes.
  EwfChunkState read(std::uint64_t number, std::span<std::byte> out);

  /// Damage found since the last call that costs no byte: sentences.
  std::vector<std::string> take_faults();

 private:
  struct Table {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t file = 0;
    std::uint64_t entries = 0, copy = 0, base = 0, data_from = 0, data_to = 0;
    std::uint32_t overflow = 0;  ///< entries from here on are 32-bit offsets of stored chunks
    bool checked = false;
  };
  struct Loose {
    std::uint64_t first = 0, limit = 0;
    std::uint32_t file = 0;
    std::uint64_t at = 0, to = 0;      ///< where the next chunk should stand, and the end
    std::vector<std::uint64_t> found;  ///< places of chunks, one after the other
    bool ended = false;
  };
  struct Span {
    std::uint32_t file = 0;
    std::uint64_t from = 0, to = 0;
    bool packed = false;
  };

  Table* table_of(std::uint64_t number);
  std::optional<std::uint32_t> entry(std::uint32_t file, std::uint64_t entries, std::uint32_t index);
  std::optional<Span> locate(Table& table, std::uint64_t entries, std::uint32_t index);
  void check_table(Table& table);
  EwfChunkState decode(const Span& span, std::span<std::byte> out);
  EwfChunkState decode_stored(std::span<const std::byte> stored, std::span<std::byte> out) const;
  EwfChunkState read_loose(Loose& loose, std::uint64_t index, std::span<std::byte> out);
  bool step(Loose& loose);
  EwfChunkState fetch(std::uint32_t file, std::uint64_t from, std::uint64_t size);
  void fault(std::string sentence);

  std::vector<EwfFile>& files_;
  std::uint64_t media_size_;
  std::uint32_t chunk_size_;
  std::vector<Table> tables_;
  std::vector<Loose> loose_;
  UnitCache pages_;
  Inflater inflater_;
  std::vector<std::byte> packed_;  ///< the chunk at hand as it stands in the file
  std::vector<std::byte> spare_;
  std::vector<std::string> faults_;
};

}  // namespace touchstone

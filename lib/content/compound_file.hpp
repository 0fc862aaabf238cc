// Compound files (OLE 2, [MS-CFB]): Word, Excel and PowerPoint up to 2003, Outlook's .msg, Thumbs.db, .msi,
// jump lists, encrypted Office files. A file system of sectors within a file: an allocation table, a
// directory, and streams of bytes.
//
// Reads through a function, owns no file, and keeps the allocation table and the directory in memory: four
// bytes a sector and about 200 an entry, both bounded. Hostile input costs no more than that: chains that
// loop, sectors out of range and siblings that lead back end where they do, and say so in problems(). One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

struct CompoundEntry {
  enum class Kind : std::uint8_t { root, storage, stream };
  Kind kind = Kind::stream;
  std::uint32_t id = 0;      ///< number in the directory
  std::uint32_t parent = 0;  ///< index in entries(); the root's is its own
  std::u16string name_utf16;
  std::string name;  ///< UTF-8; control characters as they stand, as in "\x05SummaryInformation"
  std::string path;  ///< from the root, without a leading slash; empty for the root
  std::uint64_t size = 0;
  std::uint32_t first_sector = 0;
  std::string class_id;                           ///< 16 bytes as stored, empty if zero
  std::optional<std::int64_t> created, modified;  ///< microseconds since 1970 UTC
  bool is_orphan = false;                         ///< no storage leads to it; `path` is its name alone
};

class CompoundFile {
 public:
  /// Fills from an offset; how many bytes, fewer only at the end; negative: cannot be read.
  using Read = std::function<std::int64_t(std::uint64_t, std::span<std::uint8_t>)>;

  static constexpr std::uint64_t kMaxSectors = 1ULL << 25U;  // 16 GiB of sectors of 512 bytes
  static constexpr std::uint32_t kMaxEntries = 1U << 20U;
  static constexpr unsigned kMaxDepth = 64;

  /// Whether a file begins as these do.
  static bool is_compound(std::span<const std::uint8_t> head);
  /// `corrupt` if nothing of the directory can be read, `limit` if it is larger than what is kept.
  static Result<CompoundFile> open(Read read, std::uint64_t size);

  /// The root first, then each storage before what it holds, siblings in the order of their tree; orphans
  /// last.
  const std::vector<CompoundEntry>& entries() const { return entries_; }
  /// By path ("__attach_version1.0_#00000000/__substg1.0_37010102"), without regard to the case of ASCII
  /// letters; null: not there. Orphans are not looked at.
  const CompoundEntry* find(std::string_view path) const;
  /// Whether it is a message of Outlook: its root has the streams that [MS-OXMSG] 2.2 names, whatever became
  /// of the rest.
  bool holds_outlook_message() const;
  /// What was found wrong while opening, in words.
  const std::vector<std::string>& problems() const { return problems_; }

  /// A stream's bytes in order, or from any place. Borrows the file.
  class Stream {
   public:
    /// Bytes that are there: the stated size, or less where the chain of sectors ends before.
    std::uint64_t size() const { return size_; }
    bool is_short() const { return is_short_; }
    /// How many bytes were filled, fewer only at the end; negative: cannot be read.
    std::int64_t read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

   private:
    friend class CompoundFile;
    const CompoundFile* file_ = nullptr;
    std::vector<std::uint32_t> chain_;
    bool is_mini_ = false, is_short_ = false;
    std::uint64_t size_ = 0;
  };
  Stream open_stream(const CompoundEntry& entry) const;
  /// All of a stream that is at most `limit` bytes; else nothing.
  std::optional<std::vector<std::uint8_t>> read_all(const CompoundEntry& entry, std::uint64_t limit) const;

 private:
  CompoundFile() = default;
  Status read_header();
  void read_fat(std::span<const std::uint8_t> header);
  void read_directory();
  void walk_tree();
  void add_orphans();
  void add_children(std::uint32_t storage, unsigned depth, std::vector<std::uint32_t>& found);
  CompoundEntry parse_entry(std::uint32_t id) const;
  std::string path_of(std::uint32_t parent, const std::string& name) const;
  /// Sectors from `first` on: at most `most`, ended by a loop or a number out of range.
  std::vector<std::uint32_t> chain_of(std::uint32_t first, const std::vector<std::uint32_t>& table,
                                      std::uint64_t most, bool& is_whole) const;
  bool read_sector(std::uint32_t sector, std::span<std::uint8_t> out) const;

  Read read_;
  std::uint64_t size_ = 0;
  std::uint32_t sector_shift_ = 9, mini_shift_ = 6, mini_cutoff_ = 4096;
  std::uint32_t first_directory_ = 0, first_mini_fat_ = 0;
  bool has_large_sizes_ = false;  // version 4: sizes of 64 bits
  std::vector<std::uint32_t> fat_, mini_fat_;
  std::vector<std::uint32_t> mini_chain_;  // sectors of the stream that holds the small ones
  std::uint64_t mini_size_ = 0;
  std::vector<std::uint8_t> directory_;  // empty after open()
  std::vector<bool> visited_;            // empty after open()
  std::vector<CompoundEntry> entries_;
  std::vector<std::string> problems_;
};

/// UTF-8 of UTF-16; single surrogates become U+FFFD.
std::string utf8_of(std::u16string_view text);
/// Name of a stream of an .msi: two of 64 characters are packed into one unit of UTF-16. `is_table`: it
/// belongs to a table of the installer's database. Other names come as they are.
std::string decode_msi_name(std::u16string_view name, bool& is_table);

}  // namespace touchstone

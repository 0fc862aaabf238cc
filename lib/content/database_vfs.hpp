// The SQLite VFS of the database facet: three files (main, -wal, -journal) that read from ByteSources, and
// whatever else SQLite asks for (sorter files) in memory. Every write goes to an overlay of 4 KiB blocks
// under one budget for all files, so that evidence is never written to and memory stays bounded: what does
// not fit is SQLITE_FULL. Names other than the three do not exist, so that a journal that names a
// super-journal opens nothing. Owns the registration; sources are borrowed. One thread. For the .cpp files of
// this folder only. SQLite's own contract for these calls: https://www.sqlite.org/c3ref/io_methods.html
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "evidence/byte_source.hpp"

namespace touchstone::detail {

/// Bytes that all overlays of one database may take.
struct OverlayBudget {
  std::uint64_t limit = 0;
  std::uint64_t used = 0;
  bool exceeded = false;
};

/// One file: a borrowed source (or none) with the writes made over it.
class OverlayFile {
 public:
  OverlayFile(ByteSource* base, OverlayBudget& budget);
  ~OverlayFile();
  OverlayFile(const OverlayFile&) = delete;
  OverlayFile& operator=(const OverlayFile&) = delete;

  std::uint64_t size() const { return size_; }
  /// SQLITE_OK, SQLITE_IOERR_SHORT_READ (the rest is zeros) or SQLITE_IOERR_READ, see error().
  int read(std::uint64_t offset, std::span<std::byte> out);
  /// SQLITE_OK, SQLITE_FULL or SQLITE_IOERR_READ (what stands around the bytes cannot be read).
  int write(std::uint64_t offset, std::span<const std::byte> bytes);
  void truncate(std::uint64_t size);
  bool written() const { return written_; }
  /// The file was longer once: so SQLite is told, which refuses a database that lacks pages as a whole.
  /// Reading what is missing is an error (SQLITE_CORRUPT), where zeros would pass for the end of a text.
  void was_longer(std::uint64_t size) {
    cut_ = size > size_;
    size_ = std::max(size_, size);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  static constexpr std::size_t kBlock = 4096;
  using Block = std::array<std::byte, kBlock>;
  int read_base(std::uint64_t offset, std::span<std::byte> out);

  ByteSource* base_;
  OverlayBudget* budget_;
  std::uint64_t size_ = 0;
  std::uint64_t base_size_ = 0;  ///< what of the base is still visible: a truncation hides the rest for good
  bool written_ = false;
  bool cut_ = false;
  std::optional<Error> error_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Block>> blocks_;
};

class EvidenceVfs {
 public:
  /// A null source: that file does not exist.
  EvidenceVfs(ByteSource& main, ByteSource* wal, ByteSource* journal, std::uint64_t overlay_bytes);
  ~EvidenceVfs();
  EvidenceVfs(const EvidenceVfs&) = delete;
  EvidenceVfs& operator=(const EvidenceVfs&) = delete;

  const char* name() const { return name_.c_str(); }
  static constexpr const char* kDatabaseName = "evidence";

  /// The first error of a source, for a message that says more than "disk I/O error".
  std::optional<Error> source_error() const;
  bool overlay_full() const { return budget_.exceeded; }
  bool main_written() const { return main_.written(); }

 private:
  struct File;
  struct Calls;
  /// Null if the name is none of the three.
  OverlayFile* find(const char* name, bool** exists);

  OverlayBudget budget_;
  OverlayFile main_, wal_, journal_;
  bool main_exists_ = true, wal_exists_, journal_exists_;
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace touchstone::detail

#include "content/database_vfs.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>

namespace touchstone::detail {

OverlayFile::OverlayFile(ByteSource* base, OverlayBudget& budget) : base_(base), budget_(&budget) {
  if (base_) size_ = base_size_ = base_->size();
}

OverlayFile::~OverlayFile() {
  budget_->used -= blocks_.size() * kBlock;
}

int OverlayFile::read_base(std::uint64_t offset, std::span<std::byte> out) {
  std::size_t have = 0;
  if (offset < base_size_) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), base_size_ - offset));
    auto got = base_->read_at(offset, out.first(want));
    if (!got) {
      if (!error_) error_ = got.error();
      return SQLITE_IOERR_READ;
    }
    have = std::min(*got, want);
  }
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(have), out.end(), std::byte{0});
  return SQLITE_OK;
}

int OverlayFile::read(std::uint64_t offset, std::span<std::byte> out) {
  if (cut_ && offset + out.size() > base_size_) return SQLITE_CORRUPT;
  const std::size_t want =
      offset >= size_ ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(want), out.end(), std::byte{0});
  if (want > 0) {
    if (const int rc = read_base(offset, out.first(want)); rc != SQLITE_OK) return rc;
    if (!blocks_.empty()) {
      for (std::uint64_t at = offset; at < offset + want;) {
        const std::uint64_t within = at % kBlock;
        const auto length =
            static_cast<std::size_t>(std::min<std::uint64_t>(kBlock - within, offset + want - at));
        if (const auto found = blocks_.find(at / kBlock); found != blocks_.end())
          std::memcpy(out.data() + (at - offset), found->second->data() + within, length);
        at += length;
      }
    }
  }
  return want == out.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int OverlayFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const std::uint64_t at = offset + done, within = at % kBlock;
    const std::size_t length = std::min<std::size_t>(kBlock - within, bytes.size() - done);
    auto& block = blocks_[at / kBlock];
    if (!block) {
      if (budget_->used + kBlock > budget_->limit) {
        blocks_.erase(at / kBlock);
        budget_->exceeded = true;
        return SQLITE_FULL;
      }
      block = std::make_unique<Block>();
      budget_->used += kBlock;
      if (const int rc = read_base(at - within, *block); rc != SQLITE_OK) {
        blocks_.erase(at / kBlock);
        budget_->used -= kBlock;
        return rc;
      }
    }
    std::memcpy(block->data() + within, bytes.data() + done, length);
    done += length;
  }
  written_ = written_ || !bytes.empty();
  size_ = std::max<std::uint64_t>(size_, offset + bytes.size());
  return SQLITE_OK;
}

void OverlayFile::truncate(std::uint64_t size) {
  written_ = written_ || size != size_;
  if (size < size_) {
    base_size_ = std::min(base_size_, size);
    std::erase_if(blocks_, [&](auto& entry) {
      if (entry.first * kBlock >= size) {
        budget_->used -= kBlock;
        return true;
      }
      const std::uint64_t start = entry.first * kBlock;
      if (start + kBlock > size)
        std::fill(entry.second->begin() + static_cast<std::ptrdiff_t>(size - start), entry.second->end(),
                  std::byte{0});
      return false;
    });
  }
  size_ = size;
}

namespace {

/// What the header says of the file's size, where its last writer kept that up to date; 0 if it does not:
/// https://www.sqlite.org/fileformat2.html#in_header_database_size
std::uint64_t stated_size(ByteSource& main) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  std::array<std::byte, 100> header{};
  const auto got = main.read_at(0, header);
  if (!got || *got < header.size()) return 0;
  const auto number = [&](std::size_t at, std::size_t length) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + length; ++i)
      value = (value << 8) | std::to_integer<std::uint64_t>(header[i]);
    return value;
  };
  const std::uint64_t stored = number(16, 2), page_size = stored == 1 ? 65536 : stored;
  const std::uint64_t size = number(28, 4) * page_size;
  return number(24, 4) == number(92, 4) && size <= kMost ? size : 0;
}

}  // namespace

/// What SQLite allocates for us; `methods` must come first.
struct EvidenceVfs::File {
  sqlite3_file base;
  OverlayFile* file;
  bool owned;  ///< a file of the sorter, gone when it is closed
};

/// SQLite's calls. None lets an exception out: the caller is C.
struct EvidenceVfs::Calls {
  static EvidenceVfs& of(sqlite3_vfs* vfs) { return *static_cast<EvidenceVfs*>(vfs->pAppData); }
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

  static int close(sqlite3_file* file) {
    if (of(file).owned) delete of(file).file;  // NOLINT(cppcoreguidelines-owning-memory): made in open()
    of(file).file = nullptr;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    if (offset < 0 || amount < 0) return SQLITE_IOERR_READ;
    try {
      return of(file).file->read(static_cast<std::uint64_t>(offset),
                                 {static_cast<std::byte*>(out), static_cast<std::size_t>(amount)});
    } catch (const std::bad_alloc&) {
      return SQLITE_IOERR_NOMEM;
    } catch (...) {
      return SQLITE_IOERR_READ;
    }
  }
  static int write(sqlite3_file* file, const void* in, int amount, sqlite3_int64 offset) {
    if (offset < 0 || amount < 0) return SQLITE_IOERR_WRITE;
    try {
      return of(file).file->write(static_cast<std::uint64_t>(offset),
                                  {static_cast<const std::byte*>(in), static_cast<std::size_t>(amount)});
    } catch (const std::bad_alloc&) {
      return SQLITE_IOERR_NOMEM;
    } catch (...) {
      return SQLITE_IOERR_WRITE;
    }
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (size < 0) return SQLITE_IOERR_TRUNCATE;
    of(file).file->truncate(static_cast<std::uint64_t>(size));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file*, int) { return SQLITE_OK; }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(file).file->size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  /// Nobody else holds a lock: that is what makes a journal hot.
  static int check_reserved_lock(sqlite3_file*, int* locked) {
    *locked = 0;
    return SQLITE_OK;
  }
  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 512; }
  static int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    // Version 1: no shared memory (the WAL index is in heap by locking_mode=EXCLUSIVE) and no memory map.
    static constexpr sqlite3_io_methods kMethods{1,
                                                 close,
                                                 read,
                                                 write,
                                                 truncate,
                                                 sync,
                                                 file_size,
                                                 lock,
                                                 lock,
                                                 check_reserved_lock,
                                                 file_control,
                                                 sector_size,
                                                 device_characteristics,
                                                 {},
                                                 {},
                                                 {},
                                                 {},
                                                 {},
                                                 {}};
    File& opened = of(file);
    opened = File{{nullptr}, nullptr, false};
    EvidenceVfs& self = of(vfs);
    constexpr int kNamed = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    try {
      if (name && (flags & kNamed)) {
        bool* exists = nullptr;
        opened.file = self.find(name, &exists);
        if (!opened.file || (!*exists && !(flags & SQLITE_OPEN_CREATE))) return SQLITE_CANTOPEN;
        *exists = true;
      } else if (!name) {
        opened.file = new OverlayFile(nullptr, self.budget_);  // NOLINT: freed in close()
        opened.owned = true;
      } else {
        return SQLITE_CANTOPEN;  // a super-journal or another database
      }
    } catch (...) {
      return SQLITE_IOERR_NOMEM;
    }
    opened.base.pMethods = &kMethods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    bool* exists = nullptr;
    if (OverlayFile* file = of(vfs).find(name, &exists)) {
      file->truncate(0);
      *exists = false;
    }
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* result) {
    bool* exists = nullptr;
    *result = of(vfs).find(name, &exists) && *exists ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_pathname(sqlite3_vfs*, const char* name, int size, char* out) {
    const std::string_view text = name ? name : "";
    if (text.size() >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(out, text.data(), text.size());
    out[text.size()] = '\0';
    return SQLITE_OK;
  }
  static void* dl_open(sqlite3_vfs*, const char*) { return nullptr; }
  static void dl_error(sqlite3_vfs*, int size, char* out) {
    if (size > 0) out[0] = '\0';
  }
  static void (*dl_symbol(sqlite3_vfs*, void*, const char*))() { return nullptr; }
  static void dl_close(sqlite3_vfs*, void*) {}
  // Results must not depend on chance or on the clock: both stand still.
  static int randomness(sqlite3_vfs*, int size, char* out) {
    std::memset(out, 0, static_cast<std::size_t>(std::max(size, 0)));
    return size;
  }
  static int sleep(sqlite3_vfs*, int) { return 0; }
  static int current_time(sqlite3_vfs*, double* days) {
    *days = 2440587.5;  // 1970-01-01 as a Julian day
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

EvidenceVfs::EvidenceVfs(ByteSource& main, ByteSource* wal, ByteSource* journal, std::uint64_t overlay_bytes)
    : budget_{overlay_bytes, 0, false},
      main_(&main, budget_),
      wal_(wal, budget_),
      journal_(journal, budget_),
      wal_exists_(wal != nullptr),
      journal_exists_(journal != nullptr) {
  // A log or a journal says itself how many pages there are.
  if (!wal && !journal) main_.was_longer(stated_size(main));
  static std::atomic<std::uint64_t> counter{0};
  name_ = "touchstone-evidence-" + std::to_string(counter++);
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(File);
  vfs_.mxPathname = 64;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Calls::open;
  vfs_.xDelete = Calls::remove;
  vfs_.xAccess = Calls::access;
  vfs_.xFullPathname = Calls::full_pathname;
  vfs_.xDlOpen = Calls::dl_open;
  vfs_.xDlError = Calls::dl_error;
  vfs_.xDlSym = Calls::dl_symbol;
  vfs_.xDlClose = Calls::dl_close;
  vfs_.xRandomness = Calls::randomness;
  vfs_.xSleep = Calls::sleep;
  vfs_.xCurrentTime = Calls::current_time;
  vfs_.xGetLastError = Calls::last_error;
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::runtime_error("SQLite refuses the VFS");
}

EvidenceVfs::~EvidenceVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

OverlayFile* EvidenceVfs::find(const char* name, bool** exists) {
  const std::string_view text = name ? name : "";
  constexpr std::string_view kMain = kDatabaseName;
  if (text.substr(0, kMain.size()) != kMain) return nullptr;
  const std::string_view rest = text.substr(kMain.size());
  if (rest.empty()) return *exists = &main_exists_, &main_;
  if (rest == "-wal") return *exists = &wal_exists_, &wal_;
  if (rest == "-journal") return *exists = &journal_exists_, &journal_;
  return nullptr;
}

std::optional<Error> EvidenceVfs::source_error() const {
  for (const OverlayFile* file : {&main_, &wal_, &journal_})
    if (file->error()) return file->error();
  return std::nullopt;
}

}  // namespace touchstone::detail

// The pages of a database, its write-ahead log and its rollback journal, each as it stands in its file:
// which image of a page is the current one, and all the others, which are what was before. The library's own
// reader of frames and journal records is not used, since it stops where the current transaction does:
// frames of earlier generations lie behind it. Formats: https://www.sqlite.org/fileformat2.html#walformat and
// #rollback_journal. Sources are borrowed. One thread. What is damaged is told in problems().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "content/database.hpp"
#include "content/sqlite/format.hpp"

namespace touchstone::sqlite {

enum class PageFile : std::uint8_t { main, wal, journal };

/// One image of a page. `bytes` is valid during the call that gives it.
struct PageImage {
  PageFile file = PageFile::main;
  std::uint32_t page = 0;         ///< 0: unknown
  std::uint64_t file_offset = 0;  ///< of its first byte
  bool verified = false;          ///< a checksum of the log or journal holds
  bool current = false;
  Bytes bytes;
};

/// What readers of one database tell; at most kMaxProblems are kept, the last says that there are more.
class Problems {
 public:
  static constexpr std::size_t kMaxProblems = 50;
  void add(ErrorCode code, std::string message);
  const std::vector<Error>& list() const { return list_; }

 private:
  std::vector<Error> list_;
};

class PageStore {
 public:
  /// Error corrupt where neither the file nor its log has a first page.
  static Result<PageStore> open(const DatabaseFiles& files, Problems& problems);

  const DatabaseHeader& header() const { return header_; }
  std::uint32_t page_size() const { return header_.page_size; }
  std::uint32_t usable() const { return header_.usable; }
  /// Pages of the current state that are really there.
  std::uint32_t page_count() const { return page_count_; }
  /// The current image; `storage` holds the bytes. False if it cannot be read.
  bool read_current(std::uint32_t page, std::vector<std::byte>& storage, PageImage& image);
  /// Every image that is not current, in the order main file, log, journal. `each` returns false to stop.
  void each_old_image(const std::function<bool(const PageImage&)>& each);
  bool has_log() const { return !frames_.empty(); }
  /// Whether the main file's own image of the page is the current one.
  bool current_in_main(std::uint32_t page) const {
    return !current_frames_.contains(page) && !rolled_back_.contains(page);
  }

  /// Pages that one database may have here: 3 bytes are kept for each.
  static constexpr std::uint32_t kMaxPages = 1U << 25;
  static constexpr std::size_t kMaxFrames = 1U << 22;

 private:
  struct Frame {
    std::uint32_t page = 0;
    bool verified = false;
    bool committed = false;
  };
  struct JournalRecord {
    std::uint32_t page = 0;
    std::uint64_t offset = 0;
    bool verified = false;
  };
  PageStore(const DatabaseFiles& files, Problems& problems) : files_(files), problems_(&problems) {}
  Status read_header();
  void read_log();
  bool read_log_header(Bytes bytes);
  void read_frames();
  void read_journal();
  bool find_journal_segment(std::uint64_t& at);
  void read_journal_records(std::uint64_t& at, std::uint32_t count);
  void check_unnamed_nonce();
  bool read(ByteSource& source, std::uint64_t offset, std::vector<std::byte>& out, std::size_t size);
  std::uint64_t frame_offset(std::size_t frame) const {
    return 32 + frame * (24ULL + header_.page_size) + 24;
  }

  DatabaseFiles files_;
  Problems* problems_;
  DatabaseHeader header_;
  bool header_known_ = false;
  std::uint32_t page_count_ = 0;

  bool log_valid_ = false, big_endian_ = false;
  std::uint32_t salt_[2] = {0, 0}, sum_[2] = {0, 0};
  std::vector<Frame> frames_;
  std::unordered_map<std::uint32_t, std::uint32_t> current_frames_;  ///< page → frame
  std::uint32_t committed_pages_ = 0;

  bool hot_ = false, nonce_known_ = false;
  std::uint32_t nonce_ = 0, journal_pages_ = 0, sector_ = 512;
  std::vector<JournalRecord> records_;
  std::unordered_map<std::uint32_t, std::uint64_t> rolled_back_;  ///< page → offset in the journal
};

}  // namespace touchstone::sqlite

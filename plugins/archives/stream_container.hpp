// A container that libarchive reads from its start: tar (also packed), single packed files, 7z, rar, cab,
// cpio, ar, lha, xar, and zip files whose directory is damaged. Groups of members that are asked for in their
// order cost one walk in all: resume() goes on where extract() stopped. Keeps its own handle of the job.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "archive_heads.hpp"
#include "gzip_reader.hpp"

struct archive;
struct archive_entry;

namespace touchstone::archives {

class StreamContainer {
 public:
  /// `may_be_zip`: also reads zip, by its directory or, without one, by the headers before each member.
  StreamContainer(const Job& job, bool may_be_zip);
  ~StreamContainer();
  StreamContainer(const StreamContainer&) = delete;
  StreamContainer& operator=(const StreamContainer&) = delete;

  ts_status list();
  ts_status extract(std::uint32_t first, std::uint32_t count);
  /// Whether extract() can go on to these members without starting anew.
  bool can_resume(std::uint32_t first) const { return resumable_ && first >= seen_; }
  /// As extract(), for a job that gives the same bytes.
  ts_status resume(const Job& job, std::uint32_t first, std::uint32_t count);

 private:
  enum class Step { member, end, broken, limit };

  bool open();
  void look_at_head();
  void tell_bad_digests();
  void add_seeking();
  ts_status list_by_head();
  ts_status extract_open(std::uint32_t first, std::uint32_t count);
  std::int64_t read_source();
  Step next();
  Step skip_data();
  void describe(ts_member& member) const;
  bool extract_member();
  bool is_empty_gzip() const;
  std::string name() const;
  std::int64_t pull(std::uint8_t* out, std::size_t capacity);
  bool next_block();
  bool over_limit() const;
  std::string error_text() const;
  Step after_damage() const;
  ts_status ended(Step step, std::uint64_t encrypted);
  static long read_some(archive*, void* self, const void** out);

  Job job_;
  bool may_be_zip_, raw_only_ = false, opened_ = false;
  bool resumable_ = false;
  archive* archive_ = nullptr;
  archive_entry* entry_ = nullptr;
  std::uint64_t source_offset_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::unique_ptr<GzipReader> gzip_;  // between the source and libarchive
  RarHead rar_;
  std::string cut_;                       // why a 7z is not whole
  bool is_empty_ = false;                 // a 7z without members
  std::vector<std::uint32_t> ordinals_;   // of the members that libarchive is shown, if not of all
  std::vector<const RarMember*> hidden_;  // those that it is not shown: it stumbles over encrypted ones
  std::uint32_t ordinal_ = 0, seen_ = 0;
  std::size_t shown_ = 0, next_hidden_ = 0;
  std::uint64_t unpacked_ = 0;  // bytes of members so far
  bool packed_whole_ = false;   // one filter over all of it, as in .tar.gz
  bool costs_to_skip_ = false;  // skipping a member means unpacking it

  // The member that is being pulled.
  const std::uint8_t* block_ = nullptr;
  std::size_t block_size_ = 0;
  std::uint64_t block_offset_ = 0, position_ = 0;
  bool member_ended_ = false, member_limited_ = false;
  std::string member_error_;
};

}  // namespace touchstone::archives

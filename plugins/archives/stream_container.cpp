#include "stream_container.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "limits.hpp"

namespace touchstone::archives {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

/// The filter whose signature stands at the start, or ARCHIVE_FILTER_NONE. Exactly one is taken off:
/// libarchive would take off up to 25 by itself, and a file inside a file inside a file is three items.
int filter_of(std::string_view head, std::string_view media_type) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1F\x8B"sv)) return ARCHIVE_FILTER_GZIP;
  if (head.starts_with("BZh"sv)) return ARCHIVE_FILTER_BZIP2;
  if (head.starts_with("\xFD"
                       "7zXZ\0"sv)) {
    return ARCHIVE_FILTER_XZ;
  }
  if (head.starts_with("\x1F\x9D"sv)) return ARCHIVE_FILTER_COMPRESS;
  if (head.starts_with("\x28\xB5\x2F\xFD"sv)) return ARCHIVE_FILTER_ZSTD;
  if (head.starts_with("\x04\x22\x4D\x18"sv)) return ARCHIVE_FILTER_LZ4;
  if (head.starts_with("LZIP"sv)) return ARCHIVE_FILTER_LZIP;
  return media_type == "application/x-lzma" ? ARCHIVE_FILTER_LZMA : ARCHIVE_FILTER_NONE;
}

enum class Formats { all, with_zip, packed, raw };

/// Formats whose readers need no other program (libarchive starts one for what it was built without). In a
/// packed stream only those that are commonly packed so: a zip in a gz is a member first.
void add_formats(archive* a, Formats formats) {
  if (formats != Formats::raw) {
    archive_read_support_format_tar(a);
    archive_read_support_format_cpio(a);
  }
  if (formats == Formats::all || formats == Formats::with_zip) {
    archive_read_support_format_ar(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_cab(a);
    archive_read_support_format_lha(a);
    archive_read_support_format_rar(a);
    archive_read_support_format_rar5(a);
    archive_read_support_format_xar(a);
  }
  if (formats == Formats::with_zip) archive_read_support_format_zip(a);
  archive_read_support_format_raw(a);
}

/// ARCHIVE_WARN of these functions would mean: by another program.
bool add_filter(archive* a, int filter) {
  // libarchive 3.6 reads from the source when this one is set in advance, which is before the source is
  // there.
  if (filter == ARCHIVE_FILTER_COMPRESS) return archive_read_support_filter_compress(a) == ARCHIVE_OK;
  return archive_read_append_filter(a, filter) == ARCHIVE_OK;
}

bool stores_unpacked(int format) {
  const int base = format & ARCHIVE_FORMAT_BASE_MASK;
  return base == ARCHIVE_FORMAT_TAR || base == ARCHIVE_FORMAT_CPIO || base == ARCHIVE_FORMAT_AR;
}

const char* kind_of(std::string_view reason) {
  if (reason.find("ncrypt") != std::string_view::npos) return "encrypted";
  return reason.starts_with("Unsupported") || reason.find("not supported") != std::string_view::npos
             ? "unsupported"
             : "corrupt";
}

}  // namespace

StreamContainer::StreamContainer(const Job& job, bool may_be_zip)
    : job_(job), may_be_zip_(may_be_zip), buffer_(kReadBytes) {}

StreamContainer::~StreamContainer() {
  if (archive_) archive_read_free(archive_);
}

long StreamContainer::read_some(archive* a, void* self, const void** out) {
  auto& container = *static_cast<StreamContainer*>(self);
  *out = container.buffer_.data();
  if (container.gzip_) {
    const auto unpacked = container.gzip_->read(container.buffer_);
    if (unpacked < 0) archive_set_error(a, -1, "%s", container.gzip_->error().c_str());
    return unpacked < 0 ? ARCHIVE_FATAL : static_cast<long>(unpacked);
  }
  const auto got = container.read_source();
  if (got < 0) {
    archive_set_error(a, -1, "the bytes at %llu cannot be read",
                      static_cast<unsigned long long>(container.source_offset_));
    return ARCHIVE_FATAL;
  }
  container.source_offset_ += static_cast<std::uint64_t>(got);
  return static_cast<long>(got);
}

bool StreamContainer::open() {
  opened_ = false;
  next_hidden_ = 0;
  std::array<std::uint8_t, 8> head{};
  const auto got = std::max<std::int64_t>(job_.read_at(0, head), 0);
  const int filter = filter_of({reinterpret_cast<const char*>(head.data()), static_cast<std::size_t>(got)},
                               job_.media_type());
  archive_ = archive_read_new();
  if (!archive_) throw std::bad_alloc();
  packed_whole_ = filter != ARCHIVE_FILTER_NONE;
  add_formats(archive_, raw_only_       ? Formats::raw
                        : packed_whole_ ? Formats::packed
                        : may_be_zip_   ? Formats::with_zip
                                        : Formats::all);
  gzip_ = filter == ARCHIVE_FILTER_GZIP ? std::make_unique<GzipReader>(job_) : nullptr;
  if (packed_whole_ && !gzip_ && !add_filter(archive_, filter)) return false;
  archive_read_set_callback_data(archive_, this);
  archive_read_set_read_callback(archive_, read_some);
  if (!gzip_ && hidden_.empty()) add_seeking();
  opened_ = archive_read_open1(archive_) == ARCHIVE_OK;
  return opened_;
}

void StreamContainer::add_seeking() {
  archive_read_set_skip_callback(archive_, [](archive*, void* self, la_int64_t count) -> la_int64_t {
    auto& container = *static_cast<StreamContainer*>(self);
    const auto left = container.job_.size() - std::min(container.source_offset_, container.job_.size());
    const auto step =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)), left);
    container.source_offset_ += step;
    return static_cast<la_int64_t>(step);
  });
  archive_read_set_seek_callback(
      archive_, [](archive*, void* self, la_int64_t offset, int whence) -> la_int64_t {
        auto& container = *static_cast<StreamContainer*>(self);
        const auto size = static_cast<la_int64_t>(container.job_.size());
        const auto base = whence == SEEK_SET   ? 0
                          : whence == SEEK_CUR ? static_cast<la_int64_t>(container.source_offset_)
                                               : size;
        if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
        container.source_offset_ = static_cast<std::uint64_t>(base + offset);
        return base + offset;
      });
}

bool StreamContainer::over_limit() const {
  const std::uint64_t allowed = allowed_bytes(job_.size());
  std::uint64_t through = 0;
  if (gzip_) {
    through = gzip_->produced();
  } else if (packed_whole_) {
    through = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(archive_, 0), 0));
  }
  return std::max(unpacked_, through) > allowed || position_ > allowed;
}

std::string StreamContainer::error_text() const {
  if (gzip_ && !gzip_->error().empty()) return gzip_->error();
  const char* text = archive_error_string(archive_);
  return text ? text : "cannot be read further";
}

StreamContainer::Step StreamContainer::next() {
  for (unsigned idle = 0; idle < kMaxIdleSteps; ++idle) {
    if (job_.cancelled()) return Step::limit;
    const int rc = archive_read_next_header(archive_, &entry_);
    if (rc == ARCHIVE_EOF && seen_ == 0 && packed_whole_ && !raw_only_) {
      // Zeros at the start look like an empty tar, but disk images begin with zeros too: one member then.
      raw_only_ = true;
      archive_read_free(archive_);
      archive_ = nullptr;
      source_offset_ = 0;
      if (!open()) return Step::broken;
      continue;
    }
    if (rc == ARCHIVE_EOF) return Step::end;
    if (rc == ARCHIVE_FATAL) return Step::broken;
    if (rc == ARCHIVE_FAILED || rc == ARCHIVE_RETRY) continue;
    if (!hidden_.empty() && shown_ >= ordinals_.size()) return Step::end;
    const int format = archive_format(archive_);
    // The raw reader takes anything: without a filter that would make every file a container of itself.
    if (format == ARCHIVE_FORMAT_RAW && !packed_whole_) return Step::broken;
    costs_to_skip_ = packed_whole_ || !stores_unpacked(format);
    ordinal_ = hidden_.empty() ? seen_ : ordinals_[shown_++];
    seen_ = ordinal_ + 1;
    position_ = 0;
    return Step::member;
  }
  return Step::broken;
}

/// Goes over a member's data. Where that means unpacking it, in steps that can be stopped: one call of
/// libarchive's own skip may unpack terabytes.
StreamContainer::Step StreamContainer::skip_data() {
  // Directories of RAR 5 have no data that could be asked for.
  if (!costs_to_skip_ || archive_entry_filetype(entry_) == AE_IFDIR) return Step::member;
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (unsigned idle = 0; idle < kMaxIdleSteps;) {
    if (over_limit() || job_.cancelled()) return Step::limit;
    const int rc = archive_read_data_block(archive_, &block, &size, &offset);
    if (rc == ARCHIVE_EOF) return Step::member;
    if (rc < ARCHIVE_WARN) return after_damage();
    idle = size == 0 ? idle + 1 : 0;
    unpacked_ += size;
  }
  return Step::broken;
}

/// Members of a zip stand each for itself. In other formats what comes after damaged data is guesswork, and
/// libarchive 3.6 crashes on some of it.
StreamContainer::Step StreamContainer::after_damage() const {
  const int base = archive_format(archive_) & ARCHIVE_FORMAT_BASE_MASK;
  return base == ARCHIVE_FORMAT_ZIP ? Step::member : Step::broken;
}

void StreamContainer::describe(ts_member& member) const {
  constexpr std::int64_t kMicro = 1'000'000;
  member.struct_size = sizeof member;
  member.ordinal = ordinal_;
  member.size = archive_entry_size_is_set(entry_) && archive_entry_size(entry_) >= 0
                    ? static_cast<std::uint64_t>(archive_entry_size(entry_))
                    : UINT64_MAX;
  member.is_directory = archive_entry_filetype(entry_) == AE_IFDIR ? 1 : 0;
  member.is_encrypted = archive_entry_is_data_encrypted(entry_) > 0 ? 1 : 0;
  if (gzip_ && archive_format(archive_) == ARCHIVE_FORMAT_RAW) {
    const auto stored = gzip_->modified();
    member.has_modified = stored ? 1 : 0;
    member.modified = stored.value_or(0) * kMicro;
    return;
  }
  const auto seconds =
      archive_entry_mtime_is_set(entry_) ? static_cast<std::int64_t>(archive_entry_mtime(entry_)) : INT64_MAX;
  if (seconds > INT64_MAX / kMicro - 1 || seconds < INT64_MIN / kMicro + 1) return;
  member.has_modified = 1;
  member.modified = seconds * kMicro + archive_entry_mtime_nsec(entry_) / 1000;
  // These keep MS-DOS times, which libarchive takes to be in the machine's zone; the host runs in UTC.
  const int base = archive_format(archive_) & ARCHIVE_FORMAT_BASE_MASK;
  const bool has_zone = base != ARCHIVE_FORMAT_ZIP && base != ARCHIVE_FORMAT_RAR &&
                        base != ARCHIVE_FORMAT_CAB && base != ARCHIVE_FORMAT_LHA;
  member.time_basis = has_zone ? 0 : 2;
}

ts_status StreamContainer::ended(Step step, std::uint64_t encrypted) {
  // Asked before a format was found, libarchive follows a null pointer.
  if (seen_ == 0 &&
      (rar_.names_encrypted || (opened_ && archive_read_has_encrypted_entries(archive_) == 1))) {
    job_.fail("the list of members is encrypted");
    return TS_ENCRYPTED;
  }
  if (step == Step::limit && !job_.cancelled()) {
    job_.emit_problem("limit", "expands to more than " + limit_text(job_.size()) + ": members from number " +
                                   std::to_string(ordinal_) + " on are left out or cut");
  }
  if (step != Step::broken) return TS_OK;
  const std::string reason = archive_format(archive_) == ARCHIVE_FORMAT_RAW && !packed_whole_
                                 ? "is no archive that is read here"
                             : !cut_.empty() ? cut_
                                             : error_text();
  const std::string_view kind = kind_of(reason);
  if (seen_ == 0) {
    job_.fail(reason);
    return kind == "unsupported" ? TS_UNSUPPORTED : kind == "encrypted" ? TS_ENCRYPTED : TS_CORRUPT;
  }
  if (kind == "encrypted" && encrypted > 0) return TS_OK;  // that has been said
  job_.emit_problem(kind, "after " + std::to_string(seen_) + " members: " + reason);
  return TS_OK;
}

std::string StreamContainer::name() const {
  if (gzip_ && archive_format(archive_) == ARCHIVE_FORMAT_RAW && !gzip_->name().empty()) return gzip_->name();
  // Bytes as stored where libarchive has them; otherwise it made them from UTF-16.
  const char* path = archive_entry_pathname(entry_);
  if (!path) path = archive_entry_pathname_utf8(entry_);
  return path ? path : "";
}

/// libarchive takes no bytes for no archive; here they are a member of no bytes.
bool StreamContainer::is_empty_gzip() const {
  return gzip_ && gzip_->produced() == 0 && gzip_->error().empty();
}

ts_status StreamContainer::list() {
  look_at_head();
  if (rar_.is_volume) {
    job_.emit_problem("unsupported",
                      "is one of several volumes of an archive: only members that begin and end in it are "
                      "whole, and parts are not joined");
  }
  tell_bad_digests();
  if (!hidden_.empty()) return list_by_head();
  if (!open()) {
    if (!is_empty_gzip()) return ended(Step::broken, 0);
    const std::string path = gzip_->name().empty() ? "data" : gzip_->name();
    ts_member member{};
    member.struct_size = sizeof member;
    member.path = to_abi(path);
    job_.emit_member(member);
    return TS_OK;
  }
  Names names;
  std::string path;
  std::uint64_t encrypted = 0;
  Step step = Step::member;
  while (step == Step::member && (step = next()) == Step::member) {
    if (ordinal_ >= kMaxMembers) {
      job_.emit_problem("limit",
                        "members beyond the first " + std::to_string(kMaxMembers) + " are not listed");
      break;
    }
    ts_member member{};
    describe(member);
    if (!names.fit(name(), ordinal_, path)) {
      job_.emit_problem("limit", "the names of members are longer than " +
                                     std::to_string(kMaxPathBytesInAll) +
                                     " bytes together: the rest is not listed");
      break;
    }
    member.path = to_abi(path);
    encrypted += static_cast<std::uint64_t>(member.is_encrypted);
    if (!job_.emit_member(member)) return TS_OK;
    step = member.is_encrypted ? Step::member : skip_data();
  }
  names.report(job_);
  if (encrypted > 0) job_.emit_problem("encrypted", std::to_string(encrypted) + " members are encrypted");
  // Damage in the data of a single packed file is told when it is unpacked.
  const bool single = archive_format(archive_) == ARCHIVE_FORMAT_RAW && packed_whole_ && seen_ > 0;
  if (step == Step::end && seen_ == 0 && archive_format(archive_) == ARCHIVE_FORMAT_7ZIP && !is_empty_)
    return ended(Step::broken, encrypted);
  return step == Step::broken && single ? TS_OK : ended(step, encrypted);
}

ts_status StreamContainer::extract(std::uint32_t first, std::uint32_t count) {
  look_at_head();
  if (!open()) {
    if (!is_empty_gzip()) return ended(Step::broken, 0);
    if (first == 0)
      job_.emit_member_data(
          0, [](void*, std::uint8_t*, std::size_t) -> std::int64_t { return 0; }, nullptr);
    return TS_OK;
  }
  return extract_open(first, count);
}

ts_status StreamContainer::resume(const Job& job, std::uint32_t first, std::uint32_t count) {
  job_ = job;
  resumable_ = false;
  // The member at which it stopped may not have been read to its end.
  if (skip_data() != Step::member) return TS_OK;
  return extract_open(first, count);
}

ts_status StreamContainer::extract_open(std::uint32_t first, std::uint32_t count) {
  const std::uint64_t end = std::uint64_t{first} + count;
  Step step = Step::member;
  while (seen_ < std::min<std::uint64_t>(end, kMaxMembers) && step == Step::member &&
         (step = next()) == Step::member) {
    const bool has_data =
        archive_entry_filetype(entry_) != AE_IFDIR && archive_entry_is_data_encrypted(entry_) <= 0;
    if (ordinal_ < first || !has_data || ordinal_ >= end) {
      step = has_data && ordinal_ < first ? skip_data() : Step::member;
    } else if (!extract_member()) {
      if (!member_error_.empty()) step = Step::broken;
      break;
    } else if (!member_error_.empty()) {
      step = member_limited_ ? Step::limit : after_damage();
    }
  }
  resumable_ = step == Step::member && seen_ > 0 && !job_.cancelled();
  // list() has told of what is broken between members.
  return seen_ == 0 ? ended(step, 0) : TS_OK;
}

bool StreamContainer::extract_member() {
  block_size_ = 0;
  position_ = block_offset_ = 0;
  member_ended_ = member_limited_ = false;
  member_error_.clear();
  const bool wanted = job_.emit_member_data(
      ordinal_,
      [](void* self, std::uint8_t* out, std::size_t capacity) {
        return static_cast<StreamContainer*>(self)->pull(out, capacity);
      },
      this);
  if (!member_error_.empty()) {
    job_.emit_problem(member_limited_ ? "limit" : kind_of(member_error_),
                      "member " + std::to_string(ordinal_) + ": " + member_error_);
  }
  return wanted;
}

/// The next block that has bytes; false at the member's end and on damage.
bool StreamContainer::next_block() {
  const void* block = nullptr;
  la_int64_t offset = 0;
  for (unsigned idle = 0; idle < kMaxIdleSteps; ++idle) {
    const int rc = archive_read_data_block(archive_, &block, &block_size_, &offset);
    if (rc == ARCHIVE_EOF) {
      // A hole at the end of a sparse file is only known by the position that comes with the end.
      block_size_ = 0;
      block_offset_ =
          std::max<std::uint64_t>(position_, static_cast<std::uint64_t>(std::max<la_int64_t>(offset, 0)));
      member_ended_ = true;
      return false;
    }
    if (rc < ARCHIVE_WARN || offset < 0 || static_cast<std::uint64_t>(offset) < position_) {
      member_error_ = rc < ARCHIVE_WARN ? error_text() : "blocks overlap";
      return false;
    }
    if (block_size_ == 0) continue;
    block_ = static_cast<const std::uint8_t*>(block);
    block_offset_ = static_cast<std::uint64_t>(offset);
    unpacked_ += block_size_;
    return true;
  }
  member_error_ = "yields blocks without bytes";
  return false;
}

std::int64_t StreamContainer::pull(std::uint8_t* out, std::size_t capacity) {
  if (!member_error_.empty()) return -1;
  if (block_size_ == 0 && !member_ended_ && !next_block() && !member_error_.empty()) return -1;
  if (over_limit()) {
    member_limited_ = true;
    member_error_ = "cut: the container expands to more than " + limit_text(job_.size());
    return -1;
  }
  std::size_t filled = 0;
  if (position_ < block_offset_) {  // a hole
    filled = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, block_offset_ - position_));
    std::fill_n(out, filled, std::uint8_t{0});
  } else {
    filled = std::min(capacity, block_size_);
    std::copy_n(block_, filled, out);
    block_ += filled;
    block_size_ -= filled;
    block_offset_ += filled;
  }
  position_ += filled;
  return static_cast<std::int64_t>(filled);
}

}  // namespace touchstone::archives

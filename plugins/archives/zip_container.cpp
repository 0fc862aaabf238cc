#include "zip_container.hpp"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "evidence/inflate64_decoder.hpp"
#include "limits.hpp"

namespace touchstone::archives {

/// What libzip reads from. One reader at a time is enough: libzip opens the source once and seeks.
struct ZipContainer::Source {
  Job& job;
  std::uint64_t offset = 0;
  zip_error_t error{};

  zip_int64_t read(void* data, std::uint64_t length) {
    const auto got =
        job.read_at(offset, {static_cast<std::uint8_t*>(data), static_cast<std::size_t>(length)});
    if (got < 0) {
      zip_error_set(&error, ZIP_ER_READ, 0);
      return -1;
    }
    offset += static_cast<std::uint64_t>(got);
    return got;
  }

  zip_int64_t seek(void* data, std::uint64_t length) {
    const auto to = zip_source_seek_compute_offset(offset, job.size(), data, length, &error);
    if (to < 0) return -1;
    offset = static_cast<std::uint64_t>(to);
    return 0;
  }

  zip_int64_t stat(void* data, std::uint64_t length) const {
    if (length < sizeof(zip_stat_t)) return -1;
    auto* out = static_cast<zip_stat_t*>(data);
    zip_stat_init(out);
    out->size = job.size();
    out->valid = ZIP_STAT_SIZE;
    return sizeof(zip_stat_t);
  }

  static zip_int64_t serve(void* self, void* data, zip_uint64_t length, zip_source_cmd_t command) {
    auto& source = *static_cast<Source*>(self);
    switch (command) {
      case ZIP_SOURCE_OPEN:
        source.offset = 0;
        return 0;
      case ZIP_SOURCE_READ:
        return source.read(data, length);
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE:  // the container owns it
        return 0;
      case ZIP_SOURCE_STAT:
        return source.stat(data, length);
      case ZIP_SOURCE_SEEK:
        return source.seek(data, length);
      case ZIP_SOURCE_TELL:
        return static_cast<zip_int64_t>(source.offset);
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&source.error, data, length);
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                              ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
      default:
        zip_error_set(&source.error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
  }
};

namespace {

// APPNOTE 4.4.5: methods that libarchive unpacks.
bool libarchive_unpacks(std::uint16_t method) {
  return method == ZIP_CM_LZMA || method == ZIP_CM_XZ || method == ZIP_CM_PPMD;
}

/// APPNOTE 4.4.5: the method that only lib/evidence unpacks.
constexpr std::uint16_t kDeflate64 = 9;

/// As APPNOTE 4.4.5 and 7-Zip name them.
std::string method_name(std::uint16_t method) {
  constexpr std::array<std::pair<std::uint16_t, const char*>, 8> kNames = {{{1, "Shrink"},
                                                                            {2, "Reduce"},
                                                                            {3, "Reduce"},
                                                                            {4, "Reduce"},
                                                                            {5, "Reduce"},
                                                                            {6, "Implode"},
                                                                            {10, "PKWARE DCL Implode"},
                                                                            {97, "WavPack"}}};
  for (const auto& [number, name] : kNames) {
    if (number == method) return name;
  }
  return "method " + std::to_string(method);
}

std::uint64_t little_endian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i > 0; --i) value = (value << 8U) | bytes[i - 1];
  return value;
}

/// What the host pulls a member's bytes from.
struct Pull {
  zip_file_t* file = nullptr;
  std::uint64_t left = 0;
  std::string error;

  static std::int64_t next(void* self, std::uint8_t* out, std::size_t capacity) {
    auto& pull = *static_cast<Pull*>(self);
    if (pull.left == 0 && pull.finished()) return pull.error.empty() ? 0 : -1;
    const auto got = zip_fread(pull.file, out, std::min<std::uint64_t>(capacity, pull.left));
    if (got < 0) {
      pull.error = zip_file_strerror(pull.file);
      return -1;
    }
    if (got == 0 && pull.left > 0) {
      pull.error = "ends before its stated size";
      return -1;
    }
    pull.left -= static_cast<std::uint64_t>(got);
    return got;
  }

  /// Reads one byte past the end: it must not be there, and libzip compares the checksum then.
  bool finished() {
    std::uint8_t beyond = 0;
    const auto got = zip_fread(file, &beyond, 1);
    if (got < 0) error = zip_file_strerror(file);
    if (got > 0) error = "is larger than its stated size";
    return true;
  }
};

/// A member's packed bytes, read once from first to last.
class PackedMember : public ByteSource {
 public:
  PackedMember(zip_file_t* file, std::uint64_t size) : file_(file), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const auto got = offset == at_ ? zip_fread(file_, out.data(), out.size()) : -1;
    if (got < 0) return Error{ErrorCode::io, "the packed bytes cannot be read"};
    at_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }

 private:
  zip_file_t* file_;
  std::uint64_t size_, at_ = 0;
};

/// What the host pulls a Deflate64 member's bytes from; libzip's own Pull for the other methods.
struct Pull64 {
  Inflate64Decoder decoder;
  std::uint64_t left;
  std::uint32_t stated_crc, crc = 0;
  std::string error{};

  static std::int64_t next(void* self, std::uint8_t* out, std::size_t capacity) {
    auto& pull = *static_cast<Pull64*>(self);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, pull.left));
    const auto got = pull.decoder.next(std::as_writable_bytes(std::span(out, wanted)));
    if (!got) {
      pull.error = got.error().message;
    } else if (*got == 0 && pull.left > 0) {
      pull.error = "ends before its stated size";
    } else if (*got > 0) {
      pull.crc = static_cast<std::uint32_t>(crc32_z(pull.crc, out, *got));
      pull.left -= *got;
      return static_cast<std::int64_t>(*got);
    } else if (pull.crc != pull.stated_crc) {
      pull.error = "does not fit its checksum";
    }
    return pull.error.empty() ? 0 : -1;
  }
};

}  // namespace

std::unique_ptr<ZipContainer> ZipContainer::open(Job& job, std::string& why) {
  std::unique_ptr<ZipContainer> container(new ZipContainer(job));
  container->source_ = std::make_unique<Source>(Source{job});
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_function_create(Source::serve, container->source_.get(), &error);
  container->zip_ = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!container->zip_) {
    why = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    zip_error_fini(&error);
    return nullptr;
  }
  zip_error_fini(&error);
  const auto count = std::max<zip_int64_t>(zip_get_num_entries(container->zip_, 0), 0);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(static_cast<std::uint64_t>(count), kMaxMembers);
       ++i) {
    zip_stat_t stat;
    if (zip_stat_index(container->zip_, i, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_COMP_METHOD)) continue;
    if (libarchive_unpacks(stat.comp_method) && !zip_compression_method_supported(stat.comp_method, 0))
      return nullptr;
  }
  container->read_entries();
  return container;
}

ZipContainer::ZipContainer(Job& job) : job_(job) {}

ZipContainer::~ZipContainer() {
  if (zip_) zip_discard(zip_);
}

void ZipContainer::read_entries() {
  in_all_ = static_cast<std::uint64_t>(std::max<zip_int64_t>(zip_get_num_entries(zip_, 0), 0));
  const std::uint64_t allowed = allowed_bytes(job_.size());
  std::uint64_t expanded = 0, packed = 0;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(in_all_, kMaxMembers); ++i) {
    Entry& entry = entries_.emplace_back();
    zip_stat_t stat;
    if (zip_stat_index(zip_, i, 0, &stat) != 0) continue;
    if (stat.valid & ZIP_STAT_SIZE) entry.size = stat.size;
    if (stat.valid & ZIP_STAT_COMP_SIZE) entry.packed = stat.comp_size;
    entry.is_encrypted = (stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE;
    const char* name = zip_get_name(zip_, i, ZIP_FL_ENC_RAW);
    entry.is_directory = name && std::string_view(name).ends_with('/');
    if (entry.is_encrypted) ++encrypted_;
    if (entry.is_encrypted || entry.is_directory) continue;
    entry.is_deflate64 = (stat.valid & ZIP_STAT_COMP_METHOD) && stat.comp_method == kDeflate64;
    if (stat.valid & ZIP_STAT_CRC) entry.crc = stat.crc;
    if ((stat.valid & ZIP_STAT_COMP_METHOD) && !entry.is_deflate64 &&
        !zip_compression_method_supported(stat.comp_method, 0)) {
      ++unsupported_[stat.comp_method];
      entry.is_unsupported = true;
      entry.refusal = "packed by " + method_name(stat.comp_method) + ", which is not read here";
      continue;
    }
    // Members that share bytes are the trick of flat bombs: what does not fit into the file beside those
    // before it is left out. Sums cannot overflow, as each is compared before it is added.
    if (entry.packed > job_.size() - packed) {
      ++overlapping_;
      entry.refusal = "not unpacked: its packed bytes overlap those of others";
    } else if (entry.size > allowed - expanded) {
      ++refused_;
      entry.refusal =
          "not unpacked: with those before it, it would expand to more than " + limit_text(job_.size());
    } else {
      entry.admitted = true;
      packed += entry.packed;
      expanded += entry.size;
    }
  }
}

void ZipContainer::fill_time(std::uint64_t index, ts_member& member) const {
  constexpr zip_uint16_t kExtendedTime = 0x5455,
                         kNtfs = 0x000A;  // APPNOTE 4.5.5 and Info-ZIP's proginfo/extrafld.txt
  constexpr std::int64_t kMicro = 1'000'000, kFrom1601 = 11'644'473'600;
  zip_uint16_t size = 0;
  const auto* ntfs = zip_file_extra_field_get_by_id(zip_, index, kNtfs, 0, &size, ZIP_FL_CENTRAL);
  if (ntfs && size >= 16 && little_endian(ntfs + 4, 2) == 1 && little_endian(ntfs + 8, 8) <= INT64_MAX) {
    member.has_modified = 1;
    member.modified = static_cast<std::int64_t>(little_endian(ntfs + 8, 8) / 10) - kFrom1601 * kMicro;
    return;
  }
  const auto* extended = zip_file_extra_field_get_by_id(zip_, index, kExtendedTime, 0, &size, ZIP_FL_CENTRAL);
  if (extended && size >= 5 && (extended[0] & 1U)) {
    member.has_modified = 1;
    member.modified = static_cast<std::int32_t>(little_endian(extended + 1, 4)) * kMicro;
    return;
  }
  zip_stat_t stat;
  if (zip_stat_index(zip_, index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_MTIME)) return;
  // The MS-DOS time has no zone; libzip took this machine's. Back to the figures on the clock, as if they
  // were UTC.
  std::tm clock{};
  if (!localtime_r(&stat.mtime, &clock)) return;
  member.has_modified = 1;
  member.modified = timegm(&clock) * kMicro;
  member.time_basis = 2;
}

ts_status ZipContainer::list() {
  Names names;
  std::string path;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (job_.cancelled()) return TS_LIMIT;
    const Entry& entry = entries_[i];
    const char* name = zip_get_name(zip_, i, ZIP_FL_ENC_RAW);
    if (!names.fit(name ? name : "", i, path)) {
      job_.emit_problem("limit",
                        "the names of members are longer than " + std::to_string(kMaxPathBytesInAll) +
                            " bytes together: " + std::to_string(in_all_ - i) + " members are not listed");
      break;
    }
    ts_member member{};
    member.struct_size = sizeof member;
    member.ordinal = i;
    member.path = to_abi(path);
    member.size = entry.size;
    member.packed_size = entry.packed;
    member.is_directory = entry.is_directory ? 1 : 0;
    member.is_encrypted = entry.is_encrypted ? 1 : 0;
    fill_time(i, member);
    if (!job_.emit_member(member)) return TS_OK;
  }
  names.report(job_);
  report();
  return TS_OK;
}

void ZipContainer::report() {
  if (in_all_ > kMaxMembers) {
    job_.emit_problem("limit", std::to_string(in_all_ - kMaxMembers) + " members beyond the first " +
                                   std::to_string(kMaxMembers) + " are not listed");
  }
  if (encrypted_ > 0) job_.emit_problem("encrypted", std::to_string(encrypted_) + " members are encrypted");
  for (const auto& [method, members] : unsupported_) {
    job_.emit_problem("unsupported", std::to_string(members) + " members are packed by " +
                                         method_name(method) + ", which is not read here");
  }
  if (refused_ > 0) {
    job_.emit_problem("limit", std::to_string(refused_) +
                                   " members are not unpacked: together they would expand to more than " +
                                   limit_text(job_.size()));
  }
  if (overlapping_ > 0) {
    job_.emit_problem("limit", std::to_string(overlapping_) +
                                   " members are not unpacked: their packed bytes overlap those of others");
  }
}

ts_status ZipContainer::extract(std::uint32_t first, std::uint32_t count) {
  const auto end =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(entries_.size(), std::uint64_t{first} + count));
  for (std::uint32_t i = first; i < end; ++i) {
    if (job_.cancelled()) return TS_LIMIT;
    const Entry& entry = entries_[i];
    if (entry.admitted && !extract_member(i)) break;
    if (!entry.refusal.empty()) tell(i, entry.is_unsupported ? "unsupported" : "limit", entry.refusal);
  }
  return TS_OK;
}

bool ZipContainer::extract_member(std::uint32_t index) {
  const Entry& entry = entries_[index];
  const zip_flags_t flags = entry.is_deflate64 ? ZIP_FL_COMPRESSED : 0;
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(zip_, index, flags),
                                                               zip_fclose);
  if (!file) {
    const int code = zip_error_code_zip(zip_get_error(zip_));
    tell(index, code == ZIP_ER_COMPNOTSUPP ? "unsupported" : "corrupt", zip_strerror(zip_));
    return true;
  }
  bool wanted = true;
  std::string error;
  if (entry.is_deflate64) {
    Pull64 pull{Inflate64Decoder(std::make_unique<PackedMember>(file.get(), entry.packed)), entry.size,
                entry.crc};
    wanted = job_.emit_member_data(index, Pull64::next, &pull);
    error = pull.error;
  } else {
    Pull pull{file.get(), entry.size, {}};
    wanted = job_.emit_member_data(index, Pull::next, &pull);
    error = pull.error;
  }
  if (!error.empty()) tell(index, "corrupt", error);
  return wanted;
}

void ZipContainer::tell(std::uint32_t index, const char* kind, const std::string& reason) {
  job_.emit_problem(kind, "member " + std::to_string(index) + ": " + reason);
}

}  // namespace touchstone::archives

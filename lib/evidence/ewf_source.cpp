#include "evidence/ewf_source.hpp"

#include <libewf.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "evidence/ewf_mend.hpp"
#include "evidence/ewf_segments.hpp"
#include "evidence/ewf_view.hpp"
#include "evidence/gap_list.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

// Beyond this no image exists; a header that claims more would only make endless work.
constexpr std::uint64_t kMaxMediaSize = std::uint64_t{1} << 50;
// The least a chunk costs in a file: a 4-byte table entry and the shortest zlib stream of a zero chunk.
constexpr std::uint64_t kLeastBytesPerChunk = 12;

constexpr const char* kMissing = "chunk is missing: its segment file is missing or cut short";

struct HandleCloser {
  void operator()(libewf_handle_t* handle) const {
    libewf_handle_close(handle, nullptr);
    libewf_handle_free(&handle, nullptr);
  }
};
using Handle = std::unique_ptr<libewf_handle_t, HandleCloser>;

/// libewf's error object and its message, which says the cause in its first line.
class EwfError {
 public:
  ~EwfError() { libewf_error_free(&error_); }
  EwfError() = default;
  EwfError(const EwfError&) = delete;
  EwfError& operator=(const EwfError&) = delete;
  libewf_error_t** out() {
    libewf_error_free(&error_);
    return &error_;
  }
  std::string text() {
    std::array<char, 1024> buffer{};
    if (error_ == nullptr || libewf_error_backtrace_sprint(error_, buffer.data(), buffer.size() - 1) <= 0) {
      return "libewf gives no reason";
    }
    std::string_view all(buffer.data());
    all = all.substr(0, all.find('\n'));
    while (!all.empty() && (all.back() == '.' || all.back() == '\r')) all.remove_suffix(1);
    return to_valid_utf8(all);
  }

 private:
  libewf_error_t* error_ = nullptr;
};

/// A handle and, where the files need patches, what it reads through.
struct OpenedEwf {
  std::unique_ptr<EwfView> view;  ///< outlives the handle: freed after it
  Handle handle;
};

class EwfSource : public ExhibitSource {
 public:
  EwfSource(OpenedEwf opened, ImageInfo info, std::uint32_t chunk_size, std::uint64_t chunks)
      : opened_(std::move(opened)), info_(std::move(info)), chunk_size_(chunk_size) {
    readable_ = chunks < info_.size / chunk_size_ ? chunks * chunk_size_ : info_.size;
    note_checksum_errors(0, info_.size);
  }
  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return info_.size; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= info_.size) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), info_.size - offset));
    // Chunks that no table lists are never asked for: libewf loses the memory of a chunk with each attempt.
    if (offset + out.size() > readable_) {
      const std::uint64_t from = std::max(offset, readable_);
      const auto missing = out.subspan(from - offset);
      std::memset(missing.data(), 0, missing.size());
      gaps_.add(from, missing.size(), kMissing);
      if (from == offset) return out.size();
      const auto head = read_at(offset, out.first(from - offset));
      if (!head) return head.error();
      return out.size();
    }
    std::size_t done = 0;
    while (done < out.size()) {
      done += read_some(offset + done, out.subspan(done));
      if (done >= out.size()) break;
      // Only the chunk in which the read stopped is given up; the next read starts behind it.
      const std::uint64_t at = offset + done;
      const std::size_t length = std::min<std::uint64_t>(out.size() - done, chunk_size_ - at % chunk_size_);
      const std::size_t got = read_some(at, out.subspan(done, length));
      if (got < length) {
        std::memset(out.data() + done + got, 0, length - got);
        gaps_.add(at + got, length - got, "chunk cannot be read: " + error_.text());
      }
      done += length;
    }
    note_checksum_errors(offset, out.size());
    return out.size();
  }

 private:
  /// Bytes read, 0 on an error.
  std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) {
    const auto got = libewf_handle_read_random(opened_.handle.get(), out.data(), out.size(),
                                               static_cast<off64_t>(offset), error_.out());
    return got > 0 ? std::min(static_cast<std::size_t>(got), out.size()) : 0;
  }

  void note_checksum_errors(std::uint64_t offset, std::uint64_t length) {
    std::uint32_t count = 0;
    if (gaps_.full() ||
        libewf_handle_get_number_of_checksum_errors(opened_.handle.get(), &count, error_.out()) != 1)
      return;
    for (std::uint32_t i = 0; i < count && !gaps_.full(); ++i) {
      std::uint64_t sector = 0;
      std::uint64_t sectors = 0;
      if (libewf_handle_get_checksum_error(opened_.handle.get(), i, &sector, &sectors, error_.out()) != 1)
        continue;
      const std::uint64_t limit = info_.size / info_.sector_size + 1;
      const std::uint64_t from = std::max(std::min(sector, limit) * info_.sector_size, offset);
      const std::uint64_t to =
          std::min((std::min(sector, limit) + std::min(sectors, limit)) * info_.sector_size,
                   std::min(offset + length, info_.size));
      if (from < to)
        gaps_.add(from, to - from,
                  from >= readable_ ? kMissing : "chunk is missing or its checksum is wrong");
    }
  }

  OpenedEwf opened_;
  ImageInfo info_;
  std::uint32_t chunk_size_;
  std::uint64_t readable_ = 0;  ///< bytes from the start whose chunks the tables list
  GapList gaps_;
  EwfError error_;
};

void add_problem(ImageInfo& info, ProblemKind kind, const std::string& message) {
  Problem problem;
  problem.plugin = "evidence";
  problem.kind = kind;
  problem.message = to_valid_utf8(message);
  info.problems.push_back(std::move(problem));
}

void add_faults(const EwfSet& set, ImageInfo& info) {
  constexpr std::size_t kMaxListed = 200;
  std::size_t count = 0;
  for (std::size_t i = 0; i < set.files.size(); ++i) {
    for (const std::string& fault : set.segments[i].faults) {
      if (++count <= kMaxListed) add_problem(info, ProblemKind::integrity, set.name(i) + ": " + fault);
    }
  }
  if (count > kMaxListed) {
    add_problem(info, ProblemKind::integrity,
                std::to_string(count - kMaxListed) + " more damaged sections are not listed");
  }
}

void read_metadata(libewf_handle_t* handle, ImageInfo& info) {
  constexpr std::size_t kMaxValue = 64 * 1024;
  EwfError error;
  libewf_handle_set_header_values_date_format(handle, LIBEWF_DATE_FORMAT_ISO8601, error.out());
  std::uint32_t count = 0;
  if (libewf_handle_get_number_of_header_values(handle, &count, error.out()) != 1) count = 0;
  for (std::uint32_t i = 0; i < std::min(count, 256U); ++i) {
    std::size_t size = 0;
    if (libewf_handle_get_header_value_identifier_size(handle, i, &size, error.out()) != 1 || size < 2 ||
        size > kMaxValue) {
      continue;
    }
    std::vector<std::uint8_t> name(size);
    if (libewf_handle_get_header_value_identifier(handle, i, name.data(), size, error.out()) != 1) continue;
    std::size_t value_size = 0;
    if (libewf_handle_get_utf8_header_value_size(handle, name.data(), size - 1, &value_size, error.out()) !=
            1 ||
        value_size < 2 || value_size > kMaxValue) {
      continue;
    }
    std::vector<std::uint8_t> value(value_size);
    if (libewf_handle_get_utf8_header_value(handle, name.data(), size - 1, value.data(), value_size,
                                            error.out()) != 1) {
      continue;
    }
    const auto text = [](const std::vector<std::uint8_t>& bytes) {
      const std::string raw(bytes.begin(), std::find(bytes.begin(), bytes.end(), 0));
      return to_valid_utf8(raw);
    };
    if (std::string shown = text(value); !shown.empty()) info.metadata[text(name)] = std::move(shown);
  }
}

template <std::size_t kSize, typename Getter>
std::string stored_hash(libewf_handle_t* handle, Getter getter) {
  static constexpr char kDigits[] = "0123456789abcdef";
  EwfError error;
  std::array<std::uint8_t, kSize> raw{};
  if (getter(handle, raw.data(), raw.size(), error.out()) != 1) return "";
  std::string text;
  for (const std::uint8_t byte : raw) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

// libewf holds one descriptor per segment; the usual soft limit of 1024 is less than a 2 TB set has.
Status allow_open_files(std::size_t segments) {
  constexpr rlim_t kSpare = 256;
  const rlim_t needed = segments + kSpare;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return {};
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = std::min(limit.rlim_max, needed);
  if (limit.rlim_cur >= needed && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return Error{ErrorCode::limit, "the image has " + std::to_string(segments) + " segment files, but only " +
                                     std::to_string(soft) + " files may be open: raise it with ulimit -n " +
                                     std::to_string(needed)};
}

Status read_geometry(libewf_handle_t* handle, const EwfSet& set, ImageInfo& info, std::uint32_t& chunk_size) {
  EwfError error;
  std::uint64_t size = 0;
  std::uint32_t sector = 0;
  if (libewf_handle_get_media_size(handle, &size, error.out()) != 1 || size == 0) {
    return Error{ErrorCode::corrupt, "is damaged: it says that it holds 0 bytes"};
  }
  if (libewf_handle_get_chunk_size(handle, &chunk_size, error.out()) != 1 || chunk_size == 0) {
    return Error{ErrorCode::corrupt, "is damaged: it states no chunk size"};
  }
  if (libewf_handle_get_bytes_per_sector(handle, &sector, error.out()) != 1 || sector == 0 ||
      sector > 65536) {
    return Error{ErrorCode::corrupt, "is damaged: it states no sector size"};
  }
  const bool too_much = set.complete && size / chunk_size > set.bytes / kLeastBytesPerChunk + 1;
  if (size > kMaxMediaSize || too_much) {
    return Error{ErrorCode::corrupt, "is damaged: it says that it holds " + std::to_string(size) +
                                         " bytes, more than its files have room for"};
  }
  info.size = size;
  info.sector_size = sector;
  return {};
}

Result<OpenedEwf> new_handle() {
  EwfError error;
  libewf_handle_t* raw = nullptr;
  if (libewf_handle_initialize(&raw, error.out()) != 1) return Error{ErrorCode::io, error.text()};
  OpenedEwf opened;
  opened.handle.reset(raw);
  // 0: no limit, so that no segment is ever closed and opened again.
  libewf_handle_set_maximum_number_of_open_handles(raw, 0, error.out());
  return opened;
}

Result<OpenedEwf> open_view(std::unique_ptr<EwfView> view) {
  auto opened = new_handle();
  if (!opened) return opened;
  EwfError error;
  opened->view = std::move(view);
  if (opened->view->open_handle(opened->handle.get(), error.out()) != 1)
    return Error{ErrorCode::corrupt, error.text()};
  return opened;
}

/// Opens the files themselves or, if they need patches, a view of them.
Result<OpenedEwf> open_handle(const EwfSet& set, std::vector<std::string>& files) {
  if (set.patched()) {
    auto view = EwfView::open(set, set.files.size());
    if (!view) return view.error();
    return open_view(view.take());
  }
  auto opened = new_handle();
  if (!opened) return opened;
  EwfError error;
  std::vector<char*> names;
  names.reserve(files.size());
  for (std::string& file : files) names.push_back(file.data());
  if (libewf_handle_open(opened->handle.get(), names.data(), static_cast<int>(names.size()), LIBEWF_OPEN_READ,
                         error.out()) != 1) {
    return Error{ErrorCode::corrupt, error.text()};
  }
  return opened;
}

// Whether a header is damaged shows when libewf reads it alone: one segment with the other headers left out.
// True if one was found damaged; patches then leave it out.
bool skip_damaged_headers(EwfSet& set, ImageInfo& info) {
  EwfSegment& segment = set.segments.front();
  auto without_headers = EwfView::open(set, 1);
  if (!without_headers) return false;
  for (const EwfSegment::Header& header : segment.headers)
    (*without_headers)->add_patch(0, skip_section(header.at, header.descriptor));
  if (!open_view(without_headers.take())) return false;  // something else is wrong
  bool found = false;
  for (const EwfSegment::Header& suspect : segment.headers) {
    auto view = EwfView::open(set, 1);
    if (!view) return false;
    for (const EwfSegment::Header& other : segment.headers) {
      if (other.at != suspect.at) (*view)->add_patch(0, skip_section(other.at, other.descriptor));
    }
    if (open_view(view.take())) continue;
    found = true;
    segment.patches.push_back(skip_section(suspect.at, suspect.descriptor));
    add_problem(info, ProblemKind::integrity,
                set.name(0) + ": its section " + suspect.type + " at byte " + std::to_string(suspect.at) +
                    " is damaged; its copies are used, or else that description of the case is lost");
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_ewf(const std::string& path) {
  auto set = find_ewf_set(path);
  if (!set) return set.error();
  if (Status allowed = allow_open_files(set->files.size()); !allowed) {
    return Error{allowed.error().code, path + ": " + allowed.error().message};
  }

  ImageInfo info;
  info.format = "ewf";
  for (const std::string& file : set->files) info.files.push_back(std::filesystem::absolute(file).string());
  if (!set->missing.empty()) add_problem(info, ProblemKind::unreadable, set->missing);
  for (const std::string& trouble : set->troubles) add_problem(info, ProblemKind::corrupt, trouble);
  add_faults(*set, info);
  // An Error carries the first of these, which says more than what libewf stumbled over.
  const std::string because = info.problems.empty() ? "" : " (" + info.problems.front().message + ")";
  const ErrorCode code = set->missing.empty() ? ErrorCode::corrupt : ErrorCode::not_found;

  auto opened = open_handle(*set, info.files);
  if (!opened && skip_damaged_headers(*set, info)) opened = open_handle(*set, info.files);
  if (!opened) return Error{code, path + " cannot be opened as EWF: " + opened.error().message + because};
  libewf_handle_t* raw = opened->handle.get();
  EwfError error;
  std::uint32_t chunk_size = 0;
  if (Status geometry = read_geometry(raw, *set, info, chunk_size); !geometry) {
    return Error{geometry.error().code, path + " " + geometry.error().message + because};
  }
  info.stored_md5 = stored_hash<16>(raw, libewf_handle_get_md5_hash);
  info.stored_sha1 = stored_hash<20>(raw, libewf_handle_get_sha1_hash);
  read_metadata(raw, info);
  if (set->missing.empty() && set->troubles.empty() &&
      libewf_handle_segment_files_corrupted(raw, error.out()) == 1) {
    add_problem(info, ProblemKind::corrupt, path + ": libewf finds its section structure damaged");
  }
  return std::unique_ptr<ExhibitSource>(
      std::make_unique<EwfSource>(opened.take(), std::move(info), chunk_size, set->chunks));
}

}  // namespace touchstone

#include "evidence/ewf_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "evidence/ewf_chunks.hpp"
#include "evidence/ewf_logical.hpp"
#include "evidence/ewf_metadata.hpp"
#include "evidence/ewf_segments.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone {
namespace {

// Beyond this no image exists; a header that claims more would only make endless work.
constexpr std::uint64_t kMaxMediaSize = std::uint64_t{1} << 50;
// EnCase offers up to 32768 sectors a chunk.
constexpr std::uint64_t kMaxChunkSize = std::uint64_t{128} << 20;
// The least a chunk costs in a file: a 4-byte table entry and the shortest zlib stream of a zero chunk.
constexpr std::uint64_t kLeastBytesPerChunk = 12;
constexpr std::size_t kCacheBudget = std::size_t{8} << 20;
constexpr std::size_t kMaxListed = 200;

std::string_view reason_of(EwfChunkState state) {
  switch (state) {
    case EwfChunkState::missing:
      return "chunk is missing: its segment file is missing or cut short";
    case EwfChunkState::unreadable:
      return "chunk cannot be read: it is damaged";
    case EwfChunkState::wrong_sum:
      return "chunk does not fit its checksum; its bytes are given as they stand";
    case EwfChunkState::file_error:
      return "chunk cannot be read: read error of the file that holds it";
    case EwfChunkState::sound:
      break;
  }
  return "";
}

struct Range {
  std::uint64_t from = 0, to = 0;
};

class EwfSource : public ExhibitSource {
 public:
  EwfSource(EwfSet set, ImageInfo info, std::uint32_t chunk_size)
      : set_(std::move(set)),
        info_(std::move(info)),
        chunk_size_(chunk_size),
        chunks_(set_.files, info_.size, chunk_size),
        cache_(std::max(kCacheBudget, std::size_t{2} * chunk_size)) {}

  EwfChunks& chunks() { return chunks_; }
  EwfSet& set() { return set_; }
  ImageInfo& mutable_info() { return info_; }
  void add_tail(std::uint32_t bytes) {
    chunks_.add_tail(bytes);
    info_.size += bytes;
  }
  /// Ranges that the acquisition could not read, by place and apart from each other.
  void set_read_errors(std::vector<Range> errors) { errors_ = std::move(errors); }

  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return info_.size; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }
  ByteSource* file_list() override { return file_list_.get(); }
  void set_file_list() {
    EwfFile& last = set_.files.back();
    file_list_ = make_window(*last.bytes, last.segment.files_at, last.segment.files_length);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= info_.size) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), info_.size - offset));
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done;
      const std::uint64_t number = at / chunk_size_;
      const std::size_t within = at % chunk_size_;
      const std::size_t bytes = chunks_.bytes_of(number);
      const std::size_t length = std::min(out.size() - done, bytes - within);
      if (const std::vector<std::byte>* held = cache_.find(number)) {
        std::memcpy(out.data() + done, held->data() + within, length);
      } else if (length == bytes) {
        // A whole chunk is decoded where it is wanted: who reads so is passing through.
        read_chunk(number, out.subspan(done, bytes));
      } else {
        std::vector<std::byte>& fresh = cache_.make(number, bytes);
        read_chunk(number, fresh);
        std::memcpy(out.data() + done, fresh.data() + within, length);
      }
      done += length;
    }
    auto error = std::partition_point(errors_.begin(), errors_.end(),
                                      [&](const Range& one) { return one.to <= offset; });
    for (; error != errors_.end() && error->from < offset + out.size(); ++error) {
      const std::uint64_t from = std::max(error->from, offset);
      gaps_.add(from, std::min(error->to, offset + out.size()) - from,
                "the acquisition could not read these sectors");
    }
    return out.size();
  }

 private:
  void read_chunk(std::uint64_t number, std::span<std::byte> out) {
    const EwfChunkState state = chunks_.read(number, out);
    if (state != EwfChunkState::sound) gaps_.add(number * chunk_size_, out.size(), reason_of(state));
    for (const std::string& fault : chunks_.take_faults())
      if (info_.problems.size() < kMaxListed) add_problem(info_, ProblemKind::integrity, fault);
  }

  EwfSet set_;
  ImageInfo info_;
  std::uint32_t chunk_size_;
  EwfChunks chunks_;
  UnitCache cache_;
  GapList gaps_;
  std::vector<Range> errors_;
  std::unique_ptr<ByteSource> file_list_;
};

void add_faults(const EwfSet& set, ImageInfo& info) {
  std::size_t count = 0;
  for (const EwfFile& file : set.files) {
    for (const std::string& fault : file.segment.faults) {
      if (++count <= kMaxListed) add_problem(info, ProblemKind::integrity, file.name + ": " + fault);
    }
  }
  if (count > kMaxListed) {
    add_problem(info, ProblemKind::integrity,
                std::to_string(count - kMaxListed) + " more damaged sections are not listed");
  }
}

Status check_geometry(const EwfSet& set, const EwfGeometry& geometry) {
  if (set.geometry.empty())
    return Error{ErrorCode::corrupt,
                 "is damaged: no section that tells the size of the media can be trusted"};
  if (geometry.sectors == 0 || geometry.bytes_per_sector == 0)
    return Error{ErrorCode::corrupt, "is damaged: it says that it holds 0 bytes"};
  if (geometry.sectors_per_chunk == 0 || geometry.bytes_per_sector > 65536 ||
      geometry.sectors_per_chunk > kMaxChunkSize / geometry.bytes_per_sector) {
    return Error{ErrorCode::corrupt, "is damaged: it states no possible chunk size"};
  }
  const bool absurd = geometry.sectors > kMaxMediaSize / geometry.bytes_per_sector;
  const std::uint64_t size = absurd ? 0 : geometry.sectors * geometry.bytes_per_sector;
  const std::uint64_t chunk_size = geometry.sectors_per_chunk * geometry.bytes_per_sector;
  if (absurd || (set.complete() && size / chunk_size > set.bytes / kLeastBytesPerChunk + 1)) {
    return Error{ErrorCode::corrupt, "is damaged: it says that it holds " + std::to_string(geometry.sectors) +
                                         " sectors of " + std::to_string(geometry.bytes_per_sector) +
                                         " bytes, more than its files have room for"};
  }
  return {};
}

/// Files that follow each other without a hole: from the number of chunks before them follows the place of
/// all their chunks.
struct Run {
  std::size_t from = 0, to = 0;  ///< files
  std::uint64_t chunks = 0;
};

std::vector<Run> runs_of(const std::vector<EwfFile>& files) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool follows = i > 0 && files[i].segment.number == files[i - 1].segment.number + 1 &&
                         files[i - 1].segment.end == EwfSegment::End::next;
    if (!follows) runs.push_back({i, i, 0});
    runs.back().to = i + 1;
    runs.back().chunks += files[i].segment.chunks;
  }
  return runs;
}

void place(EwfChunks& chunks, const std::vector<EwfFile>& files, const Run& run, std::uint64_t first) {
  for (std::size_t i = run.from; i < run.to; ++i) {
    chunks.add_file(i, first);
    first += files[i].segment.chunks;
  }
}

/// Gives all files whose place is known to `chunks`; the first run counts from the start, the last from the
/// end of the media.
void place_files(const EwfSet& set, EwfChunks& chunks, ImageInfo& info) {
  const std::vector<Run> runs = runs_of(set.files);
  const Run& front = runs.front();
  const Run& back = runs.back();
  std::uint64_t end = chunks.count();
  const bool anchored = runs.size() > 1 && set.files.back().segment.end == EwfSegment::End::done &&
                        back.chunks <= end && end - back.chunks >= front.chunks;
  place(chunks, set.files, front, 0);
  if (anchored) {
    end -= back.chunks;
    place(chunks, set.files, back, end);
    add_problem(info, ProblemKind::integrity,
                set.files[back.from].name + " and what follows it are placed by counting from the end");
  }
  const std::size_t unplaced_to = anchored ? runs.size() - 1 : runs.size();
  for (std::size_t i = 1; i < unplaced_to; ++i) {
    const std::string& first = set.files[runs[i].from].name;
    const std::string& last = set.files[runs[i].to - 1].name;
    add_problem(
        info, ProblemKind::unreadable,
        fmt::format(
            "{} there, but where the chunks belong cannot be known: files before and after are missing "
            "or damaged",
            first == last ? fmt::format("{} is", first) : fmt::format("{} to {} are", first, last)));
  }
  // Chunks without a table stand where those with one end.
  const std::size_t last_of_front = front.to - 1;
  if (end > front.chunks) chunks.add_loose(last_of_front, front.chunks, end - front.chunks);
}

void add_read_errors(EwfSource& source, const EwfGeometry& geometry) {
  std::vector<Range> errors;
  for (const EwfFile& file : source.set().files) {
    for (const auto& [sector, count] : file.segment.read_errors) {
      if (sector >= geometry.sectors || count == 0) continue;
      errors.push_back({sector, sector + std::min(count, geometry.sectors - sector)});
    }
  }
  if (errors.empty()) return;
  std::sort(errors.begin(), errors.end(), [](const Range& a, const Range& b) { return a.from < b.from; });
  std::vector<Range> apart;
  std::uint64_t total = 0;
  for (const Range& error : errors) {
    if (apart.empty() || error.from > apart.back().to) apart.push_back(error);
    apart.back().to = std::max(apart.back().to, error.to);
  }
  for (Range& error : apart) {
    total += error.to - error.from;
    error = {error.from * geometry.bytes_per_sector, error.to * geometry.bytes_per_sector};
  }
  source.mutable_info().metadata["acquiry_errors"] = std::to_string(total) + " sectors";
  add_problem(source.mutable_info(), ProblemKind::unreadable,
              "the acquisition could not read " + std::to_string(total) +
                  " sectors of the device, the first at byte " + std::to_string(apart.front().from) +
                  ": what stands there is not its content");
  source.set_read_errors(std::move(apart));
}

/// Where the media ends within a sector. libewf, and with it ewfverify and The Sleuth Kit, drops those bytes.
void add_tail(EwfSource& source, const EwfGeometry& geometry) {
  if (!source.set().complete()) return;
  const std::uint32_t tail =
      source.chunks().tail(source.set().chunks(), static_cast<std::uint32_t>(geometry.bytes_per_sector));
  if (tail == 0) return;
  source.add_tail(tail);
  add_problem(
      source.mutable_info(), ProblemKind::integrity,
      "the last chunk holds " + std::to_string(tail) + " bytes more than the " +
          std::to_string(geometry.sectors) +
          " whole sectors that the image states: they belong to the media and are read; ewfverify and other "
          "programs that leave them out compute another hash");
}

void add_sessions(const EwfSet& set, ImageInfo& info) {
  std::string text;
  for (const auto& [sector, audio] : set.files.back().segment.sessions) {
    if (text.size() > 4096) break;
    text += (text.empty() ? "" : ", ") + std::string(audio ? "audio" : "data") + " from sector " +
            std::to_string(sector);
  }
  if (!text.empty()) info.metadata["sessions"] = text;
}

/// Logical evidence counts its bytes in the list of its files alone; what its volume section says of sectors
/// is no size of anything.
Result<std::uint64_t> logical_size(EwfSet& set, EwfGeometry& geometry, ImageInfo& info) {
  const EwfFile& last = set.files.back();
  if (last.segment.files_length == 0)
    return Error{set.missing.empty() ? ErrorCode::corrupt : ErrorCode::not_found,
                 "holds no list of its files"};
  if (geometry.bytes_per_sector == 0) geometry.bytes_per_sector = 512;
  if (geometry.sectors_per_chunk == 0) geometry.sectors_per_chunk = 64;
  const auto list = make_window(*last.bytes, last.segment.files_at, last.segment.files_length);
  std::uint64_t size = logical_media_size(*list).value_or(0);
  // Without it the chunks tell: what follows the last file is not looked at.
  if (size == 0) {
    add_problem(
        info, ProblemKind::corrupt,
        "the list of its files does not say how many bytes they have: what lies in the last chunk may be "
        "told as damaged");
    size = set.chunks() * geometry.sectors_per_chunk * geometry.bytes_per_sector;
  }
  geometry.sectors = size / geometry.bytes_per_sector + (size % geometry.bytes_per_sector == 0 ? 0 : 1);
  return size;
}

void read_about(EwfSet& set, ImageInfo& info) {
  info.format = set.files.front().segment.logical ? "l01" : "ewf";
  for (const EwfFile& file : set.files) info.files.push_back(file.name);
  for (const std::string& missing : set.missing) add_problem(info, ProblemKind::unreadable, missing);
  for (const std::string& trouble : set.troubles) add_problem(info, ProblemKind::corrupt, trouble);
  add_faults(set, info);
  EwfMetadata metadata = read_ewf_metadata(set);
  for (const std::string& fault : metadata.faults) add_problem(info, ProblemKind::integrity, fault);
  info.metadata = std::move(metadata.values);
  info.stored_md5 = metadata.md5;
  info.stored_sha1 = metadata.sha1;
  for (const EwfFile& file : set.files) {
    if (!file.segment.md5.empty()) info.stored_md5 = file.segment.md5;
    if (!file.segment.sha1.empty()) info.stored_sha1 = file.segment.sha1;
  }
  add_sessions(set, info);
}

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_ewf(ImageInput input) {
  auto set = find_ewf_set(input);
  if (!set) return set.error();
  ImageInfo info;
  read_about(*set, info);
  // An Error carries the first of these, which says more than its consequence.
  const std::string because = info.problems.empty() ? "" : " (" + info.problems.front().message + ")";
  EwfGeometry geometry = ewf_geometry(set->geometry);
  const bool logical = set->files.front().segment.logical;
  std::uint64_t size = 0;
  if (logical) {
    const auto counted = logical_size(*set, geometry, info);
    if (!counted) return Error{counted.error().code, counted.error().message + because};
    size = *counted;
  }
  if (Status sound = check_geometry(*set, geometry); !sound) {
    const ErrorCode code = set->missing.empty() ? sound.error().code : ErrorCode::not_found;
    return Error{code, sound.error().message + because};
  }
  info.size = logical ? size : geometry.sectors * geometry.bytes_per_sector;
  info.sector_size = static_cast<std::uint32_t>(geometry.bytes_per_sector);

  const auto chunk_size = static_cast<std::uint32_t>(geometry.sectors_per_chunk * geometry.bytes_per_sector);
  auto source = std::make_unique<EwfSource>(set.take(), std::move(info), chunk_size);
  place_files(source->set(), source->chunks(), source->mutable_info());
  const std::uint64_t listed = source->set().chunks();
  if (source->set().complete() && listed < source->chunks().count()) {
    add_problem(source->mutable_info(), ProblemKind::corrupt,
                "its tables list " + std::to_string(listed) + " chunks of " +
                    std::to_string(source->chunks().count()));
  }
  if (listed == 0 && source->set().files.front().segment.loose_to == 0)
    return Error{source->set().missing.empty() ? ErrorCode::corrupt : ErrorCode::not_found,
                 "holds no chunk of the media" + because};
  add_read_errors(*source, geometry);
  if (logical) {
    source->set_file_list();
  } else {
    add_tail(*source, geometry);
  }
  return std::unique_ptr<ExhibitSource>(std::move(source));
}

}  // namespace touchstone

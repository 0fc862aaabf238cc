#include "jpeg.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace touchstone::carving {
namespace {

constexpr std::uint64_t kSector = 512;
// Sizes of clusters that are tried, and how far from the fault a fragment may begin, in clusters to each
// side.
constexpr std::array<std::uint64_t, 3> kGrids = {4096, 1024, 512};
constexpr std::uint64_t kReachClusters = 16384;
// A fault shows soon after the place where the wrong bytes begin: mostly within a cluster, in 16 nearly
// always.
constexpr std::uint64_t kCuts = 16;
// Tries cost some microseconds each: this many for each 64 MiB of the window.
constexpr std::uint64_t kTries = 2'000'000;
constexpr std::uint64_t kTriesWindow = 64ULL << 20U;
// A wrong fragment mostly fails in its first kilobyte; what passes this far is decoded to its end.
constexpr std::uint64_t kFirstLook = 16U << 10U;
// Bytes that are decoded in vain behind the first look: for each file, and for each 64 MiB of the window.
constexpr std::uint64_t kLongWorkOfFile = 128ULL << 20U;
constexpr std::uint64_t kLongWork = 1ULL << 30U;
// Clusters from which a fragment is tried first when its end was met from its middle.
constexpr std::uint64_t kFirstClusters = 16;
// So late may a fault show.
constexpr std::uint64_t kLateFault = 16U << 10U;
// A beginning of less than this is not given.
constexpr std::uint64_t kLeastBlocks = 64;
constexpr std::uint64_t kLeastBytes = 2048;
constexpr std::uint64_t kMaxFurtherGap = 64U << 10U;

}  // namespace

JpegCarver::JpegCarver(View& view, std::function<bool(std::uint64_t)> covered)
    : view_(view),
      covered_(std::move(covered)),
      tries_left_(kTries * (view.size() / kTriesWindow + 1)),
      long_work_left_(kLongWork * (view.size() / kTriesWindow + 1)) {}

Found JpegCarver::carve(std::uint64_t offset) {
  JpegDecoder decoder(view_, {{offset, UINT64_MAX - offset}});
  const JpegEnd end = decoder.run();
  if (end == JpegEnd::not_decoded) return by_markers(offset, decoder.position());
  if (end == JpegEnd::complete) {
    const int confidence = decoder.all_received() ? kChecked : kSize;
    return contiguous(offset, with_further_pictures(decoder, offset), confidence, "jpg", "image/jpeg");
  }
  const std::uint64_t fault = offset + decoder.position();
  const std::string where = decoder.progressive() ? "in scan " + std::to_string(decoder.state().scans)
                                                  : "after " + std::to_string(decoder.share() / 10) + " %";
  const bool worth = decoder.blocks() >= kLeastBlocks && decoder.position() >= kLeastBytes;
  if (!worth) return std::nullopt;
  Carved carved = sound_beginning(offset, fault, "jpg", "image/jpeg", "the picture breaks off " + where);
  // Just before the fault may lie what the next file begins with.
  carved.covered =
      std::max(decoder.first_scan(), decoder.position() - std::min(decoder.position(), kLateFault));
  return carved;
}

/// Cameras append further pictures and name them in the first.
std::uint64_t JpegCarver::with_further_pictures(const JpegDecoder& decoder, std::uint64_t offset) {
  std::uint64_t end = offset + decoder.position();
  auto further = decoder.further_pictures();
  std::sort(further.begin(), further.end());
  for (const auto& [at, size] : further) {
    const std::uint64_t start = offset + at;
    if (start < end || start - end > kMaxFurtherGap || !view_.starts_with(start, "\xFF\xD8\xFF")) continue;
    JpegDecoder next(view_, {{start, size}});
    if (next.run() == JpegEnd::complete) end = start + next.position();
  }
  return end;
}

/// Arithmetic coding, lossless and the like: the markers alone.
Found JpegCarver::by_markers(std::uint64_t offset, std::uint64_t from) {
  std::uint64_t at = offset + from - 2;  // the marker of the frame
  bool scan = false;
  while (!view_.exhausted()) {
    // Between segments there is a marker; in a scan the next that is neither stuffed nor a restart.
    const Bytes marker = view_.at(at, 4);
    if (marker.size() < 2) return std::nullopt;
    if (marker[0] != 0xFF) {
      if (!scan) return std::nullopt;
    } else if (marker[1] == 0xD9 && scan) {
      return contiguous(offset, at + 2, kSize, "jpg", "image/jpeg");
    } else if (marker.size() >= 4 && marker[1] >= 0xC0 && (marker[1] < 0xD0 || marker[1] > 0xD9)) {
      const std::uint16_t length = get_be16(marker.data() + 2);
      if (length < 2) return std::nullopt;
      scan = marker[1] == 0xDA || scan;
      at += 2 + length;
      continue;
    } else if (marker.size() < 4 || !scan ||
               (marker[1] != 0 && marker[1] != 0xFF && (marker[1] < 0xD0 || marker[1] > 0xD7))) {
      return std::nullopt;
    } else {
      ++at;
    }
    at = view_.find("\xFF", at, at + View::kReach * 16);
    if (!view_.reaches(at + 2)) return std::nullopt;
  }
  return std::nullopt;
}

/// Whether a sector may be the middle of a scan: 0xFF only before 0, restarts and the end.
bool JpegCarver::may_continue(std::uint64_t place) {
  const std::uint64_t sector = place / kSector;
  if (sectors_.empty()) sectors_.resize(view_.size() / kSector + 1);
  if (sector >= sectors_.size()) return false;
  std::uint8_t& known = sectors_[sector];
  if (known != 0) return known == 1;
  const Bytes bytes = view_.at(place, kSector);
  known = 2;
  std::size_t same = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    same += bytes[i] == bytes[i + 1] ? 1U : 0U;
    if (bytes[i] != 0xFF) continue;
    const std::uint8_t next = bytes[i + 1];
    if (next == 0xD9) break;
    if (next != 0 && (next < 0xD0 || next > 0xD7)) return false;
  }
  // Nothing but one byte, as in erased clusters, is no scan either.
  known = same > kSector / 2 ? 2 : 1;
  return known == 1;
}

Found JpegCarver::piece_together(std::uint64_t offset) {
  if (offset % kSector != 0 || gave_up_) return std::nullopt;
  JpegDecoder decoder(view_, {{offset, UINT64_MAX - offset}});
  decoder.keep_snapshots(true);
  if (decoder.run() != JpegEnd::broken || decoder.blocks() == 0) return std::nullopt;
  decoder.keep_snapshots(false);
  file_work_ = 0;
  const std::uint64_t fault = decoder.position();
  for (const std::uint64_t grid : kGrids) {
    if (offset % grid != 0) continue;
    if (auto found = pieced_on_grid(decoder, offset, grid, fault)) return found;
    if (gave_up_ || view_.exhausted()) break;
  }
  return std::nullopt;
}

Found JpegCarver::pieced_on_grid(JpegDecoder& decoder, std::uint64_t offset, std::uint64_t grid,
                                 std::uint64_t fault) {
  const std::uint64_t last_cut = fault / grid * grid;
  for (std::uint64_t k = 0; k < kCuts && last_cut > k * grid; ++k) {
    const std::uint64_t at = last_cut - k * grid;
    const JpegDecoder::State* snapshot = decoder.snapshot_before(at);
    if (!snapshot) break;
    const JpegDecoder::State& nearest =
        decoder.nearest_before(at, *snapshot, {{offset, UINT64_MAX - offset}});
    Cut cut{decoder, nearest, offset, at, grid};
    for (std::uint64_t d = 1; d <= kReachClusters; ++d) {
      if (view_.exhausted() || file_work_ > kLongWorkOfFile) return std::nullopt;
      if (auto found = try_at(cut, offset + at + d * grid)) return found;
      if (d * grid > offset) continue;
      if (auto found = try_at(cut, offset - d * grid)) return found;
      if (gave_up_) return std::nullopt;
    }
  }
  return std::nullopt;
}

Found JpegCarver::try_at(Cut& cut, std::uint64_t place) {
  const auto holds = [&](const Run& run) { return place - run.offset < run.length; };
  if (place >= view_.size() || !may_continue(place) || covered_(place) ||
      std::any_of(cut.dead.begin(), cut.dead.end(), holds))
    return std::nullopt;
  Found found = decode_at(cut, place);
  if (!found && cut.early) found = narrow(cut, place);
  return found;
}

/// A JPEG's codes fall into step by themselves, so that its end is met from nearly everywhere in it. If it is
/// the end of this picture, its fragment begins before `place`, and all between is entropy-coded data.
Found JpegCarver::narrow(Cut& cut, std::uint64_t place) {
  const std::uint64_t end = cut.early_end;
  const std::uint64_t least = place < cut.offset ? 0 : cut.offset + cut.cut;
  std::uint64_t first = place;
  while (first >= least + cut.grid && may_continue(first - cut.grid) && !covered_(first - cut.grid))
    first -= cut.grid;
  Found found;
  for (std::uint64_t i = 0; i < kFirstClusters && first + i * cut.grid < place && !found; ++i)
    found = decode_at(cut, first + i * cut.grid);
  // Else between the two: from later places the end still comes too early.
  std::uint64_t low = first / cut.grid, high = place / cut.grid;
  const std::uint64_t rest = place % cut.grid;
  while (!found && high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    bool early = false;
    for (std::uint64_t i = 0; i < 4 && middle + i < high && !found && !early; ++i) {
      found = decode_at(cut, (middle + i) * cut.grid + rest);
      early = cut.early;
    }
    (early ? high : low) = middle;
  }
  cut.dead.push_back({first, end - first});
  return found;
}

Found JpegCarver::decode_at(Cut& cut, std::uint64_t place) {
  cut.early = false;
  if (tries_left_ == 0 || long_work_left_ == 0) {
    gave_up_ = true;
    return std::nullopt;
  }
  --tries_left_;
  JpegDecoder& decoder = cut.decoder;
  // A fragment that lies before the beginning ends there at the latest.
  const std::uint64_t room = place < cut.offset ? cut.offset - place : UINT64_MAX - cut.offset - cut.cut;
  decoder.resume(cut.from, {{cut.offset, cut.cut}, {place, room}});
  decoder.stop_at(cut.cut + kFirstLook);
  JpegEnd end = decoder.run();
  decoder.stop_at(UINT64_MAX);
  if (end == JpegEnd::paused && !view_.exhausted()) {
    end = decoder.run();
    file_work_ += decoder.position() - cut.cut;
    long_work_left_ -= std::min(long_work_left_, decoder.position() - cut.cut);
  }
  if (end == JpegEnd::broken && decoder.position() > cut.cut + kSector && decoder.ended_early()) {
    cut.early = true;
    cut.early_end = place + decoder.position() - cut.cut;
  }
  if (end != JpegEnd::complete || decoder.position() <= cut.cut || !decoder.all_received())
    return std::nullopt;
  Carved carved;
  carved.runs = {{cut.offset, cut.cut}, {place, decoder.position() - cut.cut}};
  carved.confidence = kStructure;
  carved.extension = "jpg";
  carved.media_type = "image/jpeg";
  carved.note = "pieced together from two fragments: the picture decodes to its end that way";
  return carved;
}

}  // namespace touchstone::carving

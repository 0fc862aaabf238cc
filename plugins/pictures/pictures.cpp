// `pictures`: size, time, camera and place of a picture as its header and its metadata state them.
//
// One record `picture` for each: width and height as stored; `taken` in UTC with time_basis "offset" where
// the camera stored its zone; otherwise `taken_local`, the camera's own clock, which the host converts with
// the zone of each exhibit the picture lies on. The GPS time stamp is not used: it is that of the last fix,
// which may be hours old.
#include <fmt/format.h>

#include <cstdint>
#include <touchstone/plugin.hpp>
#include <vector>

#include "content/picture_header.hpp"
#include "metadata.hpp"

namespace touchstone {
namespace {

/// Exiv2 wants the whole file in memory. Photographs are far smaller; of larger files only the header is
/// read.
constexpr std::uint64_t kMaxBytes = 64ULL << 20;
constexpr std::uint64_t kHeaderBytes = 1ULL << 20;

std::vector<std::uint8_t> read(const Job& job, std::uint64_t count) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = job.read_at(filled, std::span(bytes).subspan(filled));
    if (got < 0) throw Failure(TS_ERROR, "the picture's bytes cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

class Pictures final : public Plugin {
 public:
  static constexpr const char* kMedia[] = {"image/*", nullptr};
  static constexpr Manifest kManifest{
      .name = "pictures",
      .version = "1.0",
      .summary = "Size, time, camera and place that pictures state of themselves",
      .licence = "GPL-3.0-or-later",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_CONTENT,
      .inputs = TS_INPUT_NONE,
      .media_types = kMedia,
      .min_size = 1};

  explicit Pictures(Setup&) { prepare_metadata(); }

  ts_status begin(Job& job) override {
    const auto size = job.size();
    const bool whole = size <= kMaxBytes;
    const auto bytes = read(job, whole ? size : kHeaderBytes);
    const auto pixels = read_picture_size(bytes);
    PictureMetadata metadata;
    if (whole) {
      metadata = read_metadata(bytes);
    } else {
      job.emit_problem(
          "limit", fmt::format("metadata is not read from pictures larger than {} MiB", kMaxBytes >> 20U));
    }
    if (!metadata.damage.empty()) {
      job.emit_problem("corrupt", fmt::format("metadata cannot be read to its end: {}", metadata.damage));
    } else if (!pixels && whole && detect_picture_format(bytes) != PictureFormat::unknown) {
      job.emit_problem("corrupt", "the picture's header states no size");
    }
    emit(job, pixels, metadata);
    return TS_DONE;
  }

 private:
  static void emit(Job& job, const std::optional<PictureSize>& pixels, const PictureMetadata& metadata) {
    std::vector<Field> fields;
    if (pixels) {
      fields.push_back({"width", std::int64_t{pixels->width}});
      fields.push_back({"height", std::int64_t{pixels->height}});
    }
    if (metadata.taken_local && metadata.offset_minutes) {
      fields.push_back(
          {"taken", *metadata.taken_local - *metadata.offset_minutes * std::int64_t{60'000'000}});
      fields.push_back({"time_basis", "offset"});
    } else if (metadata.taken_local) {
      fields.push_back({"taken_local", *metadata.taken_local});
    }
    if (!metadata.camera.empty()) fields.push_back({"camera", metadata.camera});
    if (metadata.latitude && metadata.longitude) {
      fields.push_back({"latitude", *metadata.latitude});
      fields.push_back({"longitude", *metadata.longitude});
    }
    job.emit_record("picture", "", "", "", fields);
  }
};

}  // namespace touchstone

TOUCHSTONE_PLUGIN(touchstone::Pictures)

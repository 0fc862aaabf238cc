#include "content/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "content/picture_header.hpp"

namespace touchstone {
namespace {

constexpr std::uint32_t kBlurredSide = 32;
constexpr std::uint32_t kClearSide = 512;
constexpr int kPreviewQuality = 80;

/// One thread, and no lines of OpenCV's own on stderr: what fails comes back as an Error.
void prepare_opencv() {
  static const bool prepared = [] {
    cv::setNumThreads(1);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError([](int, const char*, const char*, const char*, int, void*) { return 0; });
    return true;
  }();
  static_cast<void>(prepared);
}

const char* name_of(PictureFormat format) {
  switch (format) {
    case PictureFormat::jpeg:
      return "JPEG";
    case PictureFormat::png:
      return "PNG";
    case PictureFormat::gif:
      return "GIF";
    case PictureFormat::webp:
      return "WebP";
    case PictureFormat::bmp:
      return "BMP";
    case PictureFormat::tiff:
      return "TIFF";
    case PictureFormat::heif:
      return "HEIC or AVIF";
    case PictureFormat::unknown:
      break;
  }
  return "unknown picture";
}

bool is_decoded_here(PictureFormat format) {
  return format == PictureFormat::jpeg || format == PictureFormat::png || format == PictureFormat::webp ||
         format == PictureFormat::bmp;
}

Result<std::vector<std::uint8_t>> read_all(ByteSource& source) {
  const auto size = source.size();
  if (size > kMaxPictureBytes)
    return Error{ErrorCode::limit,
                 fmt::format("the picture has {} bytes, more than {}", size, kMaxPictureBytes)};
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    auto got = source.read_at(filled, std::as_writable_bytes(std::span(bytes).subspan(filled)));
    if (!got) return got.error();
    if (*got == 0) break;
    filled += *got;
  }
  bytes.resize(filled);
  return bytes;
}

/// How far JPEG's scaled decoding may go (1, 2, 4 or 8) with `min_side` pixels still on the shorter side.
unsigned reduction(PictureFormat format, PictureSize size, std::uint32_t min_side) {
  if (format != PictureFormat::jpeg || min_side == 0) return 1;
  const auto shorter = std::min(size.width, size.height);
  for (const unsigned factor : {8U, 4U, 2U})
    if (shorter / factor >= min_side) return factor;
  return 1;
}

int read_flags(unsigned factor) {
  switch (factor) {
    case 8:
      return cv::IMREAD_REDUCED_COLOR_8;
    case 4:
      return cv::IMREAD_REDUCED_COLOR_4;
    case 2:
      return cv::IMREAD_REDUCED_COLOR_2;
    default:
      return cv::IMREAD_COLOR;
  }
}

/// Blue and red change places, row by row in a small buffer: a second whole picture would double the peak of
/// memory.
void bgr_to_rgb(cv::Mat& picture) {
  cv::Mat row(1, picture.cols, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y) {
    cv::Mat target = picture.row(y);
    cv::cvtColor(target, row, cv::COLOR_BGR2RGB);
    row.copyTo(target);
  }
}

cv::Mat view_of(std::uint32_t width, std::uint32_t height, std::uint8_t* pixels) {
  return {static_cast<int>(height), static_cast<int>(width), CV_8UC3, pixels};
}

/// Turns a picture as its Exif orientation (1 to 8) asks for, so that its first row is the top.
void turn_upright(cv::Mat& picture, unsigned orientation) {
  if (orientation >= 5) cv::transpose(picture, picture);
  // After transposing, 5 is upright; the rest are mirrored left to right, top to bottom, or both ways.
  if (orientation == 2 || orientation == 6) cv::flip(picture, picture, 1);
  if (orientation == 4 || orientation == 8) cv::flip(picture, picture, 0);
  if (orientation == 3 || orientation == 7) cv::flip(picture, picture, -1);
}

enum class Outcome { whole, partial, nothing };

/// Decodes into `target`, which holds zeros and stays where it is if it has the size that comes out: no copy,
/// and rows before a damaged place are kept.
Outcome run_decoder(const std::vector<std::uint8_t>& bytes, int flags, cv::Mat& target) {
  const auto is_set = [](std::uint8_t value) { return value != 0; };
  const auto decode = [&](cv::Mat& into) {
    try {
      cv::imdecode(bytes, flags, &into);
    } catch (const cv::Exception& e) {
      if (e.code == cv::Error::StsNoMem) throw std::bad_alloc();
      into.release();
    }
    return !into.empty();
  };
  const cv::Mat kept = target;
  const bool decoded = decode(target);
  if (target.data != kept.data && decoded) return Outcome::whole;
  const bool any = std::any_of(kept.datastart, kept.dataend, is_set);
  if (decoded && any) return Outcome::whole;
  if (any) {
    target = kept;
    return Outcome::partial;
  }
  // All black, or untouched because the header was refused: OpenCV tells the two apart only without a given
  // target.
  cv::Mat again;
  if (!decoded || !decode(again)) return Outcome::nothing;
  target = again;
  return Outcome::whole;
}

/// Decodes into `picture`, upright.
Outcome decode_into(const std::vector<std::uint8_t>& bytes, PictureSize size, unsigned factor,
                    Picture& picture) {
  const auto scaled = [&](std::uint32_t side) { return (side + factor - 1) / factor; };
  const auto width = scaled(size.width);
  const auto height = scaled(size.height);
  picture.pixels.assign(std::size_t{width} * height * 3, 0);
  cv::Mat target = view_of(width, height, picture.pixels.data());
  const auto outcome = run_decoder(bytes, read_flags(factor) | cv::IMREAD_IGNORE_ORIENTATION, target);
  if (outcome == Outcome::nothing) return outcome;
  const auto orientation = read_picture_orientation(bytes);
  turn_upright(target, orientation);
  if (target.data != picture.pixels.data()) {  // turned on its side, or not of the size that the header said
    picture.pixels.assign(target.datastart, target.dataend);
    target = view_of(static_cast<std::uint32_t>(target.cols), static_cast<std::uint32_t>(target.rows),
                     picture.pixels.data());
  }
  bgr_to_rgb(target);
  picture.width = static_cast<std::uint32_t>(target.cols);
  picture.height = static_cast<std::uint32_t>(target.rows);
  picture.source_width = orientation >= 5 ? size.height : size.width;
  picture.source_height = orientation >= 5 ? size.width : size.height;
  return outcome;
}

/// Sides scaled so that the longer one is at most `longest`, and neither is 0.
cv::Size fitted(const Picture& picture, std::uint32_t longest) {
  const auto longer = std::max(picture.width, picture.height);
  if (longer <= longest) return {static_cast<int>(picture.width), static_cast<int>(picture.height)};
  const auto scaled = [&](std::uint32_t side) {
    return static_cast<int>(
        std::max<std::uint64_t>(1, (std::uint64_t{side} * longest + longer / 2) / longer));
  };
  return {scaled(picture.width), scaled(picture.height)};
}

/// Encodes and decodes a tiny picture. Empty, or why not.
std::string try_codec(const char* extension, const char* name) {
  const cv::Mat tiny(16, 16, CV_8UC3, cv::Scalar(40, 120, 200));
  std::vector<std::uint8_t> bytes;
  try {
    if (cv::imencode(extension, tiny, bytes) && !cv::imdecode(bytes, cv::IMREAD_COLOR).empty()) return {};
  } catch (const cv::Exception&) {
    // named below
  }
  return name;
}

}  // namespace

bool is_decodable_picture(std::string_view media_type) {
  constexpr std::string_view kTypes[] = {"image/jpeg", "image/png", "image/webp", "image/bmp",
                                         "image/x-ms-bmp"};
  return std::find(std::begin(kTypes), std::end(kTypes), media_type) != std::end(kTypes);
}

Result<Picture> decode_picture(ByteSource& source, std::string_view media_type, std::uint32_t min_side,
                               bool* damaged) {
  prepare_opencv();
  if (damaged) *damaged = false;
  auto read = read_all(source);
  if (!read) return read.error();
  std::vector<std::uint8_t> bytes = read.take();

  const auto format = detect_picture_format(bytes);
  if (format == PictureFormat::unknown && is_decodable_picture(media_type))
    return Error{ErrorCode::corrupt, fmt::format("{} without its signature", media_type)};
  if (!is_decoded_here(format))
    return Error{ErrorCode::unsupported, fmt::format("no decoder for {} ({})", name_of(format), media_type)};
  const auto size = read_picture_size(bytes);
  if (!size) return Error{ErrorCode::corrupt, fmt::format("{} header without a size", name_of(format))};
  if (std::uint64_t{size->width} * size->height > kMaxPicturePixels)
    return Error{ErrorCode::limit, fmt::format("the picture has {} x {} pixels, more than {}", size->width,
                                               size->height, kMaxPicturePixels)};

  const bool cut = format == PictureFormat::jpeg && !jpeg_is_whole(bytes);
  if (cut) bytes.insert(bytes.end(), {0xFF, 0xD9});  // makes the decoder finish with what it has
  Picture picture;
  const auto outcome = decode_into(bytes, *size, reduction(format, *size, min_side), picture);
  if (outcome == Outcome::nothing)
    return Error{ErrorCode::corrupt, fmt::format("{} that cannot be decoded", name_of(format))};
  if (damaged) *damaged = cut || outcome == Outcome::partial;
  return picture;
}

Result<Preview> make_preview(const Picture& picture) {
  prepare_opencv();
  if (picture.width == 0 || picture.height == 0 ||
      picture.pixels.size() != std::size_t{picture.width} * picture.height * 3)
    return Error{ErrorCode::invalid, "a picture without pixels has no preview"};
  // OpenCV's headers know no const data; nothing writes to it.
  const cv::Mat rgb =
      view_of(picture.width, picture.height, const_cast<std::uint8_t*>(picture.pixels.data()));  // NOLINT
  Preview preview;
  cv::Mat clear;
  cv::resize(rgb, clear, fitted(picture, kClearSide), 0, 0, cv::INTER_AREA);
  preview.width = static_cast<std::uint32_t>(clear.cols);
  preview.height = static_cast<std::uint32_t>(clear.rows);
  cv::Mat grey;
  cv::cvtColor(clear, grey, cv::COLOR_RGB2GRAY);
  cv::resize(grey, grey, fitted(picture, kBlurredSide), 0, 0, cv::INTER_AREA);
  cv::GaussianBlur(grey, grey, cv::Size(0, 0), 1.5);
  cv::cvtColor(clear, clear, cv::COLOR_RGB2BGR);
  const std::vector<int> options{cv::IMWRITE_JPEG_QUALITY, kPreviewQuality};
  if (!cv::imencode(".jpg", clear, preview.clear, options) ||
      !cv::imencode(".jpg", grey, preview.blurred, options))
    return Error{ErrorCode::unsupported, "OpenCV has no JPEG encoder"};
  return preview;
}

std::string warm_up_pictures() {
  prepare_opencv();
  std::string missing;
  for (const auto& [extension, name] :
       {std::pair{".jpg", "JPEG"}, {".png", "PNG"}, {".webp", "WebP"}, {".bmp", "BMP"}}) {
    const auto failed = try_codec(extension, name);
    if (!failed.empty()) missing += (missing.empty() ? "no decoder for " : ", ") + failed;
  }
  return missing;
}

}  // namespace touchstone

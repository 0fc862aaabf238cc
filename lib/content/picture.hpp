// The picture facet: a decoded picture, and previews made of it. Decoders here are OpenCV's JPEG and PNG (and
// BMP, WebP, GIF as far as its build has them) chosen by the bytes' own signature, never by its plugin
// search; other formats come from provider plugins. OpenCV runs on one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "evidence/byte_source.hpp"
#include "model/result.hpp"

namespace touchstone {

inline constexpr std::uint64_t kMaxPictureBytes = 256ULL << 20;  ///< encoded size read at most
inline constexpr std::uint64_t kMaxPicturePixels = 200'000'000;  ///< checked from the header before decoding

/// 8-bit RGB, upright, rows without padding. width × height is what was decoded; source_* what the header
/// says, upright.
struct Picture {
  std::uint32_t width = 0, height = 0;
  std::uint32_t source_width = 0, source_height = 0;
  std::vector<std::uint8_t> pixels;
};

/// True for media types that decode_picture() reads.
bool is_decodable_picture(std::string_view media_type);

/// Decodes with at least `min_side` pixels on the shorter side where the original has them (0: full size);
/// may use JPEG's scaled decoding. Errors: unsupported, corrupt, limit (too many bytes or pixels). A
/// truncated picture is decoded as far as it goes and `*damaged` is set.
Result<Picture> decode_picture(ByteSource& source, std::string_view media_type, std::uint32_t min_side,
                               bool* damaged);

/// JPEG bytes without metadata.
struct Preview {
  std::uint32_t width = 0, height = 0;  ///< of `clear`
  std::vector<std::uint8_t> blurred;    ///< longest side 32 pixels, grey, blurred
  std::vector<std::uint8_t> clear;      ///< longest side at most 512 pixels
};
Result<Preview> make_preview(const Picture& picture);

/// Touches every decoder once with a built-in tiny picture, so that nothing is loaded after the sandbox
/// closes. Names what does not work.
std::string warm_up_pictures();

}  // namespace touchstone

// Pictures and embedded files of a PDF, found by looking at every object with qpdf, in the order of their
// numbers. Nothing is rendered and nothing is run. Throws what qpdf throws; streams are decoded up to a
// bound.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#ifdef __clang__
// Clang refuses the incomplete type in JSON.hh of qpdf 11 under C++20. Its declarations are enough here.
#define JSON_HH
class JSON;
#endif
#include <qpdf/QPDF.hh>
#include <string>
#include <vector>

#include "png_writer.hpp"

namespace touchstone::documents {

struct PdfPart {
  enum class Kind : std::uint8_t { jpeg, jpeg2000, pixels, file } kind = Kind::file;
  std::string path;  ///< unique in the document
  QPDFObjectHandle stream;
  PixelForm form;  ///< of `pixels`
};

struct PdfContents {
  std::vector<PdfPart> parts;
  std::uint64_t unread_pictures = 0;  ///< in forms that no picture file here can take
  std::string unread_forms;           ///< which
  bool is_cut = false;
};

inline constexpr std::size_t kMaxParts = 20'000;
inline constexpr std::uint64_t kMaxPixels = 200'000'000, kMaxDecoded = 256ULL << 20U;

PdfContents find_parts(QPDF& pdf);
/// The part as a file; absent if it cannot be decoded, or is larger than the bound.
std::optional<std::string> bytes_of(const PdfPart& part);

}  // namespace touchstone::documents

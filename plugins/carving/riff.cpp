// RIFF: AVI with its OpenDML continuations, WAVE, WebP. The chunks are walked; the size in the header has to
// agree with them.
#include <algorithm>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::size_t kMaxChunks = 100'000;

bool code_of_letters(Bytes code) {
  return std::all_of(code.begin(), code.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
}

struct Chunks {
  bool format = false, data = false;   // "fmt ", "data"
  bool header = false, movie = false;  // LIST hdrl, LIST movi
  bool picture = false;                // VP8, VP8L or frames
  std::uint64_t end = 0;               // behind the last sound chunk
  std::uint64_t cut_data = 0;          // where a data chunk begins that does not fit
};

bool webp_bitstream(View& view, std::uint64_t body, std::string_view code) {
  if (code == "VP8 ") return view.starts_with(body + 3, "\x9D\x01\x2A");
  if (code == "VP8L") return view.starts_with(body, "\x2F");
  return code == "ANMF";
}

/// Walks the chunks of [at, end).
Chunks walk(View& view, std::uint64_t at, std::uint64_t end) {
  Chunks found;
  found.end = at;
  for (std::size_t count = 0; count < kMaxChunks && at + 8 <= end && !view.exhausted(); ++count) {
    const Bytes head = view.at(at, 12);
    if (head.size() < 8 || !code_of_letters(head.first(4))) return found;
    const std::string code(reinterpret_cast<const char*>(head.data()), 4);
    const std::string list =
        head.size() == 12 ? std::string(reinterpret_cast<const char*>(head.data()) + 8, 4) : "";
    const std::uint64_t size = get_le32(head.data() + 4);
    const bool fits = at + 8 + size <= end;
    found.format = found.format || code == "fmt ";
    found.data = found.data || code == "data";
    found.header = found.header || (code == "LIST" && list == "hdrl");
    found.movie = found.movie || (code == "LIST" && list == "movi");
    found.picture = found.picture || webp_bitstream(view, at + 8, code);
    if (!fits) {
      if (code == "data" || list == "movi") found.cut_data = at;
      return found;
    }
    at += 8 + size + (size & 1U);
    found.end = std::min(at, end);
  }
  return found;
}

Found carve_avi(View& view, std::uint64_t offset, std::uint64_t end) {
  const Chunks chunks = walk(view, offset + 12, end);
  if (!chunks.header || !chunks.movie) return std::nullopt;
  if (chunks.end + 8 <= end || !view.reaches(end)) {
    if (!view.reaches(chunks.end)) return std::nullopt;
    return beginning(offset, std::max(chunks.end, offset + 12), "avi", "video/x-msvideo",
                     "the video breaks off between its chunks");
  }
  // OpenDML: further RIFF lists of type AVIX.
  while (view.starts_with(end, "RIFF") && view.starts_with(end + 8, "AVIX")) {
    const std::uint64_t next = end + 8 + view.le32(end + 4);
    if (!view.reaches(next)) break;
    end = next;
  }
  return contiguous(offset, end, kStructure, "avi", "video/x-msvideo");
}

}  // namespace

Found carve_riff(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 16);
  if (head.empty()) return std::nullopt;
  const std::string type(reinterpret_cast<const char*>(head.data()) + 8, 4);
  const std::uint64_t size = get_le32(head.data() + 4);
  const std::uint64_t end = offset + 8 + size + (size & 1U);
  if (size < 12) return std::nullopt;
  if (type == "AVI ") return carve_avi(view, offset, end);
  if (type != "WAVE" && type != "WEBP") return std::nullopt;
  const bool sound = type == "WAVE";
  const Chunks chunks = walk(view, offset + 12, end);
  const char* extension = sound ? "wav" : "webp";
  const char* media_type = sound ? "audio/x-wav" : "image/webp";
  if (sound ? !(chunks.format && chunks.data) : !chunks.picture) return std::nullopt;
  if (chunks.end + 8 <= end || !view.reaches(end)) {
    if (chunks.end <= offset + 12 || !view.reaches(chunks.end)) return std::nullopt;
    return beginning(offset, chunks.end, extension, media_type, "breaks off between its chunks");
  }
  return contiguous(offset, end, kStructure, extension, media_type);
}

}  // namespace touchstone::carving

// Text with a beginning and an end: RTF, vCard (RFC 6350), iCalendar (RFC 5545), XML property lists, scripts.
#include "text.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint64_t kMaxText = 32ULL << 20U;
constexpr std::uint64_t kMaxRtf = 256ULL << 20U;
constexpr std::uint64_t kLeastScript = 16;
constexpr std::uint64_t kMaxScript = 1U << 20U;

bool text_byte(std::uint8_t c) {
  return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

/// One "BEGIN:X … END:X"; 0 if it is none.
std::uint64_t between(View& view, std::uint64_t offset, std::string_view begin, std::string_view end,
                      std::string_view must_hold) {
  const std::string_view head = view.text(offset, begin.size() + 1);
  if (head.size() <= begin.size() || (head[begin.size()] != '\r' && head[begin.size()] != '\n')) return 0;
  const std::uint64_t limit = text_end(view, offset, offset + kMaxText);
  const std::uint64_t found = view.find(end, offset, limit);
  if (found >= limit || view.find(must_hold, offset, found) >= found) return 0;
  return found + end.size();
}

std::uint64_t with_line_end(View& view, std::uint64_t at) {
  if (view.starts_with(at, "\r\n")) return at + 2;
  return view.starts_with(at, "\n") ? at + 1 : at;
}

Found cards(View& view, std::uint64_t offset, std::string_view begin, std::string_view end,
            std::string_view must_hold, std::string_view extension, std::string_view media_type) {
  std::uint64_t at = offset, last = 0;
  while (view.starts_with(at, begin) && !view.exhausted()) {
    const std::uint64_t stop = between(view, at, begin, end, must_hold);
    if (stop == 0) break;
    last = at = with_line_end(view, stop);
    // Files of several have empty lines between them at most.
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t next = with_line_end(view, at);
      if (next == at) break;
      at = next;
    }
  }
  if (last == 0) return std::nullopt;
  return contiguous(offset, last, kStructure, extension, media_type);
}

}  // namespace

std::uint64_t text_end(View& view, std::uint64_t offset, std::uint64_t limit) {
  std::uint64_t at = offset;
  while (at < limit && !view.exhausted()) {
    const Bytes piece =
        view.at(at, static_cast<std::size_t>(std::min<std::uint64_t>(View::kReach, limit - at)));
    if (piece.empty()) return at;
    const auto end = std::find_if(piece.begin(), piece.end(), [](std::uint8_t c) { return !text_byte(c); });
    at += static_cast<std::uint64_t>(end - piece.begin());
    if (end != piece.end()) return at;
  }
  return at;
}

std::uint64_t line_end(View& view, std::uint64_t at, std::uint64_t limit) {
  const std::uint64_t found = view.find("\n", at, limit);
  return found < limit ? found + 1 : limit;
}

Found carve_rtf(View& view, std::uint64_t offset) {
  std::uint64_t at = offset;
  std::uint32_t depth = 0;
  bool escaped = false;
  while (!view.exhausted() && at - offset < kMaxRtf) {
    const Bytes piece = view.at(at, View::kReach);
    if (piece.empty()) break;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const std::uint8_t c = piece[i];
      if (!text_byte(c)) {
        if (at + i - offset < 64) return std::nullopt;
        return beginning(offset, at + i, "rtf", "text/rtf", "breaks off where text ends");
      }
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '{') {
        ++depth;
      } else if (c == '}' && --depth == 0) {
        // Writers add a line end and at times a NUL behind the last brace.
        return contiguous(offset, with_line_end(view, at + i + 1), kStructure, "rtf", "text/rtf");
      }
    }
    at += piece.size();
  }
  return std::nullopt;
}

Found carve_vcard(View& view, std::uint64_t offset) {
  return cards(view, offset, "BEGIN:VCARD", "END:VCARD", "\nVERSION:", "vcf", "text/vcard");
}

Found carve_calendar(View& view, std::uint64_t offset) {
  return cards(view, offset, "BEGIN:VCALENDAR", "END:VCALENDAR", "\nVERSION:", "ics", "text/calendar");
}

Found carve_xml_plist(View& view, std::uint64_t offset) {
  const std::string_view head = view.text(offset, 512);
  if (head.find("<!DOCTYPE plist") == std::string_view::npos && head.find("<plist") == std::string_view::npos)
    return std::nullopt;
  const std::uint64_t limit = text_end(view, offset, offset + kMaxText);
  const std::uint64_t found = view.find("</plist>", offset, limit);
  if (found >= limit) {
    if (limit - offset < 512) return std::nullopt;
    return beginning(offset, limit, "plist", "application/x-plist", "breaks off where text ends");
  }
  return contiguous(offset, with_line_end(view, found + 8), kStructure, "plist", "application/x-plist");
}

Found carve_script(View& view, std::uint64_t offset) {
  const std::string_view head = view.text(offset, 64);
  const std::size_t line = head.find('\n');
  if (line == std::string_view::npos || head.size() < 4 ||
      (head[2] != '/' && !head.substr(2).starts_with(" /")))
    return std::nullopt;
  const std::uint64_t end = text_end(view, offset, offset + kMaxScript);
  // It ends where the rest of the sector is empty: something else behind it means that it was overwritten.
  if (end - offset < kLeastScript || view.text(end, 1) != std::string_view("\0", 1)) return std::nullopt;
  return contiguous(offset, end, kHeader, "sh", "text/x-shellscript");
}

}  // namespace touchstone::carving

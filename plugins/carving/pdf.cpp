// PDF (ISO 32000). The end is the last "%%EOF" whose startxref leads to a cross-reference of this file: first
// the one that the header of a linearised file promises, then those of incremental updates that follow at
// once.
#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "carved.hpp"

namespace touchstone::carving {
namespace {

// Between a header and its first sound end, and of one update.
constexpr std::uint64_t kMaxDistance = 128ULL << 20U;
constexpr std::size_t kTail = 1024;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::uint64_t> number_at(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\r' || text[at] == '\n' || text[at] == '\t'))
    ++at;
  const std::size_t first = at;
  std::uint64_t value = 0;
  for (; at < text.size() && digit(text[at]) && at - first < 18; ++at)
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  return at == first ? std::nullopt : std::optional(value);
}

/// "xref", or "12 0 obj" of a cross-reference stream.
bool cross_reference(View& view, std::uint64_t at) {
  const std::string_view text = view.text(at, 512);
  std::size_t i = 0;
  while (i < text.size() && i < 16 && std::isspace(static_cast<unsigned char>(text[i])) != 0) ++i;
  if (text.substr(i).starts_with("xref")) return true;
  if (i >= text.size() || !digit(text[i])) return false;
  const std::size_t object = text.find(" obj");
  return object != std::string_view::npos && object < i + 24 && text.find("/XRef") != std::string_view::npos;
}

/// Where startxref before this "%%EOF" leads to; nothing if there is none.
std::optional<std::uint64_t> start_of(View& view, std::uint64_t offset, std::uint64_t eof) {
  const std::uint64_t from = eof > offset + kTail ? eof - kTail : offset;
  const std::string_view text = view.text(from, static_cast<std::size_t>(eof - from));
  const std::size_t found = text.rfind("startxref");
  return found == std::string_view::npos ? std::nullopt : number_at(text, found + 9);
}

std::uint64_t behind(View& view, std::uint64_t eof) {
  const std::string_view text = view.text(eof + 5, 2);
  std::uint64_t end = eof + 5;
  if (text.starts_with("\r\n")) return end + 2;
  if (text.starts_with("\n") || text.starts_with("\r")) return end + 1;
  return end;
}

/// What an incremental update begins with: an object, a cross-reference or a comment.
bool update_follows(View& view, std::uint64_t at) {
  const std::string_view text = view.text(at, 64);
  std::size_t i = 0;
  while (i < text.size() && (text[i] == '\r' || text[i] == '\n' || text[i] == ' ')) ++i;
  if (i >= text.size()) return false;
  if (text.substr(i).starts_with("xref") || text.substr(i).starts_with("startxref")) return true;
  if (!digit(text[i])) return false;
  const std::size_t object = text.find(" obj", i);
  return object != std::string_view::npos && object < i + 24;
}

std::uint64_t linearised_length(View& view, std::uint64_t offset) {
  const std::string_view head = view.text(offset, 1024);
  if (head.find("/Linearized") == std::string_view::npos) return 0;
  for (std::size_t at = head.find("/L"); at != std::string_view::npos; at = head.find("/L", at + 2)) {
    if (at + 2 < head.size() && (head[at + 2] == ' ' || digit(head[at + 2])))
      return number_at(head, at + 2).value_or(0);
  }
  return 0;
}

/// How far back a whole object ends: a beginning is cut there.
std::uint64_t last_object(View& view, std::uint64_t offset, std::uint64_t limit) {
  std::uint64_t end = 0;
  for (std::uint64_t at = offset; at < limit && !view.exhausted();) {
    const std::uint64_t found = view.find("endobj", at, std::min<std::uint64_t>(limit, at + (1U << 20U)));
    if (found >= std::min<std::uint64_t>(limit, at + (1U << 20U))) break;
    end = found + 6;
    at = end;
  }
  return end;
}

}  // namespace

Found carve_pdf(View& view, std::uint64_t offset) {
  const Bytes head = view.exactly(offset, 8);
  if (head.empty() || !digit(static_cast<char>(head[5])) || head[6] != '.') return std::nullopt;
  std::uint64_t sound = 0, first_reference = 0;
  std::uint64_t limit = offset + kMaxDistance;
  std::uint64_t at = offset + 8;
  if (const std::uint64_t length = linearised_length(view, offset);
      length > kTail && length < (1ULL << 32U)) {
    // A linearised file has its first "%%EOF" near the beginning.
    const std::uint64_t tail = view.find("%%EOF", offset + length - kTail, offset + length);
    if (tail < offset + length) {
      const auto start = start_of(view, offset, tail);
      if (start && cross_reference(view, offset + *start)) {
        sound = std::max(behind(view, tail), std::min(offset + length, tail + 8));
        at = sound;
        limit = sound;
      }
    }
  }
  bool elsewhere = false;
  while (!view.exhausted()) {
    if (sound != 0) {
      if (!update_follows(view, sound)) break;
      limit = sound + kMaxDistance;
    }
    const std::uint64_t eof = view.find("%%EOF", at, limit);
    if (eof >= limit) break;
    at = eof + 5;
    const auto start = start_of(view, offset, eof);
    if (start && *start > 0 && offset + *start < eof && cross_reference(view, offset + *start) &&
        (sound == 0 || offset + *start >= first_reference)) {
      sound = behind(view, eof);
      if (first_reference == 0) first_reference = offset + *start;
      limit = sound;
    } else if (sound == 0 && start && *start > 0 && !elsewhere) {
      elsewhere = true;  // its end may lie elsewhere, and this one belong to another file
      limit = std::min<std::uint64_t>(limit, eof + (1U << 20U));
    }
  }
  if (sound != 0) return contiguous(offset, sound, kStructure, "pdf", "application/pdf");
  const std::uint64_t next =
      view.find("%PDF-", offset + 8, std::min<std::uint64_t>(limit, offset + (16U << 20U)));
  const std::uint64_t end = last_object(view, offset, next);
  if (end == 0) return std::nullopt;
  return beginning(offset, end, "pdf", "application/pdf",
                   "its cross-reference is missing; given up to its last whole object");
}

}  // namespace touchstone::carving

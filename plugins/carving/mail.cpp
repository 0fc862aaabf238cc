// Messages of RFC 5322, alone or after "From " lines in a mailbox. A message is text that begins with header
// fields; one in parts ends behind its last boundary, another where text ends.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "carved.hpp"
#include "text.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint64_t kMaxMail = 256ULL << 20U;
constexpr std::size_t kMaxHeader = 60U << 10U;
constexpr std::uint32_t kLeastKnownFields = 3;

bool same_letters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

bool known_field(std::string_view name) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "From",         "To",       "Date",         "Subject",      "Message-ID", "Received", "Return-Path",
      "Delivered-To", "Reply-To", "MIME-Version", "Content-Type", "X-Mailer",   "Cc",       "Sender"};
  return std::any_of(kNames.begin(), kNames.end(), [&](auto known) { return same_letters(name, known); });
}

struct Header {
  std::uint64_t body = 0;  // 0: this is no header
  std::string boundary;
};

void find_boundary(std::string_view text, Header& header) {
  const auto found =
      std::search(text.begin(), text.end(), std::begin("boundary="), std::end("boundary=") - 1,
                  [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  if (found == text.end()) return;
  std::string_view value = text.substr(static_cast<std::size_t>(found - text.begin()) + 9);
  const bool quoted = value.starts_with('"');
  if (quoted) value.remove_prefix(1);
  const std::size_t end = quoted ? value.find('"') : value.find_first_of(" ;\t\r\n");
  if (end != std::string_view::npos && end > 0 && end <= 70) header.boundary = value.substr(0, end);
}

/// Fields up to the empty line.
Header read_header(View& view, std::uint64_t offset) {
  Header header;
  const std::string_view text = view.text(offset, kMaxHeader);
  std::uint32_t known = 0;
  bool from = false, date_or_id = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos || end - at > 4096) return {};
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line == "\r") {
      if (known < kLeastKnownFields || !from || !date_or_id) return {};
      header.body = offset + at;
      find_boundary(text.substr(0, at), header);
      return header;
    }
    if (line[0] == ' ' || line[0] == '\t') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 76) return {};
    const std::string_view name = line.substr(0, colon);
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > 32 && c < 127; })) return {};
    known += known_field(name) ? 1U : 0U;
    from = from || same_letters(name, "From") || same_letters(name, "Sender");
    date_or_id = date_or_id || same_letters(name, "Date") || same_letters(name, "Message-ID") ||
                 same_letters(name, "Received") || same_letters(name, "Subject");
  }
  return {};
}

}  // namespace

Found carve_mail(View& view, std::uint64_t offset) {
  const bool mailbox = view.starts_with(offset, "From ");
  std::uint64_t start = offset;
  if (mailbox) {
    start = line_end(view, offset, offset + 512);
    if (start >= offset + 512) return std::nullopt;
  }
  const Header header = read_header(view, start);
  if (header.body == 0) return std::nullopt;
  const std::uint64_t text = text_end(view, header.body, header.body + kMaxMail);
  std::uint64_t end = text;
  bool closed = false;
  if (!mailbox && !header.boundary.empty()) {
    const std::uint64_t last = view.find("--" + header.boundary + "--", header.body, text);
    closed = last < text;
    if (closed) end = line_end(view, last, text);
  }
  // Behind the last boundary only empty lines belong to it; other text may be the next file's.
  while (closed && end < text && (view.starts_with(end, "\n") || view.starts_with(end, "\r\n")))
    end += view.starts_with(end, "\n") ? 1 : 2;
  return contiguous(offset, end, closed ? kSize : kText, mailbox ? "mbox" : "eml",
                    mailbox ? "application/mbox" : "message/rfc822");
}

}  // namespace touchstone::carving

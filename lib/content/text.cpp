#include "content/text.hpp"

#include <iconv.h>
#include <uchardet/uchardet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "content/utf8.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kHead = 64 * 1024;    // enough for the detector, and what the host has read anyway
constexpr std::size_t kBlock = 256 * 1024;  // bytes read from the source at once
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What the detector may answer and iconv converts. Others count as Windows-1252: every byte of it is shown,
// and an encoding whose tables were not loaded before the sandbox closed would fail inside it.
constexpr std::array kEncodings = {
    "UTF-8",        "UTF-16LE",     "UTF-16BE",     "UTF-32LE",     "UTF-32BE",     "SHIFT_JIS",
    "EUC-JP",       "ISO-2022-JP",  "ISO-2022-KR",  "EUC-KR",       "UHC",          "BIG5",
    "GB18030",      "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1255",
    "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-3",
    "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-6",   "ISO-8859-7",   "ISO-8859-8",   "ISO-8859-9",
    "ISO-8859-10",  "ISO-8859-13",  "ISO-8859-15",  "ISO-8859-16",  "TIS-620",      "KOI8-R",
    "IBM852",       "IBM855",       "IBM866"};

/// The name iconv is asked for. Shift-JIS as Windows writes it: the standard's table shows a yen sign for "\"
/// and lacks the characters that Windows and phones add.
const char* iconv_name(std::string_view encoding) {
  if (encoding == "SHIFT_JIS") return "CP932";
  const auto* known = std::find(kEncodings.begin(), kEncodings.end(), encoding);
  return known == kEncodings.end() ? nullptr : *known;
}

struct CloseIconv {
  void operator()(void* handle) const { iconv_close(handle); }
};
using Converter = std::unique_ptr<void, CloseIconv>;

Converter open_converter(const char* name) {
  iconv_t handle = iconv_open("UTF-8", name);
  return Converter(handle == iconv_t(-1) ? nullptr : handle);
}

unsigned unit_at(std::string_view bytes, std::size_t index, bool big_endian) {
  const auto first = static_cast<unsigned char>(bytes[2 * index]);
  const auto second = static_cast<unsigned char>(bytes[2 * index + 1]);
  return big_endian ? (static_cast<unsigned>(first) << 8U) | second
                    : (static_cast<unsigned>(second) << 8U) | first;
}

bool is_control(unsigned unit) {
  return (unit < 0x20 && unit != '\t' && unit != '\n' && unit != '\r' && unit != '\f' && unit != '\b' &&
          unit != 0x1B) ||
         unit == 0x7F;
}

/// Share of code units below U+0080 (in 1/1000) if all of `head` is sane UTF-16 of this byte order, else 0.
unsigned utf16_score(std::string_view head, bool big_endian) {
  const std::size_t units = head.size() / 2;
  std::size_t plain = 0, controls = 0;
  for (std::size_t i = 0; i < units; ++i) {
    const unsigned unit = unit_at(head, i, big_endian);
    if (unit >= 0xD800 && unit < 0xDC00) {
      if (i + 1 == units) break;
      const unsigned low = unit_at(head, ++i, big_endian);
      if (low < 0xDC00 || low > 0xDFFF) return 0;
    } else if (unit == 0 || (unit >= 0xDC00 && unit < 0xE000) || unit >= 0xFFF0 ||
               (unit >= 0xFDD0 && unit <= 0xFDEF)) {
      return 0;
    } else if (is_control(unit)) {
      ++controls;
    } else if (unit < 0x80) {
      ++plain;
    }
  }
  if (units == 0 || controls * 200 > units) return 0;
  return static_cast<unsigned>(plain * 1000 / units);
}

/// Whether each quarter of `head` has a zero byte: a piece of UTF-16 behind text of another encoding is not
/// UTF-16 whole.
bool has_zeros_throughout(std::string_view head) {
  const std::size_t quarter = head.size() / 4;
  for (std::size_t i = 0; i < 4; ++i) {
    if (head.substr(i * quarter, quarter).find('\0') == std::string_view::npos) return false;
  }
  return true;
}

/// UTF-16 without a byte-order mark: zero bytes only on one side of each pair. Spaces, digits and line ends
/// alone make about one unit in seven of a text in any script, so one in twenty is asked for; of short pieces
/// nearly all.
std::string detect_utf16(std::string_view head) {
  if (head.size() < 4) return {};
  const unsigned little = utf16_score(head, false), big = utf16_score(head, true);
  const unsigned needed = head.size() < 64 ? 800 : 50;
  if (head.size() >= 64 && !has_zeros_throughout(head)) return {};
  if (std::max(little, big) < needed || little == big) return {};
  return little > big ? "UTF-16LE" : "UTF-16BE";
}

std::string detect_by_mark(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\xEF\xBB\xBF")) return "UTF-8";
  if (head.starts_with("\xFF\xFE\0\0"sv)) return "UTF-32LE";
  if (head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32BE";
  if (head.starts_with("\xFF\xFE")) return "UTF-16LE";
  if (head.starts_with("\xFE\xFF")) return "UTF-16BE";
  return {};
}

/// Media types that may be plain text. libmagic calls UTF-16 without a mark, and text with a few control
/// characters, octet-stream.
bool may_be_text(std::string_view type) {
  static constexpr std::array kPrefixes = {"text/", "message/"};
  static constexpr std::array kSuffixes = {
      "+xml",    "+json",     "/xml",      "/json",        "/javascript",           "/x-ndjson",
      "/x-yaml", "/sql",      "/csv",      "/x-sh",        "/x-wine-extension-ini", "/x-setupscript",
      "/mbox",   "/x-subrip", "/pgp-keys", "/octet-stream"};
  return type.empty() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto p) { return type.starts_with(p); }) ||
         std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](auto s) { return type.ends_with(s); });
}

std::string ask_detector(std::string_view head) {
  const std::unique_ptr<struct uchardet, decltype(&uchardet_delete)> detector(uchardet_new(),
                                                                              uchardet_delete);
  if (!detector || uchardet_handle_data(detector.get(), head.data(), head.size()) != 0) return {};
  uchardet_data_end(detector.get());
  return uchardet_get_charset(detector.get());
}

}  // namespace

std::string detect_text_encoding(std::string_view head, std::string_view media_type) {
  head = head.substr(0, kHead);
  if (head.empty() || !may_be_text(media_type)) return {};
  if (auto marked = detect_by_mark(head); !marked.empty()) return marked;
  if (head.find('\0') != std::string_view::npos) return detect_utf16(head);
  const auto controls = std::count_if(head.begin(), head.end(),
                                      [](char c) { return is_control(static_cast<unsigned char>(c)); });
  if (static_cast<std::size_t>(controls) * 100 > head.size()) return {};

  const Utf8Count count = count_utf8(head);
  const bool escapes =
      head.find("\x1B$") != std::string_view::npos;  // ISO-2022 is seven-bit, hence valid UTF-8
  if (!escapes && count.invalid * 10 <= count.multibyte) return "UTF-8";
  // Of bytes that libmagic has no name for, a guess is only worth something if nothing in them is strange to
  // text.
  const bool unknown = media_type.empty() || media_type.ends_with("/octet-stream");
  if (unknown && !escapes && controls > 0) return {};
  std::string found = ask_detector(head);
  if (escapes && !found.starts_with("ISO-2022")) return count.invalid == 0 ? "UTF-8" : "WINDOWS-1252";
  // Latin-1 of the detector is Windows-1252: equal but for codes that are control characters in the former.
  if (found == "ISO-8859-1" || found == "ASCII" || found == "UTF-8") return "WINDOWS-1252";
  if (iconv_name(found)) return found;
  // No guess: bytes that may be anything are only text where libmagic says so.
  return unknown ? "" : "WINDOWS-1252";
}

TextWindows::TextWindows(Sink sink) : sink_(std::move(sink)) {}

bool TextWindows::push(std::string_view utf8) {
  while (!stopped_ && !utf8.empty()) {
    // Pieces are taken in parts, so that a huge one does not make the buffer huge.
    const auto part = utf8.substr(0, kTextWindow);
    utf8.remove_prefix(part.size());
    std::string valid;
    clean_utf8(part, partial_, valid);
    append(valid);
  }
  return !stopped_;
}

void TextWindows::append(std::string_view valid) {
  characters_ += count_code_points(valid);
  buffer_ += valid;
  while (!stopped_ && buffer_.size() > kTextWindow) stopped_ = !cut();
}

bool TextWindows::cut() {
  const std::size_t end = code_point_start(buffer_, kTextWindow);
  const std::size_t next = code_point_start(buffer_, end - kTextOverlap);
  if (!sink_(offset_, overlap_, std::string_view(buffer_).substr(0, end))) return false;
  buffer_.erase(0, next);
  offset_ += next;
  overlap_ = end - next;
  return true;
}

void TextWindows::finish() {
  if (stopped_) return;
  for (std::size_t left = partial_.size(); left > 0; --left) append(kReplacement);
  partial_.clear();
  if (!stopped_ && buffer_.size() > overlap_) sink_(offset_, overlap_, buffer_);
  stopped_ = true;
}

std::uint64_t TextWindows::characters() const {
  return characters_;
}

namespace {

/// Feeds blocks to iconv: what a block ends in the middle of is kept for the next, what does not convert is
/// replaced.
class Conversion {
 public:
  Conversion(iconv_t handle, std::size_t unit, TextWindows& windows)
      : handle_(handle), unit_(unit), windows_(windows), out_(kBlock * 2) {}

  /// False: the sink wants no more.
  bool block(std::string_view bytes) {
    pending_ += bytes;
    char* in = pending_.data();
    std::size_t left = pending_.size();
    while (left > 0) {
      const auto rc = run(&in, &left);
      const int error = errno;
      if (!flush()) return false;
      if (rc != static_cast<std::size_t>(-1) || error == E2BIG) continue;
      if (error == EINVAL) break;
      if (!replace(std::min(left, unit_), &in, &left)) return false;
    }
    pending_.erase(0, pending_.size() - left);
    return true;
  }

  void end() {
    if (!pending_.empty()) {
      ++replaced_;
      if (!windows_.push(kReplacement)) return;
    }
    run(nullptr, nullptr);  // stateful encodings write what they hold back
    if (flush()) windows_.finish();
  }

  std::uint64_t replaced() const { return replaced_; }

 private:
  std::size_t run(char** in, std::size_t* left) {
    char* to = out_.data();
    std::size_t room = out_.size();
    const auto rc = iconv(handle_, in, left, &to, &room);
    const int error = errno;
    filled_ = out_.size() - room;
    errno = error;
    return rc;
  }

  bool flush() {
    std::string_view text(out_.data(), filled_);
    filled_ = 0;
    if (!std::exchange(started_, started_ || !text.empty()) && text.starts_with("\xEF\xBB\xBF"))
      text.remove_prefix(3);
    return text.empty() || windows_.push(text);
  }

  bool replace(std::size_t bytes, char** in, std::size_t* left) {
    *in += bytes;
    *left -= bytes;
    ++replaced_;
    started_ = true;
    return windows_.push(kReplacement);
  }

  iconv_t handle_;
  std::size_t unit_;
  TextWindows& windows_;
  std::vector<char> out_;
  std::string pending_;
  std::size_t filled_ = 0;
  std::uint64_t replaced_ = 0;
  bool started_ = false;  // a byte-order mark can only be the first character
};

/// Calls `each` with block after block until it returns false.
template <typename Each>
Status each_block(ByteSource& source, Each each) {
  std::vector<std::byte> block(kBlock);
  for (std::uint64_t offset = 0; offset < source.size();) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), source.size() - offset));
    auto got = source.read_at(offset, std::span(block).first(want));
    if (!got) return got.error();
    if (*got == 0) break;
    if (!each(std::string_view(reinterpret_cast<const char*>(block.data()), *got))) break;
    offset += *got;
  }
  return {};
}

Result<std::uint64_t> convert_utf8(ByteSource& source, TextWindows& windows) {
  std::uint64_t replaced = 0;
  std::string partial, valid;
  bool first = true, wanted = true;
  auto status = each_block(source, [&](std::string_view bytes) {
    if (std::exchange(first, false) && bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    valid.clear();
    replaced += clean_utf8(bytes, partial, valid);
    return wanted = windows.push(valid);
  });
  if (!status) return status.error();
  for (std::size_t left = partial.size(); wanted && left > 0; --left) wanted = windows.push(kReplacement);
  replaced += partial.size();
  windows.finish();
  return replaced;
}

}  // namespace

Result<std::uint64_t> convert_text(ByteSource& source, const std::string& encoding, TextWindows& windows) {
  if (encoding == "UTF-8") return convert_utf8(source, windows);
  const char* name = iconv_name(encoding);
  const Converter converter = open_converter(name ? name : encoding.c_str());
  if (!converter) {
    return Error{ErrorCode::unsupported,
                 "iconv cannot convert " + encoding + ": its tables (gconv) cannot be opened"};
  }
  const std::size_t unit = encoding.starts_with("UTF-16") ? 2 : encoding.starts_with("UTF-32") ? 4 : 1;
  Conversion conversion(converter.get(), unit, windows);
  bool wanted = true;
  auto status = each_block(source, [&](std::string_view bytes) { return wanted = conversion.block(bytes); });
  if (!status) return status.error();
  if (wanted) conversion.end();
  return conversion.replaced();
}

std::string warm_up_text() {
  // iconv unloads the tables of a closed conversion after a while, so one of each stays open for the
  // process's life.
  static const auto kept = [] {
    std::vector<std::pair<std::string, Converter>> all;
    all.reserve(std::size(kEncodings));
    for (const char* encoding : kEncodings) all.emplace_back(encoding, open_converter(iconv_name(encoding)));
    return all;
  }();
  std::string missing;
  for (const auto& [encoding, converter] : kept) {
    std::array<char, 64> out{};
    std::string probe(encoding.starts_with("UTF-32") ? 4 : encoding.starts_with("UTF-16") ? 2 : 1, ' ');
    char* in = probe.data();
    char* to = out.data();
    std::size_t left = probe.size(), room = out.size();
    // A space in UTF-16 and UTF-32 is not two or four spaces, but U+2020 and an invalid code: only opening
    // counts there.
    const bool works =
        converter && (probe.size() > 1 || iconv(converter.get(), &in, &left, &to, &room) != std::size_t(-1));
    if (!works) missing += (missing.empty() ? "" : ", ") + encoding;
  }
  return missing;
}

}  // namespace touchstone

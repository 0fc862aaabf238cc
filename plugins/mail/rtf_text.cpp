#include "rtf_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "html_text.hpp"
#include "mime_message.hpp"

namespace touchstone::mail {
namespace {

constexpr std::size_t kDictionary = 4096, kHeader = 16;
/// What the dictionary begins with, so that common control words are short.
constexpr std::string_view kInitial =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    "\\fdecor MS Sans "
    "SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
constexpr std::size_t kMaxGroups = 10'000;

std::uint32_t little(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

std::string unpack(std::string_view packed, std::size_t limit) {
  std::array<char, kDictionary> dictionary{};
  std::copy(kInitial.begin(), kInitial.end(), dictionary.begin());
  std::size_t write = kInitial.size(), at = 0;
  std::string out;
  const auto put = [&](char c) {
    out += c;
    dictionary.at(write) = c;
    write = (write + 1) % kDictionary;
  };
  while (at < packed.size() && out.size() < limit) {
    const auto control = static_cast<unsigned char>(packed[at++]);
    for (unsigned bit = 0; bit < 8 && at < packed.size(); ++bit) {
      if (((control >> bit) & 1U) == 0) {
        put(packed[at++]);
        continue;
      }
      if (at + 1 >= packed.size()) return out;
      const unsigned token =
          static_cast<unsigned char>(packed[at]) * 256U + static_cast<unsigned char>(packed[at + 1]);
      at += 2;
      std::size_t read = token >> 4U;
      if (read == write) return out;  // the end
      for (std::size_t left = (token & 15U) + 2; left > 0; --left) {
        put(dictionary.at(read));
        read = (read + 1) % kDictionary;
      }
    }
  }
  return out;
}

class RtfReader {
 public:
  RtfReader(std::string_view rtf, std::size_t limit) : rtf_(rtf), limit_(limit) {}

  std::string read() {
    wraps_html_ = rtf_.substr(0, 4096).find("\\fromhtml") != std::string_view::npos;
    groups_.emplace_back();
    while (at_ < rtf_.size() && out_.size() < limit_ && !groups_.empty()) step();
    flush();
    if (wraps_html_) return html_text(out_);
    while (out_.ends_with('\n') || out_.ends_with(' ')) out_.pop_back();
    return std::move(out_);
  }

 private:
  struct Group {
    bool hidden = false;    // fonts, colours, pictures …
    bool html_tag = false;  // of wrapped HTML: markup as it was
    bool only_rtf = false;  // of wrapped HTML: was added for RTF alone
    int replacement = 1;    // characters that follow a \u for old readers
  };

  void step() {
    const char c = rtf_[at_];
    if (c == '{') {
      flush();
      if (groups_.size() < kMaxGroups) {
        groups_.push_back(groups_.back());
      } else {
        ++too_deep_;
      }
      ++at_;
    } else if (c == '}') {
      flush();
      too_deep_ > 0 ? static_cast<void>(--too_deep_) : groups_.pop_back();
      ++at_;
    } else if (c == '\\') {
      control();
    } else {
      ++at_;
      if (c != '\r' && c != '\n') text(c);
    }
  }

  Group& group() { return groups_.back(); }
  bool shows() { return !group().hidden && (!wraps_html_ || group().html_tag || !group().only_rtf); }

  void text(char byte) {
    if (skip_ > 0) {
      --skip_;
    } else if (shows()) {
      bytes_ += byte;
    }
  }
  void character(std::string_view utf8) {
    flush();
    if (shows()) out_ += utf8;
  }
  /// Bytes of a code page are converted together: some letters are two bytes.
  void flush() {
    if (bytes_.empty()) return;
    const bool ascii = std::all_of(bytes_.begin(), bytes_.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    out_ += ascii ? bytes_ : text_of_code_page(bytes_, code_page_);
    bytes_.clear();
  }

  void control() {
    ++at_;
    if (at_ >= rtf_.size()) return;
    const char c = rtf_[at_];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) return word();
    ++at_;
    if (c == '\'') {
      hexadecimal();
    } else if (c == '*') {
      starred_ = true;
      return;
    } else if (c == '~') {
      character(" ");
    } else if (c == '_') {
      character("-");
    } else if (c == '\\' || c == '{' || c == '}') {
      text(c);
    } else if (c == '\r' || c == '\n') {
      character("\n");
    }
    starred_ = false;
  }

  void hexadecimal() {
    const auto digit = [](char c) {
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
    };
    if (at_ + 1 >= rtf_.size()) return;
    const int high = digit(rtf_[at_]), low = digit(rtf_[at_ + 1]);
    if (high < 0 || low < 0) return;
    at_ += 2;
    text(static_cast<char>(high * 16 + low));
  }

  void word() {
    const std::size_t first = at_;
    while (at_ < rtf_.size() && at_ - first < 32 &&
           ((rtf_[at_] >= 'a' && rtf_[at_] <= 'z') || (rtf_[at_] >= 'A' && rtf_[at_] <= 'Z')))
      ++at_;
    const std::string_view name = rtf_.substr(first, at_ - first);
    const bool negative = at_ < rtf_.size() && rtf_[at_] == '-';
    if (negative) ++at_;
    bool has_number = false;
    std::int64_t number = 0;
    while (at_ < rtf_.size() && rtf_[at_] >= '0' && rtf_[at_] <= '9') {
      number = std::min<std::int64_t>(number * 10 + (rtf_[at_++] - '0'), INT32_MAX);
      has_number = true;
    }
    if (negative) number = -number;
    if (at_ < rtf_.size() && rtf_[at_] == ' ') ++at_;
    const bool starred = std::exchange(starred_, false);
    apply(name, number, has_number, starred);
  }

  void apply(std::string_view name, std::int64_t number, bool has_number, bool starred) {
    static constexpr std::array<std::string_view, 9> kHidden = {
        "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "themedata"};
    if (name == "htmltag") {
      flush();
      group().html_tag = wraps_html_;
      group().hidden = group().hidden || !wraps_html_;
    } else if (name == "htmlrtf") {
      flush();
      group().only_rtf = !has_number || number != 0;
    } else if (std::find(kHidden.begin(), kHidden.end(), name) != kHidden.end() || starred) {
      flush();
      group().hidden = true;
    } else if (name == "ansicpg") {
      code_page_ = number;
    } else if (name == "uc") {
      group().replacement = static_cast<int>(std::clamp<std::int64_t>(number, 0, 16));
    } else if (name == "u") {
      unicode(number);
    } else if (name == "bin") {
      at_ += std::min<std::size_t>(static_cast<std::size_t>(std::max<std::int64_t>(number, 0)),
                                   rtf_.size() - at_);
    } else {
      mark(name);
    }
  }

  void mark(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kMarks = {
        {{"par", "\n"},
         {"line", "\n"},
         {"row", "\n"},
         {"sect", "\n"},
         {"tab", "\t"},
         {"cell", "\t"},
         {"lquote", "\u2018"},
         {"rquote", "\u2019"},
         {"ldblquote", "\u201C"},
         {"rdblquote", "\u201D"},
         {"endash", "\u2013"},
         {"emdash", "\u2014"}}};
    for (const auto& [each, utf8] : kMarks)
      if (each == name) return character(utf8);
    if (name == "bullet") character("\u2022");
  }

  void unicode(std::int64_t number) {
    const auto unit = static_cast<std::uint32_t>(number) & 0xFFFFU;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high_ = unit;
    } else {
      std::string utf8;
      const bool pair = unit >= 0xDC00 && unit < 0xE000 && high_ != 0;
      append_utf8(utf8, pair ? 0x10000 + ((high_ - 0xD800) << 10U) + (unit - 0xDC00) : unit);
      high_ = 0;
      character(utf8);
    }
    flush();
    skip_ = group().replacement;
  }

  std::string_view rtf_;
  std::size_t limit_, at_ = 0, too_deep_ = 0;
  std::vector<Group> groups_;
  std::string out_, bytes_;
  std::int64_t code_page_ = 1252;
  std::uint32_t high_ = 0;
  int skip_ = 0;
  bool wraps_html_ = false, starred_ = false;
};

}  // namespace

std::optional<std::string> unpack_rtf(std::string_view packed, std::size_t limit) {
  constexpr std::uint32_t kCompressed = 0x75465A4C, kPlain = 0x414C454D;
  if (packed.size() < kHeader) return std::nullopt;
  const std::uint32_t kind = little(packed, 8);
  const std::size_t size = std::min<std::size_t>(little(packed, 4), limit);
  packed.remove_prefix(kHeader);
  if (kind == kPlain) return std::string(packed.substr(0, size));
  if (kind != kCompressed) return std::nullopt;
  std::string out = unpack(packed, size);
  if (out.size() > size) out.resize(size);
  return out;
}

std::string rtf_text(std::string_view rtf, std::size_t limit) {
  return RtfReader(rtf, limit).read();
}

std::string text_of_code_page(std::string_view bytes, std::int64_t code_page) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 20> kNames = {
      {{65001, "utf-8"},       {20127, "us-ascii"},    {28591, "iso-8859-1"}, {28592, "iso-8859-2"},
       {28593, "iso-8859-3"},  {28594, "iso-8859-4"},  {28595, "iso-8859-5"}, {28596, "iso-8859-6"},
       {28597, "iso-8859-7"},  {28598, "iso-8859-8"},  {28599, "iso-8859-9"}, {28605, "iso-8859-15"},
       {50220, "iso-2022-jp"}, {50221, "iso-2022-jp"}, {51932, "euc-jp"},     {51949, "euc-kr"},
       {54936, "gb18030"},     {20866, "koi8-r"},      {21866, "koi8-u"},     {10000, "macintosh"}}};
  for (const auto& [number, name] : kNames)
    if (number == code_page) return text_of_charset(bytes, name);
  return text_of_charset(bytes,
                         code_page > 0 && code_page < 65000 ? "cp" + std::to_string(code_page) : "cp1252");
}

}  // namespace touchstone::mail

// Raw bytes of evidence as text of a locator and back. The judge of UTF-8 here is the C library's iconv, not
// our own.
#include <gtest/gtest.h>
#include <iconv.h>

#include <array>
#include <map>
#include <string>

#include "model/locator.hpp"
#include "unit/model/generator.hpp"

namespace touchstone {
namespace {

using test::Generator;

/// Code points by iconv; empty and `ok` false where it is not valid UTF-8.
std::u32string code_points(const std::string& text, bool& ok) {
  const iconv_t converter = iconv_open("UTF-32LE", "UTF-8");
  EXPECT_NE(converter, reinterpret_cast<iconv_t>(-1));
  std::u32string out(text.size() + 1, U'\0');
  std::string copy = text;
  char* from = copy.data();
  char* to = reinterpret_cast<char*>(out.data());
  std::size_t left = copy.size(), room = out.size() * 4;
  ok = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1) && left == 0;
  iconv_close(converter);
  out.resize(out.size() - room / 4);
  return ok ? out : std::u32string();
}

/// No control, no bidirectional formatting, and none of a locator's own marks.
void expect_plain(const std::string& escaped) {
  bool ok = false;
  const std::u32string points = code_points(escaped, ok);
  ASSERT_TRUE(ok) << escaped;
  for (const char32_t c : points) {
    EXPECT_FALSE(c < 0x20 || (c >= 0x7F && c <= 0x9F)) << "control in " << escaped;
    EXPECT_FALSE((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F ||
                 c == 0x061C)
        << "bidirectional control in " << escaped;
    EXPECT_FALSE(c == U'!' || c == U'@' || c == U';' || c == U',' || c == U'#') << escaped;
  }
}

void expect_round_trip(const std::string& raw) {
  const std::string escaped = escape_path(raw);
  const auto back = unescape_path(escaped);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(*back, raw) << escaped;
  expect_plain(escaped);
}

TEST(PathEscape, EveryByteComesBack) {
  std::map<std::string, int> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string raw(1, static_cast<char>(byte));
    expect_round_trip(raw);
    expect_round_trip("/a" + raw + "z");
    EXPECT_TRUE(seen.emplace(escape_path(raw), byte).second) << byte;
  }
  EXPECT_EQ(escape_path("%"), "%25");
  EXPECT_EQ(escape_path(std::string(1, '\0')), "%00");
  EXPECT_EQ(escape_path("\xFF"), "%FF");
  EXPECT_EQ(escape_path("a b/\xC3\xA9\xF0\x9F\x98\x80.txt"), "a b/\xC3\xA9\xF0\x9F\x98\x80.txt");
}

TEST(PathEscape, InvalidUtf8IsEscapedByteByByte) {
  const std::pair<const char*, const char*> cases[] = {
      {"\xC0\x80", "%C0%80"},         // overlong NUL
      {"\xC1\xBF", "%C1%BF"},         // overlong
      {"\xE0\x80\xAF", "%E0%80%AF"},  // overlong "/"
      {"\xE0\x9F\xBF", "%E0%9F%BF"},
      {"\xF0\x8F\xBF\xBF", "%F0%8F%BF%BF"},
      {"\xED\xA0\x80", "%ED%A0%80"},  // surrogate
      {"\xED\xBF\xBF", "%ED%BF%BF"},
      {"\xF4\x90\x80\x80", "%F4%90%80%80"},  // beyond U+10FFFF
      {"\xF8\x88\x80\x80\x80", "%F8%88%80%80%80"},
      {"\x80", "%80"},
      {"\xE2\x82", "%E2%82"},  // cut short
      {"\xE2\x82z", "%E2%82z"},
      {"\xE2\x80\xAE", "%E2%80%AE"},  // U+202E
      {"\xE2\x81\xA9", "%E2%81%A9"},  // U+2069
      {"\xC2\x85", "%C2%85"},         // C1 control
  };
  for (const auto& [raw, escaped] : cases) {
    EXPECT_EQ(escape_path(raw), escaped);
    expect_round_trip(raw);
  }
  EXPECT_EQ(escape_path("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"),
            "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(PathEscape, RandomBytesComeBackAndNeverCoincide) {
  Generator generator(99);
  std::map<std::string, std::string> raw_of;
  for (int i = 0; i < 30'000; ++i) {
    const std::string raw = i % 2 ? generator.bytes(10) : generator.bytes(3);
    expect_round_trip(raw);
    const auto [other, fresh] = raw_of.emplace(escape_path(raw), raw);
    ASSERT_EQ(other->second, raw);
  }
  EXPECT_GT(raw_of.size(), 10'000U);
}

TEST(PathEscape, AllPairsOfBytesAreTold) {
  std::map<std::string, int> seen;
  for (int pair = 0; pair < 65536; ++pair) {
    const std::string raw = {static_cast<char>(pair >> 8), static_cast<char>(pair & 255)};
    ASSERT_TRUE(seen.emplace(escape_path(raw), pair).second) << pair;
  }
}

TEST(PathEscape, AStrayPercentIsRefusedWithItsPlace) {
  for (const auto& [text, place] : {std::pair<const char*, const char*>{"%", "character 1:"},
                                    {"ab%4", "character 3:"},
                                    {"ab%zz", "character 3:"},
                                    {"%41%4a", "character 4:"}}) {
    const auto raw = unescape_path(text);
    ASSERT_FALSE(raw) << text;
    EXPECT_NE(raw.error().message.find(place), std::string::npos) << raw.error().message;
  }
}

TEST(ValidUtf8, KeepsWhatIsValidAndMarksEachInvalidByte) {
  EXPECT_EQ(to_valid_utf8("plain \xC3\xA9 \xF0\x9F\x98\x80"), "plain \xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(to_valid_utf8(std::string_view("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(to_valid_utf8("x\xFFy"), "x\xEF\xBF\xBDy");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_valid_utf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_valid_utf8(""), "");
}

TEST(ValidUtf8, IsValidForAnyBytesAndAgreesWithIconvOnWhatWasValid) {
  Generator generator(5);
  int valid = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string raw = generator.bytes(4);
    const std::string text = to_valid_utf8(raw);
    bool ok = false;
    code_points(text, ok);
    ASSERT_TRUE(ok);
    code_points(raw, ok);
    ASSERT_EQ(ok, text == raw);
    valid += ok;
  }
  EXPECT_GT(valid, 1000);
}

}  // namespace
}  // namespace touchstone

// The bytes below were made with iconv(1) from the texts beside them.
#include <gtest/gtest.h>

#include <cstring>

#include "content/text.hpp"
#include "content/utf8.hpp"

namespace touchstone {
namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::unique_ptr<ByteSource> source_of(std::string_view bytes) {
  std::vector<std::byte> copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return make_memory_source(std::move(copy));
}

struct Converted {
  std::string text;
  std::uint64_t replaced = 0;
};

Converted convert(std::string_view bytes, const std::string& encoding) {
  Converted out;
  TextWindows windows([&](std::uint64_t offset, std::size_t overlap, std::string_view window) {
    EXPECT_EQ(offset + overlap, out.text.size());
    out.text += window.substr(overlap);
    return true;
  });
  const auto source = source_of(bytes);
  auto replaced = convert_text(*source, encoding, windows);
  EXPECT_TRUE(replaced) << encoding;
  out.replaced = replaced ? *replaced : 0;
  return out;
}

constexpr const char* kJapanese = "これは日本語の文章です。明日の夜、駅で会いましょう。";
constexpr const char* kShiftJis =
    "82b182ea82cd93fa967b8cea82cc95b68fcd82c582b7814296be93fa82cc96e98141897782c589ef82a282dc82b582e582a4814"
    "2";
constexpr const char* kEucJp =
    "a4b3a4eca4cfc6fccbdcb8eca4cecab8becfa4c7a4b9a1a3ccc0c6fca4cecceba1a2b1d8a4c7b2f1a4a4a4dea4b7a4e7a4a6a1a"
    "3";
constexpr const char* kIso2022Jp =
    "1b24422433246c244f467c4b5c386c244e4a383e4f2447243921234c40467c244e4c6b21223158244732712424245e2437246724"
    "2621231b28"
    "42";

TEST(TextEncoding, GoesByTheByteOrderMark) {
  EXPECT_EQ(detect_text_encoding("\xEF\xBB\xBFx", "text/plain"), "UTF-8");
  EXPECT_EQ(detect_text_encoding(from_hex("fffe6100"), "text/plain"), "UTF-16LE");
  EXPECT_EQ(detect_text_encoding(from_hex("feff0061"), "text/plain"), "UTF-16BE");
  EXPECT_EQ(detect_text_encoding(from_hex("fffe000061000000"), "text/plain"), "UTF-32LE");
  EXPECT_EQ(convert(from_hex("feff0061"), "UTF-16BE").text, "a");
  EXPECT_EQ(convert("\xEF\xBB\xBFx", "UTF-8").text, "x");
}

TEST(TextEncoding, FindsUtf16WithoutMark) {
  const std::string cyrillic = from_hex("041f04400438043204350442002c0020043c043804400020d83dde00000a");
  EXPECT_EQ(detect_text_encoding(from_hex("680065006c006c006f00"), "application/octet-stream"), "UTF-16LE");
  EXPECT_EQ(detect_text_encoding(from_hex("00680065006c006c006f"), "application/octet-stream"), "UTF-16BE");
  EXPECT_EQ(convert(cyrillic, "UTF-16BE").text, "Привет, мир 😀\n");
  std::string longer;
  for (int i = 0; i < 10; ++i) longer += cyrillic;
  EXPECT_EQ(detect_text_encoding(longer, "application/octet-stream"), "UTF-16BE");
}

TEST(TextEncoding, DoesNotTakeBinaryForText) {
  const std::string numbers = from_hex("0100020003000400050006000700080009000a000b000c000d000e000f001000");
  EXPECT_EQ(detect_text_encoding(numbers, "application/octet-stream"), "");
  EXPECT_EQ(detect_text_encoding(from_hex("00000000000000000000"), "application/octet-stream"), "");
  EXPECT_EQ(detect_text_encoding(from_hex("7f454c4602010100000000000000000003003e0001000000"), "text/plain"),
            "");
  const std::string mixed = "text in one byte a character, and then " +
                            from_hex("740065007800740020006f006600200074007700") +
                            from_hex("740065007800740020006f006600200074007700");
  EXPECT_EQ(detect_text_encoding(mixed, "application/octet-stream"), "");
  EXPECT_EQ(detect_text_encoding("\x01\xE9\xF8\xC7\xA0 \xB7\xC2", "application/octet-stream"), "");
  EXPECT_EQ(detect_text_encoding("", "text/plain"), "");
  EXPECT_EQ(detect_text_encoding("<svg/>", "image/png"), "");
  EXPECT_EQ(detect_text_encoding("<svg/>", "image/svg+xml"), "UTF-8");
}

TEST(TextEncoding, TellsEightBitEncodingsApart) {
  EXPECT_EQ(detect_text_encoding("plain", "text/plain"), "UTF-8");
  EXPECT_EQ(detect_text_encoding("gr\xC3\xBC\xC3\x9F", "text/plain"), "UTF-8");
  EXPECT_EQ(detect_text_encoding(from_hex(kShiftJis), "text/plain"), "SHIFT_JIS");
  EXPECT_EQ(detect_text_encoding(from_hex(kEucJp), "text/plain"), "EUC-JP");
  EXPECT_EQ(detect_text_encoding(from_hex(kIso2022Jp), "text/plain"), "ISO-2022-JP");
  EXPECT_EQ(detect_text_encoding(
                from_hex("446173204de4646368656e2066e468727420fc62657220646965204272fc636b6520962066fc7"
                         "220323020802e"),
                "text/plain"),
            "WINDOWS-1252");
  EXPECT_EQ(detect_text_encoding(
                from_hex("c2f1f2f0e5f2e8ecf1ff20e7e0e2f2f0e020e2e5f7e5f0eeec20f320f1f2e0edf6e8e820ece5f2f0"
                         "ee2c20ede8eaeeecf320ede520e3eee2eef0e820eee120fdf2eeec2e"),
                "text/plain"),
            "WINDOWS-1251");
}

TEST(TextEncoding, KeepsUtf8WithAFewWrongBytes) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "größer ";
  text += "\xFF";
  EXPECT_EQ(detect_text_encoding(text, "text/plain"), "UTF-8");
  const Converted converted = convert(text, "UTF-8");
  EXPECT_EQ(converted.replaced, 1U);
  EXPECT_TRUE(converted.text.ends_with("größer \xEF\xBF\xBD"));
}

TEST(TextEncoding, ConvertsWhatIconvConverts) {
  EXPECT_EQ(convert(from_hex(kShiftJis), "SHIFT_JIS").text, kJapanese);
  EXPECT_EQ(convert(from_hex(kEucJp), "EUC-JP").text, kJapanese);
  EXPECT_EQ(convert(from_hex(kIso2022Jp), "ISO-2022-JP").text, kJapanese);
  EXPECT_EQ(convert(from_hex("962066fc7220323020802e"), "WINDOWS-1252").text, "– für 20 €.");
  EXPECT_EQ(convert("C:\\x~", "SHIFT_JIS").text, "C:\\x~");
}

TEST(TextEncoding, CountsWhatDoesNotConvert) {
  const Converted half =
      convert(from_hex("3dd861000ad8"), "UTF-16LE");  // a high surrogate alone, "a", half a pair
  EXPECT_EQ(half.text,
            "\xEF\xBF\xBD"
            "a\xEF\xBF\xBD");
  EXPECT_EQ(half.replaced, 2U);
  const Converted cut = convert("ab\xE2\x82", "UTF-8");
  EXPECT_EQ(cut.text, "ab\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(cut.replaced, 2U);
}

TEST(TextEncoding, ConvertsAcrossBlocks) {
  // 3 bytes a code point do not divide the block of 256 KiB, nor does the pair of a Shift-JIS character
  // shifted by one.
  std::string utf8, shift_jis = "x";
  for (int i = 0; i < 200'000; ++i) utf8 += "あ";
  for (int i = 0; i < 200'000; ++i) shift_jis += "\x82\xA0";
  EXPECT_EQ(convert(utf8, "UTF-8").text, utf8);
  const Converted converted = convert(shift_jis, "SHIFT_JIS");
  EXPECT_EQ(converted.text, "x" + utf8);
  EXPECT_EQ(converted.replaced, 0U);
}

TEST(TextEncoding, NamesAnEncodingThatIconvLacks) {
  TextWindows windows([](std::uint64_t, std::size_t, std::string_view) { return true; });
  const auto source = source_of("x");
  const auto result = convert_text(*source, "NO-SUCH-ENCODING", windows);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  EXPECT_EQ(warm_up_text(), "");
}

// RFC 3629 section 4.
TEST(Utf8, RefusesWhatTheStandardRefuses) {
  for (const char* bad : {"c080", "c1bf", "e08080", "e09fbf", "eda080", "edbfbf", "f08fbfbf", "f4908080",
                          "f5808080", "80", "ff"}) {
    EXPECT_EQ(code_point_length(from_hex(bad)), 0) << bad;
  }
  for (const char* good : {"c280", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf"}) {
    EXPECT_EQ(code_point_length(from_hex(good)), static_cast<int>(std::strlen(good) / 2)) << good;
    const std::string cut = from_hex(good).substr(0, std::strlen(good) / 2 - 1);
    EXPECT_EQ(code_point_length(cut), -1) << good;
  }
}

}  // namespace
}  // namespace touchstone

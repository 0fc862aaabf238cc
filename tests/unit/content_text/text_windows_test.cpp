#include <gtest/gtest.h>

#include "content/text.hpp"
#include "content/utf8.hpp"

namespace touchstone {
namespace {

struct Window {
  std::uint64_t offset;
  std::size_t overlap;
  std::string text;
};

struct Windows {
  std::vector<Window> all;
  std::uint64_t characters = 0;
};

Windows windows_of(const std::vector<std::string>& pieces) {
  Windows out;
  TextWindows windows([&](std::uint64_t offset, std::size_t overlap, std::string_view text) {
    out.all.push_back({offset, overlap, std::string(text)});
    return true;
  });
  for (const auto& piece : pieces) windows.push(piece);
  windows.finish();
  out.characters = windows.characters();
  return out;
}

TEST(TextWindows, ShortTextIsOneWindow) {
  const auto windows = windows_of({"ab", "c"});
  ASSERT_EQ(windows.all.size(), 1U);
  EXPECT_EQ(windows.all[0].offset, 0U);
  EXPECT_EQ(windows.all[0].overlap, 0U);
  EXPECT_EQ(windows.all[0].text, "abc");
  EXPECT_EQ(windows.characters, 3U);
}

TEST(TextWindows, NothingIsNoWindow) {
  EXPECT_TRUE(windows_of({}).all.empty());
  EXPECT_TRUE(windows_of({"", ""}).all.empty());
}

TEST(TextWindows, ExactlyOneWindowIsOne) {
  EXPECT_EQ(windows_of({std::string(kTextWindow, 'x')}).all.size(), 1U);
  EXPECT_EQ(windows_of({std::string(kTextWindow + 1, 'x')}).all.size(), 2U);
}

TEST(TextWindows, RepeatTheEndOfTheOneBefore) {
  std::string text;
  for (int i = 0; text.size() < 5 * kTextWindow / 2; ++i) text += std::to_string(i) + " あ😀,";
  for (const std::size_t step : {std::size_t{7}, std::size_t{65'537}, text.size()}) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size(); at += step) pieces.push_back(text.substr(at, step));
    const auto windows = windows_of(pieces);
    ASSERT_EQ(windows.all.size(), 3U);
    EXPECT_EQ(windows.characters, count_code_points(text));
    std::string joined;
    for (std::size_t i = 0; i < windows.all.size(); ++i) {
      const auto& window = windows.all[i];
      EXPECT_LE(window.text.size(), kTextWindow);
      EXPECT_EQ(window.text, text.substr(window.offset, window.text.size()));
      EXPECT_EQ(window.offset + window.overlap, joined.size());
      if (i > 0) {
        EXPECT_GE(window.overlap, kTextOverlap);
        EXPECT_LE(window.overlap, kTextOverlap + 3);
      }
      EXPECT_EQ(count_utf8(window.text).invalid, 0U);
      EXPECT_NE(code_point_length(window.text.substr(window.text.size() - 1)), -1);
      joined += window.text.substr(window.overlap);
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(TextWindows, CleanWhatIsNotUtf8) {
  EXPECT_EQ(windows_of({"a\xC3", "\xA4z"}).all.at(0).text, "aäz");
  EXPECT_EQ(windows_of({"a\xC3", "z"}).all.at(0).text, "a\xEF\xBF\xBDz");
  EXPECT_EQ(windows_of({"a\xE2\x82"}).all.at(0).text, "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TextWindows, StopWhenTheSinkHasEnough) {
  int calls = 0;
  TextWindows windows([&](std::uint64_t, std::size_t, std::string_view) { return ++calls < 2; });
  bool more = true;
  for (int i = 0; more && i < 100; ++i) more = windows.push(std::string(kTextWindow, 'x'));
  EXPECT_FALSE(more);
  windows.finish();
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace touchstone

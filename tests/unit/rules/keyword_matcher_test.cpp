#include "rules/keyword_matcher.hpp"

#include <gtest/gtest.h>
#include <iconv.h>

#include <random>

#include "rules/keyword_expression.hpp"

namespace touchstone {
namespace {

KeywordTerm term(std::string match, KeywordTerm::Kind kind = KeywordTerm::Kind::literal,
                 bool whole_word = true, KeywordTerm::Case fold = KeywordTerm::Case::fold) {
  KeywordTerm out;
  out.id = match;
  out.match = {std::move(match)};
  out.match_places = {{1, 1}};
  out.kind = kind;
  out.whole_word = whole_word;
  out.fold = fold;
  return out;
}

KeywordTerm regex(std::string match, bool whole_word = false) {
  return term(std::move(match), KeywordTerm::Kind::regex, whole_word);
}

KeywordMatcher matcher(std::vector<KeywordTerm> terms, const KeywordMatcher::Options& options = {}) {
  KeywordPack pack;
  pack.info.path = "k.toml";
  pack.terms = std::move(terms);
  auto out = KeywordMatcher::compile(std::span(&pack, 1), options);
  EXPECT_TRUE(out) << out.error().message;
  return out.take();
}

/// "from-to" of each hit.
std::vector<std::string> hits(const KeywordMatcher& m, std::string_view text) {
  std::vector<std::string> out;
  const Status status = m.scan(text, [&](const KeywordHit& h) {
    out.push_back(std::to_string(h.from) + "-" + std::to_string(h.to));
    return true;
  });
  EXPECT_TRUE(status) << status.error().message;
  return out;
}
using Hits = std::vector<std::string>;

/// An independent conversion, by glibc.
std::string converted(std::string text, const char* to) {
  const iconv_t cd = iconv_open(to, "UTF-8");
  std::string out(text.size() * 4, '\0');
  char* in_at = text.data();
  char* out_at = out.data();
  std::size_t in_left = text.size(), out_left = out.size();
  EXPECT_NE(iconv(cd, &in_at, &in_left, &out_at, &out_left), static_cast<std::size_t>(-1));
  iconv_close(cd);
  out.resize(out.size() - out_left);
  return out;
}

TEST(KeywordMatcher, LiteralsAreWholeWordsInAnyCase) {
  const auto m = matcher({term("rape")});
  EXPECT_EQ(hits(m, "Rape, drape grapes RAPE"), (Hits{"0-4", "19-23"}));
  EXPECT_EQ(hits(m, "rape_x xrape rape1 (rape)"), (Hits{"20-24"}));
  EXPECT_EQ(hits(m, "raped"), Hits{});
}

TEST(KeywordMatcher, NeighboursMayBeLettersBeyondAscii) {
  const auto m = matcher({term("tee")});
  EXPECT_EQ(hits(m, "éteeé"), Hits{});
  EXPECT_EQ(hits(m, "“tee” 😀tee😀"), (Hits{"3-6", "14-17"}));
}

TEST(KeywordMatcher, LiteralsMeanTheirPunctuation) {
  const auto m = matcher({term("a.b*(c)", KeywordTerm::Kind::literal, false)});
  EXPECT_EQ(hits(m, "a.b*(c) axb(c)"), (Hits{"0-7"}));
}

TEST(KeywordMatcher, FoldsUnicodeUnlessExact) {
  EXPECT_EQ(hits(matcher({term("ÉCOLE")}), "l'école"), (Hits{"2-8"}));
  EXPECT_EQ(hits(matcher({term("ЖЕНА")}), "жена"), (Hits{"0-8"}));
  EXPECT_EQ(
      hits(matcher({term("Bob", KeywordTerm::Kind::literal, true, KeywordTerm::Case::exact)}), "bob Bob"),
      (Hits{"4-7"}));
}

TEST(KeywordMatcher, SpacesAndApostrophesAreWrittenInManyWays) {
  const auto m = matcher({term("don't tell")});
  EXPECT_EQ(hits(m, "don't tell"), (Hits{"0-10"}));
  EXPECT_EQ(hits(m, "dont tell"), (Hits{"0-9"}));
  EXPECT_EQ(hits(m, "don’t  tell"), (Hits{"0-13"}));
  EXPECT_EQ(hits(m, "don't\ntell"), (Hits{"0-10"}));
}

TEST(KeywordMatcher, ReportsTheLeftmostLongestOfOverlappingMatches) {
  EXPECT_EQ(hits(matcher({regex("ab+")}), "abbbb ab"), (Hits{"0-5", "6-8"}));
  EXPECT_EQ(hits(matcher({regex("foo|foobar", true)}), "foobar foo"), (Hits{"0-6", "7-10"}));
  EXPECT_EQ(hits(matcher({term("aa", KeywordTerm::Kind::literal, false)}), "aaaa"), (Hits{"0-2", "2-4"}));
}

TEST(KeywordMatcher, RefusesInvalidUtf8AndBadExpressions) {
  const auto m = matcher({term("x")});
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "x\xe2\x80"}) {
    EXPECT_FALSE(m.scan(bad, [](const KeywordHit&) { return true; })) << bad;
  }
  KeywordPack pack;
  pack.info.path = "k.toml";
  pack.terms = {regex("(")};
  const auto broken = KeywordMatcher::compile(std::span(&pack, 1), {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message.rfind("k.toml:1:1: term \"(\": ", 0), 0U) << broken.error().message;
  pack.terms = {regex("a*")};
  EXPECT_FALSE(KeywordMatcher::compile(std::span(&pack, 1), {})) << "matches nothing at all";
}

TEST(KeywordMatcher, NoTermsFindNothing) {
  EXPECT_EQ(hits(matcher({}), "anything"), Hits{});
}

TEST(KeywordMatcher, RawModeFindsUtf16InBothByteOrders) {
  KeywordMatcher::Options options;
  options.raw = true;
  options.encodings = {Encoding::utf8, Encoding::utf16le, Encoding::utf16be};
  const auto m = matcher({term("Geheim é"), regex("pass(word|code)s?:[0-9]{4}")}, options);
  EXPECT_TRUE(m.not_searched().empty());
  for (const char* encoding : {"UTF-8", "UTF-16LE", "UTF-16BE"}) {
    std::vector<KeywordHit> found;
    const std::string bytes = converted("xx GEHEIM É yy passcode:1234.", encoding);
    ASSERT_TRUE(m.scan(bytes, [&](const KeywordHit& h) {
      found.push_back(h);
      return true;
    }));
    ASSERT_EQ(found.size(), 2U) << encoding;
    const std::string upper = encoding;
    std::string name = to_text(found[0].encoding);
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(name, upper);
    EXPECT_EQ(bytes.substr(found[0].from, found[0].to - found[0].from), converted("GEHEIM É", encoding));
    EXPECT_EQ(bytes.substr(found[1].from, found[1].to - found[1].from), converted("passcode:1234", encoding));
  }
}

TEST(KeywordMatcher, RawModeTakesAnyBytesAndWholeWordsThere) {
  KeywordMatcher::Options options;
  options.raw = true;
  options.encodings = {Encoding::utf8, Encoding::utf16le};
  const auto m = matcher({term("key"), term("keyword")}, options);
  EXPECT_EQ(hits(m, std::string("\xff\xfekeyword\x00\x80", 11)), (Hits{"2-9"}));
  EXPECT_EQ(hits(m, converted("monkey keys key", "UTF-16LE")), (Hits{"24-30"}));
}

TEST(KeywordMatcher, ShortWordsInRawBytesNeedTextAroundThem) {
  KeywordMatcher::Options options;
  options.raw = true;
  const auto m = matcher({term("ghb")}, options);
  EXPECT_EQ(hits(m, std::string("\x01\x02\x03ghb\x80\x01\x02\x03\x04\x05\x06\x07\x08\x09", 16)), Hits{})
      << "chance";
  EXPECT_EQ(hits(m, std::string("\x01\x02got some GHB.\x01\x02\x03\x04\x05\x06\x07\x08\x09", 24)),
            (Hits{"11-14"}));
  EXPECT_EQ(hits(m, "ghb"), (Hits{"0-3"})) << "all there is";
}

TEST(KeywordMatcher, RawModeSaysWhatItCannotSearch) {
  KeywordMatcher::Options options;
  options.raw = true;
  options.encodings = {Encoding::utf8, Encoding::utf16le};
  const auto m =
      matcher({regex("\\bword\\b"), regex("(?i)x"), regex("a+?"), regex("^a"), regex("\\p{L}")}, options);
  EXPECT_EQ(m.not_searched().size(), 10U);
  EXPECT_EQ(m.not_searched()[0].reason, "not searched in raw utf-8: \"\\b\" cannot be searched in bytes");
}

TEST(KeywordMatcher, RawExpressionsAgreeWithTextMode) {
  // The same term over the same text must give the same matches, whatever the encoding.
  const std::vector<std::string> patterns = {"c[a-c]t",   "[^x]yz", "(ab|cd){2}", "d\\d+",
                                             "\\w+@\\w+", "a.c",    "n[oO]{1,3}", "é+t"};
  const std::string text =
      "text: cat CBT xyz ayz, and so éyz abcd ABab d123 me@example a-c aéc here; nooo NO and then éét end of "
      "text";
  for (const std::string& pattern : patterns) {
    const auto in_text = matcher({regex(pattern)});
    Hits expected;
    ASSERT_TRUE(in_text.scan(text, [&](const KeywordHit& h) {
      expected.push_back(text.substr(h.from, h.to - h.from));
      return true;
    }));
    EXPECT_FALSE(expected.empty()) << pattern;
    for (const Encoding encoding : {Encoding::utf8, Encoding::utf16le, Encoding::utf16be}) {
      KeywordMatcher::Options options;
      options.raw = true;
      options.encodings = {encoding};
      const auto raw = matcher({regex(pattern)}, options);
      const char* name = encoding == Encoding::utf8      ? "UTF-8"
                         : encoding == Encoding::utf16le ? "UTF-16LE"
                                                         : "UTF-16BE";
      const std::string bytes = converted(text, name);
      Hits expected_bytes, found;
      for (const std::string& e : expected) expected_bytes.push_back(converted(e, name));
      ASSERT_TRUE(raw.scan(bytes, [&](const KeywordHit& h) {
        found.push_back(bytes.substr(h.from, h.to - h.from));
        return true;
      }));
      EXPECT_EQ(found, expected_bytes) << pattern << " in " << name;
    }
  }
}

TEST(KeywordMatcher, StreamFindsTheSameHoweverItIsCut) {
  const std::vector<KeywordTerm> terms = {term("secret word"), regex("ab+c"), term("é"), regex("x.{0,40}y")};
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 400; ++i) {
    const char* parts[] = {"secret word ", "abbbbbc",      "é", "x", "y", " ", "zzzzzzzzzzzz",
                           "secretword",   "SECRET  WORD."};
    text += parts[random() % 9];
  }
  const auto block = matcher(terms);
  std::vector<KeywordHit> expected;
  ASSERT_TRUE(block.scan(text, [&](const KeywordHit& h) {
    expected.push_back(h);
    return true;
  }));
  ASSERT_GT(expected.size(), 50U);
  KeywordMatcher::Options options;
  options.streaming = true;
  const auto streaming = matcher(terms, options);
  for (int round = 0; round < 30; ++round) {
    KeywordMatcher::Stream stream(streaming);
    std::vector<KeywordHit> found;
    const auto keep = [&](const KeywordHit& h) {
      found.push_back(h);
      return true;
    };
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = round == 0 ? 1 : 1 + random() % 300;
      ASSERT_TRUE(stream.write(std::string_view(text).substr(at, length), keep));
      at += length;
    }
    ASSERT_TRUE(stream.finish(keep));
    std::sort(found.begin(), found.end(), [](const KeywordHit& a, const KeywordHit& b) {
      return std::tie(a.from, a.to, a.term) < std::tie(b.from, b.to, b.term);
    });
    EXPECT_EQ(found, expected) << round;
  }
}

TEST(KeywordMatcher, TooManyMatchesAreALimitNotASilence) {
  KeywordMatcher::Options options;
  options.max_hits = 10;
  const auto m = matcher({term("a")}, options);
  std::string text;
  for (int i = 0; i < 11; ++i) text += "a ";
  int found = 0;
  const Status status = m.scan(text, [&](const KeywordHit&) { return ++found > 0; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::limit);
  EXPECT_EQ(found, 10);
}

TEST(KeywordMatcher, StopsWhenAsked) {
  const auto m = matcher({term("a")});
  int found = 0;
  EXPECT_TRUE(m.scan("a a a", [&](const KeywordHit&) { return ++found < 2; }));
  EXPECT_EQ(found, 2);
}

TEST(KeywordMatcher, OtherCaseIsItsOwnInverse) {
  for (char32_t c = 0; c < 0x600; ++c)
    EXPECT_EQ(keyword::other_case(keyword::other_case(c)), c) << static_cast<unsigned>(c);
}

}  // namespace
}  // namespace touchstone

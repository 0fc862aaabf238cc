// Locators: what is printed is read back the same, and what could not have been printed is refused with its
// place.
#include "model/locator.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "unit/model/generator.hpp"

namespace touchstone {
namespace {

using test::Generator;

TEST(Locator, TextOfAnyLocatorReadsBackAsTheSame) {
  Generator generator(20240503);
  std::map<std::string, Locator> seen;
  for (int i = 0; i < 20'000; ++i) {
    const Locator locator = generator.locator();
    const std::string text = locator.text();
    const auto parsed = Locator::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_EQ(*parsed, locator) << text;
    ASSERT_EQ(parsed->text(), text);
    // Two different locators never share a text.
    const auto [other, fresh] = seen.emplace(text, locator);
    ASSERT_TRUE(fresh || other->second == locator) << text;
  }
  EXPECT_GT(seen.size(), 15'000U);
}

TEST(Locator, CanonicalTextsReadAsWhatTheySay) {
  for (const char* text :
       {"ABC/1:p2/Users/x/DCIM/1.jpg;64-128-1", "ABC/1:p0", "ABC/1:u3@0+512", "ABC/1:p2.1~4/a;12,slack",
        "ABC/1:p2/a.zip;5!/b/c.txt", "ABC/1:p2/disk.img;5!p1/etc/passwd;77", "ABC/1:p2/a;5@4096+12#3",
        "ABC/1:p0/a.zip;5!/x!/y#2", "ABC/1:p0/100%25;9", "ABC/1:p0/%FF%21;9"}) {
    const auto parsed = Locator::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->text(), text);
  }
  const auto parsed =
      Locator::parse("ABC/1:p2/disk%21.img;5!p1/etc;77,slack@18446744073709551615+0#4294967295");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->exhibit, "ABC/1");
  ASSERT_EQ(parsed->steps.size(), 2U);
  EXPECT_EQ(parsed->steps[0], (LocatorStep{"p2", "/disk%21.img", "5", false, std::nullopt, 0, 1}));
  EXPECT_EQ(parsed->steps[1], (LocatorStep{"p1", "/etc", "77", true, UINT64_MAX, 0, UINT32_MAX}));
}

struct Refused {
  const char* text;
  std::size_t character;  ///< counted from 1
};

TEST(Locator, RefusesWhatCannotHaveBeenPrintedAndNamesTheCharacter) {
  const Refused refused[] = {
      {"", 1},
      {"ABC/1", 1},
      {":p0/x", 1},
      {"A:", 3},
      {"A:/x", 3},
      {"A:q0/x", 3},
      {"A:p/x", 4},
      {"A:p01/x", 5},  // leading zero of a volume
      {"A:p1./x", 6},
      {"A:p1..2/x", 6},
      {"A:p1.02", 7},
      {"A:p1x/y", 5},
      {"A:p0/a%", 7},  // stray %
      {"A:p0/a%4", 7},
      {"A:p0/%4G", 6},
      {"A:p0/ab%2f", 8},           // lower-case hexadecimal
      {"A:p0/ab%41", 8},           // escaped without need
      {"A:p0/%C3%A9", 6},          // valid UTF-8 stands as it is
      {"A:p0/x\xFFy", 7},          // invalid UTF-8 must be escaped
      {"A:p0/x\ny", 7},            // control character
      {"A:p0/x\xE2\x80\xAEy", 7},  // right-to-left override
      {"A:p0/x;", 8},              // empty address
      {"A:p0/x;1/2", 9},
      {"A:p0/x;1,Slack", 9},
      {"A:p0/x,slack,slack", 13},
      {"A:p0/x@1", 9},
      {"A:p0/x@01+2", 8},
      {"A:p0/x@1+02", 10},
      {"A:p0/x@1+18446744073709551616", 10},
      {"A:p0/x@-1+2", 8},
      {"A:p0/x#1", 8},  // the first of equals has no number
      {"A:p0/x#0", 8},
      {"A:p0/x#02", 8},
      {"A:p0/x#", 8},
      {"A:p0/x#4294967296", 8},
      {"A:p0/x#2;3", 8},  // parts in the wrong order
      {"A:p0/x@1+2;3", 10},
      {"A:p0/x!", 8},  // empty step
      {"A:p0/x!!/y", 8},
      {"A:!/y", 3},
      {"A:p0/x!;5", 8},
      {"A:p0/x!y", 8},
  };
  for (const Refused& each : refused) {
    const auto parsed = Locator::parse(each.text);
    ASSERT_FALSE(parsed) << each.text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
    const std::string said = ", character " + std::to_string(each.character) + ":";
    EXPECT_NE(parsed.error().message.find(said), std::string::npos)
        << parsed.error().message << "\nexpected" << said;
  }
}

TEST(Locator, UnescapedPunctuationInAPathNeverReadsAsPartOfTheName) {
  for (const char mark : std::string("%!@;,#")) {
    const auto parsed = Locator::parse(std::string("A:p0/x") + mark + "y");
    if (parsed) {  // "!y" is no step, ";y" an address: the path must still be just "/x"
      EXPECT_EQ(parsed->steps[0].path, "/x") << mark;
    }
  }
}

TEST(Locator, AnyOneChangedByteIsRefusedOrReadsBackAsItself) {
  Generator generator(7);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = generator.locator().text();
    text[static_cast<std::size_t>(generator.below(text.size()))] = static_cast<char>(generator.below(256));
    const auto parsed = Locator::parse(text);
    if (parsed) {
      ASSERT_EQ(parsed->text(), text);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Locator, ErrorsAreValidUtf8WhateverWasGiven) {
  const auto parsed = Locator::parse("A:p0/\xFF\xFE" + std::string(300, '\xC3'));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(to_valid_utf8(parsed.error().message), parsed.error().message);
}

TEST(Key, PartsCanHoldTheSeparatorAndKeysStayDifferent) {
  EXPECT_EQ(join_key({"message", "A:p0/x;1", "sms", "_id=1"}), "message|A:p0/x;1|sms|_id=1");
  EXPECT_NE(join_key({"a|b", "c"}), join_key({"a", "b|c"}));
  EXPECT_NE(join_key({"a", ""}), join_key({"a"}));
}

TEST(Key, APartThatHoldsAnEscapeIsNotMistakenForASeparatorInIt) {
  std::set<std::string> keys;
  for (const char* part :
       {"a|b", "a%7Cb", "a%257Cb", "a%25257Cb", "a%25|b", "a%", "a%25", "%7", "%7|C", "|7C", "%|7C"}) {
    EXPECT_TRUE(keys.insert(join_key({part})).second) << part;
  }
  EXPECT_EQ(join_key({"A:p0/100%25;9", "%2B%7D"}), "A:p0/100%25;9|%2B%7D");  // no other escape is touched
}

}  // namespace
}  // namespace touchstone

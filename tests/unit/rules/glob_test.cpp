#include "rules/glob.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace touchstone {
namespace {

bool matches(const char* pattern, const char* path, bool fold = false) {
  const auto glob = Glob::compile(pattern, fold);
  return glob && glob->matches(path);
}

TEST(Glob, StarStaysInOneComponentAndTwoStarsDoNot) {
  EXPECT_TRUE(matches("/a/*/c", "/a/b/c"));
  EXPECT_FALSE(matches("/a/*/c", "/a/b/b/c"));
  EXPECT_TRUE(matches("/a/**/c", "/a/b/b/c"));
  EXPECT_TRUE(matches("/a/**/c", "/a/c"));
  EXPECT_FALSE(matches("/a/**/c", "/a/bc"));
  EXPECT_TRUE(matches("**/mmssms.db", "/data/data/com.android.providers.telephony/databases/mmssms.db"));
  EXPECT_TRUE(matches("**/mmssms.db", "mmssms.db"));
  EXPECT_FALSE(matches("**/mmssms.db", "/x/old-mmssms.db"));
  EXPECT_TRUE(matches("/data/media/0/DCIM/**", "/data/media/0/DCIM/Camera/1.jpg"));
  EXPECT_FALSE(matches("/data/media/0/DCIM/**", "/data/media/0/DCIM"));
}

TEST(Glob, LeadingSlashDoesNotMatter) {
  EXPECT_TRUE(matches("a/b", "/a/b"));
  EXPECT_TRUE(matches("/a/b", "a/b"));
}

TEST(Glob, PatternWithoutSlashLooksAtTheName) {
  EXPECT_TRUE(matches("*.jpg", "/x/y/1.jpg"));
  EXPECT_FALSE(matches("*.jpg", "/x.jpg/y"));
  EXPECT_TRUE(matches("?.jpg", "/x/é.jpg")) << "one character, not one byte";
}

TEST(Glob, FoldsAsciiCaseOnlyWhenAsked) {
  EXPECT_TRUE(matches("**/dcim/**", "/sdcard/DCIM/1.JPG", true));
  EXPECT_FALSE(matches("**/dcim/**", "/sdcard/DCIM/1.JPG"));
}

TEST(Glob, PatternsArePlainAndPathsAreEscaped) {
  EXPECT_TRUE(matches("/in box/me@example.com/100%.txt", "/in box/me%40example.com/100%25.txt"));
  EXPECT_TRUE(matches("/a?b", "/a%40b")) << "an escape is one character";
}

TEST(Glob, TellsWhereAWalkNeedNotGo) {
  const auto glob = Glob::compile("/data/media/*/DCIM/**");
  ASSERT_TRUE(glob);
  for (const char* below : {"", "/data", "/data/media/0", "/data/media/0/DCIM/Camera"}) {
    EXPECT_TRUE(glob->may_match_below(below)) << below;
  }
  for (const char* elsewhere : {"/system", "/data/data", "/data/media/0/Download"}) {
    EXPECT_FALSE(glob->may_match_below(elsewhere)) << elsewhere;
  }
}

TEST(Glob, ManyStarsStayFast) {
  std::string pattern = "/";
  for (int i = 0; i < 60; ++i) pattern += "*a**/";
  pattern += "b";
  const auto glob = Glob::compile(pattern);
  ASSERT_TRUE(glob);
  const std::string path = "/" + std::string(4000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob->matches(path + "/b"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(Glob, RefusesEmptyAndOverlongPatterns) {
  EXPECT_FALSE(Glob::compile(""));
  EXPECT_FALSE(Glob::compile(std::string(Glob::kMaxTokens + 1, 'x')));
  EXPECT_TRUE(Glob::compile(std::string(Glob::kMaxTokens, 'x')));
}

TEST(Glob, OfARuleFileHasNoSetsInBrackets) {
  EXPECT_FALSE(Glob::compile_rule("**/msgstore-[0-9].db"));
  EXPECT_TRUE(Glob::compile_rule("**/MSGSTORE-?.db")->matches("/x/msgstore-7.db"));
  // A person's own folder may well be called so.
  EXPECT_TRUE(Glob::compile("/DCIM/[2019] trip/**")->matches("/DCIM/[2019] trip/1.jpg"));
}

TEST(Glob, WildcardsForNames) {
  EXPECT_TRUE(wildcard_matches("keyword*", "keywords"));
  EXPECT_TRUE(wildcard_matches("*a*b", "xxaxxab"));
  EXPECT_FALSE(wildcard_matches("explicit", "explicit-picture"));
  EXPECT_TRUE(wildcard_matches("*", ""));
}

}  // namespace
}  // namespace touchstone

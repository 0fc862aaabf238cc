#include "rules/hash_list.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace touchstone {
namespace {

// RFC 1321 and FIPS 180: the digests of "abc" and of nothing.
constexpr const char* kMd5Abc = "900150983cd24fb0d6963f7d28e17f72";
constexpr const char* kSha1Abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
constexpr const char* kSha256Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMd5Empty = "d41d8cd98f00b204e9800998ecf8427e";

Result<HashList> read(const std::string& text) {
  std::istringstream input(text);
  return read_hash_list(input, "list.txt", "notable");
}

void expect_one(const std::string& text, const char* format, std::size_t md5, std::size_t sha1,
                std::size_t sha256) {
  const auto list = read(text);
  ASSERT_TRUE(list) << list.error().message << "\n" << text;
  EXPECT_EQ(list->format, format);
  EXPECT_EQ(list->md5.size(), md5) << text;
  EXPECT_EQ(list->sha1.size(), sha1) << text;
  EXPECT_EQ(list->sha256s.size(), sha256) << text;
  EXPECT_EQ(list->refused, 0U) << list->first_refused;
  EXPECT_TRUE(list->contains(kMd5Abc, kSha1Abc, kSha256Abc)) << text;
  EXPECT_FALSE(list->contains("00000000000000000000000000000000", "", "")) << text;
}

TEST(HashList, ReadsEveryFormat) {
  const std::string md5 = kMd5Abc, sha1 = kSha1Abc, sha256 = kSha256Abc;
  expect_one(md5 + "  a file\n", "sums", 1, 0, 0);
  expect_one(sha1 + " *a file\n" + kMd5Empty + "  other\n", "sums", 1, 1, 0);
  expect_one("\\" + md5 + "  a\\nb\n", "sums", 1, 0, 0);
  expect_one("    669416  " + md5 + "  /a.out\n", "sums", 1, 0, 0);
  expect_one("MD5 (a (1)) = " + md5 + "\nSHA256 (x = y) = " + sha256 + "\n", "bsd", 1, 0, 1);
  expect_one("SHA1(a)= " + sha1 + "\n", "bsd", 0, 1, 0);
  expect_one("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## $ hashdeep\n3," + md5 + "," + sha256 +
                 ",/a,b,c\n",
             "hashdeep", 1, 0, 1);
  expect_one("%%%% HASHDEEP-1.0\n%%%% size,sha-1,filename\n3," + sha1 + ",/a\n", "hashdeep", 0, 1, 0);
  expect_one("\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\"\n\"A9993E364706816ABA3E25717850C26C9CD0D89D\",\"" +
                 md5 + "\",\"0\",\"a,\"\"b\"\"\nc\"\n",
             "csv", 1, 1, 0);
  expect_one("\xef\xbb\xbfname;MD5;SHA1\r\nx;" + md5 + ";\r\n", "csv", 1, 0, 0);
  expect_one(md5 + ":3:Name\n" + sha256 + ":*:Name:73\n", "clamav", 1, 0, 1);
  expect_one("# comment\n\n" + sha256 + "\n", "plain", 0, 0, 1);
  expect_one("md5\n" + md5 + "\n", "plain", 1, 0, 0);
}

TEST(HashList, CountsBadLinesAndNamesTheFirst) {
  const auto list = read(std::string(kMd5Abc) + "\nnot a hash\n" + "deadbeef\n");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->lines, 1U);
  EXPECT_EQ(list->refused, 2U);
  EXPECT_EQ(list->first_refused, "list.txt:2:1: not a line of a hash list");
}

TEST(HashList, FileWithoutAnyDigestIsAnError) {
  for (const char* text :
       {"", "\n\n", "hello\n", "%%%% HASHDEEP-1.0\n", "md5,name\n,\n", "md5,name\n\"x\n"}) {
    EXPECT_FALSE(read(text)) << text;
  }
  const auto sha512 = read(std::string(128, 'a') + "  file\n");
  ASSERT_FALSE(sha512);
  EXPECT_NE(sha512.error().message.find("32, 40 or 64"), std::string::npos) << sha512.error().message;
}

TEST(HashList, OverlongLinesAreRefusedWithoutBeingKept) {
  const auto list = read(std::string(200'000, 'x') + "\n" + kMd5Abc + "\n");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->refused, 1U);
  EXPECT_EQ(list->first_refused, "list.txt:1:1: longer than 64 KiB");
}

TEST(HashList, TellsWhichDigestMatched) {
  const auto list = read(std::string(kSha1Abc) + "\n");
  ASSERT_TRUE(list);
  DigestKind kind = DigestKind::md5;
  EXPECT_TRUE(list->contains(kMd5Abc, "A9993E364706816ABA3E25717850C26C9CD0D89D", "", &kind));
  EXPECT_EQ(kind, DigestKind::sha1);
}

TEST(HashList, DigestOfTheFileIsThatOfSha256sum) {
  // printf "900150983cd24fb0d6963f7d28e17f72\n" | sha256sum
  EXPECT_EQ(read(std::string(kMd5Abc) + "\n")->sha256,
            "4d5b5144b92afb42f50fbba6c06d80c434060e39b2a89c3f7fcd6a25e8dea91a");
}

TEST(HashList, DuplicatesCountOnce) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(kMd5Abc) + "\n" + kMd5Empty + "\n";
  const auto list = read(text);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->md5.size(), 2U);
  EXPECT_EQ(list->lines, 200U);
}

}  // namespace
}  // namespace touchstone

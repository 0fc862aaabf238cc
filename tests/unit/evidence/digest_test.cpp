#include "evidence/digest.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace touchstone {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// RFC 1321 A.5, FIPS 180-4 examples.
TEST(Hasher, GivesThePublishedDigestsOfAbc) {
  Hasher hasher;
  hasher.update(bytes_of("abc"));
  const Digests digests = hasher.finish();
  EXPECT_EQ(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hasher, StartsAfreshAfterFinish) {
  Hasher hasher;
  hasher.update(bytes_of("something else"));
  hasher.finish();
  const Digests digests = hasher.finish();
  EXPECT_EQ(digests.md5, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(digests.sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(digests.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hasher, DoesNotCareHowTheBytesAreCut) {
  Hasher hasher;
  const std::string piece(999, 'a');
  for (int i = 0; i < 1001; ++i) hasher.update(bytes_of(piece));
  hasher.update(bytes_of("a"));
  const Digests digests = hasher.finish();  // one million "a": FIPS 180
  EXPECT_EQ(digests.sha1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  EXPECT_EQ(digests.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string whole(1'000'000, 'a');
  hasher.update(bytes_of(whole));
  EXPECT_EQ(hasher.finish(), digests);
}

}  // namespace
}  // namespace touchstone

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_phone.hpp"
#include "filesystem/filesystem.hpp"
#include "unit/crypt/sealing.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

Bytes noise(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (std::byte& each : bytes) each = static_cast<std::byte>(generator());
  return bytes;
}

bool suspected(Bytes bytes) {
  return suspect_encryption(*make_memory_source(std::move(bytes))).has_value();
}

/// What zlib makes of text-like data.
Bytes deflated(std::size_t size) {
  std::mt19937_64 generator(7);
  Bytes text(size * 4), out(size * 8);
  for (std::byte& each : text) each = static_cast<std::byte>('a' + generator() % 20 % (1 + generator() % 20));
  uLongf length = out.size();
  compress2(raw(out.data()), &length, raw(text.data()), text.size(), 9);
  out.resize(std::min<std::size_t>(length, size) / 512 * 512);
  return out;
}

TEST(SuspectedEncryption, IsRaisedByVolumesThatLookRandomAllOver) {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U})
    EXPECT_TRUE(suspected(noise(4 << 20, seed))) << seed;
  EXPECT_TRUE(suspected(noise(64 * 1024)));
}

TEST(SuspectedEncryption, IsNotRaisedByAnythingElse) {
  EXPECT_FALSE(suspected(Bytes(4 << 20)));
  EXPECT_FALSE(suspected(noise(64 * 1024 - 512))) << "too small to tell";
  EXPECT_FALSE(suspected(noise((4 << 20) + 100))) << "no whole number of sectors";
  Bytes half = noise(4 << 20);
  std::fill(half.begin() + (2 << 20), half.end(), std::byte{0});
  EXPECT_FALSE(suspected(half));
  Bytes zip = noise(4 << 20);
  put(zip, 0, std::string_view("PK\x03\x04", 4));
  EXPECT_FALSE(suspected(zip));
  EXPECT_FALSE(suspected(deflated(2 << 20)));
  EXPECT_FALSE(suspected(note_volume().bytes()));
}

TEST(SuspectedEncryption, IsOnlyASuspicionInTheListOfVolumes) {
  const auto image = make_memory_source(noise(4 << 20));
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*image, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::encrypted);
  EXPECT_EQ(volumes[0].filesystem, "");
  EXPECT_THAT(volumes[0].reason, HasSubstr("possibly encrypted (VeraCrypt or similar)"));
}

TEST(AndroidEncryption, IsKnownByItsFooter) {
  Bytes volume = noise(1 << 20);
  const std::size_t at = volume.size() - 0x4000;
  put(volume, at, 0xd0b5b1c4, 4);
  put(volume, at + 4, 1, 2);
  put(volume, at + 6, 3, 2);
  put(volume, at + 16, 16, 4);
  put(volume, at + 20, 2, 4);
  put(volume, at + 32, 3, 4);
  put(volume, at + 36, std::string_view("aes-cbc-essiv:sha256\0", 21));
  const auto image = make_memory_source(volume);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*image, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::encrypted);
  EXPECT_EQ(volumes[0].filesystem, "android-fde");
  EXPECT_THAT(volumes[0].reason, HasSubstr("version 1.3, aes-cbc-essiv:sha256 128-bit, locked by pattern, 3 "
                                           "failed attempts"));
}

TEST(FileVault, IsKnownByItsPhysicalVolume) {
  Bytes volume(1 << 20);
  put(volume, 8, 1, 2);
  put(volume, 10, 0x10, 2);
  put(volume, 88, "CS");
  put(volume, 172, 2, 4);
  for (std::size_t i = 0; i < 16; ++i) put(volume, 320 + i, 0xa0 + i, 1);
  const auto image = make_memory_source(volume);
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*image, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::encrypted);
  EXPECT_EQ(volumes[0].filesystem, "corestorage");
  EXPECT_THAT(volumes[0].reason, HasSubstr("volume group A0A1A2A3-A4A5-A6A7-A8A9-AAABACADAEAF"));
}

}  // namespace
}  // namespace touchstone::test

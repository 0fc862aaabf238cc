#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_bitlocker.hpp"
#include "filesystem/filesystem.hpp"
#include "unit/crypt/bitlocker_image.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Opened {
  std::vector<Volume> volumes;
  std::vector<Problem> problems;
};

Opened list(ByteSource& image, const Secrets& secrets = {}) {
  Opened opened;
  VolumeOptions options;
  options.secrets = secrets;
  opened.volumes = list_volumes(image, 512, opened.problems, options);
  return opened;
}

void expect_note(ByteSource& image, const Volume& volume, const Secrets& secrets = {}) {
  VolumeOptions options;
  options.secrets = secrets;
  auto fs = open_file_system(image, 512, volume, options);
  ASSERT_TRUE(fs) << fs.error().message;
  const Walked walked = walk(**fs);
  const Entry* note = walked.find("/NOTE.TXT");
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(content_of(**fs, note->address), "meet me at the old mill");
}

class BitLockerMethod : public ::testing::TestWithParam<std::uint16_t> {};

TEST_P(BitLockerMethod, OpensWithoutASecretWhileProtectionIsSuspended) {
  BitLockerImage builder;
  builder.method = GetParam();
  const auto image = make_memory_source(builder.build(note_volume().bytes()));
  const Opened opened = list(*image);
  ASSERT_EQ(opened.volumes.size(), 1U);
  const Volume& volume = opened.volumes[0];
  EXPECT_EQ(volume.state, VolumeState::read) << volume.reason;
  EXPECT_EQ(volume.filesystem, "fat16");
  EXPECT_THAT(volume.kind, HasSubstr("without a secret"));
  expect_note(*image, volume);
}

INSTANTIATE_TEST_SUITE_P(All, BitLockerMethod, ::testing::Values(0x8002, 0x8003, 0x8004, 0x8005));

TEST(BitLocker, IsDescribedWhenNoSecretFits) {
  BitLockerImage builder;
  builder.protector_type = 0x0800;
  builder.salt = Bytes(16, std::byte{7});
  const auto image = make_memory_source(builder.build(note_volume().bytes()));
  const Opened opened = list(*image, {{"not the password"}});
  ASSERT_EQ(opened.volumes.size(), 1U);
  const Volume& volume = opened.volumes[0];
  EXPECT_EQ(volume.state, VolumeState::encrypted);
  EXPECT_EQ(volume.filesystem, "bitlocker");
  EXPECT_EQ(volume.label, "Evidence disk");
  EXPECT_THAT(volume.reason, HasSubstr("AES-XTS 128"));
  EXPECT_THAT(volume.reason, HasSubstr("recovery password {03020100-0504-0706-0809-0a0b0c0d0e0f}"));
  EXPECT_THAT(volume.reason, HasSubstr("volume {f3f2f1f0-f5f4-f7f6-f8f9-fafbfcfdfeff}"));
  EXPECT_THAT(volume.reason, Not(HasSubstr("not the password")));
  EXPECT_FALSE(open_file_system(*image, 512, volume));
}

TEST(BitLocker, OpensFromAnyCopyOfItsMetadata) {
  const Bytes plain = note_volume().bytes();
  Bytes bytes = BitLockerImage().build(plain);
  // The first copy keeps its signature but not its content; of the second nothing is left.
  for (std::size_t i = 64; i < 512; ++i) bytes[BitLockerImage::copy_at(plain, 0) + i] ^= std::byte{0x55};
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(BitLockerImage::copy_at(plain, 1)), 512,
              std::byte{0});
  const auto image = make_memory_source(bytes);
  const Opened opened = list(*image);
  ASSERT_EQ(opened.volumes[0].state, VolumeState::read) << opened.volumes[0].reason;
  expect_note(*image, opened.volumes[0]);
}

TEST(BitLocker, WithoutAnyCopyOfItsMetadataIsCorrupt) {
  const Bytes plain = note_volume().bytes();
  Bytes bytes = BitLockerImage().build(plain);
  for (std::size_t i = 0; i < 3; ++i)
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(BitLockerImage::copy_at(plain, i)), 512,
                std::byte{0});
  const auto image = make_memory_source(bytes);
  const Opened opened = list(*image);
  EXPECT_EQ(opened.volumes[0].state, VolumeState::corrupt);
  EXPECT_THAT(opened.volumes[0].reason, HasSubstr("no copy can be read"));
}

TEST(BitLocker, ReadsAVolumeThatIsConvertedOnlyInPart) {
  BitLockerImage builder;
  builder.state = 2;
  builder.encrypted_size = 512 * 100;
  const Bytes plain = note_volume().bytes();
  auto opened = open_locked(make_memory_source(builder.build(plain)), {});
  ASSERT_TRUE(opened) << opened.error().message;
  const auto bytes = whole_of(*opened->bytes);
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), bytes.begin()));
}

TEST(BitLocker, ReadsAVolumeThatWasDecrypted) {
  BitLockerImage builder;
  builder.state = 1;
  const auto image = make_memory_source(builder.build(note_volume().bytes()));
  const Opened opened = list(*image);
  ASSERT_EQ(opened.volumes[0].state, VolumeState::read) << opened.volumes[0].reason;
  expect_note(*image, opened.volumes[0]);
}

TEST(BitLocker, ReadsAtAnyOffsetAndLength) {
  const Bytes plain = note_volume().bytes();
  auto opened = open_locked(make_memory_source(BitLockerImage().build(plain)), {});
  ASSERT_TRUE(opened);
  for (const std::size_t offset :
       {std::size_t{0}, std::size_t{511}, std::size_t{8191}, std::size_t{100'001}}) {
    std::vector<std::byte> some(1025);
    const auto got = opened->bytes->read_at(offset, some);
    ASSERT_TRUE(got && *got == some.size());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), plain.begin() + static_cast<std::ptrdiff_t>(offset)))
        << offset;
  }
}

TEST(RecoveryKey, IsEightGroupsOfMultiplesOfEleven) {
  const char* known = "284867-596541-514998-422114-660297-261613-215424-199408";
  const auto key = crypt::recovery_key(known);
  ASSERT_TRUE(key);
  // 284867 / 11 = 25897 = 0x6529, and 199408 / 11 = 18128 = 0x46d0.
  EXPECT_EQ(key->span()[0], std::byte{0x29});
  EXPECT_EQ(key->span()[1], std::byte{0x65});
  EXPECT_EQ(key->span()[14], std::byte{0xd0});
  EXPECT_EQ(key->span()[15], std::byte{0x46});
  EXPECT_TRUE(crypt::recovery_key("284867 596541 514998 422114 660297 261613 215424 199408"));
  EXPECT_TRUE(crypt::recovery_key("284867596541514998422114660297261613215424199408"));
  EXPECT_FALSE(crypt::recovery_key("284868-596541-514998-422114-660297-261613-215424-199408"));
  EXPECT_FALSE(crypt::recovery_key("2848675-96541-514998-422114-660297-261613-215424-199408"));
  EXPECT_FALSE(crypt::recovery_key("284867-596541-514998-422114-660297-261613-215424"));
  EXPECT_FALSE(crypt::recovery_key("password"));
  EXPECT_FALSE(crypt::recovery_key(""));
  EXPECT_FALSE(crypt::recovery_key("999999-596541-514998-422114-660297-261613-215424-199408"));
}

}  // namespace
}  // namespace touchstone::test

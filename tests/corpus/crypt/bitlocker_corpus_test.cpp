// BitLocker volumes of others, with the secrets that their makers state. Their images were emptied but for
// the structures of BitLocker and the first sectors, so that no file system opens inside; its boot sector
// does.
#include <gmock/gmock.h>

#include "corpus/filesystem/corpus_image.hpp"
#include "filesystem/crypt.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

const std::string kFolder = kCorpus + "/fox-it+dissect.fve/tests/_data/bde/";
constexpr const char* kRecovery = "284867-596541-514998-422114-660297-261613-215424-199408";
constexpr const char* kPassword = "password12!@";

struct Fact {
  const char* file;
  const char* secret;  ///< empty: opens without
  const char* how;
};
// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Fact& fact, std::ostream* out) {
  *out << fact.file;
}

class BitLockerCorpus : public ::testing::TestWithParam<Fact> {
 protected:
  void SetUp() override {
    path_ = unpacked(scratch_, kFolder + GetParam().file + ".bin.gz");
    if (path_.empty()) GTEST_SKIP() << "the corpus folder is not there";
  }
  Scratch scratch_;
  std::string path_;
};

TEST_P(BitLockerCorpus, OpensWithItsSecretToNtfs) {
  Secrets secrets{{"not this one"}};
  if (*GetParam().secret != '\0') secrets.candidates.emplace_back(GetParam().secret);
  auto file = open_file_source(path_);
  ASSERT_TRUE(file);
  auto opened = open_locked(file.take(), secrets);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->how, HasSubstr(GetParam().how));
  std::vector<std::byte> boot(512);
  const auto got = opened->bytes->read_at(0, boot);
  ASSERT_TRUE(got && *got == boot.size());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(boot.data()) + 3, 8), "NTFS    ");
  EXPECT_EQ(boot[510], std::byte{0x55});
  EXPECT_EQ(boot[511], std::byte{0xaa});
}

INSTANTIATE_TEST_SUITE_P(All, BitLockerCorpus,
                         ::testing::Values(Fact{"aes_256", kPassword, "AES-CBC 256, opened with password {"},
                                           Fact{"aes_128_diffuser", kPassword,
                                                "AES-CBC 128 with diffuser, opened with password {"},
                                           Fact{"aes_256_diffuser", kPassword,
                                                "AES-CBC 256 with diffuser, opened with password {"},
                                           Fact{"recovery_password", kRecovery,
                                                "opened with recovery password {"},
                                           Fact{"suspended", "", "protection is suspended"}),
                         [](const auto& tested) { return std::string(tested.param.file); });

TEST(BitLockerCorpusFile, OpensWithTheStartupKeyFileAsHexadecimalDigits) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kFolder + "startup_key.bin.gz");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  std::string digits;
  for (const char c : Scratch::slurp(kFolder + "startup_key.bek")) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    digits += kDigits[static_cast<unsigned char>(c) >> 4];
    digits += kDigits[static_cast<unsigned char>(c) & 15];
  }
  auto file = open_file_source(path);
  ASSERT_TRUE(file);
  const auto opened = open_locked(file.take(), {{digits}});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->how, HasSubstr("opened with startup or recovery key file {"));
}

TEST(BitLockerCorpusFile, ThatWasBeingEncryptedSaysHowFarItCame) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kFolder + "eow_partial.bin.gz");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  const OpenImage image = open_image(path);
  ASSERT_EQ(image.volumes.size(), 1U);
  EXPECT_EQ(image.volumes[0].state, VolumeState::encrypted);
  EXPECT_THAT(image.volumes[0].reason, HasSubstr("only used space is encrypted"));
  EXPECT_THAT(image.volumes[0].reason, HasSubstr("bytes were not encrypted yet"));
}

TEST(BitLockerCorpusFile, OfUtilLinuxHasTheIdentifierThatBlkidTells) {
  const Scratch scratch;
  const std::string path =
      unpacked(scratch, kCorpus + "/util-linux+util-linux/tests/ts/blkid/images-fs/bitlocker-win7.img.xz");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  const OpenImage image = open_image(path);
  ASSERT_EQ(image.volumes.size(), 1U);
  EXPECT_EQ(image.volumes[0].state, VolumeState::encrypted);
  EXPECT_EQ(image.volumes[0].label, "DESKTOP-7BHQ0UE Bitlocker Win 10 25/07/2024");
  EXPECT_THAT(image.volumes[0].reason, HasSubstr("{83330ba8-07b7-4ea8-b641-ff7bdf18f6b3}"));
}

}  // namespace
}  // namespace touchstone::test

#include <gmock/gmock.h>

#include "corpus/filesystem/corpus_image.hpp"
#include "filesystem/crypt.hpp"
#include "filesystem/crypt_luks.hpp"
#include "unit/crypt/sealing.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

class LuksCorpus : public ::testing::TestWithParam<const char*> {};

// The makers filled each sector with its number.
TEST_P(LuksCorpus, OpensWithItsPassphrase) {
  const Scratch scratch;
  const std::string path =
      unpacked(scratch, kCorpus + "/fox-it+dissect.fve/tests/_data/luks1/" + GetParam() + ".bin.gz");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  auto file = open_file_source(path);
  ASSERT_TRUE(file);
  auto opened = open_locked(file.take(), {{"password"}});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->how, "LUKS1 aes-ecb, opened with key slot 0");
  const auto bytes = whole_of(*opened->bytes);
  ASSERT_EQ(bytes.size(), 4U * 512);
  for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], static_cast<std::byte>(i / 512)) << i;
}

INSTANTIATE_TEST_SUITE_P(All, LuksCorpus, ::testing::Values("aes-ecb", "sha1"),
                         [](const auto& tested) { return tested.param[0] == 'a' ? "ecb" : "sha1"; });

TEST(LuksCorpusFile, OfUtilLinuxHasTheIdentifierThatBlkidTells) {
  const Scratch scratch;
  const std::string path =
      unpacked(scratch, kCorpus + "/util-linux+util-linux/tests/ts/blkid/images-fs/luks1.img.xz");
  if (path.empty()) GTEST_SKIP() << "the corpus folder is not there";
  const OpenImage image = open_image(path);
  ASSERT_EQ(image.volumes.size(), 1U);
  EXPECT_EQ(image.volumes[0].state, VolumeState::encrypted);
  EXPECT_THAT(image.volumes[0].reason, HasSubstr("UUID e5f398d9-39da-4b6a-9ac3-e085a9394e7c"));
}

TEST(LuksCorpusFile, HoldsTheLogicalVolumesOfLvmInside) {
  const Scratch scratch;
  const std::string path = unpacked(scratch, kCorpus + "/fox-it+dissect.volume/tests/data/lvm.bin.gz");
  if (path.empty() || !has_tool("cryptsetup")) GTEST_SKIP() << "the corpus folder or cryptsetup is not there";
  const OpenImage open = open_image(path);
  const std::string file = "'" + scratch.path("luks") + "'";
  scratch.write("pass", "correct horse");
  const std::string key_file = "--key-file '" + scratch.path("pass") + "'";
  // A key of our own, so that the data can be encrypted here.
  const Bytes key(64, std::byte{0x42});
  Bytes other = key;
  for (std::size_t i = 0; i < other.size(); ++i) other[i] ^= static_cast<std::byte>(i);
  scratch.write("volume_key", {reinterpret_cast<const char*>(other.data()), other.size()});
  if (!run("truncate -s 4M " + file +
           " && cryptsetup luksFormat --batch-mode --type luks1 --key-size 512 "
           "--pbkdf-force-iterations 1000 --volume-key-file '" +
           scratch.path("volume_key") + "' " + key_file + " " + file))
    GTEST_SKIP() << "cryptsetup cannot work here";
  Bytes image = to_bytes(scratch.read("luks"));
  const auto header = crypt::read_luks(*make_memory_source(image));
  ASSERT_TRUE(header);
  Bytes plain = to_bytes(Scratch::slurp(path));
  plain.resize(plain.size() / 512 * 512);
  encrypt_xts(plain, other, 512);
  image.resize(header->offset);
  image.insert(image.end(), plain.begin(), plain.end());
  const auto source = make_memory_source(std::move(image));

  std::vector<Problem> problems;
  VolumeOptions options;
  options.secrets.candidates = {"correct horse"};
  const auto volumes = list_volumes(*source, 512, problems, options);
  ASSERT_EQ(volumes.size(), open.volumes.size());
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    EXPECT_EQ(volumes[i].slot, open.volumes[i].slot);
    EXPECT_EQ(volumes[i].filesystem, open.volumes[i].filesystem);
    EXPECT_EQ(volumes[i].state, open.volumes[i].state) << volumes[i].reason;
    if (open.volumes[i].state != VolumeState::read) continue;
    auto fs = open_file_system(*source, 512, volumes[i], options);
    ASSERT_TRUE(fs) << fs.error().message;
    auto bare = open_file_system(*open.exhibit, 512, open.volumes[i]);
    ASSERT_TRUE(bare);
    EXPECT_EQ(walk(**fs).entries.size(), walk(**bare).entries.size()) << volumes[i].slot;
  }
}

}  // namespace
}  // namespace touchstone::test

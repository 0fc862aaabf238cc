// Volumes whose headers cryptsetup makes; their data are encrypted here with the volume key that it tells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_luks.hpp"
#include "filesystem/filesystem.hpp"
#include "unit/crypt/sealing.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassphrase = "correct horse";

struct Recipe {
  const char* name;
  const char* options;
  std::size_t sector;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Recipe& recipe, std::ostream* out) {
  *out << recipe.name;
}

/// The bytes behind "MK dump:".
Bytes volume_key(const std::string& dump) {
  Bytes key;
  const std::size_t from = dump.find("MK dump:");
  if (from == std::string::npos) return key;
  unsigned digits = 0, value = 0;
  for (const char c : dump.substr(from + 8)) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) continue;
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) {
      key.push_back(static_cast<std::byte>(value));
      value = 0;
    }
  }
  return key;
}

class LuksImage {
 public:
  /// False where cryptsetup is missing or cannot work here.
  bool make(const std::string& options, bool second_slot = false) {
    if (!has_tool("cryptsetup")) return false;
    scratch_.write("pass", kPassphrase);
    scratch_.write("pass2", "battery staple");
    const std::string file = "'" + scratch_.path("luks") + "'", pass = "'" + scratch_.path("pass") + "'";
    const std::string more = "cryptsetup luksAddKey --batch-mode --key-file " + pass +
                             " --pbkdf pbkdf2 --pbkdf-force-iterations 1000 " + file + " '" +
                             scratch_.path("pass2") + "'";
    return run("truncate -s 24M " + file + " && cryptsetup luksFormat --batch-mode --key-file " + pass + " " +
               options + " --uuid 01234567-89ab-cdef-0123-456789abcdef " + file +
               " && cryptsetup luksDump "
               "--batch-mode --dump-volume-key --key-file " +
               pass + " " + file + " > '" + scratch_.path("dump") + "'" + (second_slot ? " && " + more : ""));
  }
  Bytes header() const { return to_bytes(scratch_.read("luks")); }
  Bytes key() const { return volume_key(scratch_.read("dump")); }

 private:
  Scratch scratch_;
};

Bytes with_data(const LuksImage& image, Bytes data, std::size_t sector) {
  Bytes bytes = image.header();
  const auto source = make_memory_source(bytes);
  const auto header = crypt::read_luks(*source);
  EXPECT_TRUE(header);
  data.resize((data.size() + 4095) / 4096 * 4096);
  encrypt_xts(data, image.key(), sector);
  std::copy(data.begin(), data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(header->offset));
  return bytes;
}

class LuksVariant : public ::testing::TestWithParam<Recipe> {};

TEST_P(LuksVariant, OpensWithItsPassphrase) {
  LuksImage image;
  if (!image.make(GetParam().options)) GTEST_SKIP() << "cryptsetup is not installed or cannot work here";
  const auto source = make_memory_source(with_data(image, note_volume().bytes(), GetParam().sector));
  std::vector<Problem> problems;
  VolumeOptions options;
  options.secrets.candidates = {"wrong", kPassphrase};
  const auto volumes = list_volumes(*source, 512, problems, options);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::read) << volumes[0].reason;
  EXPECT_EQ(volumes[0].filesystem, "fat16");
  EXPECT_THAT(volumes[0].kind, HasSubstr("opened with key slot 0"));
  EXPECT_THAT(volumes[0].kind, Not(HasSubstr(kPassphrase)));
  auto fs = open_file_system(*source, 512, volumes[0], options);
  ASSERT_TRUE(fs) << fs.error().message;
  const Walked walked = walk(**fs);
  const Entry* note = walked.find("/NOTE.TXT");
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(content_of(**fs, note->address), "meet me at the old mill");

  options.secrets.candidates.clear();
  EXPECT_FALSE(open_file_system(*source, 512, volumes[0], options));
}

INSTANTIATE_TEST_SUITE_P(
    All, LuksVariant,
    ::testing::Values(Recipe{"luks1", "--type luks1 --pbkdf-force-iterations 1000", 512},
                      Recipe{"luks1_sha512_256",
                             "--type luks1 --hash sha512 --key-size 256 "
                             "--pbkdf-force-iterations 1000",
                             512},
                      Recipe{"luks2_argon2id",
                             "--type luks2 --sector-size 512 --pbkdf argon2id --pbkdf-memory 1024 "
                             "--pbkdf-parallel 3 --pbkdf-force-iterations 4",
                             512},
                      Recipe{"luks2_argon2i",
                             "--type luks2 --sector-size 512 --pbkdf argon2i --pbkdf-memory 512 "
                             "--pbkdf-parallel 1 --pbkdf-force-iterations 4",
                             512},
                      Recipe{"luks2_pbkdf2_4096",
                             "--type luks2 --pbkdf pbkdf2 --sector-size 4096 "
                             "--pbkdf-force-iterations 1000",
                             4096}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Luks, TellsWhatItIsWithoutAPassphrase) {
  LuksImage image;
  if (!image.make("--type luks2 --label exhibit --pbkdf argon2id --pbkdf-memory 1024 --pbkdf-parallel 1 "
                  "--pbkdf-force-iterations 4",
                  true))
    GTEST_SKIP() << "cryptsetup is not installed or cannot work here";
  const auto source = make_memory_source(image.header());
  std::vector<Problem> problems;
  const auto volumes = list_volumes(*source, 512, problems);
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].state, VolumeState::encrypted);
  EXPECT_EQ(volumes[0].filesystem, "luks");
  EXPECT_EQ(volumes[0].label, "exhibit");
  EXPECT_EQ(
      volumes[0].reason,
      "LUKS2 aes-xts-plain64, UUID 01234567-89ab-cdef-0123-456789abcdef; key slots in use: 0 (argon2id, 4 "
      "passes over 1024 KiB), 1 (pbkdf2-sha256, 1000 iterations); needs its passphrase");
  auto opened = open_locked(make_memory_source(image.header()), {{"battery staple"}});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->how, "LUKS2 aes-xts-plain64, opened with key slot 1");
  opened = open_locked(make_memory_source(image.header()), {{"hunter2", "letmein"}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::encrypted);
  EXPECT_THAT(opened.error().message, HasSubstr("none of 2 candidates"));
  EXPECT_THAT(opened.error().message, Not(HasSubstr("hunter2")));
}

TEST(Luks, UsesTheSecondHeaderWhereTheFirstIsDamaged) {
  LuksImage image;
  if (!image.make("--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000"))
    GTEST_SKIP() << "cryptsetup is not installed or cannot work here";
  Bytes bytes = image.header();
  put(bytes, 4096, "{{{{");
  EXPECT_TRUE(open_locked(make_memory_source(bytes), {{kPassphrase}}));
  put(bytes, 0x4000 + 4096, "{{{{");
  const auto opened = open_locked(make_memory_source(bytes), {{kPassphrase}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
}

TEST(Luks, RefusesAbsurdWorkInsteadOfDoingIt) {
  LuksImage image;
  if (!image.make("--type luks1 --pbkdf-force-iterations 1000"))
    GTEST_SKIP() << "cryptsetup is not installed or cannot work here";
  Bytes bytes = image.header();
  for (std::size_t i = 0; i < 4; ++i) put(bytes, 208 + 4 + i, 0xff, 1);  // iterations of the first slot
  const auto opened = open_locked(make_memory_source(bytes), {{kPassphrase}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::limit);
  EXPECT_THAT(opened.error().message, HasSubstr("only the first 0 of 1 candidates were tried"));
}

/// A LUKS2 header's JSON with one key slot whose derivation is `kdf`.
std::string json_with(const std::string& kdf) {
  return R"({"keyslots":{"0":{"type":"luks2","key_size":64,"af":{"type":"luks1","stripes":4000,"hash":"sha256"},
    "area":{"type":"raw","offset":"32768","size":"258048","encryption":"aes-xts-plain64","key_size":64},
    "kdf":)" +
         kdf + R"(}},"segments":{"0":{"type":"crypt","offset":"16384","size":"dynamic","iv_tweak":"0",
    "encryption":"aes-xts-plain64","sector_size":512}},"digests":{"0":{"type":"pbkdf2","keyslots":["0"],
    "segments":["0"],"hash":"sha256","iterations":1000,"salt":"AAAA","digest":"AAAA"}},"config":{}})";
}

TEST(Luks, RefusesArgon2BeyondItsBound) {
  crypt::LuksVolume volume;
  volume.version = 2;
  ASSERT_TRUE(crypt::read_luks2_json(
      json_with(
          R"({"type":"argon2id","time":4,"memory":4194304,"cpus":4,"salt":"AAAAAAAAAAAAAAAAAAAAAA=="})"),
      volume));
  ASSERT_EQ(volume.slots.size(), 1U);
  const auto opened = crypt::open_luks(make_memory_source(Bytes(1 << 20)), volume, {{"x"}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::limit);
  EXPECT_THAT(opened.error().message, HasSubstr("4194304 KiB"));
}

TEST(Luks, SurvivesJsonOfAnotherForm) {
  for (const char* json :
       {"", "[]", "{", R"({"keyslots":[]})", R"({"keyslots":{"0":{"kdf":7,"af":"x"}}})",
        R"({"segments":{"0":{"type":"crypt","encryption":5,"size":{}}}})",
        R"({"digests":{"0":{"segments":"0","keyslots":{}}}})",
        R"({"digests":{"0":{"segments":["0"],"keyslots":"x"}},"segments":{"0":{"type":"crypt"}}})"}) {
    crypt::LuksVolume volume;
    volume.version = 2;
    if (crypt::read_luks2_json(json, volume)) {
      EXPECT_FALSE(crypt::open_luks(make_memory_source(Bytes(65536)), volume, {{"x"}})) << json;
    }
  }
  crypt::LuksVolume volume;
  EXPECT_FALSE(crypt::read_luks2_json(std::string(100'000, '['), volume));
}

TEST(LuksCipher, KnowsWhatItCanDecrypt) {
  EXPECT_TRUE(crypt::parse_luks_cipher("aes", "xts-plain64").known);
  EXPECT_TRUE(crypt::parse_luks_cipher("aes", "cbc-essiv:sha256").known);
  EXPECT_TRUE(crypt::parse_luks_cipher("aes", "ecb").known);
  EXPECT_FALSE(crypt::parse_luks_cipher("serpent", "xts-plain64").known);
  EXPECT_FALSE(crypt::parse_luks_cipher("aes", "xts-random").known);
  EXPECT_FALSE(crypt::parse_luks_cipher("xchacha12,aes", "adiantum-plain64").known);
}

}  // namespace
}  // namespace touchstone::test

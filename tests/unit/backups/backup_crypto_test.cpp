// Against published vectors: RFC 3394 section 4, RFC 6070, RFC 7914 section 11, NIST SP 800-38A F.2.6, and
// the keybags that hashcat publishes as examples of iTunes backups (modes 14700 and 14800, password
// "hashcat").
#include "filesystem/trees/backup_crypto.hpp"

#include <gtest/gtest.h>

#include "filesystem/trees/itunes_keybag.hpp"

namespace touchstone {
namespace {

std::vector<std::byte> hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte each : bytes) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(each) >> 4U];
    text += "0123456789abcdef"[std::to_integer<unsigned>(each) & 15U];
  }
  return text;
}

std::string derived(Prf prf, std::string_view password, std::string_view salt, std::uint32_t rounds,
                    std::size_t size) {
  return hex_of(derive_key(prf, as_byte_span(password), as_byte_span(salt), rounds, size).span());
}

TEST(BackupCrypto, KeysAreDerivedAsTheRfcsHaveIt) {
  EXPECT_EQ(derived(Prf::hmac_sha1, "password", "salt", 1, 20), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
  EXPECT_EQ(derived(Prf::hmac_sha1, "password", "salt", 4096, 20),
            "4b007901b765489abead49d926f721d065a429c1");
  EXPECT_EQ(
      derived(Prf::hmac_sha1, "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 25),
      "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038");
  EXPECT_EQ(derived(Prf::hmac_sha1, {"pass\0word", 9}, {"sa\0lt", 5}, 4096, 16),
            "56fa6aa75548099dcc37d7f03425e0c3");
  EXPECT_EQ(derived(Prf::hmac_sha256, "passwd", "salt", 1, 64),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

TEST(BackupCrypto, WrappedKeysOpenAsTheRfcHasIt) {
  struct Vector {
    const char *kek, *wrapped, *key;
  };
  for (const Vector& each : {
           Vector{"000102030405060708090a0b0c0d0e0f", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
                  "00112233445566778899aabbccddeeff"},
           Vector{"000102030405060708090a0b0c0d0e0f1011121314151617",
                  "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2",
                  "00112233445566778899aabbccddeeff0001020304050607"},
           Vector{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
                  "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"},
       }) {
    const auto key = unwrap_key(hex(each.kek), hex(each.wrapped));
    ASSERT_TRUE(key) << each.wrapped;
    EXPECT_EQ(hex_of(key->span()), each.key);
    auto damaged = hex(each.wrapped);
    damaged[9] ^= std::byte{1};
    EXPECT_FALSE(unwrap_key(hex(each.kek), damaged));
  }
  EXPECT_FALSE(unwrap_key(hex("00112233"), hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")));
  EXPECT_FALSE(unwrap_key(hex("000102030405060708090a0b0c0d0e0f"), hex("1fa68b0a8112b447")));
  EXPECT_FALSE(unwrap_key(hex("000102030405060708090a0b0c0d0e0f"), std::vector<std::byte>(8008)));
}

const std::string kCbcKey = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const std::string kCbcIv = "000102030405060708090a0b0c0d0e0f";
const std::string kCbcCipher =
    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
    "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b";
const std::string kCbcPlain =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

TEST(BackupCrypto, AnyPlaceOfACbcStreamIsReadAtOnce) {
  const auto plain = hex(kCbcPlain);
  auto source =
      make_cbc_source(make_memory_source(hex(kCbcCipher)), SecretBytes(hex(kCbcKey)), hex(kCbcIv), 61);
  ASSERT_EQ(source->size(), 61U);
  for (std::uint64_t at = 0; at < 64; ++at) {
    for (std::size_t size : {1U, 7U, 16U, 40U, 100U}) {
      std::vector<std::byte> got(size);
      const auto read = source->read_at(at, got);
      ASSERT_TRUE(read);
      ASSERT_EQ(*read, at >= 61 ? 0U : std::min<std::size_t>(size, 61 - at));
      EXPECT_TRUE(std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(*read),
                             plain.begin() + static_cast<std::ptrdiff_t>(at)));
    }
  }
}

TEST(BackupCrypto, AStreamThatEndsInTheMidstOfABlockIsReadToItsLastWholeOne) {
  auto cipher = hex(kCbcCipher);
  cipher.resize(39);
  auto source = make_cbc_source(make_memory_source(cipher), SecretBytes(hex(kCbcKey)), hex(kCbcIv), 64);
  EXPECT_EQ(source->size(), 32U);
}

/// Keybag with one class as the example names it.
std::vector<std::byte> bag(const std::string& wrapped, std::uint32_t rounds, const std::string& salt,
                           std::uint32_t first_rounds, const std::string& first_salt,
                           std::uint32_t wrap = 2) {
  std::vector<std::byte> bytes;
  const auto tag = [&](std::string_view name, std::span<const std::byte> value) {
    for (const char c : name) bytes.push_back(static_cast<std::byte>(c));
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::byte>(value.size() >> static_cast<unsigned>(shift)));
    bytes.insert(bytes.end(), value.begin(), value.end());
  };
  const auto number = [&](std::string_view name, std::uint32_t value) {
    std::vector<std::byte> big;
    for (int shift = 24; shift >= 0; shift -= 8)
      big.push_back(static_cast<std::byte>(value >> static_cast<unsigned>(shift)));
    tag(name, big);
  };
  number("VERS", 3), number("TYPE", 1);
  tag("UUID", std::vector<std::byte>(16));
  number("WRAP", 0);
  tag("SALT", hex(salt)), number("ITER", rounds);
  if (first_rounds > 0) number("DPIC", first_rounds), tag("DPSL", hex(first_salt));
  tag("UUID", std::vector<std::byte>(16));
  number("CLAS", 3), number("WRAP", wrap), number("KTYP", 0);
  tag("WPKY", hex(wrapped));
  return bytes;
}

TEST(ItunesKeybag, OpensWithThePasswordOfThePublishedExamples) {
  auto old = ItunesKeybag::parse(
      bag("ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e", 10000,
          "2202015774208421818002001652122401871832", 0, ""));
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_FALSE(old->unlock("hashcat1"));
  EXPECT_FALSE(old->unlocked());
  EXPECT_TRUE(old->unlock("hashcat"));
  EXPECT_EQ(old->describe(), "PBKDF2 with 10000 rounds of SHA-1");

  auto recent = ItunesKeybag::parse(
      bag("17a3b858e79bc273be43a9f113b71efe7ec8e7e401396b350180b4592ef45db67ffef7b2d64329a5", 10000,
          "2721336781705041205314422175267631184867", 1000, "99fafc983e732998adb9fadc162a2e382143f115"));
  ASSERT_TRUE(recent) << recent.error().message;
  EXPECT_FALSE(recent->unlock(""));
  EXPECT_TRUE(recent->unlock("hashcat"));
  EXPECT_EQ(recent->describe(), "PBKDF2 with 1000 rounds of SHA-256 and 10000 of SHA-1");
}

TEST(ItunesKeybag, TellsWhatIsWrongWithIt) {
  const std::string wrapped(80, 'a'), salt(40, '1');
  EXPECT_EQ(ItunesKeybag::parse({}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(ItunesKeybag::parse(bag(wrapped, 0, salt, 0, "")).error().code, ErrorCode::corrupt);
  EXPECT_EQ(ItunesKeybag::parse(bag(wrapped, 4'000'000'000U, salt, 0, "")).error().code, ErrorCode::limit);
  EXPECT_EQ(ItunesKeybag::parse(bag(wrapped, 1, salt, 4'000'000'000U, salt)).error().code, ErrorCode::limit);
  auto cut = bag(wrapped, 1000, salt, 0, "");
  cut.resize(cut.size() - 30);  // the class key runs out of it
  auto parsed = ItunesKeybag::parse(cut);
  EXPECT_TRUE(!parsed || !parsed->unlock("hashcat"));
  // Class keys wrapped with the device's key do not open with a password alone.
  auto of_device = ItunesKeybag::parse(
      bag("ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e", 10000,
          "2202015774208421818002001652122401871832", 0, "", 3));
  ASSERT_TRUE(of_device);
  EXPECT_FALSE(of_device->unlock("hashcat"));
}

}  // namespace
}  // namespace touchstone

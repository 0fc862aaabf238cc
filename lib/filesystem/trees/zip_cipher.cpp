#include "filesystem/trees/zip_cipher.hpp"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace touchstone::zip {
namespace {

// ---- traditional -----------------------------------------------------------------------------------------

class Keys {
 public:
  explicit Keys(const std::string& password) : table_(::get_crc_table()) {
    for (const char c : password) update(static_cast<std::uint8_t>(c));
  }
  std::uint8_t decrypt(std::uint8_t byte) {
    const std::uint32_t mask = (keys_[2] & 0xFFFF) | 2;
    const auto plain = static_cast<std::uint8_t>(byte ^ (mask * (mask ^ 1) >> 8 & 0xFF));
    update(plain);
    return plain;
  }

 private:
  std::uint32_t step(std::uint32_t crc, std::uint8_t byte) const {
    return static_cast<std::uint32_t>(table_[(crc ^ byte) & 0xFF]) ^ crc >> 8;
  }
  void update(std::uint8_t byte) {
    keys_[0] = step(keys_[0], byte);
    keys_[1] = (keys_[1] + (keys_[0] & 0xFF)) * 134775813U + 1;
    keys_[2] = step(keys_[2], static_cast<std::uint8_t>(keys_[1] >> 24));
  }
  const z_crc_t* table_;
  std::array<std::uint32_t, 3> keys_ = {0x12345678, 0x23456789, 0x34567890};
};

/// Each byte depends on all before it; the keys are remembered now and then to go on from.
class TraditionalSource : public ByteSource {
 public:
  TraditionalSource(std::unique_ptr<ByteSource> base, Keys after_header)
      : base_(std::move(base)), keys_(after_header), remembered_{after_header} {}
  std::uint64_t size() const override { return base_->size() - kCryptHeader; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    if (offset < position_ || offset / kEvery > position_ / kEvery) {
      const std::size_t slot =
          std::min<std::size_t>(static_cast<std::size_t>(offset / kEvery), remembered_.size() - 1);
      if (offset < position_ || slot * kEvery > position_) {
        position_ = slot * kEvery;
        keys_ = remembered_[slot];
      }
    }
    std::array<std::byte, 4096> skipped{};
    while (position_ < offset) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(skipped.size(), offset - position_));
      auto got = advance(std::span(skipped).first(want));
      if (!got || *got == 0) return got;
    }
    return advance(out);
  }
  std::vector<Gap> gaps() const override { return base_->gaps(); }

 private:
  static constexpr std::uint64_t kEvery = std::uint64_t{1} << 20;
  Result<std::size_t> advance(std::span<std::byte> out) {
    auto got = base_->read_at(position_ + kCryptHeader, out);
    if (!got) return got;
    for (std::byte& byte : out.first(*got)) {
      if (position_ == remembered_.size() * kEvery) remembered_.push_back(keys_);
      byte = static_cast<std::byte>(keys_.decrypt(std::to_integer<std::uint8_t>(byte)));
      ++position_;
    }
    return got;
  }

  std::unique_ptr<ByteSource> base_;
  Keys keys_;
  std::uint64_t position_ = 0;
  std::vector<Keys> remembered_;  ///< at each multiple of kEvery
};

// ---- AES -------------------------------------------------------------------------------------------------

constexpr std::size_t kBlock = 16, kVerifier = 2, kCode = 10;

struct CipherCloser {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct MacCloser {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

const EVP_CIPHER* cipher_of(int strength) {
  return strength == 1 ? EVP_aes_128_ecb() : strength == 2 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
}

/// Counter mode with a little-endian counter from 1, which OpenSSL's own counter mode has not.
class AesSource : public ByteSource {
 public:
  AesSource(std::unique_ptr<ByteSource> base, std::size_t salt, int strength,
            std::span<const unsigned char> key, std::span<const unsigned char> mac_key)
      : base_(std::move(base)),
        before_(salt + kVerifier),
        size_(base_->size() - before_ - kCode),
        cipher_(EVP_CIPHER_CTX_new()) {
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    mac_.reset(hmac != nullptr ? EVP_MAC_CTX_new(hmac) : nullptr);
    EVP_MAC_free(hmac);
    char digest[] = "SHA1";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_END};
    if (!cipher_ || !mac_ ||
        EVP_EncryptInit_ex(cipher_.get(), cipher_of(strength), nullptr, key.data(), nullptr) != 1 ||
        EVP_MAC_init(mac_.get(), mac_key.data(), mac_key.size(), parameters) != 1) {
      throw std::runtime_error("OpenSSL gives no AES or HMAC-SHA1");
    }
    EVP_CIPHER_CTX_set_padding(cipher_.get(), 0);
  }
  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    auto got = base_->read_at(before_ + offset, out);
    if (!got) return got;
    authenticate(offset, out.first(*got));
    decrypt(offset, out.first(*got));
    return got;
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps = base_->gaps();
    if (!wrong_.empty()) gaps.push_back({0, size_, wrong_});
    return gaps;
  }

 private:
  void decrypt(std::uint64_t offset, std::span<std::byte> bytes) {
    constexpr std::size_t kAtOnce = 4096;
    std::array<unsigned char, kAtOnce> counters{}, stream{};
    while (!bytes.empty()) {
      std::uint64_t counter = offset / kBlock + 1;
      const auto skip = static_cast<std::size_t>(offset % kBlock);
      for (std::size_t at = 0; at < kAtOnce; at += kBlock, ++counter) {
        for (std::size_t i = 0; i < 8; ++i) counters[at + i] = static_cast<unsigned char>(counter >> (8 * i));
      }
      int written = 0;
      EVP_EncryptUpdate(cipher_.get(), stream.data(), &written, counters.data(), static_cast<int>(kAtOnce));
      const std::size_t count = std::min(bytes.size(), kAtOnce - skip);
      for (std::size_t i = 0; i < count; ++i) bytes[i] ^= static_cast<std::byte>(stream[skip + i]);
      bytes = bytes.subspan(count);
      offset += count;
    }
  }

  void authenticate(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset > checked_ || offset + bytes.size() <= checked_) return;
    bytes = bytes.subspan(static_cast<std::size_t>(checked_ - offset));
    EVP_MAC_update(mac_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    checked_ += bytes.size();
    if (checked_ < size_) return;
    std::array<unsigned char, 20> code{};
    std::array<std::byte, kCode> stored{};
    std::size_t length = 0;
    EVP_MAC_final(mac_.get(), code.data(), &length, code.size());
    auto got = base_->read_at(before_ + size_, stored);
    if (!got || *got != kCode || std::memcmp(code.data(), stored.data(), kCode) != 0) {
      wrong_ = "the authentication code of the encrypted bytes differs";
    }
  }

  std::unique_ptr<ByteSource> base_;
  std::uint64_t before_;
  std::uint64_t size_;
  std::unique_ptr<EVP_CIPHER_CTX, CipherCloser> cipher_;
  std::unique_ptr<EVP_MAC_CTX, MacCloser> mac_;
  std::uint64_t checked_ = 0;
  std::string wrong_;
};

}  // namespace

std::unique_ptr<ByteSource> open_traditional(std::unique_ptr<ByteSource> encrypted,
                                             const std::string& password, std::uint8_t by_crc,
                                             std::uint8_t by_time) {
  std::array<std::byte, kCryptHeader> header{};
  const auto got = encrypted->read_at(0, header);
  if (!got || *got != header.size()) return nullptr;
  Keys keys(password);
  std::uint8_t last = 0;
  for (const std::byte byte : header) last = keys.decrypt(std::to_integer<std::uint8_t>(byte));
  if (last != by_crc && last != by_time) return nullptr;
  return std::make_unique<TraditionalSource>(std::move(encrypted), keys);
}

std::unique_ptr<ByteSource> open_aes(std::unique_ptr<ByteSource> encrypted, const std::string& password,
                                     int strength) {
  constexpr int kRounds = 1000;
  if (strength < 1 || strength > 3) return nullptr;
  const std::size_t salt_size = 4 + 4 * static_cast<std::size_t>(strength);
  const std::size_t key_size = 8 + 8 * static_cast<std::size_t>(strength);
  if (encrypted->size() < salt_size + kVerifier + kCode) return nullptr;
  std::array<std::byte, 16 + kVerifier> head{};
  const auto got = encrypted->read_at(0, std::span(head).first(salt_size + kVerifier));
  if (!got || *got != salt_size + kVerifier) return nullptr;
  std::array<unsigned char, 32 + 32 + kVerifier> derived{};
  const std::size_t wanted = 2 * key_size + kVerifier;
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(head.data()), static_cast<int>(salt_size),
                        kRounds, EVP_sha1(), static_cast<int>(wanted), derived.data()) != 1) {
    return nullptr;
  }
  if (std::memcmp(derived.data() + 2 * key_size, head.data() + salt_size, kVerifier) != 0) return nullptr;
  const std::span<const unsigned char> keys(derived);
  return std::make_unique<AesSource>(std::move(encrypted), salt_size, strength, keys.first(key_size),
                                     keys.subspan(key_size, key_size));
}

}  // namespace touchstone::zip

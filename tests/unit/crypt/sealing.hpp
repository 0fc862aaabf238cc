// The other direction of what lib/filesystem/crypt* undoes, by OpenSSL: sectors encrypted and keys sealed, to
// build encrypted volumes for tests.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "unit/filesystem/fat_image.hpp"

namespace touchstone::test {

inline unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
inline const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

/// Little-endian number of 16 bytes.
inline Bytes number16(std::uint64_t value) {
  Bytes bytes(16);
  put(bytes, 0, value, 8);
  return bytes;
}

inline void encrypt(const EVP_CIPHER* cipher, const Bytes& key, const Bytes& iv, std::span<std::byte> bytes) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int done = 0;
  const bool fits = static_cast<int>(key.size()) == EVP_CIPHER_get_key_length(cipher) &&
                    EVP_EncryptInit_ex(context, cipher, nullptr, raw(key.data()), raw(iv.data())) == 1 &&
                    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                    EVP_EncryptUpdate(context, raw(bytes.data()), &done, raw(bytes.data()),
                                      static_cast<int>(bytes.size())) == 1;
  EVP_CIPHER_CTX_free(context);
  if (!fits) throw std::runtime_error("OpenSSL cannot encrypt");
}

/// dm-crypt's plain64 with XTS, in units of `sector` bytes; numbers count 512 bytes.
inline void encrypt_xts(Bytes& bytes, const Bytes& key, std::size_t sector) {
  for (std::size_t at = 0; at < bytes.size(); at += sector) {
    encrypt(key.size() == 64 ? EVP_aes_256_xts() : EVP_aes_128_xts(), key, number16(at / 512),
            std::span(bytes).subspan(at, sector));
  }
}

/// AES-256-CCM: tag, then what was sealed.
inline Bytes seal(const Bytes& key, const Bytes& nonce, const Bytes& plain) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Bytes out(16 + plain.size());
  int done = 0;
  const bool fits =
      EVP_EncryptInit_ex(context, EVP_aes_256_ccm(), nullptr, nullptr, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_CCM_SET_IVLEN, 12, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_CCM_SET_TAG, 16, nullptr) == 1 &&
      EVP_EncryptInit_ex(context, nullptr, nullptr, raw(key.data()), raw(nonce.data())) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &done, nullptr, static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptUpdate(context, raw(out.data() + 16), &done, raw(plain.data()),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context, raw(out.data() + 16 + done), &done) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_CCM_GET_TAG, 16, raw(out.data())) == 1;
  EVP_CIPHER_CTX_free(context);
  if (!fits) throw std::runtime_error("OpenSSL cannot seal");
  return out;
}

inline std::vector<std::byte> whole_of(ByteSource& source) {
  std::vector<std::byte> bytes(source.size());
  const auto got = source.read_at(0, bytes);
  bytes.resize(got ? *got : 0);
  return bytes;
}

/// A FAT16 volume with one file "NOTE.TXT".
inline FatImage note_volume(std::string_view text = "meet me at the old mill") {
  FatImage fat;
  fat.add_file(FatImage::kRoot, "NOTE    TXT", text);
  return fat;
}

}  // namespace touchstone::test

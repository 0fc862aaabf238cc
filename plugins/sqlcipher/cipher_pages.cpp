#include "cipher_pages.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace touchstone::sqlcipher {
namespace {

constexpr std::size_t kSalt = 16, kIv = 16;
/// Versions 4, 3, and 3 with the page size of 4.
constexpr std::array kForms = {Form{"SHA512", 4096, 80}, Form{"SHA1", 1024, 48}, Form{"SHA1", 4096, 48}};
constexpr std::string_view kHeader{"SQLite format 3\0", 16};

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

std::optional<CipherPages> CipherPages::open(std::span<const std::uint8_t> head, const Key& key) {
  for (const Form& form : kForms) {
    if (head.size() < form.page) continue;
    CipherPages pages(form, key, head.first(kSalt));
    if (pages.fits(head.first(form.page), 1, kSalt)) return pages;
  }
  return std::nullopt;
}

CipherPages::CipherPages(const Form& form, const Key& key, std::span<const std::uint8_t> salt)
    : form_(form), key_(key) {
  std::array<std::uint8_t, kSalt> mac_salt{};
  std::transform(salt.begin(), salt.end(), mac_salt.begin(),
                 [](std::uint8_t byte) { return static_cast<std::uint8_t>(byte ^ 0x3aU); });
  PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(key_.data()), static_cast<int>(key_.size()),
                    mac_salt.data(), static_cast<int>(mac_salt.size()), 2, EVP_get_digestbyname(form.digest),
                    static_cast<int>(mac_key_.size()), mac_key_.data());
}

bool CipherPages::fits(std::span<const std::uint8_t> cipher, std::uint32_t number, std::size_t from) const {
  const std::size_t content = form_.page - form_.reserved;
  std::vector<std::uint8_t> signed_bytes(cipher.begin() + static_cast<std::ptrdiff_t>(from),
                                         cipher.begin() + static_cast<std::ptrdiff_t>(content + kIv));
  for (unsigned shift = 0; shift < 32; shift += 8)
    signed_bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  if (HMAC(EVP_get_digestbyname(form_.digest), mac_key_.data(), static_cast<int>(mac_key_.size()),
           signed_bytes.data(), signed_bytes.size(), mac.data(), &length) == nullptr ||
      content + kIv + length > cipher.size())
    return false;
  return std::equal(mac.begin(), mac.begin() + length,
                    cipher.begin() + static_cast<std::ptrdiff_t>(content + kIv));
}

std::optional<std::vector<std::uint8_t>> CipherPages::page(std::span<const std::uint8_t> cipher,
                                                           std::uint32_t number) const {
  const std::size_t from = number == 1 ? kSalt : 0, content = form_.page - form_.reserved;
  if (cipher.size() != form_.page || !fits(cipher, number, from)) return std::nullopt;
  std::vector<std::uint8_t> plain(form_.page);
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  int written = 0;
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key_.data(), cipher.data() + content) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_DecryptUpdate(context.get(), plain.data() + from, &written, cipher.data() + from,
                        static_cast<int>(content - from)) != 1)
    return std::nullopt;
  if (number == 1) std::copy(kHeader.begin(), kHeader.end(), plain.begin());
  return plain;
}

}  // namespace touchstone::sqlcipher

// The cryptography of phone backups, by OpenSSL: key derivation (RFC 8018 PBKDF2), AES key wrap (RFC 3394)
// and AES in CBC mode read at random. Keys live in values that wipe themselves. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone {

/// Bytes that are wiped when they go.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  explicit SecretBytes(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  SecretBytes(const SecretBytes&) = default;
  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(const SecretBytes& other);
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes() { wipe(); }

  std::span<std::byte> span() { return bytes_; }
  std::span<const std::byte> span() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool operator==(const SecretBytes&) const = default;

 private:
  void wipe();
  std::vector<std::byte> bytes_;
};

enum class Prf { hmac_sha1, hmac_sha256 };

/// PBKDF2. Throws std::runtime_error where OpenSSL cannot do its work at all; `rounds` from 1 to INT_MAX.
SecretBytes derive_key(Prf prf, std::span<const std::byte> password, std::span<const std::byte> salt,
                       std::uint32_t rounds, std::size_t size);

/// RFC 3394 2.2.2 with the standard initial value: absent if `kek` (16, 24 or 32 bytes) does not fit, or the
/// wrapped key has no form of one.
std::optional<SecretBytes> unwrap_key(std::span<const std::byte> kek, std::span<const std::byte> wrapped);

/// AES-CBC of whole blocks without looking at padding. Absent for a key that AES does not have or a length
/// that is no multiple of 16.
std::optional<SecretBytes> decrypt_cbc(std::span<const std::byte> key, std::span<const std::byte> iv,
                                       std::span<const std::byte> cipher);

/// How many of the blocks of `cipher` are padding by PKCS #7, as its last block says: 1 to 16; 0 if it says
/// nothing sensible (a wrong key, or no padding).
std::size_t cbc_padding(ByteSource& cipher, std::span<const std::byte> key, std::span<const std::byte> iv);

/// The plain bytes of `cipher`, `size` of them (cut to its whole blocks), decrypted as they are read: any
/// place costs only itself and the block before it. Gaps of `cipher` are its own; a block whose cipher text
/// cannot be read decrypts to nothing that means anything.
std::unique_ptr<ByteSource> make_cbc_source(std::unique_ptr<ByteSource> cipher, SecretBytes key,
                                            std::span<const std::byte> iv, std::uint64_t size);

inline std::span<const std::byte> as_byte_span(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace touchstone

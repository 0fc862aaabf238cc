// Block ciphers and key derivation for encrypted volumes, by OpenSSL and libargon2. Keys live in KeyBytes,
// which wipes itself. One thread. A hostile header may ask for any amount of work: KeyWork bounds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone::crypt {

/// Bytes that are overwritten before their memory is given back.
class KeyBytes {
 public:
  KeyBytes() = default;
  explicit KeyBytes(std::size_t size) : bytes_(size) {}
  explicit KeyBytes(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  KeyBytes(const KeyBytes& other) = default;
  KeyBytes(KeyBytes&& other) noexcept = default;
  KeyBytes& operator=(const KeyBytes&) = delete;
  KeyBytes& operator=(KeyBytes&& other) noexcept;
  ~KeyBytes() { wipe(); }

  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::span<std::byte> span() { return bytes_; }
  std::span<const std::byte> span() const { return bytes_; }
  std::span<const std::byte> sub(std::size_t from, std::size_t count) const {
    return std::span(bytes_).subspan(from, count);
  }

 private:
  void wipe();
  std::vector<std::byte> bytes_;
};

/// How much key derivation one volume may cost. A unit is one round of SHA-256 or so, or one KiB filled by
/// Argon2: about half a microsecond.
class KeyWork {
 public:
  /// About half a minute: a worker's time for one unit of work is a minute by default.
  static constexpr std::uint64_t kMost = 40'000'000;
  /// Counts `units`; false if that would go beyond the bound, and then nothing may be derived.
  bool spend(std::uint64_t units);
  bool exhausted() const { return exhausted_; }

 private:
  std::uint64_t spent_ = 0;
  bool exhausted_ = false;
};

/// Digest of OpenSSL by its LUKS name (sha1, sha256, sha512, ripemd160, whirlpool …). Nothing if unknown.
std::optional<std::vector<std::byte>> digest(const std::string& name, std::span<const std::byte> bytes);
std::size_t digest_size(const std::string& name);  ///< 0 if unknown

/// PBKDF2 (RFC 8018). False if the digest is unknown.
bool pbkdf2(const std::string& digest, std::span<const std::byte> password, std::span<const std::byte> salt,
            std::uint32_t iterations, std::span<std::byte> key);

struct Argon2Cost {
  std::uint32_t passes = 0, memory_kib = 0, lanes = 0;
};
/// Argon2 1.3 (RFC 9106); `variant` is argon2i or argon2id. Error limit: its memory is not to be had.
Status argon2(const std::string& variant, const Argon2Cost& cost, std::span<const std::byte> password,
              std::span<const std::byte> salt, std::span<std::byte> key);

/// AES-256-CCM with a nonce of 12 and a tag of 16 bytes. Nothing if the tag does not fit.
std::optional<KeyBytes> open_ccm(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                 std::span<const std::byte> tag, std::span<const std::byte> sealed);

enum class Chaining { ecb, cbc, xts };

/// A block cipher with a fixed key that decrypts one sector at a time.
class SectorCipher {
 public:
  /// `cipher` is aes or camellia, the rest as in LUKS: for xts the key holds both halves. Null if there is no
  /// such cipher.
  static std::unique_ptr<SectorCipher> make(const std::string& cipher, Chaining chaining,
                                            std::span<const std::byte> key);
  ~SectorCipher();
  SectorCipher(const SectorCipher&) = delete;
  SectorCipher& operator=(const SectorCipher&) = delete;

  /// In place; `iv` has 16 bytes (unused by ecb), `bytes` a multiple of 16.
  void decrypt(std::span<const std::byte, 16> iv, std::span<std::byte> bytes);
  /// One block, for making an IV; only for a cipher of chaining ecb.
  void encrypt_block(std::span<std::byte, 16> block);

 private:
  struct State;
  explicit SectorCipher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace touchstone::crypt

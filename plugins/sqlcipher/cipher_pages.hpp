// Pages of a SQLCipher database whose raw key is known: AES-256-CBC, each page with its own IV and HMAC in a
// reserved part at its end (https://www.zetetic.net/sqlcipher/design/). The first 16 bytes of the file are
// the salt, from which the key of the HMAC is derived. Nothing is owned but the key; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace touchstone::sqlcipher {

using Key = std::array<std::uint8_t, 32>;

/// What differs between versions of SQLCipher.
struct Form {
  const char* digest;          ///< OpenSSL's name
  std::size_t page, reserved;  ///< bytes
};

class CipherPages {
 public:
  /// The form under which the first page, of at least 4,096 bytes, fits its HMAC; nothing if none does:
  /// another key, or no such database.
  static std::optional<CipherPages> open(std::span<const std::uint8_t> head, const Key& key);

  const Form& form() const { return form_; }
  /// The page as SQLite would have it without encryption, the reserved part zero. `number` counts from 1.
  /// Nothing if the page does not fit its HMAC.
  std::optional<std::vector<std::uint8_t>> page(std::span<const std::uint8_t> cipher,
                                                std::uint32_t number) const;

 private:
  CipherPages(const Form& form, const Key& key, std::span<const std::uint8_t> salt);
  bool fits(std::span<const std::uint8_t> cipher, std::uint32_t number, std::size_t from) const;

  Form form_;
  Key key_, mac_key_{};
};

}  // namespace touchstone::sqlcipher

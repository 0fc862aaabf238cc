// From a secret to the key of a BitLocker volume.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "filesystem/crypt_bitlocker.hpp"
#include "filesystem/crypt_bytes.hpp"

namespace touchstone::crypt {
namespace {

constexpr std::uint16_t kClearKey = 0x0000, kStartupKey = 0x0200, kRecovery = 0x0800, kPassword = 0x2000;
constexpr std::uint32_t kStretchRounds = 1U << 20;
constexpr std::size_t kStateDecrypted = 1;
constexpr std::size_t kDigest = 32;

KeyBytes sha256(std::span<const std::byte> bytes) {
  const auto out = digest("sha256", bytes);
  return out ? KeyBytes(*out) : KeyBytes(kDigest);
}

/// UTF-16LE of valid UTF-8; nothing otherwise.
std::optional<KeyBytes> utf16(std::string_view text) {
  std::vector<std::byte> out;
  const auto put = [&](std::uint32_t unit) {
    out.push_back(static_cast<std::byte>(unit & 255));
    out.push_back(static_cast<std::byte>(unit >> 8));
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80             ? 0
                             : (lead & 0xe0) == 0xc0 ? 1
                             : (lead & 0xf0) == 0xe0 ? 2
                             : (lead & 0xf8) == 0xf0 ? 3
                                                     : 4;
    if (more == 4 || i + more >= text.size()) return std::nullopt;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return std::nullopt;
      code = code << 6 | (next & 0x3f);
    }
    if (code >= 0x110000) return std::nullopt;
    if (code >= 0x10000) {
      put(0xd800 + ((code - 0x10000) >> 10));
      put(0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      put(code);
    }
    i += more + 1;
  }
  KeyBytes wide{std::span<const std::byte>(out)};
  std::fill(out.begin(), out.end(), std::byte{0});
  return wide;
}

/// BitLocker's slow hash: each round takes the last result, the first one, the salt and a counter.
std::optional<KeyBytes> stretch(const KeyBytes& first, const std::array<std::byte, 16>& salt) {
  struct Closer {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Closer> context(EVP_MD_CTX_new());
  KeyBytes block(kDigest + kDigest + 16 + 8);
  const std::span<std::byte> bytes = block.span();
  std::copy(first.span().begin(), first.span().end(), bytes.begin() + kDigest);
  std::copy(salt.begin(), salt.end(), bytes.begin() + 2 * kDigest);
  auto* last = reinterpret_cast<unsigned char*>(bytes.data());
  for (std::uint32_t round = 0; round < kStretchRounds; ++round) {
    for (std::size_t i = 0; i < 4; ++i) bytes[2 * kDigest + 16 + i] = static_cast<std::byte>(round >> 8 * i);
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), last, nullptr) != 1)
      return std::nullopt;
  }
  return KeyBytes(block.sub(0, kDigest));
}

/// A sealed key holds an entry: 8 bytes of header, 4 of method, the key.
std::optional<KeyBytes> unseal(const std::optional<SealedKey>& sealed, std::span<const std::byte> key) {
  if (!sealed) return std::nullopt;
  const auto plain = open_ccm(key, sealed->nonce, sealed->tag, sealed->bytes);
  if (!plain || plain->size() <= 12) return std::nullopt;
  return KeyBytes(plain->sub(12, plain->size() - 12));
}

/// The key in a .BEK file, and the identifier of the protector that it belongs to.
struct StartupKey {
  std::string id;
  KeyBytes key;
};
std::optional<StartupKey> startup_key(std::string_view text) {
  constexpr std::size_t kHeader = 48, kEntry = 8, kExternal = 16 + 8;
  const auto file = hex_bytes(text);
  const std::span<const std::byte> bytes = file;
  if (bytes.size() < kHeader + kEntry + kExternal || little32(bytes, 0) > bytes.size() ||
      little32(bytes, 8) != kHeader)
    return std::nullopt;
  const std::size_t end = kHeader + std::min<std::size_t>(little16(bytes, kHeader), bytes.size() - kHeader);
  for (std::size_t at = kHeader + kEntry + kExternal; at + kEntry <= end;) {
    const std::size_t size = little16(bytes, at);
    if (size < kEntry || size > end - at) break;
    if (little16(bytes, at + 4) == 1 && size == kEntry + 4 + 32)
      return StartupKey{guid_text(bytes, kHeader + kEntry), KeyBytes(bytes.subspan(at + kEntry + 4, 32))};
    at += size;
  }
  return std::nullopt;
}

/// Tries one volume's protectors with one candidate after the other.
class Unlocker {
 public:
  explicit Unlocker(const BitLockerVolume& volume) : volume_(volume) {}

  std::optional<BitLockerKey> with_clear_key() {
    for (const Protector& one : volume_.protectors) {
      if (one.type != kClearKey || !one.clear_key) continue;
      if (auto key = volume_key(one, one.clear_key->span())) return key;
    }
    return std::nullopt;
  }

  std::optional<BitLockerKey> with(const std::string& candidate) {
    if (auto key = recovery_key(candidate)) return stretched(kRecovery, sha256(key->span()));
    if (const auto file = startup_key(candidate)) {
      for (const Protector& one : volume_.protectors) {
        if (one.type != kStartupKey || one.id != file->id) continue;
        if (auto key = volume_key(one, file->key.span())) return key;
      }
      return std::nullopt;
    }
    const auto wide = utf16(candidate);
    if (!wide) return std::nullopt;
    return stretched(kPassword, sha256(sha256(wide->span()).span()));
  }

  bool too_costly() const { return work_.exhausted(); }

 private:
  std::optional<BitLockerKey> stretched(std::uint16_t type, const KeyBytes& first) {
    for (const Protector& one : volume_.protectors) {
      if (one.type != type || !one.has_salt || !one.master_key) continue;
      if (!work_.spend(kStretchRounds)) return std::nullopt;
      const auto key = stretch(first, one.salt);
      if (!key) continue;
      if (auto found = volume_key(one, key->span())) return found;
    }
    return std::nullopt;
  }

  std::optional<BitLockerKey> volume_key(const Protector& one, std::span<const std::byte> key) {
    const auto master = unseal(one.master_key, key);
    if (!master) return std::nullopt;
    auto found = unseal(volume_.volume_key, master->span());
    if (!found) return std::nullopt;
    const std::string by = one.type == kClearKey ? "without a secret: protection is suspended (clear key)"
                                                 : "with " + protector_text(one);
    return BitLockerKey{std::move(*found), bitlocker_name(volume_) + ", opened " + by};
  }

  const BitLockerVolume& volume_;
  KeyWork work_;
};

}  // namespace

std::optional<KeyBytes> recovery_key(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
    } else if ((c != '-' && c != ' ') || digits.size() % 6 != 0) {
      return std::nullopt;
    }
  }
  if (digits.size() != 48) return std::nullopt;
  KeyBytes key(16);
  for (std::size_t group = 0; group < 8; ++group) {
    std::uint32_t value = 0;
    const char* from = digits.data() + 6 * group;
    std::from_chars(from, from + 6, value);
    if (value % 11 != 0 || value / 11 > 0xffff) return std::nullopt;
    key.span()[2 * group] = static_cast<std::byte>(value / 11 & 255);
    key.span()[2 * group + 1] = static_cast<std::byte>(value / 11 >> 8);
  }
  OPENSSL_cleanse(digits.data(), digits.size());
  return key;
}

Result<BitLockerKey> unlock_bitlocker(const BitLockerVolume& volume, const Secrets& secrets) {
  if (volume.state == kStateDecrypted || (volume.encrypted_size == 0 && volume.version == 2))
    return BitLockerKey{KeyBytes(), "BitLocker volume that was decrypted"};
  Unlocker unlocker(volume);
  if (auto key = unlocker.with_clear_key()) return std::move(*key);
  const std::string what = describe_bitlocker(volume).reason;
  for (std::size_t i = 0; i < secrets.candidates.size(); ++i) {
    if (auto key = unlocker.with(secrets.candidates[i])) return std::move(*key);
    if (unlocker.too_costly()) {
      return Error{ErrorCode::limit,
                   fmt::format("{}; only the first {} of {} candidates were tried: deriving more keys would "
                               "take too long",
                               what, i, secrets.candidates.size())};
    }
  }
  return Error{ErrorCode::encrypted,
               what + (secrets.candidates.empty()
                           ? "; needs one of these"
                           : fmt::format("; none of {} candidates opens it", secrets.candidates.size()))};
}

}  // namespace touchstone::crypt

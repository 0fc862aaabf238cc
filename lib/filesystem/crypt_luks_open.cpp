// From a passphrase to the plain bytes of a LUKS volume.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "filesystem/crypt_bytes.hpp"
#include "filesystem/crypt_luks.hpp"
#include "filesystem/crypt_source.hpp"

namespace touchstone::crypt {
namespace {

// Argon2 as cryptsetup chooses it takes at most 1 GiB and four lanes.
constexpr std::uint32_t kMaxArgonMemoryKib = 1U << 20, kMaxLanes = 64;

/// Decrypts sectors as dm-crypt numbers them.
class LuksSectors {
 public:
  static std::unique_ptr<LuksSectors> make(const LuksCipher& cipher, std::span<const std::byte> key) {
    auto made = std::unique_ptr<LuksSectors>(new LuksSectors);
    made->kind_ = cipher.iv;
    if (!cipher.known) return nullptr;
    made->cipher_ = SectorCipher::make(cipher.name, cipher.chaining, key);
    if (cipher.iv == LuksCipher::Iv::essiv) {
      const auto salt = digest(cipher.essiv_hash, key);
      if (salt) made->iv_cipher_ = SectorCipher::make(cipher.name, Chaining::ecb, *salt);
      if (!made->iv_cipher_) return nullptr;
    }
    return made->cipher_ ? std::move(made) : nullptr;
  }

  /// `number` counts units of 512 bytes.
  void decrypt(std::uint64_t number, std::span<std::byte> sector) {
    std::array<std::byte, 16> iv = {};
    const std::size_t bytes = kind_ == LuksCipher::Iv::plain ? 4 : 8;
    for (std::size_t i = 0; kind_ != LuksCipher::Iv::none && i < bytes; ++i)
      iv[kind_ == LuksCipher::Iv::plain64be ? 15 - i : i] = static_cast<std::byte>(number >> 8 * i);
    if (iv_cipher_) iv_cipher_->encrypt_block(iv);
    cipher_->decrypt(iv, sector);
  }

 private:
  LuksSectors() = default;
  LuksCipher::Iv kind_ = LuksCipher::Iv::none;
  std::unique_ptr<SectorCipher> cipher_, iv_cipher_;
};

/// One stripe mixed: each piece of a digest's size becomes the digest of its number and itself.
bool diffuse(const std::string& hash, std::span<std::byte> stripe) {
  const std::size_t size = digest_size(hash);
  if (size == 0) return false;
  for (std::size_t piece = 0; piece * size < stripe.size(); ++piece) {
    const std::span<std::byte> part =
        stripe.subspan(piece * size, std::min(size, stripe.size() - piece * size));
    std::vector<std::byte> numbered(4 + part.size());
    for (std::size_t i = 0; i < 4; ++i) numbered[i] = static_cast<std::byte>(piece >> 8 * (3 - i));
    std::copy(part.begin(), part.end(), numbered.begin() + 4);
    const auto mixed = digest(hash, numbered);
    OPENSSL_cleanse(numbered.data(), numbered.size());
    if (!mixed) return false;
    std::copy_n(mixed->begin(), part.size(), part.begin());
  }
  return true;
}

/// The anti-forensic splitter undone.
std::optional<KeyBytes> merge(const LuksSlot& slot, std::span<const std::byte> material) {
  KeyBytes key(slot.key_size);
  const std::span<std::byte> out = key.span();
  for (std::uint32_t stripe = 0; stripe < slot.stripes; ++stripe) {
    if (stripe > 0 && !diffuse(slot.split_hash, out)) return std::nullopt;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= material[std::size_t{stripe} * slot.key_size + i];
  }
  return key;
}

class LuksUnlocker {
 public:
  LuksUnlocker(ByteSource& base, const LuksVolume& volume) : base_(base), volume_(volume) {}

  /// The volume's key, or nothing: `stopped` says if that is not for want of the right passphrase.
  std::optional<KeyBytes> try_slot(const LuksSlot& slot, const std::string& passphrase) {
    const std::span<const std::byte> password = std::as_bytes(std::span(passphrase));
    KeyBytes area_key(slot.area_key_size);
    if (!derive(slot, password, area_key.span())) return std::nullopt;
    const auto sectors = LuksSectors::make(slot.area_cipher, area_key.span());
    if (!sectors) {
      note(ErrorCode::unsupported,
           fmt::format("key slot {}: {} is not read", slot.number, slot.area_cipher.text));
      return std::nullopt;
    }
    const std::size_t needed = std::size_t{slot.key_size} * slot.stripes;
    KeyBytes material(read_exactly(base_, slot.area_offset, (needed + 511) / 512 * 512));
    if (material.empty()) {
      note(ErrorCode::corrupt, fmt::format("key slot {}: its key material cannot be read", slot.number));
      return std::nullopt;
    }
    for (std::size_t at = 0; at < material.size(); at += 512)
      sectors->decrypt(at / 512, material.span().subspan(at, 512));
    auto key = merge(slot, material.span());
    if (!key) {
      note(ErrorCode::unsupported,
           fmt::format("key slot {}: the hash {} is not known", slot.number, slot.split_hash));
      return std::nullopt;
    }
    return is_right(slot, key->span()) ? std::move(key) : std::nullopt;
  }

  bool too_costly() const { return work_.exhausted(); }
  const std::optional<Error>& trouble() const { return trouble_; }

 private:
  bool derive(const LuksSlot& slot, std::span<const std::byte> password, std::span<std::byte> key) {
    if (slot.kdf == "pbkdf2") {
      if (!affordable(slot.hash, slot.iterations, key.size())) return false;
      if (pbkdf2(slot.hash, password, slot.salt, static_cast<std::uint32_t>(slot.iterations), key))
        return true;
      note(ErrorCode::unsupported,
           fmt::format("key slot {}: PBKDF2 with {} is not known", slot.number, slot.hash));
      return false;
    }
    if (slot.kdf != "argon2i" && slot.kdf != "argon2id") {
      note(ErrorCode::unsupported, fmt::format("key slot {}: {} is not known", slot.number, slot.kdf));
      return false;
    }
    if (slot.cost.memory_kib > kMaxArgonMemoryKib || slot.cost.lanes > kMaxLanes) {
      note(ErrorCode::limit,
           fmt::format("key slot {}: asks for {} KiB and {} lanes of Argon2; at most {} KiB "
                       "and {} lanes are given",
                       slot.number, slot.cost.memory_kib, slot.cost.lanes, kMaxArgonMemoryKib, kMaxLanes));
      return false;
    }
    if (!work_.spend(std::uint64_t{slot.cost.memory_kib} * slot.cost.passes)) return false;
    const Status done = argon2(slot.kdf, slot.cost, password, slot.salt, key);
    if (!done) note(done.error().code, fmt::format("key slot {}: {}", slot.number, done.error().message));
    return static_cast<bool>(done);
  }

  /// PBKDF2 repeats its rounds for each piece of the digest's size.
  bool affordable(const std::string& hash, std::uint64_t iterations, std::size_t size) {
    const std::size_t piece = std::max<std::size_t>(digest_size(hash), 1);
    if (iterations > KeyWork::kMost) {
      work_.spend(KeyWork::kMost + 1);
      return false;
    }
    return work_.spend(iterations * ((size + piece - 1) / piece));
  }

  bool is_right(const LuksSlot& slot, std::span<const std::byte> key) {
    for (const LuksDigest& known : volume_.digests) {
      if (!known.slots.empty() &&
          std::find(known.slots.begin(), known.slots.end(), slot.number) == known.slots.end())
        continue;
      if (known.digest.empty() || known.digest.size() > 64 ||
          !affordable(known.hash, known.iterations, known.digest.size()))
        continue;
      KeyBytes made(known.digest.size());
      if (pbkdf2(known.hash, key, known.salt, static_cast<std::uint32_t>(known.iterations), made.span()) &&
          std::equal(made.span().begin(), made.span().end(), known.digest.begin()))
        return true;
    }
    return false;
  }

  void note(ErrorCode code, std::string message) {
    if (!trouble_) trouble_ = Error{code, to_text_safely(std::move(message))};
  }
  static std::string to_text_safely(std::string message) {
    // Names of hashes come from the header.
    std::replace_if(
        message.begin(), message.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return message;
  }

  ByteSource& base_;
  const LuksVolume& volume_;
  KeyWork work_;
  std::optional<Error> trouble_;
};

class LuksSource : public DecryptedSource {
 public:
  LuksSource(std::unique_ptr<ByteSource> base, const LuksVolume& volume, std::uint64_t size,
             std::unique_ptr<LuksSectors> sectors)
      : DecryptedSource(std::move(base), volume.offset, size, volume.sector_size),
        offset_(volume.offset),
        tweak_(volume.iv_tweak),
        sectors_(std::move(sectors)) {}

 private:
  Status decrypt_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (const auto got = base().read_at(offset_ + offset, out); !got) return got.error();
    for (std::size_t at = 0; at + sector_size() <= out.size(); at += sector_size())
      sectors_->decrypt(tweak_ + (offset + at) / 512, out.subspan(at, sector_size()));
    return {};
  }

  std::uint64_t offset_, tweak_;
  std::unique_ptr<LuksSectors> sectors_;
};

}  // namespace

Result<Unlocked> open_luks(std::unique_ptr<ByteSource> base, const LuksVolume& volume,
                           const Secrets& secrets) {
  const std::string what = describe_luks(volume).reason;
  if (secrets.candidates.empty()) return Error{ErrorCode::encrypted, what + "; needs its passphrase"};
  if (!volume.unreadable.empty()) return Error{ErrorCode::unsupported, what};
  if (!volume.cipher.known)
    return Error{ErrorCode::unsupported, what + "; the cipher " + volume.cipher.text + " is not read"};
  const std::uint32_t sector = volume.sector_size;
  if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 || volume.offset > base->size())
    return Error{ErrorCode::corrupt, what + "; its data does not lie within the volume"};
  LuksUnlocker unlocker(*base, volume);
  for (std::size_t i = 0; i < secrets.candidates.size(); ++i) {
    for (const LuksSlot& slot : volume.slots) {
      auto key = unlocker.try_slot(slot, secrets.candidates[i]);
      if (unlocker.too_costly()) {
        return Error{ErrorCode::limit,
                     fmt::format("{}; only the first {} of {} candidates were tried: deriving "
                                 "more keys would take too long",
                                 what, i, secrets.candidates.size())};
      }
      if (!key) continue;
      auto sectors = LuksSectors::make(volume.cipher, key->span());
      if (!sectors) return Error{ErrorCode::unsupported, what + "; its key does not fit its cipher"};
      const std::uint64_t rest = base->size() - volume.offset;
      const std::uint64_t size = std::min(volume.size.value_or(rest), rest) / sector * sector;
      Unlocked opened;
      opened.bytes = std::make_unique<LuksSource>(std::move(base), volume, size, std::move(sectors));
      opened.how = fmt::format("{}, opened with key slot {}", luks_name(volume), slot.number);
      return opened;
    }
  }
  if (unlocker.trouble()) return Error{unlocker.trouble()->code, what + "; " + unlocker.trouble()->message};
  return Error{ErrorCode::encrypted,
               fmt::format("{}; none of {} candidates opens it", what, secrets.candidates.size())};
}

}  // namespace touchstone::crypt

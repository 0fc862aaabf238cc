// The plain sectors of a BitLocker volume.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "filesystem/crypt_bitlocker.hpp"
#include "filesystem/crypt_bytes.hpp"
#include "filesystem/crypt_source.hpp"

namespace touchstone::crypt {
namespace {

constexpr std::uint64_t kRegion = 65536;
constexpr std::uint64_t kVistaPlain = 16 * 512;  ///< Vista leaves the first sectors as they are
constexpr std::uint16_t kFirstMethod = 0x8000, kFirstXts = 0x8004, kLastMethod = 0x8005;

/// The Elephant diffuser undone, on words as they lie in the sector (Ferguson 2006, section 4.2).
class Diffuser {
 public:
  void undo(std::span<std::byte> sector, std::span<const std::byte, 32> sector_key) {
    words_.resize(sector.size() / 4);
    std::memcpy(words_.data(), sector.data(), sector.size());
    constexpr std::array<int, 4> kA = {9, 0, 13, 0}, kB = {0, 10, 0, 25};
    const std::size_t n = words_.size();
    for (int cycle = 0; cycle < 3; ++cycle) {
      for (std::size_t i = 0; i < n; ++i)
        words_[i] += words_[(i + 2) % n] ^ std::rotl(words_[(i + 5) % n], kB[i % 4]);
    }
    for (int cycle = 0; cycle < 5; ++cycle) {
      for (std::size_t i = 0; i < n; ++i)
        words_[i] += words_[(i + n - 2) % n] ^ std::rotl(words_[(i + n - 5) % n], kA[i % 4]);
    }
    std::memcpy(sector.data(), words_.data(), sector.size());
    for (std::size_t i = 0; i < sector.size(); ++i) sector[i] ^= sector_key[i % sector_key.size()];
  }

 private:
  std::vector<std::uint32_t> words_;
};
static_assert(std::endian::native == std::endian::little, "the diffuser works on little-endian words");

/// The sector ciphers of the six methods.
class BitLockerCipher {
 public:
  /// Null if the key does not have the size that the method wants.
  static std::unique_ptr<BitLockerCipher> make(std::uint16_t method, const KeyBytes& key,
                                               std::size_t sector_size) {
    auto made = std::unique_ptr<BitLockerCipher>(new BitLockerCipher);
    made->sector_size_ = sector_size;
    if (method >= kFirstXts) {
      made->xts_ = true;
      const std::size_t size = method == kFirstXts ? 32 : 64;
      if (key.size() < size) return nullptr;
      made->sectors_ = SectorCipher::make("aes", Chaining::xts, key.sub(0, size));
      return made->sectors_ ? std::move(made) : nullptr;
    }
    const std::size_t size = method % 2 == 0 ? 16 : 32;
    const bool diffuser = method < kFirstMethod + 2;
    // With the diffuser the second key begins at byte 32, also where both are shorter.
    if (key.size() < (diffuser ? 32 + size : size)) return nullptr;
    made->sectors_ = SectorCipher::make("aes", Chaining::cbc, key.sub(0, size));
    made->ivs_ = SectorCipher::make("aes", Chaining::ecb, key.sub(0, size));
    if (diffuser) made->tweaks_ = SectorCipher::make("aes", Chaining::ecb, key.sub(32, size));
    if (!made->sectors_ || !made->ivs_ || (diffuser && !made->tweaks_)) return nullptr;
    return made;
  }

  /// `offset` is where the sector lies on the volume.
  void decrypt(std::uint64_t offset, std::span<std::byte> sector) {
    std::array<std::byte, 16> iv = number(xts_ ? offset / sector_size_ : offset);
    if (!xts_) ivs_->encrypt_block(iv);
    sectors_->decrypt(iv, sector);
    if (!tweaks_) return;
    std::array<std::byte, 32> key = {};
    std::array<std::byte, 16> half = number(offset);
    tweaks_->encrypt_block(half);
    std::copy(half.begin(), half.end(), key.begin());
    half = number(offset);
    half[15] = std::byte{0x80};
    tweaks_->encrypt_block(half);
    std::copy(half.begin(), half.end(), key.begin() + 16);
    diffuser_.undo(sector, key);
  }

 private:
  BitLockerCipher() = default;
  static std::array<std::byte, 16> number(std::uint64_t value) {
    std::array<std::byte, 16> bytes = {};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(value >> 8 * i);
    return bytes;
  }

  std::size_t sector_size_ = 512;
  bool xts_ = false;
  std::unique_ptr<SectorCipher> sectors_, ivs_, tweaks_;
  Diffuser diffuser_;
};

class BitLockerSource : public DecryptedSource {
 public:
  /// A null cipher: nothing is encrypted any more.
  BitLockerSource(std::unique_ptr<ByteSource> base, const BitLockerVolume& volume,
                  std::unique_ptr<BitLockerCipher> cipher, std::uint64_t size)
      : DecryptedSource(std::move(base), 0, size, volume.sector_size), cipher_(std::move(cipher)) {
    version_ = volume.version;
    mft_mirror_ = volume.mft_mirror;
    header_offset_ = volume.header_offset;
    header_size_ = volume.version == 1 ? 0 : volume.header_size;
    encrypted_size_ = volume.encrypted_size;
    blocks_ = volume.blocks;
    plain_ = volume.plain;
  }

 private:
  Status decrypt_at(std::uint64_t offset, std::span<std::byte> out) override {
    // Runs of sectors of one kind: moved ones, the others.
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done;
      std::uint64_t run = out.size() - done;
      std::uint64_t from = at;
      if (at < header_size_) {
        from = header_offset_ + at;
        run = std::min<std::uint64_t>(run, header_size_ - at);
      }
      const std::span<std::byte> part = out.subspan(done, run);
      if (const auto got = base().read_at(from, part); !got) return got.error();
      decrypt_run(from, part);
      done += run;
    }
    if (version_ == 1 && offset < 512) restore_vista_boot(out);
    blank_metadata(offset, out);
    return {};
  }

  void decrypt_run(std::uint64_t from, std::span<std::byte> part) {
    if (!cipher_) return;
    for (std::size_t i = 0; i + sector_size() <= part.size(); i += sector_size()) {
      const std::uint64_t at = from + i;
      if (at >= encrypted_size_ || (version_ == 1 && at < kVistaPlain) || is_plain(at)) continue;
      cipher_->decrypt(at, part.subspan(i, sector_size()));
    }
  }

  bool is_plain(std::uint64_t at) const {
    const auto next = std::upper_bound(plain_.begin(), plain_.end(), at,
                                       [](std::uint64_t a, const PlainRange& b) { return a < b.offset; });
    return next != plain_.begin() && at - std::prev(next)->offset < std::prev(next)->length;
  }

  /// NTFS's name and the cluster of the MFT's mirror, which BitLocker wrote over.
  void restore_vista_boot(std::span<std::byte> boot) const {
    if (boot.size() < 512) return;
    std::memcpy(boot.data() + 3, "NTFS    ", 8);
    for (std::size_t i = 0; i < 8; ++i) boot[56 + i] = static_cast<std::byte>(mft_mirror_ >> 8 * i);
  }

  /// The regions of BitLocker's own read as zeros, as Windows shows them.
  void blank_metadata(std::uint64_t offset, std::span<std::byte> out) const {
    const std::uint64_t region = version_ == 1 ? kRegion / 4 : kRegion;
    for (const std::uint64_t block : blocks_) {
      const std::uint64_t from = std::max(block, offset);
      const std::uint64_t to = std::min(block + region, offset + out.size());
      if (from < to) std::memset(out.data() + (from - offset), 0, to - from);
    }
  }

  std::unique_ptr<BitLockerCipher> cipher_;
  std::uint16_t version_ = 2;
  std::uint64_t mft_mirror_ = 0, header_offset_ = 0, header_size_ = 0, encrypted_size_ = 0;
  std::array<std::uint64_t, 3> blocks_ = {};
  std::vector<PlainRange> plain_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_bitlocker(std::unique_ptr<ByteSource> base,
                                                   const BitLockerVolume& volume, const KeyBytes& key) {
  std::unique_ptr<BitLockerCipher> cipher;
  if (!key.empty()) {
    if (volume.method < kFirstMethod || volume.method > kLastMethod) {
      return Error{ErrorCode::unsupported, bitlocker_name(volume) + ": this method is not read"};
    }
    cipher = BitLockerCipher::make(volume.method, key, volume.sector_size);
    if (!cipher) return Error{ErrorCode::corrupt, bitlocker_name(volume) + ": its key has the wrong size"};
  }
  const std::uint64_t size = base->size();
  if (volume.version == 2 && (volume.header_size > kRegion || volume.header_offset > size))
    return Error{ErrorCode::corrupt, bitlocker_name(volume) + ": its moved first sectors lie beyond its end"};
  return std::unique_ptr<ByteSource>(
      std::make_unique<BitLockerSource>(std::move(base), volume, std::move(cipher), size));
}

}  // namespace touchstone::crypt

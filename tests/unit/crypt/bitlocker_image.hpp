// Builds BitLocker volumes around a plain one, after Joachim Metz's format document: three copies of the
// metadata, a protector with a clear key or with a stretched one, and the first sectors moved.
#pragma once

#include <zlib.h>

#include "evidence/byte_source.hpp"
#include "unit/crypt/sealing.hpp"

namespace touchstone::test {

class BitLockerImage {
 public:
  static constexpr std::size_t kRegion = 65536, kHeaderSize = 8192;

  std::uint16_t method = 0x8004;
  std::uint16_t protector_type = 0;  ///< clear key
  Bytes protector_key = Bytes(32, std::byte{0x11});
  Bytes salt;  ///< of a stretched key
  std::uint16_t state = 4;
  std::uint64_t encrypted_size = 0;  ///< 0: all

  /// `plain` has free space where BitLocker's own regions go: behind its end.
  Bytes build(const Bytes& plain) const {
    const std::size_t end = (plain.size() + kRegion - 1) / kRegion * kRegion;
    Bytes volume = plain;
    volume.resize(end + 4 * kRegion);
    const std::size_t header_at = end + 3 * kRegion;
    std::copy_n(plain.begin(), kHeaderSize, volume.begin() + static_cast<std::ptrdiff_t>(header_at));
    const std::uint64_t until = encrypted_size == 0 ? volume.size() : encrypted_size;
    if (state != 1) {
      for (std::size_t at = kHeaderSize; at < volume.size() && at < until; at += 512)
        encrypt_sector(volume, at);
    }
    const Bytes metadata = block(end, header_at, until);
    for (std::size_t i = 0; i < 3; ++i)
      std::copy(metadata.begin(), metadata.end(),
                volume.begin() + static_cast<std::ptrdiff_t>(end + i * kRegion));
    std::fill_n(volume.begin(), kHeaderSize, std::byte{0});
    put(volume, 0, std::string_view("\xeb\x58\x90-FVE-FS-", 11));
    put(volume, 11, 512, 2);
    put(volume, 160,
        std::string_view("\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", 16));
    for (std::size_t i = 0; i < 3; ++i) put(volume, 176 + 8 * i, end + i * kRegion, 8);
    put(volume, 510, 0xaa55, 2);
    return volume;
  }

  /// Where the I-th copy of the metadata of a volume built from `plain` begins.
  static std::size_t copy_at(const Bytes& plain, std::size_t i) {
    return (plain.size() + kRegion - 1) / kRegion * kRegion + i * kRegion;
  }

 private:
  Bytes volume_key() const {
    return Bytes(method == 0x8005 ? 64 : method == 0x8002 ? 16 : 32, std::byte{0x5a});
  }
  static Bytes varied(Bytes key) {
    for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= static_cast<std::byte>(i);
    return key;
  }

  void encrypt_sector(Bytes& volume, std::size_t at) const {
    const Bytes key = varied(volume_key());
    const std::span<std::byte> sector = std::span(volume).subspan(at, 512);
    if (method >= 0x8004) {
      encrypt(method == 0x8004 ? EVP_aes_128_xts() : EVP_aes_256_xts(), key, number16(at / 512), sector);
      return;
    }
    Bytes iv = number16(at);
    encrypt(method == 0x8002 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), key, Bytes(16), iv);
    encrypt(method == 0x8002 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), key, iv, sector);
  }

  static Bytes entry(std::uint16_t type, std::uint16_t value_type, const Bytes& data) {
    Bytes bytes(8);
    put(bytes, 0, 8 + data.size(), 2);
    put(bytes, 2, type, 2);
    put(bytes, 4, value_type, 2);
    put(bytes, 6, 1, 2);
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
  }
  static void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

  static Bytes sealed(const Bytes& by, const Bytes& key, std::uint64_t counter) {
    Bytes method_and_key(4);
    append(method_and_key, key);
    Bytes nonce(12);
    put(nonce, 0, counter, 8);
    Bytes data = nonce;
    append(data, seal(by, nonce, entry(0, 1, method_and_key)));
    return data;
  }

  Bytes block(std::size_t first, std::size_t header_at, std::uint64_t until) const {
    const Bytes master(32, std::byte{0x22});
    Bytes protector(28);
    for (std::size_t i = 0; i < 16; ++i) protector[i] = static_cast<std::byte>(i);
    put(protector, 26, protector_type, 2);
    if (salt.empty()) {
      Bytes clear(4);
      append(clear, protector_key);
      append(protector, entry(0, 1, clear));
    } else {
      Bytes stretch(4);
      append(stretch, salt);
      append(protector, entry(0, 3, stretch));
    }
    append(protector, entry(0, 5, sealed(protector_key, master, 1)));
    Bytes entries = entry(2, 8, protector);
    append(entries, entry(3, 5, sealed(master, varied(volume_key()), 2)));
    append(entries, entry(7, 2, to_utf16("Evidence disk")));

    Bytes bytes(64 + 48);
    put(bytes, 0, "-FVE-FS-");
    put(bytes, 10, 2, 2);
    put(bytes, 12, state, 2);
    put(bytes, 16, until, 8);
    put(bytes, 28, kHeaderSize / 512, 4);
    for (std::size_t i = 0; i < 3; ++i) put(bytes, 32 + 8 * i, first + i * kRegion, 8);
    put(bytes, 56, header_at, 8);
    put(bytes, 64, 48 + entries.size(), 4);
    put(bytes, 64 + 8, 48, 4);
    for (std::size_t i = 0; i < 16; ++i) put(bytes, 64 + 16 + i, 0xf0 + i, 1);
    put(bytes, 64 + 36, method, 2);
    append(bytes, entries);
    bytes.resize((bytes.size() + 15) / 16 * 16);
    put(bytes, 8, bytes.size() / 16, 2);
    const auto sum = crc32(0, raw(bytes.data()), static_cast<uInt>(bytes.size()));
    bytes.resize(bytes.size() + 8);
    put(bytes, bytes.size() - 4, sum, 4);
    return bytes;
  }

  static Bytes to_utf16(std::string_view text) {
    Bytes bytes;
    for (const char c : text) {
      bytes.push_back(static_cast<std::byte>(c));
      bytes.push_back(std::byte{0});
    }
    bytes.resize(bytes.size() + 2);
    return bytes;
  }
};

}  // namespace touchstone::test

// BitLocker's metadata, its key protectors and its plain bytes.
// Format: Joachim Metz, "BitLocker Drive Encryption (BDE) format specification"; Niels Ferguson, "AES-CBC +
// Elephant diffuser" (2006). All sizes are checked against the block that holds them. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "filesystem/crypt.hpp"
#include "filesystem/crypt_cipher.hpp"

namespace touchstone::crypt {

/// Sealed by AES-256-CCM.
struct SealedKey {
  std::array<std::byte, 12> nonce = {};
  std::array<std::byte, 16> tag = {};
  std::vector<std::byte> bytes;
};

struct PlainRange {
  std::uint64_t offset = 0, length = 0;
};

/// One way to the volume's master key.
struct Protector {
  std::string id;          ///< "{…}", lower case: what a recovery key is filed under
  std::uint16_t type = 0;  ///< 0 clear key, 0x0100 TPM, 0x0800 recovery password, 0x2000 password …
  std::array<std::byte, 16> salt = {};
  bool has_salt = false;
  std::optional<KeyBytes> clear_key;
  std::optional<SealedKey> master_key;
};

struct BitLockerVolume {
  std::uint16_t version = 2;  ///< 1: Windows Vista
  bool to_go = false;         ///< behind a FAT volume for computers without BitLocker
  bool on_write = false;      ///< used space only: FVE-EOW structures
  std::uint16_t state = 0;    ///< 1 decrypted, 2 being converted, 4 encrypted, 5 paused
  std::uint16_t method = 0;   ///< 0x8000 …
  std::uint32_t sector_size = 512;
  std::uint64_t encrypted_size = 0;  ///< bytes from the start that are encrypted
  std::uint64_t header_offset = 0;   ///< where the first sectors were moved
  std::uint64_t header_size = 0;
  std::uint64_t mft_mirror = 0;  ///< Vista: its cluster, overwritten in the first sector
  std::array<std::uint64_t, 3> blocks = {};
  std::array<std::uint64_t, 2> on_write_blocks = {};
  std::vector<PlainRange> plain;  ///< not encrypted yet; ascending, apart
  std::string id, description;
  std::int64_t created = 0;  ///< FILETIME
  std::vector<Protector> protectors;
  std::optional<SealedKey> volume_key;
};

bool is_bitlocker(ByteSource& volume);
/// Errors: corrupt (none of the three copies of the metadata can be read).
Result<BitLockerVolume> read_bitlocker(ByteSource& volume);
/// "BitLocker (Windows 7 or later), AES-XTS 128; …".
std::string bitlocker_name(const BitLockerVolume& volume);
/// "recovery password {…}".
std::string protector_text(const Protector& one);
VolumeSignature describe_bitlocker(const BitLockerVolume& volume);

/// The key that the sectors are encrypted with, and how it was come by.
struct BitLockerKey {
  KeyBytes key;  ///< empty for a volume that is decrypted
  std::string how;
};
Result<BitLockerKey> unlock_bitlocker(const BitLockerVolume& volume, const Secrets& secrets);
/// Plain bytes of `base`.
Result<std::unique_ptr<ByteSource>> open_bitlocker(std::unique_ptr<ByteSource> base,
                                                   const BitLockerVolume& volume, const KeyBytes& key);

/// The 16 bytes that a recovery password of 8 groups of 6 digits stands for; groups may be apart by "-" or a
/// space, or not at all. Nothing if it is none (each group is a multiple of 11).
std::optional<KeyBytes> recovery_key(std::string_view text);

}  // namespace touchstone::crypt

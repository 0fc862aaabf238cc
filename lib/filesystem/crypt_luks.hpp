// LUKS1 and LUKS2: headers, key slots and plain bytes.
// Format: Clemens Fruhwirth, "LUKS On-Disk Format Specification" 1.2.3; Milan Brož, "LUKS2 On-Disk Format
// Specification" 1.1.1. Every number of a header is bounded before it is used. One thread.
#pragma once

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

/// "aes-xts-plain64" taken apart.
struct LuksCipher {
  std::string text;
  std::string name;  ///< aes
  Chaining chaining = Chaining::xts;
  enum class Iv { none, plain, plain64, plain64be, essiv } iv = Iv::plain64;
  std::string essiv_hash;
  bool known = false;  ///< we can decrypt it
};
LuksCipher parse_luks_cipher(const std::string& name, const std::string& mode);

struct LuksSlot {
  int number = 0;
  std::string kdf;  ///< pbkdf2, argon2i, argon2id
  std::string hash;
  std::uint64_t iterations = 0;
  Argon2Cost cost;
  std::vector<std::byte> salt;
  std::uint64_t area_offset = 0;  ///< from the start of the volume
  std::uint32_t stripes = 0;
  std::string split_hash;
  std::uint32_t key_size = 0, area_key_size = 0;
  LuksCipher area_cipher;
};

/// Tells whether a key is the right one.
struct LuksDigest {
  std::string hash;
  std::uint64_t iterations = 0;
  std::vector<std::byte> salt, digest;
  std::vector<int> slots;  ///< whose key it checks; empty: all
};

struct LuksVolume {
  int version = 1;
  std::string uuid, label, subsystem;
  std::vector<LuksSlot> slots;
  std::vector<LuksDigest> digests;  ///< of the data segment
  std::vector<std::string> tokens;  ///< types of what else opens it: systemd-tpm2, systemd-fido2, clevis …
  LuksCipher cipher;
  std::uint64_t offset = 0;           ///< of the data
  std::optional<std::uint64_t> size;  ///< absent: to the end
  std::uint64_t iv_tweak = 0;
  std::uint32_t sector_size = 512;
  std::string unreadable;  ///< why the data cannot be decrypted by us, if so
};

bool is_luks(ByteSource& volume);
/// Errors: corrupt.
Result<LuksVolume> read_luks(ByteSource& volume);
/// The JSON of a LUKS2 header; `volume` has what the binary part says. Errors: corrupt.
Status read_luks2_json(const std::string& json, LuksVolume& volume);
std::string luks_name(const LuksVolume& volume);
VolumeSignature describe_luks(const LuksVolume& volume);
/// Tries each candidate on each key slot.
Result<Unlocked> open_luks(std::unique_ptr<ByteSource> base, const LuksVolume& volume,
                           const Secrets& secrets);

}  // namespace touchstone::crypt

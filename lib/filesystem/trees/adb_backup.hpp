// Android backups as `adb backup` writes them (.ab): a header of text lines, then a tar, perhaps packed by
// zlib, perhaps encrypted. Here: the header, and what a password makes of it. Values; one thread. Form:
// BackupManagerService and its PasswordUtils of Android's own source (services/backup), described by N.
// Elenkov, "Unpacking Android backups" (nelenkov.blogspot.com, 2012).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "filesystem/trees/backup_crypto.hpp"
#include "model/result.hpp"

namespace touchstone {

/// Rounds of one derivation beyond which the header is taken for forged; Android writes 10,000.
inline constexpr std::uint32_t kMaxAdbRounds = 10'000'000;

struct AdbHeader {
  int version = 0;  ///< 1 to 5
  bool compressed = false;
  std::string encryption;     ///< "none", "AES-256", or what else stands there
  std::uint64_t payload = 0;  ///< where what follows the header begins
  bool miui = false;          ///< with the lines that Xiaomi's own backup puts before it
  std::string package;        ///< of a MIUI backup
  // Of an encrypted one:
  std::vector<std::byte> user_salt, checksum_salt, user_iv, master_key_blob;
  std::uint32_t rounds = 0;

  bool encrypted() const { return encryption != "none"; }
};

/// True by the first bytes alone.
bool is_adb_backup(ByteSource& file);
/// Errors: corrupt (the lines are no header), unsupported (a version or cipher that nothing here knows,
/// named), limit (kMaxAdbRounds).
Result<AdbHeader> read_adb_header(ByteSource& file);

struct AdbKey {
  SecretBytes key;
  std::vector<std::byte> iv;
};
/// What `password` opens; absent if it is not the password.
std::optional<AdbKey> open_adb_key(const AdbHeader& header, std::string_view password);

/// Tries the passwords. Error encrypted: none given, or none fits.
Result<AdbKey> unlock_adb_backup(const AdbHeader& header, const Secrets& secrets);

}  // namespace touchstone

// The keybag of an encrypted iTunes or Finder backup (BackupKeyBag of Manifest.plist): which keys there are,
// and what a password makes of them. Values; one thread. Form: a list of (4 letters, length as 32 bits
// big-endian, bytes), first of the bag, then one group a class that starts with UUID. Described by J. Bédrune
// and J. Sigwalt, "iPhone data protection in depth" (HITB 2011), and Apple's Platform Security guide,
// "Keybags for Data Protection"; DPSL and DPIC came with iOS 10.2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filesystem/trees/backup_crypto.hpp"
#include "model/result.hpp"

namespace touchstone {

/// Rounds of key derivation for one password beyond which a keybag is taken for forged: a phone of today
/// writes ten million, which are seconds of work.
inline constexpr std::uint64_t kMaxKeybagRounds = 100'000'000;

class ItunesKeybag {
 public:
  /// Error corrupt: it is no keybag of a backup, or lacks what a password needs; limit: kMaxKeybagRounds.
  static Result<ItunesKeybag> parse(std::span<const std::byte> bytes);

  /// Rounds of PBKDF2 that one password costs.
  std::uint64_t rounds() const { return std::uint64_t{first_rounds_} + rounds_; }
  /// "PBKDF2 with 10000000 rounds of SHA-256 and 10000 of SHA-1".
  std::string describe() const;
  /// Tries a password. True: every class that a password opens is open. False: it is not the password.
  bool unlock(std::string_view password);
  bool unlocked() const { return unlocked_; }
  std::size_t classes() const { return classes_.size(); }

  /// A key wrapped for a class as the manifest keeps it: the class as 32 bits little-endian, then the wrapped
  /// key. Absent: locked, no such class in the bag, or not wrapped with it.
  std::optional<SecretBytes> unwrap(std::span<const std::byte> class_and_key) const;
  /// The same where the class stands elsewhere.
  std::optional<SecretBytes> unwrap(std::uint32_t protection_class, std::span<const std::byte> wrapped) const;

 private:
  struct ClassKey {
    std::uint32_t wrap = 0;
    std::vector<std::byte> wrapped;
    SecretBytes key;  ///< empty until unlocked
  };
  std::map<std::uint32_t, ClassKey> classes_;
  std::vector<std::byte> salt_, first_salt_;
  std::uint32_t rounds_ = 0, first_rounds_ = 0;
  bool unlocked_ = false;
};

}  // namespace touchstone

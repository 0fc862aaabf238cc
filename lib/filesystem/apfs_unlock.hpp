// Opens an encrypted volume of an APFS container (FileVault, encryption by software), which Debian's build of
// The Sleuth Kit cannot: keybags, keys, and the container with that volume's blocks decrypted as they are
// read, which TSK then reads as one that is not encrypted. Hardware encryption (T2, Apple silicon) binds keys
// to the machine. One thread. Private to lib/filesystem. Format: Apple, "Apple File System Reference" (2020);
// the wrapped keys as Joachim Metz's "Apple File System (APFS) format" describes them.
#pragma once

#include <memory>
#include <string>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

struct ApfsUnlocked {
  std::unique_ptr<ByteSource> container;  ///< null: none of the secrets opens it
  std::string how;                        ///< with what it was opened, never the secret
  std::string hint;                       ///< the password hint, where the keybag can be read
  std::string trouble;  ///< why it cannot be opened at all; empty: only the secret is missing
};

/// `place`: the container in `image`, which outlives the result. `superblock`: the block of the volume's
/// superblock.
ApfsUnlocked unlock_apfs(ByteSource& image, ByteRange place, std::uint64_t superblock,
                         const Secrets& secrets);

}  // namespace touchstone::detail

// FileVault 2 on CoreStorage: a physical volume with one encrypted logical volume, opened by libfvde.
// Format: Joachim Metz, "FileVault Drive Encryption (FVDE)". One thread.
#pragma once

#include "filesystem/crypt.hpp"

namespace touchstone::crypt {

bool is_corestorage(ByteSource& volume);
VolumeSignature describe_corestorage(ByteSource& volume);
/// Errors: encrypted, corrupt.
Result<Unlocked> open_corestorage(std::unique_ptr<ByteSource> base, const Secrets& secrets);

}  // namespace touchstone::crypt

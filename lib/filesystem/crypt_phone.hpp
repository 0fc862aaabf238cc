// What Android leaves at the end of a partition that it encrypts as a whole, and flags of encrypted
// directories. Formats: AOSP system/vold/cryptfs.h (struct crypt_mnt_ftr); Linux
// Documentation/filesystems/ext4 (features).
#pragma once

#include <optional>
#include <string>

#include "evidence/byte_source.hpp"
#include "filesystem/volume_signature.hpp"

namespace touchstone::crypt {

/// Full-disk encryption of Android 3 to 9: its footer, in the last 16 KiB of the partition or at the start of
/// one that holds nothing else.
std::optional<VolumeSignature> recognise_android(ByteSource& volume);

/// True if an ext4 file system may have directories encrypted by fscrypt.
bool has_fscrypt(ByteSource& volume);

}  // namespace touchstone::crypt

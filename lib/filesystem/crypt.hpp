// Encrypted volumes: recognised with all that their headers tell, and opened read-only with a secret.
// BitLocker and LUKS are read here with OpenSSL and libargon2 (docs/decisions says why not by libbde and
// libluksde). Nothing of a secret is ever part of a message. One thread; hostile headers cost bounded work
// (KeyWork).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "filesystem/volume_signature.hpp"
#include "model/types.hpp"

namespace touchstone {

/// A locked volume whose plain bytes can be read.
struct Unlocked {
  std::unique_ptr<ByteSource> bytes;  ///< owns what it reads from but the image
  std::string how;                    ///< "BitLocker AES-XTS 128, opened with the password protector {…}"
};

/// True if `volume` has a header that open_locked() understands. A few reads; asked of every volume before
/// its file system is opened.
bool is_locked(ByteSource& volume);

/// What the header of an encrypted volume tells: format, method, who may open it, identifiers. State is
/// `encrypted`. Nothing if there is no such header.
std::optional<VolumeSignature> recognise_locked(ByteSource& volume);

/// A suspicion, for volumes in which nothing else is recognised: no structure and bytes that cannot be told
/// from random ones wherever they are sampled, as VeraCrypt, TrueCrypt and dm-crypt without a header leave
/// them. Zeros, text, compressed files and anything under 64 KiB do not give it.
std::optional<VolumeSignature> suspect_encryption(ByteSource& volume);

/// Opens with the first candidate that fits, or with none if the volume carries its key in clear. Errors:
/// encrypted (no candidate fits; says what would), limit (deriving keys would cost too much), corrupt,
/// unsupported (cipher or variant).
Result<Unlocked> open_locked(std::unique_ptr<ByteSource> volume, const Secrets& secrets);
/// The volume at its place in `image`, which must outlive the result.
Result<Unlocked> open_locked(ByteSource& image, const Volume& volume, const Secrets& secrets);

}  // namespace touchstone

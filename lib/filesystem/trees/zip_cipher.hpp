// The two encryptions of zip members that a password opens: PKWARE's traditional one and WinZip's AES. The
// decrypted (still compressed) bytes are a ByteSource with random access. One thread.
// Sources: PKWARE APPNOTE 6.3.10, section 6.1; WinZip, "AES Encryption Information", 1.04.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "evidence/byte_source.hpp"

namespace touchstone::zip {

/// Bytes that traditional encryption puts before a member.
inline constexpr std::size_t kCryptHeader = 12;

/// Null if `password` is certainly wrong: the header's last byte is neither of the two that may stand there
/// (one wrong password in 128 passes).
std::unique_ptr<ByteSource> open_traditional(std::unique_ptr<ByteSource> encrypted,
                                             const std::string& password, std::uint8_t by_crc,
                                             std::uint8_t by_time);

/// `strength` 1 to 3. Null if `password` is certainly wrong (one in 65,536 passes) or the bytes are too few.
/// The authentication code is compared once all bytes were read in order; a difference is a gap.
std::unique_ptr<ByteSource> open_aes(std::unique_ptr<ByteSource> encrypted, const std::string& password,
                                     int strength);

}  // namespace touchstone::zip

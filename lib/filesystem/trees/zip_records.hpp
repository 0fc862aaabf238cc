// The records of a zip archive as they stand in the file, and what they say in a ZipEntry. Internal to
// lib/filesystem/trees. Plain functions over bytes in memory; they never fail but say that a record does not
// fit. Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.6; Info-ZIP's extrafld.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "filesystem/trees/zip_directory.hpp"

namespace touchstone::zip {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::uint32_t kDescriptorSignature = 0x08074b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr std::uint16_t kEncryptedFlag = 1, kDescriptorFlag = 8, kStrongFlag = 64, kUtf8Flag = 2048,
                        kMaskedFlag = 8192;
constexpr std::uint16_t kAesMethod = 99;
constexpr std::uint8_t kUnknownHost = 255;

/// Little-endian number of `count` bytes; bytes beyond the end count as zero.
std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count);
inline std::uint16_t number16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2));
}
inline std::uint32_t number32(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}

/// Length of the record that begins there, name, extra fields and comment counted; 0 if the signature is
/// wrong or the fixed part is cut off.
std::size_t central_length(std::span<const std::byte> bytes);
std::size_t local_length(std::span<const std::byte> bytes);

/// A whole record. `prefix`: bytes before the archive, added to the local header's offset.
ZipEntry parse_central(std::span<const std::byte> record, std::uint64_t prefix, const TimeZone* zone);
ZipEntry parse_local(std::span<const std::byte> record, const TimeZone* zone);

}  // namespace touchstone::zip

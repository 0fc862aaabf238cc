#include "filesystem/crypt_phone.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "filesystem/crypt_bytes.hpp"
#include "model/locator.hpp"

namespace touchstone::crypt {
namespace {

constexpr std::uint32_t kFooterMagic = 0xd0b5b1c4;
constexpr std::uint64_t kFooterFromEnd = 0x4000;

const char* lock_name(std::uint32_t type) {
  switch (type) {
    case 0:
      return "password";
    case 1:
      return "default password (no lock screen secret)";
    case 2:
      return "pattern";
    case 3:
      return "PIN";
    default:
      return "unknown";
  }
}

std::string describe_footer(std::span<const std::byte> footer) {
  const std::uint32_t failed = little32(footer, 32);
  return fmt::format("version {}.{}, {} {}-bit, locked by {}, {} failed attempts", little16(footer, 4),
                     little16(footer, 6), to_valid_utf8(text_field(footer, 36, 64)),
                     std::uint64_t{little32(footer, 16)} * 8, lock_name(little32(footer, 20)), failed);
}

bool is_footer(std::span<const std::byte> footer) {
  return footer.size() >= 100 && little32(footer, 0) == kFooterMagic && little16(footer, 4) <= 2;
}

}  // namespace

std::optional<VolumeSignature> recognise_android(ByteSource& volume) {
  VolumeSignature found;
  found.filesystem = "android-fde";
  found.state = VolumeState::encrypted;
  if (volume.size() > kFooterFromEnd) {
    const auto footer = read_exactly(volume, volume.size() - kFooterFromEnd, 256);
    if (is_footer(footer)) {
      found.reason = "Android full-disk encryption, " + describe_footer(footer) +
                     ": its key is bound to the phone's hardware in most models";
      return found;
    }
  }
  const auto start = read_exactly(volume, 0, 256);
  if (!is_footer(start)) return std::nullopt;
  found.reason =
      "key of Android full-disk encryption (kept apart from its volume), " + describe_footer(start);
  return found;
}

bool has_fscrypt(ByteSource& volume) {
  constexpr std::uint32_t kEncrypt = 0x10000;
  const auto super = read_exactly(volume, 1024, 0x100);
  return !super.empty() && little16(super, 0x38) == 0xef53 && (little32(super, 0x60) & kEncrypt) != 0;
}

}  // namespace touchstone::crypt

// Which reader of encrypted volumes a volume is for.
#include "filesystem/crypt.hpp"

#include "filesystem/crypt_bitlocker.hpp"
#include "filesystem/crypt_corestorage.hpp"
#include "filesystem/crypt_luks.hpp"
#include "filesystem/crypt_phone.hpp"

namespace touchstone {
namespace {

/// A window that is owned by what reads from it.
std::unique_ptr<ByteSource> window_of(ByteSource& image, const Volume& volume) {
  return make_window(image, volume.offset, volume.size);
}

VolumeSignature damaged(const std::string& filesystem, const Error& error) {
  VolumeSignature found;
  found.filesystem = filesystem;
  found.state = error.code == ErrorCode::unsupported ? VolumeState::encrypted : VolumeState::corrupt;
  found.reason = error.message;
  return found;
}

Result<Unlocked> open_bitlocker_volume(std::unique_ptr<ByteSource> volume, const Secrets& secrets) {
  const auto read = crypt::read_bitlocker(*volume);
  if (!read) return read.error();
  auto key = crypt::unlock_bitlocker(*read, secrets);
  if (!key) return key.error();
  auto bytes = crypt::open_bitlocker(std::move(volume), *read, key->key);
  if (!bytes) return bytes.error();
  return Unlocked{bytes.take(), std::move(key->how)};
}

Result<Unlocked> open_luks_volume(std::unique_ptr<ByteSource> volume, const Secrets& secrets) {
  const auto read = crypt::read_luks(*volume);
  if (!read) return read.error();
  return crypt::open_luks(std::move(volume), *read, secrets);
}

}  // namespace

bool is_locked(ByteSource& volume) {
  return crypt::is_bitlocker(volume) || crypt::is_luks(volume) || crypt::is_corestorage(volume);
}

std::optional<VolumeSignature> recognise_locked(ByteSource& volume) {
  if (crypt::is_bitlocker(volume)) {
    const auto read = crypt::read_bitlocker(volume);
    return read ? crypt::describe_bitlocker(*read) : damaged("bitlocker", read.error());
  }
  if (crypt::is_luks(volume)) {
    const auto read = crypt::read_luks(volume);
    return read ? crypt::describe_luks(*read) : damaged("luks", read.error());
  }
  if (crypt::is_corestorage(volume)) return crypt::describe_corestorage(volume);
  return crypt::recognise_android(volume);
}

Result<Unlocked> open_locked(std::unique_ptr<ByteSource> volume, const Secrets& secrets) {
  if (crypt::is_bitlocker(*volume)) return open_bitlocker_volume(std::move(volume), secrets);
  if (crypt::is_luks(*volume)) return open_luks_volume(std::move(volume), secrets);
  if (crypt::is_corestorage(*volume)) return crypt::open_corestorage(std::move(volume), secrets);
  return Error{ErrorCode::unsupported, "no encrypted volume that is read here"};
}

Result<Unlocked> open_locked(ByteSource& image, const Volume& volume, const Secrets& secrets) {
  return open_locked(window_of(image, volume), secrets);
}

}  // namespace touchstone

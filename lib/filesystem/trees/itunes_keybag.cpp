#include "filesystem/trees/itunes_keybag.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evidence/integers.hpp"

namespace touchstone {
namespace {

/// Keybags are a few kilobytes; what is larger is none.
constexpr std::size_t kMaxKeybag = std::size_t{1} << 20;
constexpr std::size_t kMaxClasses = 64;
constexpr std::uint32_t kBackupType = 1;
/// Bits of WRAP: with the device's own key, and with one that comes from the password.
constexpr std::uint32_t kWrappedByDevice = 1, kWrappedByPassword = 2;

struct Tag {
  std::string_view name;
  std::span<const std::byte> value;
};

/// The next tag of `rest`, which is cut behind it; absent at the end or where it runs out of the bag.
std::optional<Tag> next_tag(std::span<const std::byte>& rest) {
  if (rest.size() < 8) return std::nullopt;
  const auto length = static_cast<std::size_t>(big(rest, 4, 4));
  if (length > rest.size() - 8) return std::nullopt;
  const Tag tag{{reinterpret_cast<const char*>(rest.data()), 4}, rest.subspan(8, length)};
  rest = rest.subspan(8 + length);
  return tag;
}

}  // namespace

Result<ItunesKeybag> ItunesKeybag::parse(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxKeybag) return Error{ErrorCode::limit, "the keybag is larger than 1 MiB"};
  ItunesKeybag bag;
  std::uint32_t type = UINT32_MAX;
  bool of_class = false, seen_uuid = false;
  std::optional<std::uint32_t> current;
  ClassKey key;
  const auto keep = [&] {
    if (of_class && current && bag.classes_.size() < kMaxClasses) bag.classes_[*current] = std::move(key);
    key = {};
    current.reset();
  };
  auto rest = bytes;
  while (const auto tag = next_tag(rest)) {
    const auto number = [&] { return static_cast<std::uint32_t>(big(tag->value, 0, 4)); };
    const auto copy = [&] { return std::vector<std::byte>(tag->value.begin(), tag->value.end()); };
    if (tag->name == "UUID") {
      keep();
      of_class = seen_uuid;  // the first one names the bag itself
      seen_uuid = true;
    } else if (of_class) {
      if (tag->name == "CLAS") current = number();
      if (tag->name == "WRAP") key.wrap = number();
      if (tag->name == "WPKY") key.wrapped = copy();
    } else {
      if (tag->name == "TYPE") type = number();
      if (tag->name == "SALT") bag.salt_ = copy();
      if (tag->name == "ITER") bag.rounds_ = number();
      if (tag->name == "DPSL") bag.first_salt_ = copy();
      if (tag->name == "DPIC") bag.first_rounds_ = number();
    }
  }
  keep();
  if (type != kBackupType || bag.salt_.empty() || bag.rounds_ == 0 || bag.classes_.empty())
    return Error{ErrorCode::corrupt, "the keybag is damaged, or not one of a backup"};
  if (bag.first_salt_.empty() != (bag.first_rounds_ == 0))
    return Error{ErrorCode::corrupt, "the keybag has only one half of DPSL and DPIC"};
  if (bag.rounds() > kMaxKeybagRounds)
    return Error{ErrorCode::limit, fmt::format("one password would cost {} rounds of key derivation, more "
                                               "than {}: nothing is tried",
                                               bag.rounds(), kMaxKeybagRounds)};
  return bag;
}

std::string ItunesKeybag::describe() const {
  return first_rounds_ == 0
             ? fmt::format("PBKDF2 with {} rounds of SHA-1", rounds_)
             : fmt::format("PBKDF2 with {} rounds of SHA-256 and {} of SHA-1", first_rounds_, rounds_);
}

bool ItunesKeybag::unlock(std::string_view password) {
  SecretBytes key;
  if (first_rounds_ != 0) {
    const SecretBytes first =
        derive_key(Prf::hmac_sha256, as_byte_span(password), first_salt_, first_rounds_, 32);
    key = derive_key(Prf::hmac_sha1, first.span(), salt_, rounds_, 32);
  } else {
    key = derive_key(Prf::hmac_sha1, as_byte_span(password), salt_, rounds_, 32);
  }
  std::size_t opened = 0, refused = 0;
  for (auto& [number, each] : classes_) {
    if ((each.wrap & kWrappedByPassword) == 0 || (each.wrap & kWrappedByDevice) != 0) continue;
    auto plain = unwrap_key(key.span(), each.wrapped);
    if (!plain) {
      ++refused;
      // The wrong password is wrong for each class. One damaged class must not hide that the rest opens.
      if (opened == 0 && refused >= 3) break;
      continue;
    }
    each.key = std::move(*plain);
    ++opened;
  }
  unlocked_ = opened > 0;
  return unlocked_;
}

std::optional<SecretBytes> ItunesKeybag::unwrap(std::span<const std::byte> class_and_key) const {
  if (class_and_key.size() < 4) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(little(class_and_key, 0, 4));
  return unwrap(number, class_and_key.subspan(4));
}

std::optional<SecretBytes> ItunesKeybag::unwrap(std::uint32_t protection_class,
                                                std::span<const std::byte> wrapped) const {
  const auto found = classes_.find(protection_class);
  if (found == classes_.end() || found->second.key.empty()) return std::nullopt;
  return unwrap_key(found->second.key.span(), wrapped);
}

}  // namespace touchstone

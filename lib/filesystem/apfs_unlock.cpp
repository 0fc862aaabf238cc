#include "filesystem/apfs_unlock.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/integers.hpp"
#include "filesystem/apfs_container.hpp"
#include "filesystem/crypt_cipher.hpp"
#include "filesystem/crypt_source.hpp"
#include "filesystem/trees/backup_crypto.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

using namespace apfs;
using Bytes = std::span<const std::byte>;

constexpr std::size_t kSector = 512;
constexpr std::size_t kUuid = 16;
constexpr std::size_t kKeybagHead = 0x30, kEntryHead = 0x18;
constexpr std::uint64_t kMaxKeybagEntries = 1000;
constexpr std::size_t kMaxExtents = 8'000'000;
constexpr std::uint64_t kExtentType = 8;
constexpr std::uint64_t kLengthMask = (std::uint64_t{1} << 56) - 1;
enum Tag : std::uint64_t { kVolumeKey = 2, kUnlockRecords = 3, kHint = 4 };

/// In place, sector by sector; `number` is the block that the first sector counts as.
void decrypt(crypt::SectorCipher& cipher, std::uint64_t number, std::span<std::byte> bytes) {
  for (std::size_t at = 0; at + kSector <= bytes.size(); at += kSector) {
    std::array<std::byte, 16> tweak{};
    const std::uint64_t sector = number * (kBlock / kSector) + at / kSector;
    for (std::size_t i = 0; i < 8; ++i) tweak[i] = static_cast<std::byte>(sector >> (8 * i) & 255);
    cipher.decrypt(tweak, bytes.subspan(at, kSector));
  }
}

struct Entry {
  Bytes uuid, data;
  std::uint64_t tag = 0;
};

/// The keybag in one block, sealed with the identifier of what it belongs to.
std::optional<Block> open_keybag(ByteSource& container, std::uint64_t number, Bytes uuid) {
  auto block = read_block(container, number);
  std::vector<std::byte> key(uuid.begin(), uuid.end());
  key.insert(key.end(), uuid.begin(), uuid.end());
  const auto cipher = crypt::SectorCipher::make("aes", crypt::Chaining::xts, key);
  if (!block || !cipher) return std::nullopt;
  decrypt(*cipher, number, *block);
  if (!is_sound(*block) || little(*block, 0x20, 2) != 2) return std::nullopt;
  return block;
}

std::vector<Entry> entries_of(Bytes keybag) {
  std::vector<Entry> all;
  const std::uint64_t count = std::min(little(keybag, 0x22, 2), kMaxKeybagEntries);
  std::size_t at = kKeybagHead;
  for (std::uint64_t i = 0; i < count && at + kEntryHead <= keybag.size(); ++i) {
    const std::size_t length = little(keybag, at + 0x12, 2);
    if (length > keybag.size() - at - kEntryHead) break;
    all.push_back(
        {keybag.subspan(at, kUuid), keybag.subspan(at + kEntryHead, length), little(keybag, at + 0x10, 2)});
    at += (kEntryHead + length + 15) / 16 * 16;
  }
  return all;
}

Bytes find_entry(const std::vector<Entry>& entries, Bytes uuid, std::uint64_t tag) {
  for (const Entry& entry : entries) {
    if (entry.tag == tag && std::equal(uuid.begin(), uuid.end(), entry.uuid.begin())) return entry.data;
  }
  return {};
}

/// The content of the first element with that tag (DER with lengths of one to three bytes); empty if none.
Bytes element(Bytes bytes, std::byte tag) {
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    std::size_t length = std::to_integer<std::size_t>(bytes[at + 1]);
    std::size_t head = 2;
    if (length > 0x80 && length <= 0x82) {
      head += length - 0x80;
      length = big(bytes, at + 2, length - 0x80);
    } else if (length >= 0x80) {
      return {};
    }
    if (head > bytes.size() - at || length > bytes.size() - at - head) return {};
    if (bytes[at] == tag) return bytes.subspan(at + head, length);
    at += head + length;
  }
  return {};
}

struct WrappedKey {
  Bytes uuid, key, salt;
  std::uint64_t rounds = 0;
  bool hardware = false;  ///< bound to the machine
  bool shorter = false;   ///< of 16 bytes, from CoreStorage
};

WrappedKey wrapped_key(Bytes data) {
  const Bytes inner = element(element(data, std::byte{0x30}), std::byte{0xa3});
  WrappedKey key;
  key.uuid = element(inner, std::byte{0x81});
  key.key = element(inner, std::byte{0x83});
  key.salt = element(inner, std::byte{0x85});
  const Bytes rounds = element(inner, std::byte{0x84});
  key.rounds = rounds.size() <= 8 ? big(rounds, 0, rounds.size()) : 0;
  const Bytes flags = element(inner, std::byte{0x82});
  if (!flags.empty()) {
    key.hardware = (flags[0] & std::byte{1}) != std::byte{0};
    key.shorter = (flags[0] & std::byte{2}) != std::byte{0};
  }
  return key;
}

/// The key of the volume by that of a user; nothing if it does not fit.
std::optional<crypt::KeyBytes> volume_key(const WrappedKey& volume, const WrappedKey& user,
                                          const std::string& secret) {
  const std::size_t user_size = user.shorter ? 16 : 32, size = volume.shorter ? 16 : 32;
  if (user.key.size() < user_size + 8 || volume.key.size() < size + 8) return std::nullopt;
  const SecretBytes derived = derive_key(Prf::hmac_sha256, as_byte_span(secret), user.salt,
                                         static_cast<std::uint32_t>(user.rounds), user_size);
  const auto middle = unwrap_key(derived.span(), user.key.first(user_size + 8));
  if (!middle) return std::nullopt;
  const auto key = unwrap_key(middle->span().first(std::min(user_size, size)), volume.key.first(size + 8));
  if (!key) return std::nullopt;
  crypt::KeyBytes whole(32);
  std::copy(key->span().begin(), key->span().end(), whole.span().begin());
  if (volume.shorter) {
    // The second half follows from the first and the identifier of the key.
    if (volume.uuid.size() != kUuid) return std::nullopt;
    std::copy(volume.uuid.begin(), volume.uuid.end(), whole.span().begin() + 16);
    const auto sum = crypt::digest("sha256", whole.span());
    if (!sum) return std::nullopt;
    std::copy_n(sum->begin(), 16, whole.span().begin() + 16);
  }
  return whole;
}

struct Extent {
  std::uint64_t block = 0, count = 0, tweak = 0;
};

/// The container with the blocks of one volume decrypted, and that volume marked as not encrypted.
class Unlocked : public crypt::DecryptedSource {
 public:
  /// `size`: of `base` in whole blocks.
  Unlocked(std::unique_ptr<ByteSource> base, std::uint64_t size, std::uint64_t superblock,
           std::unique_ptr<crypt::SectorCipher> cipher)
      : DecryptedSource(std::move(base), 0, size, kBlock),
        superblock_(superblock),
        cipher_(std::move(cipher)) {}

  /// Reads all nodes of the volume's file tree. An Error says what is wrong.
  Status gather(std::uint64_t map) {
    const auto objects = mapped_objects(base(), map);
    if (!objects) return Error{ErrorCode::corrupt, "its object map is damaged"};
    for (const Mapped& object : *objects) {
      if (object.encrypted) nodes_.push_back(object.block);
    }
    std::sort(nodes_.begin(), nodes_.end());
    bool sound = false;
    for (const std::uint64_t number : nodes_) {
      auto node = read_block(base(), number);
      if (!node) continue;
      decrypt(*cipher_, number, *node);
      if (!is_sound(*node)) continue;
      sound = true;
      if (is_leaf(*node)) take_extents(*node);
      if (extents_.size() > kMaxExtents)
        return Error{ErrorCode::limit, "it has more than " + std::to_string(kMaxExtents) + " extents"};
    }
    if (!sound) return Error{ErrorCode::corrupt, "none of its nodes can be decrypted"};
    std::sort(extents_.begin(), extents_.end(),
              [](const Extent& a, const Extent& b) { return a.block < b.block; });
    return {};
  }

 protected:
  Status decrypt_at(std::uint64_t offset, std::span<std::byte> out) override {
    const auto got = base().read_at(offset, out);
    if (!got) return got.error();
    for (std::size_t at = 0; at + kBlock <= out.size(); at += kBlock) {
      const auto block = out.subspan(at, kBlock);
      const std::uint64_t number = (offset + at) / kBlock;
      if (number == superblock_) {
        block[0x108] |= std::byte{1};
        const std::uint64_t sum = checksum(block);
        for (std::size_t i = 0; i < 8; ++i) block[i] = static_cast<std::byte>(sum >> (8 * i) & 255);
      } else if (std::binary_search(nodes_.begin(), nodes_.end(), number)) {
        decrypt(*cipher_, number, block);
      } else if (const Extent* extent = extent_of(number)) {
        decrypt(*cipher_, extent->tweak + (number - extent->block), block);
      }
    }
    return {};
  }

 private:
  void take_extents(Bytes node) {
    each_entry(node, [&](Bytes key, Bytes value) {
      if (key.size() < 8 || value.size() < 24 || little(key, 0, 8) >> 60 != kExtentType) return;
      Extent extent{little(value, 8, 8), (little(value, 0, 8) & kLengthMask) / kBlock, little(value, 16, 8)};
      // Holes have no place; without a number for its tweak an extent is not encrypted.
      if (extent.block == 0 || extent.count == 0 || extent.tweak == 0) return;
      extents_.push_back(extent);
    });
  }
  const Extent* extent_of(std::uint64_t number) const {
    auto found = std::upper_bound(extents_.begin(), extents_.end(), number,
                                  [](std::uint64_t n, const Extent& one) { return n < one.block; });
    if (found == extents_.begin()) return nullptr;
    --found;
    return number - found->block < found->count ? &*found : nullptr;
  }

  std::uint64_t superblock_;
  std::unique_ptr<crypt::SectorCipher> cipher_;
  std::vector<std::uint64_t> nodes_;
  std::vector<Extent> extents_;
};

struct Records {
  WrappedKey volume;
  std::vector<WrappedKey> users;
  std::vector<std::string> names;  ///< of the users' records
  Block volume_bag, user_bag;      ///< hold the bytes of all these
};

/// What the two keybags say of the volume. `opened` gets the hint, or the reason why there is none.
std::optional<Records> find_records(ByteSource& container, Bytes volume_id, ApfsUnlocked& opened) {
  const auto superblock = find_superblock(container);
  const std::uint64_t keybag = superblock ? little(*superblock, 0x510, 8) : 0;
  Records records;
  std::optional<Block> bag;
  if (keybag != 0) bag = open_keybag(container, keybag, Bytes(*superblock).subspan(0x48, kUuid));
  if (!bag) {
    opened.trouble = "its keybag is not there or bound to the machine (T2 chip, Apple silicon)";
    return std::nullopt;
  }
  records.volume_bag = std::move(*bag);
  const auto entries = entries_of(records.volume_bag);
  records.volume = wrapped_key(find_entry(entries, volume_id, kVolumeKey));
  const Bytes place = find_entry(entries, volume_id, kUnlockRecords);
  bag = place.size() < 8 ? std::nullopt : open_keybag(container, little(place, 0, 8), volume_id);
  if (!bag || records.volume.key.empty()) {
    opened.trouble = "its keybag has no key for this volume";
    return std::nullopt;
  }
  records.user_bag = std::move(*bag);
  for (const Entry& entry : entries_of(records.user_bag)) {
    if (entry.tag == kHint)
      opened.hint = to_valid_utf8({reinterpret_cast<const char*>(entry.data.data()), entry.data.size()});
    if (entry.tag != kUnlockRecords) continue;
    const WrappedKey key = wrapped_key(entry.data);
    // Records of other kinds (an institution's certificate, iCloud) hold no key that a password opens.
    if (key.hardware || key.salt.empty() || key.rounds == 0 || key.rounds > INT32_MAX) continue;
    constexpr std::array<unsigned char, 4> kRecovery = {0xeb, 0xc6, 0xc0, 0x64};
    const bool recovery = std::memcmp(entry.uuid.data(), kRecovery.data(), kRecovery.size()) == 0;
    records.users.push_back(key);
    records.names.emplace_back(recovery ? "recovery key" : "password");
  }
  while (!opened.hint.empty() && opened.hint.back() == '\0') opened.hint.pop_back();
  if (records.volume.hardware || records.users.empty()) {
    opened.trouble = "its key is bound to the machine, or to no password";
    return std::nullopt;
  }
  return records;
}

}  // namespace

ApfsUnlocked unlock_apfs(ByteSource& image, ByteRange place, std::uint64_t superblock,
                         const Secrets& secrets) {
  ApfsUnlocked opened;
  auto container = make_window(image, place.offset, place.length);
  const auto volume = read_block(*container, superblock);
  if (!volume) {
    opened.trouble = "its superblock cannot be read";
    return opened;
  }
  const auto records = find_records(*container, Bytes(*volume).subspan(0xf0, kUuid), opened);
  if (!records) return opened;
  crypt::KeyWork work;
  for (const std::string& secret : secrets.candidates) {
    for (std::size_t i = 0; i < records->users.size(); ++i) {
      if (!work.spend(2 * records->users[i].rounds)) {
        opened.trouble = "not all passwords were tried: that would take too long";
        return opened;
      }
      const auto key = volume_key(records->volume, records->users[i], secret);
      if (!key) continue;
      auto cipher = crypt::SectorCipher::make("aes", crypt::Chaining::xts, key->span());
      if (!cipher) continue;
      const std::uint64_t size = container->size() / kBlock * kBlock;
      auto unlocked = std::make_unique<Unlocked>(std::move(container), size, superblock, std::move(cipher));
      const Status gathered = unlocked->gather(little(*volume, 0x80, 8));
      opened.how = "opened with a " + records->names[i];
      if (!gathered) {
        opened.trouble = opened.how + ", but " + gathered.error().message;
        return opened;
      }
      opened.container = std::move(unlocked);
      return opened;
    }
  }
  return opened;
}

}  // namespace touchstone::detail

// The headers of LUKS1 and LUKS2.
#include "filesystem/crypt_luks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "filesystem/crypt_bytes.hpp"
#include "model/locator.hpp"

namespace touchstone::crypt {
namespace {

using Json = nlohmann::json;
using namespace std::string_view_literals;

constexpr std::string_view kMagic = "LUKS\xba\xbe"sv, kSecondMagic = "SKUL\xba\xbe"sv;
constexpr std::size_t kHeader1 = 592, kHeader2 = 4096;
constexpr std::uint32_t kSlotInUse = 0x00ac71f3;
constexpr std::size_t kMaxSlots = 32, kMaxTokens = 32;
constexpr std::uint64_t kMaxHeader2 = 4U << 20;  // the largest that the specification allows
constexpr std::uint32_t kMaxKey = 512, kMaxStripes = 8192;
constexpr std::size_t kMaxJsonDepth = 16;

bool has_magic(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Error damaged(const std::string& what) {
  return Error{ErrorCode::corrupt, "LUKS header: " + what};
}

bool sane(const LuksSlot& slot) {
  return slot.key_size > 0 && slot.key_size <= kMaxKey && slot.stripes > 0 && slot.stripes <= kMaxStripes &&
         slot.area_key_size > 0 && slot.area_key_size <= kMaxKey;
}

Result<LuksVolume> read_luks1(std::span<const std::byte> bytes) {
  LuksVolume volume;
  const std::string hash = text_field(bytes, 72, 32);
  volume.cipher = parse_luks_cipher(text_field(bytes, 8, 32), text_field(bytes, 40, 32));
  volume.offset = big(bytes, 104, 4) * 512;
  const auto key_size = static_cast<std::uint32_t>(big(bytes, 108, 4));
  volume.uuid = to_valid_utf8(text_field(bytes, 168, 40));
  LuksDigest digest{hash, big(bytes, 164, 4), {}, {}, {}};
  digest.digest.assign(bytes.begin() + 112, bytes.begin() + 132);
  digest.salt.assign(bytes.begin() + 132, bytes.begin() + 164);
  volume.digests.push_back(std::move(digest));
  for (int i = 0; i < 8; ++i) {
    const std::size_t at = 208 + 48 * static_cast<std::size_t>(i);
    if (big(bytes, at, 4) != kSlotInUse) continue;
    LuksSlot slot;
    slot.number = i;
    slot.kdf = "pbkdf2";
    slot.hash = slot.split_hash = hash;
    slot.iterations = big(bytes, at + 4, 4);
    slot.salt.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8,
                     bytes.begin() + static_cast<std::ptrdiff_t>(at) + 40);
    slot.area_offset = big(bytes, at + 40, 4) * 512;
    slot.stripes = static_cast<std::uint32_t>(big(bytes, at + 44, 4));
    slot.key_size = slot.area_key_size = key_size;
    slot.area_cipher = volume.cipher;
    if (!sane(slot)) return damaged(fmt::format("key slot {} has absurd sizes", i));
    volume.slots.push_back(std::move(slot));
  }
  if (volume.cipher.text == "-") return damaged("names no cipher");
  return volume;
}

/// LUKS2 writes 64-bit numbers as text.
std::uint64_t number(const Json& object, const char* name, std::uint64_t otherwise = 0) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (found->is_number_unsigned()) return found->get<std::uint64_t>();
  std::uint64_t value = otherwise;
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  return value;
}

std::uint32_t number32(const Json& object, const char* name) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number(object, name), 0xffffffff));
}

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>().substr(0, 128) : "";
}

const Json& part(const Json& object, const char* name) {
  static const Json none = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : none;
}

std::vector<std::byte> base64(const std::string& text) {
  std::vector<std::byte> out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const auto at = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"sv.find(c);
    if (at == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(at);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out.push_back(static_cast<std::byte>(bits >> have & 255));
  }
  return out;
}

int small_number(const std::string& text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

LuksCipher cipher_of(const std::string& encryption) {
  const std::size_t dash = std::min(encryption.find('-'), encryption.size());
  return parse_luks_cipher(encryption.substr(0, dash),
                           dash < encryption.size() ? encryption.substr(dash + 1) : "");
}

std::optional<LuksSlot> slot_of(const std::string& name, const Json& json) {
  LuksSlot slot;
  slot.number = small_number(name);
  const Json &kdf = part(json, "kdf"), &area = part(json, "area"), &split = part(json, "af");
  slot.kdf = text(kdf, "type");
  slot.hash = text(kdf, "hash");
  slot.iterations = number(kdf, "iterations");
  slot.cost = {number32(kdf, "time"), number32(kdf, "memory"), number32(kdf, "cpus")};
  slot.salt = base64(text(kdf, "salt"));
  slot.area_offset = number(area, "offset");
  slot.area_cipher = cipher_of(text(area, "encryption"));
  slot.area_key_size = number32(area, "key_size");
  slot.stripes = number32(split, "stripes");
  slot.split_hash = text(split, "hash");
  slot.key_size = number32(json, "key_size");
  if (text(json, "type") != "luks2" || !sane(slot)) return std::nullopt;
  return slot;
}

void take_segments(const Json& segments, LuksVolume& volume, std::string& id) {
  int encrypted = 0;
  for (const auto& [name, segment] : segments.items()) {
    if (!segment.is_object() || text(segment, "type") != "crypt" || ++encrypted > 1) continue;
    id = name;
    volume.cipher = cipher_of(text(segment, "encryption"));
    volume.offset = number(segment, "offset");
    if (text(segment, "size") != "dynamic") volume.size = number(segment, "size");
    volume.iv_tweak = number(segment, "iv_tweak");
    volume.sector_size = number32(segment, "sector_size");
    if (segment.contains("integrity"))
      volume.unreadable = "authenticated encryption (dm-integrity) is not read";
  }
  if (encrypted > 1) volume.unreadable = "an unfinished re-encryption (more than one segment) is not read";
  if (encrypted == 0) volume.unreadable = "it has no encrypted segment";
}

bool names(const Json& list, const std::string& id) {
  return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& each) {
           return each.is_string() && each.get_ref<const std::string&>() == id;
         });
}

void take_digests(const Json& digests, const std::string& segment, LuksVolume& volume) {
  for (const auto& [name, json] : digests.items()) {
    if (!json.is_object() || !names(json.value("segments", Json::array()), segment)) continue;
    LuksDigest digest{text(json, "hash"),
                      number(json, "iterations"),
                      base64(text(json, "salt")),
                      base64(text(json, "digest")),
                      {}};
    for (const Json& each : json.value("keyslots", Json::array())) {
      if (each.is_string()) digest.slots.push_back(small_number(each.get<std::string>()));
    }
    if (digest.slots.empty() || volume.digests.size() >= kMaxSlots) continue;
    volume.digests.push_back(std::move(digest));
  }
}

/// Text of the JSON area of one copy of the header; nothing if it does not check.
std::optional<std::string> read_copy(ByteSource& source, std::uint64_t at, std::string_view magic,
                                     LuksVolume& volume) {
  const auto head = read_exactly(source, at, kHeader2);
  if (!has_magic(head, magic) || big(head, 6, 2) != 2) return std::nullopt;
  const std::uint64_t size = big(head, 8, 8);
  if (size <= kHeader2 || size > kMaxHeader2) return std::nullopt;
  auto whole = read_exactly(source, at, size);
  if (whole.empty()) return std::nullopt;
  const std::string algorithm = text_field(head, 72, 32);
  std::fill_n(whole.begin() + 448, 64, std::byte{0});
  const auto sum = digest(algorithm, whole);
  if (!sum || sum->size() > 64 || !std::equal(sum->begin(), sum->end(), head.begin() + 448))
    return std::nullopt;
  volume.version = 2;
  volume.label = to_valid_utf8(text_field(head, 24, 48));
  volume.uuid = to_valid_utf8(text_field(head, 168, 40));
  volume.subsystem = to_valid_utf8(text_field(head, 208, 48));
  return text_field(whole, kHeader2, size - kHeader2);
}

Result<LuksVolume> read_luks2(ByteSource& source) {
  LuksVolume volume;
  auto json = read_copy(source, 0, kMagic, volume);
  // The second copy follows the first, whose size may be one of these powers of two.
  for (std::uint64_t at = 0x4000; !json && at <= kMaxHeader2; at *= 2)
    json = read_copy(source, at, kSecondMagic, volume);
  if (!json) return damaged("no copy of the LUKS2 header has the checksum that it states");
  if (const Status read = read_luks2_json(*json, volume); !read) return read.error();
  return volume;
}

}  // namespace

LuksCipher parse_luks_cipher(const std::string& name, const std::string& mode) {
  LuksCipher cipher;
  cipher.text = to_valid_utf8(name + "-" + mode);
  cipher.name = name;
  const std::size_t dash = std::min(mode.find('-'), mode.size());
  const std::string chaining = mode.substr(0, dash);
  const std::string iv = dash < mode.size() ? mode.substr(dash + 1) : "";
  bool known = name == "aes" || name == "camellia";
  if (chaining == "ecb") {
    cipher.chaining = Chaining::ecb;
  } else if (chaining == "cbc") {
    cipher.chaining = Chaining::cbc;
  } else if (chaining == "xts") {
    cipher.chaining = Chaining::xts;
  } else {
    known = false;
  }
  using Iv = LuksCipher::Iv;
  if (cipher.chaining == Chaining::ecb || iv == "null") {
    cipher.iv = Iv::none;
  } else if (iv == "plain") {
    cipher.iv = Iv::plain;
  } else if (iv == "plain64") {
    cipher.iv = Iv::plain64;
  } else if (iv == "plain64be") {
    cipher.iv = Iv::plain64be;
  } else if (iv.starts_with("essiv:")) {
    cipher.iv = Iv::essiv;
    cipher.essiv_hash = iv.substr(6);
  } else {
    known = false;
  }
  cipher.known = known;
  return cipher;
}

Status read_luks2_json(const std::string& json, LuksVolume& volume) {
  std::size_t depth = 0;
  bool too_deep = false;
  const Json root = Json::parse(
      json,
      [&](int level, Json::parse_event_t, Json&) {
        depth = std::max(depth, static_cast<std::size_t>(std::max(level, 0)));
        too_deep = too_deep || depth > kMaxJsonDepth;
        return !too_deep;
      },
      false);
  if (root.is_discarded() || !root.is_object() || too_deep)
    return damaged("its metadata is no JSON of the expected form");
  for (const auto& [name, slot] : part(root, "keyslots").items()) {
    if (!slot.is_object() || volume.slots.size() >= kMaxSlots) continue;
    if (auto one = slot_of(name, slot)) volume.slots.push_back(std::move(*one));
  }
  std::sort(volume.slots.begin(), volume.slots.end(),
            [](const LuksSlot& a, const LuksSlot& b) { return a.number < b.number; });
  for (const auto& [name, token] : part(root, "tokens").items()) {
    if (token.is_object() && volume.tokens.size() < kMaxTokens)
      volume.tokens.push_back(to_valid_utf8(text(token, "type")));
  }
  std::string segment;
  take_segments(part(root, "segments"), volume, segment);
  take_digests(part(root, "digests"), segment, volume);
  return {};
}

bool is_luks(ByteSource& volume) {
  return has_magic(read_exactly(volume, 0, 8), kMagic);
}

Result<LuksVolume> read_luks(ByteSource& source) {
  const auto head = read_exactly(source, 0, kHeader1);
  if (head.empty()) return damaged("the volume ends within it");
  const std::uint64_t version = big(head, 6, 2);
  if (version == 1) return read_luks1(head);
  if (version == 2) return read_luks2(source);
  return Error{ErrorCode::unsupported, fmt::format("LUKS version {} is not read", version)};
}

std::string luks_name(const LuksVolume& volume) {
  return fmt::format("LUKS{} {}", volume.version, volume.cipher.text);
}

VolumeSignature describe_luks(const LuksVolume& volume) {
  VolumeSignature found;
  found.filesystem = "luks";
  found.state = VolumeState::encrypted;
  found.label = volume.label;
  found.reason = luks_name(volume) + ", UUID " + volume.uuid;
  std::string slots;
  for (const LuksSlot& slot : volume.slots) {
    slots += fmt::format("{}{} ({}{}", slots.empty() ? "" : ", ", slot.number, to_valid_utf8(slot.kdf),
                         slot.kdf == "pbkdf2" ? "-" + to_valid_utf8(slot.hash) : "");
    slots += slot.kdf == "pbkdf2"
                 ? fmt::format(", {} iterations)", slot.iterations)
                 : fmt::format(", {} passes over {} KiB)", slot.cost.passes, slot.cost.memory_kib);
  }
  found.reason += "; key slots in use: " + (slots.empty() ? "none" : slots);
  for (const std::string& token : volume.tokens) found.reason += "; token " + token;
  if (!volume.unreadable.empty()) found.reason += "; " + volume.unreadable;
  return found;
}

}  // namespace touchstone::crypt

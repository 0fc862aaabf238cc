// MBFile: what the backup daemon archived of a file's inode, as an NSKeyedArchiver property list.
#include <sys/stat.h>

#include "filesystem/trees/itunes_manifest.hpp"
#include "filesystem/trees/itunes_plist.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMaxKey = 1024;

std::optional<TimeUs> seconds(Plist::Value value) {
  const auto number = value.integer();
  constexpr std::int64_t kMost = 253'402'300'799;  // the year 9999
  if (!number || *number < -kMost || *number > kMost) return std::nullopt;
  return *number * 1'000'000;
}

/// A zero is "not kept": no file of a phone is from 1970.
std::optional<TimeUs> known(std::optional<TimeUs> time) {
  return time && *time != 0 ? time : std::nullopt;
}

std::optional<std::uint32_t> small(Plist::Value value) {
  const auto number = value.integer();
  if (!number || *number < 0 || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// NSData is archived as bytes, or as an object with them in NS.data.
std::optional<std::span<const std::byte>> bytes_of(Plist::Value value) {
  if (const auto direct = value.data()) return direct;
  return value["NS.data"].data();
}

std::string hex(std::span<const std::byte> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte each : bytes) {
    text += kDigits[std::to_integer<unsigned>(each) >> 4U];
    text += kDigits[std::to_integer<unsigned>(each) & 0xfU];
  }
  return text;
}

}  // namespace

bool read_mbfile(std::vector<std::byte> list, BackupFile& file) {
  const auto plist = Plist::parse(std::move(list));
  if (!plist) return false;
  const Plist::Value objects = plist->root()["$objects"];
  const Plist::Value root = archived(objects, plist->root()["$top"]["root"]);
  if (!root["Mode"] && !root["Size"] && !root["RelativePath"]) return false;
  if (const auto size = root["Size"].integer(); size && *size >= 0)
    file.size = static_cast<std::uint64_t>(*size);
  file.mode = small(root["Mode"]);
  file.uid = small(root["UserID"]);
  file.gid = small(root["GroupID"]);
  if (const auto inode = root["InodeNumber"].integer()) file.inode = static_cast<std::uint64_t>(*inode);
  file.times.created = known(seconds(root["Birth"]));
  file.times.modified = known(seconds(root["LastModified"]));
  file.times.changed = known(seconds(root["LastStatusChange"]));
  file.protection_class = small(root["ProtectionClass"]).value_or(0);
  file.link_target = archived(objects, root["Target"]).text().value_or("");
  if (const auto key = bytes_of(archived(objects, root["EncryptionKey"])); key && key->size() <= kMaxKey)
    file.key.assign(key->begin(), key->end());
  if (const auto digest = bytes_of(archived(objects, root["Digest"])); digest && digest->size() <= 64)
    file.digest = hex(*digest);
  return true;
}

}  // namespace touchstone

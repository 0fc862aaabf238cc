// The first byte picks the reader: keybag, property list, Manifest.mbdb, MBFile, header of an Android backup,
// head of a Cellebrite report, Manifest.db. What is read must stay within what was given.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "filesystem/trees/adb_backup.hpp"
#include "filesystem/trees/itunes_keybag.hpp"
#include "filesystem/trees/itunes_manifest.hpp"
#include "filesystem/trees/itunes_plist.hpp"
#include "filesystem/trees/ufdr_report.hpp"

namespace {

using namespace touchstone;

void read_keybag(std::span<const std::byte> bytes) {
  auto bag = ItunesKeybag::parse(bytes);
  // Deriving keys is OpenSSL's, and slow: only cheap ones.
  if (!bag || bag->rounds() > 100) return;
  if (bag->unlock("password") != bag->unlocked()) std::abort();
  (void)bag->unwrap(bytes);
}

/// All values to a depth, as a reader of any of them would.
std::size_t look_at(Plist::Value value, int depth) {
  std::size_t seen = 1;
  (void)value.integer(), (void)value.boolean(), (void)value.date(), (void)value.text(), (void)value.data();
  (void)value.uid();
  if (depth == 0) return seen;
  for (std::size_t i = 0; i < value.size() && i < 8; ++i) seen += look_at(value.at(i), depth - 1);
  for (const char* key : {"IsEncrypted", "Lockdown", "$objects", "$top"})
    seen += look_at(value[key], depth - 1);
  return seen;
}

void read_table(Result<std::unique_ptr<BackupManifest>> manifest) {
  if (!manifest) return;
  std::vector<std::uint64_t> places;
  std::vector<Problem> problems;
  const auto keep = [&](const BackupManifest::Row& row) {
    places.push_back(row.place);
    return places.size() < 1000;
  };
  (void)(*manifest)->for_each(keep, problems);
  for (const std::uint64_t place : places) {
    auto file = (*manifest)->read(place);
    if (file && file->id.size() != 40 && file->id.size() > (std::size_t{1} << 20)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  switch (data[0] % 7) {
    case 0:
      read_keybag(bytes);
      break;
    case 1:
      if (const auto list = Plist::parse(std::move(copy))) (void)look_at(list->root(), 4);
      break;
    case 2:
      read_table(open_manifest_mbdb(std::move(copy)));
      break;
    case 3: {
      BackupFile file;
      (void)read_mbfile(std::move(copy), file);
      break;
    }
    case 4: {
      const auto source = make_memory_source(std::move(copy));
      const auto header = read_adb_header(*source);
      if (header && header->payload > source->size()) std::abort();
      if (header && header->encrypted() && header->rounds < 100) (void)open_adb_key(*header, "password");
      break;
    }
    case 5: {
      std::vector<Problem> problems;
      const auto source = make_memory_source(std::move(copy));
      if (read_ufdr_head(*source, problems).size() > 200) std::abort();
      break;
    }
    default:
      read_table(open_manifest_db(std::move(copy)));
  }
  return 0;
}

#include "support/made_compound.hpp"

namespace touchstone::test {
namespace {

constexpr std::size_t kSector = 512, kMini = 64, kCutoff = 4096, kEntry = 128;
constexpr std::uint32_t kEnd = 0xFFFFFFFE, kFatSector = 0xFFFFFFFD, kNone = 0xFFFFFFFF;

std::size_t units(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit;
}

/// Appends a chain of `count` to a table and returns its first number.
std::uint32_t chain(std::vector<std::uint32_t>& table, std::size_t count) {
  const auto first = static_cast<std::uint32_t>(table.size());
  for (std::size_t i = 1; i < count; ++i) table.push_back(static_cast<std::uint32_t>(table.size() + 1));
  if (count > 0) table.push_back(kEnd);
  return count > 0 ? first : kEnd;
}

std::string padded(std::string bytes, std::size_t unit) {
  bytes.resize(units(bytes.size(), unit) * unit);
  return bytes;
}

}  // namespace

void put_little(std::string& file, std::size_t at, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) file[at + i] = static_cast<char>(value >> (8 * i));
}

std::size_t directory_place(const std::string& file, std::size_t index) {
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < 4; ++i)
    first |= std::uint32_t{static_cast<std::uint8_t>(file[48 + i])} << (8 * i);
  return (first + 1) * kSector + index * kEntry;  // its sectors are neighbours
}

std::string make_compound(const std::vector<MadeEntry>& entries) {
  std::string directory((entries.size() + 1) * kEntry, '\0'), minis, body;
  std::vector<std::uint32_t> fat, mini_fat;
  // Room for the tables first: their size depends on what follows by no more than this.
  std::size_t total = units(directory.size(), kSector) + 4;
  for (const MadeEntry& entry : entries) total += units(entry.bytes.size(), kSector) + 1;
  const std::size_t fat_sectors = units(total + units(total, 128) + 8, 128);
  fat.assign(fat_sectors, kFatSector);
  const auto first_directory = chain(fat, units(directory.size(), kSector));
  const auto write = [&](std::size_t at, const std::u16string& name, std::uint8_t type, std::uint32_t first,
                         std::uint64_t size) {
    for (std::size_t i = 0; i < name.size(); ++i) put_little(directory, at + i * 2, name[i], 2);
    put_little(directory, at + 64, (name.size() + 1) * 2, 2);
    directory[at + 66] = static_cast<char>(type);
    directory[at + 67] = 1;
    for (const std::size_t link : {68U, 72U, 76U}) put_little(directory, at + link, kNone, 4);
    put_little(directory, at + 116, first, 4);
    put_little(directory, at + 120, size, 8);
  };
  std::vector<std::size_t> last(entries.size() + 1, 0);  // sibling that the next one is hung on
  std::string large;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const MadeEntry& entry = entries[i];
    const bool small = entry.bytes.size() < kCutoff;
    const std::uint32_t first = entry.is_storage ? 0
                                : small          ? chain(mini_fat, units(entry.bytes.size(), kMini))
                                                 : chain(fat, units(entry.bytes.size(), kSector));
    if (small) {
      minis += padded(entry.bytes, kMini);
    } else {
      large += padded(entry.bytes, kSector);
    }
    const std::size_t at = (i + 1) * kEntry;
    write(at, entry.name, entry.is_storage ? 1 : 2, first, entry.bytes.size());
    put_little(directory, at + 108, entry.modified, 8);
  }
  const auto mini_fat_first = chain(fat, units(mini_fat.size() * 4, kSector));
  const auto mini_first = chain(fat, units(minis.size(), kSector));
  write(0, u"Root Entry", 5, mini_first, minis.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto parent = static_cast<std::size_t>(entries[i].parent) + 1;
    const std::size_t at = last[parent] == 0 ? parent * kEntry + 76 : last[parent] * kEntry + 72;
    put_little(directory, at, i + 1, 4);
    last[parent] = i + 1;
  }
  std::string mini_table(mini_fat.size() * 4, '\0');
  for (std::size_t i = 0; i < mini_fat.size(); ++i) put_little(mini_table, i * 4, mini_fat[i], 4);
  mini_table.resize(units(mini_table.size(), kSector) * kSector, '\xFF');
  body = padded(directory, kSector) + large + mini_table + padded(minis, kSector);
  std::string table(fat_sectors * kSector, '\xFF');
  for (std::size_t i = 0; i < fat.size(); ++i) put_little(table, i * 4, fat[i], 4);
  std::string header(kSector, '\0');
  header.replace(0, 8, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
  put_little(header, 24, 0x003E, 2);
  put_little(header, 26, 3, 2);
  put_little(header, 28, 0xFFFE, 2);
  put_little(header, 30, 9, 2);
  put_little(header, 32, 6, 2);
  put_little(header, 44, fat_sectors, 4);
  put_little(header, 48, first_directory, 4);
  put_little(header, 56, kCutoff, 4);
  put_little(header, 60, mini_fat_first, 4);
  put_little(header, 64, mini_table.size() / kSector, 4);
  put_little(header, 68, kEnd, 4);
  for (std::size_t i = 0; i < 109; ++i) put_little(header, 76 + i * 4, i < fat_sectors ? i : kNone, 4);
  return header + table + body;
}

}  // namespace touchstone::test

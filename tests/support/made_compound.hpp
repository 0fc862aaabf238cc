// Compound files made for tests, by [MS-CFB]: version 3, sectors of 512 bytes, siblings in a chain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace touchstone::test {

struct MadeEntry {
  std::u16string name;
  std::string bytes;  // of a stream
  int parent = -1;    // index of a storage before it; -1: the root
  bool is_storage = false;
  std::uint64_t modified = 0;  // FILETIME, of storages
};

std::string make_compound(const std::vector<MadeEntry>& entries);

/// Where the directory entry `index` (0: the root) of a file of make_compound() lies.
std::size_t directory_place(const std::string& file, std::size_t index);
void put_little(std::string& file, std::size_t at, std::uint64_t value, std::size_t count);

}  // namespace touchstone::test

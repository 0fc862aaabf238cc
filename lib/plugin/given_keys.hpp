// Which keys an item's records and findings have been given, so that each is given once. An item may have
// millions of records: rows that are numbered cost a few bits each, other keys 12 to 24 bytes. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace touchstone {

/// A set of 64-bit hashes, 12 to 24 bytes each.
class HashSet64 {
 public:
  /// False if it was there.
  bool insert(std::uint64_t hash);
  bool contains(std::uint64_t hash) const;
  std::size_t size() const { return size_; }

 private:
  std::size_t slot_of(std::uint64_t hash) const;
  void grow();
  std::vector<std::uint64_t> slots_;  ///< a power of two of them; 0: free
  std::size_t size_ = 0;
  bool has_zero_ = false;
};

class GivenKeys {
 public:
  /// The key, with "#2" for the second of equal keys, and so on. `row`: what the key ends with, where that is
  /// the name of a row; else empty.
  std::string unique(std::string key, std::string_view row = {});

 private:
  bool is_new(const std::string& key, std::string_view row);
  using Numbers = std::unordered_map<std::uint64_t, std::uint64_t>;  ///< number / 64 → a bit each
  std::unordered_map<std::string, Numbers> rows_;                    ///< by what stands before the number
  HashSet64 others_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      repeated_;  ///< hash of the key → how often it was asked for
};

}  // namespace touchstone

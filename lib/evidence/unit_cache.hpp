// Decoded units of an image (chunks of an E01, compressed clusters), the most recently used ones, within a
// budget of memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

namespace touchstone {

class UnitCache {
 public:
  explicit UnitCache(std::size_t budget) : budget_(budget) {}

  /// Null if the unit is not held. Valid until the next make().
  const std::vector<std::byte>* find(std::uint64_t key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    units_.splice(units_.begin(), units_, found->second);
    return &found->second->bytes;
  }

  /// Room for a unit that is not held; what was used longest ago gives way. Its bytes are undefined until
  /// they are filled in.
  std::vector<std::byte>& make(std::uint64_t key, std::size_t size) {
    std::list<Unit> reused;
    while (!units_.empty() && held_ + size > budget_) {
      held_ -= units_.back().bytes.size();
      places_.erase(units_.back().key);
      reused.clear();
      reused.splice(reused.begin(), units_, std::prev(units_.end()));
    }
    if (reused.empty()) reused.emplace_back();
    units_.splice(units_.begin(), reused);
    Unit& unit = units_.front();
    unit.key = key;
    unit.bytes.resize(size);
    held_ += size;
    places_[key] = units_.begin();
    return unit.bytes;
  }

 private:
  struct Unit {
    std::uint64_t key = 0;
    std::vector<std::byte> bytes;
  };

  std::size_t budget_;
  std::size_t held_ = 0;
  std::list<Unit> units_;  ///< most recently used first
  std::unordered_map<std::uint64_t, std::list<Unit>::iterator> places_;
};

}  // namespace touchstone

#include "plugin/given_keys.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace touchstone {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kBits = 64;
/// Digits of a row number that is kept as a number.
constexpr std::size_t kLongestNumber = 18;

/// A number as it is printed: no sign, no leading zero.
bool is_plain_number(std::string_view text) {
  return !text.empty() && text.size() <= kLongestNumber && (text.front() != '0' || text.size() == 1) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::size_t HashSet64::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  // Standard hashes of text are spread evenly in their low bits.
  std::size_t slot = static_cast<std::size_t>(hash) & mask;
  while (slots_[slot] != 0 && slots_[slot] != hash) slot = (slot + 1) & mask;
  return slot;
}

bool HashSet64::contains(std::uint64_t hash) const {
  if (hash == 0) return has_zero_;
  return !slots_.empty() && slots_[slot_of(hash)] == hash;
}

void HashSet64::grow() {
  std::vector<std::uint64_t> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  old.swap(slots_);
  for (const std::uint64_t hash : old)
    if (hash != 0) slots_[slot_of(hash)] = hash;
}

bool HashSet64::insert(std::uint64_t hash) {
  if (hash == 0) return !std::exchange(has_zero_, true);
  if (slots_.empty() || size_ * 3 >= slots_.size() * 2) grow();
  std::uint64_t& slot = slots_[slot_of(hash)];
  if (slot == hash) return false;
  slot = hash;
  ++size_;
  return true;
}

bool GivenKeys::is_new(const std::string& key, std::string_view row) {
  if (!is_plain_number(row) || !key.ends_with(row)) return others_.insert(std::hash<std::string>{}(key));
  std::uint64_t number = 0;
  std::from_chars(row.data(), row.data() + row.size(), number);
  std::uint64_t& bits = rows_[key.substr(0, key.size() - row.size())][number / kBits];
  const std::uint64_t bit = std::uint64_t{1} << (number % kBits);
  const bool fresh = (bits & bit) == 0;
  bits |= bit;
  return fresh;
}

std::string GivenKeys::unique(std::string key, std::string_view row) {
  if (is_new(key, row)) return key;
  std::uint32_t& count = repeated_[std::hash<std::string>{}(key)];
  // A row may itself be called "…#2": what is given must be new as well.
  count = std::max(count, 1U);
  std::string candidate;
  do {
    candidate = key + '#' + std::to_string(++count);
  } while (!is_new(candidate, {}));
  return candidate;
}

}  // namespace touchstone

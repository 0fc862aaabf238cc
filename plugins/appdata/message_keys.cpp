#include "message_keys.hpp"

#include <charconv>
#include <optional>

namespace touchstone::appdata {
namespace {

constexpr std::uint64_t kBits = 64;

/// A number as it is printed: no sign, no leading zero.
std::optional<std::uint64_t> number_of(std::string_view row) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), number);
  if (error != std::errc() || end != row.data() + row.size()) return std::nullopt;
  if (row.size() > 1 && row.front() == '0') return std::nullopt;
  return number;
}

std::string name_of(const std::string& table, const std::string& row) {
  return table + '\n' + row;
}

}  // namespace

void MessageKeys::add(const std::string& table, const std::string& row, const std::string& key,
                      bool numbered) {
  const auto number = numbered && key.ends_with(row) ? number_of(row) : std::nullopt;
  if (number) {
    const std::string_view stem(key.data(), key.size() - row.size());
    Numbered& known = numbered_[table];
    if (known.stem.empty()) known.stem = stem;
    if (known.stem == stem) {
      known.rows[*number / kBits] |= std::uint64_t{1} << (*number % kBits);
      return;
    }
  }
  if (kept_.size() < kMaxMessageKeys) kept_.emplace(name_of(table, row), key);
}

std::string MessageKeys::find(const std::string& table, const std::string& row) const {
  const auto known = numbered_.find(table);
  const auto number = known == numbered_.end() ? std::nullopt : number_of(row);
  if (number) {
    const auto bits = known->second.rows.find(*number / kBits);
    if (bits != known->second.rows.end() && ((bits->second >> (*number % kBits)) & 1U) != 0)
      return known->second.stem + row;
  }
  const auto kept = kept_.find(name_of(table, row));
  return kept == kept_.end() ? std::string() : kept->second;
}

}  // namespace touchstone::appdata

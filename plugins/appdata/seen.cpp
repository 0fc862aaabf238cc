#include "seen.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

namespace touchstone::appdata {
namespace {

/// What a record says, whatever became of it.
constexpr std::array kSaid{"body", "sender", "direction", "conversation", "party", "duration_s"};
constexpr std::array kTimes{"sent", "received", "started"};

class Hash {
 public:
  void add(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x9e3779b97f4a7c15ULL;
    value_ ^= value_ >> 29;
  }
  void add(std::string_view text) {
    add(text.size());
    add(std::hash<std::string_view>{}(text));
  }
  void add(const ts_value& value) {
    add(static_cast<std::uint64_t>(value.kind));
    if (value.kind == TS_INTEGER) add(static_cast<std::uint64_t>(value.integer));
    if (value.kind == TS_REAL) add(std::bit_cast<std::uint64_t>(value.real));
    if (value.kind == TS_TEXT || value.kind == TS_BLOB) add(from_abi(value.text));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

bool is_spoken(std::string_view kind) {
  return kind == "message" || kind == "call";
}

/// With the row: what was said there. Without it: what was said, and when.
std::uint64_t hash_of(std::string_view kind, std::string_view table, std::string_view row,
                      std::span<const Field> fields) {
  Hash hash;
  hash.add(kind);
  hash.add(table);
  hash.add(row);
  const auto named = [](const auto& names, std::string_view name) {
    return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
  };
  for (const Field& field : fields) {
    if (is_spoken(kind) && !named(kSaid, field.name) && !(row.empty() && named(kTimes, field.name))) continue;
    hash.add(field.name);
    hash.add(field.cell.value);
  }
  return hash.value();
}

}  // namespace

void SeenRecords::add_live(std::string_view kind, std::string_view table, std::string_view row,
                           std::span<const Field> fields) {
  live_.push_back(hash_of(kind, table, row, fields));
  live_.push_back(hash_of(kind, table, {}, fields));
  sorted_ = false;
}

bool SeenRecords::is_live(std::uint64_t hash) {
  if (!sorted_) {
    std::sort(live_.begin(), live_.end());
    sorted_ = true;
  }
  return std::binary_search(live_.begin(), live_.end(), hash);
}

bool SeenRecords::repeats(std::string_view kind, std::string_view table, std::string_view row,
                          std::span<const Field> fields) {
  const std::uint64_t said = hash_of(kind, table, row, fields), said_when = hash_of(kind, table, {}, fields);
  if (is_live(said) || recovered_.contains(said)) return true;
  // A row whose number is lost may be any that says the same at the same time.
  if (row.empty() && (is_live(said_when) || recovered_.contains(said_when))) return true;
  recovered_.insert(said);
  recovered_.insert(said_when);
  return false;
}

std::uint64_t hash_cells(const Query& rows) {
  Hash hash;
  for (std::size_t i = 0; i < rows.columns(); ++i) hash.add(rows.value(i));
  return hash.value();
}

}  // namespace touchstone::appdata

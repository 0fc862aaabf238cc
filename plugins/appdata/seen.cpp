#include "seen.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

namespace touchstone::appdata {
namespace {

/// What a record says, whatever became of it.
constexpr std::array kSaid{"body",       "sender", "direction",    "conversation", "party",
                           "duration_s", "title",  "notes",        "place",        "participants",
                           "starts",     "ends",   "starts_local", "ends_local"};
constexpr std::array kTimes{"sent", "sent_local", "received", "started", "created", "modified"};

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
  return kind == "message" || kind == "call" || kind == "event" || kind == "note";
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

void SeenRecords::announce(std::string_view kind, std::string_view table, std::string_view row,
                           std::span<const Field> fields) {
  announced_.push_back(hash_of(kind, table, row, fields));
  announced_.push_back(hash_of(kind, table, {}, fields));
  sorted_ = false;
}

std::optional<std::size_t> SeenRecords::find(std::uint64_t hash) {
  if (!sorted_) {
    std::sort(announced_.begin(), announced_.end());
    announced_.erase(std::unique(announced_.begin(), announced_.end()), announced_.end());
    given_.assign(announced_.size(), false);
    sorted_ = true;
  }
  const auto found = std::lower_bound(announced_.begin(), announced_.end(), hash);
  if (found == announced_.end() || *found != hash) return std::nullopt;
  return static_cast<std::size_t>(found - announced_.begin());
}

void SeenRecords::add_live(std::string_view kind, std::string_view table, std::string_view row,
                           std::span<const Field> fields) {
  if (announced_.empty()) return;
  if (const auto at = find(hash_of(kind, table, row, fields))) given_[*at] = true;
  if (const auto at = find(hash_of(kind, table, {}, fields))) given_[*at] = true;
}

bool SeenRecords::repeats(std::string_view kind, std::string_view table, std::string_view row,
                          std::span<const Field> fields) {
  const auto said = find(hash_of(kind, table, row, fields)),
             said_when = find(hash_of(kind, table, {}, fields));
  if (said && given_[*said]) return true;
  // A row whose number is lost may be any that says the same at the same time.
  if (row.empty() && said_when && given_[*said_when]) return true;
  if (said) given_[*said] = true;
  if (said_when) given_[*said_when] = true;
  return false;
}

std::uint64_t hash_cells(const Query& rows) {
  Hash hash;
  for (std::size_t i = 0; i < rows.columns(); ++i) hash.add(rows.value(i));
  return hash.value();
}

}  // namespace touchstone::appdata

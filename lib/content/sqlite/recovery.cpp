#include "content/sqlite/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "content/sqlite/scanner.hpp"

namespace touchstone::sqlite {
namespace {

/// Sets of columns that may be told apart in one table; only damage makes so many.
constexpr std::size_t kMaxMasks = 64;

std::string fold(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// By which columns a row is compared with others.
struct Mask {
  std::vector<bool> columns;
  bool row_id = false;
  bool operator==(const Mask&) const = default;
};

class Recoverer {
 public:
  Recoverer(PageStore& store, const RecoverySettings& settings, Problems& problems)
      : store_(&store),
        settings_(&settings),
        problems_(&problems),
        map_(store, problems),
        scanner_(store, map_, settings.cancelled) {}

  Recovery run() {
    map_.build(settings_->cancelled);
    shapes_ = map_.shapes();
    add_dropped_tables();
    std::vector<std::size_t> wanted(shapes_.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    scanner_.set_shapes(shapes_, wanted);
    // What SQLite keeps for itself is no one's data; its definitions of tables were read above.
    for (const TableShape& shape : shapes_) internal_.push_back(fold(shape.name).starts_with("sqlite_"));
    scanner_.scan([&](RecoveredRow&& row) {
      if (!internal_[row.shape]) note(row);
    });
    if (!candidates_.empty()) mark_live();
    if (!candidates_.empty()) {
      scanner_.scan([&](RecoveredRow&& row) {
        if (!internal_[row.shape]) keep(std::move(row));
      });
    }
    return finish();
  }

 private:
  Mask mask_of(const RecoveredRow& row) const {
    const TableShape& shape = shapes_[row.shape];
    return {row.known, row.row_id && !shape.row_id_column && !shape.without_rowid};
  }
  static std::uint64_t hash_under(const Mask& mask, std::size_t shape, const std::vector<SqlValue>& values,
                                  std::optional<std::int64_t> row_id) {
    return hash_row(shape, values, mask.columns, mask.row_id ? row_id : std::nullopt) ^ (mask.row_id ? 1 : 0);
  }
  std::uint64_t row_id_hash(std::size_t shape, std::int64_t row_id) const {
    return hash_row(shape, {}, {}, row_id);
  }

  void note(const RecoveredRow& row);
  void mark_live();
  void keep(RecoveredRow&& row);
  void drop_covered();
  void add_dropped_tables();
  void claim_dropped_pages(std::uint16_t shape);
  Recovery finish();

  PageStore* store_;
  const RecoverySettings* settings_;
  Problems* problems_;
  PageMap map_;
  Scanner scanner_;
  std::vector<TableShape> shapes_;
  std::vector<bool> internal_;                           ///< by shape
  std::unordered_map<std::uint64_t, bool> candidates_;   ///< hash → met alive
  std::unordered_map<std::uint64_t, bool> row_ids_;      ///< of candidates → met alive
  std::map<std::size_t, std::vector<Mask>> masks_;       ///< by shape
  std::unordered_map<std::uint64_t, std::size_t> kept_;  ///< hash → row
  std::vector<RecoveredRow> rows_;
  std::size_t bytes_ = 0;
};

/// Definitions of tables that are gone are themselves deleted rows, of sqlite_schema.
void Recoverer::add_dropped_tables() {
  std::vector<TableShape> found;
  scanner_.set_shapes(shapes_, {0});
  const auto same = [](const TableShape& a, const TableShape& b) {
    return fold(a.name) == fold(b.name) && a.columns.size() == b.columns.size() &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(),
                      [](const Column& x, const Column& y) {
                        return fold(x.name) == fold(y.name) && x.affinity == y.affinity;
                      });
  };
  scanner_.scan([&](RecoveredRow&& row) {
    if (row.values.size() < 5 || !row.known[4] || row.values[0].bytes != "table" || found.size() >= 1000)
      return;
    auto shape = parse_create_table(row.values[4].bytes);
    if (!shape) return;
    if (row.known[1] && row.values[1].kind == SqlValue::Kind::text) shape->name = row.values[1].bytes;
    const std::int64_t root = row.values[3].integer;
    shape->root = root > 0 && root <= 0xffffffffLL ? static_cast<std::uint32_t>(root) : 0;
    shape->dropped = true;
    const auto known = [&](const TableShape& other) { return same(*shape, other); };
    if (std::none_of(shapes_.begin(), shapes_.end(), known) &&
        std::none_of(found.begin(), found.end(), known))
      found.push_back(std::move(*shape));
  });
  for (TableShape& shape : found) shapes_.push_back(std::move(shape));
  map_.habits().resize(shapes_.size());
  for (std::size_t i = shapes_.size() - found.size(); i < shapes_.size(); ++i)
    claim_dropped_pages(static_cast<std::uint16_t>(i));
}

/// The pages of a dropped table are on the freelist; its root and what that leads to are still known.
void Recoverer::claim_dropped_pages(std::uint16_t shape) {
  std::vector<std::pair<std::uint32_t, int>> stack{{shapes_[shape].root, 0}};
  std::vector<std::byte> storage;
  PageImage image;
  while (!stack.empty()) {
    const auto [number, depth] = stack.back();
    stack.pop_back();
    if (depth > 20 || !map_.is_free(number) || map_.owner(number) != PageMap::kNobody) continue;
    if (!store_->read_current(number, storage, image)) continue;
    map_.set_owner(number, shape);
    const auto page = parse_btree_page(image.bytes, number, store_->usable());
    if (!page || page->flag != kInteriorTable) continue;
    for (std::size_t i = 0; i < page->cells; ++i)
      stack.emplace_back(at32(image.bytes, at16(image.bytes, page->pointers + 2 * i)), depth + 1);
    stack.emplace_back(page->right_child, depth + 1);
  }
}

void Recoverer::note(const RecoveredRow& row) {
  if (candidates_.size() >= settings_->candidates) {
    problems_->add(ErrorCode::limit, fmt::format("more than {} deleted cells; the rest is not looked at",
                                                 settings_->candidates));
    return;
  }
  const Mask mask = mask_of(row);
  std::vector<Mask>& masks = masks_[row.shape];
  if (std::find(masks.begin(), masks.end(), mask) == masks.end()) {
    if (masks.size() >= kMaxMasks) {
      problems_->add(ErrorCode::limit,
                     fmt::format("remnants of table {} of too many forms; the rest is left out",
                                 shapes_[row.shape].name));
      return;
    }
    masks.push_back(mask);
  }
  candidates_.emplace(hash_under(mask, row.shape, row.values, row.row_id), false);
  if (row.row_id) row_ids_.emplace(row_id_hash(row.shape, *row.row_id), false);
}

void Recoverer::mark_live() {
  const OverflowReader overflow = map_.overflow_reader();
  map_.each_live_cell(
      [&](std::size_t shape, const PageImage& image, const Cell& cell) {
        const auto masks = masks_.find(shape);
        if (masks == masks_.end()) return;
        const TableShape& table = shapes_[shape];
        const Payload payload =
            read_payload(image.bytes, cell, image.bytes.size(), store_->usable(), overflow);
        const DecodedRow row =
            decode_row(table, cell.types, payload.bytes, cell.header_length,
                       table.without_rowid ? std::nullopt : cell.row_id, store_->header().encoding);
        for (const Mask& mask : masks->second) {
          const auto found = candidates_.find(hash_under(mask, shape, row.values, cell.row_id));
          if (found != candidates_.end()) found->second = true;
        }
        if (!cell.row_id) return;
        if (const auto found = row_ids_.find(row_id_hash(shape, *cell.row_id)); found != row_ids_.end())
          found->second = true;
      },
      settings_->cancelled);
}

void Recoverer::keep(RecoveredRow&& row) {
  const std::uint64_t hash = hash_under(mask_of(row), row.shape, row.values, row.row_id);
  const auto candidate = candidates_.find(hash);
  if (candidate == candidates_.end() || candidate->second) return;
  if (row.row_id) {
    const auto live = row_ids_.find(row_id_hash(row.shape, *row.row_id));
    row.older_version = live != row_ids_.end() && live->second;
  }
  if (const auto same = kept_.find(hash); same != kept_.end()) {
    if (row.confidence > rows_[same->second].confidence) rows_[same->second] = std::move(row);
    return;
  }
  std::size_t size = sizeof(RecoveredRow) + row.values.size() * (sizeof(SqlValue) + 1);
  for (const SqlValue& value : row.values) size += value.bytes.size();
  if (bytes_ + size > settings_->memory_bytes) {
    problems_->add(ErrorCode::limit,
                   fmt::format("deleted rows take more than {} bytes of memory; the rest is left out",
                               settings_->memory_bytes));
    return;
  }
  bytes_ += size;
  kept_.emplace(hash, rows_.size());
  rows_.push_back(std::move(row));
}

/// A remnant of a row that was also found with more of it.
void Recoverer::drop_covered() {
  std::unordered_set<std::uint64_t> covered;
  const auto covers = [](const Mask& more, const Mask& less) {
    if (more == less || (less.row_id && !more.row_id)) return false;
    for (std::size_t i = 0; i < less.columns.size(); ++i)
      if (less.columns[i] && !more.columns[i]) return false;
    return true;
  };
  for (const RecoveredRow& row : rows_) {
    const Mask mask = mask_of(row);
    for (const Mask& other : masks_[row.shape])
      if (covers(mask, other)) covered.insert(hash_under(other, row.shape, row.values, row.row_id));
  }
  std::erase_if(rows_, [&](const RecoveredRow& row) {
    return covered.contains(hash_under(mask_of(row), row.shape, row.values, row.row_id));
  });
}

Recovery Recoverer::finish() {
  drop_covered();
  std::stable_sort(rows_.begin(), rows_.end(), [](const RecoveredRow& a, const RecoveredRow& b) {
    return std::tie(a.shape, a.file, a.file_offset) < std::tie(b.shape, b.file, b.file_offset);
  });
  return {std::move(shapes_), std::move(rows_), problems_->list()};
}

}  // namespace

std::string_view name_of(RowSource source) {
  switch (source) {
    case RowSource::wal_frame:
      return "write-ahead log";
    case RowSource::journal:
      return "rollback journal";
    case RowSource::main_file:
      return "main file beneath the log";
    case RowSource::freelist:
      return "freelist";
    case RowSource::unallocated:
      return "unallocated space";
    case RowSource::unreachable:
      return "page outside every table";
    case RowSource::carved_pages:
      return "carved pages";
    case RowSource::live_row:
      return "live row";
  }
  return "";
}

Result<Recovery> recover_rows(const DatabaseFiles& files, const RecoverySettings& settings) {
  Problems problems;
  auto store = PageStore::open(files, problems);
  if (!store) return store.error();
  return Recoverer(*store, settings, problems).run();
}

}  // namespace touchstone::sqlite

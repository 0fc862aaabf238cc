// Rows of pages that were found without their database: see recover_pages().
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "content/sqlite/recovery.hpp"
#include "content/sqlite/scanner.hpp"

namespace touchstone::sqlite {
namespace {

constexpr std::size_t kMaxShapes = 1000;

/// A row of fewer values could be of any table.
constexpr std::size_t kLeastValues = 3;
/// Of a row's values, in per cent, so many have the kind that their column asks for.
constexpr std::size_t kLeastAgreement = 80;

bool has_kind_of(const Column& column, SqlValue::Kind kind) {
  using Kind = SqlValue::Kind;
  switch (column.affinity) {
    case Affinity::integer:
      return kind == Kind::integer;
    case Affinity::real:
    case Affinity::numeric:
      return kind == Kind::integer || kind == Kind::real;
    case Affinity::text:
      return kind == Kind::text;
    case Affinity::blob:
      return true;
  }
  return false;
}

/// Whether the values are those of the table, as far as their kinds tell.
bool agrees(const TableShape& shape, const RecoveredRow& row) {
  std::size_t values = 0, agree = 0;
  for (std::size_t i = 0; i < row.values.size() && i < shape.columns.size(); ++i) {
    const SqlValue::Kind kind = row.values[i].kind;
    if (kind == SqlValue::Kind::null || kind == SqlValue::Kind::unknown || i == shape.row_id_column) continue;
    ++values;
    if (has_kind_of(shape.columns[i], kind)) ++agree;
  }
  return values >= kLeastValues && agree * 100 >= values * kLeastAgreement;
}

class LoosePages {
 public:
  LoosePages(ByteSource& pages, std::uint32_t page_size, std::vector<TableShape> shapes,
             const RecoverySettings& settings)
      : pages_(&pages), page_size_(page_size), settings_(&settings), shapes_(std::move(shapes)) {}

  Recovery run() {
    // A run may hold the first page or another of the schema, which names all tables.
    for (TableShape& shape : shapes_) shape.dropped = true;
    shapes_.insert(shapes_.begin(), schema_table_shape());
    std::vector<TableShape> found;
    scan({0}, [&](RecoveredRow&& row) { add_shape(row, found); });
    for (TableShape& shape : found) shapes_.push_back(std::move(shape));
    std::vector<std::size_t> wanted(shapes_.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    const auto take = [&](RecoveredRow&& row) {
      if (!shapes_[row.shape].name.starts_with("sqlite_") && agrees(shapes_[row.shape], row))
        keep(std::move(row));
    };
    scan(wanted, take);
    if (const auto other = encoding_by_zeros()) {
      encoding_ = *other;
      rows_.clear();
      seen_.clear();
      bytes_ = 0;
      scan(wanted, take);
    }
    return {std::move(shapes_), std::move(rows_), problems_.list()};
  }

 private:
  void add_shape(const RecoveredRow& row, std::vector<TableShape>& found) const {
    if (row.values.size() < 5 || !row.known[4] || row.values[0].bytes != "table" ||
        found.size() >= kMaxShapes)
      return;
    auto shape = parse_create_table(row.values[4].bytes);
    if (!shape) return;
    const auto same = [&](const TableShape& other) {
      return other.name == shape->name && other.columns.size() == shape->columns.size();
    };
    if (std::any_of(shapes_.begin(), shapes_.end(), same) || std::any_of(found.begin(), found.end(), same))
      return;
    shape->dropped = true;
    found.push_back(std::move(*shape));
  }

  void scan(const std::vector<std::size_t>& wanted, const Scanner::Each& each) {
    Scanner scanner;
    scanner.set_shapes(shapes_, wanted);
    std::vector<std::byte> page(page_size_);
    for (std::uint64_t at = 0; at + page_size_ <= pages_->size(); at += page_size_) {
      if (settings_->cancelled && settings_->cancelled()) return;
      const auto got = pages_->read_at(at, page);
      if (!got) {
        problems_.add(got.error().code, got.error().message);
        return;
      }
      PageImage image{PageFile::main, 0, at, false, false, page};
      std::uint32_t usable = page_size_;
      if (auto header = parse_header(page); header && header->page_size == page_size_) {
        image.page = 1;
        encoding_ = header->encoding;
        usable = header->usable;
      }
      scanner.scan_loose_page(image, usable, encoding_, each);
    }
  }

  /// Text that is read as UTF-8 and is UTF-16 has a zero in most characters: behind them, or before.
  std::optional<TextEncoding> encoding_by_zeros() const {
    if (encoding_ != TextEncoding::utf8) return std::nullopt;
    std::size_t texts = 0, little = 0, big = 0;
    for (const RecoveredRow& row : rows_) {
      for (const SqlValue& value : row.values) {
        if (value.kind != SqlValue::Kind::text || value.bytes.size() < 2) continue;
        ++texts;
        if (value.bytes[1] == '\0') ++little;
        if (value.bytes[0] == '\0') ++big;
      }
    }
    if (little * 2 > texts) return TextEncoding::utf16le;
    if (big * 2 > texts) return TextEncoding::utf16be;
    return std::nullopt;
  }

  void keep(RecoveredRow&& row) {
    row.page = static_cast<std::uint32_t>((row.file_offset - row.offset) / page_size_ + 1);
    row.confidence = std::min(row.confidence, kMostOfLoosePages);
    row.certain = false;
    if (!seen_.insert(hash_row(row.shape, row.values, row.known, row.row_id)).second) return;
    for (const SqlValue& value : row.values) bytes_ += sizeof(SqlValue) + value.bytes.size();
    if (bytes_ > settings_->memory_bytes || rows_.size() >= settings_->candidates) {
      problems_.add(ErrorCode::limit,
                    fmt::format("deleted rows take more than {} bytes of memory; the rest is left out",
                                settings_->memory_bytes));
      return;
    }
    rows_.push_back(std::move(row));
  }

  ByteSource* pages_;
  std::uint32_t page_size_;
  const RecoverySettings* settings_;
  std::vector<TableShape> shapes_;
  TextEncoding encoding_ = TextEncoding::utf8;
  std::vector<RecoveredRow> rows_;
  std::unordered_set<std::uint64_t> seen_;
  std::size_t bytes_ = 0;
  Problems problems_;
};

}  // namespace

std::uint32_t guess_page_size(ByteSource& pages) {
  constexpr std::size_t kLooked = 4U << 20;
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(pages.size(), kLooked)));
  const auto got = pages.read_at(0, bytes);
  if (!got) return 0;
  bytes.resize(*got);
  std::uint32_t best = 0;
  std::uint64_t best_score = 0;
  // Where the true size is smaller, half of the larger blocks begin like pages too, and none has its cells at
  // the end of the block.
  for (std::uint32_t size = 65536; size >= 512; size /= 2) {
    std::uint64_t score = 0;
    for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
      const Bytes block = Bytes(bytes).subspan(at, size);
      const bool first = std::memcmp(block.data(), "SQLite format 3", 16) == 0;
      const auto page = parse_btree_page(block, first ? 1 : 0, size);
      if (!page || page->cells == 0) continue;
      std::size_t last = 0;
      for (std::size_t i = 0; i < page->cells; ++i) {
        const std::size_t start = at16(block, page->pointers + 2 * i);
        const auto cell =
            page->is_leaf() ? parse_cell(block, start, size, size, page->is_table()) : std::nullopt;
        last = std::max(last, cell ? cell->end : start + 4);
      }
      if (last > size / 2) score += size;
    }
    if (score > best_score) {
      best_score = score;
      best = size;
    }
  }
  return best;
}

Result<Recovery> recover_pages(ByteSource& pages, std::uint32_t page_size, std::vector<TableShape> shapes,
                               const RecoverySettings& settings) {
  if (page_size == 0) page_size = guess_page_size(pages);
  if (!is_page_size(page_size)) return Error{ErrorCode::unsupported, "no pages of an SQLite database"};
  return LoosePages(pages, page_size, std::move(shapes), settings).run();
}

}  // namespace touchstone::sqlite

// B-tree pages, cells and records: https://www.sqlite.org/fileformat2.html#b_tree_pages and #record_format.
// Nothing read is trusted: a cell is given only where its header and body agree to the byte. Plain functions
// and values; no thread rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "content/sqlite/format.hpp"
#include "content/sqlite/table_shape.hpp"

namespace touchstone::sqlite {

/// Header of a b-tree page whose fields hold together.
struct BtreePage {
  std::uint8_t flag = 0;
  std::size_t cells = 0;
  std::size_t pointers = 0;  ///< where the array of cell pointers stands
  std::size_t content = 0;   ///< where the first cell may stand
  std::uint32_t right_child = 0;
  bool is_leaf() const { return flag == kLeafTable || flag == kLeafIndex; }
  bool is_table() const { return flag == kLeafTable || flag == kInteriorTable; }
  std::size_t pointers_end() const { return pointers + 2 * cells; }
};
/// Absent if it is none, or if a cell pointer leads out of the page.
std::optional<BtreePage> parse_btree_page(Bytes page, std::uint32_t number, std::uint32_t usable);

struct Cell {
  std::size_t start = 0, end = 0;  ///< in the page; `end` may lie beyond where the cell still stands
  std::uint64_t payload = 0;
  std::optional<std::int64_t> row_id;
  std::size_t header = 0, header_length = 0;  ///< of the record
  std::vector<std::uint64_t> types;
  std::uint32_t local = 0;     ///< payload bytes in the page
  std::uint32_t overflow = 0;  ///< first overflow page
};
/// Records larger than this are not put together.
constexpr std::uint64_t kMaxPayload = 64ULL << 20;

/// A leaf cell at `at`: of a table (with a row id) or of an index. Its header lies before `limit`, its types
/// end where the header says, and they add up to the payload.
std::optional<Cell> parse_cell(Bytes page, std::size_t at, std::size_t limit, std::uint32_t usable,
                               bool table);

/// Payload of a cell as far as it can be read.
struct Payload {
  std::vector<std::byte> bytes;
  bool whole = false;
  bool through_overflow = false;
};
/// Reads an overflow page into the storage; false if it is not there or holds something else now.
using OverflowReader = std::function<bool(std::uint32_t page, std::vector<std::byte>& storage)>;
Payload read_payload(Bytes page, const Cell& cell, std::size_t region_end, std::uint32_t usable,
                     const OverflowReader& overflow);

struct DecodedRow {
  std::vector<SqlValue> values;  ///< one for each column of the shape
  std::vector<bool> known;       ///< whole: neither unknown nor cut
  bool clean_text = true;        ///< all text is valid in the encoding and has no control characters
  std::size_t text_bytes = 0;
};
/// `payload` from the record's header on, as far as there is any; values beyond it are unknown, text that is
/// cut keeps its beginning.
DecodedRow decode_row(const TableShape& shape, const std::vector<std::uint64_t>& types, Bytes payload,
                      std::size_t header_length, std::optional<std::int64_t> row_id, TextEncoding encoding);

/// How well serial types fit the columns, 0 to 100; negative: not at all.
int fit(const TableShape& shape, const std::vector<std::uint64_t>& types);
/// The same for one column.
int fit_column(const TableShape& shape, std::size_t column, std::uint64_t type);

/// The same of the values that are not NULL alone: how well what is said fits; 100 where nothing is.
struct Agreement {
  int percent = 100;
  std::size_t values = 0;  ///< not NULL
};
Agreement agreement(const TableShape& shape, const std::vector<std::uint64_t>& types);

/// Of the columns in `mask` (and of the row id, if given).
std::uint64_t hash_row(std::size_t table, const std::vector<SqlValue>& values, const std::vector<bool>& mask,
                       std::optional<std::int64_t> row_id);

}  // namespace touchstone::sqlite

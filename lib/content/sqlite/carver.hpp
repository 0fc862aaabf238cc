// Finds deleted cells in a stretch of bytes of a page: whole ones at any offset, and ones whose first four
// bytes a freeblock's header has overwritten (https://www.sqlite.org/fileformat2.html#b_tree_pages), which
// are rebuilt with the table's shape: what is lost is the payload's length, the row id and at most the first
// column's serial type, and what is left fixes all but the row id. Whole cells must agree with themselves to
// the byte. Where cells overlap, the inner one was written later and the outer one is only a remnant.
// Work is bounded per stretch. Borrows the shapes; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "content/sqlite/page_map.hpp"
#include "content/sqlite/record.hpp"

namespace touchstone::sqlite {

/// A shape that rows of a stretch may have.
struct ShapeChoice {
  std::uint16_t shape = 0;
  const TableShape* table = nullptr;
  const CellHabits* habits = nullptr;
  bool owner = false;  ///< the page belongs to this table
};

struct CarvedCell {
  enum class How : std::uint8_t {
    whole,            ///< every byte stands and adds up
    cut,              ///< its end has been overwritten
    rebuilt,          ///< its first bytes were overwritten, its end is confirmed by what follows
    rebuilt_loosely,  ///< so too, but nothing confirms where it ends
  };
  Cell cell;
  How how = How::whole;
  std::uint16_t shape = 0;
  bool owner = false;
  bool ambiguous = false;         ///< another table fits as well
  int fit = 0;                    ///< 0 to 100
  bool overlapped = false;        ///< something that may be a cell begins within it
  bool first_unknown = false;     ///< the first column's value is lost
  bool habitual = false;          ///< what was guessed of it is as in live rows
  std::size_t slack = 0;          ///< bytes between it and what follows
  std::size_t available_end = 0;  ///< its bytes stand up to here
};

struct CarvePlace {
  Bytes page;
  std::size_t begin = 0, end = 0;
  std::uint32_t usable = 0;
  TextEncoding encoding = TextEncoding::utf8;
  bool cells_page = true;  ///< it holds cells at all, to judge by its header
};

/// Cells in the stretch, by offset.
std::vector<CarvedCell> carve(const CarvePlace& place, const std::vector<ShapeChoice>& shapes);

/// The choice that fits best; absent if none does. `ambiguous`: two tables fit equally well.
std::optional<std::size_t> best_choice(const std::vector<ShapeChoice>& shapes,
                                       const std::vector<std::uint64_t>& types, bool table, int& score,
                                       bool& ambiguous);

}  // namespace touchstone::sqlite

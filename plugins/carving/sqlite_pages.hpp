// Leaf pages of SQLite tables that stand alone: their database's header is gone, their rows are not. Strict:
// every cell has to be a record (file format 1.6 and 2.1 of the SQLite documentation).
#pragma once

#include <cstdint>
#include <vector>

#include "carved.hpp"

namespace touchstone::carving {

/// The page size with which a leaf page of a table begins at `offset`; 0: none does.
std::uint32_t leaf_page_at(View& view, std::uint64_t offset);

/// Gathers pages of one size that lie near each other into one item.
class PageGroups {
 public:
  /// Pages in ascending order. A group that ends with this page is in take().
  void add(std::uint64_t offset, std::uint32_t page_size);
  /// Ends the group if its next page would have to lie before `offset`.
  void pass(std::uint64_t offset);
  void finish();
  std::vector<Carved> take();

 private:
  std::vector<Run> runs_;
  std::uint32_t page_size_ = 0, pages_ = 0;
  std::vector<Carved> done_;
};

}  // namespace touchstone::carving
